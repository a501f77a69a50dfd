-- What people may ask of us: a copy of what is held on them, its destruction, that it is left alone. And what goes by
-- itself when it is old.
--
-- Who waits for whom goes on as in 0009: counters of wrong codes, then parties in the order of their fingerprints, then
-- sessions by id, then calls. An erasure locks one party at a time, and never waits for a party key: whoever rotates
-- keys holds many of them in no order.

-- ------------------------------------------------------------------ requests

-- A person with several phones is several parties: each has a row of its own, which is part of the one that is shown.
alter table rights_requests
  add column part_of text,
  -- Of one that runs: nobody else takes it up before.
  add column taken_until timestamptz,
  add column attempts integer not null default 0,
  -- Who let an asked one run or refused it, and why (sealed).
  add column decided_by text,
  add column decision bytea;
create index rights_requests_parts on rights_requests (tenant, part_of) where part_of is not null;
create index rights_requests_due on rights_requests (taken_until) where status = 'running' and part_of is null;

-- What was found on somebody, under a key of their own: erasing them destroys it.
create table rights_exports (
  tenant          text not null,
  request         text not null,
  party           text not null,
  party_key       text not null,
  content         bytea not null,
  expires_at      timestamptz not null,
  primary key (tenant, request)
);
create index rights_exports_age on rights_exports (expires_at);

-- What must outlive an erasure for a time: under a key of its own, which stands among the party keys by the seal's id,
-- where nothing but this table leads. `recording`: the data key of one that is on hold, until the hold is released.
create table legal_seals (
  tenant          text not null,
  seal            text not null,
  request         text not null,
  recording       text,
  content         bytea not null,
  made_at         timestamptz not null,
  keep_until      timestamptz,
  primary key (tenant, seal)
);
create index legal_seals_due on legal_seals (keep_until) where keep_until is not null;
create index legal_seals_recording on legal_seals (tenant, recording) where recording is not null;

-- Ciphertexts of somebody who was erased, until they have been tried with the keys that are left. Noise by then.
create table erasure_values (
  tenant          text not null,
  request         text not null,
  value           integer generated always as identity,
  kind            text not null check (kind in ('phone', 'name', 'export', 'recording')),
  subject         text not null,
  sealed          bytea not null,
  -- All of them are needed to open it.
  party_keys      text[] not null,
  primary key (tenant, request, value)
);

-- Recordings whose files are still to be removed.
create table erasure_recordings (
  tenant          text not null,
  request         text not null,
  recording       text not null,
  call            text not null,
  -- Kept for an investigation until its hold is released.
  held            boolean not null default false,
  try_at          timestamptz not null,
  primary key (tenant, request, recording)
);
create index erasure_recordings_due on erasure_recordings (try_at);

