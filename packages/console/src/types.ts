/**
 * What the API gives and takes, as the console reads it (see `/openapi.json`). Times are RFC 3339 text; phone numbers
 * of people come masked.
 */
export interface ListOf<T> {
  readonly items: readonly T[];
  /** Give it as `after`; absent on the last page. */
  readonly next?: string;
}

// ---------------------------------------------------------------- people of the business
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
export type Scope = (typeof scopes)[number];

export const roles = ['admin', 'operator', 'investigator', 'auditor'] as const;
export type Role = (typeof roles)[number];
export type Locale = 'en' | 'id';

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}
export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly locale: Locale;
  readonly status: 'invited' | 'active' | 'disabled';
  readonly totp: boolean;
  readonly passkeys: readonly Passkey[];
  readonly createdAt: string;
  readonly lastLoginAt?: string;
}
export interface Me {
  readonly user: User;
  readonly tenant: { readonly id: string; readonly name: string };
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly csrf: string;
  readonly expiresAt: string;
}
export type SecondFactorMethod = 'totp' | 'passkey' | 'recovery-code';
export type LoginAnswer =
  | {
      readonly status: 'logged-in';
      readonly user: User;
      readonly csrf: string;
      readonly expiresAt: string;
    }
  | {
      readonly status: 'second-factor';
      readonly ticket: string;
      readonly methods: readonly SecondFactorMethod[];
    };
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
}

// ---------------------------------------------------------------- sessions and calls
export const sessionStatuses = ['scheduled', 'open', 'closed', 'expired'] as const;
export type SessionStatus = (typeof sessionStatuses)[number];

