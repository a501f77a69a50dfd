-- Which number a session gets, how it is bound to it, and the care of numbers: draining, quarantine, replacement,
-- forecast. Time is always p_now or platform_now(), so that a simulation can set the clock.
--
-- Who waits for whom, beside what 0002 says: a choice shares the tenant's gate, whoever takes a number out of use
-- closes it for a moment. So when "draining" is acknowledged, no session is being opened on that number any more. The
-- gate is always taken after parties and before rows of numbers and number_days; number_days in the order of numbers.

-- ------------------------------------------------------------------ tables
alter table numbers
  -- Where it belongs: `ID`, `US212`. Compared by bytes, so that "of this country" is a range.
  add column place text collate "C" generated always as (country || coalesce(area, '')) stored,
  -- The (UTC) day on which it reached its pool's load limit.
  add column loaded_on date not null default '-infinity',
  add constraint numbers_area check (area ~ '^[0-9]{1,8}$');
drop index numbers_order;
-- What is asked most is answered within the index: a number of another place, or loaded, costs no look at its row.
create index numbers_order on numbers (tenant, pool, ordinal, place, loaded_on) include (number, quarantined_until)
  where enabled and use = 'pool' and not draining and open_session is null and 'voice' = any (capabilities);
create index numbers_display on numbers (tenant, pool, ordinal) where enabled and use = 'display';
-- What the background looks for.
create index numbers_tended on numbers (tenant, number)
  where deleted_at is null and (remove_when_idle or quarantined_until is not null);

create index number_days_least on number_days (tenant, day, sessions);
create index number_days_age on number_days (day);

alter table bindings
  -- One of several on its number (disambiguate, pin, display): nobody is connected by it without a choice or a code.
  add column shared boolean not null default false,
  add constraint bindings_slot check (slot = 0 or shared);
-- Who is on a number now, whatever its history.
create index bindings_live on bindings (tenant, number, session) where released_at is null;

-- `seen_through` and `seen_below` are notes that save looking: the party has seen every usable number of the pool (and
-- place) with an ordinal from `starts_at` to `seen_through`, and every one up to `seen_below`. Nothing but speed and
-- the order of preference depends on them. `place` is '' for every place.
alter table party_pools
  add column place text collate "C" not null default '',
  add column starts_at bigint not null default 0,
  add column seen_below bigint not null default 0,
  drop constraint party_pools_pkey,
  add primary key (tenant, party, pool, place);

create table pool_samples (
  tenant          text not null,
  pool            text not null,
  day             date not null,
  -- Live and cooling numbers of the busiest party, the most that was seen on this day and what was seen last.
  needed          integer not null,
  latest          integer not null,
  -- Numbers that sessions could get.
  numbers         integer not null,
  sampled_at      timestamptz not null,
  -- What the tenant was told on this day: low, short.
  told            text,
  primary key (tenant, pool, day)
);

-- ------------------------------------------------------------------ law 1
-- Its second lock: a live binding is never handed to another session, whatever statement tries; and none begins to
-- live beside another one unless it is a shared one.
create or replace function bindings_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if old.released_at is null and (new.tenant, new.party, new.number, new.slot, new.session, new.participant)
        is distinct from (old.tenant, old.party, old.number, old.slot, old.session, old.participant) then
      raise exception 'binding is live' using errcode = 'SM001';
    end if;
    if old.released_at is null then
      return new;
    end if;
  end if;
  if new.released_at is null and not new.shared and exists (
    select from bindings b where b.tenant = new.tenant and b.party = new.party and b.number = new.number
      and b.slot <> new.slot and b.released_at is null
  ) then
    raise exception 'the number is live for this party' using errcode = 'SM001';
  end if;
  return new;
end $$;
drop trigger bindings_guard on bindings;
create trigger bindings_guard before insert or update on bindings for each row execute function bindings_guard();

-- ------------------------------------------------------------------ order
-- A number that becomes usable, or usable for other people, goes to the end of the order: notes never speak of it then.
-- The pool's row makes ordinals visible in the order in which they are given.
create function numbers_to_the_end() returns trigger language plpgsql as $$
begin
  perform from pools o where o.tenant = new.tenant and o.pool = new.pool for update;
  new.ordinal := nextval(pg_get_serial_sequence('numbers', 'ordinal')::regclass);
  return new;
