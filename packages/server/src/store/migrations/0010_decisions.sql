-- What the switch asks while calls run, now with programs, slots, codes, open sides and the time after the close.

drop function decide_calls(text, text, text[], text[], text[], bytea[]);

alter table calls
  -- Who answered.
  add column callee text;

create type resolved_call as (
  at              integer,
  tenant          text,
  number          text,
  verdict         text,
  session         text,
  participant     text,
  party           text,
  slot            integer,
  choices         text[]
);

-- Who calls what: reads only. Arrays of one length. p_callers null: withheld, unreadable or not believed. p_sessions: the
-- caller chose this one; with p_participants, they proved by code that they are this participant.
--   connect        exactly one live session (or the chosen one)
--   choose, pin    several, or one beside one that ended lately (the caller says which); or a code is asked because the
--                  number says nothing
--   open           nobody's binding, but the number is the open side of a live session
--   ended          bound before, and over
--   not-connected  never bound, withheld, or the number is out of use: nobody can tell which
create function resolve_callers(
  p_tenants text[], p_numbers text[], p_callers bytea[], p_sessions text[], p_participants text[], p_now timestamptz
) returns setof resolved_call language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
begin
  return query
  select a.at::integer, a.tenant, a.number, v.verdict,
      case when a.session is not null then a.session when v.verdict = 'open' then n.open_session
        when v.verdict in ('connect', 'ended') then k.best[1][1] end,
      case when a.session is not null then coalesce(a.participant, c.participant)
        when v.verdict in ('connect', 'ended') then k.best[1][2] end,
      y.party, k.best[1][3]::integer, case v.verdict when 'choose' then k.sessions when 'pin' then k.codeless end
    from unnest(p_tenants, p_numbers, p_callers, p_sessions, p_participants) with ordinality
      as a(tenant, number, caller, session, participant, at)
    join numbers n on n.tenant = a.tenant and n.number = a.number
    left join parties y on y.tenant = a.tenant and y.fingerprint = a.caller
    left join lateral (
      select count(*) filter (where b.alive) as live, bool_or(b.pinned) filter (where b.alive) as pinned,
          -- The one that lives, else the one that ended last: session, participant, slot.
          array_agg(array[b.session, b.participant, b.slot::text] order by b.alive desc, b.released_at desc nulls first)
            as best,
          array_agg(b.session) filter (where b.alive) as sessions,
          array_agg(b.session) filter (where b.alive and not b.pinned) as codeless,
          -- One lives, another one ended a while ago: whoever calls because of that one must not meet a stranger.
          bool_or(not b.alive and b.free_at > p_now) as doubtful
        from (
          select b.session, b.participant, b.slot, b.released_at, b.free_at, p.pin_index is not null as pinned,
              b.released_at is null and coalesce(session_lives(s.status, s.expires_at, s.idle_expires_at, s.after_until,
                p_now), false) as alive
            from bindings b
            left join sessions s on s.tenant = b.tenant and s.session = b.session
            left join participants p on p.tenant = b.tenant and p.session = b.session and p.participant = b.participant
            where b.tenant = a.tenant and b.party = y.party and b.number = a.number
        ) b
    ) k on a.session is null
    left join lateral (
      select p.participant,
          session_lives(s.status, s.expires_at, s.idle_expires_at, s.after_until, p_now) and p.left_at is null as lives
        from sessions s
        join participants p on p.tenant = s.tenant and p.session = s.session
        where s.tenant = a.tenant and s.session = a.session and p.tenant = a.tenant
          and p.participant = coalesce(a.participant, (
            select b.participant from bindings b where b.tenant = a.tenant and b.party = y.party
              and b.number = a.number and b.session = a.session and b.released_at is null limit 1))
    ) c on a.session is not null
    cross join lateral (
      select case
        when not n.enabled then 'not-connected'
        when a.session is not null then case when c.lives then 'connect' else 'ended' end
        when k.live = 1 and not k.doubtful then 'connect'
        when k.live >= 1 then case when k.pinned then 'pin' else 'choose' end
        when n.open_session is not null and a.caller is not null and exists (
          select from sessions s where s.tenant = a.tenant and s.session = n.open_session and s.status = 'open'
            and session_lives(s.status, s.expires_at, s.idle_expires_at, null, p_now)) then 'open'
        when k.best is not null then 'ended'
        -- A look-up, said so that no planner reads all codes there are.
        when (select true from pins i where i.tenant = a.tenant and i.number = a.number
          and (i.expires_at is null or i.expires_at > p_now) limit 1) then 'pin'
        else 'not-connected'
      end as verdict
    ) v
    order by a.at;
