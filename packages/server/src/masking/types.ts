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
 * program          a tenant's or a session's rules; it comes to a tree of steps (program/types.ts)
 * step             one thing that a call does: connect, announce, menu, forward, refuse, ask, voicemail
 * slot             tells several live sessions of one party on one number apart: the caller chooses by menu or code
 * PIN              a code by which a caller whose number says nothing proves which participant they are
 * call, leg        a conversation, and each party's end of it
 * carrier          whoever carries our calls
 * recording        what was said, encrypted
 */

export type RecordingMode = 'off' | 'announce' | 'consent';
export type SessionStatus = 'open' | 'closed' | 'expired';
/** What a close does to running calls. `warn`: both are told, and a minute later the call ends. */
export type OngoingCalls = 'finish' | 'warn' | 'hangup';

// ---------------------------------------------------------------- decisions

export interface Inbound {
  readonly kind: 'call';
  /** Carriers from whose network it came (by source address); a number is only reachable through its own carrier. */
  readonly carriers: readonly { readonly tenant: string; readonly carrier: string }[];
  /** The virtual number that was called, E.164 with `+`, or undefined when what was dialled is no number. */
  readonly called: string | undefined;
  /** The caller's number, E.164 with `+`; undefined when withheld or unreadable. */
  readonly caller: string | undefined;
  /** The network says that the caller's number failed its verification (`verstat=TN-Validation-Failed`). */
  readonly unverified?: boolean;
  /** Made by the caller of `decide`, stored with the call record that `decide` writes. */
  readonly call: string;
}

export type Decision = Run | Choose | AskPin | Refuse;

/** The caller is known: these steps are taken, one after another, until one ends the call. */
export interface Run {
  readonly kind: 'run';
  readonly tenant: string;
  readonly session: string;
  readonly caller: DecisionParty & { readonly participant: string };
  /** A finite tree, never empty: nothing in it can loop. After the last one the caller hears why nobody was reached. */
  readonly steps: readonly Step[];
  readonly recording: RecordingMode;
  /** Seconds; the call is ended then. */
  readonly maxSeconds: number;
  /** Both hear a warning so many seconds before `maxSeconds`; 0: none. */
  readonly warnSeconds: number;
  /** One question after the talk, for this participant if it is still on the line. */
  readonly survey: Survey | undefined;
  /** Whoever stays when the other has hung up may report the call by `*9`. */
  readonly reportAfterCall: boolean;
  readonly trace: Trace;
}

/**
 * Several live sessions, or one beside one that ended lately: the caller picks one by a spoken menu of references, then
 * `masking.choose`.
 */
export interface Choose {
  readonly kind: 'choose';
  readonly tenant: string;
  readonly locale: string;
  /** 1 to 9, the newest first. `reference` is read out character by character. */
  readonly options: readonly { readonly session: string; readonly reference: string }[];
}

