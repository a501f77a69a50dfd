import type { Doors } from '@samar/doors';
import type { MediaEngine } from '@samar/media';
import type { ListenOn, SipStack } from '@samar/sip';
import type { Trunk } from '../masking/service.ts';
import type { CallMasking, CallOutcome, RefusalReason } from '../masking/types.ts';
import type { PromptBook } from './prompts.ts';

/** What the switch is made of; everything it touches comes from here. */
export interface SwitchOptions {
  readonly doors: Doors;
  readonly masking: CallMasking;
  readonly media: MediaEngine;
  readonly prompts: PromptBook;
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
  /** A caller who keys nothing when consent is asked has refused it after this many milliseconds. Default 10,000. */
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
  /** `overload`, `not-allowed-source`, `media-busy-…`, `decision-failed`, `record-failed`, `recording-failed`, `bad-offer`, `bad-answer`, `far-…` (why a far leg failed), and the SIP stack's own. */
  count(event: string): void;
  log(
    level: 'info' | 'warn' | 'error',
    message: string,
    details?: Readonly<Record<string, string | number>>,
  ): void;
}

export interface Switch {
  readonly bound: SipStack['bound'];
  readonly counts: { readonly calls: number };
  /** Reads the carriers again, at once. */
  refreshTrunks(): Promise<void>;
  /** No new calls from now on; resolves when the last call has ended or `milliseconds` have passed, and the rest was hung up. */
  drain(milliseconds: number): Promise<void>;
  /** Hangs up what is left and closes the sockets. */
  close(): Promise<void>;
}