export interface Participant {
  readonly id: string;
  readonly role: string;
  /** What they dial; empty with `reach: app`. */
  readonly dial: string;
  /** What they see when they are called. */
  readonly number: string;
  /** Masked. */
  readonly phone: string;
  readonly phones: readonly string[];
  readonly locale?: string;
  readonly timeZone?: string;
  readonly reach: 'number' | 'app';
  readonly mayStart: boolean;
  readonly open: boolean;
  readonly pin?: string;
  readonly joinedAt: string;
  readonly leftAt?: string;
  readonly leaveReason?: 'replaced' | 'removed';
  readonly transparencyUrl?: string;
}
export interface Session {
  readonly id: string;
  readonly reference?: string;
  readonly pool: string;
  readonly status: SessionStatus;
  readonly recording: 'off' | 'announce' | 'consent';
  readonly sharedNumber: boolean;
  readonly createdAt: string;
  readonly opensAt?: string;
  readonly expiresAt: string;
  readonly idleSeconds?: number;
  readonly closedAt?: string;
  readonly closeReason?: string;
  readonly afterCloseUntil?: string;
  readonly program?: unknown;
  readonly schedule?: unknown;
  readonly limits?: unknown;
  readonly ongoingCalls: 'finish' | 'hangup';
  readonly afterClose?: unknown;
  readonly whisper?: unknown;
  readonly accept?: boolean;
  readonly survey?: unknown;
  readonly parent?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Those who left stand last. */
  readonly participants: readonly Participant[];
}
export interface Leg {
  readonly participant?: string;
  readonly number: string;
  readonly carrier: string;
  readonly direction: 'in' | 'out';
  readonly sipStatus?: number;
  readonly startedAt: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  readonly quality?: Readonly<Record<string, number>>;
}
export interface Call {
  readonly id: string;
  readonly kind: 'inbound' | 'click-to-call';
  readonly session?: string;
  /** Who called. */
  readonly participant?: string;
  readonly number: string;
  readonly status: 'ringing' | 'answered' | 'ended';
  readonly outcome?: string;
  readonly refusal?: string;
  readonly hangupBy?: string;
  readonly hangupCause?: string;
  readonly startedAt: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  readonly legs: readonly Leg[];
  readonly survey?: { readonly participant: string; readonly key: string };
  readonly voicemail?: { readonly id: string; readonly milliseconds?: number; readonly heardAt?: string };
  readonly recording?: {
    readonly id: string;
    readonly status: string;
    readonly milliseconds?: number;
    readonly bytes?: number;
    readonly sha256?: string;
  };
}
export interface Explanation {
  readonly trace?: {
    readonly program: {
      readonly source: 'inline' | 'named' | 'tenant' | 'default';
      readonly id?: string;
      readonly version?: number;
    };
    readonly at: string;
    readonly timeZone: string;
    readonly open: boolean;
    readonly rules: readonly {
      readonly place: string;
      readonly name?: string;
      readonly outcome: 'fired' | 'false' | 'error';
      readonly error?: string;
    }[];
    readonly forbidden: readonly string[];
    readonly steps: readonly {
      readonly place: string;
      readonly verb: string;
      readonly to?: readonly string[];
    }[];
  };
  readonly steps: readonly {
    readonly place: string;
    readonly verb: string;
    readonly outcome: string;
    readonly participant?: string;
  }[];
}
export interface PlatformEvent {
  readonly id: string;
  readonly kind: string;
  readonly at: string;
  readonly session?: string;
  readonly subject?: string;
  readonly order?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface CallSummary {
  readonly calls: number;
  readonly running: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly complete: boolean;
}

// ---------------------------------------------------------------- custody
export interface Mark {
  readonly id: string;
  readonly milliseconds: number;
  readonly note: string;
  readonly by: string;
  readonly at: string;
}
export interface Download {
  readonly id: string;
  readonly call: string;
  readonly reason: string;
  readonly status: 'pending' | 'approved' | 'refused' | 'expired';
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly decidedBy?: string;
  readonly decidedAt?: string;
  readonly expiresAt?: string;
}
export interface Hold {
  readonly id: string;
  readonly session: string;
  readonly reason: string;
  readonly dispute?: string;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly releasedAt?: string;
}

// ---------------------------------------------------------------- ledger, disputes, privacy
export interface LedgerEntry {
  readonly id: string;
  readonly sequence?: number;
  readonly at: string;
  readonly kind: string;
  readonly actor: string;
  readonly party?: string;
  readonly session?: string;
  readonly subject?: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly digest?: string;
}
export type LedgerCheck =
  | {
      readonly ok: true;
      readonly entries: number;
      readonly unsealed: number;
      readonly digest: string;
      readonly roots: number;
    }
  | { readonly ok: false; readonly fault: string; readonly sequence: number; readonly entry?: string };
export interface LedgerRoot {
  readonly day: string;
  readonly sequence: number;
  readonly entries: number;
  readonly digest: string;
  readonly signature: string;
  readonly keyId: string;
}

export const disputeCategories = ['harassment', 'fraud', 'safety', 'quality', 'other'] as const;
export type DisputeCategory = (typeof disputeCategories)[number];
export const disputeStatuses = ['open', 'investigating', 'resolved'] as const;
export type DisputeStatus = (typeof disputeStatuses)[number];
export const verdicts = ['upheld', 'rejected', 'inconclusive'] as const;
export type Verdict = (typeof verdicts)[number];
export interface Dispute {
  readonly id: string;
  readonly session: string;
  readonly call?: string;
  readonly category: DisputeCategory;
  readonly status: DisputeStatus;
  readonly version: number;
  readonly openedBy: { readonly kind: 'operator' | 'participant' | 'call'; readonly id: string };
  readonly openedAt: string;
  readonly against?: string;
  readonly statement: string;
  readonly redactedAt?: string;
  readonly assignee?: string;
  readonly verdict?: {
    readonly verdict: Verdict;
    readonly text: string;
    readonly by: string;
    readonly at: string;
    readonly block?: string;
  };
  readonly updatedAt: string;
}
export interface DisputeNote {
  readonly id: string;
  readonly by: string;
  readonly at: string;
  readonly text: string;
}
export interface DisputeFile extends Dispute {
  readonly notes: readonly DisputeNote[];
  readonly calls: readonly string[];
  readonly hold?: string;
  readonly history: readonly LedgerEntry[];
}

export const rightsKinds = ['export', 'erase', 'restrict'] as const;
export type RightsKind = (typeof rightsKinds)[number];
export const rightsStatuses = ['asked', 'running', 'done', 'failed', 'refused', 'lifted'] as const;
export type RightsStatus = (typeof rightsStatuses)[number];
export interface RightsRequest {
  readonly id: string;
  readonly kind: RightsKind;
  readonly status: RightsStatus;
  readonly phone?: string;
  readonly party?: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly finishedAt?: string;
  readonly receipt?: {
    readonly party: string;
    readonly at: string;
    readonly keysDestroyed: number;
    readonly valuesUnreadable: number;
    readonly recordingsDeleted: number;
    readonly recordingsHeld: number;
    readonly recordingsLeft: number;
    readonly bindingsCut: number;
    readonly disputesRedacted: number;
    readonly disputesKept: number;
    readonly keptUntil?: string;
    readonly signature: string;
    readonly keyId: string;
  };
}
export interface BreachReport {
  readonly entries: number;
  readonly people: readonly {
    readonly party: string;
    readonly phone?: string;
    readonly sessions: number;
    readonly first: string;
    readonly last: string;
    readonly kinds: readonly string[];
  }[];
}

// ---------------------------------------------------------------- numbers, carriers, programs, webhooks, settings
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
  /** Sessions taken today; only where the pool has a load limit. */
  readonly today?: number;
  readonly quarantinedUntil?: string;
  readonly area?: string;
  readonly createdAt: string;
}
export interface Pool {
  readonly name: string;
  readonly numbers: number;
  readonly enabled: number;
  readonly cooldown: Readonly<Record<string, number>>;
  readonly exhaustion: 'refuse' | 'reuse-oldest' | 'disambiguate' | 'pin';
  readonly match: 'any' | 'prefer-country' | 'country' | 'prefer-area' | 'area';
  readonly spread: boolean;
  readonly loadLimit?: number;
}
export interface PoolForecast {
  readonly pool: string;
  readonly numbers: number;
  readonly needed: number;
  readonly headroom: number;
  readonly trendPerDay: number;
  readonly shortAt?: string;
  readonly status: 'enough' | 'low' | 'short';
  /** Oldest first: the most needed on each day. */
  readonly days: readonly { readonly day: string; readonly needed: number; readonly numbers: number }[];
}
export interface Carrier {
  readonly id: string;
  readonly name: string;
  readonly kind: 'sip';
  readonly host: string;
  readonly port?: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly allowedSources: readonly string[];
  readonly callerTrust: 'trusted' | 'untrusted';
  readonly hasAuth: boolean;
  readonly numberFormat?: {
    readonly outbound?: '+e164' | 'e164' | 'national';
    readonly inboundCountry?: string;
  };
  readonly enabled: boolean;
  readonly createdAt: string;
}
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description?: string;
  readonly kinds: readonly string[];
  readonly enabled: boolean;
  readonly disabledBecause?: string;
  readonly publicKey: string;
  readonly createdAt: string;
  readonly lastDeliveredAt?: string;
  readonly pending: number;
  readonly dead: number;
}
export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly kind: string;
  readonly session?: string;
  readonly status: 'pending' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly nextAttemptAt?: string;
  readonly lastAnswer?: string;
  readonly at: string;
}
export interface Settings {
  readonly timeZone: string;
  readonly ringSeconds: number;
  readonly maxSeconds: number;
  readonly accept: boolean;
  readonly abuseThreshold: number;
  readonly recordingPolicy?: {
    readonly default: 'session' | 'off' | 'announce' | 'consent';
    readonly countries: Readonly<Record<string, 'off' | 'announce' | 'consent'>>;
  };
  readonly retention?: {
    readonly recordingDays: number;
    readonly countries: Readonly<Record<string, number>>;
    readonly callDays?: number;
    readonly ledgerDays?: number;
    readonly legalFloorDays: number;
  };
  readonly businessName?: string;
  readonly downloadApproval?: boolean;
  readonly reportAfterCall?: boolean;
}