-- Makes a request, one row a party, or names the one that stands already. `failure`: erased.
create function open_rights_request(
  p_tenant text, p_kind text, p_status text, p_requests text[], p_parties text[], p_reasons bytea[], p_actor text,
  p_blocks text[], p_now timestamptz, out request text, out failure text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_word text := p_kind || case p_status when 'asked' then '-asked' else '-requested' end;
begin
  perform from parties y where y.tenant = p_tenant and y.party = any (p_parties) order by y.fingerprint
    for no key update;
  if exists (select from parties y where y.tenant = p_tenant and y.party = any (p_parties) and y.erased_at is not null) then
    failure := 'erased';
    return;
  end if;
  select coalesce(r.part_of, r.request) into open_rights_request.request from rights_requests r
    where r.tenant = p_tenant and r.party = p_parties[1] and r.kind = p_kind
      and (r.status = p_status or r.status = 'running')
      -- Exports that are done don't stand for a new one; a restriction that is done is in force.
      and (p_kind = 'restrict' or r.status in ('asked', 'running'))
    order by r.request limit 1;
  if found then
    return;
  end if;
  request := p_requests[1];
  insert into rights_requests (tenant, request, kind, status, party, reason, requested_by, requested_at, finished_at,
      part_of, taken_until)
    select p_tenant, x.request, p_kind, p_status, x.party, x.reason, p_actor, p_now,
        case p_status when 'done' then p_now end,
        case when x.position > 1 then p_requests[1] end, p_now
      from unnest(p_requests, p_parties, p_reasons) with ordinality as x(request, party, reason, position);
  if p_kind = 'restrict' then
    v_word := 'restricted';
    insert into blocks (tenant, block, party, reason, actor, created_at, request)
      select p_tenant, x.block, x.party, 'restriction', p_actor, p_now, p_requests[1]
        from unnest(p_blocks, p_parties) as x(block, party);
    perform end_blocked_calls(p_tenant, p_parties, null, p_now);
  end if;
  insert into ledger (tenant, entry, kind, actor, party, subject)
    select p_tenant, new_id('led_'), 'privacy.' || v_word, p_actor, x.party, p_requests[1] from unnest(p_parties) as x(party);
  perform emit_event(p_tenant, 'privacy.' || v_word, null, p_requests[1], jsonb_build_object('request', p_requests[1]));
end $$;

-- Up to p_limit requests to work on, of any tenant, for p_seconds.
create function take_rights_requests(p_limit integer, p_seconds double precision) returns setof rights_requests
language sql as $$
  update rights_requests r
    set taken_until = platform_now() + make_interval(secs => p_seconds), attempts = r.attempts + 1
    from (
      select d.tenant, d.request from rights_requests d
        where d.status = 'running' and d.part_of is null and d.taken_until <= platform_now()
        order by d.taken_until limit p_limit for update skip locked
    ) x
    where r.tenant = x.tenant and r.request = x.request
    returning r.*
$$;

-- ------------------------------------------------------------------ erasing

-- The party's row, locked until we commit; what is needed to seal what must be kept. Nothing is waited for while a
-- counter of wrong codes is held, which come first in the order.
create function begin_erasure(p_tenant text, p_party text) returns table (
  erased boolean, phone bytea, country text, party_key text, wrapped bytea, tenant_key_version integer
) language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  delete from pin_failures f where f.tenant = p_tenant and f.subject = (
    select encode(y.fingerprint, 'hex') from parties y where y.tenant = p_tenant and y.party = p_party);
  perform from parties y where y.tenant = p_tenant and y.party = p_party for update;
  perform from party_keys k where k.tenant = p_tenant and k.party = p_party order by k.party_key for update nowait;
  return query select y.erased_at is not null, y.phone, y.country, k.party_key, k.wrapped, k.tenant_key_version
    from parties y
    left join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
    where y.tenant = p_tenant and y.party = p_party;
end $$;

-- Recordings that a party is heard in and that are still there.
create function recordings_of(p_tenant text, p_party text) returns setof recordings language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
begin
  return query
  select r.* from (select distinct h.session from participant_phones h where h.tenant = p_tenant and h.party = p_party) x
    join calls c on c.tenant = p_tenant and c.session = x.session
    join recordings r on r.tenant = c.tenant and r.call = c.call
    where p_party = any (r.parties) and r.status <> 'deleted';
end $$;

-- Everything that leads to the party, and its keys, in one transaction. begin_erasure has locked it.
create function erase_party(p_tenant text, p_request text, p_party text, p_actor text, p_keep_until timestamptz)
returns jsonb language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz;
  v_all text[];
  v_live text[];
  v_gone text[];
  v_session text;
  v_person record;
  v_values integer;
  v_recordings integer;
  v_held integer;
  v_bindings integer;
  v_keys integer;
  v_ended integer := 0;
  v_counts jsonb;
begin
  v_all := array(select distinct h.session from participant_phones h where h.tenant = p_tenant and h.party = p_party);
  -- Conversations of a listing among them stand in their place of the order.
  v_live := array(
    select s.session from sessions s
      where s.tenant = p_tenant and (s.status = 'open' or s.after_until is not null)
        and s.session = any (v_all || array(select c.session from sessions c
          where c.tenant = p_tenant and c.parent = any (v_all) and c.status = 'open'))
      order by s.session for no key update);
  v_now := platform_now();
  -- Participants who have no other phone.
  v_gone := array(
    select h.participant from participant_phones h
      where h.tenant = p_tenant and h.party = p_party
        and not exists (select from participant_phones o where o.tenant = p_tenant and o.session = h.session
          and o.participant = h.participant and o.party <> p_party));

  -- 1. What is known of them in ciphertext, to be tried when the keys are gone.
  insert into erasure_values (tenant, request, kind, subject, sealed, party_keys)
    select p_tenant, p_request, 'phone', y.party, y.phone, array[y.phone_key] from parties y
      where y.tenant = p_tenant and y.party = p_party and y.phone is not null
    union all
    select p_tenant, p_request, 'name', p.participant, p.name, array[p.name_key]
      from participant_phones h
      join participants p on p.tenant = h.tenant and p.session = h.session and p.participant = h.participant
      where h.tenant = p_tenant and h.party = p_party and p.name_party = p_party and p.name is not null
    union all
    select p_tenant, p_request, 'export', e.request, e.content, array[e.party_key]
      from rights_requests r join rights_exports e on e.tenant = r.tenant and e.request = coalesce(r.part_of, r.request)
      where r.tenant = p_tenant and r.party = p_party and r.kind = 'export' and e.party = p_party
    union all
    select p_tenant, p_request, 'recording', r.recording, r.wrapped_key, r.party_keys
      from recordings_of(p_tenant, p_party) r where length(r.wrapped_key) > 0;
  get diagnostics v_values = row_count;

  -- 2. Recordings: unreadable from here on, their files go afterwards.
  insert into erasure_recordings (tenant, request, recording, call, held, try_at)
    select p_tenant, p_request, r.recording, r.call, on_hold(p_tenant, r.session), v_now
      from recordings_of(p_tenant, p_party) r
    on conflict do nothing;
  select count(*) filter (where not x.held), count(*) filter (where x.held) into v_recordings, v_held
    from erasure_recordings x where x.tenant = p_tenant and x.request = p_request;

  -- 3. Nothing connects any more.
  perform end_blocked_calls(p_tenant, array[p_party], null, v_now);
  foreach v_session in array v_live loop
    for v_person in
      update participants p set left_at = v_now, leave_reason = 'removed'
        where p.tenant = p_tenant and p.session = v_session and p.participant = any (v_gone) and p.left_at is null
        returning p.participant
    loop
      delete from pins k where k.tenant = p_tenant and k.session = v_session and k.participant = v_person.participant;
      perform notify_session(p_tenant, v_session, v_person.participant, 'hangup');
      perform emit_event(p_tenant, 'participant.removed', v_session, v_person.participant, null);
    end loop;
    if v_session = any (v_all) and (
        select count(*) from participants p where p.tenant = p_tenant and p.session = v_session and p.left_at is null) < 2
        and end_session(p_tenant, v_session, 'participant-erased', 'hangup', false, p_actor) is not null then
      v_ended := v_ended + 1;
    end if;
  end loop;
  delete from bindings b where b.tenant = p_tenant and b.party = p_party;
  get diagnostics v_bindings = row_count;
  delete from party_pools w where w.tenant = p_tenant and w.party = p_party;
  delete from blocks b where b.tenant = p_tenant and b.party = p_party;
  delete from blocks b where b.tenant = p_tenant and b.counterpart = p_party;
  update rights_requests r set status = 'lifted', finished_at = v_now
    where r.tenant = p_tenant and r.party = p_party and r.kind = 'restrict' and r.status = 'done';

  -- 4. What was said of them.
  delete from voicemails v where v.tenant = p_tenant and v.participant = any (v_gone);
  update participants p
    set name = null, name_party = null, name_key = null
    from participant_phones h
    where h.tenant = p_tenant and h.party = p_party and p.tenant = p_tenant and p.session = h.session
      and p.participant = h.participant and p.name_party = p_party;
  -- Their links open nothing any more, and whoever reopens an old session doesn't seat a ghost.
  update participants p
    set transparency_digest = sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea),
        left_at = coalesce(p.left_at, v_now), leave_reason = coalesce(p.leave_reason, 'removed'), erased_at = v_now
    from participant_phones h
    where h.tenant = p_tenant and h.party = p_party and p.tenant = p_tenant and p.session = h.session
      and p.participant = h.participant and p.participant = any (v_gone);
  delete from transparency_links l
    where l.tenant = p_tenant and l.session = any (v_all) and l.participant = any (v_gone);
  update sessions s set metadata = '{}'
    where s.tenant = p_tenant and s.session = any (v_all) and s.status <> 'open' and s.metadata <> '{}'
      and not on_hold(p_tenant, s.session);
  if exists (select from sessions s where s.tenant = p_tenant and s.session = any (v_all)
      and s.created_at > v_now - interval '25 hours') then
    delete from idempotency_keys i where i.tenant = p_tenant and i.session = any (v_all);
  end if;
  delete from rights_exports e using rights_requests r
    where r.tenant = p_tenant and r.party = p_party and r.kind = 'export'
      and e.tenant = p_tenant and e.request = coalesce(r.part_of, r.request);
  delete from participant_phones h where h.tenant = p_tenant and h.party = p_party;

  -- 5. The keys.
  delete from party_keys k where k.tenant = p_tenant and k.party = p_party;
  get diagnostics v_keys = row_count;
  update parties y set fingerprint = null, phone = null, phone_key = null, country = 'ZZ', erased_at = v_now
    where y.tenant = p_tenant and y.party = p_party;

  v_counts := jsonb_strip_nulls(jsonb_build_object('keysDestroyed', v_keys, 'valuesUnreadable', v_values,
    'recordingsDeleted', v_recordings, 'recordingsHeld', v_held, 'bindingsCut', v_bindings, 'sessionsEnded', v_ended,
    'keptUntil', p_keep_until));
  -- Who they were goes on to their disputes, and no further: the final receipt takes its place.
  update rights_requests r set receipt = v_counts || jsonb_build_object('participants', to_jsonb(v_gone))
    where r.tenant = p_tenant and r.request = p_request;
  insert into ledger (tenant, entry, kind, actor, party, subject, details)
    values (p_tenant, new_id('led_'), 'privacy.erased', p_actor, p_party, p_request, v_counts);
  return v_counts;
