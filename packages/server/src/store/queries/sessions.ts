import type { Queries } from '../types.ts';

/** Arrays of one length each: per participant, and per phone in the order of fingerprints. */
export interface NewSessionRow {
  readonly tenant: string;
  readonly session: string;
  readonly actor: string;
  readonly pool: string;
  readonly reference: string | undefined;
  readonly recording: string;
  readonly sharedNumber: boolean;
  readonly expiresAt: Date | undefined;
  readonly ttlSeconds: number | undefined;
  readonly idleSeconds: number | undefined;
  readonly metadata: string;
  readonly participants: readonly {
    readonly id: string;
    readonly role: string;
    readonly locale: string | undefined;
    readonly name: Buffer | undefined;
    /** Position (1…) in `phones` of the phone under whose key the name is encrypted. */
    readonly namePhone: number | undefined;
    readonly transparencyDigest: Buffer;
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
  readonly idempotency: { readonly key: string; readonly digest: Buffer } | undefined;
}

export type CreateSessionRow =
  | {
      readonly failure: null;
      readonly position: number;
      readonly participant: string;
      readonly number: string;
      readonly e164: string;
      readonly created_at: Date;
      readonly expires_at: Date;
      /** The phones' parties. */
      readonly details: readonly string[];
    }
  | { readonly failure: 'replayed'; readonly session: string }
  | { readonly failure: 'idempotency-mismatch' | 'unknown-pool' }
  | { readonly failure: 'virtual-number'; readonly position: number }
  /** The ids of the parties, one a phone; null where there is none (yet). */
  | { readonly failure: 'other-party'; readonly details: readonly (string | null)[] }
  | {
      readonly failure: 'empty-pool' | 'pool-exhausted';
      readonly position: number;
      readonly details: {
        readonly numbers: number;
        readonly live: number;
        readonly cooling: number;
        readonly freeAt: string | null;
      };
    };

export const createSessionText = `select * from create_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb,
  $12, $13, $14, $15::bytea[], $16::integer[], $17::bytea[],
  $18::integer[], $19::integer[], $20::bytea[], $21::bytea[], $22, $23, $24, $25::bytea[], $26::integer[], $27::bytea[],
  $28, $29::bytea)`;

export function createSession(queries: Queries, row: NewSessionRow): Promise<readonly CreateSessionRow[]> {
  const { participants, phones } = row;
  return queries.query<CreateSessionRow>('create_session', createSessionText, [
    row.tenant,
    row.session,
    row.actor,
    row.pool,
    row.reference ?? null,
    row.recording,
    row.sharedNumber,
    row.expiresAt ?? null,
    row.ttlSeconds ?? null,
    row.idleSeconds ?? null,
    row.metadata,
    participants.map((one) => one.id),
    participants.map((one) => one.role),
    participants.map((one) => one.locale ?? null),
    participants.map((one) => one.name ?? null),
    participants.map((one) => one.namePhone ?? null),
    participants.map((one) => one.transparencyDigest),
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
    row.idempotency?.key ?? null,
    row.idempotency?.digest ?? null,
  ]);
}

/** One row a participant's phone, in order. Null where a party was erased. */
export interface SessionRow {
  readonly session: string;
  readonly reference: string | null;
  readonly pool: string;
  readonly status: 'open' | 'closed' | 'expired';
  readonly recording: 'off' | 'announce' | 'consent';
  readonly shared_number: boolean;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly idle_seconds: number | null;
  readonly closed_at: Date | null;
  readonly close_reason: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly participant: string;
  readonly role: string;
  readonly locale: string | null;
  readonly e164: string;
  readonly party: string;
  readonly phone_position: number;
  readonly country: string | null;
  readonly phone: Buffer | null;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

/** Sessions with everything needed to show them; those of another tenant don't exist. At most as many as asked for. */
export function readSessions(
  queries: Queries,
  tenant: string,
  sessions: readonly string[],
): Promise<readonly SessionRow[]> {
  return queries.query<SessionRow>(
    'read_sessions',
    `select s.session, s.reference, s.pool,
        case when s.status = 'open' and least(s.expires_at, s.idle_expires_at) <= now() then 'expired' else s.status end
          as status,
        s.recording, s.shared_number, s.created_at, s.expires_at, s.idle_seconds, s.closed_at, s.close_reason, s.metadata,
        p.participant, p.role, p.locale, n.e164, h.party, h.position as phone_position,
        y.country, y.phone, k.party_key, k.wrapped, k.tenant_key_version
      from sessions s
      join participants p on p.tenant = s.tenant and p.session = s.session
      join numbers n on n.tenant = p.tenant and n.number = p.number
      join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
      left join parties y on y.tenant = h.tenant and y.party = h.party
      left join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
      where s.tenant = $1 and s.session = any ($2::text[])
      order by s.session desc, p.position, h.position`,
    [tenant, sessions],
  );
}

export interface SessionSearch {
  readonly tenant: string;
  readonly reference: string | undefined;
  readonly status: string | undefined;
  readonly fingerprint: Buffer | undefined;
  readonly number: string | undefined;
  readonly createdAfter: Date | undefined;
  readonly createdBefore: Date | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

/** Ids, newest first. Each combination of filters is a statement of its own, so that each has its own plan. */
export async function findSessions(queries: Queries, search: SessionSearch): Promise<readonly string[]> {
  const values: unknown[] = [search.tenant, search.limit];
  const conditions = ['s.tenant = $1'];
  let name = 'find_sessions';
  function where(filter: string, value: unknown, condition: (placeholder: string) => string): void {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
    name += `_${filter}`;
  }
  where('reference', search.reference, (at) => `s.reference = ${at}`);
  where(
    'status',
    search.status,
    (at) =>
      `(case when s.status = 'open' and least(s.expires_at, s.idle_expires_at) <= now() then 'expired' else s.status end) = ${at}`,
  );
  where(
    'phone',
    search.fingerprint,
    (at) =>
      `s.session in (select h.session from participant_phones h join parties y on y.tenant = h.tenant and y.party = h.party
        where h.tenant = $1 and y.tenant = $1 and y.fingerprint = ${at})`,
  );
  where(
    'number',
    search.number,
    (at) =>
      `s.session in (select p.session from participants p join numbers n on n.tenant = p.tenant and n.number = p.number
        where p.tenant = $1 and n.tenant = $1 and n.e164 = ${at})`,
  );
  where('created_after', search.createdAfter, (at) => `s.created_at > ${at}`);
  where('created_before', search.createdBefore, (at) => `s.created_at < ${at}`);
  where('after', search.after, (at) => `s.session < ${at}`);
  const rows = await queries.query<{ readonly session: string }>(
    name,
    `select s.session from sessions s where ${conditions.join(' and ')} order by s.session desc limit $2`,
    values,
  );
  return rows.map((row) => row.session);
}

/** True when it was open and is ended now. */
export async function endSession(
  queries: Queries,
  tenant: string,
  session: string,
  close: { readonly reason: string; readonly ongoingCalls: string; readonly actor: string },
): Promise<boolean> {
  const rows = await queries.query<{ readonly ended: boolean }>(
    'end_session',
    'select end_session($1, $2, $3, $4, $5) as ended',
    [tenant, session, close.reason, close.ongoingCalls, close.actor],
  );
  return rows[0]?.ended ?? false;
}

/** Undefined fields stay as they are. False when there is no such open session. */
export async function updateSession(
  queries: Queries,
  tenant: string,
  session: string,
  change: {
    readonly expiresAt: Date | undefined;
    /** From now. */
    readonly ttlSeconds: number | undefined;
    /** Null: no idle time any more. */
    readonly idleSeconds: number | null | undefined;
    readonly reference: string | undefined;
    readonly recording: string | undefined;
    readonly metadata: string | undefined;
    readonly actor: string;
    readonly changed: readonly string[];
  },
): Promise<boolean> {
  const rows = await queries.query<{ readonly session: string }>(
    'update_session',
    `with changed as (
        update sessions s set
          expires_at = coalesce($3, clock_timestamp() + make_interval(secs => $4::double precision), s.expires_at),
          idle_seconds = case when $5 then $6 else s.idle_seconds end,
          idle_expires_at = case when $5 then clock_timestamp() + make_interval(secs => $6::integer) else s.idle_expires_at end,
          reference = coalesce($7, s.reference), recording = coalesce($8, s.recording),
          metadata = coalesce($9::jsonb, s.metadata)
        where s.tenant = $1 and s.session = $2 and s.status = 'open'
          and s.expires_at > clock_timestamp() and (s.idle_expires_at is null or s.idle_expires_at > clock_timestamp())
        returning s.session
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, details)
          select $1, new_id('led_'), 'session.changed', $10, c.session, jsonb_build_object('fields', $11::text[])
            from changed c
      )
      select session from changed`,
    [
      tenant,
      session,
      change.expiresAt ?? null,
      change.ttlSeconds ?? null,
      change.idleSeconds !== undefined,
      change.idleSeconds ?? null,
      change.reference ?? null,
      change.recording ?? null,
      change.metadata ?? null,
      change.actor,
      change.changed,
    ],
  );
  return rows.length > 0;
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

/** Those of the given sessions that live no more. */
export async function endedAmong(
  queries: Queries,
  sessions: readonly { readonly tenant: string; readonly session: string }[],
): Promise<readonly { readonly tenant: string; readonly session: string; readonly ongoing_calls: string }[]> {
  return queries.query(
    'ended_among',
    `select a.tenant, a.session, coalesce(s.ongoing_calls, 'finish') as ongoing_calls
      from unnest($1::text[], $2::text[]) as a(tenant, session)
      left join sessions s on s.tenant = a.tenant and s.session = a.session
      where s.session is null or s.status <> 'open' or least(s.expires_at, s.idle_expires_at) <= now()`,
    [sessions.map((one) => one.tenant), sessions.map((one) => one.session)],
  );
}
