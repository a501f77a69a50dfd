/** Custody of recordings: downloads, holds, marks, deletion, and where files are. Tables: migrations 0011 and 0014. */
import type { Queries } from '../types.ts';

// ---------------------------------------------------------------- downloads
export interface DownloadRow {
  readonly download: string;
  readonly call: string;
  readonly reason: Buffer;
  readonly status: 'pending' | 'approved' | 'refused' | 'expired';
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly decided_by: string | null;
  readonly decided_at: Date | null;
  readonly expires_at: Date;
}

const downloadColumns = `d.download, d.call, d.reason, d.requested_by, d.requested_at, d.decided_by, d.decided_at, d.expires_at,
  case when d.status <> 'refused' and d.expires_at <= platform_now() then 'expired' else d.status end as status`;

/**
 * A request, and its entry. One that the same person has made of the call, and that waits or can be fetched, is answered
 * instead of another. Empty: the call has no recording.
 */
export function requestDownload(
  queries: Queries,
  request: {
    readonly tenant: string;
    readonly download: string;
    readonly call: string;
    readonly reason: Buffer;
    readonly actor: string;
    readonly approved: boolean;
    /** Hours until it expires: to be decided, or to be fetched. */
    readonly hours: number;
  },
): Promise<readonly (DownloadRow & { readonly restricted: boolean })[]> {
  return queries.query(
    'request_download',
    `with r as (
        select r.recording, r.session, restricted($1, r.parties) as restricted from recordings r
          where r.tenant = $1 and r.call = $3 and r.status not in ('recording', 'deleted') order by r.recording limit 1
      ), there as (
        select d.* from recording_downloads d
          where d.tenant = $1 and d.call = $3 and d.requested_by = $5 and d.status <> 'refused'
            and d.expires_at > platform_now()
          order by d.download desc limit 1
      ), made as (
        insert into recording_downloads as d
            (tenant, download, call, session, reason, status, requested_by, requested_at, decided_at, expires_at)
          select $1, $2, $3, r.session, $4, case when $6 then 'approved' else 'pending' end, $5, platform_now(),
              case when $6 then platform_now() end, platform_now() + make_interval(hours => $7)
            from r where not r.restricted and not exists (select from there)
          returning d.*
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), 'recording.download-requested', $5, m.session, r.recording,
              jsonb_build_object('call', m.call, 'download', m.download, 'status', m.status)
            from made m, r
      ), emitted as (
        select emit_event($1, 'download.requested', m.session, m.download, jsonb_build_object('call', m.call, 'status', m.status))
          from made m
      )
      select ${downloadColumns}, false as restricted
        from (select * from there union all select * from made) d
        where (select count(*) from emitted) >= 0 and exists (select from r where not r.restricted)
      union all
      select '', '', '', '', now(), null, null, now(), '', true from r where r.restricted`,
    [
      request.tenant,
      request.download,
      request.call,
      request.reason,
      request.actor,
      request.approved,
      request.hours,
    ],
  );
}

const downloadStates = {
  pending: `d.status = 'pending' and d.expires_at > platform_now()`,
  approved: `d.status = 'approved' and d.expires_at > platform_now()`,
  refused: `d.status = 'refused'`,
  expired: `d.status <> 'refused' and d.expires_at <= platform_now()`,
} as const;

