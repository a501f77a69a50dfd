/**
 * The words of programs: how a business programs its numbers by who calls, when, and anything else it knows.
 *
 * program      ordered rules; the first whose `when` holds says what happens
 * rule         `when`: a CEL expression (absent: always) · `then`: one step or several, tried one after another
 * step         connect, announce, menu, forward, refuse, ask, voicemail, or `use` of a named block
 * block        steps with a name, for use in several places; blocks never use one another in a circle
 * closed       steps outside the schedule (and before a session opens); default: refuse with the words `closed`
 * schedule     weekly windows in an IANA time zone, with exceptions by date
 * limits       how long, how often, and when not
 * facts        what expressions may look at; never a phone number
 * plan         what a program came to for one call: steps without conditions, a tree in which nothing can loop
 * trace        how it came to that, for the explanation: places (JSON pointers) and outcomes
 */
import type { RecordingMode, Step, Trace } from '../types.ts';

// ---------------------------------------------------------------- as written by the tenant (JSON)

export interface ProgramDefinition {
  readonly rules: readonly RuleDefinition[];
  readonly closed?: StepDefinition | readonly StepDefinition[];
  readonly blocks?: Readonly<Record<string, StepDefinition | readonly StepDefinition[]>>;
  /** IANA; for `now`. Default: the session's schedule's, else the tenant's, else UTC. */
  readonly timeZone?: string;
}
export interface RuleDefinition {
  /** Shown in explanations. */
  readonly name?: string;
  readonly when?: string;
  readonly then: StepDefinition | readonly StepDefinition[];
}

/** Words to speak: the name of a prompt, or parts; `characters` are read out one by one (letters and digits). */
export type SpokenDefinition =
  | string
  | readonly (string | { readonly prompt: string } | { readonly characters: string })[];

/** Exactly one verb. `connect: "agent"`, `announce: "closed"`, `refuse: "closed"`, `use: "support"`, `forward: "support"` are short forms. */
export type StepDefinition =
  | { readonly connect: string | ConnectDefinition }
  | { readonly announce: SpokenDefinition | { readonly prompt: SpokenDefinition } }
  | { readonly menu: MenuDefinition }
  | { readonly forward: string | { readonly to: string; readonly ringSeconds?: number } }
  | { readonly refuse: SpokenDefinition | { readonly prompt?: SpokenDefinition } }
  | { readonly ask: AskDefinition }
  | { readonly voicemail: true | VoicemailDefinition }
  | { readonly use: string };

export interface ConnectDefinition {
  /** Roles or participant ids, in order. Absent: everybody but the caller. */
  readonly to?: string | readonly string[];
  /** One by one (default) or all at once; whoever answers first talks. */
  readonly mode?: 'hunt' | 'all';
  /** 5 to 120: of each target in `hunt`, of all together in `all`. */
  readonly ringSeconds?: number;
  /** The callee presses 1 before anything is bridged. Default: the session's, else the tenant's `accept`. */
  readonly accept?: boolean;
  /** Spoken to the callee before bridging. */
  readonly whisper?: SpokenDefinition;
}
export interface MenuDefinition {
  readonly prompt: SpokenDefinition;
  /** By key: 0-9, *, #. */
  readonly choices: Readonly<Record<string, StepDefinition | readonly StepDefinition[]>>;
  /** 1 to 30, default 6: seconds of silence after the words. */
  readonly timeoutSeconds?: number;
  /** 1 to 3, default 2: how often it is asked. */
  readonly attempts?: number;
  /** When nothing (valid) was pressed. Default: refuse. */
  readonly otherwise?: StepDefinition | readonly StepDefinition[];
}
export interface AskDefinition {
  /** https, of the tenant. Gets a signed POST with ids and facts, answers `{"then": step | steps}`. */
  readonly url: string;
  /** 100 to 5,000, default 2,000. */
  readonly timeoutMilliseconds?: number;
  /** What happens when there is no usable answer in time. Required; connects only if the tenant wrote so. */
  readonly fallback: StepDefinition | readonly StepDefinition[];
}
export interface VoicemailDefinition {
  /** A role or participant id; absent: everybody but the caller. */
  readonly for?: string | readonly string[];
  /** 5 to 300, default 120. */
  readonly maxSeconds?: number;
  readonly greeting?: SpokenDefinition;
}

