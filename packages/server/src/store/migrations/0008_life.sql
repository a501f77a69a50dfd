-- The life of a session: opening, changing who takes part, ending, what may still happen after the close, reopening.
-- Each is one round trip and atomic. Who waits for whom stays as in 0002: whatever binds numbers locks its parties
-- first, in the order of their fingerprints, then sessions; whatever only ends locks the session. Of several sessions
-- the one with the lower id comes first, and so does a listing before its conversations, which are made after it.

drop function create_session(text, text, text, text, text, text, boolean, timestamptz, double precision, integer, jsonb,
  text[], text[], text[], bytea[], integer[], bytea[], integer[], integer[], bytea[], bytea[], text[], text[], text[],
  bytea[], integer[], bytea[], text, bytea);
drop function end_session(text, text, text, text, text);

create index numbers_open on numbers (tenant, open_session) where open_session is not null;

-- A session connects: open and within its times, or closed and still in the time after it.
create function session_lives(p_status text, p_expires_at timestamptz, p_idle_expires_at timestamptz,
  p_after_until timestamptz, p_now timestamptz) returns boolean language sql immutable as $$
  select case p_status
    when 'open' then p_expires_at > p_now and (p_idle_expires_at is null or p_idle_expires_at > p_now)
    else coalesce(p_after_until > p_now, false)
  end
$$;

-- ------------------------------------------------------------------ ending

-- Functions that are only called by others stand under their callers' planner settings; each setting of their own would
-- cost them more than the statement does.

-- The numbers of a session's participants (of one, when p_participant is given) start cooling.
create function release_bindings(p_tenant text, p_session text, p_participant text, p_at timestamptz) returns void
language plpgsql
as $$
begin
  update bindings b
    set released_at = p_at, free_at = p_at + make_interval(secs => cooldown_seconds(o.cooldown, p.role))
    from sessions s
    join participants p on p.tenant = s.tenant and p.session = s.session
    join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
    join pools o on o.tenant = s.tenant and o.pool = s.pool
    where s.tenant = p_tenant and s.session = p_session
      and p.tenant = p_tenant and p.session = p_session and (p_participant is null or p.participant = p_participant)
      and b.tenant = p_tenant and b.party = h.party and b.number = p.number
      and b.session = p_session and b.participant = p.participant and b.released_at is null;
end $$;

-- Ends a session, or the time after it. p_reason null: its time has run out. p_ongoing_calls null: what the session
-- declared. p_after false: nothing of `after_close`. Answers what happened: `ended`, `after-ended`, or null for a
-- session that was over already. One whose time had run out ends as expired at that moment, whoever ends it.
create function end_session(
  p_tenant text, p_session text, p_reason text, p_ongoing_calls text, p_after boolean, p_actor text
) returns text language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_session sessions%rowtype;
  v_due timestamptz;
  v_now timestamptz;
  v_ended timestamptz;
  v_status text := 'closed';
  v_ongoing text;
  v_after timestamptz;
  v_child record;
begin
  select s.* into v_session from sessions s
    where s.tenant = p_tenant and s.session = p_session and (s.status = 'open' or s.after_until is not null)
    for no key update;
  if not found then
    return null;
  end if;
  v_now := platform_now();

  if v_session.status <> 'open' then
    if p_after and v_session.after_until > v_now then
      return null;
    end if;
    v_ended := least(v_session.after_until, v_now);
    update sessions s set after_until = null, ongoing_calls = 'hangup'
      where s.tenant = p_tenant and s.session = p_session;
    perform release_bindings(p_tenant, p_session, null, v_ended);
    perform drop_pins(p_tenant, p_session);
    perform emit_event(p_tenant, 'session.after-close-ended', p_session, null, null);
    perform notify_session(p_tenant, p_session, null, 'hangup');
    return 'after-ended';
  end if;

  v_due := least(v_session.expires_at, v_session.idle_expires_at);
  v_ended := v_now;
  if v_due <= v_now then
    v_ended := v_due;
    v_status := 'expired';
  end if;
  v_ongoing := coalesce(p_ongoing_calls, v_session.running_calls);
  if v_status = 'closed' and p_after and v_session.after_close is not null
      and (v_session.after_close -> 'reasons' is null or v_session.after_close -> 'reasons' ? p_reason) then
    v_after := v_ended + make_interval(secs => (v_session.after_close ->> 'seconds')::double precision);
  end if;
  update sessions s
    set status = v_status, closed_at = v_ended, ongoing_calls = v_ongoing, after_until = v_after,
        close_reason = case v_status when 'closed' then p_reason end
    where s.tenant = p_tenant and s.session = p_session;
  if v_after is null then
    perform release_bindings(p_tenant, p_session, null, v_ended);
    perform drop_pins(p_tenant, p_session);
  end if;
  insert into ledger (tenant, entry, kind, actor, session, details)
    values (p_tenant, new_id('led_'), 'session.closed', p_actor, p_session,
      jsonb_strip_nulls(jsonb_build_object('status', v_status, 'reason', case v_status when 'closed' then p_reason end)));
  perform emit_event(p_tenant, case v_status when 'closed' then 'session.closed' else 'session.expired' end, p_session,
    null, jsonb_strip_nulls(jsonb_build_object('reason', p_reason, 'afterCloseUntil',
      to_char(v_after at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))));
  perform notify_session(p_tenant, p_session, null, v_ongoing);

  -- An open side ends with its session, and so do the conversations that came from it.
  if exists (select from participants p where p.tenant = p_tenant and p.session = p_session and p.is_open) then
    update numbers n set open_session = null where n.tenant = p_tenant and n.open_session = p_session;
    for v_child in
      select s.session from sessions s where s.tenant = p_tenant and s.parent = p_session and s.status = 'open'
        order by s.session
    loop
      perform end_session(p_tenant, v_child.session, coalesce(p_reason, 'expired'), v_ongoing, p_after, p_actor);
    end loop;
  end if;
  return 'ended';
end $$;

-- Tells nodes with running calls. A call that is decided at this very moment is stopped by the gate in answer_calls,
-- which locks the session.
create function notify_session(p_tenant text, p_session text, p_participant text, p_ongoing_calls text) returns void
language plpgsql as $$
begin
  if exists (select from calls c where c.tenant = p_tenant and c.session = p_session and c.status <> 'ended') then
    perform pg_notify('samar_sessions', json_strip_nulls(json_build_object('tenant', p_tenant, 'session', p_session,
      'ongoingCalls', p_ongoing_calls, 'participant', p_participant))::text);
  end if;
