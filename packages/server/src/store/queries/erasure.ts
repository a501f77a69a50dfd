/** The destruction of what is held on a party, what must be kept of it for a time, and what goes when it is old. */
import type { Queries } from '../types.ts';

export interface ErasedPartyRow {
  readonly erased: boolean;
  readonly phone: Buffer | null;
  readonly country: string;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

/** Within a transaction: the party is locked until its end. Rejects with 55P03 while its keys are being rotated. */
export async function beginErasure(
  queries: Queries,
  tenant: string,
  party: string,
): Promise<ErasedPartyRow | undefined> {
  const rows = await queries.query<ErasedPartyRow>('begin_erasure', 'select * from begin_erasure($1, $2)', [
    tenant,
    party,
  ]);
  return rows[0];
}

/** Days that the tenant must keep numbers and call records; 0 where it said nothing, or nothing usable. */
export async function legalFloorDays(queries: Queries, tenant: string): Promise<number> {
  const rows = await queries.query<{ readonly days: string | null }>(
    'rights_legal_floor',
    `select t.settings -> 'retention' ->> 'legalFloorDays' as days from tenants t where t.tenant = $1`,
    [tenant],
  );
  return wholeDays(rows[0]?.days);
}

function wholeDays(text: string | null | undefined): number {
  const days = Number(text ?? 0);
  return Number.isInteger(days) && days > 0 && days <= 36_500 ? days : 0;
}

export interface HeldRecordingRow {
  readonly recording: string;
  readonly wrapped_key: Buffer;
  readonly parties: readonly string[];
  readonly party_keys: readonly string[];
}

export function heldRecordings(
  queries: Queries,
  tenant: string,
  party: string,
): Promise<readonly HeldRecordingRow[]> {
  return queries.query<HeldRecordingRow>(
    'rights_held_recordings',
    `select r.recording, r.wrapped_key, r.parties, r.party_keys from recordings_of($1, $2) r
      where on_hold($1, r.session) and not exists (select from legal_seals l where l.tenant = $1 and l.recording = r.recording)`,
    [tenant, party],
  );
}

export async function insertSeal(
  queries: Queries,
  seal: {
    readonly tenant: string;
    readonly seal: string;
    readonly request: string;
    readonly recording: string | undefined;
    readonly content: Buffer;
    readonly keepUntil: Date | undefined;
    readonly key: { readonly partyKey: string; readonly wrapped: Buffer; readonly tenantKeyVersion: number };
  },
): Promise<void> {
  await queries.query(
    'rights_insert_seal',
    `with key as (
        insert into party_keys (tenant, party, party_key, wrapped, tenant_key_version) values ($1, $2, $7, $8, $9)
      )
      insert into legal_seals (tenant, seal, request, recording, content, made_at, keep_until)
        values ($1, $2, $3, $4, $5, platform_now(), $6)`,
    [
      seal.tenant,
      seal.seal,
      seal.request,
      seal.recording ?? null,
      seal.content,
      seal.keepUntil ?? null,
      seal.key.partyKey,
      seal.key.wrapped,
      seal.key.tenantKeyVersion,
    ],
  );
}

/** Traffic data of a party, for what must be kept: the newest calls first. */
export function trafficData(
  queries: Queries,
  tenant: string,
  party: string,
  limit: number,
): Promise<
  readonly {
    readonly call: string;
    readonly session: string;
    readonly participant: string;
    readonly at: Date;
  }[]
> {
  return queries.query(
    'rights_traffic_data',
    `select c.call, c.session, h.participant, c.started_at as at from participant_phones h
      join calls c on c.tenant = h.tenant and c.session = h.session
      where h.tenant = $1 and h.party = $2 order by c.call desc limit $3`,
    [tenant, party, limit],
  );
}

/** What was destroyed; also written to the request's row. */
export async function eraseParty(
  queries: Queries,
  one: {
    readonly tenant: string;
    readonly request: string;
    readonly party: string;
    readonly actor: string;
    readonly keepUntil: Date | undefined;
  },
): Promise<void> {
  await queries.query('erase_party', 'select erase_party($1, $2, $3, $4, $5)', [
    one.tenant,
    one.request,
    one.party,
    one.actor,
    one.keepUntil ?? null,
  ]);
}

export interface ErasedValueRow {
  readonly kind: 'phone' | 'name' | 'export' | 'recording';
  readonly subject: string;
  readonly sealed: Buffer;
  readonly party_keys: readonly string[];
}

export function erasedValues(
  queries: Queries,
  tenant: string,
  requests: readonly string[],
): Promise<readonly ErasedValueRow[]> {
  return queries.query<ErasedValueRow>(
    'rights_erased_values',
    `select v.kind, v.subject, v.sealed, v.party_keys from erasure_values v
      where v.tenant = $1 and v.request = any ($2::text[]) order by v.value`,
    [tenant, requests],
  );
}

/** Keys of these requests' parties that are still there: each of their values needs one of them. */
export async function keysLeft(
  queries: Queries,
  tenant: string,
  requests: readonly string[],
): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'rights_keys_left',
    `select count(*)::integer as count from (
        select r.party from rights_requests r where r.tenant = $1 and r.request = any ($2::text[]) offset 0
      ) x
      cross join lateral (select k.party_key from party_keys k where k.tenant = $1 and k.party = x.party offset 0) k`,
    [tenant, requests],
  );
  return rows[0]?.count ?? 0;
}

