/**
 * What the heart offers to the HTTP API and the command line. Phone numbers go in; only masked ones come out
 * (`+62•••••••0001`). Every refusal is a `MaskingError` with a code that the caller decides on.
 */
import type {
  LimitsDefinition,
  ProgramDefinition,
  ScheduleDefinition,
  SpokenDefinition,
} from './program/types.ts';
import type { CallExplanation, OngoingCalls, RecordingMode, SessionStatus, Trace } from './types.ts';

export interface Masking {
  createTenant(tenant: { readonly tenant: string; readonly name: string }): Promise<void>;

  createCarrier(tenant: string, carrier: NewCarrier): Promise<Carrier>;
  listCarriers(tenant: string, page: PageRequest): Promise<Page<Carrier>>;
  getCarrier(tenant: string, carrier: string): Promise<Carrier>;
  updateCarrier(
    tenant: string,
    carrier: string,
    change: Partial<NewCarrier> & { readonly enabled?: boolean },
  ): Promise<Carrier>;
  /** Refused (`carrier-in-use`) while numbers belong to it. */
  deleteCarrier(tenant: string, carrier: string): Promise<void>;
  /** Every carrier of every tenant, for the switch: sources that may call us, and where calls go out. Includes credentials. */
  trunks(): Promise<readonly Trunk[]>;

  /** All or nothing; numbers that are there already in the same pool and carrier are `unchanged`. At most 10,000 at once. */
  addNumbers(
    tenant: string,
    numbers: NewNumbers,
  ): Promise<{
    readonly numbers: readonly VirtualNumber[];
    readonly added: number;
    readonly unchanged: number;
  }>;
  listNumbers(
    tenant: string,
    filter: { readonly pool?: string },
    page: PageRequest,
  ): Promise<Page<VirtualNumber>>;
  getNumber(tenant: string, number: string): Promise<VirtualNumber>;
  updateNumber(tenant: string, number: string, change: NumberChange): Promise<VirtualNumber>;
  /** Refused (`number-in-use`) while a live session holds it; with `drain` it goes by itself after the last one. */
  deleteNumber(
    tenant: string,
    number: string,
    how?: { readonly drain?: boolean },
  ): Promise<'deleted' | 'draining'>;
  /**
   * A sick number: quarantined, and every live session on it gets another one at once (event `number.replaced` for
   * each). Sessions for which there is no other keep it and are counted in `kept`.
   */
  replaceNumber(
    tenant: string,
    number: string,
    why: { readonly reason: string; readonly quarantineSeconds?: number },
  ): Promise<{ readonly replaced: number; readonly kept: number }>;
  listPools(tenant: string): Promise<readonly Pool[]>;
  updatePool(
    tenant: string,
    pool: string,
    change: {
      readonly cooldown?: Readonly<Record<string, number>>;
      readonly exhaustion?: Pool['exhaustion'];
      readonly match?: Pool['match'];
      readonly spread?: boolean;
      readonly loadLimit?: number | null;
    },
  ): Promise<Pool>;
  /** Who needs most numbers now, and when the pool will be short if it goes on so. */
  poolForecast(tenant: string, pool: string): Promise<PoolForecast>;

  createProgram(
    tenant: string,
    program: { readonly name: string; readonly definition: unknown; readonly default?: boolean },
  ): Promise<Program>;
  listPrograms(tenant: string, page: PageRequest): Promise<Page<Program>>;
  /** Id or name; the newest version unless one is named. */
  getProgram(tenant: string, program: string, version?: number): Promise<Program>;
  /** A new version; sessions that pinned none follow it at once. */
  updateProgram(
    tenant: string,
    program: string,
    change: { readonly name?: string; readonly definition?: unknown; readonly default?: boolean },
  ): Promise<Program>;
  /** Refused (`program-in-use`) while a live session names it. */
  deleteProgram(tenant: string, program: string): Promise<void>;
  /** What would happen, without a call. `program` is an id, a name, or a definition that is not saved. */
  testProgram(
    tenant: string,
    program: string | { readonly definition: unknown },
    test: ProgramTest,
  ): Promise<ProgramTestResult>;
  explainCall(tenant: string, call: string): Promise<CallExplanation>;