end $$;

-- Ends up to p_limit sessions whose time, or time after the close, has run out. Any number of nodes may sweep at once.
-- Zero: none is due any more.
create or replace function expire_sessions(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_due record;
  v_count integer := 0;
  v_now timestamptz := platform_now();
begin
  for v_due in
    select s.tenant, s.session from sessions s
      where s.status = 'open' and least(s.expires_at, coalesce(s.idle_expires_at, s.expires_at)) <= v_now
        -- Said so that no planner makes a join of it: as one it reads everybody who ever took part.
        and (select true from participants p
          where p.tenant = s.tenant and p.session = s.session and p.is_open limit 1) is null
      order by least(s.expires_at, coalesce(s.idle_expires_at, s.expires_at))
      limit p_limit for no key update of s skip locked
  loop
    if end_session(v_due.tenant, v_due.session, null, 'finish', true, 'expiry') is not null then
      v_count := v_count + 1;
    end if;
  end loop;
  for v_due in
    select s.tenant, s.session from sessions s where s.after_until <= v_now
      order by s.after_until limit p_limit - v_count for no key update skip locked
  loop
    if end_session(v_due.tenant, v_due.session, null, 'finish', true, 'expiry') is not null then
      v_count := v_count + 1;
    end if;
  end loop;
  -- A listing waits for its conversations, and whoever holds one of them may wait for a session that we hold. So it is
  -- ended alone, when nothing else was due.
  if v_count = 0 then
    select s.tenant, s.session into v_due from sessions s
      where s.status = 'open' and least(s.expires_at, coalesce(s.idle_expires_at, s.expires_at)) <= v_now
      order by least(s.expires_at, coalesce(s.idle_expires_at, s.expires_at))
      limit 1 for no key update skip locked;
    if found and end_session(v_due.tenant, v_due.session, null, 'finish', true, 'expiry') is not null then
      v_count := 1;
    end if;
  end if;
  return v_count;
end $$;

-- ------------------------------------------------------------------ people

-- The parties of phones: known or new, each locked until we commit, in the order in which they come (that of their
-- fingerprints). `guessed` false: a party is not the one that p_parties took it for; `parties` says which (null: none,
-- it was erased), and nothing that depends on the guess was written.
create function settle_parties(
  p_tenant text, p_fingerprints bytea[], p_parties text[], p_countries text[], p_keys text[], p_wrapped bytea[],
  p_key_versions integer[], p_phones bytea[], p_name_phone integer[],
  out parties text[], out made text[], out guessed boolean
) language plpgsql as $$
#variable_conflict use_column
declare
  v_party text;
begin
  parties := '{}';
  made := '{}';
  guessed := true;
  for i in 1 .. coalesce(cardinality(p_fingerprints), 0) loop
    loop
      select y.party into v_party from parties y
        where y.tenant = p_tenant and y.fingerprint = p_fingerprints[i] for no key update;
      exit when found;
      if p_phones[i] is null or exists (select from parties y where y.tenant = p_tenant and y.party = p_parties[i]
          and y.fingerprint is distinct from p_fingerprints[i]) then
        v_party := null;
        guessed := false;
        exit;
      end if;
      insert into parties (tenant, party, fingerprint, phone, phone_key, country)
        values (p_tenant, p_parties[i], p_fingerprints[i], p_phones[i], p_keys[i], p_countries[i])
        on conflict (tenant, fingerprint) do nothing;
      if found then
        v_party := p_parties[i];
        made := made || v_party;
        exit;
      end if;
    end loop;
    parties := array_append(parties, v_party);
    if v_party = any (made) or i = any (p_name_phone) then
      guessed := guessed and v_party = p_parties[i];
      if guessed then
        insert into party_keys (tenant, party, party_key, wrapped, tenant_key_version)
          values (p_tenant, v_party, p_keys[i], p_wrapped[i], p_key_versions[i]);
      end if;
    end if;
  end loop;
end $$;

-- Takes back what settle_parties wrote.
create function unsettle_parties(p_tenant text, p_parties text[], p_made text[], p_keys text[]) returns void
language sql as $$
  delete from party_keys k where k.tenant = p_tenant and k.party = any (p_parties) and k.party_key = any (p_keys);
  delete from party_pools w where w.tenant = p_tenant and w.party = any (p_made);
  delete from parties y where y.tenant = p_tenant and y.party = any (p_made);
$$;

-- Ends sessions of these parties that have run out but were not swept yet: they may still hold a number. Conversations
-- of a listing among them are locked in their place of the order.
create function end_overdue(p_tenant text, p_parties text[], p_now timestamptz) returns boolean language plpgsql
as $$
declare
  v_due record;
  v_any boolean := false;
begin
  for v_due in
    select s.session, session_lives(s.status, s.expires_at, s.idle_expires_at, s.after_until, p_now) as lives
      from sessions s
      where s.tenant = p_tenant and s.session = any (array(
          with due as materialized (
            select d.session, d.status from sessions d
              where d.tenant = p_tenant and d.session = any (array(select b.session from bindings b
                  where b.tenant = p_tenant and b.party = any (p_parties) and b.released_at is null))
                and ((d.status = 'open' and least(d.expires_at, d.idle_expires_at) <= p_now) or d.after_until <= p_now)
          )
          select d.session from due d
          union
          select c.session from due d join sessions c on c.tenant = p_tenant and c.parent = d.session
            where d.status = 'open' and c.status = 'open'))
      order by s.session for no key update
  loop
    continue when v_due.lives;
    perform end_session(p_tenant, v_due.session, null, 'finish', true, 'expiry');
    v_any := true;
  end loop;
  return v_any;
end $$;

-- A number for each of the given participants, whose parties are locked. `failure` null: `numbers` and `hows` are
-- theirs. p_extras: what is not the plain case, by participant: {open, reach, exact (a number's id), inherits (`exact`
-- is an open side's number), area}.
-- p_others: parties that are in the session already, for `sticky`.
create function seat_participants(
  p_tenant text, p_session text, p_pool pools, p_shared boolean, p_shared_number text, p_sticky boolean,
  p_pinned boolean, p_participants text[], p_extras jsonb[], p_phone_participant integer[], p_countries text[], p_parties text[],
  p_others text[],
  out numbers text[], out hows text[], out failure text, out "position" integer, out details jsonb
) language plpgsql as $$
#variable_conflict use_column
declare
  v_now timestamptz := platform_now();
  v_mine text[];
  v_others text[];
  v_country text;
  v_extra jsonb;
  v_choice record;
begin
  numbers := '{}';
  hows := '{}';
  -- Before any number's row is locked, or whoever closes the gate could wait for us and we for them.
  perform enter_number_gate(p_tenant);
  for j in 1 .. cardinality(p_participants) loop
    v_extra := p_extras[j];
    if (v_extra ->> 'open')::boolean then
      -- The row's lock is what two listings race for.
      update numbers n set open_session = p_session
        where n.tenant = p_tenant and n.number = (
            select m.number from numbers m
              where m.tenant = p_tenant and m.enabled and m.use = 'reserved' and not m.draining and m.open_session is null
                and 'voice' = any (m.capabilities)
                and case when v_extra ->> 'exact' is null then m.pool = p_pool.pool else m.number = v_extra ->> 'exact' end
                and not exists (select from participants p join sessions s on s.tenant = p.tenant and s.session = p.session
                  where p.tenant = p_tenant and p.number = m.number and s.tenant = p_tenant
                    and (s.status = 'open' or s.after_until is not null))
              order by m.ordinal limit 1 for update skip locked)
        returning n.number into v_choice;
      if not found then
        failure := 'number-not-available';
        position := j;
        return;
      end if;
      numbers := numbers || v_choice.number;
      hows := hows || 'open'::text;
      continue;
    end if;
    if (v_extra ->> 'inherits')::boolean then
      numbers := numbers || (v_extra ->> 'exact');
      hows := hows || 'exact'::text;
      continue;
    end if;
    if v_extra ->> 'reach' = 'app' then
      numbers := array_append(numbers, choose_display_number(p_tenant, p_pool.pool));
      hows := hows || 'display'::text;
      if numbers[j] is null then
        failure := 'no-display-number';
        position := j;
        return;
      end if;
      continue;
    end if;
    if p_shared and p_shared_number is null and j > 1 and hows[1] not in ('open', 'display') then
      numbers := numbers || numbers[1];
      hows := hows || hows[1];
      continue;
    end if;
    v_mine := '{}';
    v_others := p_others;
    v_country := null;
    for i in 1 .. cardinality(p_parties) loop
      if p_shared and p_shared_number is null or p_phone_participant[i] = j then
        v_mine := v_mine || p_parties[i];
        v_country := coalesce(v_country, p_countries[i]);
      else
        v_others := v_others || p_parties[i];
      end if;
    end loop;
    for attempt in 1 .. 2 loop
      select c.number, c.slot, c.how into v_choice
        from choose_number(p_tenant, p_pool, v_mine, v_others, v_now, v_country, v_extra ->> 'area',
          coalesce(p_shared_number, v_extra ->> 'exact'), p_sticky) c;
      exit when v_choice.number is not null or attempt = 2;
      -- Everybody's at once, in one order.
      exit when not end_overdue(p_tenant, p_parties, v_now);
      v_now := platform_now();
    end loop;
    if p_pinned and p_shared_number is null and v_extra ->> 'exact' is null and v_choice.how in ('new', 'seen', 'sticky')
        and (select count(*) from pins i where i.tenant = p_tenant and i.number = v_choice.number) >= 10 then
      select x.number, 0 as slot, x.how into v_choice from number_with_room(p_tenant, p_pool.pool, v_mine, v_now) x;
      if v_choice.number is null then
        failure := 'pin-unavailable';
        position := j;
        return;
      end if;
    end if;
    if v_choice.number is null then
      position := j;
      if p_shared_number is not null or v_extra ->> 'exact' is not null then
        failure := 'number-not-available';
        return;
      end if;
      select jsonb_build_object('numbers', count(*),
          'live', count(*) filter (where x.live),
          'cooling', count(*) filter (where not x.live and x.free_at > v_now),
          'freeAt', to_char(min(x.free_at) filter (where not x.live and x.free_at > v_now) at time zone 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        into details
        from numbers n
        left join lateral (
          select bool_or(b.released_at is null) as live, max(b.free_at) as free_at from bindings b
            where b.tenant = p_tenant and b.party = any (v_mine) and b.number = n.number
        ) x on true
        where n.tenant = p_tenant and n.pool = p_pool.pool and n.enabled and 'voice' = any (n.capabilities)
          and n.use = 'pool' and not n.draining and n.open_session is null
          and (n.quarantined_until is null or n.quarantined_until <= v_now);
      failure := case when (details ->> 'numbers')::integer = 0 then 'empty-pool' else 'pool-exhausted' end;
      return;
    end if;
    numbers := numbers || v_choice.number;
    hows := hows || v_choice.how;
  end loop;
end $$;

-- A number that takes one more code, free for all of the parties: for a session with codes whose chosen number is full of
-- them. Null when there is none.
create function number_with_room(p_tenant text, p_pool text, p_parties text[], p_now timestamptz, out number text, out how text)
language plpgsql
as $$
begin
  select n.number, case when x.seen then 'seen' else 'new' end into number_with_room.number, number_with_room.how
    from numbers n
    cross join lateral (
      select count(*) > 0 as seen, coalesce(bool_and(b.free_at <= p_now), true) as free from bindings b
        where b.tenant = p_tenant and b.party = any (p_parties) and b.number = n.number
    ) x
    where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
      and n.open_session is null and (n.quarantined_until is null or n.quarantined_until <= p_now)
      and 'voice' = any (n.capabilities) and x.free
      and (select count(*) from pins i where i.tenant = p_tenant and i.number = n.number) < 10
    order by n.ordinal limit 1;
end $$;

-- Writes seated participants: rows, phones, bindings, codes. p_pins: p_pins_each digests a participant, the first that
-- is free on the number is taken; null where no code is wanted. Answers the position of the participant for whom no
-- code is left, null when all is well.
create function write_participants(
  p_tenant text, p_session text, p_first integer, p_participants text[], p_roles text[], p_locales text[], p_names bytea[],
  p_name_phone integer[], p_transparency bytea[], p_extras jsonb[], p_pins bytea[], p_pins_each integer, p_pinned boolean,
  p_successors text[], p_keys text[],
  p_phone_participant integer[], p_phone_position integer[], p_parties text[], p_numbers text[], p_hows text[],
  p_now timestamptz
) returns integer language plpgsql as $$
declare
  v_indexes smallint[] := array_fill(null::smallint, array[cardinality(p_participants)]);
  v_participants text[] := '{}';
  v_numbers text[] := '{}';
  v_hows text[] := '{}';
  v_bound integer;
begin
  for j in 1 .. cardinality(p_participants) loop
    -- Who is reached by app dials nothing: a display number would run out of codes for nobody.
    if p_hows[j] not in ('open', 'display') and (p_pinned or p_hows[j] = 'pin') then
      v_indexes[j] := take_pin(p_tenant, p_numbers[j], p_session, p_participants[j],
        p_pins[(j - 1) * p_pins_each + 1 : j * p_pins_each],
        array(select (i - 1)::smallint from generate_series(1, p_pins_each) i), p_now);
      if v_indexes[j] is null then
        return j;
      end if;
    end if;
  end loop;
  insert into participants (tenant, session, participant, position, role, locale, number, name, name_party, name_key,
      transparency_digest, joined_at, successor_of, time_zone, may_start, reach, is_open, pin_index)
    select p_tenant, p_session, x.participant,
        -- Who takes somebody's place stands in it.
        case when x.successor is null then p_first + x.position else (
          select p.position from participants p where p.tenant = p_tenant and p.session = p_session
            and p.participant = x.successor) end, x.role, x.locale, x.number, x.name,
        p_parties[x.phone], p_keys[x.phone], x.transparency, p_now, x.successor, x.extra ->> 'timeZone',
        coalesce((x.extra ->> 'mayStart')::boolean, true), coalesce(x.extra ->> 'reach', 'number'),
        coalesce((x.extra ->> 'open')::boolean, false), x.pin_index
      from unnest(p_participants, p_roles, p_locales, p_numbers, p_names, p_name_phone, p_transparency, p_extras,
          p_successors, v_indexes)
        with ordinality as x(participant, role, locale, number, name, phone, transparency, extra, successor, pin_index,
          position);
  insert into participant_phones (tenant, session, participant, position, party)
    select p_tenant, p_session, p_participants[x.owner], x.position, x.party
      from unnest(p_phone_participant, p_phone_position, p_parties) as x(owner, position, party);
  if cardinality(p_parties) > 0 then
    -- Law 1 is this with the primary key: a number is taken over only when it is released. The locks make the count
    -- match; were they ever wrong, nothing is written.
    for i in 1 .. cardinality(p_parties) loop
      v_participants := v_participants || p_participants[p_phone_participant[i]];
      v_numbers := v_numbers || p_numbers[p_phone_participant[i]];
      v_hows := v_hows || p_hows[p_phone_participant[i]];
    end loop;
    v_bound := bind_numbers(p_tenant, p_session, p_parties, v_participants, v_numbers, v_hows, p_now);
    if v_bound <> cardinality(p_parties) then
      raise exception 'a binding was taken in spite of the locks' using errcode = 'SM001';
    end if;
  end if;
  return null;
end $$;

-- ------------------------------------------------------------------ opening

-- Opens a session. One row a participant, or one row that says why not:
--   `failure` null            opened; `number` and `e164` are the participant's, `details` the parties of the phones
--   replayed                  opened before under the same idempotency key: `session` says which
--   idempotency-mismatch      the key was used for another request
--   unknown-pool, empty-pool, unknown-program
--   virtual-number, blocked   p_position is the phone (in the order of the arrays)
--   pool-exhausted, number-not-available, no-display-number, pin-unavailable
--                             p_position is the participant; `details` has the pool's head-room
--   needs-pins                the pool gives out codes: ask again with p_pins
--   other-party               a party is not the one that p_parties took it for: `details` has the ids of all parties,
--                             null where there is none. Ask again with these. Keys and phones are sealed before the
--                             parties are looked up, each bound to its party's id, so the id is guessed: from memory,
--                             else as a new one. p_phones is null for a party that is taken to exist, p_keys is
--                             null for one that needs no key.
-- On failure nothing is kept. Phones come in the order of their fingerprints; p_phone_participant is the
-- position (1…) of the participant each belongs to. p_terms: {pool, reference, recording, shared, expiresAt,
-- ttlSeconds, idleSeconds, metadata, opensAt, program, programVersion, rules, runningCalls, afterClose, parent, sticky,
-- pin}.
create function create_session(
  p_tenant text, p_session text, p_actor text, p_terms jsonb,
  p_participants text[], p_roles text[], p_locales text[], p_names bytea[], p_name_phone integer[],
  p_transparency bytea[], p_extras jsonb[], p_pins bytea[],
  p_phone_participant integer[], p_phone_position integer[], p_fingerprints bytea[], p_directory bytea[],
  p_parties text[], p_countries text[], p_keys text[], p_wrapped bytea[], p_key_versions integer[], p_phones bytea[],
  p_idempotency text, p_digest bytea
) returns table (
  failure text, "position" integer, session text, participant text, number text, e164 text, pin_index smallint,
  created_at timestamptz, expires_at timestamptz, details jsonb
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_expires timestamptz;
  v_pool pools%rowtype;
  v_key idempotency_keys%rowtype;
  v_parties text[] := '{}';
  v_made text[] := '{}';
  v_guessed boolean;
  v_seats record;
  v_failure text;
  v_position integer;
  v_details jsonb;
  v_each integer := coalesce(cardinality(p_pins) / cardinality(p_participants), 0);
begin
  -- 1. The same request again?
  if p_idempotency is not null then
    insert into idempotency_keys as k (tenant, idempotency_key, request_digest, session, created_at)
      values (p_tenant, p_idempotency, p_digest, p_session, clock_timestamp())
      on conflict (tenant, idempotency_key) do update
        set request_digest = excluded.request_digest, session = excluded.session, created_at = excluded.created_at,
            status = null, answer = null
        where k.created_at < clock_timestamp() - interval '24 hours';
    if not found then
      select k.* into v_key from idempotency_keys k where k.tenant = p_tenant and k.idempotency_key = p_idempotency;
      return query select
        case when v_key.request_digest = p_digest and v_key.session is not null then 'replayed'
          else 'idempotency-mismatch' end,
        null::integer, v_key.session, null, null, null, null::smallint, null::timestamptz, null::timestamptz, null::jsonb;
      return;
    end if;
  end if;

  select o.* into v_pool from pools o where o.tenant = p_tenant and o.pool = p_terms ->> 'pool';
  if not found then
    v_failure := 'unknown-pool';
  end if;
  if v_failure is null and p_terms ->> 'program' is not null and not exists (
      select from programs g join program_versions w on w.tenant = g.tenant and w.program = g.program
        where g.tenant = p_tenant and g.program = p_terms ->> 'program' and g.deleted_at is null
          and w.version = coalesce((p_terms ->> 'programVersion')::integer, g.version)) then
    v_failure := 'unknown-program';
  end if;
  if v_failure is null then
    select i into v_position from number_directory d, array_position(p_directory, d.fingerprint) i
      where d.fingerprint = any (p_directory) limit 1;
    if found then
      v_failure := 'virtual-number';
    end if;
  end if;

  -- 2. The parties: known or new, each locked until we commit.
  if v_failure is null then
    select x.parties, x.made, x.guessed into v_parties, v_made, v_guessed
      from settle_parties(p_tenant, p_fingerprints, p_parties, p_countries, p_keys, p_wrapped,
      p_key_versions, p_phones, p_name_phone) x;
    if not v_guessed then
      v_failure := 'other-party';
      v_details := (select jsonb_agg(nullif(x.party, any_new.party) order by x.position)
        from unnest(v_parties) with ordinality as x(party, position)
        left join unnest(v_made) as any_new(party) on any_new.party = x.party);
    else
      v_position := blocked_pair_among(p_tenant, v_parties, p_phone_participant);
      if v_position is not null then
        v_failure := 'blocked';
      end if;
    end if;
  end if;

  -- 3. A number for each participant. Read only now: what the session before us released is seen.
  if v_failure is null then
    select * into v_seats from seat_participants(p_tenant, p_session, v_pool, (p_terms ->> 'shared')::boolean, null,
      (p_terms ->> 'sticky')::boolean, coalesce((p_terms ->> 'pin')::boolean, false), p_participants, p_extras, p_phone_participant, p_countries, v_parties, '{}');
    v_failure := v_seats.failure;
    v_position := v_seats.position;
    v_details := v_seats.details;
    if v_failure is null and v_each = 0 and ('pin' = any (v_seats.hows) or (p_terms ->> 'pin')::boolean) then
      v_failure := 'needs-pins';
    end if;
  end if;

  -- 4. Everything at once.
  if v_failure is null then
    v_now := platform_now();
    v_expires := coalesce((p_terms ->> 'expiresAt')::timestamptz,
      v_now + make_interval(secs => (p_terms ->> 'ttlSeconds')::double precision));
    insert into sessions (tenant, session, reference, pool, recording, shared_number, created_at, expires_at,
        idle_seconds, idle_expires_at, metadata, opens_at, program, program_version, rules, running_calls, after_close,
        parent)
      values (p_tenant, p_session, p_terms ->> 'reference', v_pool.pool, p_terms ->> 'recording',
        (p_terms ->> 'shared')::boolean, v_now, v_expires,
        (p_terms ->> 'idleSeconds')::integer, v_now + make_interval(secs => (p_terms ->> 'idleSeconds')::integer),
        p_terms -> 'metadata', (p_terms ->> 'opensAt')::timestamptz, p_terms ->> 'program',
        (p_terms ->> 'programVersion')::integer, p_terms -> 'rules', coalesce(p_terms ->> 'runningCalls', 'finish'),
        p_terms -> 'afterClose', p_terms ->> 'parent');
    v_position := write_participants(p_tenant, p_session, 0, p_participants, p_roles, p_locales, p_names, p_name_phone,
      p_transparency, p_extras, p_pins, v_each, coalesce((p_terms ->> 'pin')::boolean, false),
      array_fill(null::text, array[cardinality(p_participants)]), p_keys,
      p_phone_participant, p_phone_position, v_parties, v_seats.numbers, v_seats.hows, v_now);
    if v_position is not null then
      v_failure := 'pin-unavailable';
      perform drop_pins(p_tenant, p_session);
      delete from sessions s where s.tenant = p_tenant and s.session = p_session;
    end if;
  end if;

  -- Refused: take back what was written on the way, and say so as a value, not as an error.
  if v_failure is not null then
    delete from idempotency_keys k where k.tenant = p_tenant and k.idempotency_key = p_idempotency;
    perform unsettle_parties(p_tenant, v_parties, v_made, p_keys);
    update numbers n set open_session = null where n.tenant = p_tenant and n.open_session = p_session;
    return query select v_failure, v_position, null, null, null, null, null::smallint,
      null::timestamptz, null::timestamptz, v_details;
    return;
  end if;

  with told as (
    insert into ledger (tenant, entry, kind, actor, session, details)
      values (p_tenant, new_id('led_'), 'session.opened', p_actor, p_session,
        jsonb_build_object('participants', to_jsonb(p_participants), 'recording', p_terms ->> 'recording'))
  )
  insert into events (tenant, event, at, kind, session, data)
    values (p_tenant, new_id('evt_'), v_now, 'session.opened', p_session, jsonb_strip_nulls(jsonb_build_object(
      'participants', to_jsonb(p_participants), 'parent', p_terms ->> 'parent')));
  return query
    select null::text, x.position::integer, p_session, x.participant, x.number, n.e164, p.pin_index, v_now, v_expires,
        to_jsonb(v_parties)
      from unnest(p_participants, v_seats.numbers) with ordinality as x(participant, number, position)
      join numbers n on n.tenant = p_tenant and n.number = x.number
      join participants p on p.tenant = p_tenant and p.session = p_session and p.participant = x.participant
      order by x.position;
end $$;

-- ------------------------------------------------------------------ changing

-- Changes a live session: its terms, and who takes part. One row, `failure` null when done; else as create_session,
-- and: session-closed, unknown-participant, participant-taken, participant-unreachable, too-many, shared-number.
-- p_terms holds only what changes; a JSON null takes a term away. p_replaced: for each new participant whose place it
-- takes (null: added). p_removed: who leaves.
create function change_session(
  p_tenant text, p_session text, p_actor text, p_terms jsonb, p_removed text[], p_replaced text[],
  p_participants text[], p_roles text[], p_locales text[], p_names bytea[], p_name_phone integer[],
  p_transparency bytea[], p_extras jsonb[], p_pins bytea[],
  p_phone_participant integer[], p_phone_position integer[], p_fingerprints bytea[], p_directory bytea[],
  p_parties text[], p_countries text[], p_keys text[], p_wrapped bytea[], p_key_versions integer[], p_phones bytea[]
) returns table (failure text, "position" integer, details jsonb) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_session sessions%rowtype;
  v_pool pools%rowtype;
  v_now timestamptz;
  v_settled record;
  v_seats record;
  v_failure text;
  v_position integer;
  v_details jsonb;
  v_leaving text[] := p_removed || array_remove(p_replaced, null);
  v_staying text[];
  v_each integer := coalesce(cardinality(p_pins) / nullif(cardinality(p_participants), 0), 0);
  v_shared text;
  v_left record;
begin
  select i into v_position from number_directory d, array_position(p_directory, d.fingerprint) i
    where d.fingerprint = any (p_directory) limit 1;
  if found then
    return query select 'virtual-number', v_position, null::jsonb;
    return;
  end if;
  select * into v_settled from settle_parties(p_tenant, p_fingerprints, p_parties, p_countries, p_keys, p_wrapped,
    p_key_versions, p_phones, p_name_phone);
  if not v_settled.guessed then
    v_failure := 'other-party';
    v_details := (select jsonb_agg(nullif(x.party, any_new.party) order by x.position)
      from unnest(v_settled.parties) with ordinality as x(party, position)
      left join unnest(v_settled.made) as any_new(party) on any_new.party = x.party);
  end if;

  if v_failure is null then
    if cardinality(p_participants) > 0 then
      perform enter_number_gate(p_tenant);
    end if;
    select s.* into v_session from sessions s
      where s.tenant = p_tenant and s.session = p_session for no key update;
    v_now := platform_now();
    if v_session.session is null or v_session.status <> 'open'
        or not session_lives(v_session.status, v_session.expires_at, v_session.idle_expires_at, null, v_now) then
      v_failure := 'session-closed';
    end if;
  end if;
  if v_failure is null and p_terms ->> 'program' is not null and not exists (
      select from programs g join program_versions w on w.tenant = g.tenant and w.program = g.program
        where g.tenant = p_tenant and g.program = p_terms ->> 'program' and g.deleted_at is null
          and w.version = coalesce((p_terms ->> 'programVersion')::integer, g.version)) then
    v_failure := 'unknown-program';
  end if;

  -- Who leaves, who stays, and whether those who come may.
  if v_failure is null and cardinality(v_leaving) + cardinality(p_participants) > 0 then
    select o.* into v_pool from pools o where o.tenant = p_tenant and o.pool = v_session.pool;
    v_staying := array(select p.participant from participants p where p.tenant = p_tenant and p.session = p_session
      and p.left_at is null and p.participant <> all (v_leaving));
    select min(x.position) into v_position from unnest(v_leaving) with ordinality as x(participant, position)
      where not exists (select from participants p where p.tenant = p_tenant and p.session = p_session
        and p.participant = x.participant and p.left_at is null);
    if v_position is not null then
      v_failure := 'unknown-participant';
    elsif cardinality(v_staying) + cardinality(p_participants) > 10 then
      v_failure := 'too-many';
    elsif cardinality(v_staying) + cardinality(p_participants) < 2 then
      v_failure := 'participant-unreachable';
    else
      -- One phone, two participants: nobody could tell who calls. Of those who leave it is taken over.
      select min(x.position) into v_position from unnest(v_settled.parties) with ordinality as x(party, position)
        where exists (select from participant_phones h where h.tenant = p_tenant and h.party = x.party
          and h.session = p_session and h.participant = any (v_staying));
      if v_position is not null then
        v_failure := 'participant-taken';
      end if;
    end if;
    if v_failure is null and cardinality(p_participants) > 0 then
      select blocked_pair_among(p_tenant, v_settled.parties || array_agg(h.party order by h.party),
          p_phone_participant || array_agg(100 + array_position(v_staying, h.participant) order by h.party))
        into v_position
        from participant_phones h
        where h.tenant = p_tenant and h.session = p_session and h.participant = any (v_staying);
      if v_position is not null then
        v_failure := 'blocked';
      end if;
    end if;
  end if;

  if v_failure is null and cardinality(v_leaving) > 0 then
    for v_left in
      update participants p
        set left_at = v_now, leave_reason = case when p.participant = any (p_removed) then 'removed' else 'replaced' end
        where p.tenant = p_tenant and p.session = p_session and p.participant = any (v_leaving)
        returning p.participant, p.number, p.is_open
    loop
      perform release_bindings(p_tenant, p_session, v_left.participant, v_now);
      delete from pins k where k.tenant = p_tenant and k.session = p_session and k.participant = v_left.participant;
      if v_left.is_open then
        update numbers n set open_session = null where n.tenant = p_tenant and n.number = v_left.number;
      end if;
    end loop;
  end if;
  if v_failure is null and cardinality(p_participants) > 0 then
    if v_session.shared_number then
      select p.number into v_shared from participants p
        where p.tenant = p_tenant and p.session = p_session and p.participant = any (v_staying)
          and p.reach = 'number' and not p.is_open limit 1;
    end if;
    select * into v_seats from seat_participants(p_tenant, p_session, v_pool, v_session.shared_number, v_shared, false, v_each > 0,
      p_participants, p_extras, p_phone_participant, p_countries, v_settled.parties,
      array(select h.party from participant_phones h
        where h.tenant = p_tenant and h.session = p_session and h.participant = any (v_staying)));
    v_failure := v_seats.failure;
    v_position := v_seats.position;
    v_details := v_seats.details;
    if v_failure is null and v_each = 0 and ('pin' = any (v_seats.hows)
        or exists (select from participants p where p.tenant = p_tenant and p.session = p_session and p.pin_index is not null)) then
      v_failure := 'needs-pins';
    end if;
    if v_failure is null then
      -- Chosen at a later moment than we began: what has become free since is not free to who looks back.
      v_now := platform_now();
      v_position := write_participants(p_tenant, p_session,
        (select max(p.position) from participants p where p.tenant = p_tenant and p.session = p_session),
        p_participants, p_roles, p_locales, p_names, p_name_phone, p_transparency, p_extras, p_pins, v_each, v_each > 0,
        p_replaced, p_keys, p_phone_participant, p_phone_position, v_settled.parties, v_seats.numbers, v_seats.hows, v_now);
      if v_position is not null then
        v_failure := 'pin-unavailable';
      end if;
    end if;
  end if;
  if v_failure is not null then
    -- What was written on the way goes with the transaction's savepoint: see the caller below.
    raise exception using errcode = 'SM002',
      message = jsonb_build_object('failure', v_failure, 'position', v_position, 'details', v_details)::text;
  end if;

  if p_terms <> '{}' then
    update sessions s set
        expires_at = coalesce((p_terms ->> 'expiresAt')::timestamptz,
          v_now + make_interval(secs => (p_terms ->> 'ttlSeconds')::double precision), s.expires_at),
        idle_seconds = case when p_terms ? 'idleSeconds' then (p_terms ->> 'idleSeconds')::integer else s.idle_seconds end,
        idle_expires_at = case when p_terms ? 'idleSeconds'
          then v_now + make_interval(secs => (p_terms ->> 'idleSeconds')::integer) else s.idle_expires_at end,
        opens_at = case when p_terms ? 'opensAt' then (p_terms ->> 'opensAt')::timestamptz else s.opens_at end,
        reference = case when p_terms ? 'reference' then p_terms ->> 'reference' else s.reference end,
        recording = coalesce(p_terms ->> 'recording', s.recording),
        metadata = coalesce(nullif(p_terms -> 'metadata', 'null'), s.metadata),
        program = case when p_terms ? 'program' then p_terms ->> 'program' else s.program end,
        program_version = case when p_terms ? 'program' then (p_terms ->> 'programVersion')::integer else s.program_version end,
        rules = case when p_terms ? 'rules'
          then nullif(jsonb_strip_nulls(coalesce(s.rules, '{}') || (p_terms -> 'rules')), '{}') else s.rules end,
        running_calls = coalesce(p_terms ->> 'runningCalls', s.running_calls),
        after_close = case when p_terms ? 'afterClose' then nullif(p_terms -> 'afterClose', 'null') else s.after_close end
      where s.tenant = p_tenant and s.session = p_session;
  end if;
  for v_left in select x.participant from unnest(v_leaving) as x(participant) loop
    perform notify_session(p_tenant, p_session, v_left.participant, 'hangup');
  end loop;
  insert into ledger (tenant, entry, kind, actor, session, details)
    values (p_tenant, new_id('led_'), 'session.changed', p_actor, p_session, jsonb_build_object(
      'fields', (select coalesce(jsonb_agg(x.field order by x.field), '[]') from jsonb_object_keys(p_terms) as x(field)),
      'left', to_jsonb(v_leaving), 'joined', to_jsonb(p_participants)));
  if p_terms <> '{}' then
    perform emit_event(p_tenant, 'session.changed', p_session, null, jsonb_build_object('fields',
      (select jsonb_agg(x.field order by x.field) from jsonb_object_keys(p_terms) as x(field))));
  end if;
  perform emit_event(p_tenant, 'participant.removed', p_session, x.participant, null)
    from unnest(p_removed) as x(participant);
  perform emit_event(p_tenant, case when x.replaced is null then 'participant.added' else 'participant.replaced' end,
      p_session, x.participant, jsonb_strip_nulls(jsonb_build_object('replaced', x.replaced)))
    from unnest(p_participants, p_replaced) as x(participant, replaced);
  return query select null::text, null::integer, to_jsonb(v_settled.parties);
end $$;

-- change_session, with its refusal as a value: what was written until then is undone by the block's savepoint.
create function try_change_session(
  p_tenant text, p_session text, p_actor text, p_terms jsonb, p_removed text[], p_replaced text[],
  p_participants text[], p_roles text[], p_locales text[], p_names bytea[], p_name_phone integer[],
  p_transparency bytea[], p_extras jsonb[], p_pins bytea[],
  p_phone_participant integer[], p_phone_position integer[], p_fingerprints bytea[], p_directory bytea[],
  p_parties text[], p_countries text[], p_keys text[], p_wrapped bytea[], p_key_versions integer[], p_phones bytea[]
) returns table (failure text, "position" integer, details jsonb) language plpgsql as $$
begin
  return query select * from change_session(p_tenant, p_session, p_actor, p_terms, p_removed, p_replaced, p_participants,
    p_roles, p_locales, p_names, p_name_phone, p_transparency, p_extras, p_pins, p_phone_participant, p_phone_position,
    p_fingerprints, p_directory, p_parties, p_countries, p_keys, p_wrapped, p_key_versions, p_phones);
exception when sqlstate 'SM002' then
  return query select sqlerrm::jsonb ->> 'failure', (sqlerrm::jsonb ->> 'position')::integer, sqlerrm::jsonb -> 'details';
end $$;

-- ------------------------------------------------------------------ reopening

-- Theirs still, if the number works and nobody else was put on it meanwhile. A conversation shares its listing's.
create function number_still_free(
  p_tenant text, p_session text, p_parent text, p_number text, p_parties text[], p_now timestamptz
) returns boolean language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
begin
  return exists (select from numbers n where n.tenant = p_tenant and n.number = p_number and n.enabled
      and n.use <> 'display' and not n.draining and (n.open_session is null or n.open_session = p_parent)
      and (n.quarantined_until is null or n.quarantined_until <= p_now) and 'voice' = any (n.capabilities))
    and not exists (select from bindings b where b.tenant = p_tenant and b.party = any (p_parties)
      and b.number = p_number and (b.released_at is null or (b.session <> p_session and b.free_at > p_now)));
end $$;

-- A session that is over lives again, with the same people and, where they are still free, the same numbers.
-- p_pins: digests by participant (p_pins_each each), for those who had a code. Failures: missing, session-open,
-- blocked, pool-exhausted and the like (`position`: the participant's); again (who takes part has just changed).
create function reopen_session(
  p_tenant text, p_session text, p_actor text, p_expires_at timestamptz, p_ttl_seconds double precision,
  p_pin_participants text[], p_pins bytea[]
) returns table (failure text, "position" integer, details jsonb) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_session sessions%rowtype;
  v_pool pools%rowtype;
  v_now timestamptz;
  v_person record;
  v_choice record;
  v_how text;
  v_others text[];
  v_bound integer;
  v_index smallint;
  v_each integer := coalesce(cardinality(p_pins) / nullif(cardinality(p_pin_participants), 0), 0);
  v_moved jsonb := '[]';
  v_locked text[];
  v_all text[];
  v_from text;
  v_common record;
  v_given text[] := '{}';
begin
  select array_agg(y.party) into v_locked from (
    select y.party from parties y
      where y.tenant = p_tenant and y.party = any (array(select h.party from participant_phones h
        join participants p on p.tenant = h.tenant and p.session = h.session and p.participant = h.participant
        where h.tenant = p_tenant and h.session = p_session and p.left_at is null))
      order by y.fingerprint for no key update
  ) y;
  perform enter_number_gate(p_tenant);
  select s.* into v_session from sessions s where s.tenant = p_tenant and s.session = p_session for no key update;
  v_now := platform_now();
  if v_session.session is null then
    return query select 'missing', null::integer, null::jsonb;
    return;
  end if;
  if v_session.status = 'open' then
    if session_lives('open', v_session.expires_at, v_session.idle_expires_at, null, v_now) then
      return query select 'session-open', null::integer, null::jsonb;
      return;
    end if;
    perform end_session(p_tenant, p_session, null, 'finish', true, 'expiry');
  elsif v_session.after_until is not null then
    perform end_session(p_tenant, p_session, null, 'finish', false, p_actor);
  end if;
  select o.* into v_pool from pools o where o.tenant = p_tenant and o.pool = v_session.pool;
  select array_agg(x.party order by x.owner, x.position), blocked_pair_among(p_tenant,
      array_agg(x.party order by x.owner, x.position), array_agg(x.owner order by x.owner, x.position))
    into v_all, v_bound
    from (
      select h.party, p.position as owner, h.position from participants p
        join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
        where p.tenant = p_tenant and p.session = p_session and p.left_at is null
    ) x;
  if v_bound is not null then
    raise exception using errcode = 'SM002', message = jsonb_build_object('failure', 'blocked',
      'position', v_bound)::text;
  end if;
  if not coalesce(v_all <@ v_locked, true) then
    raise exception using errcode = 'SM002', message = jsonb_build_object('failure', 'again')::text;
  end if;
  -- One number for all of them, or it is no shared one any more.
  if v_session.shared_number then
    select p.number into v_from from participants p
      where p.tenant = p_tenant and p.session = p_session and p.left_at is null and p.reach = 'number' and not p.is_open
      limit 1;
    select v_from as number, 'sticky' as how into v_common;
    if v_from is not null and not number_still_free(p_tenant, p_session, v_session.parent, v_from, v_all, v_now) then
      select c.number, c.how into v_common from choose_number(p_tenant, v_pool, v_all, '{}', v_now, null, null, null,
        false) c;
      if v_common.number is null then
        raise exception using errcode = 'SM002', message = jsonb_build_object('failure', 'pool-exhausted',
          'position', 1)::text;
      end if;
    end if;
  end if;
  update sessions s
    set status = 'open', closed_at = null, close_reason = null, ongoing_calls = null, after_until = null,
        expires_at = coalesce(p_expires_at, v_now + make_interval(secs => p_ttl_seconds)),
        idle_expires_at = v_now + make_interval(secs => s.idle_seconds)
    where s.tenant = p_tenant and s.session = p_session;
  for v_person in
    select p.*, (select array_agg(h.party order by h.position) from participant_phones h
        where h.tenant = p.tenant and h.session = p.session and h.participant = p.participant) as parties
      from participants p where p.tenant = p_tenant and p.session = p_session and p.left_at is null order by p.position
  loop
    if v_person.is_open then
      update numbers n set open_session = p_session
        where n.tenant = p_tenant and n.number = v_person.number and n.enabled and n.open_session is null
          and n.use = 'reserved';
      if not found then
        raise exception using errcode = 'SM002', message = jsonb_build_object('failure', 'number-not-available',
          'position', v_person.position)::text;
      end if;
      continue;
    end if;
    v_others := array(select h.party from participant_phones h where h.tenant = p_tenant and h.session = p_session
      and h.participant <> v_person.participant);
    if v_session.shared_number and v_person.reach <> 'app' then
      v_how := case when v_common.number = v_person.number then v_common.how end;
      v_choice := v_common;
    elsif v_person.reach = 'app' then
      v_how := case when exists (select from numbers n where n.tenant = p_tenant and n.number = v_person.number
        and n.enabled and n.use = 'display') then 'display' end;
      if v_how is null then
        select choose_display_number(p_tenant, v_pool.pool) as number, 'display' as how into v_choice;
      end if;
    else
      v_how := case when number_still_free(p_tenant, p_session, v_session.parent, v_person.number, v_person.parties,
        v_now) then 'sticky' end;
      if v_how is null then
        select c.number, c.how into v_choice from choose_number(p_tenant, v_pool, v_person.parties, v_others, v_now,
          null, null, null, false) c;
      end if;
    end if;
    if v_how is null then
      if v_choice.number is null then
        raise exception using errcode = 'SM002', message = jsonb_build_object(
          'failure', case v_person.reach when 'app' then 'no-display-number' else 'pool-exhausted' end,
          'position', v_person.position)::text;
      end if;
      v_how := v_choice.how;
      v_moved := v_moved || jsonb_build_object('participant', v_person.participant, 'from', v_person.number,
        'to', v_choice.number);
      update participants p set number = v_choice.number
        where p.tenant = p_tenant and p.session = p_session and p.participant = v_person.participant;
      v_person.number := v_choice.number;
    end if;
    if v_how <> 'display' then
      v_given := array_append(v_given, v_person.number);
    end if;
    v_bound := bind_rows(p_tenant, p_session, v_person.parties,
      array_fill(v_person.participant, array[cardinality(v_person.parties)]),
      array_fill(v_person.number, array[cardinality(v_person.parties)]),
      array_fill(v_how, array[cardinality(v_person.parties)]), v_now);
    if v_bound <> cardinality(v_person.parties) then
      raise exception 'a binding was taken in spite of the locks' using errcode = 'SM001';
    end if;
    if v_person.participant = any (p_pin_participants) then
      v_index := take_pin(p_tenant, v_person.number, p_session, v_person.participant,
        p_pins[(array_position(p_pin_participants, v_person.participant) - 1) * v_each + 1
          : array_position(p_pin_participants, v_person.participant) * v_each],
        array(select (i - 1)::smallint from generate_series(1, v_each) i), v_now);
      if v_index is null then
        raise exception using errcode = 'SM002', message = jsonb_build_object('failure', 'pin-unavailable',
          'position', v_person.position)::text;
      end if;
      update participants p set pin_index = v_index
        where p.tenant = p_tenant and p.session = p_session and p.participant = v_person.participant;
    end if;
  end loop;
  perform count_load(p_tenant, array(select distinct u.number from unnest(v_given) u(number)), v_now);
  insert into ledger (tenant, entry, kind, actor, session) values (p_tenant, new_id('led_'), 'session.reopened', p_actor, p_session);
  perform emit_event(p_tenant, 'session.reopened', p_session, null, jsonb_build_object('numbers', v_moved));
  return query select null::text, null::integer, null::jsonb;
end $$;

create function try_reopen_session(
  p_tenant text, p_session text, p_actor text, p_expires_at timestamptz, p_ttl_seconds double precision,
  p_pin_participants text[], p_pins bytea[]
) returns table (failure text, "position" integer, details jsonb) language plpgsql as $$
begin
  return query select * from reopen_session(p_tenant, p_session, p_actor, p_expires_at, p_ttl_seconds,
    p_pin_participants, p_pins);
exception when sqlstate 'SM002' then
  return query select sqlerrm::jsonb ->> 'failure', (sqlerrm::jsonb ->> 'position')::integer, sqlerrm::jsonb -> 'details';
end $$;
