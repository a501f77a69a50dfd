-- Custody of recordings: who may take one out, what is noted on it, how its key is destroyed, and how long it is kept.

-- A recording that is deleted has no key any more: its file, and every copy of it in a backup of files, is noise. The
-- row stays, with the hash.
alter table recordings alter column wrapped_key drop not null;
update recordings set wrapped_key = null, deleted_at = coalesce(deleted_at, now()) where status = 'deleted';
alter table recordings add constraint recordings_shredded
  check ((status = 'deleted') = (wrapped_key is null) and (status = 'deleted') = (deleted_at is not null));
-- When the object in the store of objects was removed as well.
alter table recordings add column object_deleted_at timestamptz;
create index recordings_objects on recordings (recording)
  where store = 's3' and deleted_at is not null and object_deleted_at is null;
-- What is due, by tenant.
create index recordings_due on recordings (tenant, started_at, recording) where deleted_at is null;
-- By the names of the files that a node finds on its disk.
create index recordings_named on recordings (recording);

create table recording_downloads (
  tenant          text not null,
  download        text not null,
  call            text not null,
  session         text not null,
  -- Sealed.
  reason          bytea not null,
  status          text not null check (status in ('pending', 'approved', 'refused')),
  requested_by    text not null,
  requested_at    timestamptz not null,
  decided_by      text,
  decided_at      timestamptz,
  -- Of one that waits: until when it may be decided; of an approved one: until when it may be fetched.
  expires_at      timestamptz not null,
  primary key (tenant, download),
  check ((status = 'pending') = (decided_at is null))
);
create index recording_downloads_call on recording_downloads (tenant, call);

create table recording_marks (
  tenant          text not null,
  recording       text not null,
  mark            text not null,
  milliseconds    integer not null,
  -- Sealed.
  note            bytea not null,
  author          text not null,
  at              timestamptz not null,
  primary key (tenant, recording, mark)
);

-- Whether somebody of these parties has asked that their data be left alone (a restriction that stands).
create function restricted(p_tenant text, p_parties text[]) returns boolean language sql stable as $$
  select exists (select from rights_requests q
    where q.tenant = p_tenant and q.party = any (p_parties) and q.kind = 'restrict' and q.status = 'done')
$$;

-- Holds and deletions of a tenant come one after another: once a hold is acknowledged nothing of its session goes.
create function lock_custody(p_tenant text) returns void language sql volatile as $$
  select pg_advisory_xact_lock(5072936, hashtext(p_tenant))
$$;

-- Destroys the keys of these recordings: the one way to delete. Marks go with them. p_kind, p_actor, p_details: for
-- the ledger, which says so of each. Returns what has a file to be removed. A hold keeps them, but not against
-- p_despite_hold: what somebody in the call itself has stopped was never kept.
create function shred_recordings(
  p_tenant text, p_recordings text[], p_reason text, p_kind text, p_actor text, p_party text, p_details jsonb,
  p_despite_hold boolean default false
) returns table (recording text, file text, store text) language plpgsql as $$
#variable_conflict use_column
begin
  perform lock_custody(p_tenant);
  return query
  with gone as (
    update recordings r
      set status = 'deleted', wrapped_key = null, deleted_at = platform_now(), delete_reason = p_reason,
          ended_at = coalesce(r.ended_at, platform_now())
      where r.tenant = p_tenant and r.recording = any (p_recordings) and r.status <> 'deleted'
        and (p_despite_hold or not on_hold(p_tenant, r.session))
      returning r.recording, r.session, r.call, r.file, r.store, r.sha256
  ), unmarked as (
    delete from recording_marks m using gone g where m.tenant = p_tenant and m.recording = g.recording
  ), unheard as (
    -- A message that is gone waits for nobody.
    delete from voicemails v using gone g where v.tenant = p_tenant and v.recording = g.recording and v.heard_at is null
  ), told as (
    insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
      select p_tenant, new_id('led_'), p_kind, p_actor, p_party, g.session, g.recording,
          jsonb_strip_nulls(jsonb_build_object('call', g.call, 'sha256', nullif(g.sha256, '')) || p_details)
        from gone g
  ), emitted as (
    select emit_event(p_tenant, p_kind, g.session, g.recording, jsonb_build_object('call', g.call)) from gone g
  )
  select g.recording, g.file, g.store from gone g where (select count(*) from emitted) >= 0;
end $$;
