-- Codes, further phones, blocks, late callers, and the forgetting of what is old.
--
-- Who waits for whom goes on as in 0008: counters of wrong codes first, then parties in the order of their
-- fingerprints, then sessions, then calls. Taking a code waits for nobody, so it may come anywhere.

-- ------------------------------------------------------------------ codes

-- A guess is tried against every code of its number at once, so what bounds a guesser's luck is how many there are:
-- each has one of ten places. Ten wrong codes a day (see try_pin) times ten places among a million codes is 1e-4.
alter table pins add column place smallint not null check (place between 1 and 10);
create unique index pins_place on pins (tenant, number, place);
create index pins_expiry on pins (expires_at) where expires_at is not null;
create index pin_failures_age on pin_failures (day);
-- A counter is written at every try, right or wrong.
alter table pin_failures set (fillfactor = 70);

-- The first of p_digests that is free on the number, as its index; null when no place is left on it.
-- A place is won by an advisory lock that is tried and never waited for: two sessions that open at once, each on both
-- of two numbers, would else wait for one another in a circle. The unique index stands behind it.
create function take_code(
  p_tenant text, p_number text, p_session text, p_participant text, p_kind text, p_expires_at timestamptz,
  p_digests bytea[], p_indexes smallint[], p_now timestamptz
) returns smallint language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_used smallint[];
begin
  delete from pins k using (
      select d.digest from pins d where d.tenant = p_tenant and d.number = p_number and d.expires_at <= p_now
        for update skip locked
    ) x
    where k.tenant = p_tenant and k.number = p_number and k.digest = x.digest;
  v_used := array(select k.place from pins k where k.tenant = p_tenant and k.number = p_number);
  for v_place in 1 .. 10 loop
    continue when v_place = any (v_used)
      or not pg_try_advisory_xact_lock(hashtextextended(p_tenant || ' ' || p_number || ' ' || v_place, 8));
    -- Taken between our look and our lock.
    continue when exists (select from pins k where k.tenant = p_tenant and k.number = p_number and k.place = v_place);
    for i in 1 .. cardinality(p_digests) loop
      continue when exists (select from pins k
        where k.tenant = p_tenant and k.number = p_number and k.digest = p_digests[i]);
      insert into pins (tenant, number, digest, session, participant, kind, expires_at, place)
        values (p_tenant, p_number, p_digests[i], p_session, p_participant, p_kind, p_expires_at, v_place)
        on conflict do nothing;
      if found then
        return p_indexes[i];
      end if;
    end loop;
    return null;
  end loop;
  return null;
end $$;

-- A participant's code on their number, for as long as the session keeps it.
create function take_pin(
  p_tenant text, p_number text, p_session text, p_participant text, p_digests bytea[], p_indexes smallint[],
  p_now timestamptz
) returns smallint language sql as $$
  select take_code(p_tenant, p_number, p_session, p_participant, 'session', null, p_digests, p_indexes, p_now)
$$;

create function drop_pins(p_tenant text, p_session text) returns void language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  delete from pins k where k.tenant = p_tenant and k.session = p_session;
end $$;

-- Codes of a session's participants go to another number with them. False: there is no room for all of them, or one
-- means somebody else there; then nothing was moved.
create function move_pins(
  p_tenant text, p_session text, p_participants text[], p_from text, p_to text, p_now timestamptz)
returns boolean language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_code pins%rowtype;
  v_moved bytea[] := '{}';
begin
  for v_code in
    select k.* from pins k where k.tenant = p_tenant and k.session = p_session and k.number = p_from
      and k.participant = any (p_participants)
  loop
    if take_code(p_tenant, p_to, p_session, v_code.participant, v_code.kind, v_code.expires_at, array[v_code.digest],
        array[0::smallint], p_now) is null then
      delete from pins k where k.tenant = p_tenant and k.number = p_to and k.digest = any (v_moved);
      return false;
    end if;
    v_moved := v_moved || v_code.digest;
  end loop;
  delete from pins k where k.tenant = p_tenant and k.session = p_session and k.number = p_from
      and k.participant = any (p_participants);
  return true;
