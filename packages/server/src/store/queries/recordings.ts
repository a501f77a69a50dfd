import type { Queries } from '../types.ts';

export interface PartyKeyRow {
  readonly party: string;
  readonly party_key: string;
  readonly wrapped: Buffer;
  readonly tenant_key_version: number;
}

/** The keys of the parties' phones: those that live as long as the party does. */
export function readPartyKeys(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
): Promise<readonly PartyKeyRow[]> {
  return queries.query<PartyKeyRow>(
    'read_party_keys',
    `select y.party, k.party_key, k.wrapped, k.tenant_key_version from parties y
      join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
      where y.tenant = $1 and y.party = any ($2::text[])`,
    [tenant, parties],
  );
}

/** What one person heard of being recorded, and what they answered. `at`: milliseconds. */
export interface HeardRow {
  readonly participant: string;
  readonly party: string;
  readonly answer: 'announced' | 'consented' | 'refused';
  readonly locale: string;
  readonly wording: string;
  readonly at: number;
}

/** An entry a person, about the call. `$1`: tenant. */
function heardEntries(call: string, session: string, heard: string): string {
  return `insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
          select $1, new_id('led_'), 'recording.' || h.answer, h.participant, h.party, ${session}, ${call},
              jsonb_build_object('participant', h.participant, 'locale', h.locale, 'wording', h.wording,
                'at', to_char(to_timestamp(h.at / 1000) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
            from jsonb_to_recordset(${heard}::jsonb) as h(participant text, party text, answer text, locale text, wording text,
              at double precision)`;
}

/** Somebody didn't agree, so nothing is recorded. */
export async function recordingRefused(
  queries: Queries,
  refused: {
    readonly tenant: string;
    readonly call: string;
    readonly session: string;
    readonly heard: readonly HeardRow[];
  },
): Promise<void> {
  await queries.query('recording_refused', heardEntries('$2', '$3', '$4'), [
    refused.tenant,
    refused.call,
    refused.session,
    JSON.stringify(refused.heard),
  ]);
}

/** With what both have heard, in the same statement: no recording without it. */
export async function insertRecording(
  queries: Queries,
  recording: {
    readonly tenant: string;
    readonly recording: string;
    readonly call: string;
    readonly session: string;
    readonly file: string;
    readonly wrappedKey: Buffer;
    readonly parties: readonly string[];
    readonly partyKeys: readonly string[];
    readonly announcement: Readonly<Record<string, string>>;
    /** A voicemail is for these participants; undefined for a talk. */
    readonly addressees: readonly string[] | undefined;
    readonly heard: readonly HeardRow[];
  },
): Promise<void> {
  await queries.query(
    'insert_recording',
    `with made as (
        insert into recordings (tenant, recording, call, session, file, wrapped_key, parties, party_keys, announcement, kind)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb,
            case when $10::text[] is null then 'talk' else 'voicemail' end)
      ), addressed as (
        insert into voicemails (tenant, participant, recording, left_at)
          select $1, x.participant, $2, platform_now() from unnest($10::text[]) as x(participant)
      ), heard as (
        ${heardEntries('$3', '$4', '$11')}
      )
      insert into ledger (tenant, entry, kind, actor, session, subject, details)
        values ($1, new_id('led_'), 'recording.started', 'switch', $4, $2, jsonb_build_object('call', $3::text))`,
    [
      recording.tenant,
      recording.recording,
      recording.call,
      recording.session,
      recording.file,
      recording.wrappedKey,
      recording.parties,
      recording.partyKeys,
      JSON.stringify(recording.announcement),
      recording.addressees ?? null,
      JSON.stringify(recording.heard),
    ],
  );
}

/** Its digest goes into the ledger, and so into the chain. */
export async function endRecording(
  queries: Queries,
  end: {
    readonly tenant: string;
    readonly recording: string;
    readonly status: string;
    readonly milliseconds: number;
    readonly bytes: number;
    readonly sha256: string;
  },
): Promise<void> {
  await queries.query(
    'end_recording',
    `with r as (
        update recordings set status = $3, ended_at = now(), milliseconds = $4::integer, bytes = $5::bigint, sha256 = $6
          where tenant = $1 and recording = $2 and status = 'recording' returning session, recording, kind, call
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), case when $3::text = 'complete' then 'recording.kept' else 'recording.failed' end,
              'switch', r.session, r.recording, jsonb_build_object('call', r.call, 'sha256', $6::text,
                'bytes', $5::bigint, 'milliseconds', $4::integer) from r
      )
      select emit_event($1, 'voicemail.left', r.session, r.recording, jsonb_build_object('call', r.call))
        from r where r.kind = 'voicemail' and $3::text = 'complete'`,
    [end.tenant, end.recording, end.status, end.milliseconds, end.bytes, end.sha256],
  );
}

/**
 * Stopped by somebody in the call: its key is destroyed though a hold stands, for it was never kept. False: it is not
 * there any more.
 */
export async function discardRecording(
  queries: Queries,
  discard: {
    readonly tenant: string;
    readonly recording: string;
    readonly participant: string;
    readonly party: string;
  },
): Promise<void> {
  await queries.query(
    'discard_recording',
    `select recording from shred_recordings($1, array[$2::text], 'discarded', 'recording.discarded', $3, $4,
        jsonb_build_object('participant', $3::text), true)`,
    [discard.tenant, discard.recording, discard.participant, discard.party],
  );
}