end $$;

-- Seals whose time is up: their keys first. Returns how many went.
create function shred_seals(p_limit integer, p_now timestamptz) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_seal record;
  v_count integer := 0;
begin
  for v_seal in
    select l.tenant, l.seal, l.request from legal_seals l where l.keep_until <= p_now
      order by l.keep_until limit p_limit for update skip locked
  loop
    delete from party_keys k where k.tenant = v_seal.tenant and k.party = v_seal.seal;
    delete from legal_seals l where l.tenant = v_seal.tenant and l.seal = v_seal.seal;
    insert into ledger (tenant, entry, kind, actor, subject, details)
      values (v_seal.tenant, new_id('led_'), 'privacy.seal-shredded', 'retention', v_seal.request,
        jsonb_build_object('seal', v_seal.seal));
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- ------------------------------------------------------------------ restriction

-- A restriction is a block towards everybody that a request stands behind: whoever asks for blocks asks for it, too,
-- and where there is none nobody pays. It is not among the blocks that are shown or lifted.
alter table blocks add column request text;
create index blocks_request on blocks (tenant, request) where request is not null;

create or replace function lift_block(p_tenant text, p_block text, p_actor text, p_now timestamptz) returns boolean
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  update blocks b set lifted_at = p_now
    where b.tenant = p_tenant and b.block = p_block and b.lifted_at is null and b.request is null;
  if not found then
    return exists (select from blocks b where b.tenant = p_tenant and b.block = p_block and b.request is null);
  end if;
  insert into ledger (tenant, entry, kind, actor, party, subject)
    select p_tenant, new_id('led_'), 'block.lifted', p_actor, x.party, p_block
      from (select distinct b.party from blocks b where b.tenant = p_tenant and b.block = p_block) x;
  perform emit_event(p_tenant, 'block.lifted', null, p_block, jsonb_build_object('block', p_block));
  return true;