/** Newest first. */
export function listDownloads(
  queries: Queries,
  filter: {
    readonly tenant: string;
    readonly status: keyof typeof downloadStates | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly DownloadRow[]> {
  const { tenant, status, after, limit } = filter;
  const values: unknown[] = [tenant, limit];
  let text = `select ${downloadColumns} from recording_downloads d where d.tenant = $1`;
  let name = 'list_downloads';
  if (status !== undefined) {
    text += ` and ${downloadStates[status]}`;
    name += `_${status}`;
  }
  if (after !== undefined) {
    values.push(after);
    text += ` and d.download < $${values.length}`;
    name += '_after';
  }
  return queries.query(name, `${text} order by d.download desc limit $2`, values);
}

export async function readDownload(
  queries: Queries,
  tenant: string,
  download: string,
): Promise<DownloadRow | undefined> {
  const rows = await queries.query<DownloadRow>(
    'read_download',
    `select ${downloadColumns} from recording_downloads d where d.tenant = $1 and d.download = $2`,
    [tenant, download],
  );
  return rows[0];
}

/**
 * Whether the two are, or come from, one and the same: a key is in the hands of whoever made it, and so are two keys that
 * one has made. (`admin`, the key of whoever runs the installation, and the platform make the first keys of others.)
 */
export async function areOneHand(
  queries: Queries,
  tenant: string,
  one: string,
  other: string,
): Promise<boolean> {
  const [row] = await queries.query<{ readonly same: boolean }>(
    'are_one_hand',
    `with recursive made as (
        select a.side, a.actor, 0 as depth from (values (1, $2::text), (2, $3::text)) a(side, actor)
        union all
        select m.side, l.actor, m.depth + 1 from made m
          cross join lateral (
            (select l.actor from ledger l where l.tenant = $1 and l.subject = m.actor and l.kind = 'key.created'
              and l.sequence is not null limit 1)
            union all
            (select l.actor from ledger l where l.tenant = $1 and l.subject = m.actor and l.kind = 'key.created'
              and l.sequence is null limit 1)
          ) l
          where m.actor like 'key_%' and (l.actor like 'key_%' or l.actor like 'usr_%') and m.depth < 32
      )
      select exists (select from made x join made y on y.actor = x.actor where x.side = 1 and y.side = 2) as same`,
    [tenant, one, other],
  );
  return row?.same ?? true;
}

/** Undefined: it isn't there, doesn't wait any more, or is the decider's own. */
export async function decideDownload(
  queries: Queries,
  decision: {
    readonly tenant: string;
    readonly download: string;
    readonly actor: string;
    readonly approve: boolean;
    readonly hours: number;
  },
): Promise<DownloadRow | undefined> {
  const rows = await queries.query<DownloadRow>(
    'decide_download',
    `with d as (
        update recording_downloads d
          set status = case when $4 then 'approved' else 'refused' end, decided_by = $3, decided_at = platform_now(),
            expires_at = case when $4 then platform_now() + make_interval(hours => $5) else d.expires_at end
          where d.tenant = $1 and d.download = $2 and d.status = 'pending' and d.expires_at > platform_now()
            and d.requested_by <> $3
          returning d.*
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), case when $4 then 'recording.download-approved' else 'recording.download-refused' end,
              $3, d.session, d.download, jsonb_build_object('call', d.call, 'requestedBy', d.requested_by)
            from d
      )
      select ${downloadColumns} from d`,
    [decision.tenant, decision.download, decision.actor, decision.approve, decision.hours],
  );
  return rows[0];
}

// ---------------------------------------------------------------- holds
export interface HoldRow {
  readonly hold: string;
  readonly session: string;
  readonly reason: Buffer;
  readonly dispute: string | null;
  readonly placed_by: string;
  readonly placed_at: Date;
  readonly released_at: Date | null;
}

const holdColumns = 'h.hold, h.session, h.reason, h.dispute, h.placed_by, h.placed_at, h.released_at';

/** In a transaction, before a hold is placed: whatever is being deleted is deleted before, or is kept. */
export async function lockCustody(queries: Queries, tenant: string): Promise<void> {
  await queries.query('lock_custody', 'select lock_custody($1)', [tenant]);
}

/** Undefined: there is no such session. */
export async function placeHold(
  queries: Queries,
  hold: {
    readonly tenant: string;
    readonly hold: string;
    readonly session: string;
    readonly reason: Buffer;
    readonly dispute: string | undefined;
    readonly actor: string;
  },
): Promise<HoldRow | undefined> {
  const rows = await queries.query<HoldRow>(
    'place_hold',
    `with h as (
        insert into legal_holds as h (tenant, hold, session, reason, dispute, placed_by, placed_at)
          select $1, $2, s.session, $4, $5, $6, platform_now() from sessions s where s.tenant = $1 and s.session = $3
          returning h.*
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), 'hold.placed', $6, h.session, h.hold,
              jsonb_strip_nulls(jsonb_build_object('dispute', h.dispute)) from h
      )
      select ${holdColumns} from h`,
    [hold.tenant, hold.hold, hold.session, hold.reason, hold.dispute ?? null, hold.actor],
  );
  return rows[0];
}

/** Newest first. */
export function listHolds(
  queries: Queries,
  filter: {
    readonly tenant: string;
    readonly session: string | undefined;
    readonly active: boolean | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly HoldRow[]> {
  const { tenant, session, active, after, limit } = filter;
  const values: unknown[] = [tenant, limit];
  let text = `select ${holdColumns} from legal_holds h where h.tenant = $1`;
  let name = 'list_holds';
  if (session !== undefined) {
    values.push(session);
    text += ` and h.session = $${values.length}`;
    name += '_of_session';
  }
  if (active !== undefined) {
    text += ` and h.released_at is ${active ? '' : 'not '}null`;
    name += active ? '_active' : '_released';
  }
  if (after !== undefined) {
    values.push(after);
    text += ` and h.hold < $${values.length}`;
    name += '_after';
  }
  return queries.query(name, `${text} order by h.hold desc limit $2`, values);
}

/** As it is then; one that was released before stays as it was. Undefined: there is none. */
export async function releaseHold(
  queries: Queries,
  release: { readonly tenant: string; readonly hold: string; readonly actor: string },
): Promise<HoldRow | undefined> {
  const rows = await queries.query<HoldRow>(
    'release_hold',
    `with released as (
        update legal_holds h set released_at = platform_now(), released_by = $3
          where h.tenant = $1 and h.hold = $2 and h.released_at is null returning h.*
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), 'hold.released', $3, h.session, h.hold,
              jsonb_strip_nulls(jsonb_build_object('dispute', h.dispute)) from released h
      )
      select ${holdColumns} from released h
      union all
      select ${holdColumns} from legal_holds h
        where h.tenant = $1 and h.hold = $2 and not exists (select from released)`,
    [release.tenant, release.hold, release.actor],
  );
  return rows[0];
}

// ---------------------------------------------------------------- marks
export interface MarkRow {
  readonly mark: string;
  readonly recording: string;
  readonly milliseconds: number;
  readonly note: Buffer;
  readonly author: string;
  readonly at: Date;
}

/** The recording of a call that marks are made on. */
export async function markedRecording(
  queries: Queries,
  tenant: string,
  call: string,
): Promise<{ readonly recording: string; readonly milliseconds: number | null } | undefined> {
  const rows = await queries.query<{ readonly recording: string; readonly milliseconds: number | null }>(
    'marked_recording',
    `select r.recording, r.milliseconds from recordings r
      where r.tenant = $1 and r.call = $2 and r.status <> 'deleted' order by r.recording limit 1`,
    [tenant, call],
  );
  return rows[0];
}

/** Undefined: it has as many as `most` already, or was deleted meanwhile. */
export async function addMark(
  queries: Queries,
  mark: {
    readonly tenant: string;
    readonly recording: string;
    readonly mark: string;
    readonly milliseconds: number;
    readonly note: Buffer;
    readonly actor: string;
    readonly most: number;
  },
): Promise<MarkRow | undefined> {
  const rows = await queries.query<MarkRow>(
    'add_mark',
    `with r as (
        select r.session, r.call from recordings r
          where r.tenant = $1 and r.recording = $2 and r.status <> 'deleted' for no key update
      ), m as (
        insert into recording_marks as m (tenant, recording, mark, milliseconds, note, author, at)
          select $1, $2, $3, $4, $5, $6, platform_now() from r
            where (select count(*) from recording_marks m where m.tenant = $1 and m.recording = $2) < $7
          returning m.*
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), 'recording.marked', $6, r.session, $2,
              jsonb_build_object('call', r.call, 'mark', m.mark, 'milliseconds', m.milliseconds) from m, r
      )
      select m.mark, m.recording, m.milliseconds, m.note, m.author, m.at from m`,
    [mark.tenant, mark.recording, mark.mark, mark.milliseconds, mark.note, mark.actor, mark.most],
  );
  return rows[0];
}

/** In the order of the talk. */
export function listMarks(queries: Queries, tenant: string, recording: string): Promise<readonly MarkRow[]> {
  return queries.query(
    'list_marks',
    `select m.mark, m.recording, m.milliseconds, m.note, m.author, m.at from recording_marks m
      where m.tenant = $1 and m.recording = $2 order by m.milliseconds, m.mark`,
    [tenant, recording],
  );
}

export async function removeMark(
  queries: Queries,
  mark: {
    readonly tenant: string;
    readonly recording: string;
    readonly mark: string;
    readonly actor: string;
  },
): Promise<boolean> {
  const rows = await queries.query(
    'remove_mark',
    `with m as (
        delete from recording_marks m where m.tenant = $1 and m.recording = $2 and m.mark = $3 returning m.mark
      ), told as (
        insert into ledger (tenant, entry, kind, actor, session, subject, details)
          select $1, new_id('led_'), 'recording.mark-removed', $4, r.session, $2,
              jsonb_build_object('call', r.call, 'mark', m.mark)
            from m join recordings r on r.tenant = $1 and r.recording = $2
      )
      select m.mark from m`,
    [mark.tenant, mark.recording, mark.mark, mark.actor],
  );
  return rows.length > 0;
}

// ---------------------------------------------------------------- deletion
export interface ShreddedRow {
  readonly recording: string;
  readonly file: string;
  readonly store: 'local' | 's3';
}

/** Of a call, those that aren't deleted; `held`: a hold keeps them. */
export function deletableRecordings(
  queries: Queries,
  tenant: string,
  call: string,
): Promise<readonly { readonly recording: string; readonly running: boolean; readonly held: boolean }[]> {
  return queries.query(
    'deletable_recordings',
    `select r.recording, r.status = 'recording' as running, on_hold($1, r.session) as held from recordings r
      where r.tenant = $1 and r.call = $2 and r.status <> 'deleted'`,
    [tenant, call],
  );
}

/** See `shred_recordings`: those that a hold keeps aren't among the answered. */
export function shredRecordings(
  queries: Queries,
  shred: {
    readonly tenant: string;
    readonly recordings: readonly string[];
    /** A word, for the row. */
    readonly why: 'deleted' | 'retention';
    readonly actor: string;
    readonly details: Readonly<Record<string, unknown>>;
  },
): Promise<readonly ShreddedRow[]> {
  return queries.query(
    'shred_recordings',
    `select recording, file, store from shred_recordings($1, $2::text[], $3, 'recording.deleted', $4, null, $5::jsonb)`,
    [shred.tenant, shred.recordings, shred.why, shred.actor, JSON.stringify(shred.details)],
  );
}

/** Deleted ones of a call of which something may be left: a file on a disk, or an object. */
export function deletedRecordings(
  queries: Queries,
  tenant: string,
  call: string,
): Promise<readonly ShreddedRow[]> {
  return queries.query(
    'deleted_recordings',
    `select r.recording, r.file, r.store from recordings r
      where r.tenant = $1 and r.call = $2 and r.status = 'deleted' and r.object_deleted_at is null`,
    [tenant, call],
  );
}

export function readTenants(
  queries: Queries,
  after: string,
  limit: number,
): Promise<readonly { readonly tenant: string; readonly settings: Readonly<Record<string, unknown>> }[]> {
  return queries.query(
    'read_tenants',
    'select t.tenant, t.settings from tenants t where t.tenant > $1 order by t.tenant limit $2',
    [after, limit],
  );
}

export interface OldRecordingRow {
  readonly recording: string;
  /** As text, with all of its digits: the cursor. */
  readonly started_at: string;
  readonly due: boolean;
}

/**
 * Recordings of a tenant older than the shortest time that any is kept, the oldest first, after a cursor. `due`: the
 * longest that a party's country asks for is over, and no hold stands. A party that was erased asks for nothing.
 */
export function readOldRecordings(
  queries: Queries,
  read: {
    readonly tenant: string;
    readonly after: { readonly startedAt: string; readonly recording: string } | undefined;
    readonly shortestDays: number;
    readonly days: number;
    readonly countries: Readonly<Record<string, number>>;
    readonly limit: number;
  },
): Promise<readonly OldRecordingRow[]> {
  return queries.query(
    'read_old_recordings',
    `select r.recording, r.started_at::text, r.started_at <= platform_now() - make_interval(days => (
          select coalesce(max(coalesce(($6::jsonb ->> y.country)::integer, $5)), $5) from parties y
            where y.tenant = $1 and y.party = any (r.parties)
        )) and not on_hold($1, r.session) as due
      from recordings r
      where r.tenant = $1 and r.deleted_at is null and r.status <> 'recording'
        and (r.started_at, r.recording) > ($2::timestamptz, $3)
        and r.started_at <= platform_now() - make_interval(days => $4)
      order by r.started_at, r.recording limit $7`,
    [
      read.tenant,
      read.after?.startedAt ?? '-infinity',
      read.after?.recording ?? '',
      read.shortestDays,
      read.days,
      JSON.stringify(read.countries),
      read.limit,
    ],
  );
}

// ---------------------------------------------------------------- files
export interface FileRow {
  readonly tenant: string;
  readonly recording: string;
  readonly file: string;
  readonly status: string;
  readonly store: 'local' | 's3';
  readonly sha256: string | null;
}

/** What is known of files that stand on a disk. */
export function readFiles(queries: Queries, recordings: readonly string[]): Promise<readonly FileRow[]> {
  return queries.query(
    'read_files',
    `select r.tenant, r.recording, r.file, r.status, r.store, r.sha256 from recordings r
      where r.recording = any ($1::text[])`,
    [recordings],
  );
}

/** The file is in the store of objects. False: the recording was deleted meanwhile. */
export async function fileStored(
  queries: Queries,
  stored: {
    readonly tenant: string;
    readonly recording: string;
    readonly sha256: string;
    readonly bytes: number;
  },
): Promise<boolean> {
  const rows = await queries.query(
    'file_stored',
    `update recordings r set store = 's3', sha256 = coalesce(nullif(r.sha256, ''), $3), bytes = coalesce(nullif(r.bytes, 0), $4)
      where r.tenant = $1 and r.recording = $2 and r.status <> 'deleted' returning r.recording`,
    [stored.tenant, stored.recording, stored.sha256, stored.bytes],
  );
  return rows.length > 0;
}

/** Objects whose recording was deleted and that may still be there. */
export function staleObjects(
  queries: Queries,
  limit: number,
): Promise<readonly { readonly tenant: string; readonly recording: string; readonly file: string }[]> {
  return queries.query(
    'stale_objects',
    `select r.tenant, r.recording, r.file from recordings r
      where r.store = 's3' and r.deleted_at is not null and r.object_deleted_at is null order by r.recording limit $1`,
    [limit],
  );
}

export async function objectDeleted(queries: Queries, tenant: string, recording: string): Promise<void> {
  await queries.query(
    'object_deleted',
    `update recordings r set object_deleted_at = platform_now()
      where r.tenant = $1 and r.recording = $2 and r.object_deleted_at is null`,
    [tenant, recording],
  );
}
