/**
 * The heart's words. (The blueprint's glossary; used everywhere in the code, the API and the docs.)
 *
 * tenant           one business
 * virtual number   a number we own, E.164
 * pool             a named set of virtual numbers
 * session          the link between participants for one job
 * participant      one person in one session, with a role and one or more real phone numbers
 * party            one real phone number known to a tenant (participants of many sessions may be the same party)
 * binding          (party, virtual number) → session
 * inbound          one call or message that has reached us, whatever carried it
 * decision         what the platform does with it
 * call, leg        a conversation, and each party's end of it
 * carrier          whoever carries our calls
 * recording        what was said, encrypted
 */

export type RecordingMode = 'off' | 'announce' | 'consent';
export type SessionStatus = 'open' | 'closed' | 'expired';
export type OngoingCalls = 'finish' | 'hangup';

// ---------------------------------------------------------------- decisions

export interface Inbound {
  readonly kind: 'call';
  /** Carriers from whose network it came (by source address); a number is only reachable through its own carrier. */
  readonly carriers: readonly { readonly tenant: string; readonly carrier: string }[];
  /** The virtual number that was called, E.164 with `+`, or undefined when what was dialled is no number. */
  readonly called: string | undefined;
  /** The caller's number, E.164 with `+`; undefined when withheld or unreadable. */
  readonly caller: string | undefined;
  /** Made by the caller of `decide`, stored with the call record that `decide` writes. */
  readonly call: string;
}

export type Decision = Connect | Refuse;

export interface Connect {
  readonly kind: 'connect';
  readonly tenant: string;
  readonly session: string;
  readonly caller: DecisionParty & { readonly participant: string };
  /** Rung in this order; several phones of a participant are several targets. Never empty. */
  readonly targets: readonly DecisionTarget[];
  readonly recording: RecordingMode;
  /** Seconds that each target rings. */
  readonly ringSeconds: number;
  /** Seconds; the call is ended then. */
  readonly maxSeconds: number;
}

export interface DecisionParty {
  /** BCP 47 language of prompts for this person. */
  readonly locale: string;
  readonly party: string;
}

export interface DecisionTarget extends DecisionParty {
  readonly participant: string;
  /** The real number, E.164. For composing the outgoing leg only: never logged, never stored. */
  readonly phone: string;
  /** The virtual number shown to this participant; always their own number of this session. */
  readonly callerId: string;
  /** The number's id and the carrier that carries the outgoing leg. */
  readonly number: string;
  readonly carrier: string;
}

/** `not-connected`: the neutral announcement for everyone who is not, and never was, bound to this number. */
export type RefusalReason = 'not-connected' | 'ended' | 'closed' | 'unavailable' | 'unknown-number';

export interface Refuse {
  readonly kind: 'refuse';
  readonly reason: RefusalReason;
  readonly locale: string;
  /** Undefined when the called number is none of ours: no record is written then. */
  readonly tenant: string | undefined;
}

// ---------------------------------------------------------------- call records (what the switch reports)

export type CallOutcome =
  | 'connected'
  | 'busy'
  | 'no-answer'
  | 'unavailable'
  | 'cancelled'
  | 'refused'
  | 'interrupted'
  | 'failed';

export interface LegReport {
  readonly participant: string | undefined;
  readonly number: string;
  readonly carrier: string;
  readonly direction: 'in' | 'out';
  readonly sipStatus: number | undefined;
  readonly startedAt: number;
  readonly answeredAt: number | undefined;
  readonly endedAt: number;
  readonly quality: Readonly<Record<string, number>> | undefined;
}

export interface CallEnd {
  readonly tenant: string;
  readonly call: string;
  readonly outcome: CallOutcome;
  readonly hangupBy: 'caller' | 'callee' | 'platform';
  /** Short words of our own (`bye`, `session-closed`, `media-silence`, `session-timer`, …) or `sip-486`. */
  readonly hangupCause: string;
  readonly endedAt: number;
  readonly legs: readonly LegReport[];
}

/** What the switch needs of the heart. Batched inside: many calls at once cost few round trips. */
export interface CallMasking {
  /** Decides and, when the called number is ours, durably writes the call record (status `ringing`). */
  decide(inbound: Inbound): Promise<Decision>;
  /**
   * The gate before two people are joined: records the answer if, at this moment, the session still lives.
   * False: it has ended meanwhile; hang up both. Also the disclosure's ledger entry.
   */
  answered(answer: {
    readonly tenant: string;
    readonly call: string;
    readonly session: string;
    readonly participant: string;
  }): Promise<boolean>;
  ended(end: CallEnd): Promise<void>;
  /** Makes the recording's row and key before the first sample. */
  recordingStarted(start: {
    readonly tenant: string;
    readonly call: string;
    readonly session: string;
    readonly parties: readonly [string, string];
    readonly announcement: Readonly<Record<string, string>>;
  }): Promise<{ readonly recording: string; readonly file: string; readonly key: Buffer }>;
  recordingEnded(end: {
    readonly tenant: string;
    readonly recording: string;
    readonly status: 'complete' | 'failed';
    readonly milliseconds: number;
    readonly bytes: number;
    readonly sha256: string;
  }): Promise<void>;
  /** Sessions that were closed, expired or changed, told to every node; `undefined`: a notice may have been missed, ask `liveness`. */
  onSessionClosed(
    handler: (closed: { tenant: string; session: string; ongoingCalls: OngoingCalls } | undefined) => void,
  ): void;
  /** Which of these sessions no longer live, and what their running calls should do. */
  closedAmong(
    sessions: readonly { tenant: string; session: string }[],
  ): Promise<readonly { tenant: string; session: string; ongoingCalls: OngoingCalls }[]>;
}
