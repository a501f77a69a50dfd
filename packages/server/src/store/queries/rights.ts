/** Requests of subjects: who they are, what was asked, and what becomes of it. What is read for an export: `subject-data.ts`. */
import type { Queries } from '../types.ts';

export type RightsKind = 'export' | 'erase' | 'restrict';
export type RightsStatus = 'asked' | 'running' | 'done' | 'failed' | 'refused' | 'lifted';

export async function partyOfPhone(
  queries: Queries,
  tenant: string,
  fingerprint: Buffer,
): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly party: string }>(
    'rights_party_of_phone',
    'select y.party from parties y where y.tenant = $1 and y.fingerprint = $2',
    [tenant, fingerprint],
  );
  return rows.map((row) => row.party);
}

/** Undefined: there is no such participant. No parties: an open side, or they were erased. */
export async function partiesOfParticipant(
  queries: Queries,
  tenant: string,
  participant: string,
): Promise<{ readonly isOpen: boolean; readonly parties: readonly string[] } | undefined> {
  const rows = await queries.query<{ readonly is_open: boolean; readonly parties: readonly string[] }>(
    'rights_parties_of_participant',
    `select p.is_open, array(select h.party from participant_phones h
        where h.tenant = p.tenant and h.session = p.session and h.participant = p.participant order by h.position) as parties
      from participants p where p.tenant = $1 and p.participant = $2`,
    [tenant, participant],
  );
  const [row] = rows;
  return row && { isOpen: row.is_open, parties: row.parties };
}

/** Of phones in the order given, the position (0…) of the first whose use is restricted. */
export async function restrictedAmong(
  queries: Queries,
  tenant: string,
  fingerprints: readonly Buffer[],
): Promise<number | undefined> {
  const rows = await queries.query<{ readonly position: number }>(
    'rights_restricted_among',
    `select (min(x.position) - 1)::integer as position from unnest($2::bytea[]) with ordinality as x(fingerprint, position)
      join parties y on y.tenant = $1 and y.fingerprint = x.fingerprint
      where exists (select from blocks b where b.tenant = $1 and b.party = y.party and b.lifted_at is null
        and b.request is not null)`,
    [tenant, fingerprints],
  );
  return rows[0]?.position ?? undefined;
}

/** Whether somebody who still takes part in a session is restricted: reopening it is a new one. */
export async function anyRestricted(queries: Queries, tenant: string, session: string): Promise<boolean> {
  const rows = await queries.query(
    'rights_any_restricted',
    `select from participants p
      join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
      join blocks b on b.tenant = h.tenant and b.party = h.party and b.lifted_at is null and b.request is not null
      where p.tenant = $1 and p.session = $2 and p.left_at is null limit 1`,
    [tenant, session],
  );
  return rows.length > 0;
}

/** Whether the use of one of these participants' numbers is restricted. */
export async function restrictedParticipants(
  queries: Queries,
  tenant: string,
  session: string,
  participants: readonly string[],
): Promise<boolean> {
  const rows = await queries.query(
    'rights_restricted_participants',
    `select from participant_phones h
      join blocks b on b.tenant = h.tenant and b.party = h.party and b.lifted_at is null and b.request is not null
      where h.tenant = $1 and h.session = $2 and h.participant = any ($3::text[]) limit 1`,
    [tenant, session, participants],
  );
  return rows.length > 0;
}

/** The request that stands: this new one, or one of the same kind and person that stood already. */
export async function openRequest(
  queries: Queries,
  one: {
    readonly tenant: string;
    readonly kind: RightsKind;
    readonly status: 'asked' | 'running' | 'done';
    /** One a party; the first is the one that is shown. */
    readonly rows: readonly {
      readonly request: string;
      readonly party: string;
      readonly reason: Buffer;
      readonly block: string;
    }[];
    readonly actor: string;
  },
): Promise<{ readonly request: string | null; readonly failure: 'erased' | null }> {
  const [row] = await queries.query<{ readonly request: string | null; readonly failure: 'erased' | null }>(
    'open_rights_request',
    'select * from open_rights_request($1, $2, $3, $4::text[], $5::text[], $6::bytea[], $7, $8::text[], platform_now())',
    [
      one.tenant,
      one.kind,
      one.status,
      one.rows.map((each) => each.request),
      one.rows.map((each) => each.party),
      one.rows.map((each) => each.reason),
      one.actor,
      one.rows.map((each) => each.block),
    ],
  );
  if (row === undefined) throw new Error('open_rights_request answered nothing');
  return row;
}

