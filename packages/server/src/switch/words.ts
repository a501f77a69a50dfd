import { MediaBusy } from '@samar/media';
import type { CallOutcome, RefusalReason } from '../masking/types.ts';
import type { Call } from './call.ts';
import { say } from './keypad.ts';
import { type Refusal, refusalOf } from './outcomes.ts';

/** Media for the caller. False: the call has ended meanwhile. Rejects with `MediaBusy`. */
export async function openNear(call: Call): Promise<boolean> {
  if (call.near.media) return !call.over;
  const media = await call.openMedia(call.nearSources);
  if (!media) return false;
  call.near.media = media;
  if (call.nearLeg) call.nearLeg.media = media;
  return true;
}

/**
 * Says prompts to the caller, answered or not, at most so many milliseconds. False when it could not be heard (an
 * INVITE without an offer) or was cut.
 */
export async function tell(call: Call, names: readonly string[], longest: number): Promise<boolean> {
  const { media } = call.near;
  if (call.over || names.length === 0 || !media || !call.near.hears()) return false;
  let cut = false;
  const stop = () => {
    cut = true;
    media.leg.stopPlaying();
  };
  const done = call.during(stop);
  const late = call.context.doors.timers.after(longest, stop);
  const heard = await say(media, names, () => cut);
  late.cancel();
  done();
  return heard;
}

export interface Refusing extends Refusal {
  readonly locale: string;
  readonly outcome: CallOutcome;
  readonly cause: string;
  /** Spoken instead of the refusal's own prompt. */
  readonly words?: readonly string[];
}

/** Why the caller is not put through: spoken in early media, then the status; to one who was answered, then BYE. */
export async function refuse(call: Call, refusing: Refusing): Promise<void> {
  if (call.over) return;
  const { prompts, limits, events } = call.context;
  const prompt = call.near.state === 'answered' ? refusing.spoken : refusing.prompt;
  const words = refusing.words ?? (prompt === undefined ? [] : [prompts.find(refusing.locale, prompt)]);
  if (words.length > 0) {
    try {
      if (!(await openNear(call))) return;
      await tell(call, words, limits.refusal);
    } catch (error) {
      // No port for the words: the status alone refuses.
      if (!(error instanceof MediaBusy)) throw error;
      events.count(`media-busy-${error.reason}`);
    }
  }
  if (call.over) return;
  if (call.nearLeg && call.near.state !== 'answered') call.nearLeg.sipStatus = refusing.status;
  const { outcome, cause, status } = refusing;
  call.end({ outcome, by: 'platform', cause, status });
}

export function refuseFor(call: Call, reason: RefusalReason, locale: string, cause?: string): Promise<void> {
  call.refusal = reason;
  return refuse(call, { ...refusalOf(reason), locale, outcome: 'refused', cause: cause ?? reason });
}

/** The session has ended while the call was under way. */
export function refuseEnded(call: Call, locale: string): Promise<void> {
  return refuseFor(call, 'ended', locale, 'session-closed');
}