/** The caller keys a code of 6 digits, then `masking.enterPin`. */
export interface AskPin {
  readonly kind: 'pin';
  readonly tenant: string;
  readonly locale: string;
  /** Codes that may be tried in this call. */
  readonly attempts: number;
  /** The caller's own session that has no code: who keys nothing means that one (`masking.choose`). */
  readonly codeless: string | undefined;
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

/** What is spoken: prompts by name, and characters that are read out one by one. */
export type Spoken = readonly (
  | { readonly kind: 'prompt'; readonly name: string }
  | { readonly kind: 'characters'; readonly text: string }
)[];

export interface Survey {
  readonly participant: string;
  readonly prompt: Spoken;
  /** Keys that answer. */
  readonly keys: string;
}

/** `place`: where in the program it stands (a JSON pointer, or a word of ours), for the explanation. */
export type Step<Target = DecisionTarget> =
  | ConnectStep<Target>
  | { readonly kind: 'announce'; readonly place: string; readonly words: Spoken }
  | MenuStep<Target>
  | ForwardStep
  | {
      readonly kind: 'refuse';
      readonly place: string;
      readonly reason: RefusalReason;
      readonly words: Spoken | undefined;
    }
  | AskStep
  | VoicemailStep
  | MessagesStep;

export interface ConnectStep<Target = DecisionTarget> {
  readonly kind: 'connect';
  readonly place: string;
  /** Several phones of a participant are several targets. Never empty. In `hunt` one by one, in `all` together. */
  readonly targets: readonly Target[];
  readonly mode: 'hunt' | 'all';
  /** Seconds: of each target in `hunt`, of all together in `all`. */
  readonly ringSeconds: number;
  /** Whoever answers must press 1 before anything is bridged: voicemail and forwarding never do. */
  readonly accept: boolean;
  /** Spoken to whoever answers, before `accept` is asked. */
  readonly whisper: Spoken | undefined;
}
export interface MenuStep<Target = DecisionTarget> {
  readonly kind: 'menu';
  readonly place: string;
  readonly words: Spoken;
  readonly choices: ReadonlyMap<string, readonly Step<Target>[]>;
  readonly timeoutSeconds: number;
  readonly attempts: number;
  readonly otherwise: readonly Step<Target>[];
}
/** To one of the tenant's own numbers: the caller's own virtual number is shown there. */
export interface ForwardStep {
  readonly kind: 'forward';
  readonly place: string;
  readonly destination: string;
  /** E.164; empty in a plan, filled in a decision. */
  readonly phone: string;
  readonly callerId: string;
  readonly number: string;
  readonly carrier: string;
  readonly ringSeconds: number;
}
/** Asks the tenant's system: `masking.ask` always resolves, with what it said or with the fallback. */
export interface AskStep {
  readonly kind: 'ask';
  readonly place: string;
  readonly url: string;
  readonly timeoutMilliseconds: number;
  /** As written by the tenant; `masking.ask` plans it when it is needed. */
  readonly fallback: unknown;
}
/** Answers, records what the caller says until silence, `#` or the limit, and keeps it for the addressees. */
export interface VoicemailStep {
  readonly kind: 'voicemail';
  readonly place: string;
  readonly addressees: readonly string[];
  readonly greeting: Spoken;
  readonly maxSeconds: number;
}
/** Messages that wait for this caller: played when they press 1, then marked as heard. */
export interface MessagesStep {
  readonly kind: 'messages';
  readonly place: string;
  readonly messages: readonly {
    readonly recording: string;
    /** Below the recordings directory. */
    readonly file: string;
    readonly key: Buffer;
  }[];
}

/**
 * `not-connected`: the neutral announcement for everyone who is not, and never was, bound to this number; blocked
 * callers hear the same. `program`: a refuse step.
 */
export type RefusalReason =
  | 'not-connected'
  | 'ended'
  | 'closed'
  | 'unavailable'
  | 'unknown-number'
  | 'not-allowed'
  | 'limit'
  | 'quiet-hours'
  | 'program';

export interface Refuse {
  readonly kind: 'refuse';
  readonly reason: RefusalReason;
  readonly locale: string;
  /** Undefined when the called number is none of ours: no record is written then. */
  readonly tenant: string | undefined;
}

/** A call that the platform makes itself: `near` is rung first, then the steps are taken as if it had called. */
export interface Originate {
  readonly near: DecisionTarget;
  /** Seconds for which `near` rings. */
  readonly ringSeconds: number;
  readonly run: Run;
}

export type PinOutcome =
  | { readonly kind: 'accepted'; readonly decision: Decision }
  /** `left`: codes that may still be tried in this call. */
  | { readonly kind: 'wrong'; readonly left: number }
  | { readonly kind: 'locked' };

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
  /** How the decision came about and which steps were taken, with their outcomes. */
  readonly explanation?: CallExplanation;
  readonly survey?: { readonly participant: string; readonly key: string };
}

/** How a program came to its steps. */
export interface Trace {
  /** Which program: `default` is "connect to the others". */
  readonly program: {
    readonly source: 'inline' | 'named' | 'tenant' | 'default';
    readonly id?: string;
    readonly version?: number;
  };
  readonly at: string;
  readonly timeZone: string;
  readonly open: boolean;
  /** Rules in the order in which they were tried, up to the one that fired. `error`: the expression failed and counts as false. */
  readonly rules: readonly {
    readonly place: string;
    readonly name?: string;
    readonly outcome: 'fired' | 'false' | 'error';
    readonly error?: string;
  }[];
  /** Limits, quiet hours, blocks and one-way rules that forbade something, in words of our own. */
  readonly forbidden: readonly string[];
  /** What was then planned: the verbs by place. */
  readonly steps: readonly {
    readonly place: string;
    readonly verb: string;
    readonly to?: readonly string[];
  }[];
}