export interface RecordingRow {
  readonly recording: string;
  readonly file: string;
  readonly status: string;
  readonly bytes: string | null;
  readonly sha256: string | null;
  /** A party of it has asked that their data be left alone: there is no key then, and no entry. */
  readonly restricted: boolean;
  readonly wrapped_key: Buffer | null;
  readonly parties: readonly string[];
  readonly party_keys: readonly string[];
}

/** Nobody reads the key without the ledger saying so: one statement does both. */
export async function openRecording(
  queries: Queries,
  tenant: string,
  call: string,
  access: { readonly actor: string; readonly reason: string; readonly download?: string },
): Promise<RecordingRow | undefined> {
  const rows = await queries.query<RecordingRow>(
    'open_recording',
    `with r as (
        select recording, file, status, wrapped_key, parties, party_keys, session, bytes, sha256,
            restricted($1, parties) as restricted
          from recordings
          where tenant = $1 and call = $2 and status <> 'deleted' order by recording limit 1
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), coalesce($5, 'recording.listened'), $3, r.session, r.recording,
              jsonb_strip_nulls(jsonb_build_object('call', $2::text, 'reason', $4::text, 'download', $6::text))
            from r where not r.restricted
      )
      select recording, file, status, case when not restricted then wrapped_key end as wrapped_key, parties, party_keys,
          bytes::text, sha256, restricted
        from r`,
    [
      tenant,
      call,
      access.actor,
      access.reason,
      access.download === undefined ? null : 'recording.downloaded',
      access.download ?? null,
    ],
  );
  return rows[0];
}

/** Where people's numbers are from; `parties`: their ids. */
export function readCountries(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
): Promise<readonly { readonly party: string; readonly country: string }[]> {
  return queries.query(
    'read_countries',
    'select y.party, y.country from parties y where y.tenant = $1 and y.party = any ($2::text[])',
    [tenant, parties],
  );
}

/** By the names that the recording keeps: those that are gone were erased. */
export function readNamedPartyKeys(
  queries: Queries,
  tenant: string,
  parties: readonly string[],
  partyKeys: readonly string[],
): Promise<readonly PartyKeyRow[]> {
  return queries.query<PartyKeyRow>(
    'read_named_party_keys',
    `select k.party, k.party_key, k.wrapped, k.tenant_key_version from party_keys k
      join unnest($2::text[], $3::text[]) as x(party, party_key) on x.party = k.party and x.party_key = k.party_key
      where k.tenant = $1`,
    [tenant, parties, partyKeys],
  );
}

export interface RevealedRow {
  /** They have asked that their data be left alone: there is no number then, and no entry. */
  readonly restricted: boolean;
  readonly party: string;
  readonly phone: Buffer | null;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

/** A participant's numbers, and the ledger's entry about it. */
export function revealPhones(
  queries: Queries,
  tenant: string,
  session: string,
  participant: string,
  access: { readonly actor: string; readonly reason: string },
): Promise<readonly RevealedRow[]> {
  return queries.query<RevealedRow>(
    'reveal_phones',
    `with h as (
        select position, party, restricted($1, array[party]) as restricted from participant_phones
          where tenant = $1 and session = $2 and participant = $3
      ), told as (
        insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
          select $1, new_id('led_'), 'phone.revealed', $4, h.party, $2, $3, jsonb_build_object('reason', $5::text) from h
            where not h.restricted
      )
      select h.restricted, y.party, case when not h.restricted then y.phone end as phone, k.party_key, k.wrapped,
          k.tenant_key_version from h
        join parties y on y.tenant = $1 and y.party = h.party
        left join party_keys k on k.tenant = $1 and k.party = y.party and k.party_key = y.phone_key
        order by h.position`,
    [tenant, session, participant, access.actor, access.reason],
  );
}

export interface VoicemailRow {
  readonly recording: string;
  readonly file: string;
  readonly wrapped_key: Buffer;
  readonly parties: readonly string[];
  readonly party_keys: readonly string[];
}

/** Those that hold something and may be heard (a restriction forbids it), the oldest first. */
export function readVoicemails(
  queries: Queries,
  tenant: string,
  recordings: readonly string[],
): Promise<readonly VoicemailRow[]> {
  return queries.query<VoicemailRow>(
    'read_voicemails',
    `select r.recording, r.file, r.wrapped_key, r.parties, r.party_keys from recordings r
      where r.tenant = $1 and r.recording = any ($2::text[]) and r.status in ('complete', 'interrupted')
        and not restricted($1, r.parties)
      order by r.started_at`,
    [tenant, recordings],
  );
}

/** The addressee has heard it: the ledger and an event say so. Once. */
export async function messageHeard(
  queries: Queries,
  heard: {
    readonly tenant: string;
    readonly recording: string;
    readonly participant: string;
    readonly call: string;
  },
): Promise<void> {
  await queries.query(
    'message_heard',
    `with done as (
        update voicemails v set heard_at = platform_now() from recordings r
          where v.tenant = $1 and v.recording = $2 and v.participant = $3 and v.heard_at is null
            and r.tenant = v.tenant and r.recording = v.recording
          returning r.session
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), 'voicemail.heard', 'switch', d.session, $2::text,
              jsonb_build_object('participant', $3::text, 'call', $4::text)
            from done d
      )
      select emit_event($1, 'voicemail.heard', d.session, $2, jsonb_build_object('participant', $3::text)) from done d`,
    [heard.tenant, heard.recording, heard.participant, heard.call],
  );
}