end $$;

-- Locks today's counters of a number and of a caller (null: nobody is known) until we commit; true when one is full.
-- Both are written whatever they say, so that a locked try costs what any other costs.
create function lock_pin_counters(p_tenant text, p_number text, p_caller text, p_now timestamptz) returns boolean
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_day date := (p_now at time zone 'UTC')::date;
  v_of_number integer;
  v_of_caller integer := 0;
begin
  insert into pin_failures as f (tenant, subject, day, wrong) values (p_tenant, p_number, v_day, 0)
    on conflict (tenant, subject, day) do update set wrong = f.wrong returning f.wrong into v_of_number;
  if p_caller is not null then
    insert into pin_failures as f (tenant, subject, day, wrong) values (p_tenant, p_caller, v_day, 0)
      on conflict (tenant, subject, day) do update set wrong = f.wrong returning f.wrong into v_of_caller;
  end if;
  return v_of_number >= 10 or v_of_caller >= 10;
end $$;

-- One more wrong code. The caller of this holds the counters' locks, and they were not full.
create function count_wrong_pin(p_tenant text, p_number text, p_caller text, p_now timestamptz) returns void
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_day date := (p_now at time zone 'UTC')::date;
  v_wrong integer;
begin
  update pin_failures f set wrong = f.wrong + 1
    where f.tenant = p_tenant and f.subject = p_number and f.day = v_day returning f.wrong into v_wrong;
  update pin_failures f set wrong = f.wrong + 1
    where f.tenant = p_tenant and f.subject = p_caller and f.day = v_day;
  -- It goes no further, so this happens once a day.
  if v_wrong = 10 then
    perform emit_event(p_tenant, 'pin.locked', null, p_number, jsonb_build_object('wrong', v_wrong));
  end if;
end $$;

-- A code is tried on a number. `accepted`: whose it is; a claim is only told of here and used up by claim_phone.
-- `wrong`: none is like it, or its session is over, or it is a claim and p_may_claim is false (nobody can tell who
-- calls). `locked`: ten were wrong today, on this number or of this caller; then the code is not even looked up.
-- p_digest null: what was keyed is no code; it can hit nothing, and is not counted.
create function try_pin(
  p_tenant text, p_number text, p_digest bytea, p_caller text, p_may_claim boolean, p_now timestamptz
) returns table (outcome text, session text, participant text, claim boolean) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  if lock_pin_counters(p_tenant, p_number, p_caller, p_now) then
    return query select 'locked', null::text, null::text, null::boolean;
    return;
  end if;
  return query
    select 'accepted', k.session, k.participant, k.kind = 'claim' from pins k
      join sessions s on s.tenant = k.tenant and s.session = k.session
      join participants p on p.tenant = k.tenant and p.session = k.session and p.participant = k.participant
      where k.tenant = p_tenant and k.number = p_number and k.digest = p_digest
        and (k.expires_at is null or k.expires_at > p_now) and (k.kind = 'session' or p_may_claim)
        and p.left_at is null and p.number = p_number
        and session_lives(s.status, s.expires_at, s.idle_expires_at,
          case k.kind when 'session' then s.after_until end, p_now);
  if found then
    return;
  end if;
  if p_digest is not null then
    perform count_wrong_pin(p_tenant, p_number, p_caller, p_now);
  end if;
  return query select 'wrong', null::text, null::text, null::boolean;
end $$;

-- Claims that ran out, and counters of days before yesterday. Returns how many rows went.
create function forget_codes(p_limit integer, p_now timestamptz) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_claims integer;
  v_counters integer;
begin
  delete from pins k using (
      select d.tenant, d.number, d.digest from pins d where d.expires_at <= p_now
        order by d.expires_at limit p_limit for update skip locked
    ) x
    where k.tenant = x.tenant and k.number = x.number and k.digest = x.digest;
  get diagnostics v_claims = row_count;
  delete from pin_failures f using (
      select d.tenant, d.subject, d.day from pin_failures d where d.day < (p_now at time zone 'UTC')::date - 1
        order by d.day limit p_limit for update skip locked
    ) x
    where f.tenant = x.tenant and f.subject = x.subject and f.day = x.day;
  get diagnostics v_counters = row_count;
  return v_claims + v_counters;
