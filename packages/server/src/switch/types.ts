import type { Doors } from '@samar/doors';
import type { MediaEngine } from '@samar/media';
import type { ListenOn, SipStack } from '@samar/sip';
import type { Trunk } from '../masking/service.ts';
import type { CallMasking, CallOutcome, Originate, RefusalReason, Spoken } from '../masking/types.ts';

/** What the switch is made of; everything it touches comes from here. */
export interface SwitchOptions {
  readonly doors: Doors;
  readonly masking: CallMasking;
  readonly media: MediaEngine;
  readonly prompts: Prompts;
  /** Reads every tenant's carriers; called at start, by `refreshTrunks`, and every two seconds. */
  readonly trunks: () => Promise<readonly Trunk[]>;
  readonly listen: readonly ListenOn[];
  /** Host that stands in Via, Contact and From; peers answer to it. */
  readonly publicHost: string;
  /** IP address that stands in SDP. */
  readonly mediaAddress: string;
  /** Existing directory for recordings. */
  readonly recordings: string;
  readonly events: SwitchEvents;
  readonly limits?: Partial<SwitchLimits>;
  /** Where a stored message's file is on this machine, when it isn't in `recordings`. Default: there. */
  readonly locate?: (stored: { readonly recording: string; readonly file: string }) => Promise<string>;
  /** Somebody reports the call by a key (`*9`), while they talk or when the other has gone. Absent: it means nothing. */
  readonly reportCall?: (report: {
    readonly tenant: string;
    readonly call: string;
    readonly session: string;
    readonly participant: string;
    readonly when: 'during' | 'after';
  }) => Promise<void>;
}

/** What calls ask of a `PromptBook`: names for the media engine, which holds the audio. */
export interface Prompts {
  /** In a person's language; a name that isn't known gets the words `unavailable`. */
  find(locale: string, name: string): string;
  /** Characters spelled out, at most 20; names that aren't known are left out. */
  keys(locale: string, words: Spoken): readonly string[];
  /** The language that a person of this locale hears; `name`: in which prompt (default: the most common words). */
  language(locale: string, name?: string): string;
  /** Which sound that is, for the record of a consent: the same only for the same words by the same voice. */
  wording(locale: string, name: string): string;
}

export interface SwitchLimits {
  /** Calls alive at once; past it INVITEs get 503 with Retry-After. Default 5,000. */
  readonly calls: number;
  /** Calls that wait for a decision; past it INVITEs get 503 with Retry-After. Default 400. */
  readonly deciding: number;
  /** New calls are refused while the signalling thread runs later than this, again and again. Milliseconds, default 100. */
  readonly lag: number;
  /** A spoken refusal is cut after this many milliseconds. Default 20,000. */
  readonly refusal: number;
  /** A program's own words are cut after this many milliseconds. Default 60,000. */
  readonly words: number;
  /** Both have heard that the job is done: so many milliseconds later the call ends. Default 60,000. */
  readonly closing: number;
  /** Who keys nothing when asked (to be recorded, to take a call) has said no after this many milliseconds. Default 10,000. */
  readonly consent: number;
}

/** For metrics and logs. Holds no address and no number. */
export interface SwitchEvents {
  callStarted?(): void;
  callEnded?(end: {
    readonly outcome: CallOutcome;
    readonly refusal: RefusalReason | undefined;
    readonly seconds: number;
  }): void;
  /**
   * `overload`, `not-allowed-source`, `media-busy-…`, `decision-failed`, `record-failed`, `recording-failed`,
   * `message-unreadable`, `bad-offer`, `bad-answer`, `far-…` (why a far leg failed), and the SIP stack's own.
   */
  count(event: string): void;
  log(
    level: 'info' | 'warn' | 'error',
    message: string,
    details?: Readonly<Record<string, string | number>>,
  ): void;
}

/** No call can be begun now: too many run, or the switch is about to stop. */
export class SwitchBusy extends Error {
  override readonly name = 'SwitchBusy';
  constructor() {
    super('the switch takes no more calls now');
  }
}

export interface Switch {
  readonly bound: SipStack['bound'];
  readonly counts: { readonly calls: number };
  /**
   * Begins a call that `masking.originate` decided, under the id that it was decided for. Returns at once; what becomes
   * of it stands in its record. Throws `SwitchBusy`, and then there is no call: its record is the caller's to close.
   */
  originate(call: string, originate: Originate): void;
  /** Reads the carriers again, at once. */
  refreshTrunks(): Promise<void>;
  /** No new calls from now on; resolves when the last call has ended or `milliseconds` have passed, and the rest was hung up. */
  drain(milliseconds: number): Promise<void>;
  /** Hangs up what is left and closes the sockets. */
  close(): Promise<void>;
}
