import type { MediaCall, MediaLeg } from '@samar/media';
import type { Connect, DecisionTarget } from '../masking/types.ts';
import { nameOf } from './errors.ts';
import type { LegMedia } from './leg-media.ts';
import { patiently } from './patience.ts';
import type { SwitchLimits, SwitchOptions } from './types.ts';

/**
 * Recording as law 7 wants it: both hear that it happens, each in their language, before the first sample; with
 * `consent`, both must press 1. A recording that fails never harms the call.
 */
export interface RunningRecording {
  /** Closes the file. Idempotent; never rejects. */
  stop(): Promise<void>;
  /** Closes the file and then its row, for which the database is waited for. Idempotent; never rejects. */
  written(): Promise<void>;
}

interface Listener {
  readonly media: LegMedia;
  readonly locale: string;
}

interface RecordingContext extends Pick<SwitchOptions, 'doors' | 'prompts' | 'masking' | 'events'> {
  readonly limits: SwitchLimits;
}

/** True when both have heard the announcement to its end (and agreed, where that is asked). */
export async function announceRecording(
  context: RecordingContext,
  decision: Connect,
  listeners: readonly Listener[],
): Promise<boolean> {
  const ask = decision.recording === 'consent' ? consented : announced;
  const answers = await Promise.all(listeners.map((listener) => ask(context, listener)));
  return answers.every((agreed) => agreed);
}

async function announced({ prompts }: RecordingContext, { media, locale }: Listener): Promise<boolean> {
  return (
    (await media.leg.play({ kind: 'prompts', names: [prompts.find(locale, 'recording')] })) === 'finished'
  );
}

function consented(
  { prompts, doors, limits }: RecordingContext,
  { media, locale }: Listener,
): Promise<boolean> {
  return new Promise((resolve) => {
    let agreed = false;
    media.onDigit((digit) => {
      if (agreed) return;
      agreed = digit === '1';
      // Any key answers: 1 is yes, everything else is no. The prompt has been understood.
      media.leg.stopPlaying();
      resolve(agreed);
    });
    void media.leg.play({ kind: 'prompts', names: [prompts.find(locale, 'consent')] }).then((how) => {
      if (how === 'closed') resolve(false);
      else doors.timers.after(limits.consent, () => resolve(false));
    });
  });
}

export async function startRecording(
  { masking, events, prompts, doors }: RecordingContext,
  recording: {
    readonly call: string;
    readonly decision: Connect;
    readonly target: DecisionTarget;
    readonly media: MediaCall;
    readonly left: MediaLeg;
    readonly right: MediaLeg;
    readonly directory: (file: string) => string;
  },
): Promise<RunningRecording | undefined> {
  const { decision, target, media } = recording;
  const { tenant, session } = decision;
  try {
    const started = await masking.recordingStarted({
      tenant,
      call: recording.call,
      session,
      parties: [decision.caller.party, target.party],
      announcement: {
        mode: decision.recording,
        caller: prompts.language(decision.caller.locale),
        callee: prompts.language(target.locale),
      },
    });
    let stopped: ReturnType<MediaCall['stopRecording']> | undefined;
    let written: Promise<void> | undefined;
    let failed = false;
    function closeFile(): NonNullable<typeof stopped> {
      stopped ??= media.stopRecording().catch((error: unknown) => {
        notClosed(error);
        return undefined;
      });
      return stopped;
    }
    async function closeRow(): Promise<void> {
      const summary = await closeFile();
      const end = {
        tenant,
        recording: started.recording,
        status: failed || !summary ? 'failed' : 'complete',
        milliseconds: Math.round(summary?.milliseconds ?? 0),
        bytes: summary?.bytes ?? 0,
        sha256: summary?.sha256 ?? '',
      } as const;
      await patiently(doors.timers, () => masking.recordingEnded(end)).catch(notClosed);
    }
    function notClosed(error: unknown): void {
      events.count('recording-failed');
      events.log('error', 'recording not closed', { recording: started.recording, error: nameOf(error) });
    }
    media.onRecordingFailed((reason) => {
      failed = true;
      events.count('recording-failed');
      events.log('error', 'recording failed', { call: recording.call, recording: started.recording, reason });
    });
    const running: RunningRecording = {
      stop: () => closeFile().then(() => {}),
      written() {
        written ??= closeRow();
        return written;
      },
    };
    try {
      await media.startRecording({
        file: recording.directory(started.file),
        id: started.recording,
        key: started.key,
        left: recording.left,
        right: recording.right,
      });
    } catch (error) {
      failed = true;
      // The call goes on at once, whatever the database does.
      void running.written();
      throw error;
    }
    return running;
  } catch (error) {
    events.count('recording-failed');
    events.log('error', 'recording not started', { call: recording.call, error: nameOf(error) });
    return undefined;
  }
}
