import type { Queries } from '../types.ts';

/** As it stands in the column; its meaning is the heart's. */
export type SessionRulesRow = Readonly<Record<string, unknown>>;
export interface AfterCloseRow {
  readonly seconds: number;
  readonly allow: readonly { readonly from: string; readonly to: string }[];
  readonly reasons?: readonly string[];
}

/** What a session is at this moment, whether it was swept yet or not. */
const status = `(case when s.status <> 'open' then s.status
    when least(s.expires_at, s.idle_expires_at) <= platform_now() then 'expired'
    when s.opens_at > platform_now() then 'scheduled' else 'open' end)`;

/** One row a participant's phone, in order; one without a phone (an open side) has a row as well. Null where a party was erased. */
export interface SessionRow {
  readonly session: string;
  readonly reference: string | null;
  readonly pool: string;
  readonly status: 'scheduled' | 'open' | 'closed' | 'expired';
  readonly recording: 'off' | 'announce' | 'consent';
  readonly shared_number: boolean;
  readonly created_at: Date;
  readonly opens_at: Date | null;
  readonly expires_at: Date;
  readonly idle_seconds: number | null;
  readonly closed_at: Date | null;
  readonly close_reason: string | null;
  readonly after_until: Date | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly program: string | null;
  readonly program_version: number | null;
  readonly rules: SessionRulesRow | null;
  readonly running_calls: 'finish' | 'warn' | 'hangup';
  readonly after_close: AfterCloseRow | null;
  readonly parent: string | null;
  readonly participant: string;
  readonly role: string;
  readonly locale: string | null;
  readonly time_zone: string | null;
  readonly may_start: boolean;
  readonly reach: 'number' | 'app';
  readonly is_open: boolean;
  readonly pin_index: number | null;
  readonly joined_at: Date;
  readonly left_at: Date | null;
  readonly leave_reason: 'replaced' | 'removed' | null;
  readonly e164: string;
  readonly party: string | null;
  readonly phone_position: number | null;
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
        ${status} as status,
        s.recording, s.shared_number, s.created_at, s.opens_at, s.expires_at, s.idle_seconds, s.closed_at, s.close_reason,
        case when s.after_until > platform_now() then s.after_until end as after_until, s.metadata,
        s.program, s.program_version, s.rules, s.running_calls, s.after_close, s.parent,
        p.participant, p.role, p.locale, p.time_zone, p.may_start, p.reach, p.is_open, p.pin_index, p.joined_at, p.left_at,
        p.leave_reason, n.e164, h.party, h.position as phone_position,
        y.country, y.phone, k.party_key, k.wrapped, k.tenant_key_version
      from sessions s
      join participants p on p.tenant = s.tenant and p.session = s.session
      join numbers n on n.tenant = p.tenant and n.number = p.number
      left join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
      left join parties y on y.tenant = h.tenant and y.party = h.party
      left join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
      where s.tenant = $1 and s.session = any ($2::text[])
      order by s.session desc, p.left_at is not null, p.position, h.position`,
    [tenant, sessions],
  );
}

export interface SessionSearch {
  readonly tenant: string;
  readonly reference: string | undefined;
  readonly status: string | undefined;
  readonly fingerprint: Buffer | undefined;
  readonly number: string | undefined;
  readonly parent: string | undefined;
  readonly createdAfter: Date | undefined;
  readonly createdBefore: Date | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

/** Ids, newest first. Each combination of filters is a statement of its own, so that each has its own plan. */
export async function findSessions(queries: Queries, search: SessionSearch): Promise<readonly string[]> {
  const values: unknown[] = [search.tenant, search.limit];
  const conditions = ['s.tenant = $1'];
  // PostgreSQL looks at the first 63 characters of a name: two that differ later would be one.
  let name = 'find_sessions_';
  function where(filter: string, value: unknown, condition: (placeholder: string) => string): void {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
    name += filter;
  }
  where('r', search.reference, (at) => `s.reference = ${at}`);
  where('s', search.status, (at) => `${status} = ${at}`);
  where(
    'p',
    search.fingerprint,
    (at) =>
      `s.session in (select h.session from participant_phones h join parties y on y.tenant = h.tenant and y.party = h.party
        where h.tenant = $1 and y.tenant = $1 and y.fingerprint = ${at})`,
  );
  where(
    'n',
    search.number,
    (at) =>
      `s.session in (select p.session from participants p join numbers n on n.tenant = p.tenant and n.number = p.number
        where p.tenant = $1 and n.tenant = $1 and n.e164 = ${at})`,
  );
  where('c', search.parent, (at) => `s.parent = ${at}`);
  where('f', search.createdAfter, (at) => `s.created_at > ${at}`);
  where('t', search.createdBefore, (at) => `s.created_at < ${at}`);
  where('a', search.after, (at) => `s.session < ${at}`);
  const rows = await queries.query<{ readonly session: string }>(
    name,
    `select s.session from sessions s where ${conditions.join(' and ')} order by s.session desc limit $2`,
    values,
  );
  return rows.map((row) => row.session);
}

/** Live sessions that came from one with an open side, counted up to `most`. */
export async function countConversations(
  queries: Queries,
  tenant: string,
  parent: string,
  most: number,
): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'count_conversations',
    `select count(*)::integer as count from (
        select from sessions s where s.tenant = $1 and s.parent = $2 and s.status = 'open' limit $3
      ) x`,
    [tenant, parent, most],
  );
  return rows[0]?.count ?? 0;
}
