-- Numbers are added, changed, drained, replaced and given back; what a pool needs is measured. See 0006 for the gate that
-- keeps a choice and a change of a number apart.

-- ------------------------------------------------------------------ care
drop function add_numbers(text, text, text, text[], text[], text[], text[], bytea[]);
-- All or nothing. One row a number in the order asked, or one row that names the first that can't be had:
--   taken   it is in another pool, carrier or tenant
create function add_numbers(
  p_tenant text, p_pool text, p_carrier text, p_capabilities text[],
  p_numbers text[], p_e164 text[], p_countries text[], p_areas text[], p_directory bytea[]
) returns table (failure text, "position" integer, added boolean, item numbers) language plpgsql as $$
#variable_conflict use_column
declare
  v_taken integer;
  v_new_pool boolean;
begin
  insert into pools (tenant, pool) values (p_tenant, p_pool) on conflict (tenant, pool) do nothing;
  v_new_pool := found;
  perform from pools o where o.tenant = p_tenant and o.pool = p_pool for update;
  perform from carriers c where c.tenant = p_tenant and c.carrier = p_carrier for key share;

  -- In the order of numbers, so that two imports of the same ones wait for one another and never in a circle.
  insert into number_directory (e164, tenant, number, fingerprint)
    select x.e164, p_tenant, x.number, x.fingerprint
      from unnest(p_e164, p_numbers, p_directory) as x(e164, number, fingerprint)
      order by x.e164
    on conflict (e164) do nothing;

  select min(x.position) into v_taken
    from unnest(p_e164) with ordinality as x(e164, position)
    join number_directory d on d.e164 = x.e164
    left join numbers n on n.tenant = p_tenant and d.tenant = p_tenant and n.number = d.number
    where d.tenant <> p_tenant or (n.number is not null and (n.pool <> p_pool or n.carrier <> p_carrier));
  if v_taken is not null then
    delete from number_directory d where d.number = any (p_numbers) and d.tenant = p_tenant
      and not exists (select from numbers n where n.tenant = d.tenant and n.number = d.number);
    if v_new_pool then
      delete from pools o where o.tenant = p_tenant and o.pool = p_pool;
    end if;
    return query select 'taken', v_taken, null::boolean, null::numbers;
    return;
  end if;

  insert into numbers (tenant, number, e164, pool, carrier, country, area, capabilities, created_at)
    select p_tenant, x.number, x.e164, p_pool, p_carrier, x.country, x.area, p_capabilities, platform_now()
      from unnest(p_numbers, p_e164, p_countries, p_areas) with ordinality as x(number, e164, country, area, position)
      join number_directory d on d.e164 = x.e164 and d.tenant = p_tenant and d.number = x.number
      order by x.position;
  insert into ledger (tenant, entry, kind, actor, subject, details)
    values (p_tenant, new_id('led_'), 'numbers.added', 'api', p_pool,
      jsonb_build_object('count', cardinality(p_numbers), 'carrier', p_carrier));
  return query
    select null::text, x.position::integer, d.number = x.number, n
      from unnest(p_e164, p_numbers) with ordinality as x(e164, number, position)
      join number_directory d on d.e164 = x.e164
      join numbers n on n.tenant = p_tenant and n.number = d.number
      order by x.position;
end $$;

drop function update_number(text, text, boolean, text, text[]);
-- Fields that p_change doesn't have stay: enabled, pool, capabilities, use, draining, quarantinedUntil, area. When this
-- is committed, no session is being opened on a number that it takes out of use.
create function update_number(p_tenant text, p_number text, p_change jsonb) returns setof numbers language plpgsql as $$
declare
  v_new numbers%rowtype;
  v_until timestamptz;