export interface RightsRow {
  readonly request: string;
  readonly kind: RightsKind;
  readonly status: RightsStatus;
  readonly party: string;
  readonly reason: Buffer;
  readonly decision: Buffer | null;
  readonly decided_by: string | null;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly finished_at: Date | null;
  readonly receipt: Readonly<Record<string, unknown>> | null;
  readonly erased: boolean;
  readonly country: string | null;
  readonly phone: Buffer | null;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

const shown = `select r.request, r.kind, r.status, r.party, r.reason, r.decision, r.decided_by, r.requested_by,
    r.requested_at, r.finished_at, r.receipt,
    y.erased_at is not null as erased, y.country, y.phone, k.party_key, k.wrapped, k.tenant_key_version
  from rights_requests r
  left join parties y on y.tenant = r.tenant and y.party = r.party
  left join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
  where r.tenant = $1 and r.part_of is null`;

export async function readRequest(
  queries: Queries,
  tenant: string,
  request: string,
): Promise<RightsRow | undefined> {
  const rows = await queries.query<RightsRow>('rights_read', `${shown} and r.request = $2`, [
    tenant,
    request,
  ]);
  return rows[0];
}

/** Newest first. Each combination of filters is a statement of its own. */
export function listRequests(
  queries: Queries,
  search: {
    readonly tenant: string;
    readonly kind: string | undefined;
    readonly status: string | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly RightsRow[]> {
  const values: unknown[] = [search.tenant, search.limit];
  let text = shown;
  let name = 'rights_list';
  const filters = [
    ['kind', search.kind, '='],
    ['status', search.status, '='],
    ['request', search.after, '<'],
  ] as const;
  for (const [column, value, comparison] of filters) {
    if (value === undefined) continue;
    values.push(value);
    text += ` and r.${column} ${comparison} $${values.length}`;
    name += `_${column}`;
  }
  return queries.query<RightsRow>(name, `${text} order by r.request desc limit $2`, values);
}

/** `asked` becomes `running` or `refused`, once. Answers the status it had before; undefined when there is none. */
export async function decideAsked(
  queries: Queries,
  decision: {
    readonly tenant: string;
    readonly request: string;
    readonly grant: boolean;
    readonly reason: Buffer;
    readonly actor: string;
  },
): Promise<RightsStatus | undefined> {
  const rows = await queries.query<{ readonly status: RightsStatus }>(
    'rights_decide',
    `with before as materialized (
        select r.tenant, r.request, r.status from rights_requests r
          where r.tenant = $1 and r.request = $2 and r.part_of is null for update
      ), decided as (
        update rights_requests r
          set status = case when $3 then 'running' else 'refused' end, taken_until = platform_now(), decided_by = $4,
              decision = case when r.request = $2 then $5::bytea end,
              finished_at = case when $3 then null else platform_now() end
          from before b
          where r.tenant = $1 and (r.request = b.request or r.part_of = b.request) and r.status = 'asked'
            and b.status = 'asked'
          returning r.request, r.party
      ), told as (
        insert into ledger (tenant, entry, kind, actor, party, subject)
          select $1, new_id('led_'), case when $3 then 'privacy.erasure-granted' else 'privacy.erasure-refused' end, $4,
              d.party, $2
            from decided d
      )
      select b.status, case when b.status = 'asked' then emit_event($1,
          case when $3 then 'privacy.erasure-granted' else 'privacy.erasure-refused' end, null, $2,
          jsonb_build_object('request', $2::text)) end as told
        from before b`,
    [decision.tenant, decision.request, decision.grant, decision.actor, decision.reason],
  );
  return rows[0]?.status;
}

export async function liftRestriction(
  queries: Queries,
  tenant: string,
  request: string,
  actor: string,
): Promise<RightsStatus | undefined> {
  const rows = await queries.query<{ readonly status: RightsStatus | null }>(
    'rights_lift',
    'select lift_restriction($1, $2, $3, platform_now()) as status',
    [tenant, request, actor],
  );
  return rows[0]?.status ?? undefined;
}

// ---------------------------------------------------------------- work

export interface WorkRow {
  readonly tenant: string;
  readonly request: string;
  readonly kind: 'export' | 'erase';
  readonly requested_by: string;
  readonly attempts: number;
}

export function takeRequests(queries: Queries, limit: number, seconds: number): Promise<readonly WorkRow[]> {
  return queries.query<WorkRow>(
    'rights_take',
    'select tenant, request, kind, requested_by, attempts from take_rights_requests($1, $2)',
    [limit, seconds],
  );
}

/** The one and its parts. */
export function readParts(
  queries: Queries,
  tenant: string,
  request: string,
): Promise<
  readonly {
    readonly request: string;
    readonly party: string;
    readonly receipt: Readonly<Record<string, unknown>> | null;
  }[]
> {
  return queries.query(
    'rights_parts',
    `select r.request, r.party, r.receipt from rights_requests r
      where r.tenant = $1 and (r.request = $2 or r.part_of = $2) order by r.request`,
    [tenant, request],
  );
}

export async function extendLease(
  queries: Queries,
  tenant: string,
  request: string,
  seconds: number,
): Promise<void> {
  await queries.query(
    'rights_extend',
    `update rights_requests r set taken_until = platform_now() + make_interval(secs => $3)
      where r.tenant = $1 and r.request = $2 and r.status = 'running'`,
    [tenant, request, seconds],
  );
}

/** Done or failed, with its receipt; the ledger and the tenant's systems hear of it. False: it was over already. */
export async function finishRequest(
  queries: Queries,
  end: {
    readonly tenant: string;
    readonly request: string;
    readonly status: 'done' | 'failed';
    readonly receipt: Readonly<Record<string, unknown>> | undefined;
    readonly kind: string;
    readonly actor: string;
    readonly details: Readonly<Record<string, unknown>>;
  },
): Promise<boolean> {
  const rows = await queries.query<{ readonly done: boolean }>(
    'rights_finish',
    `with ended as (
        update rights_requests r
          set status = $3, finished_at = platform_now(),
              receipt = case when r.request = $2 then coalesce($4::jsonb, r.receipt) else r.receipt end
          where r.tenant = $1 and (r.request = $2 or r.part_of = $2) and r.status = 'running'
          returning r.request, r.party, r.kind
      ), also as (
        -- What they asked for themselves meanwhile is done with it.
        update rights_requests r set status = 'done', finished_at = platform_now()
          from ended e where $3 = 'done' and e.kind = 'erase' and r.tenant = $1 and r.party = e.party and r.kind = 'erase'
            and r.status = 'asked'
      ), told as (
        insert into ledger (tenant, entry, kind, actor, party, subject, details)
          select $1, new_id('led_'), $5, $6, e.party, $2, $7::jsonb from ended e
      )
      select true as done, emit_event($1, $5, null, $2, jsonb_build_object('request', $2::text)) as told
        from ended e where e.request = $2`,
    [
      end.tenant,
      end.request,
      end.status,
      end.receipt === undefined ? null : JSON.stringify(end.receipt),
      end.kind,
      end.actor,
      JSON.stringify(end.details),
    ],
  );
  return rows.length > 0;
}

// ---------------------------------------------------------------- exports

/** Nothing is kept for somebody who is being erased: the party's lock and the key say so. False then. */
export async function keepExport(
  queries: Queries,
  one: {
    readonly tenant: string;
    readonly request: string;
    readonly party: string;
    readonly partyKey: string;
    readonly content: Buffer;
    readonly days: number;
  },
): Promise<boolean> {
  await queries.query(
    'rights_lock_party',
    'select from parties y where y.tenant = $1 and y.party = $2 for share',
    [one.tenant, one.party],
  );
  const rows = await queries.query(
    'rights_keep_export',
    `insert into rights_exports (tenant, request, party, party_key, content, expires_at)
      select $1, $2, k.party, k.party_key, $5, platform_now() + make_interval(days => $6) from party_keys k
        where k.tenant = $1 and k.party = $3 and k.party_key = $4
      on conflict (tenant, request) do update
        set party_key = excluded.party_key, content = excluded.content, expires_at = excluded.expires_at
      returning true`,
    [one.tenant, one.request, one.party, one.partyKey, one.content, one.days],
  );
  return rows.length > 0;
}

export interface ExportRow {
  readonly party: string;
  readonly content: Buffer;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

/** Nobody reads it without the ledger saying so: one statement does both. */
export async function readExport(
  queries: Queries,
  tenant: string,
  request: string,
  actor: string,
): Promise<ExportRow | undefined> {
  const rows = await queries.query<ExportRow>(
    'rights_read_export',
    `with e as (
        select e.party, e.content, e.party_key from rights_exports e
          where e.tenant = $1 and e.request = $2 and e.expires_at > platform_now()
      ), told as (
        insert into ledger (tenant, entry, kind, actor, party, subject)
          select $1, new_id('led_'), 'privacy.export-read', $3, e.party, $2 from e
      )
      select e.party, e.content, k.party_key, k.wrapped, k.tenant_key_version from e
        left join party_keys k on k.tenant = $1 and k.party = e.party and k.party_key = e.party_key`,
    [tenant, request, actor],
  );
  return rows[0];
}

export async function forgetExports(queries: Queries, limit: number): Promise<number> {
  const rows = await queries.query(
    'rights_forget_exports',
    `delete from rights_exports e using (
        select d.tenant, d.request from rights_exports d where d.expires_at <= platform_now()
          order by d.expires_at limit $1 for update skip locked
      ) x where e.tenant = x.tenant and e.request = x.request returning true`,
    [limit],
  );
  return rows.length;
}

// ---------------------------------------------------------------- breach report

export interface AffectedRow {
  readonly party: string;
  readonly sessions: number;
  readonly first: Date;
  readonly last: Date;
  readonly kinds: readonly string[];
  readonly entries: number;
  readonly country: string | null;
  readonly phone: Buffer | null;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

/**
 * Who was touched by entries of a time: by name, or as everybody of the session that an entry is about. `kinds` are
 * patterns of LIKE; null: any. Ids of entries hold their time, to some minutes: that is what the key is searched by.
 */
export function affectedPeople(
  queries: Queries,
  question: {
    readonly tenant: string;
    readonly from: Date;
    readonly to: Date;
    readonly actor: string | undefined;
    readonly kinds: readonly string[] | undefined;
    readonly limit: number;
  },
): Promise<readonly AffectedRow[]> {
  return queries.query<AffectedRow>(
    'rights_affected',
    `with e as materialized (
        select l.at, l.kind, l.session, l as whole from ledger l
          where l.tenant = $1 and l.at >= $2 and l.at < $3
            and l.entry >= 'led_' || lpad(to_hex((extract(epoch from $2::timestamptz - interval '1 hour') * 4096000)::bigint), 15, '0')
            and l.entry < 'led_' || lpad(to_hex((extract(epoch from $3::timestamptz + interval '1 hour') * 4096000)::bigint), 15, '0')
            and ($4::text is null or l.actor = $4)
            and ($5::text[] is null or l.kind like any ($5))
            and l.kind <> 'privacy.breach-report'
      ), touched as (
        select x.party, e.session, e.at, e.kind from e cross join lateral ledger_parties(e.whole) as x(party)
      ), people as (
        select t.party, count(distinct t.session)::integer as sessions, min(t.at) as first, max(t.at) as last,
            array_agg(distinct t.kind order by t.kind) as kinds
          from touched t group by t.party order by min(t.at), t.party limit $6
      )
      select p.party, p.sessions, p.first, p.last, p.kinds, (select count(*)::integer from e) as entries,
          y.country, y.phone, k.party_key, k.wrapped, k.tenant_key_version
        from people p
        left join parties y on y.tenant = $1 and y.party = p.party
        left join party_keys k on k.tenant = $1 and k.party = y.party and k.party_key = y.phone_key
        order by p.first, p.party`,
    [
      question.tenant,
      question.from,
      question.to,
      question.actor ?? null,
      question.kinds ?? null,
      question.limit,
    ],
  );
}

/** The report is an entry itself. */
export async function noteBreachReport(
  queries: Queries,
  note: {
    readonly tenant: string;
    readonly actor: string;
    readonly details: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await queries.query(
    'rights_note_breach_report',
    `insert into ledger (tenant, entry, kind, actor, details)
      values ($1, new_id('led_'), 'privacy.breach-report', $2, $3::jsonb)`,
    [note.tenant, note.actor, JSON.stringify(note.details)],
  );
}
