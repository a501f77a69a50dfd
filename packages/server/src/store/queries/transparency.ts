import type { Queries } from '../types.ts';

/** Days for which a participant sees their page after their part in the session has ended. */
const shownDays = 90;

export interface TransparencyRow {
  readonly session: string;
  readonly participant: string;
  readonly role: string;
  readonly locale: string;
  readonly time_zone: string;
  readonly left_at: Date | null;
  readonly number: string;
  readonly tenant_name: string;
  readonly reference: string | null;
  readonly status: 'scheduled' | 'open' | 'after-close' | 'closed' | 'expired';
  readonly opened_at: Date;
  readonly expires_at: Date;
  readonly after_until: Date | null;
  readonly ended_at: Date | null;
  readonly recording: 'off' | 'announce' | 'consent';
  readonly after_close: {
    readonly seconds: number;
    readonly allow: readonly { readonly from: string; readonly to: string }[];
  } | null;
  readonly narrowed: boolean;
  /** The tenant's, as they are stored. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Where the numbers of everybody in the session are from. */
  readonly countries: readonly string[];
  readonly blocked: boolean;
  readonly reported: boolean;
  readonly erasure_asked: boolean;
}

/**
 * Whose link this digest is: one statement, whatever the digest is. Nothing for one that never was, was taken back or
 * renewed, or whose time is over.
 */
export async function findTransparency(
  queries: Queries,
  tenant: string,
  digest: Buffer,
): Promise<TransparencyRow | undefined> {
  const rows = await queries.query<TransparencyRow>(
    'find_transparency',
    `with found as (
        select p.session, p.participant from participants p
          where p.tenant = $1 and p.transparency_digest = $2 and p.transparency_version = 1
        union all
        select l.session, l.participant from transparency_links l
          join participants p on p.tenant = l.tenant and p.session = l.session and p.participant = l.participant
          where l.tenant = $1 and l.digest = $2 and p.transparency_version = l.version
      )
      select p.session, p.participant, p.role, coalesce(p.locale, t.default_locale) as locale,
          coalesce(p.time_zone, t.settings ->> 'timeZone', 'UTC') as time_zone, p.left_at, n.e164 as number,
          coalesce(nullif(t.settings ->> 'businessName', ''), t.name) as tenant_name, s.reference,
          case
            when p.left_at is not null then 'closed'
            when s.status <> 'open' then case when s.after_until > x.now then 'after-close' else s.status end
            when x.due <= x.now then 'expired'
            when s.opens_at > x.now then 'scheduled'
            else 'open'
          end as status,
          greatest(p.joined_at, s.opens_at) as opened_at, s.expires_at, s.after_until,
          case when x.ended_at <= x.now then x.ended_at end as ended_at,
          s.recording, s.after_close,
          s.program is not null or coalesce(s.rules ?| array['program', 'schedule', 'limits'], false)
            or exists (select from programs g where g.tenant = $1 and g.is_default and g.deleted_at is null) as narrowed,
          t.settings, c.countries,
          (select coalesce(bool_and(blocked_by($1, p.participant, o.party, x.now)), false)
            from unnest(phones_of_others($1, p.session, p.participant)) as o(party)) as blocked,
          exists (select from disputes d where d.tenant = $1 and d.session = p.session and d.status <> 'resolved'
            and d.opener_kind = 'participant' and d.opener = p.participant) as reported,
          exists (select from rights_requests r where r.tenant = $1 and r.kind = 'erase'
            and r.status in ('asked', 'running', 'done')
            and r.party = any (phones_of($1, p.session, p.participant))) as erasure_asked
        from found f
        join participants p on p.tenant = $1 and p.session = f.session and p.participant = f.participant
        join sessions s on s.tenant = p.tenant and s.session = p.session
        join numbers n on n.tenant = p.tenant and n.number = p.number
        join tenants t on t.tenant = p.tenant
        cross join lateral (
          select array(select distinct y.country from participant_phones h
            join parties y on y.tenant = h.tenant and y.party = h.party
            where h.tenant = p.tenant and h.session = p.session) as countries
        ) c
        cross join lateral (
          select z.now, z.due, participation_ended(p.left_at, s.status, s.closed_at, s.after_until, z.due, z.now) as ended_at
            from (select platform_now() as now, least(s.expires_at, s.idle_expires_at) as due) z
        ) x
        where x.ended_at is null or x.ended_at > x.now - make_interval(days => $3)`,
    [tenant, digest, shownDays],
  );
  return rows[0];
}

export interface OtherPersonRow {
  readonly participant: string;
  readonly role: string;
  readonly may_start: boolean;
  readonly is_open: boolean;
  /** By the participant who looks. */
  readonly blocked: boolean;
}