end $$;

-- As in 0009; and who is restricted may not even be alone with an open side.
create or replace function first_blocked_pair(p_tenant text, p_parties text[], p_participant_of integer[], p_now timestamptz)
returns integer language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
begin
  return (
    with named as materialized (
      select b.party, b.counterpart, b.request from blocks b
        where b.tenant = p_tenant and b.party = any (p_parties) and b.lifted_at is null
          and (b.expires_at is null or b.expires_at > p_now)
    )
    select min(c.position) from (
      select x.position
        from unnest(p_parties, p_participant_of) with ordinality as x(party, owner, position)
        join unnest(p_parties, p_participant_of) as y(party, owner) on y.owner <> x.owner
        join named b on (b.party = x.party and (b.counterpart is null or b.counterpart = y.party))
          or (b.party = y.party and b.counterpart = x.party)
      union all
      select array_position(p_parties, b.party) from named b where b.request is not null
    ) c);
end $$;

-- Null: there is no such request; else its status now.
create function lift_restriction(p_tenant text, p_request text, p_actor text, p_now timestamptz) returns text
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_status text;
begin
  select r.status into v_status from rights_requests r
    where r.tenant = p_tenant and r.request = p_request and r.kind = 'restrict' and r.part_of is null for update;
  if v_status is distinct from 'done' then
    return v_status;
  end if;
  update blocks b set lifted_at = p_now
    where b.tenant = p_tenant and b.request = p_request and b.lifted_at is null;
  update rights_requests r set status = 'lifted'
    where r.tenant = p_tenant and (r.request = p_request or r.part_of = p_request) and r.status = 'done';
  insert into ledger (tenant, entry, kind, actor, party, subject)
    select p_tenant, new_id('led_'), 'privacy.restriction-lifted', p_actor, r.party, p_request from rights_requests r
      where r.tenant = p_tenant and (r.request = p_request or r.part_of = p_request);
  perform emit_event(p_tenant, 'privacy.restriction-lifted', null, p_request, jsonb_build_object('request', p_request));
  return 'lifted';