begin
  perform close_number_gate(p_tenant);
  select n.* into v_new from numbers n
    where n.tenant = p_tenant and n.number = p_number and n.deleted_at is null for update;
  if not found then
    return;
  end if;
  v_new.enabled := coalesce((p_change ->> 'enabled')::boolean, v_new.enabled);
  v_new.pool := coalesce(p_change ->> 'pool', v_new.pool);
  v_new.use := coalesce(p_change ->> 'use', v_new.use);
  v_new.draining := coalesce((p_change ->> 'draining')::boolean, v_new.draining);
  if p_change ? 'capabilities' then
    v_new.capabilities := array(select jsonb_array_elements_text(p_change -> 'capabilities'));
  end if;
  if p_change ? 'quarantinedUntil' then
    v_until := (p_change ->> 'quarantinedUntil')::timestamptz;
    v_new.quarantined_until := case when v_until > platform_now() then v_until end;
  end if;
  if p_change ? 'area' then
    v_new.area := p_change ->> 'area';
  end if;
  insert into pools (tenant, pool) values (p_tenant, v_new.pool) on conflict (tenant, pool) do nothing;
  update numbers n
    set enabled = v_new.enabled, pool = v_new.pool, use = v_new.use, draining = v_new.draining,
        remove_when_idle = n.remove_when_idle and v_new.draining, capabilities = v_new.capabilities,
        quarantined_until = v_new.quarantined_until, area = v_new.area
    where n.tenant = p_tenant and n.number = p_number;
  insert into ledger (tenant, entry, kind, actor, subject, details)
    values (p_tenant, new_id('led_'), 'number.changed', 'api', p_number, p_change);
  return query select n.* from numbers n where n.tenant = p_tenant and n.number = p_number;
end $$;

-- Does a session that lives, or that still connects after its close, hold the number?
create function number_in_use(p_tenant text, p_number text) returns boolean language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := platform_now();
begin
  return exists (
    select from (
        select b.session from bindings b where b.tenant = p_tenant and b.number = p_number and b.released_at is null
        union all
        select n.open_session from numbers n
          where n.tenant = p_tenant and n.number = p_number and n.open_session is not null
      ) x
      join sessions s on s.tenant = p_tenant and s.session = x.session
      where s.after_until > v_now
        or (s.status = 'open' and least(s.expires_at, s.idle_expires_at) > v_now));
end $$;

-- The row stays for the history; its place in the directory becomes free.
create function remove_number(p_tenant text, p_number text, p_actor text) returns void language plpgsql as $$
begin
  update numbers n
    set deleted_at = platform_now(), enabled = false, remove_when_idle = false, quarantined_until = null
    where n.tenant = p_tenant and n.number = p_number;
  delete from number_directory d using numbers n
    where n.tenant = p_tenant and n.number = p_number
      and d.e164 = n.e164 and d.tenant = p_tenant and d.number = p_number;
  insert into ledger (tenant, entry, kind, actor, subject)
    values (p_tenant, new_id('led_'), 'number.deleted', p_actor, p_number);
end $$;

drop function delete_number(text, text);
-- missing, in-use, deleted; with p_drain a number in use is `draining` and goes after its last session.
create function delete_number(p_tenant text, p_number text, p_drain boolean) returns text language plpgsql as $$
begin
  perform close_number_gate(p_tenant);
  perform from numbers n where n.tenant = p_tenant and n.number = p_number and n.deleted_at is null for update;
  if not found then
    return 'missing';
  end if;
  if not number_in_use(p_tenant, p_number) then
    perform remove_number(p_tenant, p_number, 'api');
    return 'deleted';
  end if;
  if not p_drain then
    return 'in-use';
  end if;
  update numbers n set draining = true, remove_when_idle = true where n.tenant = p_tenant and n.number = p_number;
  insert into ledger (tenant, entry, kind, actor, subject, details)
    values (p_tenant, new_id('led_'), 'number.changed', 'api', p_number, '{"draining": true, "removeWhenIdle": true}');
  return 'draining';
end $$;