  setDestination(tenant: string, destination: string, phone: string): Promise<Destination>;
  listDestinations(tenant: string): Promise<readonly Destination[]>;
  /** Refused (`destination-in-use`) while a saved program forwards to it. */
  deleteDestination(tenant: string, destination: string): Promise<void>;
  getSettings(tenant: string): Promise<Settings>;
  updateSettings(tenant: string, change: SettingsChange): Promise<Settings>;
  /** `whsec_…` (Standard Webhooks): what `ask` steps are signed with. */
  decisionSecret(tenant: string): Promise<string>;

  /**
   * One round trip. With `idempotency`, the same key and digest give the same session again, exactly once, whatever
   * crashes; another digest is `idempotency-mismatch`.
   */
  createSession(
    tenant: string,
    session: NewSession,
    idempotency?: { readonly key: string; readonly digest: Buffer },
  ): Promise<CreatedSession>;
  getSession(tenant: string, session: string): Promise<Session>;
  listSessions(tenant: string, filter: SessionFilter, page: PageRequest): Promise<Page<Session>>;
  updateSession(tenant: string, session: string, change: SessionChange): Promise<Session>;
  /** Idempotent: closing a closed session answers as it is. When it resolves, nothing connects any more. */
  closeSession(
    tenant: string,
    session: string,
    close: {
      readonly reason: string;
      /** Default: what the session declared. */
      readonly ongoingCalls?: OngoingCalls;
      /** False: nothing of the session's `afterClose`. */
      readonly afterClose?: boolean;
    },
  ): Promise<Session>;
  /** A closed or expired session lives again, with the same numbers where they are still free. */
  reopenSession(
    tenant: string,
    session: string,
    again: { readonly ttlSeconds?: number; readonly expiresAt?: Date },
  ): Promise<Session>;
  /** At most 500. One result an item, in order; what fails doesn't keep the others from happening. */
  bulk(tenant: string, items: readonly BulkItem[]): Promise<readonly BulkResult[]>;
  /** A code (6 digits, 15 minutes) by which this participant adds the phone they then call from. */
  createClaim(
    tenant: string,
    session: string,
    participant: string,
  ): Promise<{ readonly code: string; readonly dial: string; readonly expiresAt: Date }>;

  createBlock(tenant: string, block: NewBlock, actor: string): Promise<Block>;
  listBlocks(tenant: string, page: PageRequest): Promise<Page<Block>>;
  liftBlock(tenant: string, block: string): Promise<Block>;

  listEvents(
    tenant: string,
    filter: { readonly session?: string; readonly kind?: string },
    page: PageRequest,
  ): Promise<Page<Event>>;

  /** The call ends within a second, on whichever node it is. */
  hangUpCall(tenant: string, call: string): Promise<Call>;

  /** Newest first. `from` and `to` mean when a call began. */
  listCalls(tenant: string, filter: CallFilter, page: PageRequest): Promise<Page<Call>>;
  countCalls(tenant: string, filter: Pick<CallFilter, 'from' | 'to'>): Promise<CallCount>;
  getCall(tenant: string, call: string): Promise<Call>;
  /** The key to a call's recording, given out only together with a ledger entry that says who listened and why. */
  openRecording(
    tenant: string,
    call: string,
    access: {
      readonly actor: string;
      readonly reason: string;
      /** `dwn_…`: it is taken out of the house, as this request allows (trust/custody). */
      readonly download?: string;
    },
  ): Promise<OpenedRecording>;
  /** The real number of a participant, with a ledger entry that says who asked and why. */
  revealPhone(
    tenant: string,
    session: string,
    participant: string,
    access: { readonly actor: string; readonly reason: string },
  ): Promise<readonly string[]>;