end $$;

-- What a program, limits, blocks and messages need to know; only asked for sessions that have any of these.
create function session_info(
  p_tenant text, p_session text, p_participant text, p_party text, p_call text, p_number text, p_now timestamptz
) returns jsonb language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
begin
  return (
    select jsonb_build_object(
        'reference', s.reference, 'metadata', s.metadata, 'createdAt', s.created_at, 'expiresAt', s.expires_at,
        'opened', s.opens_at is null or s.opens_at <= p_now, 'closed', s.status <> 'open',
        'afterClose', s.after_close, 'rules', s.rules, 'pool', s.pool, 'numberCountry', n.country,
        'callerCountry', (select y.country from parties y where y.tenant = p_tenant and y.party = p_party),
        'program', g.program, 'version', coalesce(case when s.program is not null then s.program_version end, g.version),
        'programSource', case when s.program is not null then 'named' when g.program is not null then 'tenant' end,
        'people', (select jsonb_agg(jsonb_build_object('participant', p.participant, 'role', p.role,
              'timeZone', p.time_zone, 'mayStart', p.may_start, 'locale', p.locale) order by p.position)
            from participants p where p.tenant = p_tenant and p.session = p_session and p.left_at is null
              and not p.is_open),
        'attempt', (
          select jsonb_build_object(
              'calls', count(*) filter (where c.participant = p_participant),
              'answered', count(*) filter (where c.participant = p_participant and c.answered_at is not null),
              'connected', count(*) filter (where c.answered_at is not null),
              'minutes', coalesce(sum(extract(epoch from coalesce(c.ended_at, p_now) - c.answered_at)) / 60, 0),
              'sinceLast', coalesce(extract(epoch from p_now - max(c.started_at) filter (where c.participant = p_participant)), -1),
              'recent', count(*) filter (where c.participant = p_participant and c.started_at > p_now - make_interval(
                mins => coalesce((s.rules -> 'limits' -> 'attempts' ->> 'perMinutes')::integer, 60))))
            from (select c.* from calls c where c.tenant = p_tenant and c.session = p_session and c.call <> p_call
              order by c.call desc limit 5000) c),
        'messages', (select jsonb_agg(v.recording order by v.left_at) from (
            select v.recording, v.left_at from voicemails v
              where v.tenant = p_tenant and v.participant = p_participant and v.heard_at is null
              order by v.left_at limit 20) v),
        'blocked', to_jsonb(blocked_participants(p_tenant, p_party, p_session, p_now)))
      from sessions s
      join numbers n on n.tenant = s.tenant and n.number = p_number
      -- A session that names a program keeps it though it was deleted since.
      left join programs g on g.tenant = s.tenant
        and case when s.program is not null then g.program = s.program
          else g.is_default and g.deleted_at is null and s.rules -> 'program' is null end
      where s.tenant = p_tenant and s.session = p_session
  );
end $$;