export interface StoredKeyRow {
  readonly party: string;
  readonly party_key: string;
  readonly wrapped: Buffer;
  readonly tenant_key_version: number;
}

/** By the names that a recording keeps; fewer than asked for where one was destroyed. */
export function namedKeys(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
  partyKeys: readonly string[],
): Promise<readonly StoredKeyRow[]> {
  return queries.query<StoredKeyRow>(
    'rights_named_keys',
    `select k.party, k.party_key, k.wrapped, k.tenant_key_version from party_keys k
      join unnest($2::text[], $3::text[]) as x(party, party_key) on x.party = k.party and x.party_key = k.party_key
      where k.tenant = $1`,
    [tenant, parties, partyKeys],
  );
}

/** The keys that are left, newest parties first. */
export function keysBefore(
  queries: Queries,
  tenant: string,
  before: { readonly party: string; readonly partyKey: string } | undefined,
  limit: number,
): Promise<readonly StoredKeyRow[]> {
  return queries.query<StoredKeyRow>(
    'rights_keys_before',
    `select k.party, k.party_key, k.wrapped, k.tenant_key_version from party_keys k
      where k.tenant = $1 and (k.party, k.party_key) < ($2, $3) order by k.party desc, k.party_key desc limit $4`,
    [tenant, before?.party ?? '~', before?.partyKey ?? '~', limit],
  );
}

export async function dropValues(
  queries: Queries,
  tenant: string,
  requests: readonly string[],
): Promise<void> {
  await queries.query(
    'rights_drop_values',
    'delete from erasure_values v where v.tenant = $1 and v.request = any ($2::text[])',
    [tenant, requests],
  );
}

// ---------------------------------------------------------------- recordings

export interface DueRecordingRow {
  readonly tenant: string;
  readonly request: string;
  readonly recording: string;
  readonly call: string;
  readonly held: boolean;
  readonly status: string;
}

/** Files that are to go, of these requests (null: of any, when their time has come). */
export function dueRecordings(
  queries: Queries,
  requests: readonly string[] | null,
  limit: number,
): Promise<readonly DueRecordingRow[]> {
  return queries.query<DueRecordingRow>(
    'rights_due_recordings',
    `select x.tenant, x.request, x.recording, x.call, x.held, coalesce(r.status, 'deleted') as status from erasure_recordings x
      left join recordings r on r.tenant = x.tenant and r.recording = x.recording
      where x.try_at <= platform_now() and ($1::text[] is null or x.request = any ($1))
      order by x.try_at limit $2`,
    [requests, limit],
  );
}

/** Its key is gone: so is what was kept to open it. Without `file` it is looked for again. */
export async function recordingDeleted(
  queries: Queries,
  row: DueRecordingRow,
  fileGone: boolean,
): Promise<void> {
  await queries.query(
    'rights_recording_deleted',
    `with gone as (
        delete from erasure_recordings x where $3 and x.tenant = $1 and x.recording = $2
      ), left_over as (
        update erasure_recordings x set held = false, try_at = platform_now() + interval '1 minute'
          where not $3 and x.tenant = $1 and x.recording = $2
      ), seals as (
        delete from legal_seals l where l.tenant = $1 and l.recording = $2 returning l.seal, l.request
      ), keys as (
        delete from party_keys k using seals s where k.tenant = $1 and k.party = s.seal
      )
      insert into ledger (tenant, entry, kind, actor, subject, details)
        select $1, new_id('led_'), 'privacy.seal-shredded', 'retention', s.request,
            jsonb_build_object('seal', s.seal, 'recording', $2::text) from seals s`,
    [row.tenant, row.recording, fileGone],
  );
}

/** Of these requests: recordings that a hold keeps, and those of which something is still to be removed. */
export async function recordingsLeft(
  queries: Queries,
  tenant: string,
  requests: readonly string[],
): Promise<{ readonly held: number; readonly pending: number }> {
  const rows = await queries.query<{ readonly held: number; readonly pending: number }>(
    'rights_recordings_left',
    `select count(*) filter (where x.held)::integer as held, count(*) filter (where not x.held)::integer as pending
      from erasure_recordings x where x.tenant = $1 and x.request = any ($2::text[])`,
    [tenant, requests],
  );
  return rows[0] ?? { held: 0, pending: 0 };
}