end $$;

-- ------------------------------------------------------------------ claims of further phones

-- A code by which the participant adds the phone that they then call from. `failure` null: `code` is the position (1…)
-- in p_digests. Else: missing, session-closed, unknown-participant, participant-unreachable (dials no number),
-- too-many-phones, too-many-codes, no-room.
create function create_claim(
  p_tenant text, p_session text, p_participant text, p_actor text, p_digests bytea[], p_now timestamptz
) returns table (failure text, code smallint, e164 text, expires_at timestamptz) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_session sessions%rowtype;
  v_person participants%rowtype;
  v_failure text;
  v_code smallint;
  v_expires timestamptz := p_now + interval '15 minutes';
begin
  -- Ends of the session, and claims of others in it, come wholly before or wholly after.
  select s.* into v_session from sessions s
    where s.tenant = p_tenant and s.session = p_session for no key update;
  select p.* into v_person from participants p
    where p.tenant = p_tenant and p.session = p_session and p.participant = p_participant and p.left_at is null;
  v_failure := case
    when v_session.session is null then 'missing'
    when not session_lives(v_session.status, v_session.expires_at, v_session.idle_expires_at, null, p_now)
      then 'session-closed'
    when v_person.participant is null then 'unknown-participant'
    when v_person.is_open or v_person.reach <> 'number' then 'participant-unreachable'
    when (select count(*) from participant_phones h where h.tenant = p_tenant and h.session = p_session
      and h.participant = p_participant) >= 5 then 'too-many-phones'
    when (select count(*) from pins k where k.tenant = p_tenant and k.session = p_session
      and k.participant = p_participant and k.kind = 'claim' and k.expires_at > p_now) >= 3 then 'too-many-codes'
  end;
  if v_failure is null then
    v_code := take_code(p_tenant, v_person.number, p_session, p_participant, 'claim', v_expires, p_digests,
      array(select i::smallint from generate_series(1, cardinality(p_digests)) i), p_now);
    if v_code is null then
      v_failure := 'no-room';
    end if;
  end if;
  if v_failure is not null then
    return query select v_failure, null::smallint, null::text, null::timestamptz;
    return;
  end if;
  insert into ledger (tenant, entry, kind, actor, session, subject)
    values (p_tenant, new_id('led_'), 'claim.created', p_actor, p_session, p_participant);
  return query select null::text, v_code, n.e164, v_expires from numbers n
    where n.tenant = p_tenant and n.number = v_person.number;
end $$;

-- Uses a claim up: the caller's phone becomes one more of the participant's, for this session. Refused like any wrong
-- code, and counted as one, when the phone is another participant's, a virtual number, blocked towards somebody in the
-- session, the sixth, or has met this number for another session and is not free for it.
-- The caller's party is sealed under p_party, a new id, and written only when there is none yet.
create function claim_phone(
  p_tenant text, p_number text, p_digest bytea, p_caller text, p_fingerprint bytea, p_directory bytea,
  p_party text, p_country text, p_key text, p_wrapped bytea, p_key_version integer, p_phone bytea, p_now timestamptz
) returns table (outcome text, session text, participant text) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_settled record;
  v_party text;
  v_code pins%rowtype;
  v_own boolean;
  v_bound integer := 0;