/** Who else takes part at the moment. */
export function readOthers(
  queries: Queries,
  tenant: string,
  session: string,
  participant: string,
): Promise<readonly OtherPersonRow[]> {
  return queries.query<OtherPersonRow>(
    'read_transparency_others',
    `select p.participant, p.role, p.may_start, p.is_open,
        (select coalesce(bool_and(blocked_by($1, $3, h.party, platform_now())), false)
          from participant_phones h where h.tenant = p.tenant and h.session = p.session
            and h.participant = p.participant) as blocked
      from participants p
      where p.tenant = $1 and p.session = $2 and p.participant <> $3 and p.left_at is null order by p.position`,
    [tenant, session, participant],
  );
}

export interface OwnCallRow {
  readonly call: string;
  readonly caller: string | null;
  readonly callee: string | null;
  readonly status: 'ringing' | 'answered' | 'ended';
  readonly outcome: string | null;
  readonly started_at: Date;
  readonly answered_at: Date | null;
  readonly ended_at: Date | null;
  readonly recording_status: string | null;
}

/** Calls that reached the participant or that they made, the newest first. */
export function readOwnCalls(
  queries: Queries,
  tenant: string,
  session: string,
  participant: string,
  limit: number,
): Promise<readonly OwnCallRow[]> {
  return queries.query<OwnCallRow>(
    'read_own_calls',
    `select c.call, c.participant as caller, c.callee, c.status, c.outcome, c.started_at, c.answered_at, c.ended_at,
        (select r.status from recordings r where r.tenant = c.tenant and r.call = c.call
          order by r.status = 'deleted', r.recording limit 1) as recording_status
      from calls c
      where c.tenant = $1 and c.session = $2 and (c.participant = $3 or c.callee = $3 or exists (
        select from call_legs l where l.tenant = c.tenant and l.call = c.call and l.participant = $3))
      order by c.started_at desc, c.call desc limit $4`,
    [tenant, session, participant, limit],
  );
}

export interface OwnUseRow {
  readonly at: Date;
  readonly kind: 'listen' | 'reveal' | 'download' | 'export' | 'erase' | 'restrict';
  readonly actor: string;
  readonly call: string | null;
  readonly reason: string | null;
}

/**
 * What was done with the participant's data: of this session, from the ledger; of the person, from their requests. Who
 * listened to a recording of the session's concerns whoever was heard: the caller of this picks by call.
 */
export function readUses(
  queries: Queries,
  tenant: string,
  session: string,
  participant: string,
  limit: number,
): Promise<readonly OwnUseRow[]> {
  return queries.query<OwnUseRow>(
    'read_transparency_uses',
    `select * from (
        select l.at, case
            when l.kind in ('listen', 'recording.listened') then 'listen'
            when l.kind in ('reveal', 'phone.revealed') then 'reveal'
            else 'download' end as kind,
          l.actor, l.details ->> 'call' as call, l.details ->> 'reason' as reason
        from ledger l where l.tenant = $1 and l.session = $2
          and (l.kind in ('listen', 'recording.listened', 'recording.downloaded')
            or (l.kind in ('reveal', 'phone.revealed') and l.subject = $3))
        union all
        select r.requested_at, r.kind, r.requested_by, null, null from rights_requests r
          where r.tenant = $1 and r.party = any (phones_of($1, $2, $3)) and r.status not in ('asked', 'refused')
      ) x order by x.at desc limit $4`,
    [tenant, session, participant, limit],
  );
}

export async function blockOthers(
  queries: Queries,
  tenant: string,
  session: string,
  participant: string,
  block: string,
): Promise<'already' | 'unreachable' | null> {
  const rows = await queries.query<{ readonly failure: 'already' | 'unreachable' | null }>(
    'block_others',
    'select block_others($1, $2, $3, $4) as failure',
    [tenant, session, participant, block],
  );
  return rows[0]?.failure ?? null;
}

/** Undefined: there is no such participant. */
export async function readLinkVersion(
  queries: Queries,
  tenant: string,
  session: string,
  participant: string,
): Promise<number | undefined> {
  const rows = await queries.query<{ readonly version: number }>(
    'read_link_version',
    `select p.transparency_version as version from participants p
      where p.tenant = $1 and p.session = $2 and p.participant = $3`,
    [tenant, session, participant],
  );
  return rows[0]?.version;
}

/** False: somebody else was faster. `digest` undefined: the link is taken back and none takes its place. */
export async function changeLink(
  queries: Queries,
  link: {
    readonly tenant: string;
    readonly session: string;
    readonly participant: string;
    readonly version: number;
    readonly digest: Buffer | undefined;
    readonly actor: string;
  },
): Promise<boolean> {
  const rows = await queries.query<{ readonly changed: boolean }>(
    'change_transparency_link',
    'select change_transparency_link($1, $2, $3, $4, $5, $6) as changed',
    [link.tenant, link.session, link.participant, link.version, link.digest ?? null, link.actor],
  );
  return rows[0]?.changed ?? false;
}
