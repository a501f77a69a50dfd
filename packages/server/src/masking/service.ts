/**
 * What the heart offers to the HTTP API and the command line. Phone numbers go in; only masked ones come out
 * (`+62•••••••0001`). Every refusal is a `MaskingError` with a code that the caller decides on.
 */
import type { OngoingCalls, RecordingMode, SessionStatus } from './types.ts';

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
  updateNumber(
    tenant: string,
    number: string,
    change: { readonly enabled?: boolean; readonly pool?: string; readonly capabilities?: readonly string[] },
  ): Promise<VirtualNumber>;
  /** Refused (`number-in-use`) while a live session holds it. */
  deleteNumber(tenant: string, number: string): Promise<void>;
  listPools(tenant: string): Promise<readonly Pool[]>;
  updatePool(
    tenant: string,
    pool: string,
    change: {
      readonly cooldown?: Readonly<Record<string, number>>;
      readonly exhaustion?: Pool['exhaustion'];
    },
  ): Promise<Pool>;

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
    close: { readonly reason: string; readonly ongoingCalls?: OngoingCalls },
  ): Promise<Session>;

  listCalls(tenant: string, filter: { readonly session?: string }, page: PageRequest): Promise<Page<Call>>;
  getCall(tenant: string, call: string): Promise<Call>;
  /** The key to a call's recording, given out only together with a ledger entry that says who listened and why. */
  openRecording(
    tenant: string,
    call: string,
    access: { readonly actor: string; readonly reason: string },
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
  'recordings:listen',
  'keys:write',
  'pii:reveal',
] as const;
/** `admin` includes every scope but `recordings:listen` and `pii:reveal`, which are always named on their own. */
export type Scope = (typeof scopes)[number];

export interface Principal {
  readonly tenant: string;
  /** `key_…`, or `admin` for the installation's own key. Goes into the ledger as the actor. */
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
  readonly auth?: { readonly username: string; readonly password: string; readonly realm?: string };
  /** `outbound`: `+e164` (default), `e164` without plus, or `national`. `inboundCountry` reads national digits. */
  readonly numberFormat?: {
    readonly outbound?: '+e164' | 'e164' | 'national';
    readonly inboundCountry?: string;
  };
}
export interface Carrier extends Omit<NewCarrier, 'auth' | 'allowedSources'> {
  readonly id: string;
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
}
export interface VirtualNumber {
  readonly id: string;
  readonly number: string;
  readonly pool: string;
  readonly carrier: string;
  readonly country: string;
  readonly capabilities: readonly string[];
  readonly enabled: boolean;
  readonly createdAt: Date;
}
export interface Pool {
  readonly name: string;
  readonly numbers: number;
  readonly enabled: number;
  readonly cooldown: Readonly<Record<string, number>>;
  readonly exhaustion: 'refuse' | 'reuse-oldest';
}

export interface NewSession {
  readonly reference?: string;
  /** Default: `default`. */
  readonly pool?: string;
  /** 2 to 10. */
  readonly participants: readonly NewParticipant[];
  readonly ttlSeconds?: number;
  readonly expiresAt?: Date;
  readonly idleSeconds?: number;
  readonly recording?: RecordingMode;
  readonly sharedNumber?: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
}
export interface NewParticipant {
  readonly role: string;
  /** E.164, 1 to 5, the first is rung first. */
  readonly phones: readonly string[];
  readonly name?: string;
  readonly locale?: string;
}
export interface Session {
  readonly id: string;
  readonly reference?: string;
  readonly pool: string;
  readonly status: SessionStatus;
  readonly recording: RecordingMode;
  readonly sharedNumber: boolean;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly idleSeconds?: number;
  readonly closedAt?: Date;
  readonly closeReason?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly participants: readonly Participant[];
}
export interface Participant {
  readonly id: string;
  readonly role: string;
  readonly dial: string;
  /** Masked. The first one; `phones` has all. */
  readonly phone: string;
  readonly phones: readonly string[];
  readonly locale?: string;
}
export interface CreatedSession extends Session {
  /** By participant id; shown only in the answer to the creation. */
  readonly transparencyTokens: ReadonlyMap<string, string>;
  readonly replayed: boolean;
}
export interface SessionFilter {
  readonly reference?: string;
  readonly status?: SessionStatus;
  /** A participant's real number, E.164. */
  readonly phone?: string;
  /** A virtual number, E.164. */
  readonly number?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}
export interface SessionChange {
  readonly expiresAt?: Date;
  readonly ttlSeconds?: number;
  readonly idleSeconds?: number | null;
  readonly reference?: string;
  readonly recording?: RecordingMode;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface Call {
  readonly id: string;
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
  | 'idempotency-mismatch'
  | 'recording-unreadable'
  | 'no-recording';

/** `pointer` is the JSON pointer of the offending input. The message never repeats a number. */
export class MaskingError extends Error {
  override readonly name = 'MaskingError';
  readonly code: MaskingErrorCode;
  readonly pointer: string | undefined;
  constructor(code: MaskingErrorCode, message: string, pointer?: string) {
    super(message);
    this.code = code;
    this.pointer = pointer;
  }
}