export async function redactDisputes(
  queries: Queries,
  tenant: string,
  participants: readonly string[],
  actor: string,
): Promise<{ readonly redacted: number; readonly kept: number }> {
  const rows = await queries.query<{ readonly redacted: number; readonly kept: number }>(
    'rights_redact_disputes',
    'select redacted, kept from redact_disputes($1, $2::text[], $3)',
    [tenant, participants, actor],
  );
  return rows[0] ?? { redacted: 0, kept: 0 };
}

export async function recordingLater(queries: Queries, row: DueRecordingRow, held: boolean): Promise<void> {
  await queries.query(
    'rights_recording_later',
    `update erasure_recordings x set held = $4, try_at = platform_now() + make_interval(secs => $5)
      where x.tenant = $1 and x.request = $2 and x.recording = $3`,
    [row.tenant, row.request, row.recording, held, held ? 600 : 5],
  );
}

export interface OpenedSealRow {
  readonly seal: string;
  readonly content: Buffer;
  readonly party_key: string;
  readonly wrapped: Buffer;
  readonly tenant_key_version: number;
}

/** What is kept by law of a request and its parts; with the entry that says who opened it, and why. */
export function openSeals(
  queries: Queries,
  open: {
    readonly tenant: string;
    readonly request: string;
    readonly reason: string;
    readonly actor: string;
  },
): Promise<readonly OpenedSealRow[]> {
  return queries.query<OpenedSealRow>(
    'rights_open_seals',
    `with s as (
        select l.seal, l.request, l.content, k.party_key, k.wrapped, k.tenant_key_version
          from rights_requests r
          join legal_seals l on l.tenant = r.tenant and l.request = r.request and l.recording is null
          join party_keys k on k.tenant = l.tenant and k.party = l.seal
          where r.tenant = $1 and (r.request = $2 or r.part_of = $2)
      ), told as (
        insert into ledger (tenant, entry, kind, actor, subject, details)
          select $1, new_id('led_'), 'seal.opened', $4, s.request,
              jsonb_build_object('seal', s.seal, 'reason', $3::text) from s
      )
      select s.seal, s.content, s.party_key, s.wrapped, s.tenant_key_version from s order by s.seal`,
    [open.tenant, open.request, open.reason, open.actor],
  );
}

export async function shredSeals(queries: Queries, limit: number): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'rights_shred_seals',
    'select shred_seals($1, platform_now()) as count',
    [limit],
  );
  return rows[0]?.count ?? 0;
}

// ---------------------------------------------------------------- retention

/** Tenants that said how long calls are kept. What is not a whole number of days from 1 on is nothing said. */
export async function tenantsWithCallDays(
  queries: Queries,
): Promise<readonly { readonly tenant: string; readonly days: number }[]> {
  const rows = await queries.query<{
    readonly tenant: string;
    readonly days: string | null;
    readonly floor: string | null;
  }>(
    'rights_call_days',
    `select t.tenant, t.settings -> 'retention' ->> 'callDays' as days,
        t.settings -> 'retention' ->> 'legalFloorDays' as floor
      from tenants t where t.settings -> 'retention' ->> 'callDays' is not null order by t.tenant`,
    [],
  );
  return rows.flatMap((row) => {
    const days = wholeDays(row.days);
    return days === 0 ? [] : [{ tenant: row.tenant, days: Math.max(days, wholeDays(row.floor)) }];
  });
}

export interface Forgotten {
  readonly forgotten: number;
  /** Where the next batch begins; null: there is none. */
  readonly last: string | null;
}

export function forgetOld(
  queries: Queries,
  what: 'calls' | 'sessions' | 'parties',
  tenant: string,
  days: number,
  after: string,
  limit: number,
): Promise<Forgotten> {
  return queries
    .query<Forgotten>(
      `rights_forget_${what}`,
      `select forgotten, last from forget_${what}($1, platform_now() - make_interval(days => $2), $3, $4)`,
      [tenant, days, after, limit],
    )
    .then(([row]) => row ?? { forgotten: 0, last: null });
}

export async function noteRetention(
  queries: Queries,
  tenant: string,
  details: Readonly<Record<string, number>>,
): Promise<void> {
  await queries.query(
    'rights_note_retention',
    `insert into ledger (tenant, entry, kind, actor, details)
      values ($1, new_id('led_'), 'retention.ran', 'retention', $2::jsonb)`,
    [tenant, JSON.stringify(details)],
  );
}