  createApiKey(
    tenant: string,
    key: { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresAt?: Date },
  ): Promise<ApiKey & { readonly secret: string }>;
  listApiKeys(tenant: string, page: PageRequest): Promise<Page<ApiKey>>;
  /** Works at once on this node, within a second on the others. */
  revokeApiKey(tenant: string, key: string): Promise<ApiKey>;
  /** Undefined for anything that is not a live key. Takes the same time for every wrong one. Cached for at most one second. */
  authenticate(bearer: string): Promise<Principal | undefined>;

  /** Generic idempotency for the other POSTs: `begin` says whether to work, replay, wait or refuse. */
  readonly idempotency: Idempotency;

  /** Once, at start: calls that this node left behind when it died are closed as interrupted. Then starts expiry, heartbeat and clean-up. */
  start(node: { readonly node: string; readonly boot: string }): Promise<{ readonly interrupted: number }>;
  stop(): Promise<void>;
}

export interface Idempotency {
  begin(
    tenant: string,
    key: string,
    digest: Buffer,
  ): Promise<
    | { readonly kind: 'work' }
    | { readonly kind: 'replay'; readonly status: number; readonly body: string }
    | { readonly kind: 'busy' }
    | { readonly kind: 'mismatch' }
  >;
  finish(tenant: string, key: string, status: number, body: string): Promise<void>;
  /** After a failure that the client may retry (5xx): the key is free again. */
  abandon(tenant: string, key: string): Promise<void>;
}

export const scopes = [
  'admin',
  'sessions:read',
  'sessions:write',
  'numbers:read',
  'numbers:write',
  'carriers:read',
  'carriers:write',
  'calls:read',
  'calls:write',
  'programs:read',
  'programs:write',
  'settings:read',
  'settings:write',
  'blocks:read',
  'blocks:write',
  'events:read',
  'recordings:listen',
  'recordings:download',
  'recordings:approve',
  'disputes:read',
  'disputes:write',
  'ledger:read',
  'webhooks:read',
  'webhooks:write',
  'privacy:write',
  'users:read',
  'users:write',
  'keys:write',
  'pii:reveal',
] as const;
/**
 * Always named on their own: whoever administers the platform doesn't hear, see or take out what people said and
 * their numbers by that alone. `admin` includes every other scope.
 */
export const namedScopes = [
  'recordings:listen',
  'recordings:download',
  'recordings:approve',
  'privacy:write',
  'pii:reveal',
] as const satisfies readonly (typeof scopes)[number][];
export type Scope = (typeof scopes)[number];

export interface Principal {
  readonly tenant: string;
  /** `key_…`, `usr_…`, or `admin` for the installation's own key. Goes into the ledger as the actor. */
  readonly actor: string;
  readonly scopes: ReadonlySet<Scope>;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
}

export interface PageRequest {
  /** 1 to 200. */
  readonly limit: number;
  /** The id of the last item of the page before. */
  readonly after?: string;
}
export interface Page<T> {
  readonly items: readonly T[];
  /** Give it as `after`; absent on the last page. */
  readonly next?: string;
}

export interface NewCarrier {
  readonly name: string;
  readonly kind: 'sip';
  readonly host: string;
  readonly port?: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** CIDR or plain addresses; default: the host itself when it is an address, else what it resolves to when calls come. */
  readonly allowedSources?: readonly string[];
  /** `untrusted`: its callers' numbers are not believed, they prove themselves by a code. Default `trusted`. */
  readonly callerTrust?: 'trusted' | 'untrusted';
  readonly auth?: { readonly username: string; readonly password: string; readonly realm?: string };
  /** `outbound`: `+e164` (default), `e164` without plus, or `national`. `inboundCountry` reads national digits. */
  readonly numberFormat?: {
    readonly outbound?: '+e164' | 'e164' | 'national';
    readonly inboundCountry?: string;
  };
}
export interface Carrier extends Omit<NewCarrier, 'auth' | 'allowedSources' | 'callerTrust'> {
  readonly id: string;
  readonly callerTrust: 'trusted' | 'untrusted';
  readonly allowedSources: readonly string[];
  readonly hasAuth: boolean;
  readonly enabled: boolean;
  readonly createdAt: Date;
}
export interface Trunk extends Carrier {
  readonly tenant: string;
  readonly auth?: NewCarrier['auth'];
}