end $$;
create trigger numbers_to_the_end before update on numbers for each row
  when (new.enabled and new.use = 'pool' and not new.draining and new.open_session is null
    and 'voice' = any (new.capabilities) and (
      not (old.enabled and old.use = 'pool' and not old.draining and old.open_session is null
        and 'voice' = any (old.capabilities))
      or (new.pool, new.country, new.area) is distinct from (old.pool, old.country, old.area)
      or (old.quarantined_until is not null and new.quarantined_until is null)))
  execute function numbers_to_the_end();

-- ------------------------------------------------------------------ the gate
create function enter_number_gate(p_tenant text) returns void language sql volatile as $$
  select pg_advisory_xact_lock_shared(1935762803, hashtext(p_tenant))
$$;
create function close_number_gate(p_tenant text) returns void language sql volatile as $$
  select pg_advisory_xact_lock(1935762803, hashtext(p_tenant))
$$;

-- ------------------------------------------------------------------ steps of the choice
-- Each is called by choose_number only, under its planner settings. "Usable" stands written out in every one, for the
-- planner must see the index's own condition. [p_low, p_high) are the places; p_day: loaded on it is passed over.

-- The first number in the order, between two ordinals, that none of the parties has seen.
-- Mostly it is among the next few; looking one up costs more than reading all that a party has seen does
-- for each, so after 64 it is the other way round.
create function first_unseen(
  p_tenant text, p_pool text, p_parties text[], p_now timestamptz, p_low text, p_high text, p_day date,
  p_after bigint, p_before bigint, out number text, out ordinal bigint
) language plpgsql as $$
#variable_conflict use_column
declare
  v_after bigint;
begin
  -- A look-up of the key for each number, said so that no planner makes a join of it: as one it reads all of the
  -- parties' bindings again for every number.
  select x.number, x.ordinal into first_unseen.number, first_unseen.ordinal from (
      select n.number, n.ordinal from numbers n
        where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
          and n.open_session is null and n.ordinal > p_after and n.ordinal < p_before
          and n.place >= p_low and n.place < p_high and n.loaded_on < p_day
          and (n.quarantined_until is null or n.quarantined_until <= p_now)
          and 'voice' = any (n.capabilities)
        order by n.ordinal limit 64
    ) x
    where (select true from bindings b
      where b.tenant = p_tenant and b.party = any (p_parties) and b.number = x.number limit 1) is null
    limit 1;
  if found then
    return;
  end if;
  select n.ordinal into v_after from numbers n
    where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
      and n.open_session is null and n.ordinal > p_after and n.ordinal < p_before
      and n.place >= p_low and n.place < p_high and n.loaded_on < p_day
      and (n.quarantined_until is null or n.quarantined_until <= p_now)
      and 'voice' = any (n.capabilities)
    order by n.ordinal limit 1 offset 63;
  if found then
    select n.number, n.ordinal into first_unseen.number, first_unseen.ordinal from numbers n
      where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
        and n.open_session is null and n.ordinal > v_after and n.ordinal < p_before
        and n.place >= p_low and n.place < p_high and n.loaded_on < p_day
        and (n.quarantined_until is null or n.quarantined_until <= p_now)
        and 'voice' = any (n.capabilities)
        and n.number not in (select b.number from bindings b where b.tenant = p_tenant and b.party = any (p_parties))
      order by n.ordinal limit 1;
  end if;
end $$;

-- Where a party starts in a pool that is spread: at each of its numbers with the same chance. Ordinals have gaps, and
-- whatever follows a gap must not carry its load, so a draw counts only when it meets a number.
create function spread_start(p_tenant text, p_pool text, p_party text, p_low text, p_high text) returns bigint
language plpgsql as $$
declare
  v_first bigint;
  v_last bigint;
  v_start bigint;
begin
  select min(n.ordinal), max(n.ordinal) into v_first, v_last from numbers n
    where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
      and n.open_session is null and 'voice' = any (n.capabilities);
  -- One draw after another: as a join, the planner could begin with the numbers, and the first would win too often.
  select x.ordinal into v_start from (
      select (
          select n.ordinal from numbers n
            where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
              and n.open_session is null and 'voice' = any (n.capabilities) and n.place >= p_low and n.place < p_high
              and n.ordinal = v_first + (hashtextextended(p_party, i) & 9223372036854775807) % (v_last - v_first + 1)
        ) as ordinal from generate_series(1, 64) i offset 0
    ) x where x.ordinal is not null limit 1;
  if not found then
    -- Mostly gaps: by rank. Reads the whole order.
    select n.ordinal into v_start from numbers n
      where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
        and n.open_session is null and 'voice' = any (n.capabilities) and n.place >= p_low and n.place < p_high
      order by n.ordinal limit 1
      offset (hashtext(p_party) & 2147483647) % (
        select greatest(count(*), 1) from numbers n
          where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
            and n.open_session is null and 'voice' = any (n.capabilities) and n.place >= p_low and n.place < p_high);
  end if;
  return v_start;
