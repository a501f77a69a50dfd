/**
 * Everything held on a person, for an export: each statement takes the person's parties. Of others only what names
 * them in ciphertext is read, so that it can be taken out of free text.
 */
import type { Queries } from '../types.ts';

interface Sealed {
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

export interface SubjectPartyRow extends Sealed {
  readonly party: string;
  readonly country: string;
  readonly created_at: Date;
  readonly phone: Buffer | null;
}

export function subjectParties(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
): Promise<readonly SubjectPartyRow[]> {
  return queries.query<SubjectPartyRow>(
    'subject_parties',
    `select y.party, y.country, y.created_at, y.phone, k.party_key, k.wrapped, k.tenant_key_version from parties y
      left join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
      where y.tenant = $1 and y.party = any ($2::text[])`,
    [tenant, parties],
  );
}

export interface SubjectSeatRow extends Sealed {
  readonly session: string;
  readonly reference: string | null;
  readonly status: string;
  readonly recording: string;
  readonly created_at: Date;
  readonly opens_at: Date | null;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
  readonly close_reason: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly participant: string;
  readonly role: string;
  readonly locale: string | null;
  readonly time_zone: string | null;
  readonly reach: string;
  readonly joined_at: Date;
  readonly left_at: Date | null;
  readonly e164: string;
  readonly name: Buffer | null;
  readonly name_party: string | null;
}

/** Newest first. */
export function subjectSeats(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
  limit: number,
): Promise<readonly SubjectSeatRow[]> {
  return queries.query<SubjectSeatRow>(
    'subject_seats',
    `select s.session, s.reference, s.status, s.recording, s.created_at, s.opens_at, s.expires_at, s.closed_at,
        s.close_reason, s.metadata, p.participant, p.role, p.locale, p.time_zone, p.reach, p.joined_at, p.left_at, n.e164,
        p.name, p.name_party, k.party_key, k.wrapped, k.tenant_key_version
      from (select distinct h.session, h.participant from participant_phones h
          where h.tenant = $1 and h.party = any ($2::text[])) x
      join participants p on p.tenant = $1 and p.session = x.session and p.participant = x.participant
      join sessions s on s.tenant = $1 and s.session = x.session
      join numbers n on n.tenant = $1 and n.number = p.number
      left join party_keys k on k.tenant = $1 and k.party = p.name_party and k.party_key = p.name_key
      order by s.session desc limit $3`,
    [tenant, parties, limit],
  );
}

export interface SubjectOtherRow extends Sealed {
  readonly session: string;
  readonly participant: string;
  readonly role: string;
  readonly party: string | null;
  readonly phone: Buffer | null;
  readonly name: Buffer | null;
  readonly name_party: string | null;
  readonly name_key: string | null;
  readonly name_wrapped: Buffer | null;
  readonly name_version: number | null;
}

/** The others of these sessions. */
export function subjectOthers(
  queries: Queries,
  tenant: string,
  sessions: readonly string[],
  own: readonly string[],
): Promise<readonly SubjectOtherRow[]> {
  return queries.query<SubjectOtherRow>(
    'subject_others',
    `select p.session, p.participant, p.role, h.party, y.phone, k.party_key, k.wrapped, k.tenant_key_version,
        p.name, p.name_party, p.name_key, m.wrapped as name_wrapped, m.tenant_key_version as name_version
      from participants p
      left join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
      left join parties y on y.tenant = h.tenant and y.party = h.party
      left join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
      left join party_keys m on m.tenant = p.tenant and m.party = p.name_party and m.party_key = p.name_key
      where p.tenant = $1 and p.session = any ($2::text[]) and p.participant <> all ($3::text[])`,
    [tenant, sessions, own],
  );
}

export interface SubjectCallRow {
  readonly call: string;
  readonly kind: string;
  readonly session: string;
  readonly participant: string | null;
  readonly callee: string | null;
  readonly e164: string | null;
  readonly status: string;
  readonly outcome: string | null;
  readonly refusal: string | null;
  readonly hangup_by: string | null;
  readonly hangup_cause: string | null;
  readonly started_at: Date;
  readonly answered_at: Date | null;
  readonly ended_at: Date | null;
  readonly survey: {
    readonly participant?: unknown;
    readonly digit?: unknown;
    readonly key?: unknown;
  } | null;
}

/** Those that they made, answered, or were rung for. */
export function subjectCalls(
  queries: Queries,
  tenant: string,
  sessions: readonly string[],
  participants: readonly string[],
  limit: number,
): Promise<readonly SubjectCallRow[]> {
  return queries.query<SubjectCallRow>(
    'subject_calls',
    `select c.call, c.kind, c.session, c.participant, c.callee, n.e164, c.status, c.outcome, c.refusal, c.hangup_by,
        c.hangup_cause, c.started_at, c.answered_at, c.ended_at, c.survey
      from calls c left join numbers n on n.tenant = c.tenant and n.number = c.number
      where c.tenant = $1 and c.session = any ($2::text[])
        and (c.participant = any ($3::text[]) or c.callee = any ($3) or exists (
          select from call_legs l where l.tenant = c.tenant and l.call = c.call and l.participant = any ($3)))
      order by c.call desc limit $4`,
    [tenant, sessions, participants, limit],
  );
}

export interface SubjectLegRow {
  readonly call: string;
  readonly direction: string;
  readonly e164: string | null;
  readonly sip_status: number | null;
  readonly started_at: Date;
  readonly answered_at: Date | null;
  readonly ended_at: Date | null;
  readonly quality: Readonly<Record<string, unknown>> | null;
}

export function subjectLegs(
  queries: Queries,
  tenant: string,
  calls: readonly string[],
  participants: readonly string[],
): Promise<readonly SubjectLegRow[]> {
  return queries.query<SubjectLegRow>(
    'subject_legs',
    `select l.call, l.direction, n.e164, l.sip_status, l.started_at, l.answered_at, l.ended_at, l.quality
      from call_legs l left join numbers n on n.tenant = l.tenant and n.number = l.number
      where l.tenant = $1 and l.call = any ($2::text[]) and l.participant = any ($3::text[]) order by l.call, l.position`,
    [tenant, calls, participants],
  );
}

export interface SubjectRecordingRow {
  readonly recording: string;
  readonly call: string;
  readonly kind: string;
  readonly status: string;
  readonly started_at: Date;
  readonly milliseconds: number | null;
  readonly deleted_at: Date | null;
  readonly held: boolean;
}

/** In which they are heard, the ones that were deleted too. */
export function subjectRecordings(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
  sessions: readonly string[],
  limit: number,
): Promise<readonly SubjectRecordingRow[]> {
  return queries.query<SubjectRecordingRow>(
    'subject_recordings',
    `select r.recording, r.call, r.kind, r.status, r.started_at, r.milliseconds, r.deleted_at, on_hold($1, r.session) as held
      from calls c join recordings r on r.tenant = c.tenant and r.call = c.call
      where c.tenant = $1 and c.session = any ($3::text[]) and r.parties && $2::text[]
      order by r.recording desc limit $4`,
    [tenant, parties, sessions, limit],
  );
}

export interface SubjectVoicemailRow {
  readonly recording: string;
  readonly left_at: Date;
  readonly heard_at: Date | null;
}

export function subjectVoicemails(
  queries: Queries,
  tenant: string,
  participants: readonly string[],
): Promise<readonly SubjectVoicemailRow[]> {
  return queries.query<SubjectVoicemailRow>(
    'subject_voicemails',
    `select v.recording, v.left_at, v.heard_at from voicemails v
      where v.tenant = $1 and v.participant = any ($2::text[]) order by v.left_at desc`,
    [tenant, participants],
  );
}

export interface SubjectNumberRow {
  readonly e164: string;
  readonly bound_at: Date;
  readonly released_at: Date | null;
  readonly late_attempts: number;
}

/** Virtual numbers that they have, or had last. */
export function subjectNumbers(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
  limit: number,
): Promise<readonly SubjectNumberRow[]> {
  return queries.query<SubjectNumberRow>(
    'subject_numbers',
    `select n.e164, b.bound_at, b.released_at, b.late_attempts from bindings b
      join numbers n on n.tenant = b.tenant and n.number = b.number
      where b.tenant = $1 and b.party = any ($2::text[]) order by b.bound_at desc limit $3`,
    [tenant, parties, limit],
  );
}

export interface SubjectBlockRow {
  readonly block: string;
  readonly theirs: boolean;
  readonly everybody: boolean;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly lifted_at: Date | null;
}

export function subjectBlocks(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
  limit: number,
): Promise<readonly SubjectBlockRow[]> {
  return queries.query<SubjectBlockRow>(
    'subject_blocks',
    `select distinct b.block, b.party = any ($2::text[]) as theirs, b.counterpart is null as everybody, b.created_at,
        b.expires_at, b.lifted_at
      from blocks b
      where b.tenant = $1 and (b.party = any ($2::text[]) or b.counterpart = any ($2)) and b.request is null
      order by b.block desc limit $3`,
    [tenant, parties, limit],
  );
}

export interface SubjectDisputeRow {
  readonly dispute: string;
  readonly session: string;
  readonly category: string;
  readonly status: string;
  readonly verdict: string | null;
  readonly opened_at: Date;
  readonly theirs: boolean;
  readonly statement: Buffer | null;
}

/** Opened by them, with what they said; and about them, without what was said. */
export function subjectDisputes(
  queries: Queries,
  tenant: string,
  sessions: readonly string[],
  participants: readonly string[],
): Promise<readonly SubjectDisputeRow[]> {
  return queries.query<SubjectDisputeRow>(
    'subject_disputes',
    `select d.dispute, d.session, d.category, d.status, d.verdict, d.opened_at,
        d.opener_kind <> 'operator' and d.opener = any ($3::text[]) as theirs,
        case when d.opener_kind <> 'operator' and d.opener = any ($3) then d.statement end as statement
      from disputes d
      where d.tenant = $1 and d.session = any ($2::text[])
        and ((d.opener_kind <> 'operator' and d.opener = any ($3)) or d.against = any ($3))
      order by d.dispute desc`,
    [tenant, sessions, participants],
  );
}

export interface SubjectClaimRow {
  readonly session: string;
  readonly expires_at: Date | null;
}

/** Codes for further phones that still work. */
export function subjectClaims(
  queries: Queries,
  tenant: string,
  sessions: readonly string[],
  participants: readonly string[],
): Promise<readonly SubjectClaimRow[]> {
  return queries.query<SubjectClaimRow>(
    'subject_claims',
    `select k.session, k.expires_at from pins k
      where k.tenant = $1 and k.session = any ($2::text[]) and k.participant = any ($3::text[]) and k.kind = 'claim'
      order by k.expires_at`,
    [tenant, sessions, participants],
  );
}

export interface SubjectEntryRow {
  readonly entry: string;
  readonly at: Date;
  readonly kind: string;
  readonly actor: string;
  readonly session: string | null;
  readonly subject: string | null;
  readonly reason: string | null;
  readonly call: string | null;
}

/** Entries that name them, and those of their sessions that name nobody else. */
export function subjectEntries(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
  sessions: readonly string[],
  participants: readonly string[],
  limit: number,
): Promise<readonly SubjectEntryRow[]> {
  return queries.query<SubjectEntryRow>(
    'subject_entries',
    `select l.entry, l.at, l.kind, l.actor, l.session, l.subject, l.details ->> 'reason' as reason,
        l.details ->> 'call' as call
      from ledger l join (
        select l.entry from ledger l where l.tenant = $1 and l.party = any ($2::text[]) and l.sequence is not null
        union
        select l.entry from ledger l where l.tenant = $1 and l.party = any ($2::text[]) and l.sequence is null
        union
        select l.entry from ledger l where l.tenant = $1 and l.session = any ($3::text[]) and l.party is null
          and (l.subject is null or l.subject not like 'par\\_%' or l.subject = any ($4::text[]))
      ) x on x.entry = l.entry
      where l.tenant = $1 order by l.entry desc limit $5`,
    [tenant, parties, sessions, participants, limit],
  );
}

export interface SubjectRequestRow {
  readonly request: string;
  readonly kind: string;
  readonly status: string;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly finished_at: Date | null;
}

export function subjectRequests(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
): Promise<readonly SubjectRequestRow[]> {
  return queries.query<SubjectRequestRow>(
    'subject_requests',
    `select distinct r.request, r.kind, r.status, r.requested_by, r.requested_at, r.finished_at
      from rights_requests x join rights_requests r on r.tenant = x.tenant and r.request = coalesce(x.part_of, x.request)
      where x.tenant = $1 and x.party = any ($2::text[]) order by r.request desc`,
    [tenant, parties],
  );
}

/** The tenant's name and what it decided on keeping; null: nothing. */
export async function tenantRules(
  queries: Queries,
  tenant: string,
): Promise<{ readonly name: string; readonly retention: Readonly<Record<string, unknown>> | null }> {
  const rows = await queries.query<{
    readonly name: string;
    readonly retention: Readonly<Record<string, unknown>> | null;
  }>(
    'subject_tenant_rules',
    `select coalesce(nullif(t.settings ->> 'businessName', ''), t.name) as name, t.settings -> 'retention' as retention from tenants t where t.tenant = $1`,
    [tenant],
  );
  return rows[0] ?? { name: '', retention: null };
}