export interface NewNumbers {
  readonly numbers: readonly string[];
  readonly pool: string;
  /** Id or name of a carrier. */
  readonly carrier: string;
  readonly capabilities: readonly string[];
  /** 1 to 8 digits that follow the country code. Default: North America's three, none elsewhere. */
  readonly area?: string;
}
export interface NumberChange {
  readonly enabled?: boolean;
  readonly pool?: string;
  readonly capabilities?: readonly string[];
  readonly use?: 'pool' | 'reserved' | 'display';
  readonly draining?: boolean;
  readonly quarantinedUntil?: Date | null;
  /** 1 to 8 digits that follow the country code; null: none. */
  readonly area?: string | null;
}
export interface VirtualNumber {
  readonly id: string;
  readonly number: string;
  readonly pool: string;
  readonly carrier: string;
  readonly country: string;
  readonly capabilities: readonly string[];
  readonly enabled: boolean;
  readonly use: 'pool' | 'reserved' | 'display';
  readonly draining: boolean;
  /** Sessions that it took today (UTC); only where its pool has a load limit. */
  readonly today?: number;
  readonly quarantinedUntil?: Date;
  readonly area?: string;
  readonly createdAt: Date;
}
export interface Pool {
  readonly name: string;
  readonly numbers: number;
  readonly enabled: number;
  readonly cooldown: Readonly<Record<string, number>>;
  readonly exhaustion: 'refuse' | 'reuse-oldest' | 'disambiguate' | 'pin';
  /** Level at which a number fits a participant. `prefer-…` falls back to any. */
  readonly match: 'any' | 'prefer-country' | 'country' | 'prefer-area' | 'area';
  readonly spread: boolean;
  /** Sessions that a number takes a (UTC) day before others are tried. */
  readonly loadLimit?: number;
}
export interface PoolForecast {
  readonly pool: string;
  /** Numbers that sessions can get. */
  readonly numbers: number;
  /** Live and cooling numbers of the busiest party: what the pool needs now. */
  readonly needed: number;
  readonly headroom: number;
  /** Change of `needed` a day, over the samples of the last two weeks. */
  readonly trendPerDay: number;
  /** When `needed` reaches `numbers` if it goes on so; absent when it doesn't within a year. */
  readonly shortAt?: Date;
  readonly status: 'enough' | 'low' | 'short';
  /** Use over time, oldest first, at most 62: the most needed on each day (`YYYY-MM-DD`, UTC), and what there was. */
  readonly days: readonly { readonly day: string; readonly needed: number; readonly numbers: number }[];
}