end $$;

-- Never seen: packing from the front or, when spread, from the party's own place on and around. `noted`: part of the way
-- was taken as seen from a note.
create function number_new(
  p_tenant text, p_pool text, p_parties text[], p_now timestamptz, p_low text, p_high text, p_day date,
  p_spread boolean, out number text, out noted boolean
) language plpgsql as $$
#variable_conflict use_column
declare
  v_note party_pools%rowtype;
  v_found record;
  v_party text;
  v_below boolean;
  v_from bigint;
  v_until bigint;
  v_last bigint;
  v_start bigint;
  v_far boolean := false;
begin
  select w.* into v_note from party_pools w
    where w.tenant = p_tenant and w.party = any (p_parties) and w.pool = p_pool and w.place = p_low
    order by w.seen_through - w.starts_at + w.seen_below desc limit 1;
  noted := found;
  if not noted then
    v_note.starts_at := 0;
    if p_spread then
      v_note.starts_at := spread_start(p_tenant, p_pool, coalesce(p_parties[1], ''), p_low, p_high);
    end if;
    v_note.starts_at := coalesce(v_note.starts_at, 0);
    v_note.seen_through := v_note.starts_at - 1;
    v_note.seen_below := 0;
  end if;
  v_start := v_note.starts_at;

  -- Two stretches: from the start to the end, and from the front to the start. (The start is 0 unless it is spread, or
  -- was.)
  foreach v_below in array array[not p_spread, p_spread] loop
    continue when v_below and v_note.starts_at = 0;
    v_from := case when v_below then v_note.seen_below else v_note.seen_through end;
    v_until := case when v_below then v_note.starts_at else 9223372036854775807 end;
    -- Read before the walk: a number that is added meanwhile does not come under a note.
    select max(n.ordinal) into v_last from numbers n
      where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
        and n.open_session is null and 'voice' = any (n.capabilities) and n.ordinal < v_until;
    v_found := first_unseen(p_tenant, p_pool, p_parties, p_now, p_low, p_high, p_day, v_from, v_until);
    number := v_found.number;
    v_last := greatest(coalesce(v_found.ordinal - 1, v_last), v_from);
    v_far := v_far or v_last > v_from + 64;
    if v_below then
      v_note.seen_below := v_last;
    else
      v_note.seen_through := v_last;
    end if;
    exit when number is not null;
  end loop;

  -- A long way was gone: note it. Nothing is said of the number just found, the session may still be refused; nor of one
  -- that is only loaded. One in quarantine comes back at the end.
  if v_far and cardinality(p_parties) = 1 and p_day = 'infinity' then
    perform keep_note(p_tenant, p_pool, p_parties[1], p_low, v_note.starts_at, v_note.seen_through, v_note.seen_below);
  elsif v_far then
    -- What all of them have seen together says nothing of each.
    foreach v_party in array p_parties loop
      perform note_seen(p_tenant, p_pool, v_party, p_low, p_high, p_now, v_start);
    end loop;
  end if;
end $$;

create function keep_note(
  p_tenant text, p_pool text, p_party text, p_place text, p_start bigint, p_through bigint, p_below bigint
) returns void language plpgsql as $$
begin
  insert into party_pools as w (tenant, party, pool, place, starts_at, seen_through, seen_below)
    values (p_tenant, p_party, p_pool, p_place, p_start, p_through, p_below)
    on conflict (tenant, party, pool, place) do update
      set seen_through = greatest(w.seen_through, excluded.seen_through),
          seen_below = greatest(w.seen_below, excluded.seen_below)
      where w.starts_at = excluded.starts_at;
end $$;

create function note_seen(
  p_tenant text, p_pool text, p_party text, p_low text, p_high text, p_now timestamptz, p_start bigint
) returns void language plpgsql as $$
declare
  v_note party_pools%rowtype;
  v_through bigint;
  v_below bigint;
  v_end bigint;
