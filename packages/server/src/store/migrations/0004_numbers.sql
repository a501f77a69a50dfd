-- Numbers, pools and carriers. Whoever changes which numbers a pool offers locks the pool's row, so that ordinals are
-- given in the order in which they become visible (party_pools depends on that).

-- All or nothing. One row a number in the order asked, or one row that names the first that can't be had:
--   taken   it is in another pool, carrier or tenant
create function add_numbers(
  p_tenant text, p_pool text, p_carrier text, p_capabilities text[],
  p_numbers text[], p_e164 text[], p_countries text[], p_directory bytea[]
) returns table (
  failure text, "position" integer, added boolean, number text, e164 text, pool text, carrier text, country text,
  capabilities text[], enabled boolean, created_at timestamptz
) language plpgsql as $$
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
    return query select 'taken', v_taken, null::boolean, null, null, null, null, null, null::text[], null::boolean,
      null::timestamptz;
    return;
  end if;

  insert into numbers (tenant, number, e164, pool, carrier, country, capabilities)
    select p_tenant, x.number, x.e164, p_pool, p_carrier, x.country, p_capabilities
      from unnest(p_numbers, p_e164, p_countries) with ordinality as x(number, e164, country, position)
      join number_directory d on d.e164 = x.e164 and d.tenant = p_tenant and d.number = x.number
      order by x.position;
  insert into ledger (tenant, entry, kind, actor, subject, details)
    values (p_tenant, new_id('led_'), 'numbers.added', 'api', p_pool,
      jsonb_build_object('count', cardinality(p_numbers), 'carrier', p_carrier));
  return query
    select null::text, x.position::integer, n.number = x.number, n.number, n.e164, n.pool, n.carrier, n.country,
        n.capabilities, n.enabled, n.created_at
      from unnest(p_e164, p_numbers) with ordinality as x(e164, number, position)
      join number_directory d on d.e164 = x.e164
      join numbers n on n.tenant = p_tenant and n.number = d.number
      order by x.position;
end $$;

create function update_number(p_tenant text, p_number text, p_enabled boolean, p_pool text, p_capabilities text[])
returns setof numbers language plpgsql as $$
declare
  v_old numbers%rowtype;
begin
  select n.* into v_old from numbers n
    where n.tenant = p_tenant and n.number = p_number and n.deleted_at is null for update;
  if not found then
    return;
  end if;
  if p_pool is not null then
    insert into pools (tenant, pool) values (p_tenant, p_pool) on conflict (tenant, pool) do nothing;
  end if;
  perform from pools o where o.tenant = p_tenant and o.pool = coalesce(p_pool, v_old.pool) for update;
  update numbers n
    set enabled = coalesce(p_enabled, n.enabled), pool = coalesce(p_pool, n.pool),
        capabilities = coalesce(p_capabilities, n.capabilities)
    where n.tenant = p_tenant and n.number = p_number;
  if (p_enabled and not v_old.enabled) or p_pool <> v_old.pool
      or ('voice' = any (p_capabilities) and not 'voice' = any (v_old.capabilities)) then
    update numbers n set ordinal = default where n.tenant = p_tenant and n.number = p_number;
  end if;
  insert into ledger (tenant, entry, kind, actor, subject)
    values (p_tenant, new_id('led_'), 'number.changed', 'api', p_number);
  return query select n.* from numbers n where n.tenant = p_tenant and n.number = p_number;
end $$;

-- The row stays for the history; its place in the directory becomes free.
create function delete_number(p_tenant text, p_number text) returns text language plpgsql as $$
declare
  v_pool text;
begin
  select n.pool into v_pool from numbers n
    where n.tenant = p_tenant and n.number = p_number and n.deleted_at is null for update;
  if not found then
    return 'missing';
  end if;
  if exists (
    select from participants p join sessions s on s.tenant = p.tenant and s.session = p.session
      where p.tenant = p_tenant and p.number = p_number and s.tenant = p_tenant and s.status = 'open'
        and least(s.expires_at, s.idle_expires_at) > clock_timestamp()
  ) then
    return 'in-use';
  end if;
  update numbers n set deleted_at = now(), enabled = false where n.tenant = p_tenant and n.number = p_number;
  delete from number_directory d where d.tenant = p_tenant and d.number = p_number;
  insert into ledger (tenant, entry, kind, actor, subject)
    values (p_tenant, new_id('led_'), 'number.deleted', 'api', p_number);
  return 'deleted';
end $$;

create function delete_carrier(p_tenant text, p_carrier text) returns text language plpgsql as $$
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
    values (p_tenant, new_id('led_'), 'carrier.deleted', 'api', p_carrier);
  return 'deleted';
end $$;