export interface ScheduleDefinition {
  /** IANA. */
  readonly timeZone: string;
  /** Never empty, none overlapping. A window whose `to` is before its `from` ends on the next day. */
  readonly windows: readonly WindowDefinition[];
  /** By date (local, YYYY-MM-DD): closed all day, or other windows than the week's. */
  readonly exceptions?: readonly (
    | { readonly date: string; readonly closed: true }
    | { readonly date: string; readonly windows: readonly Omit<WindowDefinition, 'days'>[] }
  )[];
}
export interface WindowDefinition {
  /** Absent: every day. */
  readonly days?: readonly Weekday[];
  /** `HH:MM`, local wall time, 00:00 to 24:00. */
  readonly from: string;
  readonly to: string;
}
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

export interface LimitsDefinition {
  /** Longest call, seconds, 10 to 86,400. Both hear a warning 60 s before (half-time of calls under 2 minutes). */
  readonly callSeconds?: number;
  /** Connected calls of the session, 1 to 10,000. */
  readonly calls?: number;
  /** Talking of the session altogether, 1 to 100,000. */
  readonly minutes?: number;
  /** What one participant may try: so many calls in so many minutes (default 60). */
  readonly attempts?: { readonly calls: number; readonly perMinutes?: number };
  /** Nobody is rung then, by the callee's own time zone. */
  readonly quietHours?: { readonly from: string; readonly to: string };
}

/** What `sessions.rules` holds: everything of a session that only a decision reads. */
export interface SessionRules {
  /** Inline; a named one stands in its own columns. */
  readonly program?: ProgramDefinition;
  readonly schedule?: ScheduleDefinition;
  readonly limits?: LimitsDefinition;
  /** `true`: the reference is read out. */
  readonly whisper?: true | SpokenDefinition;
  readonly accept?: boolean;
  /** Who hears one question after a call, and which keys answer it (default 1 to 5). */
  readonly survey?: { readonly of: string; readonly prompt?: SpokenDefinition; readonly keys?: string };
}

// ---------------------------------------------------------------- what expressions see

/** CEL variables. Every one is always there; unknown things are empty strings or zero, so that no expression fails on them. */
export interface ProgramFacts {
  readonly call: {
    readonly kind: 'inbound' | 'click-to-call';
    /** Id of the virtual number, its country and its pool. */
    readonly number: string;
    readonly country: string;
    readonly pool: string;
  };
  readonly caller: {
    readonly role: string;
    readonly participant: string;
    readonly locale: string;
    /** ISO 3166 country of the caller's number. */
    readonly country: string;
    /** The carrier vouches for the number. */
    readonly trusted: boolean;
  };
  readonly session: {
    readonly id: string;
    readonly reference: string;
    readonly metadata: Readonly<Record<string, unknown>>;
    /** Seconds since it was opened, and until it expires. */
    readonly age: number;
    readonly remaining: number;
    readonly recording: RecordingMode;
    readonly roles: readonly string[];
    /** Closed, and this call is by `afterClose`. */
    readonly closed: boolean;
  };
  readonly attempt: {
    /** Calls of this caller in this session before this one; how many of them were answered; all connected ones. */
    readonly calls: number;
    readonly answered: number;
    readonly connected: number;
    /** Minutes talked in the session. */
    readonly minutes: number;
    /** Seconds since this caller's last attempt; -1: none. */
    readonly sinceLast: number;
    /** This caller's calls in the last `limits.attempts.perMinutes`. */
    readonly recent: number;
  };
}
/** `now`, in the program's time zone: made by the evaluator from the instant. */
export interface NowFacts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** `mon` … `sun` */
  readonly weekday: Weekday;
  /** `YYYY-MM-DD` and `HH:MM`, comparable as text. */
  readonly date: string;
  readonly time: string;
  readonly timeZone: string;
  /** Seconds since 1970. */
  readonly epoch: number;
}

/** Those whom a program may name. */
export interface ProgramPerson {
  readonly participant: string;
  readonly role: string;
  readonly timeZone: string | undefined;
}

// ---------------------------------------------------------------- what comes out

/** Steps with participants' ids where a decision has phones. */
export type PlannedStep = Step<string>;

export interface Plan {
  /** Never empty. */
  readonly steps: readonly PlannedStep[];
  readonly trace: Trace;
}