end $$;

-- ------------------------------------------------------------------ what is old

-- Ids begin with their time: what was made before it has a lower one.
create function id_before(p_prefix text, p_at timestamptz) returns text language sql immutable as $$
  select p_prefix || lpad(to_hex(greatest(0, floor(extract(epoch from p_at) * 1000))::bigint), 12, '0')
$$;

-- Calls (with their legs and explanations) that ended before p_before, after p_after in the order of ids, at most
-- p_limit are looked at. Kept: what a hold stands on, what has a recording that is still there. `last` null: no more.
create function forget_calls(
  p_tenant text, p_before timestamptz, p_after text, p_limit integer, out forgotten integer, out last text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_seen text[];
  v_calls text[];
begin
  v_seen := array(select c.call from calls c
    where c.tenant = p_tenant and c.call > p_after and c.call < id_before('call_', p_before)
    order by c.call limit p_limit);
  last := case when cardinality(v_seen) = p_limit then v_seen[p_limit] end;
  v_calls := array(select c.call from calls c
    where c.tenant = p_tenant and c.call = any (v_seen) and c.ended_at < p_before
      and (c.session is null or not on_hold(p_tenant, c.session))
      and not exists (select from recordings r where r.tenant = p_tenant and r.call = c.call and r.status <> 'deleted')
    order by c.call for update skip locked);
  delete from voicemails v using recordings r
    where r.tenant = p_tenant and r.call = any (v_calls) and v.tenant = p_tenant and v.recording = r.recording;
  delete from recordings r where r.tenant = p_tenant and r.call = any (v_calls);
  delete from recording_downloads d where d.tenant = p_tenant and d.call = any (v_calls);
  delete from call_legs l where l.tenant = p_tenant and l.call = any (v_calls);
  delete from calls c where c.tenant = p_tenant and c.call = any (v_calls);
  get diagnostics forgotten = row_count;
end $$;

-- Sessions that were over before p_before and of which no call is left: who took part, under which numbers. Kept: what a
-- hold stands on or a dispute tells of.
create function forget_sessions(
  p_tenant text, p_before timestamptz, p_after text, p_limit integer, out forgotten integer, out last text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_seen text[];
  v_sessions text[];
begin
  v_seen := array(select s.session from sessions s
    where s.tenant = p_tenant and s.session > p_after and s.session < id_before('ses_', p_before)
    order by s.session limit p_limit);
  last := case when cardinality(v_seen) = p_limit then v_seen[p_limit] end;
  v_sessions := array(select s.session from sessions s
    where s.tenant = p_tenant and s.session = any (v_seen) and s.status <> 'open' and s.after_until is null
      and s.closed_at < p_before and not on_hold(p_tenant, s.session)
      and not exists (select from calls c where c.tenant = p_tenant and c.session = s.session)
      and not exists (select from disputes d where d.tenant = p_tenant and d.session = s.session)
    order by s.session for update skip locked);
  -- One that still cools keeps its binding: its caller hears that it is over.
  delete from bindings b using participant_phones h
    where h.tenant = p_tenant and h.session = any (v_sessions) and b.tenant = p_tenant and b.party = h.party
      and b.session = h.session and b.released_at is not null and b.free_at < platform_now();
  delete from participant_phones h where h.tenant = p_tenant and h.session = any (v_sessions);
  delete from transparency_links l where l.tenant = p_tenant and l.session = any (v_sessions);
  delete from legal_holds h where h.tenant = p_tenant and h.session = any (v_sessions);
  delete from participants p where p.tenant = p_tenant and p.session = any (v_sessions);
  delete from sessions s where s.tenant = p_tenant and s.session = any (v_sessions);
  get diagnostics forgotten = row_count;
end $$;

-- Parties made before p_before to whom nothing leads any more.
create function forget_parties(
  p_tenant text, p_before timestamptz, p_after text, p_limit integer, out forgotten integer, out last text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_seen text[];
  v_parties text[];
begin
  v_seen := array(select y.party from parties y
    where y.tenant = p_tenant and y.party > p_after and y.party < id_before('pty_', p_before)
    order by y.party limit p_limit);
  last := case when cardinality(v_seen) = p_limit then v_seen[p_limit] end;
  -- Whoever opens a session with one of them has its lock; who comes later finds it gone, and makes a new one.
  v_parties := array(select y.party from parties y
    where y.tenant = p_tenant and y.party = any (v_seen) and y.erased_at is null
    order by y.fingerprint for update skip locked);
  v_parties := array(select x.party from unnest(v_parties) as x(party)
    where not exists (select from participant_phones h where h.tenant = p_tenant and h.party = x.party)
      and not exists (select from bindings b where b.tenant = p_tenant and b.party = x.party)
      and not exists (select from blocks b where b.tenant = p_tenant and b.party = x.party and b.lifted_at is null)
      and not exists (select from blocks b where b.tenant = p_tenant and b.counterpart = x.party and b.lifted_at is null)
      and not exists (select from rights_requests r where r.tenant = p_tenant and r.party = x.party
        and r.status in ('asked', 'running')));
  delete from party_pools w where w.tenant = p_tenant and w.party = any (v_parties);
  delete from party_keys k where k.tenant = p_tenant and k.party = any (v_parties);
  delete from parties y where y.tenant = p_tenant and y.party = any (v_parties);
  get diagnostics forgotten = row_count;
end $$;