-- Removes up to p_limit numbers that were drained and whose last session has ended. They were draining before this
-- transaction began, so no session can be about to have one. Any number of nodes may do so at once.
create function remove_idle_numbers(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_one record;
  v_count integer := 0;
begin
  for v_one in
    select n.tenant, n.number from numbers n
      where n.deleted_at is null and (n.remove_when_idle or n.quarantined_until is not null)
        and n.remove_when_idle and n.draining and not number_in_use(n.tenant, n.number)
      order by n.tenant, n.number limit p_limit for update skip locked
  loop
    perform remove_number(v_one.tenant, v_one.number, 'background');
    perform emit_event(v_one.tenant, 'number.removed', null, v_one.number, '{}');
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- Numbers whose quarantine is over go to the end of their pool's order.
create function end_quarantines(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_one record;
  v_count integer := 0;
begin
  for v_one in
    select n.tenant, n.number from numbers n
      where n.deleted_at is null and (n.remove_when_idle or n.quarantined_until is not null)
        and n.quarantined_until <= platform_now()
      order by n.tenant, n.pool, n.number limit p_limit for update skip locked
  loop
    update numbers n set quarantined_until = null where n.tenant = v_one.tenant and n.number = v_one.number;
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

create function forget_number_days(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_count integer;
begin
  delete from number_days d where d.ctid = any (array(
    select o.ctid from number_days o where o.day < (platform_now() at time zone 'UTC')::date - 2 limit p_limit
      for update skip locked));
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- Undefined fields stay: cooldown, exhaustion, match, spread, loadLimit (null: none). False: there is no such pool.
create function update_pool(p_tenant text, p_pool text, p_change jsonb) returns boolean language plpgsql as $$
declare
  v_pool pools%rowtype;
  v_day date := (platform_now() at time zone 'UTC')::date;
begin
  -- Numbers before their pool, in their order, like everybody.
  if p_change ? 'loadLimit' then
    perform from numbers n where n.tenant = p_tenant and n.pool = p_pool and n.deleted_at is null
      order by n.number for no key update;
  end if;
  update pools o
    set cooldown = coalesce(p_change -> 'cooldown', o.cooldown),
        exhaustion = coalesce(p_change ->> 'exhaustion', o.exhaustion),
        match = coalesce(p_change ->> 'match', o.match),
        spread = coalesce((p_change ->> 'spread')::boolean, o.spread),
        load_limit = case when p_change ? 'loadLimit' then (p_change ->> 'loadLimit')::integer else o.load_limit end
    where o.tenant = p_tenant and o.pool = p_pool returning o.* into v_pool;
  if not found then
    return false;
  end if;
  if p_change ? 'loadLimit' then
    update numbers n set loaded_on = x.loaded_on
      from (
        select m.number, case when d.sessions >= v_pool.load_limit then v_day else '-infinity'::date end as loaded_on
          from numbers m
          left join number_days d on d.tenant = m.tenant and d.number = m.number and d.day = v_day
          where m.tenant = p_tenant and m.pool = p_pool and m.deleted_at is null
          order by m.number
      ) x
      where n.tenant = p_tenant and n.number = x.number and n.loaded_on <> x.loaded_on;
  end if;
  insert into ledger (tenant, entry, kind, actor, subject, details)
    values (p_tenant, new_id('led_'), 'pool.changed', 'api', p_pool, p_change);
  return true;
end $$;

-- ------------------------------------------------------------------ replacement
-- A sick number gets no new sessions for p_seconds, and none is being opened on it when this is committed. False: there
-- is no such number.
create function quarantine_number(
  p_tenant text, p_number text, p_seconds double precision, p_reason text, p_actor text
) returns boolean language plpgsql as $$
declare
  v_until timestamptz := platform_now() + make_interval(secs => p_seconds);
begin
  perform close_number_gate(p_tenant);
  update numbers n set quarantined_until = v_until
    where n.tenant = p_tenant and n.number = p_number and n.deleted_at is null;
  if not found then
    return false;
  end if;
  insert into ledger (tenant, entry, kind, actor, subject, details)
    values (p_tenant, new_id('led_'), 'number.quarantined', p_actor, p_number,
      jsonb_build_object('until', v_until, 'reason', p_reason));
  return true;
end $$;

-- Gives the live sessions on a number that is in quarantine another one each: at most p_limit sessions, those after
-- p_after. `last` is null when there are no more. A session keeps the number where nobody has another one for it; or
-- where it changes at this very moment.
create function replace_number(
  p_tenant text, p_number text, p_reason text, p_actor text, p_after text, p_limit integer,
  out replaced integer, out kept integer, out last text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz;
  v_sessions text[];
  v_locked text[];
  v_open text;
  v_session record;
  v_group record;
  v_to record;
  v_moved boolean;
  v_given text[] := '{}';
begin
  replaced := 0;
  kept := 0;
  select array_agg(x.session order by x.session), case when count(*) = p_limit then max(x.session) end
    into v_sessions, last
    from (
      select distinct b.session from bindings b
        where b.tenant = p_tenant and b.number = p_number and b.released_at is null and b.session > p_after
        order by b.session limit p_limit
    ) x;
  -- All parties before any session, in the order of everybody who opens one.
  select array_agg(y.party) into v_locked from (
    select y.party from parties y
      where y.tenant = p_tenant and y.party = any (array(
        select b.party from bindings b
          where b.tenant = p_tenant and b.number = p_number and b.released_at is null and b.session = any (v_sessions)))
      order by y.fingerprint for no key update
  ) y;
  perform enter_number_gate(p_tenant);
  v_now := platform_now();
  for v_session in
    select s.session, s.pool, s.shared_number from sessions s
      where s.tenant = p_tenant and s.session = any (v_sessions) and (s.after_until > v_now
        or (s.status = 'open' and least(s.expires_at, s.idle_expires_at) > v_now))
      order by s.session for no key update
  loop
    v_moved := true;
    for v_group in
      select array_agg(b.party order by p.position, h.position) as parties,
          array_agg(b.participant order by p.position, h.position) as participants,
          array_agg(cooldown_seconds(o.cooldown, p.role) order by p.position, h.position) as seconds,
          array_agg(b.slot order by p.position, h.position) as slots,
          bool_or(p.reach = 'app') as app
        from bindings b
        join participants p on p.tenant = b.tenant and p.session = b.session and p.participant = b.participant
        join participant_phones h on h.tenant = b.tenant and h.session = b.session and h.participant = b.participant
          and h.party = b.party
        join pools o on o.tenant = b.tenant and o.pool = v_session.pool
        where b.tenant = p_tenant and b.number = p_number and b.session = v_session.session and b.released_at is null
        group by case when v_session.shared_number then '' else b.participant end
    loop
      if not coalesce(v_group.parties <@ v_locked, false) then
        v_moved := false;
        continue;
      end if;
      v_to := replacement_for(p_tenant, p_number, v_session.session, v_session.pool, v_group.parties, v_group.app, v_now);
      -- A code must mean one participant there too.
      if v_to.number is null
          or not move_pins(p_tenant, v_session.session, v_group.participants, p_number, v_to.number, v_now) then
        v_moved := false;
        continue;
      end if;
      perform move_binding(p_tenant, v_session.session, p_number, v_to.number, v_to.how, v_group.parties,
        v_group.participants, v_group.seconds, v_group.slots, v_now);
      perform tell_replaced(p_tenant, v_session.session, x.participant, p_number, v_to.number, p_reason, p_actor)
        from (select distinct unnest(v_group.participants) as participant) x;
      if v_to.how <> 'display' then
        v_given := array_append(v_given, v_to.number);
      end if;
    end loop;
    replaced := replaced + v_moved::integer;
    kept := kept + (not v_moved)::integer;
  end loop;

  if p_after = '' then
    select n.open_session into v_open from numbers n where n.tenant = p_tenant and n.number = p_number;
    if v_open is not null then
      v_moved := replace_open_number(p_tenant, p_number, v_open, p_reason, p_actor, v_now);
      replaced := replaced + v_moved::integer;
      kept := kept + (not v_moved)::integer;
    end if;
  end if;
  perform count_load(p_tenant, v_given, v_now);
end $$;

-- Of the same place as the one that is replaced.
create function replacement_for(
  p_tenant text, p_number text, p_session text, p_pool text, p_parties text[], p_app boolean, p_now timestamptz,
  out number text, out how text
) language plpgsql as $$
#variable_conflict use_column
declare
  v_pool pools%rowtype;
  v_old numbers%rowtype;
  v_to record;
begin
  if p_app then
    number := choose_display_number(p_tenant, p_pool);
    how := 'display';
    return;
  end if;
  perform enter_number_gate(p_tenant);
  select o.* into v_pool from pools o where o.tenant = p_tenant and o.pool = p_pool;
  select n.* into v_old from numbers n where n.tenant = p_tenant and n.number = p_number;
  v_to := choose_number(p_tenant, v_pool, p_parties, array(
    select h.party from participant_phones h
      where h.tenant = p_tenant and h.session = p_session and not h.party = any (p_parties)),
    p_now, v_old.country, v_old.area, null, false);
  number := v_to.number;
  how := v_to.how;
end $$;

create function move_binding(
  p_tenant text, p_session text, p_from text, p_to text, p_how text, p_parties text[], p_participants text[],
  p_seconds double precision[], p_slots integer[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_count integer := cardinality(p_parties);
begin
  update bindings b set released_at = p_now, free_at = p_now + make_interval(secs => x.seconds)
    from unnest(p_parties, p_slots, p_seconds) x(party, slot, seconds)
    where b.tenant = p_tenant and b.party = x.party and b.number = p_from and b.slot = x.slot
      and b.session = p_session and b.released_at is null;
  if bind_rows(p_tenant, p_session, p_parties, p_participants, array_fill(p_to, array[v_count]),
      array_fill(p_how, array[v_count]), p_now) <> v_count then
    raise exception 'a binding was taken in spite of the locks' using errcode = 'SM001';
  end if;
  update participants p set number = p_to
    where p.tenant = p_tenant and p.session = p_session and p.participant = any (p_participants);
end $$;

create function tell_replaced(
  p_tenant text, p_session text, p_participant text, p_from text, p_to text, p_reason text, p_actor text
) returns void language plpgsql as $$
declare
  v_details jsonb := jsonb_build_object('participant', p_participant, 'from', p_from, 'to', p_to, 'reason', p_reason);
begin
  insert into ledger (tenant, entry, kind, actor, session, subject, details)
    values (p_tenant, new_id('led_'), 'number.replaced', p_actor, p_session, p_from, v_details);
  perform emit_event(p_tenant, 'number.replaced', p_session, p_participant, v_details);
end $$;

-- The open side of a listing: has a reserved number of its own, and no phones.
create function replace_open_number(
  p_tenant text, p_number text, p_session text, p_reason text, p_actor text, p_now timestamptz
) returns boolean language plpgsql as $$
declare
  v_to text;
  v_participant text;
begin
  perform from sessions s
    where s.tenant = p_tenant and s.session = p_session and s.status = 'open' for no key update;
  if not found then
    return false;
  end if;
  select n.number into v_to from numbers n
    where n.tenant = p_tenant
      and n.pool = (select o.pool from numbers o where o.tenant = p_tenant and o.number = p_number)
      and n.enabled and n.use = 'reserved' and not n.draining and n.open_session is null
      and (n.quarantined_until is null or n.quarantined_until <= p_now) and 'voice' = any (n.capabilities)
      and not number_in_use(p_tenant, n.number)
    order by n.ordinal limit 1 for update skip locked;
  if not found then
    return false;
  end if;
  update numbers n set open_session = case n.number when v_to then p_session end
    where n.tenant = p_tenant and n.number = any (array[v_to, p_number]);
  for v_participant in
    update participants p set number = v_to
      where p.tenant = p_tenant and p.session = p_session and p.number = p_number and p.is_open returning p.participant
  loop
    perform tell_replaced(p_tenant, p_session, v_participant, p_number, v_to, p_reason, p_actor);
  end loop;
  return true;
end $$;

-- ------------------------------------------------------------------ forecast
-- Live and cooling numbers of the busiest party of each pool, and the numbers that sessions can get.
create function measure_pools(p_tenants text[], p_pools text[], p_now timestamptz)
returns table (tenant text, pool text, needed integer, numbers integer) language sql stable
set work_mem = '64MB' set enable_nestloop = off set enable_mergejoin = off as $$
  -- One pass over the bindings, whatever the planner believes of how many are held.
  with asked as materialized (
    select distinct x.tenant, x.pool from unnest(p_tenants, p_pools) x(tenant, pool)
  ), held as (
    select n.tenant, n.pool, b.party, count(*)::integer as held
      from bindings b
      join numbers n on n.tenant = b.tenant and n.number = b.number and n.use = 'pool'
      where b.free_at > p_now and (n.tenant, n.pool) in (select a.tenant, a.pool from asked a)
      group by n.tenant, n.pool, b.party
  )
  select a.tenant, a.pool, coalesce(h.needed, 0), coalesce(c.numbers, 0)
    from asked a
    left join (select h.tenant, h.pool, max(h.held) as needed from held h group by h.tenant, h.pool) h
      on h.tenant = a.tenant and h.pool = a.pool
    left join lateral (
      select count(*)::integer as numbers from numbers n
        where n.tenant = a.tenant and n.pool = a.pool and n.enabled and n.use = 'pool' and not n.draining
          and n.open_session is null and (n.quarantined_until is null or n.quarantined_until <= p_now)
          and 'voice' = any (n.capabilities)
    ) c on true
$$;

-- What the latest sample says of a pool, and where the last two weeks' samples lead.
create function pool_forecast(p_tenant text, p_pool text, p_now timestamptz, out needed integer, out numbers integer,
  out trend double precision, out short_at timestamptz, out status text) language plpgsql stable as $$
#variable_conflict use_column
begin
  select s.latest, s.numbers into needed, numbers from pool_samples s
    where s.tenant = p_tenant and s.pool = p_pool order by s.day desc limit 1;
  -- A line through fewer than three days says nothing.
  select case when count(*) >= 3 then regr_slope(s.needed, s.day - date '2000-01-01') else 0 end into trend
    from pool_samples s
    where s.tenant = p_tenant and s.pool = p_pool and s.day > (p_now at time zone 'UTC')::date - 14;
  if needed >= numbers then
    short_at := p_now;
  elsif trend > 0 and (numbers - needed) / trend <= 365 then
    short_at := p_now + make_interval(secs => (numbers - needed) / trend * 86400);
  end if;
  status := case
    when needed >= numbers then 'short'
    when numbers - needed < 0.2 * needed or short_at < p_now + interval '7 days' then 'low'
    else 'enough' end;
end $$;

create function keep_samples(p_tenants text[], p_pools text[], p_now timestamptz) returns integer language plpgsql as $$
declare
  v_count integer;
begin
  insert into pool_samples as s (tenant, pool, day, needed, latest, numbers, sampled_at)
    select m.tenant, m.pool, (p_now at time zone 'UTC')::date, m.needed, m.needed, m.numbers, p_now
      from measure_pools(p_tenants, p_pools, p_now) m order by m.tenant, m.pool
    on conflict (tenant, pool, day) do update
      set needed = greatest(s.needed, excluded.needed), latest = excluded.latest, numbers = excluded.numbers,
          sampled_at = excluded.sampled_at;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- Samples up to p_limit pools that were not for a while (every node asks every five minutes), and warns: `pool.low`,
-- `pool.short`, each once a day and pool. One node at a time; the others do nothing meanwhile. Returns how many were sampled.
create function sample_pools(p_limit integer) returns integer language plpgsql as $$
declare
  v_now timestamptz := platform_now();
  v_day date := (v_now at time zone 'UTC')::date;
  v_tenants text[];
  v_pools text[];
  v_count integer;
  v_one record;
begin
  if not pg_try_advisory_xact_lock(1935762805, 0) then
    return 0;
  end if;
  select array_agg(x.tenant), array_agg(x.pool) into v_tenants, v_pools from (
    select o.tenant, o.pool from pools o
      left join pool_samples s on s.tenant = o.tenant and s.pool = o.pool and s.day = v_day
      where s.sampled_at is null or s.sampled_at <= v_now - interval '4 minutes'
      order by s.sampled_at nulls first, o.tenant, o.pool limit p_limit
  ) x;
  if v_tenants is null then
    return 0;
  end if;
  v_count := keep_samples(v_tenants, v_pools, v_now);
  for v_one in
    select x.tenant, x.pool, f.* from unnest(v_tenants, v_pools) x(tenant, pool)
      cross join lateral pool_forecast(x.tenant, x.pool, v_now) f
      join pool_samples s on s.tenant = x.tenant and s.pool = x.pool and s.day = v_day
      where f.needed > 0 and (f.status = 'short' and s.told is distinct from 'short'
        or f.status = 'low' and s.told is null)
  loop
    update pool_samples s set told = v_one.status
      where s.tenant = v_one.tenant and s.pool = v_one.pool and s.day = v_day;
    perform emit_event(v_one.tenant, 'pool.' || v_one.status, null, v_one.pool, jsonb_strip_nulls(jsonb_build_object(
      'pool', v_one.pool, 'needed', v_one.needed, 'numbers', v_one.numbers,
      'headroom', v_one.numbers - v_one.needed,
      'shortAt', to_char(v_one.short_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))));
  end loop;
  delete from pool_samples s where s.day < v_day - 60;
  return v_count;
end $$;

-- A pool's forecast from a sample of today that is at most five minutes old: taken now when there is none.
create function forecast_pool(p_tenant text, p_pool text, out needed integer, out numbers integer,
  out trend double precision, out short_at timestamptz, out status text) language plpgsql as $$
#variable_conflict use_column
declare
  v_now timestamptz := platform_now();
begin
  if not exists (select from pools o where o.tenant = p_tenant and o.pool = p_pool) then
    return;
  end if;
  if not exists (
    select from pool_samples s
      where s.tenant = p_tenant and s.pool = p_pool and s.day = (v_now at time zone 'UTC')::date
        and s.sampled_at > v_now - interval '5 minutes'
  ) then
    perform keep_samples(array[p_tenant], array[p_pool], v_now);
  end if;
  select f.* into needed, numbers, trend, short_at, status from pool_forecast(p_tenant, p_pool, v_now) f;
end $$;
