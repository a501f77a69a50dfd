import type { Timer } from '@samar/doors';
import { MediaBusy, type MediaCall } from '@samar/media';
import type { DialogEnd, SipStack } from '@samar/sip';
import type {
  CallEnd,
  CallExplanation,
  CallOutcome,
  OngoingCalls,
  RefusalReason,
  Trace,
} from '../masking/types.ts';
import { nameOf } from './errors.ts';
import { createKeypad, type Keypad } from './keypad.ts';
import { type LegMedia, legMedia } from './leg-media.ts';
import { type Leg, legReports } from './legs.ts';
import { type Near, nobody } from './near.ts';
import { causeOfEnd } from './outcomes.ts';
import { patiently } from './patience.ts';
import type { RunningRecording } from './recording.ts';
import type { TrunkTable } from './trunks.ts';
import type { SwitchLimits, SwitchOptions } from './types.ts';

/** What a call needs of the switch around it. */
export interface CallContext
  extends Pick<
    SwitchOptions,
    'doors' | 'masking' | 'media' | 'prompts' | 'events' | 'locate' | 'reportCall'
  > {
  readonly stack: () => SipStack;
  readonly trunks: () => TrunkTable;
  readonly limits: SwitchLimits;
  readonly publicHost: string;
  readonly mediaAddress: string;
  readonly recordings: string;
  /** The call belongs to this session from now on. */
  readonly joined: (call: Call) => void;
  /** Nothing of the call is left. */
  readonly over: (call: Call) => void;
}

export interface Ending {
  readonly outcome: CallOutcome;
  readonly by: CallEnd['hangupBy'];
  readonly cause: string;
  /** Final response for a caller who was not answered; default 480. */
  readonly status?: number;
}

/** Two people who are joined: what happens to them is the talk's affair (talk.ts). */
export interface Talk {
  readonly participants: readonly (string | undefined)[];
  /** One of the two is gone. True: the call goes on for now with the other. */
  left(side: 'caller' | 'callee', cause: DialogEnd): boolean;
  sessionClosed(ongoingCalls: OngoingCalls): void;
}

/** What stops when the call ends, or when nobody may be connected any more: a ringing leg, a dialogue. */
interface Underway {
  readonly stop: () => void;
  readonly participant: string | undefined;
}

type StepTaken = {
  -readonly [Word in keyof CallExplanation['steps'][number]]: CallExplanation['steps'][number][Word];
};

/** Says what came of a step, in words of our own. Once the call is over only `late` news of it is taken. */
export type Told = (outcome: string, late?: 'late') => void;

/** The outcome of a step for as long as there is none. */
const pending = 'abandoned';

/** For the explanation; programs are smaller. */
const mostStepsTold = 200;
/** Keys that are told to a tenant's system. */
const mostKeys = 32;
/** Before anybody talks a call that was answered may take this long: menus, messages. Milliseconds. */
const longestPrelude = 1_800_000;

/**
 * The life of one call: what it holds, and the one way out by which all of it is given back. What it does while it
 * lives stands in inbound.ts and originated.ts (how it begins), steps.ts, ring.ts, talk.ts and the files beside them.
 */
export class Call {
  readonly id: string;
  readonly context: CallContext;
  session: { readonly tenant: string; readonly session: string } | undefined;
  /** Whose record this call has. More than one only while it is unknown whether, and for whom, it was written. */
  tenants: readonly string[] = [];
  refusal: RefusalReason | undefined;
  trace: Trace | undefined;
  near: Near = nobody;
  /** The caller's leg in the record. */
  nearLeg: Leg | undefined;
  /** Networks from which the caller's RTP may come. */
  nearSources: readonly string[] = [];
  talk: Talk | undefined;
  recording: RunningRecording | undefined;
  survey: CallEnd['survey'];
  /** Keys pressed in menus. */
  keys = '';
  /** What it is when the caller leaves before a talk. */
  givenUp: Pick<Ending, 'outcome' | 'cause'> = { outcome: 'cancelled', cause: 'bye' };
  /** The session ended while nobody talked: nobody is connected any more. */
  sessionEnded = false;