begin
  if lock_pin_counters(p_tenant, p_number, p_caller, p_now) then
    return query select 'locked', null::text, null::text;
    return;
  end if;
  select * into v_settled from settle_parties(p_tenant, array[p_fingerprint], array[p_party], array[p_country],
    array[p_key], array[p_wrapped], array[p_key_version], array[p_phone], null);
  v_party := v_settled.parties[1];
  select k.* into v_code from pins k
    where k.tenant = p_tenant and k.number = p_number and k.digest = p_digest and k.kind = 'claim'
      and k.expires_at > p_now;
  perform from sessions s where s.tenant = p_tenant and s.session = v_code.session for no key update;

  v_own := exists (select from participant_phones h where h.tenant = p_tenant and h.session = v_code.session
    and h.participant = v_code.participant and h.party = v_party);
  if v_own then
    v_bound := 1;
  elsif exists (
      select from sessions s
        join participants p on p.tenant = s.tenant and p.session = s.session
        where s.tenant = p_tenant and s.session = v_code.session and p.participant = v_code.participant
          and session_lives(s.status, s.expires_at, s.idle_expires_at, null, p_now)
          and p.left_at is null and p.number = p_number
    ) and not exists (select from number_directory d where d.fingerprint = p_directory)
    and not exists (select from participant_phones h
      where h.tenant = p_tenant and h.party = v_party and h.session = v_code.session)
    and (select count(*) from participant_phones h where h.tenant = p_tenant and h.session = v_code.session
      and h.participant = v_code.participant) < 5
    and blocked_participants(p_tenant, v_party, v_code.session, p_now) = '{}'
    -- In no slot: a caller who claims is never one who must choose.
    and not exists (select from bindings b where b.tenant = p_tenant and b.party = v_party and b.number = p_number
      and b.free_at > p_now)
  then
    v_bound := bind_rows(p_tenant, v_code.session, array[v_party], array[v_code.participant], array[p_number],
      array['new'], p_now);
  end if;
  if v_bound = 1 then
    delete from pins k where k.tenant = p_tenant and k.number = p_number and k.digest = p_digest;
  end if;
  if v_bound = 0 then
    perform unsettle_parties(p_tenant, v_settled.parties, v_settled.made, array[p_key]);
    perform count_wrong_pin(p_tenant, p_number, p_caller, p_now);
    return query select 'wrong', null::text, null::text;
    return;
  end if;

  if not v_own then
    insert into participant_phones (tenant, session, participant, position, party)
      select p_tenant, v_code.session, v_code.participant, max(h.position) + 1, v_party
        from participant_phones h
        where h.tenant = p_tenant and h.session = v_code.session and h.participant = v_code.participant;
    insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
      values (p_tenant, new_id('led_'), 'phone.claimed', 'caller', v_party, v_code.session, v_code.participant,
        jsonb_build_object('number', p_number));
    perform emit_event(p_tenant, 'phone.claimed', v_code.session, v_code.participant,
      jsonb_build_object('participant', v_code.participant, 'number', p_number));
  end if;
  return query select 'accepted', v_code.session, v_code.participant;
end $$;

-- ------------------------------------------------------------------ blocks

-- One block is a row for each pair of phones: a participant may have several.
alter table blocks add column position integer not null default 1;
alter table blocks drop constraint blocks_pkey;
alter table blocks add primary key (tenant, block, position);

-- Whether a block names one of these parties: asked first, since nearly always none does.
create function any_blocked(p_tenant text, p_parties text[]) returns boolean language plpgsql stable as $$
begin
  return exists (select from blocks b
      where b.tenant = p_tenant and b.party = any (p_parties) and b.lifted_at is null limit 1)
    or exists (select from blocks b
      where b.tenant = p_tenant and b.counterpart = any (p_parties) and b.lifted_at is null limit 1);
end $$;

-- The participants of a session whom this party may not reach, nor be reached by. A participant is blocked when one of
-- their phones is, and so is the party when another phone of the same participant is. Without any block in force it
-- costs one look at an index. (It takes the plan settings of whoever asks: setting them costs more than the looks.)
create function blocked_participants(p_tenant text, p_party text, p_session text, p_now timestamptz) returns text[]
language plpgsql stable as $$
begin
  if not exists (select from blocks b where b.tenant = p_tenant and b.lifted_at is null limit 1)
      or not any_blocked(p_tenant, p_party || array(select h.party from participant_phones h
        where h.tenant = p_tenant and h.session = p_session)) then
    return '{}';
  end if;
  return blocked_among_participants(p_tenant, p_party, p_session, p_now);
