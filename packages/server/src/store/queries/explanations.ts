/** What explaining a call, or one that is only imagined, asks for. Nothing of it holds a number of a person. */
import type { Queries } from '../types.ts';

/** `explanation` is null for a call that has none (yet); undefined when there is no such call. */
export async function readExplanation(
  queries: Queries,
  tenant: string,
  call: string,
): Promise<{ readonly explanation: unknown } | undefined> {
  const rows = await queries.query<{ readonly explanation: unknown }>(
    'read_explanation',
    'select c.explanation from calls c where c.tenant = $1 and c.call = $2',
    [tenant, call],
  );
  return rows[0];
}

export interface RehearsedSessionRow {
  readonly session: string;
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly recording: 'off' | 'announce' | 'consent';
  readonly rules: unknown;
  readonly created_at: Date;
  readonly opens_at: Date | null;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
  readonly after_close: unknown;
  readonly after_until: Date | null;
  readonly people: readonly {
    readonly participant: string;
    readonly role: string;
    readonly locale: string;
    readonly time_zone: string | null;
    readonly may_start: boolean;
    /** Of the first phone; null when it was erased. */
    readonly country: string | null;
    /** Their virtual number. */
    readonly number: string | null;
    readonly number_country: string | null;
    readonly number_pool: string | null;
  }[];
}

/** With those who are in it now, in their order; an open side is nobody. */
export async function readRehearsedSession(
  queries: Queries,
  tenant: string,
  session: string,
): Promise<RehearsedSessionRow | undefined> {
  const rows = await queries.query<RehearsedSessionRow>(
    'read_rehearsed_session',
    `select s.session, s.reference, s.metadata, s.recording, s.rules, s.created_at, s.opens_at, s.expires_at,
        s.closed_at, s.after_close, s.after_until,
        coalesce((select jsonb_agg(jsonb_build_object('participant', p.participant, 'role', p.role,
              'locale', coalesce(p.locale, t.default_locale), 'time_zone', p.time_zone, 'may_start', p.may_start,
              'country', y.country, 'number', n.number, 'number_country', n.country, 'number_pool', n.pool)
              order by p.position)
            from participants p
            left join numbers n on n.tenant = p.tenant and n.number = p.number
            left join participant_phones h on h.tenant = p.tenant and h.session = p.session
              and h.participant = p.participant and h.position = 1
            left join parties y on y.tenant = h.tenant and y.party = h.party
            where p.tenant = s.tenant and p.session = s.session and p.left_at is null and not p.is_open), '[]') as people
      from sessions s join tenants t on t.tenant = s.tenant
      where s.tenant = $1 and s.session = $2`,
    [tenant, session],
  );
  return rows[0];
}

export interface HistoryRow {
  readonly calls: number;
  readonly answered: number;
  readonly connected: number;
  readonly minutes: number;
  readonly since_last: number;
  readonly recent: number;
}

/** Calls of a session that began before `at`. `recent`: the participant's within the last `recentMinutes`. */
export async function readHistory(
  queries: Queries,
  tenant: string,
  of: {
    readonly session: string;
    readonly participant: string;
    readonly at: Date;
    readonly recentMinutes: number;
  },
): Promise<HistoryRow> {
  const rows = await queries.query<HistoryRow>(
    'read_history',
    `select (count(*) filter (where c.participant = $3))::integer as calls,
        (count(*) filter (where c.participant = $3 and c.answered_at < $4))::integer as answered,
        (count(*) filter (where c.answered_at < $4))::integer as connected,
        floor(coalesce(sum(extract(epoch from least(coalesce(c.ended_at, $4), $4) - c.answered_at))
          filter (where c.answered_at < $4), 0) / 60)::integer as minutes,
        coalesce(floor(extract(epoch from $4 - max(c.started_at) filter (where c.participant = $3))), -1)::integer
          as since_last,
        (count(*) filter (where c.participant = $3 and c.started_at > $4 - make_interval(mins => $5)))::integer as recent
      from calls c
      where c.tenant = $1 and c.session = $2 and c.started_at < $4::timestamptz`,
    [tenant, of.session, of.participant, of.at, of.recentMinutes],
  );
  return rows[0] ?? { calls: 0, answered: 0, connected: 0, minutes: 0, since_last: -1, recent: 0 };
}

/** Those of the session whom this participant may not reach, or who may not reach them: any phone of either counts. */
export async function readBlocked(
  queries: Queries,
  tenant: string,
  of: { readonly session: string; readonly participant: string; readonly at: Date },
): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly participant: string }>(
    'read_blocked',
    `select distinct o.participant from participant_phones h
      join participant_phones o on o.tenant = h.tenant and o.session = h.session and o.participant <> h.participant
      join blocks b on b.tenant = h.tenant and b.lifted_at is null and (b.expires_at is null or b.expires_at > $4)
        and ((b.party = h.party and coalesce(b.counterpart, o.party) = o.party)
          or (b.party = o.party and coalesce(b.counterpart, h.party) = h.party))
      where h.tenant = $1 and h.session = $2 and h.participant = $3`,
    [tenant, of.session, of.participant, of.at],
  );
  return rows.map((row) => row.participant);
}

/** One of the tenant's virtual numbers. */
export async function readOwnNumber(
  queries: Queries,
  tenant: string,
  e164: string,
): Promise<{ readonly number: string; readonly country: string; readonly pool: string } | undefined> {
  const rows = await queries.query<{
    readonly number: string;
    readonly country: string;
    readonly pool: string;
  }>(
    'read_own_number',
    `select n.number, n.country, n.pool from numbers n
      where n.tenant = $1 and n.e164 = $2 and n.deleted_at is null`,
    [tenant, e164],
  );
  return rows[0];
}