  readonly legs: Leg[] = [];
  readonly #startedAt: number;
  readonly #steps: StepTaken[] = [];
  readonly #underway = new Set<Underway>();
  /** Participants who have left the session since the call began. */
  #left: Set<string> | undefined;
  /** Waited for before the record is closed. */
  readonly #unfinished: Promise<unknown>[] = [];
  #media: MediaCall | undefined;
  #keypad: Keypad | undefined;
  #prelude: Timer | undefined;
  #ending: Ending | undefined;

  constructor(id: string, context: CallContext) {
    this.id = id;
    this.context = context;
    this.#startedAt = context.doors.clock.now();
  }

  /** The call has ended; whatever still runs stops at its next turn. */
  get over(): boolean {
    return this.#ending !== undefined;
  }

  /** Nobody may be connected any more. */
  get stopped(): boolean {
    return this.over || this.sessionEnded;
  }

  hasLeft(participant: string | undefined): boolean {
    return participant !== undefined && this.#left?.has(participant) === true;
  }

  /** For all that may fail on a call's way. Never rejects; whatever happens, the call ends by `end`. */
  async live(way: () => Promise<void>): Promise<void> {
    try {
      await way();
    } catch (error) {
      // What was still being opened when the call ended finds its media released.
      if (this.over) return;
      if (error instanceof MediaBusy) {
        this.context.events.count(`media-busy-${error.reason}`);
        this.end({ outcome: 'failed', by: 'platform', cause: 'media-busy', status: 503 });
        return;
      }
      this.context.events.log('error', 'call failed', { call: this.id, error: nameOf(error) });
      this.end({ outcome: 'failed', by: 'platform', cause: 'internal-error', status: 500 });
    }
  }

  /** Makes sure that this is stopped in time; returns what takes it off again. */
  during(stop: () => void, participant?: string): () => void {
    const underway: Underway = { stop, participant };
    this.#underway.add(underway);
    return () => void this.#underway.delete(underway);
  }

  /** The record waits for this. It must not reject. */
  finishFirst(work: Promise<unknown>): void {
    this.#unfinished.push(work);
  }

  addLeg(leg: Pick<Leg, 'participant' | 'number' | 'carrier' | 'direction'>): Leg {
    const added: Leg = {
      ...leg,
      media: undefined,
      startedAt: this.context.doors.clock.now(),
      answeredAt: undefined,
      endedAt: undefined,
      sipStatus: undefined,
    };
    this.legs.push(added);
    return added;
  }