end $$;

create function blocked_among_participants(p_tenant text, p_party text, p_session text, p_now timestamptz)
returns text[] language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_owners text[];
  v_mine text[];
  v_towards text[];
begin
  v_owners := array(select h.participant from participant_phones h
    where h.tenant = p_tenant and h.party = p_party and h.session = p_session);
  v_mine := p_party || array(select h.party from participant_phones h
    where h.tenant = p_tenant and h.session = p_session and h.participant = any (v_owners));
  -- Null stands for everybody, as in the table.
  v_towards := array(
    select b.counterpart from blocks b
      where b.tenant = p_tenant and b.party = any (v_mine) and b.lifted_at is null
        and (b.expires_at is null or b.expires_at > p_now)
    union all
    select b.party from blocks b
      where b.tenant = p_tenant and b.counterpart = any (v_mine) and b.lifted_at is null
        and (b.expires_at is null or b.expires_at > p_now));
  return array(
    select distinct h.participant from participant_phones h
      where h.tenant = p_tenant and h.session = p_session and h.participant <> all (v_owners)
        and (array_position(v_towards, null::text) is not null or h.party = any (v_towards)
          or exists (select from blocks b
            where b.tenant = p_tenant and b.party = h.party and b.lifted_at is null and b.counterpart is null
              and (b.expires_at is null or b.expires_at > p_now)))
      order by h.participant);
end $$;

-- Of phones that shall meet in a session, p_participant_of says whose each is: the position (1…) of the first that is
-- blocked towards a phone of somebody else. Null: none.
create function blocked_pair_among(
  p_tenant text, p_parties text[], p_participant_of integer[], p_now timestamptz default platform_now()
) returns integer language plpgsql stable as $$
begin
  if not exists (select from blocks b where b.tenant = p_tenant and b.lifted_at is null limit 1)
      or not any_blocked(p_tenant, p_parties) then
    return null;
  end if;
  return first_blocked_pair(p_tenant, p_parties, p_participant_of, p_now);
end $$;

create function first_blocked_pair(p_tenant text, p_parties text[], p_participant_of integer[], p_now timestamptz)
returns integer language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
begin
  return (
    with named as materialized (
      select b.party, b.counterpart from blocks b
        where b.tenant = p_tenant and b.party = any (p_parties) and b.lifted_at is null
          and (b.expires_at is null or b.expires_at > p_now)
    )
    select min(x.position)
      from unnest(p_parties, p_participant_of) with ordinality as x(party, owner, position)
      join unnest(p_parties, p_participant_of) as y(party, owner) on y.owner <> x.owner
      join named b on (b.party = x.party and (b.counterpart is null or b.counterpart = y.party))
        or (b.party = y.party and b.counterpart = x.party));
end $$;

-- Asks the nodes to hang up what p_parties talk about with p_counterparts (null: with anybody) at this moment. Where
-- nobody has answered yet, a call that may still come to be between them ends, too.
create function end_blocked_calls(p_tenant text, p_parties text[], p_counterparts text[], p_now timestamptz)
returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_call record;
  v_callee text;
  v_one text[];
  v_other text[];
begin
  for v_call in
    select c.call, c.session, c.participant as caller from calls c
      where c.tenant = p_tenant and c.ended_at is null and c.session is not null
        and (select true from participant_phones h where h.tenant = p_tenant and h.session = c.session
          and h.party = any (p_parties) limit 1)
      order by c.call
  loop
    v_one := array(select h.participant from participant_phones h
      where h.tenant = p_tenant and h.session = v_call.session and h.party = any (p_parties));
    v_other := array(select h.participant from participant_phones h
      where h.tenant = p_tenant and h.session = v_call.session
        and case when p_counterparts is null then h.participant <> all (v_one) else h.party = any (p_counterparts) end);
    -- Who answered stands in the disclosure's entry; the last one counts.
    v_callee := (select l.details ->> 'callee' from ledger l
      where l.tenant = p_tenant and l.session = v_call.session and l.kind = 'connection' and l.subject = v_call.call
      order by l.entry desc limit 1);
    if (v_call.caller = any (v_one) and coalesce(v_callee = any (v_other), cardinality(v_other) > 0))
        or (v_call.caller = any (v_other) and coalesce(v_callee = any (v_one), true)) then
      update calls c set hangup_requested_at = coalesce(c.hangup_requested_at, p_now)
        where c.tenant = p_tenant and c.call = v_call.call and c.ended_at is null;
      perform pg_notify('samar_calls', json_build_object('tenant', p_tenant, 'call', v_call.call)::text);
    end if;
  end loop;
