import type { Queries } from '../types.ts';

/** People who join a session. Arrays of one length each: per participant, and per phone in the order of fingerprints. */
export interface PeopleRows {
  readonly participants: readonly {
    readonly id: string;
    readonly role: string;
    readonly locale: string | undefined;
    readonly name: Buffer | undefined;
    /** Position (1…) in `phones` of the phone under whose key the name is encrypted. */
    readonly namePhone: number | undefined;
    readonly transparencyDigest: Buffer;
    /** What is not the plain case: {timeZone, mayStart, reach, open, exact, area}. */
    readonly extras: Readonly<Record<string, unknown>> | undefined;
    /** Digests of codes that may be theirs; the first that is free on their number is taken. All have as many. */
    readonly pins: readonly Buffer[];
  }[];
  readonly phones: readonly {
    /** Position (1…) in `participants`. */
    readonly participant: number;
    readonly position: number;
    readonly fingerprint: Buffer;
    readonly directoryFingerprint: Buffer;
    /** The id of the party as far as we know; a new one otherwise. */
    readonly party: string;
    readonly country: string;
    /** Null when the party is known and needs no key. */
    readonly key: {
      readonly partyKey: string;
      readonly wrapped: Buffer;
      readonly tenantKeyVersion: number;
    } | null;
    /** Null when the party is known. */
    readonly phone: Buffer | null;
  }[];
}

export interface NewSessionRow extends PeopleRows {
  readonly tenant: string;
  readonly session: string;
  readonly actor: string;
  /** See `create_session`. */
  readonly terms: Readonly<Record<string, unknown>>;
  readonly idempotency: { readonly key: string; readonly digest: Buffer } | undefined;
}

interface HeadRoom {
  readonly numbers: number;
  readonly live: number;
  readonly cooling: number;
  readonly freeAt: string | null;
}

/** Why people can't join. `position` (1…): of the phone for the first three, else of the participant. */
export type JoinFailure =
  | { readonly failure: 'virtual-number' | 'blocked' | 'participant-taken'; readonly position: number }
  /** The ids of the parties, one a phone; null where there is none (yet). */
  | { readonly failure: 'other-party'; readonly details: readonly (string | null)[] }
  | { readonly failure: 'needs-pins' | 'unknown-program' }
  | {
      readonly failure: 'number-not-available' | 'no-display-number' | 'pin-unavailable';
      readonly position: number;
    }
  | {
      readonly failure: 'empty-pool' | 'pool-exhausted';
      readonly position: number;
      readonly details: HeadRoom | null;
    };

export type CreateSessionRow =
  | {
      readonly failure: null;
      readonly position: number;
      readonly participant: string;
      readonly number: string;
      readonly e164: string;
      readonly pin_index: number | null;
      readonly created_at: Date;
      readonly expires_at: Date;
      /** The phones' parties. */
      readonly details: readonly string[];
    }
  | { readonly failure: 'replayed'; readonly session: string }
  | { readonly failure: 'idempotency-mismatch' | 'unknown-pool' }
  | JoinFailure;

export type ChangeSessionRow =
  | { readonly failure: null; readonly details: readonly string[] }
  | { readonly failure: 'session-closed' | 'too-many' | 'participant-unreachable' }
  /** Position among those who leave. */
  | { readonly failure: 'unknown-participant'; readonly position: number }
  | JoinFailure;

export type ReopenSessionRow =
  | { readonly failure: null }
  | { readonly failure: 'missing' | 'session-open' }
  | {
      readonly failure:
        | 'blocked'
        | 'number-not-available'
        | 'no-display-number'
        | 'pin-unavailable'
        | 'pool-exhausted';
      readonly position: number;
    }
  /** Who takes part changed at this moment. */
  | { readonly failure: 'again' };

/** The arguments from p_participants on. */
function peopleValues({ participants, phones }: PeopleRows): unknown[] {
  return [
    participants.map((one) => one.id),
    participants.map((one) => one.role),
    participants.map((one) => one.locale ?? null),
    participants.map((one) => one.name ?? null),
    participants.map((one) => one.namePhone ?? null),
    participants.map((one) => one.transparencyDigest),
    participants.map((one) => (one.extras === undefined ? null : JSON.stringify(one.extras))),
    participants.some((one) => one.pins.length > 0) ? participants.flatMap((one) => one.pins) : null,
    phones.map((one) => one.participant),
    phones.map((one) => one.position),
    phones.map((one) => one.fingerprint),
    phones.map((one) => one.directoryFingerprint),
    phones.map((one) => one.party),
    phones.map((one) => one.country),
    phones.map((one) => one.key?.partyKey ?? null),
    phones.map((one) => one.key?.wrapped ?? null),
    phones.map((one) => one.key?.tenantKeyVersion ?? null),
    phones.map((one) => one.phone),
  ];
}

