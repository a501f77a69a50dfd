-- Which number a session gets, how it is bound to it, and the care of numbers: draining, quarantine, replacement,
-- forecast. Time is always p_now or platform_now(), so that a simulation can set the clock.
--
-- Who waits for whom, beside what 0002 says: a choice shares the tenant's gate, whoever takes a number out of use
-- closes it for a moment. So when "draining" is acknowledged, no session is being opened on that number any more. The
-- gate is always taken after parties and before sessions (whoever holds the gate may wait for one that has run out),
-- rows of numbers and number_days; both of these in the order of numbers; a pool's row after its numbers.

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
  -- By the key, whatever the planner knows: the index of live bindings would bring everybody's of this number.
  if new.released_at is null and not new.shared and exists (
    select from (
      select b.slot, b.released_at from bindings b
        where b.tenant = new.tenant and b.party = new.party and b.number = new.number offset 0
    ) x where x.slot <> new.slot and x.released_at is null
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
-- locks and has entered the gate. `how`: exact, sticky, new (never seen), seen (free again), cooling, shared, pin: bind_numbers wants to know.
-- `slot` is the first party's. p_others are the parties at the other end (without any: p_parties but the first).
create function choose_number(
  p_tenant text, p_pool pools, p_parties text[], p_others text[], p_now timestamptz, p_country text, p_area text,
  p_exact text, p_sticky boolean, out number text, out slot integer, out how text
) language plpgsql as $$
#variable_conflict use_column
declare
  v_others text[] := p_others;
  v_lows text[] := '{}';
  v_highs text[] := '{}';
  v_day date := 'infinity';
  v_new record;
  v_level text := replace((p_pool).match, 'prefer-', '');
begin
  slot := 0;
  -- Nearly everybody: one phone, any place, and a number they have not seen among the next few. One look says it, and
  -- no way was gone that a note would have to keep.
  if p_exact is null and p_sticky is not true and cardinality(p_parties) = 1 and (p_pool).match = 'any'
      and not (p_pool).spread and (p_pool).load_limit is null then
    select x.number into number from (
        select n.number from numbers n
          where n.tenant = p_tenant and n.pool = (p_pool).pool and n.enabled and n.use = 'pool' and not n.draining
            and n.open_session is null and n.loaded_on < 'infinity'
            and (n.quarantined_until is null or n.quarantined_until <= p_now)
            and 'voice' = any (n.capabilities)
            and n.ordinal > coalesce((select case when w.starts_at = 0 then w.seen_through else 9223372036854775807 end
              from party_pools w
              where w.tenant = p_tenant and w.party = p_parties[1] and w.pool = (p_pool).pool and w.place = ''), -1)
          order by n.ordinal limit 8
      ) x
      where (select true from bindings b
        where b.tenant = p_tenant and b.party = p_parties[1] and b.number = x.number limit 1) is null
      limit 1;
    if found then
      how := 'new';
      return;
    end if;
  end if;
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
create function choose_display_number(p_tenant text, p_pool text) returns text language plpgsql as $$
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
  if exists (select from pools o where o.tenant = p_tenant and o.load_limit is not null) then
    perform count_load(p_tenant, (
      select array_agg(distinct x.number) from unnest(p_numbers, p_hows) x(number, how) where x.how <> 'display'), p_now);
  end if;
  return v_bound;
end $$;

create function bind_rows(
  p_tenant text, p_session text, p_parties text[], p_participants text[], p_numbers text[], p_hows text[],
  p_now timestamptz
) returns integer language plpgsql as $$
declare
  v_bound integer;
  v_shared text[] := '{shared,pin,display}';
  v_warm text[];
begin
  if p_hows && '{cooling,sticky,exact}' then
    v_warm := array(
      select x.party || ' ' || x.number from unnest(p_parties, p_numbers, p_hows) x(party, number, how)
        where x.how = any ('{cooling,sticky,exact}'));
  end if;
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
create function count_load(p_tenant text, p_numbers text[], p_now timestamptz) returns void language plpgsql as $$
declare
  v_day date := (p_now at time zone 'UTC')::date;
  v_full text;
begin
  if not exists (select from pools o where o.tenant = p_tenant and o.load_limit is not null) then
    return;
  end if;
  for v_full in with limited as materialized (
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
  select c.number from counted c join limited l on l.number = c.number
    where c.sessions >= l.load_limit order by c.number
  loop
    update numbers n set loaded_on = v_day
      where n.tenant = p_tenant and n.number = v_full and n.loaded_on <> v_day;
  end loop;
end $$;
