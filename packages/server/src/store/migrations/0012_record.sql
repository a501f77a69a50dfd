-- The record: who really acted, what the ledger can be asked, and the signed end of every day.

-- ------------------------------------------------------------------ who acted
-- As in 0004 and 0007, but that the ledger names who asked instead of `api`.
drop function add_numbers(text, text, text, text[], text[], text[], text[], text[], bytea[]);
create function add_numbers(
  p_tenant text, p_pool text, p_carrier text, p_capabilities text[],
  p_numbers text[], p_e164 text[], p_countries text[], p_areas text[], p_directory bytea[], p_actor text
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
    values (p_tenant, new_id('led_'), 'numbers.added', p_actor, p_pool,
      jsonb_build_object('count', cardinality(p_numbers), 'carrier', p_carrier));
  return query
    select null::text, x.position::integer, d.number = x.number, n
      from unnest(p_e164, p_numbers) with ordinality as x(e164, number, position)
      join number_directory d on d.e164 = x.e164
      join numbers n on n.tenant = p_tenant and n.number = d.number
      order by x.position;
end $$;

drop function update_number(text, text, jsonb);
create function update_number(p_tenant text, p_number text, p_change jsonb, p_actor text) returns setof numbers
language plpgsql as $$
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
    values (p_tenant, new_id('led_'), 'number.changed', p_actor, p_number, p_change);
  return query select n.* from numbers n where n.tenant = p_tenant and n.number = p_number;
end $$;

drop function delete_number(text, text, boolean);
create function delete_number(p_tenant text, p_number text, p_drain boolean, p_actor text) returns text language plpgsql as $$
begin
  perform close_number_gate(p_tenant);
  perform from numbers n where n.tenant = p_tenant and n.number = p_number and n.deleted_at is null for update;
  if not found then
    return 'missing';
  end if;
  if not number_in_use(p_tenant, p_number) then
    perform remove_number(p_tenant, p_number, p_actor);
    return 'deleted';
  end if;
  if not p_drain then
    return 'in-use';
  end if;
  update numbers n set draining = true, remove_when_idle = true where n.tenant = p_tenant and n.number = p_number;
  insert into ledger (tenant, entry, kind, actor, subject, details)
    values (p_tenant, new_id('led_'), 'number.changed', p_actor, p_number, '{"draining": true, "removeWhenIdle": true}');
  return 'draining';
end $$;

drop function delete_carrier(text, text);
create function delete_carrier(p_tenant text, p_carrier text, p_actor text) returns text language plpgsql as $$
begin
  perform from carriers c where c.tenant = p_tenant and c.carrier = p_carrier for update;
  if not found then
    return 'missing';
  end if;
  if exists (select from numbers n where n.tenant = p_tenant and n.carrier = p_carrier and n.deleted_at is null) then
    return 'in-use';
  end if;
  -- Numbers that were given back keep the name of their last carrier for the history only.
  update carriers c set deleted_at = now(), enabled = false, auth = null, name = c.name || ' ' || c.carrier
    where c.tenant = p_tenant and c.carrier = p_carrier;
  insert into ledger (tenant, entry, kind, actor, subject)
    values (p_tenant, new_id('led_'), 'carrier.deleted', p_actor, p_carrier);
  return 'deleted';
end $$;

drop function update_pool(text, text, jsonb);
create function update_pool(p_tenant text, p_pool text, p_change jsonb, p_actor text) returns boolean language plpgsql as $$
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
    values (p_tenant, new_id('led_'), 'pool.changed', p_actor, p_pool, p_change);
  return true;
end $$;

-- ------------------------------------------------------------------ what can be asked
-- Only of sealed entries: whoever writes an entry pays for none of these, the sealer does. What isn't sealed yet is a
-- few seconds' work and found by ledger_unsealed.
create index ledger_kind on ledger (tenant, kind, entry) where sequence is not null;
create index ledger_actor on ledger (tenant, actor, entry) where sequence is not null;
create index ledger_subject on ledger (tenant, subject, entry) where sequence is not null and subject is not null;
create index ledger_party on ledger (tenant, party, entry) where sequence is not null and party is not null;

-- Whom an id names, when its session isn't said.
create index participants_id on participants (tenant, participant);

-- The parties whom an entry concerns. One that names a party is that party's. One of a recording is of those whose
-- voices are in it or to whom a message was left, one of a call of its two sides, one of a participant theirs; any other of a session is of everybody
-- who took part at that time. See docs/decisions/0015.
create function ledger_parties(p_entry ledger) returns setof text language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_parties text[];
  v_participants text[];
begin
  if p_entry.party is not null then
    return next p_entry.party;
    return;
  end if;
  if p_entry.session is null then
    return;
  end if;
  if p_entry.subject like 'rec\_%' then
    select r.parties into v_parties from recordings r where r.tenant = p_entry.tenant and r.recording = p_entry.subject;
    if found then
      return query
        select x.party from unnest(v_parties) as x(party)
        union
        select h.party from voicemails v
          join participant_phones h on h.tenant = v.tenant and h.session = p_entry.session and h.participant = v.participant
          where v.tenant = p_entry.tenant and v.recording = p_entry.subject;
      return;
    end if;
  end if;
  v_participants := case
    when p_entry.details ? 'caller' then array[p_entry.details ->> 'caller', p_entry.details ->> 'callee']
    when p_entry.details ->> 'participant' like 'par\_%' then array[p_entry.details ->> 'participant']
    when p_entry.subject like 'par\_%' then array[p_entry.subject] end;
  if v_participants is null and p_entry.subject like 'call\_%' then
    -- Before somebody answers it may still be for anybody.
    select array[c.participant, c.callee] into v_participants from calls c
      where c.tenant = p_entry.tenant and c.call = p_entry.subject and c.participant is not null and c.callee is not null;
  end if;
  if v_participants is null then
    v_participants := array(select p.participant from participants p
      where p.tenant = p_entry.tenant and p.session = p_entry.session
        and p.joined_at <= p_entry.at + interval '1 minute' and (p.left_at is null or p.left_at >= p_entry.at));
  end if;
  return query select distinct h.party from participant_phones h
    where h.tenant = p_entry.tenant and h.session = p_entry.session and h.participant = any (v_participants);
end $$;

-- ------------------------------------------------------------------ roots
-- The end of a tenant's chain at the end of a day (UTC), signed with a key that isn't in the database.
create table ledger_roots (
  tenant          text not null,
  day             date not null,
  sequence        bigint not null,
  -- Since the root before it.
  entries         bigint not null,
  digest          bytea not null,
  signature       text not null,
  key_id          text not null,
  signed_at       timestamptz not null,
  primary key (tenant, day)
);

-- The next day that ended before p_before with an entry in it, and the last entry of the chain by its end; no row when
-- there is none. Entries are chained within seconds in the order of their making, so the place where a day ends is
-- found by halving, not by reading the day.
create function next_ledger_root(p_tenant text, p_before date)
returns table (day date, sequence bigint, entries bigint, digest bytea) language plpgsql stable
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_day date;
  v_from bigint;
  v_low bigint;
  v_high bigint;
  v_middle bigint;
  v_at timestamptz;
  v_end timestamptz;
begin
  select r.day, r.sequence into v_day, v_from from ledger_roots r where r.tenant = p_tenant order by r.day desc limit 1;
  v_from := coalesce(v_from, 0);
  select l.at into v_at from ledger l where l.tenant = p_tenant and l.sequence = v_from + 1;
  select h.sequence + 1 into v_high from ledger_heads h where h.tenant = p_tenant;
  if v_at is null or v_high is null then
    return;
  end if;
  -- An entry that was late for its day belongs to the next root.
  v_day := greatest((v_at at time zone 'UTC')::date, v_day + 1);
  if v_day >= p_before then
    return;
  end if;
  v_end := (v_day + 1)::timestamp at time zone 'UTC';
  -- The entry at v_low is of the day or before it, the one at v_high after it (or beyond the end).
  v_low := v_from + 1;
  while v_high - v_low > 1 loop
    v_middle := (v_low + v_high) / 2;
    select l.at into v_at from ledger l where l.tenant = p_tenant and l.sequence = v_middle;
    -- One that is missing is verification's to find.
    if found and v_at >= v_end then
      v_high := v_middle;
    else
      v_low := v_middle;
    end if;
  end loop;
  return query select v_day, l.sequence, l.sequence - v_from, l.digest from ledger l
    where l.tenant = p_tenant and l.sequence <= v_low and l.sequence > v_from order by l.sequence desc limit 1;
end $$;

-- Keeps a root, and tells the tenant's own systems, so that it stands where the database can't reach. False: another
-- node was faster.
create function keep_ledger_root(p_tenant text, p_day date, p_sequence bigint, p_entries bigint, p_digest bytea,
  p_signature text, p_key_id text) returns boolean language plpgsql as $$
begin
  insert into ledger_roots (tenant, day, sequence, entries, digest, signature, key_id, signed_at)
    values (p_tenant, p_day, p_sequence, p_entries, p_digest, p_signature, p_key_id, platform_now())
    on conflict (tenant, day) do nothing;
  if not found then
    return false;
  end if;
  perform emit_event(p_tenant, 'ledger.root', null, null, jsonb_build_object('day', p_day, 'sequence', p_sequence,
    'entries', p_entries, 'digest', encode(p_digest, 'hex'), 'signature', p_signature, 'keyId', p_key_id));
  return true;
end $$;