begin
  select w.* into v_note from party_pools w
    where w.tenant = p_tenant and w.party = p_party and w.pool = p_pool and w.place = p_low;
  if not found then
    v_note.starts_at := p_start;
    v_note.seen_through := p_start - 1;
    v_note.seen_below := 0;
  end if;
  -- Read before the walk: a number that is added meanwhile is not under the note.
  select max(n.ordinal) into v_end from numbers n
    where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining
      and n.open_session is null and 'voice' = any (n.capabilities);
  select x.ordinal - 1 into v_through from first_unseen(p_tenant, p_pool, array[p_party], p_now, p_low, p_high,
    'infinity', v_note.seen_through, 9223372036854775807) x;
  v_through := greatest(coalesce(v_through, v_end), v_note.seen_through);
  v_below := v_note.seen_below;
  if v_note.starts_at > 0 and v_through >= v_end then
    select x.ordinal - 1 into v_below from first_unseen(p_tenant, p_pool, array[p_party], p_now, p_low, p_high,
      'infinity', v_note.seen_below, v_note.starts_at) x;
    v_below := greatest(coalesce(v_below, v_note.starts_at - 1), v_note.seen_below);
  end if;
  if v_through > v_note.seen_through + 64 or v_below > v_note.seen_below + 64 then
    perform keep_note(p_tenant, p_pool, p_party, p_low, v_note.starts_at, v_through, v_below);
  end if;
end $$;

-- Seen and free again for all of them; `p_cooling`: not live for any of them. The one longest ago.
create function number_again(
  p_tenant text, p_pool text, p_parties text[], p_now timestamptz, p_low text, p_high text, p_day date,
  p_cooling boolean
) returns text language plpgsql as $$
declare
  v_number text;
  v_free timestamptz := case when p_cooling then 'infinity' else p_now end;
begin
  -- Along each party's own order, up to the first that will do; it counts by its latest release.
  select x.number into v_number
    from unnest(p_parties) q(party)
    cross join lateral (
      select b.number, b.released_at from bindings b
        where b.tenant = p_tenant and b.party = q.party and b.released_at is not null and b.free_at <= v_free
          and (select true from numbers n
            where n.tenant = p_tenant and n.number = b.number and n.pool = p_pool and n.enabled and n.use = 'pool'
              and not n.draining and n.open_session is null and n.place >= p_low and n.place < p_high
              and n.loaded_on < p_day and (n.quarantined_until is null or n.quarantined_until <= p_now)
              and 'voice' = any (n.capabilities))
          and (select true from bindings o
            where o.tenant = p_tenant and o.party = any (p_parties) and o.number = b.number
              and (o.released_at is null or o.free_at > v_free or o.released_at > b.released_at) limit 1) is null
        order by b.released_at limit 1
    ) x
    order by x.released_at limit 1;
  return v_number;
end $$;

-- All that would do are at their load limit: the one that has taken fewest sessions today.
create function number_least_loaded(
  p_tenant text, p_pool text, p_parties text[], p_now timestamptz, p_low text, p_high text, p_day date
) returns text language plpgsql as $$
declare
  v_number text;
begin
  select d.number into v_number from number_days d
    where d.tenant = p_tenant and d.day = p_day
      and (select true from numbers n
        where n.tenant = p_tenant and n.number = d.number and n.pool = p_pool and n.enabled and n.use = 'pool'
          and not n.draining and n.open_session is null and n.place >= p_low and n.place < p_high
          and (n.quarantined_until is null or n.quarantined_until <= p_now) and 'voice' = any (n.capabilities))
      and (select true from bindings b
        where b.tenant = p_tenant and b.party = any (p_parties) and b.number = d.number and b.free_at > p_now
        limit 1) is null
    order by d.sessions limit 1;
  return v_number;
end $$;

-- One that the parties have live already, fewest times first. PINs: at most 10 sessions have codes on a number.
create function number_shared(
  p_tenant text, p_pool text, p_parties text[], p_now timestamptz, p_low text, p_high text, p_pin boolean
) returns text language plpgsql as $$
declare
  v_one record;
  v_best text;
  v_mine boolean;