export interface Program {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly default: boolean;
  readonly definition: ProgramDefinition;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
export interface ProgramTest {
  /** Rules, participants and history of this session; else `roles` stand in for participants. */
  readonly session?: string;
  readonly roles?: readonly string[];
  /** Who calls: a participant id of the session, or a role. */
  readonly caller: string;
  /** The moment; default now. */
  readonly at?: Date;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly reference?: string;
  /** The virtual number that is called, E.164. */
  readonly number?: string;
  /** What `attempt` says; default: nothing was tried yet, or the session's history. */
  readonly attempt?: Readonly<Record<string, number>>;
}
export interface ProgramTestResult {
  readonly trace: Trace;
  /** In words, one a step: `connect customer, 25 s each`. */
  readonly summary: readonly string[];
}

export interface Destination {
  readonly name: string;
  /** Masked. */
  readonly phone: string;
}
export interface Settings {
  /** What participants read on their page. Empty: the tenant's name. */
  readonly businessName: string;
  /** IANA; for sessions and programs that name none. Default UTC. */
  readonly timeZone: string;
  /** 5 to 120. */
  readonly ringSeconds: number;
  /** 10 to 86,400. */
  readonly maxSeconds: number;
  /** Callees press 1 before anything is bridged. */
  readonly accept: boolean;
  /** Late attempts of one caller on one number within a day that raise `abuse.suspected`. 1 to 1,000, default 5. */
  readonly abuseThreshold: number;
  readonly recordingPolicy: RecordingPolicy;
  readonly retention: Retention;
  /** Taking a recording out of the house needs a second person. */
  readonly downloadApproval: boolean;
  /** Whoever stays when the other has hung up hears that they may report the call by `*9`. */
  readonly reportAfterCall: boolean;
}
/**
 * Whether calls are recorded, and what must be asked first. `default`: `session` adds nothing to what sessions say,
 * `off` forbids it, the others ask for it. Countries (ISO 3166-1 alpha-2, of the participants' numbers) can only make
 * it stricter: `off` forbids, `consent` asks for a key; none of them makes a call recorded that wasn't going to be.
 */
export interface RecordingPolicy {
  readonly default: 'session' | RecordingMode;
  readonly countries: Readonly<Record<string, RecordingMode>>;
}
/** Days that things are kept. Of a recording: the longest that any party's country asks for. */
export interface Retention {
  readonly recordingDays: number;
  readonly countries: Readonly<Record<string, number>>;
  /** Absent: calls, and with them who took part, are not deleted. */
  readonly callDays?: number;
  /** Absent: for ever. */
  readonly ledgerDays?: number;
  /** Erased data is kept sealed for as long. */
  readonly legalFloorDays: number;
}
export type SettingsChange = Partial<
  Omit<Settings, 'recordingPolicy' | 'retention'> & {
    /** What is left out stays; `countries` is replaced as a whole. */
    readonly recordingPolicy: Partial<RecordingPolicy>;
    readonly retention: Partial<Omit<Retention, 'ledgerDays' | 'callDays'>> & {
      readonly callDays?: number | null;
      readonly ledgerDays?: number | null;
    };
  }
>;

export type BulkItem =
  | { readonly action: 'open'; readonly session: NewSession }
  | { readonly action: 'change'; readonly id: string; readonly change: SessionChange }
  | {
      readonly action: 'close';
      readonly id: string;
      readonly close: {
        readonly reason: string;
        readonly ongoingCalls?: OngoingCalls;
        readonly afterClose?: boolean;
      };
    };
export type BulkResult =
  | { readonly ok: true; readonly session: Session | CreatedSession }
  | { readonly ok: false; readonly error: MaskingError };

export interface NewBlock {
  /** One of the two: a real number, E.164, or a participant of a session. */
  readonly phone?: string;
  readonly participant?: string;
  /** Whom they may not reach any more; absent: nobody at all. */
  readonly counterpartPhone?: string;
  readonly counterpartParticipant?: string;
  readonly reason: string;
  readonly expiresAt?: Date;
}
export interface Block {
  readonly id: string;
  /** Masked. */
  readonly phone: string;
  readonly counterpart?: string;
  readonly reason: string;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly liftedAt?: Date;
}

export interface Event {
  readonly id: string;
  /** `session.opened`, `session.changed`, `participant.replaced`, `number.replaced`, `abuse.suspected`, … */
  readonly kind: string;
  readonly at: Date;
  readonly session?: string;
  readonly subject?: string;
  /** Its number within the session: 1, 2, 3, … Given within a second. */
  readonly order?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a session declares of its life and its calls; the same words in opening and changing. */
export interface SessionTerms {
  readonly reference?: string;
  readonly ttlSeconds?: number;
  readonly expiresAt?: Date;
  readonly recording?: RecordingMode;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** A saved program's id or name, one version of it, or a program of this session's own. */
  readonly program?: string | { readonly name: string; readonly version: number } | ProgramDefinition;
  readonly schedule?: ScheduleDefinition;
  readonly limits?: LimitsDefinition;
  readonly ongoingCalls?: OngoingCalls;
  readonly afterClose?: AfterClose;
  /** Spoken to callees before bridging; `true`: the reference. */
  readonly whisper?: true | SpokenDefinition;
  readonly accept?: boolean;
  readonly survey?: { readonly of: string; readonly prompt?: SpokenDefinition; readonly keys?: string };
}
/** Who may still call whom once the session is closed, by role. */
export interface AfterClose {
  /** 60 to 2,592,000 (30 days). */
  readonly seconds: number;
  readonly allow: readonly { readonly from: string; readonly to: string }[];
  /** Only after a close with one of these reasons; absent: after every close (not after an expiry). */
  readonly reasons?: readonly string[];
}
export interface NewSession extends SessionTerms {
  /** Default: `default`. */
  readonly pool?: string;
  /** 2 to 10. */
  readonly participants: readonly NewParticipant[];
  readonly idleSeconds?: number;
  readonly sharedNumber?: boolean;
  /** Nothing connects before. */
  readonly opensAt?: Date;
  /** The same two get the number that they had together before, if no one else needs it. */
  readonly sticky?: boolean;
  /** Every participant gets a code as well, for calls whose number is withheld, unknown or not trusted. */
  readonly pin?: boolean;
}
export interface NewParticipant {
  readonly role: string;
  /** E.164, 1 to 5, the first is rung first. None for an open side. */
  readonly phones: readonly string[];
  readonly name?: string;
  readonly locale?: string;
  /** IANA. */
  readonly timeZone?: string;
  /** A virtual number of ours, E.164, that this participant shall have (a directory number; `use: reserved`). */
  readonly number?: string;
  readonly reach?: 'number' | 'app';
  /** False: may be called, but not call. */
  readonly mayStart?: boolean;
  /** Whoever calls this participant's number gets a session of their own with the others. */
  readonly open?: boolean;
}
export interface Session {
  readonly id: string;
  readonly reference?: string;
  readonly pool: string;
  /** `scheduled`: open, but not before `opensAt`. */
  readonly status: SessionStatus | 'scheduled';
  readonly recording: RecordingMode;
  readonly sharedNumber: boolean;
  readonly createdAt: Date;
  readonly opensAt?: Date;
  readonly expiresAt: Date;
  readonly idleSeconds?: number;
  readonly closedAt?: Date;
  readonly closeReason?: string;
  /** Until when `afterClose` still connects; absent when it doesn't. */
  readonly afterCloseUntil?: Date;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly program?: SessionTerms['program'];
  readonly schedule?: ScheduleDefinition;
  readonly limits?: LimitsDefinition;
  readonly ongoingCalls: OngoingCalls;
  readonly afterClose?: AfterClose;
  readonly whisper?: SessionTerms['whisper'];
  readonly accept?: boolean;
  readonly survey?: SessionTerms['survey'];
  /** The session with an open side from which this one came. */
  readonly parent?: string;
  /** Those who left stand last, with `leftAt`. */
  readonly participants: readonly Participant[];
}
export interface Participant {
  readonly id: string;
  readonly role: string;
  /** What they dial. With a code: `+62…,,123456#`, which phones dial in one tap. Empty for `reach: app`. */
  readonly dial: string;
  /** What they see when they are called. */
  readonly number: string;
  /** Masked. The first one; `phones` has all. Empty for an open side. */
  readonly phone: string;
  readonly phones: readonly string[];
  readonly locale?: string;
  readonly timeZone?: string;
  readonly reach: 'number' | 'app';
  readonly mayStart: boolean;
  readonly open: boolean;
  readonly pin?: string;
  readonly joinedAt: Date;
  readonly leftAt?: Date;
  readonly leaveReason?: 'replaced' | 'removed';
}
export interface CreatedSession extends Session {
  /** By participant id; shown only in the answer to the creation. */
  readonly transparencyTokens: ReadonlyMap<string, string>;
  readonly replayed: boolean;
}
export interface SessionFilter {
  readonly reference?: string;
  readonly status?: SessionStatus | 'scheduled';
  /** A participant's real number, E.164. */
  readonly phone?: string;
  /** A virtual number, E.164. */
  readonly number?: string;
  readonly parent?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}
/** Null takes a term away. */
export type SessionChange = {
  readonly [Term in keyof SessionTerms]?: SessionTerms[Term] | null;
} & {
  readonly idleSeconds?: number | null;
  readonly opensAt?: Date | null;
  readonly participants?: {
    readonly add?: readonly NewParticipant[];
    /** `participant`: an id, or a role that only one has. The new one takes the place: the others keep their numbers. */
    readonly replace?: readonly { readonly participant: string; readonly with: NewParticipant }[];
    readonly remove?: readonly string[];
  };
};

export interface CallFilter {
  readonly session?: string;
  /** `running`: ringing or answered. */
  readonly status?: Call['status'] | 'running';
  /** It began then or later; before then. */
  readonly from?: Date;
  readonly to?: Date;
}
export interface CallCount {
  readonly calls: number;
  /** Of them, those that have not ended. */
  readonly running: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** False: there are more than were counted. */
  readonly complete: boolean;
}

export interface Call {
  readonly id: string;
  readonly kind: 'inbound' | 'click-to-call';
  readonly session?: string;
  readonly participant?: string;
  /** The virtual number that was called. */
  readonly number: string;
  readonly status: 'ringing' | 'answered' | 'ended';
  readonly outcome?: string;
  readonly refusal?: string;
  readonly hangupBy?: string;
  readonly hangupCause?: string;
  readonly startedAt: Date;
  readonly answeredAt?: Date;
  readonly endedAt?: Date;
  readonly legs: readonly {
    readonly participant?: string;
    readonly number: string;
    readonly carrier: string;
    readonly direction: 'in' | 'out';
    readonly sipStatus?: number;
    readonly startedAt: Date;
    readonly answeredAt?: Date;
    readonly endedAt?: Date;
    readonly quality?: Readonly<Record<string, number>>;
  }[];
  readonly survey?: { readonly participant: string; readonly key: string };
  /** A message that was left for these participants. */
  readonly voicemail?: {
    readonly id: string;
    readonly milliseconds?: number;
    readonly heardAt?: Date;
  };
  readonly recording?: {
    readonly id: string;
    readonly status: string;
    readonly milliseconds?: number;
    readonly bytes?: number;
    readonly sha256?: string;
  };
}
export interface OpenedRecording {
  readonly recording: string;
  /** Below the recordings directory. */
  readonly file: string;
  readonly key: Buffer;
  readonly status: string;
  /** Of the encrypted file; absent when it never was closed. */
  readonly bytes?: number;
  /** Hexadecimal. */
  readonly sha256?: string;
}

export type MaskingErrorCode =
  | 'not-found'
  | 'invalid'
  | 'invalid-number'
  | 'number-without-country'
  | 'number-not-allowed'
  | 'virtual-number-as-participant'
  | 'duplicate-number'
  | 'number-taken'
  | 'number-in-use'
  | 'carrier-in-use'
  | 'carrier-taken'
  | 'unknown-carrier'
  | 'unknown-pool'
  | 'empty-pool'
  | 'pool-exhausted'
  | 'session-closed'
  | 'session-open'
  | 'program-invalid'
  | 'program-taken'
  | 'program-in-use'
  | 'unknown-program'
  | 'unknown-destination'
  | 'destination-in-use'
  | 'unknown-participant'
  | 'participant-taken'
  | 'participant-unreachable'
  | 'blocked'
  | 'no-display-number'
  | 'number-not-available'
  | 'pin-unavailable'
  | 'call-ended'
  | 'no-explanation'
  | 'idempotency-mismatch'
  | 'recording-unreadable'
  | 'no-recording'
  | 'on-hold'
  | 'own-request'
  | 'already-decided'
  | 'download-not-approved'
  | 'dispute-changed'
  | 'dispute-resolved'
  | 'subject-erased'
  | 'subject-restricted'
  | 'request-not-ready'
  | 'webhook-refused'
  | 'user-taken'
  | 'last-admin'
  | 'weak-password'
  | 'wrong-credentials'
  | 'locked-out'
  | 'link-invalid';

/** `pointer` is the JSON pointer of the offending input. The message never repeats a number. */
export class MaskingError extends Error {
  override readonly name = 'MaskingError';
  readonly code: MaskingErrorCode;
  readonly pointer: string | undefined;
  /** When it may be tried again. */
  readonly retryAfterSeconds: number | undefined;
  constructor(code: MaskingErrorCode, message: string, pointer?: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.pointer = pointer;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
