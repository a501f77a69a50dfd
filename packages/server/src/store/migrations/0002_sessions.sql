-- Opening, ending and expiring sessions: each one round trip, atomic, and safe from any number of nodes at once.
--
-- Who waits for whom: everything that opens a session first locks its parties in the order of their fingerprints, so
-- sessions of one party are opened one after another and no circle of waiting can form. Everything that ends or
-- answers locks the session's row, and never a party.
--
-- The functions force index plans: their statements look rows up by key, and a plan that was made while the tables
-- were empty must not survive into the day when they are large. And generic ones: the plan never depends on the values.

-- Sortable by time of making, like the ids that the application makes: 48 bits of milliseconds; then 12 bits of the
-- fraction (rows of one transaction after another keep their order) and 68 random ones.
create function new_id(p_prefix text) returns text language sql volatile as $$
  -- One expression, so that it is taken into the statement that asks: a call of its own costs more than it does.
  select p_prefix || lpad(to_hex((extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0')
      || left(replace(gen_random_uuid()::text, '-', ''), 9) || right(gen_random_uuid()::text, 8)
$$;

-- Seconds for which a party does not get a number again that it had in this role.
-- 24 h for agents, who meet new customers all day; 30 days for everyone else, who may call back weeks later.
create function cooldown_seconds(p_cooldown jsonb, p_role text) returns double precision language sql immutable as $$
  select coalesce((p_cooldown ->> p_role)::double precision, (p_cooldown ->> '*')::double precision,
    case p_role when 'agent' then 86400 else 2592000 end)
$$;

-- Ends an open session: its numbers start cooling, the ledger says so, and nodes with running calls are told.
-- False when it was not open. A session whose time had run out ends as expired at that moment, whoever ends it.
create function end_session(p_tenant text, p_session text, p_reason text, p_ongoing_calls text, p_actor text)
returns boolean language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_due timestamptz;
  v_ended timestamptz;
  v_pool text;
  v_status text;
begin
  select least(s.expires_at, s.idle_expires_at), s.pool into v_due, v_pool
    from sessions s where s.tenant = p_tenant and s.session = p_session and s.status = 'open' for no key update;
  if not found then
    return false;
  end if;
  v_ended := clock_timestamp();
  v_status := 'closed';
  if v_due <= v_ended then
    v_ended := v_due;
    v_status := 'expired';
  end if;
  update sessions s
    set status = v_status, closed_at = v_ended, ongoing_calls = p_ongoing_calls,
        close_reason = case v_status when 'closed' then p_reason end
    where s.tenant = p_tenant and s.session = p_session;
  update bindings b
    set released_at = v_ended, free_at = v_ended + make_interval(secs => cooldown_seconds(o.cooldown, p.role))
    from participants p
    join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
    join pools o on o.tenant = p.tenant and o.pool = v_pool
    where p.tenant = p_tenant and p.session = p_session
      and b.tenant = p_tenant and b.party = h.party and b.number = p.number
      and b.session = p_session and b.released_at is null;
  insert into ledger (tenant, entry, kind, actor, session, details)
    values (p_tenant, new_id('led_'), 'session.closed', p_actor, p_session,
      jsonb_strip_nulls(jsonb_build_object('status', v_status, 'reason', case v_status when 'closed' then p_reason end)));
  -- A call that is decided at this very moment is stopped by the gate in answer_calls, which locks the session.
  if exists (select from calls c where c.tenant = p_tenant and c.session = p_session and c.status <> 'ended') then
    perform pg_notify('samar_sessions', json_build_object(
      'tenant', p_tenant, 'session', p_session, 'ongoingCalls', p_ongoing_calls)::text);
  end if;
  return true;
end $$;

-- Ends up to p_limit sessions whose time has run out. Any number of nodes may sweep at once.
create function expire_sessions(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_due record;
  v_count integer := 0;
begin
  for v_due in
    select s.tenant, s.session from sessions s
      where s.status = 'open' and least(s.expires_at, coalesce(s.idle_expires_at, s.expires_at)) <= now()
      order by least(s.expires_at, coalesce(s.idle_expires_at, s.expires_at))
      limit p_limit for no key update skip locked
  loop
    if end_session(v_due.tenant, v_due.session, null, 'finish', 'expiry') then
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end $$;

-- The number that all of p_parties may have now: never seen before the least recently seen. Null: none.
-- The caller holds the parties' locks.
create function choose_number(p_tenant text, p_pool text, p_parties text[], p_now timestamptz, p_reuse boolean)
returns text language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_number text;
  v_ordinal bigint;
  v_from bigint;
begin
  if cardinality(p_parties) > 1 then
    return choose_common_number(p_tenant, p_pool, p_parties, p_now, p_reuse);
  end if;

  -- 1. Never seen, the first in order. A look-up of the key for each number, said so that no planner makes a join of
  -- it: as one it reads all of the party's bindings again for every number.
  select w.seen_through into v_from from party_pools w
    where w.tenant = p_tenant and w.party = p_parties[1] and w.pool = p_pool;
  v_from := coalesce(v_from, 0);
  select n.number, n.ordinal into v_number, v_ordinal from numbers n
    where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.ordinal > v_from
      and 'voice' = any (n.capabilities)
      and (select true from bindings b
        where b.tenant = p_tenant and b.party = p_parties[1] and b.number = n.number limit 1) is null
    order by n.ordinal limit 1;
  -- The note says nothing of the number just found: the session may still be refused. (A number that is added at
  -- this very moment may come under it; the third step finds that one, when the party has none else.)
  if v_number is null then
    select max(n.ordinal) + 1 into v_ordinal from numbers n
      where n.tenant = p_tenant and n.pool = p_pool and n.enabled;
  end if;
  if v_ordinal - 1 > v_from + 64 then
    insert into party_pools as w (tenant, party, pool, seen_through)
      values (p_tenant, p_parties[1], p_pool, v_ordinal - 1)
      on conflict (tenant, party, pool) do update set seen_through = excluded.seen_through;
  end if;

  -- 2. Seen, free again, the one longest ago.
  if v_number is null then
    select b.number into v_number from bindings b
      join numbers n on n.tenant = b.tenant and n.number = b.number
      where b.tenant = p_tenant and b.party = p_parties[1] and b.released_at is not null and b.free_at <= p_now
        and n.pool = p_pool and n.enabled and 'voice' = any (n.capabilities)
      order by b.released_at limit 1;
  end if;

  -- 3. Not seen after all: its binding was erased since the note was written.
  if v_number is null and v_from > 0 then
    select n.number into v_number from numbers n
      where n.tenant = p_tenant and n.pool = p_pool and n.enabled and 'voice' = any (n.capabilities)
        and (select true from bindings b
          where b.tenant = p_tenant and b.party = p_parties[1] and b.number = n.number limit 1) is null
      order by n.ordinal limit 1;
  end if;

  -- 4. Cooling, the one longest ago, where the pool allows that.
  if v_number is null and p_reuse then
    select b.number into v_number from bindings b
      join numbers n on n.tenant = b.tenant and n.number = b.number
      where b.tenant = p_tenant and b.party = p_parties[1] and b.released_at is not null
        and n.pool = p_pool and n.enabled and 'voice' = any (n.capabilities)
      order by b.released_at limit 1;
  end if;
  return v_number;
end $$;

-- The same for several parties at once (a participant with several phones, or one number for everybody): free for
-- all of them; seen is what any of them has seen.
create function choose_common_number(p_tenant text, p_pool text, p_parties text[], p_now timestamptz, p_reuse boolean)
returns text language sql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
  with seen as materialized (
    select b.number, bool_or(b.released_at is null) as live, max(b.free_at) as free_at, max(b.released_at) as released_at
      from bindings b where b.tenant = p_tenant and b.party = any (p_parties) group by b.number
  )
  select n.number from numbers n left join seen s on s.number = n.number
    where n.tenant = p_tenant and n.pool = p_pool and n.enabled and 'voice' = any (n.capabilities)
      and (s.number is null or s.free_at <= p_now or (p_reuse and not s.live))
    order by coalesce(s.free_at, '-infinity') > p_now, s.released_at nulls first, n.ordinal limit 1
$$;

-- Opens a session. One row a participant, or one row that says why not:
--   `failure` null            opened; `number` and `e164` are the participant's, `details` the parties of the phones
--   replayed                  opened before under the same idempotency key: `session` says which
--   idempotency-mismatch      the key was used for another request
--   unknown-pool, empty-pool
--   virtual-number            p_position is the phone (in the order of the arrays)
--   pool-exhausted            p_position is the participant; `details` has the pool's head-room
--   other-party               a party is not the one that p_parties took it for: `details` has the ids of all parties,
--                             null where there is none. Ask again with these. Keys and phones are sealed before the
--                             parties are looked up, each bound to its party's id, so the id is guessed: from memory,
--                             else as a new one. p_phones is null for a party that is taken to exist, p_keys is
--                             null for one that needs no key.
-- On failure nothing is kept. Phones come in the order of their fingerprints; p_phone_participant is the
-- position (1…) of the participant each belongs to.
create function create_session(
  p_tenant text, p_session text, p_actor text, p_pool text, p_reference text, p_recording text, p_shared boolean,
  p_expires_at timestamptz, p_ttl_seconds double precision, p_idle_seconds integer, p_metadata jsonb,
  p_participants text[], p_roles text[], p_locales text[], p_names bytea[], p_name_phone integer[],
  p_transparency bytea[],
  p_phone_participant integer[], p_phone_position integer[], p_fingerprints bytea[], p_directory bytea[],
  p_parties text[], p_countries text[], p_keys text[], p_wrapped bytea[], p_key_versions integer[], p_phones bytea[],
  p_idempotency text, p_digest bytea
) returns table (
  failure text, "position" integer, session text, participant text, number text, e164 text,
  created_at timestamptz, expires_at timestamptz, details jsonb
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_expires timestamptz;
  v_pool pools%rowtype;
  v_key idempotency_keys%rowtype;
  v_party text;
  v_all text[] := '{}';
  v_new text[] := '{}';
  v_mine text[];
  v_numbers text[] := '{}';
  v_number text;
  v_failure text;
  v_position integer;
  v_details jsonb;
  v_due record;
  v_bound integer;
  v_guessed boolean := true;
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
      if v_key.request_digest = p_digest and v_key.session is not null then
        return query select 'replayed', null::integer, v_key.session, null, null, null,
          null::timestamptz, null::timestamptz, null::jsonb;
      else
        return query select 'idempotency-mismatch', null::integer, null, null, null, null,
          null::timestamptz, null::timestamptz, null::jsonb;
      end if;
      return;
    end if;
  end if;

  select o.* into v_pool from pools o where o.tenant = p_tenant and o.pool = p_pool;
  if not found then
    v_failure := 'unknown-pool';
  end if;
  select i into v_position from number_directory d, array_position(p_directory, d.fingerprint) i
    where d.fingerprint = any (p_directory) limit 1;
  if found then
    v_failure := 'virtual-number';
  end if;

  -- 2. The parties: known or new, each locked until we commit.
  if v_failure is null then
    for i in 1 .. cardinality(p_fingerprints) loop
      loop
        select y.party into v_party from parties y
          where y.tenant = p_tenant and y.fingerprint = p_fingerprints[i] for no key update;
        exit when found;
        -- It was erased since it was remembered.
        if p_phones[i] is null or exists (select from parties y where y.tenant = p_tenant and y.party = p_parties[i]
            and y.fingerprint is distinct from p_fingerprints[i]) then
          v_party := null;
          v_guessed := false;
          exit;
        end if;
        insert into parties (tenant, party, fingerprint, phone, phone_key, country)
          values (p_tenant, p_parties[i], p_fingerprints[i], p_phones[i], p_keys[i], p_countries[i])
          on conflict (tenant, fingerprint) do nothing;
        if found then
          v_party := p_parties[i];
          v_new := v_new || v_party;
          exit;
        end if;
      end loop;
      v_all := array_append(v_all, v_party);
      if v_party = any (v_new) or i = any (p_name_phone) then
        v_guessed := v_guessed and v_party = p_parties[i];
        if v_guessed then
          insert into party_keys (tenant, party, party_key, wrapped, tenant_key_version)
            values (p_tenant, v_party, p_keys[i], p_wrapped[i], p_key_versions[i]);
        end if;
      end if;
    end loop;
    if not v_guessed then
      v_failure := 'other-party';
      v_details := (select jsonb_agg(nullif(x.party, any_new.party) order by x.position)
        from unnest(v_all) with ordinality as x(party, position)
        left join unnest(v_new) as any_new(party) on any_new.party = x.party);
    end if;
  end if;

  -- 3. A number for each participant. Read only now: what the session before us released is seen.
  v_now := clock_timestamp();
  if v_failure is null then
    for j in 1 .. cardinality(p_participants) loop
      if p_shared and j > 1 then
        v_numbers := v_numbers || v_numbers[1];
        continue;
      end if;
      v_mine := '{}';
      for i in 1 .. cardinality(v_all) loop
        if p_shared or p_phone_participant[i] = j then
          v_mine := v_mine || v_all[i];
        end if;
      end loop;
      v_number := choose_number(p_tenant, p_pool, v_mine, v_now, v_pool.exhaustion = 'reuse-oldest');
      if v_number is null then
        -- Sessions that have run out but were not swept yet may still hold one.
        for v_due in
          select s.session from sessions s
            where s.tenant = p_tenant and s.status = 'open' and least(s.expires_at, s.idle_expires_at) <= v_now
              and s.session = any (array(select b.session from bindings b
                where b.tenant = p_tenant and b.party = any (v_mine) and b.released_at is null))
            order by s.session for no key update
        loop
          perform end_session(p_tenant, v_due.session, null, 'finish', 'expiry');
        end loop;
        v_now := clock_timestamp();
        v_number := choose_number(p_tenant, p_pool, v_mine, v_now, v_pool.exhaustion = 'reuse-oldest');
      end if;
      if v_number is null then
        v_position := j;
        select jsonb_build_object('numbers', count(*),
            'live', count(*) filter (where x.live),
            'cooling', count(*) filter (where not x.live and x.free_at > v_now),
            'freeAt', to_char(min(x.free_at) filter (where not x.live and x.free_at > v_now) at time zone 'UTC',
              'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
          into v_details
          from numbers n
          left join lateral (
            select bool_or(b.released_at is null) as live, max(b.free_at) as free_at from bindings b
              where b.tenant = p_tenant and b.party = any (v_mine) and b.number = n.number
          ) x on true
          where n.tenant = p_tenant and n.pool = p_pool and n.enabled and 'voice' = any (n.capabilities);
        v_failure := case when (v_details ->> 'numbers')::integer = 0 then 'empty-pool' else 'pool-exhausted' end;
        exit;
      end if;
      v_numbers := v_numbers || v_number;
    end loop;
  end if;

  -- Refused: take back what was written on the way, and say so as a value, not as an error.
  if v_failure is not null then
    delete from idempotency_keys k where k.tenant = p_tenant and k.idempotency_key = p_idempotency;
    delete from party_keys k where k.tenant = p_tenant and k.party = any (v_all) and k.party_key = any (p_keys);
    delete from parties y where y.tenant = p_tenant and y.party = any (v_new);
    return query select v_failure, v_position, null, null, null, null,
      null::timestamptz, null::timestamptz, v_details;
    return;
  end if;

  -- 4. Everything at once.
  v_expires := coalesce(p_expires_at, v_now + make_interval(secs => p_ttl_seconds));
  insert into sessions (tenant, session, reference, pool, recording, shared_number, created_at, expires_at,
      idle_seconds, idle_expires_at, metadata)
    values (p_tenant, p_session, p_reference, p_pool, p_recording, p_shared, v_now, v_expires,
      p_idle_seconds, v_now + make_interval(secs => p_idle_seconds), p_metadata);
  insert into participants (tenant, session, participant, position, role, locale, number, name, name_party, name_key,
      transparency_digest)
    select p_tenant, p_session, x.participant, x.position, x.role, x.locale, x.number, x.name,
        v_all[x.phone], p_keys[x.phone], x.transparency
      from unnest(p_participants, p_roles, p_locales, v_numbers, p_names, p_name_phone, p_transparency)
        with ordinality as x(participant, role, locale, number, name, phone, transparency, position);
  insert into participant_phones (tenant, session, participant, position, party)
    select p_tenant, p_session, p_participants[x.owner], x.position, x.party
      from unnest(p_phone_participant, p_phone_position, v_all) as x(owner, position, party);
  -- Law 1 is this statement with its primary key: a number is taken over only when it is released, and free for
  -- everybody but `reuse-oldest`. The locks make the count match; were they ever wrong, nothing is written.
  insert into bindings as b (tenant, party, number, session, participant, bound_at)
    select p_tenant, x.party, v_numbers[x.owner], p_session, p_participants[x.owner], v_now
      from unnest(p_phone_participant, v_all) as x(owner, party)
    on conflict (tenant, party, number) do update
      set session = excluded.session, participant = excluded.participant, bound_at = excluded.bound_at,
          released_at = null, free_at = 'infinity', late_attempts = 0
      where b.free_at <= v_now or (b.released_at is not null and v_pool.exhaustion = 'reuse-oldest');
  get diagnostics v_bound = row_count;
  if v_bound <> cardinality(v_all) then
    raise exception 'a binding was taken in spite of the locks' using errcode = 'SM001';
  end if;
  insert into ledger (tenant, entry, kind, actor, session, details)
    values (p_tenant, new_id('led_'), 'session.opened', p_actor, p_session,
      jsonb_build_object('participants', to_jsonb(p_participants), 'recording', p_recording));

  return query
    select null::text, x.position::integer, p_session, x.participant, x.number, n.e164, v_now, v_expires, to_jsonb(v_all)
      from unnest(p_participants, v_numbers) with ordinality as x(participant, number, position)
      join numbers n on n.tenant = p_tenant and n.number = x.number
      order by x.position;
end $$;
