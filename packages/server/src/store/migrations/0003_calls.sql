-- What the switch asks, many calls in one statement: decide, answer, end. Their plans never depend on the values, but
-- making one takes longer than running it: with `force_generic_plan` each connection plans once.

-- Decides calls and durably records them before anybody is rung. One row a call and target; a call without a target
-- has one row with `participant` null. `verdict`: connect, not-connected (never bound to the number, or withheld,
-- or the number is out of use: nobody can tell which), ended (bound before, or the session's time is over).
create function decide_calls(
  p_node text, p_boot text, p_tenants text[], p_calls text[], p_numbers text[], p_callers bytea[]
) returns table (
  tenant text, call text, verdict text, session text, caller_participant text, caller_party text, caller_locale text,
  recording text, settings jsonb,
  participant text, party text, locale text, phone bytea,
  party_key text, wrapped bytea, tenant_key_version integer,
  caller_id text, number text, carrier text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
begin
  return query
  with asked as materialized (
    select a.tenant, a.call, a.number, a.caller
      from unnest(p_tenants, p_calls, p_numbers, p_callers) as a(tenant, call, number, caller)
  ), found as materialized (
    select a.tenant, a.call, a.number, y.party, b.session, b.participant, s.recording, t.settings, t.default_locale,
        coalesce(p.locale, t.default_locale) as locale,
        case
          when b.session is null or not n.enabled then 'not-connected'
          when b.released_at is null and s.status = 'open' and s.expires_at > v_now
            and (s.idle_expires_at is null or s.idle_expires_at > v_now) then 'connect'
          else 'ended'
        end as verdict
      from asked a
      join tenants t on t.tenant = a.tenant
      join numbers n on n.tenant = a.tenant and n.number = a.number
      left join parties y on y.tenant = a.tenant and y.fingerprint = a.caller
      left join bindings b on b.tenant = a.tenant and b.party = y.party and b.number = a.number
      left join sessions s on s.tenant = b.tenant and s.session = b.session
      left join participants p on p.tenant = b.tenant and p.session = b.session and p.participant = b.participant
  ), recorded as (
    insert into calls (tenant, call, session, participant, number, node, boot, refusal, started_at)
      select f.tenant, f.call,
          case when f.verdict <> 'not-connected' then f.session end,
          case when f.verdict <> 'not-connected' then f.participant end,
          f.number, p_node, p_boot, nullif(f.verdict, 'connect'), v_now
        from found f
      on conflict (tenant, call) do nothing
  ), late as (
    -- A row that is being used for another session right now is passed over: a count is not worth waiting for.
    select b.tenant, b.party, b.number from bindings b
      join (select distinct f.tenant, f.party, f.number from found f where f.verdict = 'ended') x
        on x.tenant = b.tenant and x.party = b.party and x.number = b.number
      for no key update of b skip locked
  ), counted as (
    update bindings b set late_attempts = b.late_attempts + x.times
      from (
        select f.tenant, f.party, f.number, count(*)::integer as times
          from found f join late l on l.tenant = f.tenant and l.party = f.party and l.number = f.number
          where f.verdict = 'ended' group by f.tenant, f.party, f.number
      ) x
      where b.tenant = x.tenant and b.party = x.party and b.number = x.number
  )
  select f.tenant, f.call, f.verdict, f.session, f.participant, f.party, f.locale, f.recording, f.settings,
      o.participant, o.party, o.locale, o.phone, o.party_key, o.wrapped, o.tenant_key_version,
      o.e164, o.number, o.carrier
    from found f
    left join lateral (
      select p.position, h.position as phone_position, p.participant, h.party, coalesce(p.locale, f.default_locale) as locale,
          y.phone, k.party_key, k.wrapped, k.tenant_key_version, n.e164, n.number, n.carrier
        from participants p
        join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
        join parties y on y.tenant = h.tenant and y.party = h.party
        join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
        join numbers n on n.tenant = p.tenant and n.number = p.number and n.enabled
        join carriers c on c.tenant = n.tenant and c.carrier = n.carrier and c.enabled
        where p.tenant = f.tenant and p.session = f.session and p.participant <> f.participant
    ) o on f.verdict = 'connect'
    order by f.call, o.position, o.phone_position;
end $$;

-- The gate. Locks each session, so that an end of it comes wholly before or wholly after: after `close` is
-- acknowledged no answer passes. Returns the calls that may be joined.
create function answer_calls(p_tenants text[], p_calls text[], p_sessions text[], p_participants text[])
returns table (tenant text, call text) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz;
begin
  -- One look-up by key for each session, whatever the planner knows of the table: `offset 0` keeps it apart.
  perform (select true from sessions s where s.tenant = x.tenant and s.session = x.session for no key update of s)
    from (
      select distinct a.tenant, a.session from unnest(p_tenants, p_sessions) as a(tenant, session)
        order by a.tenant, a.session offset 0
    ) x;
  v_now := clock_timestamp();
  return query
  with alive as materialized (
    select a.tenant, a.call, a.session, a.participant
      from unnest(p_tenants, p_calls, p_sessions, p_participants) as a(tenant, call, session, participant)
      cross join lateral (
        select s.status, s.expires_at, s.idle_expires_at from sessions s
          where s.tenant = a.tenant and s.session = a.session offset 0
      ) s
      where s.status = 'open' and s.expires_at > v_now and (s.idle_expires_at is null or s.idle_expires_at > v_now)
  ), joined as (
    update calls c set status = 'answered', answered_at = v_now
      from alive a
      where c.tenant = a.tenant and c.call = a.call and c.session = a.session and c.status = 'ringing'
        and c.refusal is null
      returning c.tenant, c.call, c.session, c.participant as caller, a.participant as callee
  ), used as (
    -- A running call is not idle: its end sets the time anew, and should that never come, its longest duration bounds it.
    update sessions s
      set idle_expires_at = v_now + make_interval(secs => s.idle_seconds
        + coalesce((x.settings ->> 'maxSeconds')::integer, 3600))
      from (select distinct j.tenant, j.session, t.settings from joined j join tenants t on t.tenant = j.tenant) x
      where s.tenant = x.tenant and s.session = x.session and s.idle_seconds is not null
  ), told as (
    insert into ledger (tenant, entry, kind, actor, session, subject, details)
      select j.tenant, new_id('led_'), 'connection', 'switch', j.session, j.call,
          jsonb_build_object('caller', j.caller, 'callee', j.callee)
        from joined j
  )
  select j.tenant, j.call from joined j;
end $$;

-- The end of calls, as the switch reports them: [{tenant, call, outcome, hangupBy, hangupCause, endedAt (milliseconds),
-- legs: [{participant, number, carrier, direction, sipStatus, startedAt, answeredAt, endedAt, quality}]}].
-- A call that has ended keeps its first end.
create function end_calls(p_ends jsonb) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
declare
  v_ended jsonb;
begin
  with closed as (
    update calls c
      set status = 'ended', outcome = e.outcome, hangup_by = e."hangupBy", hangup_cause = e."hangupCause",
          ended_at = greatest(to_timestamp(e."endedAt" / 1000), c.started_at)
      from jsonb_to_recordset(p_ends) as e(tenant text, call text, outcome text, "hangupBy" text, "hangupCause" text,
        "endedAt" double precision, legs jsonb)
      where c.tenant = e.tenant and c.call = e.call and c.status <> 'ended'
      returning c.tenant, c.call, c.session, c.answered_at, e.legs
  ), legs as (
    insert into call_legs (tenant, call, position, participant, number, carrier, direction, sip_status,
        started_at, answered_at, ended_at, quality)
      select c.tenant, c.call, l.position, l.participant, l.number, l.carrier, l.direction, l."sipStatus",
          to_timestamp(l."startedAt" / 1000), to_timestamp(l."answeredAt" / 1000), to_timestamp(l."endedAt" / 1000),
          l.quality
        from closed c
        cross join lateral rows from (
          jsonb_to_recordset(c.legs) as (participant text, number text, carrier text, direction text,
            "sipStatus" integer, "startedAt" double precision, "answeredAt" double precision,
            "endedAt" double precision, quality jsonb)
        ) with ordinality as l(participant, number, carrier, direction, "sipStatus", "startedAt", "answeredAt",
          "endedAt", quality, position)
      on conflict (tenant, call, position) do nothing
  )
  select jsonb_agg(jsonb_build_object('tenant', x.tenant, 'session', x.session)) into v_ended
    from (select distinct c.tenant, c.session from closed c where c.answered_at is not null and c.session is not null) x;
  -- A talk is use: the idle time starts again when it ends. A session that is being ended meanwhile is left alone.
  if v_ended is not null then
    with busy as (
      select s.tenant, s.session from jsonb_to_recordset(v_ended) as x(tenant text, session text)
        cross join lateral (
          select s.tenant, s.session from sessions s
            where s.tenant = x.tenant and s.session = x.session
              and s.idle_seconds is not null and s.status = 'open' and s.idle_expires_at > clock_timestamp()
            for no key update of s skip locked
        ) s
    )
    update sessions s set idle_expires_at = clock_timestamp() + make_interval(secs => s.idle_seconds)
      from busy b where s.tenant = b.tenant and s.session = b.session;
  end if;
end $$;

-- Calls that a process left behind: of this node's earlier lives, and of nodes that have not been seen for
-- p_silent_seconds. At most p_limit at once; returns how many.
create function interrupt_calls(p_node text, p_boot text, p_silent_seconds double precision, p_limit integer)
returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_count integer;
begin
  with left_behind as (
    select c.tenant, c.call from calls c
      where c.ended_at is null and (
        (c.node = p_node and c.boot <> p_boot)
        or c.node in (select n.node from nodes n
            where n.node <> p_node and n.seen_at < now() - make_interval(secs => p_silent_seconds)))
      order by c.tenant, c.call limit p_limit for no key update skip locked
  ), closed as (
    update calls c set status = 'ended', outcome = 'interrupted', hangup_by = 'platform', hangup_cause = 'interrupted',
        ended_at = now()
      from left_behind l where c.tenant = l.tenant and c.call = l.call
      returning c.tenant, c.call
  ), cut as (
    update recordings r set status = 'interrupted', ended_at = now()
      from closed c where r.tenant = c.tenant and r.call = c.call and r.status = 'recording'
  )
  select count(*) into v_count from closed;
  return v_count;
end $$;