end $$;

-- Blocks. Each side is a person (the transparency digest of a participant, of whatever session) or a phone:
-- p_people has both sides' digests, null where a side is a phone or missing; the phones come in the order of their
-- fingerprints, p_phone_side says whose each is (1: who is blocked, 2: towards whom), sealed as in create_session under
-- new ids: a number that was never seen becomes a party, so that it is blocked when it comes.
-- `failure` null: done; else unknown-participant, participant-unreachable, virtual-number (`side` says which), same-party.
create function create_block(
  p_tenant text, p_block text, p_actor text, p_reason text, p_expires_at timestamptz, p_everybody boolean,
  p_people bytea[], p_phone_side integer[], p_fingerprints bytea[], p_directory bytea[],
  p_parties text[], p_countries text[], p_keys text[], p_wrapped bytea[], p_key_versions integer[], p_phones bytea[],
  p_now timestamptz
) returns table (failure text, side integer) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_settled record;
  v_failure text;
  v_side integer;
  v_person record;
  v_sides text[] := '{}';
  v_one text[];
  v_other text[];
begin
  select p_phone_side[i] into v_side from number_directory d, array_position(p_directory, d.fingerprint) i
    where d.fingerprint = any (p_directory) limit 1;
  if found then
    return query select 'virtual-number', v_side;
    return;
  end if;
  select * into v_settled from settle_parties(p_tenant, p_fingerprints, p_parties, p_countries, p_keys, p_wrapped,
    p_key_versions, p_phones, null);

  for i in 1 .. case when p_everybody then 1 else 2 end loop
    v_sides := array(select x.party from unnest(v_settled.parties, p_phone_side) as x(party, side) where x.side = i);
    if p_people[i] is not null then
      select p.session, p.participant into v_person from participants p
        where p.tenant = p_tenant and p.transparency_digest = p_people[i];
      if not found then
        v_failure := 'unknown-participant';
      end if;
      v_sides := array(select h.party from participant_phones h where h.tenant = p_tenant
        and h.session = v_person.session and h.participant = v_person.participant order by h.position);
    end if;
    if cardinality(v_sides) = 0 then
      v_failure := coalesce(v_failure, 'participant-unreachable');
    end if;
    if v_failure is not null then
      v_side := i;
      exit;
    end if;
    if i = 1 then
      v_one := v_sides;
    else
      v_other := v_sides;
    end if;
  end loop;
  if v_failure is null and v_one && v_other then
    v_failure := 'same-party';
    v_side := 2;
  end if;
  if v_failure is not null then
    perform unsettle_parties(p_tenant, v_settled.parties, v_settled.made, p_keys);
    return query select v_failure, v_side;
    return;
  end if;

  insert into blocks (tenant, block, position, party, counterpart, reason, actor, created_at, expires_at)
    select p_tenant, p_block, row_number() over (order by x.at, y.at), x.party, y.party, p_reason, p_actor, p_now,
        p_expires_at
      from unnest(v_one) with ordinality as x(party, at)
      left join unnest(v_other) with ordinality as y(party, at) on true;
  insert into ledger (tenant, entry, kind, actor, party, subject, details)
    select p_tenant, new_id('led_'), 'party.blocked', p_actor, x.party, p_block,
        jsonb_strip_nulls(jsonb_build_object('towards', to_jsonb(v_other), 'expiresAt', p_expires_at))
      from unnest(v_one) as x(party);
  perform emit_event(p_tenant, 'party.blocked', null, p_block, jsonb_strip_nulls(jsonb_build_object(
    'block', p_block, 'everybody', p_everybody, 'expiresAt', p_expires_at)));
  perform end_blocked_calls(p_tenant, v_one, v_other, p_now);
  return query select null::text, null::integer;