begin
  for v_one in
    select l.number from (
        select b.number, b.party, count(*) as live from bindings b
          where b.tenant = p_tenant and b.party = any (p_parties) and b.released_at is null group by b.number, b.party
      ) l
      join numbers n on n.tenant = p_tenant and n.number = l.number
      where n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining and n.open_session is null
        and n.place >= p_low and n.place < p_high
        and (n.quarantined_until is null or n.quarantined_until <= p_now) and 'voice' = any (n.capabilities)
      group by l.number, n.ordinal having max(l.live) < case when p_pin then 10 else 9 end
      order by max(l.live), n.ordinal
  loop
    if not p_pin then
      return v_one.number;
    end if;
    -- Codes of all parties count, and only parties are locked: the number is claimed too, unless another choice has it
    -- at this moment. Never waited for, so it needs no place in the order of locks.
    v_mine := pg_try_advisory_xact_lock(1935762804, hashtext(v_one.number));
    if (select count(*) from pins i where i.tenant = p_tenant and i.number = v_one.number) < 10 then
      if v_mine then
        return v_one.number;
      end if;
      v_best := coalesce(v_best, v_one.number);
    end if;
  end loop;
  return v_best;
end $$;

-- The number that the first party had in its newest session with one of the others, if nobody else came between. Its
-- cooling doesn't matter: whoever could call late is the same counterpart.
create function number_sticky(
  p_tenant text, p_pool text, p_parties text[], p_others text[], p_now timestamptz, p_low text, p_high text, p_day date
) returns text language plpgsql as $$
declare
  -- Above every session's id, under any collation.
  v_before text := 'ses_g';
  v_mine text;
  v_theirs text;
  v_number text;
begin
  -- Both walk back in turns to the other's newest session that is not newer: as short as the shorter history.
  for step in 1 .. 256 loop
    select h.session into v_mine from participant_phones h
      where h.tenant = p_tenant and h.party = p_parties[1] and h.session < v_before order by h.session desc limit 1;
    exit when not found;
    select x.session into v_theirs from unnest(p_others) o(party)
      cross join lateral (
        select h.session from participant_phones h
          where h.tenant = p_tenant and h.party = o.party and h.session <= v_mine order by h.session desc limit 1
      ) x order by x.session desc limit 1;
    exit when not found;
    if v_mine <> v_theirs then
      v_before := v_theirs || '0';
      continue;
    end if;
    v_before := v_mine;
    select p.number into v_number from participant_phones h
      join participants p on p.tenant = h.tenant and p.session = h.session and p.participant = h.participant
      join numbers n on n.tenant = p.tenant and n.number = p.number
      where h.tenant = p_tenant and h.party = p_parties[1] and h.session = v_mine
        and n.pool = p_pool and n.enabled and n.use = 'pool' and not n.draining and n.open_session is null
        and n.place >= p_low and n.place < p_high and n.loaded_on < p_day
        and (n.quarantined_until is null or n.quarantined_until <= p_now) and 'voice' = any (n.capabilities)
        and (select true from bindings b
          where b.tenant = p_tenant and b.party = any (p_parties) and b.number = p.number and (
            b.released_at is null
            or ((b.free_at > p_now or (b.party = p_parties[1] and b.slot = 0)) and not exists (
              select from participant_phones k
                where k.tenant = p_tenant and k.session = b.session and k.party = any (p_others))))
          limit 1) is null
      limit 1;
    if found then
      return v_number;
    end if;
  end loop;
  return null;
end $$;

-- The number that was asked for by name. One that is reserved may be had again at once: who asks for it knows why.
create function number_exact(
  p_tenant text, p_number text, p_parties text[], p_others text[], p_now timestamptz
) returns text language plpgsql as $$
declare
  v_number text;
begin
  select n.number into v_number from numbers n
    where n.tenant = p_tenant and n.number = p_number and n.enabled and n.use = any ('{pool,reserved}')
      and not n.draining and n.open_session is null
      and (n.quarantined_until is null or n.quarantined_until <= p_now) and 'voice' = any (n.capabilities)
      and not exists (
        select from bindings b
          where b.tenant = p_tenant and b.party = any (p_parties) and b.number = p_number and (
            b.released_at is null
            or (n.use = 'pool' and b.free_at > p_now and not exists (
              select from participant_phones k
                where k.tenant = p_tenant and k.session = b.session and k.party = any (p_others)))));
  return v_number;
end $$;