-- Decides calls and records them before anybody is rung. One row a call and target; a call without a target
-- has one row with `participant` null. `info` is null for a plain session: connect to the others. `own`: one of the
-- caller's own phones, asked for by click-to-call. A call that was recorded before is decided again, and its record
-- follows.
create function decide_calls(
  p_node text, p_boot text, p_tenants text[], p_calls text[], p_kinds text[], p_numbers text[], p_callers bytea[],
  p_sessions text[], p_participants text[]
) returns table (
  tenant text, call text, verdict text, session text, caller_participant text, caller_party text, caller_locale text,
  recording text, settings jsonb, info jsonb, choices jsonb,
  participant text, role text, own boolean, party text, locale text, phone bytea,
  party_key text, wrapped bytea, tenant_key_version integer,
  caller_id text, number text, carrier text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz := platform_now();
  v_found resolved_call[];
  -- Tenants who have any, asked once for all calls: most have neither.
  v_programs text[] := array(
    select g.tenant from programs g where g.tenant = any (p_tenants) and g.is_default and g.deleted_at is null);
  v_blocks text[] := array(
    select t.tenant from tenants t where t.tenant = any (p_tenants)
      and exists (select from blocks k where k.tenant = t.tenant and k.lifted_at is null));
begin
  -- Nobody is told of a decision before the call is answered: the gate's commit, which waits for the disk, brings this
  -- one there as well. What a power cut takes are the records of calls that ring at that moment and end with it.
  perform set_config('synchronous_commit', 'off', true);
  v_found := array(select r from resolve_callers(p_tenants, p_numbers, p_callers, p_sessions, p_participants, v_now) r);
  insert into calls as c (tenant, call, kind, session, participant, number, node, boot, refusal, started_at)
    select f.tenant, p_calls[f.at], p_kinds[f.at],
        case when f.verdict in ('connect', 'ended') then f.session end,
        case when f.verdict in ('connect', 'ended') then f.participant end,
        f.number, p_node, p_boot, case when f.verdict in ('ended', 'not-connected') then f.verdict end, v_now
      from unnest(v_found) f
    on conflict (tenant, call) do update
      set session = excluded.session, participant = excluded.participant, refusal = excluded.refusal
      where c.status = 'ringing'
        and (c.session, c.participant, c.refusal) is distinct from (excluded.session, excluded.participant, excluded.refusal);
  if exists (select from unnest(v_found) f where f.verdict = 'ended' and f.slot is not null) then
    perform note_late_attempts(array_agg(x.tenant), array_agg(x.party), array_agg(x.number), array_agg(x.slot),
        array_agg(x.times), v_now)
      from (
        select f.tenant, f.party, f.number, f.slot, count(*)::integer as times from unnest(v_found) f
          where f.verdict = 'ended' and f.slot is not null group by f.tenant, f.party, f.number, f.slot
      ) x;
  end if;
  return query
  select f.tenant, p_calls[f.at], f.verdict, f.session, f.participant,
      c.party,
      coalesce(p.locale, t.default_locale), s.recording, t.settings, i.info, w.choices,
      o.participant, o.role, o.own, o.party, o.locale, o.phone, o.party_key, o.wrapped, o.tenant_key_version,
      o.e164, o.number, o.carrier
    from unnest(v_found) f
    join tenants t on t.tenant = f.tenant
    left join sessions s on f.verdict in ('connect', 'ended', 'open') and s.tenant = f.tenant and s.session = f.session
    left join participants p on f.verdict in ('connect', 'ended') and p.tenant = f.tenant and p.session = f.session
      and p.participant = f.participant
    -- Who proved to be a participant by a code may call from anywhere: they count as the participant's first phone.
    cross join lateral (
      select case when p_participants[f.at] is null then f.party else (
        select h.party from participant_phones h where h.tenant = f.tenant and h.session = f.session
          and h.participant = f.participant order by h.position limit 1) end as party
      offset 0
    ) c
    cross join lateral (
      select case when f.verdict = 'connect' and (s.rules is not null or s.program is not null or s.status <> 'open'
          or s.opens_at > v_now or not p.may_start
          or f.tenant = any (v_programs)
          or exists (select from voicemails v where v.tenant = f.tenant and v.participant = f.participant and v.heard_at is null)
          -- Any phone of anybody in it: what blocks a person's second phone blocks the first.
          or (f.tenant = any (v_blocks) and exists (
            select from participant_phones h join blocks k on k.tenant = h.tenant and k.party = h.party
                and k.lifted_at is null
              where h.tenant = f.tenant and h.session = f.session)))
        then session_info(f.tenant, f.session, f.participant, c.party, p_calls[f.at], f.number, v_now) end as info
      offset 0
    ) i
    left join lateral (
      select jsonb_agg(jsonb_build_object('session', x.session, 'reference', coalesce(x.reference, '')) order by x.session desc)
          as choices
        from (select s.session, s.reference from sessions s
          where f.verdict in ('choose', 'pin') and s.tenant = f.tenant and s.session = any (f.choices) order by s.session desc limit 9) x
    ) w on f.verdict in ('choose', 'pin')
    left join lateral (
      select p.position, h.position as phone_position, p.participant, p.role, p.participant = f.participant as own,
          h.party, coalesce(p.locale, t.default_locale) as locale,
          y.phone, k.party_key, k.wrapped, k.tenant_key_version, n.e164, n.number, n.carrier
        from participants p
        join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
        join parties y on y.tenant = h.tenant and y.party = h.party
        join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
        join numbers n on n.tenant = p.tenant and n.number = p.number and n.enabled
        join carriers c on c.tenant = n.tenant and c.carrier = n.carrier and c.enabled
        where p.tenant = f.tenant and p.session = f.session and p.left_at is null
          and (p.participant <> f.participant or p_kinds[f.at] = 'click-to-call')
    ) o on f.verdict = 'connect'
    order by f.at, o.position, o.phone_position;
end $$;

-- What `ask` needs again while a call runs: one row a phone of the others, like decide_calls.
create function call_targets(p_tenant text, p_call text) returns table (
  kind text, session text, caller_participant text, number_called text, e164_called text, carrier_called text,
  settings jsonb, info jsonb,
  participant text, role text, party text, locale text, phone bytea,
  party_key text, wrapped bytea, tenant_key_version integer, caller_id text, number text, carrier text
) language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  return query
  select c.kind, c.session, c.participant, c.number, m.e164, m.carrier, t.settings, i.info,
      p.participant, p.role, h.party, coalesce(p.locale, t.default_locale), y.phone,
      k.party_key, k.wrapped, k.tenant_key_version, n.e164, n.number, n.carrier
    from calls c
    join tenants t on t.tenant = c.tenant
    join numbers m on m.tenant = c.tenant and m.number = c.number
    cross join lateral (
      select session_info(c.tenant, c.session, c.participant, (select h.party from participant_phones h
          where h.tenant = c.tenant and h.session = c.session and h.participant = c.participant
          order by h.position limit 1), c.call, c.number, platform_now()) as info offset 0
    ) i
    join participants p on p.tenant = c.tenant and p.session = c.session and p.left_at is null
      and p.participant <> c.participant
    join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
    join parties y on y.tenant = h.tenant and y.party = h.party
    join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
    join numbers n on n.tenant = p.tenant and n.number = p.number and n.enabled
    join carriers v on v.tenant = n.tenant and v.carrier = n.carrier and v.enabled
    where c.tenant = p_tenant and c.call = p_call and c.ended_at is null
    order by p.position, h.position;
end $$;

-- The gate. Locks each session, so that an end of it comes wholly before or wholly after: after `close` is
-- acknowledged no answer passes but what the session's `after_close` allows. Nor does one of a participant who has
-- left. Returns the calls that may be joined. p_participants: who answered; empty for a tenant's own number.
create or replace function answer_calls(p_tenants text[], p_calls text[], p_sessions text[], p_participants text[])
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
  v_now := platform_now();
  return query
  with alive as materialized (
    select a.tenant, a.call, a.session, nullif(a.participant, '') as participant
      from unnest(p_tenants, p_calls, p_sessions, p_participants) as a(tenant, call, session, participant)
      cross join lateral (
        select s.status, s.expires_at, s.idle_expires_at, s.after_until, s.after_close from sessions s
          where s.tenant = a.tenant and s.session = a.session offset 0
      ) s
      cross join lateral (
        select c.participant from calls c where c.tenant = a.tenant and c.call = a.call offset 0
      ) c
      left join lateral (
        select p.role, p.left_at from participants p
          where p.tenant = a.tenant and p.session = a.session and p.participant = c.participant offset 0
      ) x on true
      left join lateral (
        select p.role, p.left_at from participants p
          where p.tenant = a.tenant and p.session = a.session and p.participant = a.participant offset 0
      ) y on true
      where session_lives(s.status, s.expires_at, s.idle_expires_at, s.after_until, v_now)
        and x.left_at is null and y.left_at is null
        -- A block that was made while it rang.
        and (not exists (select from blocks k where k.tenant = a.tenant and k.lifted_at is null)
          or coalesce(a.participant, '') <> all (blocked_participants(a.tenant, (
            select h.party from participant_phones h where h.tenant = a.tenant and h.session = a.session
              and h.participant = c.participant order by h.position limit 1), a.session, v_now)))
        and (s.status = 'open' or s.after_close -> 'allow' @> jsonb_build_array(jsonb_build_object('from', x.role, 'to', y.role)))
  ), joined as (
    update calls c set status = 'answered', answered_at = v_now, callee = a.participant
      from alive a
      where c.tenant = a.tenant and c.call = a.call and c.session = a.session and c.status = 'ringing'
        and c.refusal is null and c.hangup_requested_at is null
      returning c.tenant, c.call, c.session, c.participant as caller, a.participant as callee
  ), used as (
    -- A running call is not idle: its end sets the time anew, and should that never come, its longest duration bounds it.
    update sessions s
      set idle_expires_at = v_now + make_interval(secs => s.idle_seconds
        + coalesce((x.settings ->> 'maxSeconds')::integer, 3600))
      from (select distinct j.tenant, j.session, t.settings from joined j join tenants t on t.tenant = j.tenant) x
      where s.tenant = x.tenant and s.session = x.session and s.idle_seconds is not null and s.status = 'open'
  ), told as (
    insert into ledger (tenant, entry, kind, actor, session, subject, details)
      select j.tenant, new_id('led_'), 'connection', 'switch', j.session, j.call,
          jsonb_strip_nulls(jsonb_build_object('caller', j.caller, 'callee', j.callee))
        from joined j
  )
  select j.tenant, j.call from joined j;
end $$;

-- The end of calls, as the switch reports them: [{tenant, call, outcome, hangupBy, hangupCause, endedAt (milliseconds),
-- legs: [{participant, number, carrier, direction, sipStatus, startedAt, answeredAt, endedAt, quality}], explanation?,
-- survey?}]. A call that has ended keeps its first end.
create or replace function end_calls(p_ends jsonb) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
declare
  v_ended jsonb;
begin
  with closed as (
    update calls c
      set status = 'ended', outcome = e.outcome, hangup_by = e."hangupBy", hangup_cause = e."hangupCause",
          ended_at = greatest(to_timestamp(e."endedAt" / 1000), c.started_at),
          explanation = e.explanation, survey = e.survey,
          refusal = coalesce(c.refusal, case when e.outcome = 'refused' then e."hangupCause" end)
      from jsonb_to_recordset(p_ends) as e(tenant text, call text, outcome text, "hangupBy" text, "hangupCause" text,
        "endedAt" double precision, legs jsonb, explanation jsonb, survey jsonb)
      where c.tenant = e.tenant and c.call = e.call and c.status <> 'ended'
      returning c.tenant, c.call, c.session, c.answered_at, e.legs, e.survey
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
  ), surveyed as (
    insert into events (tenant, event, at, kind, session, subject, data)
      select c.tenant, new_id('evt_'), platform_now(), 'call.survey', c.session, c.call, c.survey
        from closed c where c.survey is not null
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
              and s.idle_seconds is not null and s.status = 'open' and s.idle_expires_at > platform_now()
            for no key update of s skip locked
        ) s
    )
    update sessions s set idle_expires_at = platform_now() + make_interval(secs => s.idle_seconds)
      from busy b where s.tenant = b.tenant and s.session = b.session;
  end if;