  /** A step is being taken: it stands in the explanation from now on, as abandoned until something comes of it. */
  begin(place: string, verb: string, participant?: string): Told {
    const step: StepTaken = { place, verb, outcome: pending };
    if (participant !== undefined) step.participant = participant;
    if (this.#steps.length < mostStepsTold) this.#steps.push(step);
    return (outcome, late) => {
      if (!this.over || late) step.outcome = outcome;
    };
  }

  pressed(key: string): void {
    if (this.keys.length < mostKeys) this.keys += key;
  }

  /** A port for one more leg. Undefined: the call has ended meanwhile. Rejects with `MediaBusy`. */
  async openMedia(allowedSources: readonly string[]): Promise<LegMedia | undefined> {
    const { media, doors, mediaAddress } = this.context;
    this.#media ??= await media.openCall();
    const leg = this.over ? undefined : await this.#media.openLeg();
    if (leg && !this.over) return legMedia({ leg, random: doors.random, mediaAddress, allowedSources });
    // The end may have come while the port was being opened: what `end` could not see is freed here.
    await this.#media.release();
    return undefined;
  }

  /** The call's media; there is one from `openMedia` on. */
  get media(): MediaCall | undefined {
    return this.#media;
  }

  /** Answers the caller (if that has not happened) and listens to its keys. Undefined: the call has ended. */
  listen(): Keypad | undefined {
    const { doors } = this.context;
    this.answerNear();
    this.near.quiet();
    if (!this.near.media || this.stopped) return undefined;
    this.#prelude ??= doors.timers.after(longestPrelude, () => this.hangUp('maximum-duration'));
    if (!this.#keypad) {
      const keypad = createKeypad(doors.timers, this.near.media, this.context.limits.words);
      this.#keypad = keypad;
      this.during(() => keypad.stop());
    }
    return this.#keypad;
  }

  answerNear(): void {
    if (this.near.state === 'answered' || this.over) return;
    this.near.answer();
    if (!this.nearLeg) return;
    this.nearLeg.answeredAt = this.context.doors.clock.now();
    this.nearLeg.sipStatus = 200;
  }

  /** Two people are joined now. */
  talks(talk: Talk): void {
    this.talk = talk;
    this.#prelude?.cancel();
    this.#keypad?.stop();
  }

  /** A dialog has ended that nobody else cares for. */
  partyLeft(side: 'caller' | 'callee', cause: DialogEnd): void {
    if (cause === 'local-bye' || this.over || this.talk?.left(side, cause)) return;
    const by = cause === 'remote-bye' ? side : 'platform';
    if (this.talk) this.end({ outcome: 'connected', by, cause: causeOfEnd(cause) });
    else if (by === 'caller') this.end({ ...this.givenUp, by });
    else this.end({ outcome: 'failed', by, cause: causeOfEnd(cause) });
  }

  /** Told when the session was closed or has expired. */
  sessionClosed(ongoingCalls: OngoingCalls): void {
    if (this.talk) {
      this.talk.sessionClosed(ongoingCalls);
      return;
    }
    // Nobody talks yet: nothing may be connected any more, whatever the policy for running calls.
    this.sessionEnded = true;
    this.#stop(() => true);
  }

  /** Told when somebody is no longer of this session: a talk of theirs is cut at once, and nobody rings them. */
  participantLeft(participant: string): void {
    if (this.talk) {
      if (this.talk.participants.includes(participant)) this.hangUp('participant-left');
      return;
    }
    this.#left ??= new Set();
    this.#left.add(participant);
    if (this.nearLeg?.participant === participant) {
      // Who called is a stranger to the session from now on.
      this.sessionEnded = true;
      this.#stop(() => true);
    } else this.#stop((underway) => underway.participant === participant);
  }

  hangUp(cause: string, status = 480): void {
    this.end({ outcome: this.talk ? 'connected' : 'failed', by: 'platform', cause, status });
  }

  /** The only way out; the first reason counts. */
  end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#prelude?.cancel();
    this.#stop(() => true);
    this.near.end(ending.status ?? 480);
    void this.#settle(ending);
  }

  #stop(which: (underway: Underway) => boolean): void {
    for (const underway of this.#underway) {
      if (!which(underway)) continue;
      this.#underway.delete(underway);
      underway.stop();
    }
  }

  async #settle(ending: Ending): Promise<void> {
    const { doors, events, masking } = this.context;
    const endedAt = doors.clock.now();
    try {
      await this.recording?.stop();
      // Before the reports: it brings the quality of every leg along.
      await this.#media?.release();
      const legs = await legReports(this.legs, endedAt);
      await this.recording?.written();
      // A caller who gives up early has a record as well, once the decision has written it.
      if (this.#unfinished.length > 0) await Promise.all(this.#unfinished);
      for (const tenant of this.tenants) {
        const end: CallEnd = {
          tenant,
          call: this.id,
          outcome: ending.outcome,
          hangupBy: ending.by,
          hangupCause: ending.cause,
          endedAt,
          legs,
          explanation: { steps: this.#steps, ...(this.trace && { trace: this.trace }) },
          ...(this.survey && { survey: this.survey }),
        };
        await patiently(doors.timers, () => masking.ended(end));
      }
    } catch (error) {
      events.count('record-failed');
      events.log('error', 'call not settled', { call: this.id, error: nameOf(error) });
    } finally {
      events.callEnded?.({
        outcome: ending.outcome,
        refusal: this.refusal,
        seconds: (endedAt - this.#startedAt) / 1_000,
      });
      this.context.over(this);
    }
  }
}