/** For `GET /v1/calls/{id}/explanation`. Ids, places and our own words only. */
export interface CallExplanation {
  readonly trace?: Trace;
  /** In order: which step, who was tried, and what came of it (`answered`, `busy`, `no-answer`, `not-accepted`, `key-2`, …). */
  readonly steps: readonly {
    readonly place: string;
    readonly verb: string;
    readonly outcome: string;
    readonly participant?: string;
  }[];
}

/** One person who was told that the talk is recorded. */
export interface HeardOfRecording {
  readonly participant: string;
  readonly party: string;
  /** `announced`: heard it to the end. `refused`: also by pressing nothing. */
  readonly answer: 'announced' | 'consented' | 'refused';
  /** The language that was spoken. */
  readonly locale: string;
  /** Of the very sound that was heard: changes with the words and with the voice. */
  readonly wording: string;
  /** When they had heard it, or answered; milliseconds. */
  readonly at: number;
}

/** What the switch needs of the heart. Batched inside: many calls at once cost few round trips. */
export interface CallMasking {
  /**
   * Decides and, when the called number is ours, writes the call record (status `ringing`). It is on the disk at the
   * latest when the call is answered.
   */
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
  /** The caller of `Choose` has picked: decides again, for that session. */
  choose(choice: { readonly inbound: Inbound; readonly session: string }): Promise<Decision>;
  /** A code was keyed. Wrong ones are counted, by number and caller, whoever asks on whichever node. */
  enterPin(entry: {
    readonly inbound: Inbound;
    readonly code: string;
    /** 1… within this call. */
    readonly attempt: number;
  }): Promise<PinOutcome>;
  /** Never rejects and is bounded in time: what the tenant's system said, or the step's fallback. */
  ask(question: {
    readonly tenant: string;
    readonly call: string;
    readonly session: string;
    readonly step: AskStep;
    /** Keys that the caller pressed in menus before. */
    readonly keys: string;
  }): Promise<{ readonly steps: readonly Step[]; readonly outcome: 'answered' | 'fallback' }>;
  /** Decides a click-to-call and writes its record. Throws `MaskingError`. */
  originate(request: {
    readonly tenant: string;
    readonly session: string;
    readonly from: string;
    readonly to: string | undefined;
    readonly call: string;
  }): Promise<Originate>;
  /** Makes the recording's row and key before the first sample. */
  recordingStarted(start: {
    readonly tenant: string;
    readonly call: string;
    readonly session: string;
    readonly parties: readonly [string, string];
    readonly announcement: Readonly<Record<string, string>>;
    /** A voicemail is for these participants; `parties` is the caller's twice. */
    readonly voicemailFor?: readonly string[];
    /** What each has heard of it, and agreed to; written with the row. */
    readonly heard?: readonly HeardOfRecording[];
  }): Promise<{ readonly recording: string; readonly file: string; readonly key: Buffer }>;
  /** Somebody didn't agree: nothing is recorded, and the ledger says who answered what. */
  recordingRefused(refused: {
    readonly tenant: string;
    readonly call: string;
    readonly session: string;
    readonly heard: readonly HeardOfRecording[];
  }): Promise<void>;
  /** Somebody in the call has stopped it: the key is destroyed, the row and the ledger say so. */
  recordingDiscarded(discard: {
    readonly tenant: string;
    readonly recording: string;
    readonly participant: string;
    readonly party: string;
  }): Promise<void>;
  recordingEnded(end: {
    readonly tenant: string;
    readonly recording: string;
    readonly status: 'complete' | 'failed';
    readonly milliseconds: number;
    readonly bytes: number;
    readonly sha256: string;
  }): Promise<void>;
  /** The addressee has heard it; the ledger says so. */
  messageHeard(heard: {
    readonly tenant: string;
    readonly recording: string;
    readonly participant: string;
    readonly call: string;
  }): Promise<void>;
  /** `POST /v1/calls/{id}/hangup`, on whichever node the call lives. */
  onHangUp(handler: (request: { tenant: string; call: string }) => void): void;
  /** Sessions that were closed, expired or changed, told to every node; `undefined`: a notice may have been missed, ask `liveness`. */
  onSessionClosed(handler: (closed: ClosedSession | undefined) => void): void;
  /** Running calls of this node that should end, should a notice have been lost; their record is the truth. */
  callsToEnd(): Promise<readonly { tenant: string; call: string; ongoingCalls: OngoingCalls }[]>;
}

export interface ClosedSession {
  readonly tenant: string;
  readonly session: string;
  readonly ongoingCalls: OngoingCalls;
  /** Only calls that this participant takes part in: it left, the session lives. */
  readonly participant?: string;
}