end $$;

-- Running calls of a node that should end, should a notice have been lost: their session is over (or was closed after
-- they began), somebody of them has left it, or a hang-up was asked for.
create function calls_to_end(p_node text, p_boot text) returns table (tenant text, call text, ongoing_calls text)
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz := platform_now();
begin
  return query
  select c.tenant, c.call,
      case when c.hangup_requested_at is not null or x.left_at is not null or y.left_at is not null then 'hangup'
        else coalesce(s.ongoing_calls, 'finish') end
    from calls c
    left join sessions s on s.tenant = c.tenant and s.session = c.session
    left join participants x on x.tenant = c.tenant and x.session = c.session and x.participant = c.participant
    left join participants y on y.tenant = c.tenant and y.session = c.session and y.participant = c.callee
    where c.node = p_node and c.boot = p_boot and c.ended_at is null
      -- Who is refused hears why, to the end.
      and (c.hangup_requested_at is not null or (c.refusal is null and (x.left_at is not null or y.left_at is not null
        or (c.session is not null and (s.session is null
          or not session_lives(s.status, s.expires_at, s.idle_expires_at, s.after_until, v_now)
          or (s.status <> 'open' and c.started_at < s.closed_at))))));
end $$;

-- Asks for the end of a call, on whichever node it is. Null: there is none; else whether it still runs.
create function request_hangup(p_tenant text, p_call text, p_actor text) returns boolean language plpgsql as $$
declare
  v_status text;
  v_session text;
begin
  select c.status, c.session into v_status, v_session from calls c where c.tenant = p_tenant and c.call = p_call for no key update;
  if not found then
    return null;
  end if;
  if v_status = 'ended' then
    return false;
  end if;
  update calls c set hangup_requested_at = coalesce(c.hangup_requested_at, platform_now())
    where c.tenant = p_tenant and c.call = p_call;
  insert into ledger (tenant, entry, kind, actor, session, subject)
    values (p_tenant, new_id('led_'), 'call.hangup-requested', p_actor, v_session, p_call);
  perform pg_notify('samar_calls', json_build_object('tenant', p_tenant, 'call', p_call)::text);
  return true;
end $$;