end $$;

-- False: there is no such block. One that was lifted stays as it is.
create function lift_block(p_tenant text, p_block text, p_actor text, p_now timestamptz) returns boolean
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  update blocks b set lifted_at = p_now where b.tenant = p_tenant and b.block = p_block and b.lifted_at is null;
  if not found then
    return exists (select from blocks b where b.tenant = p_tenant and b.block = p_block);
  end if;
  insert into ledger (tenant, entry, kind, actor, party, subject)
    select p_tenant, new_id('led_'), 'block.lifted', p_actor, x.party, p_block
      from (select distinct b.party from blocks b where b.tenant = p_tenant and b.block = p_block) x;
  perform emit_event(p_tenant, 'block.lifted', null, p_block, jsonb_build_object('block', p_block));
  return true;
end $$;

-- ------------------------------------------------------------------ late callers

-- The day's window of `late_attempts`. It belongs to the binding while that counts anything: a new binding starts
-- with none, and needs no other reset.
alter table bindings
  add column late_day date,
  add column late_today smallint not null default 0,
  -- `abuse.suspected` was said that day.
  add column late_told boolean not null default false;

-- Counts calls on bindings that are over, one element a call or several of one binding. A row that is being used for
-- another session right now is passed over: a count is not worth waiting for.
create function note_late_attempts(
  p_tenants text[], p_parties text[], p_numbers text[], p_slots integer[], p_times integer[], p_now timestamptz
) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_day date := (p_now at time zone 'UTC')::date;
begin
  if coalesce(cardinality(p_parties), 0) = 0 then
    return;
  end if;
  with late as materialized (
    select a.tenant, a.party, a.number, a.slot, sum(a.times)::integer as times
      from unnest(p_tenants, p_parties, p_numbers, p_slots, p_times) as a(tenant, party, number, slot, times)
      group by a.tenant, a.party, a.number, a.slot
  ), held as materialized (
    select x.times, b.tenant, b.party, b.number, b.slot, b.late_attempts,
        case when b.late_attempts > 0 and b.late_day = v_day then b.late_today else 0 end as today,
        b.late_attempts > 0 and b.late_day = v_day and b.late_told as told,
        coalesce((t.settings ->> 'abuseThreshold')::integer, 5) as threshold
      from late x
      join tenants t on t.tenant = x.tenant
      cross join lateral (
        select b.* from bindings b
          where b.tenant = x.tenant and b.party = x.party and b.number = x.number and b.slot = x.slot
          for no key update skip locked
      ) b
  ), counted as (
    update bindings b
      set late_attempts = b.late_attempts + h.times, late_day = v_day,
          late_today = least(h.today + h.times, 32767), late_told = h.told or h.today + h.times >= h.threshold
      from held h
      where b.tenant = h.tenant and b.party = h.party and b.number = h.number and b.slot = h.slot
      returning b.tenant, b.session, b.participant, b.number, b.late_today as attempts, b.late_told and not h.told as tell
  )
  insert into events (tenant, event, kind, session, subject, data, at)
    select c.tenant, new_id('evt_'), 'abuse.suspected', c.session, c.participant,
        jsonb_build_object('participant', c.participant, 'number', c.number, 'attempts', c.attempts), p_now
      from counted c where c.tell;
end $$;

-- ------------------------------------------------------------------ events

create index events_kind on events (tenant, kind, event);

-- Events are kept for 30 days. Returns how many went.
create function forget_events(p_limit integer, p_now timestamptz) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_count integer;
begin
  delete from events e using (
      select d.tenant, d.event from events d where d.at < p_now - interval '30 days'
        order by d.at limit p_limit for update skip locked
    ) x
    where e.tenant = x.tenant and e.event = x.event;
  get diagnostics v_count = row_count;
  return v_count;
end $$;