const peopleTypes = [
  'text[]',
  'text[]',
  'text[]',
  'bytea[]',
  'integer[]',
  'bytea[]',
  'jsonb[]',
  'bytea[]',
  'integer[]',
  'integer[]',
  'bytea[]',
  'bytea[]',
  'text[]',
  'text[]',
  'text[]',
  'bytea[]',
  'integer[]',
  'bytea[]',
];

function peopleParameters(first: number): string {
  return peopleTypes.map((type, index) => `$${first + index}::${type}`).join(', ');
}

export const createSessionText = `select * from create_session($1, $2, $3, $4::jsonb, ${peopleParameters(5)}, $23, $24::bytea)`;

export function createSession(queries: Queries, row: NewSessionRow): Promise<readonly CreateSessionRow[]> {
  return queries.query<CreateSessionRow>('create_session', createSessionText, [
    row.tenant,
    row.session,
    row.actor,
    JSON.stringify(row.terms),
    ...peopleValues(row),
    row.idempotency?.key ?? null,
    row.idempotency?.digest ?? null,
  ]);
}

export interface SessionChangeRow extends PeopleRows {
  readonly tenant: string;
  readonly session: string;
  readonly actor: string;
  /** Only what changes; null takes a term away. */
  readonly terms: Readonly<Record<string, unknown>>;
  readonly removed: readonly string[];
  /** For each of `participants` whose place it takes. */
  readonly replaced: readonly (string | null)[];
}

export async function changeSession(queries: Queries, row: SessionChangeRow): Promise<ChangeSessionRow> {
  const rows = await queries.query<ChangeSessionRow>(
    'change_session',
    `select * from try_change_session($1, $2, $3, $4::jsonb, $5::text[], $6::text[], ${peopleParameters(7)})`,
    [
      row.tenant,
      row.session,
      row.actor,
      JSON.stringify(row.terms),
      row.removed,
      row.replaced,
      ...peopleValues(row),
    ],
  );
  const [first] = rows;
  if (first === undefined) throw new Error('change_session answered nothing');
  return first;
}

export async function reopenSession(
  queries: Queries,
  again: {
    readonly tenant: string;
    readonly session: string;
    readonly actor: string;
    readonly expiresAt: Date | undefined;
    readonly ttlSeconds: number | undefined;
    /** Those who had a code, and digests for each, as many for everyone. */
    readonly pins: readonly { readonly participant: string; readonly digests: readonly Buffer[] }[];
  },
): Promise<ReopenSessionRow> {
  const rows = await queries.query<ReopenSessionRow>(
    'reopen_session',
    'select * from try_reopen_session($1, $2, $3, $4, $5, $6::text[], $7::bytea[])',
    [
      again.tenant,
      again.session,
      again.actor,
      again.expiresAt ?? null,
      again.ttlSeconds ?? null,
      again.pins.map((one) => one.participant),
      again.pins.flatMap((one) => one.digests),
    ],
  );
  const [first] = rows;
  if (first === undefined) throw new Error('reopen_session answered nothing');
  return first;
}

/** Null when it was over already. */
export async function endSession(
  queries: Queries,
  tenant: string,
  session: string,
  close: {
    readonly reason: string;
    readonly ongoingCalls: string | undefined;
    readonly afterClose: boolean;
    readonly actor: string;
  },
): Promise<'ended' | 'after-ended' | null> {
  const rows = await queries.query<{ readonly ended: 'ended' | 'after-ended' | null }>(
    'end_session',
    'select end_session($1, $2, $3, $4, $5, $6) as ended',
    [tenant, session, close.reason, close.ongoingCalls ?? null, close.afterClose, close.actor],
  );
  return rows[0]?.ended ?? null;
}

/** How many were ended. */
export async function expireSessions(queries: Queries, limit: number): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'expire_sessions',
    'select expire_sessions($1) as count',
    [limit],
  );
  return rows[0]?.count ?? 0;
}