-- ------------------------------------------------------------------ the choice
-- The number that all of p_parties may have now; `number` is null when there is none. The caller holds the parties'
-- locks. `how`: exact, sticky, new (never seen), seen (free again), cooling, shared, pin: bind_numbers wants to know.
-- `slot` is the first party's. p_others are the parties at the other end (without any: p_parties but the first).
create function choose_number(
  p_tenant text, p_pool pools, p_parties text[], p_others text[], p_now timestamptz, p_country text, p_area text,
  p_exact text, p_sticky boolean, out number text, out slot integer, out how text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_others text[] := p_others;
  v_lows text[] := '{}';
  v_highs text[] := '{}';
  v_day date := 'infinity';
  v_new record;
  v_level text := replace((p_pool).match, 'prefer-', '');
begin
  perform enter_number_gate(p_tenant);
  slot := 0;
  if coalesce(cardinality(v_others), 0) = 0 then
    v_others := p_parties[2:];
  end if;
  if p_exact is not null then
    number := number_exact(p_tenant, p_exact, p_parties, v_others, p_now);
    how := case when number is not null then 'exact' end;
    return;
  end if;
  if (p_pool).load_limit is not null then
    v_day := (p_now at time zone 'UTC')::date;
  end if;
  -- Nearest places first; the last level is every place, unless the pool insists.
  if v_level = 'area' and p_country || p_area is not null then
    v_lows := v_lows || (p_country || p_area);
    v_highs := v_highs || (p_country || p_area || '0');
  end if;
  if (v_level = 'country' or (p_pool).match = 'prefer-area') and p_country is not null then
    v_lows := v_lows || p_country;
    v_highs := v_highs || (p_country || ':');
  end if;
  if v_level = 'any' or (p_pool).match <> v_level then
    v_lows := array_append(v_lows, '');
    v_highs := array_append(v_highs, '~');
  end if;
  if cardinality(v_lows) = 0 then
    return;
  end if;

  if p_sticky then
    number := number_sticky(p_tenant, (p_pool).pool, p_parties, v_others, p_now, v_lows[cardinality(v_lows)],
      v_highs[cardinality(v_lows)], v_day);
    how := 'sticky';
  end if;
  for t in 1 .. cardinality(v_lows) loop
    exit when number is not null;
    v_new := number_new(p_tenant, (p_pool).pool, p_parties, p_now, v_lows[t], v_highs[t], v_day, (p_pool).spread);
    number := v_new.number;
    how := 'new';
    exit when number is not null;
    number := number_again(p_tenant, (p_pool).pool, p_parties, p_now, v_lows[t], v_highs[t], v_day, false);
    how := 'seen';
    exit when number is not null or not v_new.noted;
    -- Not seen after all, though a note says so: a binding was erased since, or a quarantine has just ended.
    v_new := first_unseen(p_tenant, (p_pool).pool, p_parties, p_now, v_lows[t], v_highs[t], v_day, 0,
      9223372036854775807);
    number := v_new.number;
    how := 'new';
  end loop;
  if number is null and (p_pool).load_limit is not null then
    for t in 1 .. cardinality(v_lows) loop
      number := number_least_loaded(p_tenant, (p_pool).pool, p_parties, p_now, v_lows[t], v_highs[t], v_day);
      how := 'seen';
      exit when number is not null;
    end loop;
  end if;
  for t in 1 .. cardinality(v_lows) loop
    exit when number is not null;
    case (p_pool).exhaustion
      when 'reuse-oldest' then
        number := number_again(p_tenant, (p_pool).pool, p_parties, p_now, v_lows[t], v_highs[t], 'infinity', true);
        how := 'cooling';
      when 'disambiguate' then
        number := number_shared(p_tenant, (p_pool).pool, p_parties, p_now, v_lows[t], v_highs[t], false);
        how := 'shared';
      when 'pin' then
        number := number_shared(p_tenant, (p_pool).pool, p_parties, p_now, v_lows[t], v_highs[t], true);
        how := 'pin';
      else exit;
    end case;
  end loop;
  if number is null then
    how := null;
  elsif how = any ('{shared,pin}') then
    slot := free_slot(p_tenant, p_parties[1], number, p_now);
  end if;
end $$;
drop function choose_number(text, text, text[], timestamptz, boolean);
drop function choose_common_number(text, text, text[], timestamptz, boolean);

-- What participants who are reached by app see.
create function choose_display_number(p_tenant text, p_pool text) returns text language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform enter_number_gate(p_tenant);
  return (select n.number from numbers n
    where n.tenant = p_tenant and n.pool = p_pool and n.enabled and n.use = 'display' and not n.draining
      and (n.quarantined_until is null or n.quarantined_until <= platform_now()) and 'voice' = any (n.capabilities)
    order by n.ordinal limit 1);
end $$;

-- ------------------------------------------------------------------ binding
-- The lowest slot that is neither live nor cooling.
create function free_slot(p_tenant text, p_party text, p_number text, p_now timestamptz) returns integer
language sql volatile as $$
  select least(min(x.slot) filter (where x.free), min(x.place) filter (where x.slot <> x.place), count(*))::integer
    from (
      select b.slot, b.free_at <= p_now as free, row_number() over (order by b.slot) - 1 as place
        from bindings b where b.tenant = p_tenant and b.party = p_party and b.number = p_number
    ) x
$$;

-- Binds each party to its number; arrays of one length. Returns how many were bound: fewer than asked means that one
-- was taken, and the caller must not keep any. Law 1 is this statement with the primary key: a row is taken over only
-- when it is released, and free unless the choice said that its cooling doesn't matter. `display` is for participants
-- who are reached by app.
create function bind_numbers(
  p_tenant text, p_session text, p_parties text[], p_participants text[], p_numbers text[], p_hows text[],
  p_now timestamptz
) returns integer language plpgsql as $$
declare
  v_bound integer := bind_rows(p_tenant, p_session, p_parties, p_participants, p_numbers, p_hows, p_now);
begin
  perform count_load(p_tenant, (
    select array_agg(distinct x.number) from unnest(p_numbers, p_hows) x(number, how) where x.how <> 'display'), p_now);
  return v_bound;
end $$;

create function bind_rows(
  p_tenant text, p_session text, p_parties text[], p_participants text[], p_numbers text[], p_hows text[],
  p_now timestamptz
) returns integer language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_bound integer;
  v_shared text[] := '{shared,pin,display}';
  v_warm text[] := (
    select array_agg(x.party || ' ' || x.number) from unnest(p_parties, p_numbers, p_hows) x(party, number, how)
      where x.how = any ('{cooling,sticky,exact}'));
begin
  insert into bindings as b (tenant, party, number, slot, shared, session, participant, bound_at)
    select p_tenant, x.party, x.number,
        case when x.how = any (v_shared) then free_slot(p_tenant, x.party, x.number, p_now) else 0 end,
        x.how = any (v_shared), p_session, x.participant, p_now
      from unnest(p_parties, p_participants, p_numbers, p_hows) x(party, participant, number, how)
    on conflict (tenant, party, number, slot) do update
      set session = excluded.session, participant = excluded.participant, bound_at = excluded.bound_at,
          shared = excluded.shared, released_at = null, free_at = 'infinity', late_attempts = 0
      where b.free_at <= p_now
        or (b.released_at is not null and excluded.party || ' ' || excluded.number = any (v_warm));
  get diagnostics v_bound = row_count;
  return v_bound;
end $$;

-- One more session today on a number each time that it stands in the list, where its pool has a limit. Once in a
-- transaction, and last: these rows are shared by everybody.
create function count_load(p_tenant text, p_numbers text[], p_now timestamptz) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_day date := (p_now at time zone 'UTC')::date;
begin
  if not exists (select from pools o where o.tenant = p_tenant and o.load_limit is not null) then
    return;
  end if;
  with limited as materialized (
    select n.number, x.times, o.load_limit
      from (select u.number, count(*)::integer as times from unnest(p_numbers) u(number) group by u.number) x
      join numbers n on n.tenant = p_tenant and n.number = x.number
      join pools o on o.tenant = p_tenant and o.pool = n.pool and o.load_limit is not null
  ), counted as (
    insert into number_days as d (tenant, number, day, sessions)
      select p_tenant, l.number, v_day, l.times from limited l order by l.number
      on conflict (tenant, number, day) do update set sessions = d.sessions + excluded.sessions
      returning d.number, d.sessions
  )
  update numbers n set loaded_on = v_day
    from counted c join limited l on l.number = c.number
    where c.sessions >= l.load_limit and n.tenant = p_tenant and n.number = c.number and n.loaded_on <> v_day;
end $$;

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
  delete from number_directory d where d.tenant = p_tenant and d.number = p_number;
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
