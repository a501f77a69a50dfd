-- Events become an outbox with order, endpoints of a tenant hear of them, and calls tell of themselves.

-- ------------------------------------------------------------------ order
-- Events are written without a place, so that no writer waits for another, and get it afterwards from one publisher at
-- a time (decision 0016): a position among all events of the installation, and a number within their session. `written`
-- is drawn as they are written. What was written later by a transaction that had seen the earlier one (a session's
-- changes: they wait for its row lock) is so placed later, too.
alter table events add column written bigint generated always as identity;
alter table events add column sequence bigint;
alter table events add column session_order integer;
create index events_waiting on events (written) where sequence is null;
create unique index events_published on events (tenant, sequence) where sequence is not null;
-- What is asked for, of those that have their place: whoever writes an event pays for none of these, the publisher
-- does. Those without (of a second) are found by events_waiting.
drop index events_session, events_kind, events_age;
create index events_session on events (tenant, session, event) where sequence is not null and session is not null;
create index events_kind on events (tenant, kind, event) where sequence is not null;
create index events_age on events (at) where sequence is not null;
create sequence event_sequence;

create table event_orders (
  tenant          text not null,
  session         text not null,
  last            integer not null,
  primary key (tenant, session)
) with (fillfactor = 80);

create function forget_event_order() returns trigger language plpgsql as $$
begin
  delete from event_orders o where o.tenant = old.tenant and o.session = old.session;
  return null;
end $$;
create trigger sessions_event_order after delete on sessions for each row execute function forget_event_order();

-- ------------------------------------------------------------------ endpoints and deliveries
create table webhook_endpoints (
  tenant          text not null,
  endpoint        text not null,
  url             text not null,
  description     text,
  -- `session.closed`, `session.*` or `*`.
  kinds           text[] not null,
  enabled         boolean not null default true,
  disabled_because text check (disabled_because in ('gone', 'failing')),
  -- Sealed: the secret, the one before it, and the private key.
  keys            bytea not null,
  -- Until then the secret before signs, too.
  previous_until  timestamptz,
  public_key      text not null,
  created_at      timestamptz not null,
  last_delivered_at timestamptz,
  -- The first failure since something was delivered.
  failing_since   timestamptz,
  -- It asked for patience (Retry-After).
  held_until      timestamptz,
  dead_told_at    timestamptz,
  -- Its deliveries go in batches, and then the row.
  deleted_at      timestamptz,
  primary key (tenant, endpoint)
);
-- Asked across tenants, by whoever delivers.
create index webhook_endpoints_enabled on webhook_endpoints (tenant, endpoint) where enabled and deleted_at is null;

create table webhook_deliveries (
  tenant          text not null,
  endpoint        text not null,
  event           text not null,
  kind            text not null,
  session         text,
  -- The event's; what is older goes first.
  sequence        bigint not null,
  status          text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts        smallint not null default 0,
  -- When it may be tried.
  next_at         timestamptz not null,
  last_answer     text,
  at              timestamptz not null,
  primary key (tenant, endpoint, event)
) with (fillfactor = 80);
create index webhook_deliveries_due on webhook_deliveries (tenant, endpoint, next_at, sequence) where status = 'pending';
create index webhook_deliveries_first on webhook_deliveries (tenant, endpoint, session, sequence)
  where status = 'pending' and attempts = 0 and session is not null;
create index webhook_deliveries_dead on webhook_deliveries (tenant, endpoint, event) where status = 'dead';

create function kind_matches(p_kinds text[], p_kind text) returns boolean language sql immutable as $$
  select p_kinds && array[p_kind, split_part(p_kind, '.', 1) || '.*', '*']
$$;

-- What an endpoint hears: not its own test (which is sent by whoever asked for it), nor of its own death.
create function endpoint_hears(p_endpoint text, p_kinds text[], p_kind text, p_subject text) returns boolean
language sql immutable as $$
  select kind_matches(p_kinds, p_kind) and p_kind <> 'webhook.test'
    and (p_subject is distinct from p_endpoint or p_kind not in ('webhook.dead', 'webhook.disabled'))
$$;

-- Gives events their place and makes deliveries of them, in one transaction: each event once for each endpoint. Returns
-- how many; -1 while somebody else is at it.
create function publish_events(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_count integer;
  v_now timestamptz := platform_now();
begin
  if not pg_try_advisory_xact_lock(5072936580214102) then
    return -1;
  end if;
  with batch as materialized (
    select x.*, nextval('event_sequence') as sequence from (
      select e.tenant, e.event, e.session, e.kind, e.subject, e.written from events e where e.sequence is null
        order by e.written limit p_limit
    ) x
  ), numbered as materialized (
    -- Nobody else moves them: only whoever has the lock above.
    select b.tenant, b.event, b.session, b.sequence,
        coalesce((select o.last from event_orders o where o.tenant = b.tenant and o.session = b.session), 0)
          + row_number() over (partition by b.tenant, b.session order by b.written) as session_order
      from batch b
  ), heads as (
    insert into event_orders as o (tenant, session, last)
      select n.tenant, n.session, max(n.session_order) from numbered n where n.session is not null
        group by n.tenant, n.session order by n.tenant, n.session
      on conflict (tenant, session) do update set last = excluded.last
  ), placed as (
    update events e set sequence = n.sequence, session_order = case when n.session is not null then n.session_order end
      from numbered n where e.tenant = n.tenant and e.event = n.event
  ), sent as (
    -- Nothing is lost by our own turning it off: that is dead, and can be replayed.
    insert into webhook_deliveries (tenant, endpoint, event, kind, session, sequence, next_at, at, status, last_answer)
      select b.tenant, w.endpoint, b.event, b.kind, b.session, b.sequence, v_now, v_now,
          case when w.enabled then 'pending' else 'dead' end, case when not w.enabled then 'disabled' end
        from batch b
        join webhook_endpoints w on w.tenant = b.tenant and w.deleted_at is null
          and (w.enabled or w.disabled_because is not null)
          and endpoint_hears(w.endpoint, w.kinds, b.kind, b.subject)
      on conflict do nothing
  )
  select count(*)::integer into v_count from batch;
  if v_count > 0 then
    perform pg_notify('samar_events', '');
  end if;
  return v_count;
end $$;

-- What nodes have in their hands: nobody else takes it before the lease is over. One row a node and endpoint, written
-- anew with each claim, so that a delivery's own row is written only when something came of it. A node that starts
-- again is another one.
create table webhook_holds (
  tenant          text not null,
  endpoint        text not null,
  node            text not null,
  until           timestamptz not null,
  sequences       bigint[] not null,
  primary key (tenant, endpoint, node)
) with (fillfactor = 50);

-- Takes what is due, for a node. p_hands: the endpoints of which it has something, each with the room that is left and
-- with what it has; of any other it takes p_each. Of one session an endpoint gets the next event after the one before
-- has been tried.
create function claim_deliveries(
  p_node text, p_hands jsonb, p_each integer, p_limit integer, p_lease double precision
) returns table (
  tenant text, endpoint text, url text, keys bytea, previous boolean, attempts smallint, event text, kind text,
  at timestamptz, session text, session_order integer, subject text, data jsonb, sequence text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz := platform_now();
  v_one record;
  v_held bigint[];
  v_room integer := p_limit;
  v_count integer;
begin
  -- Nobody waits for the disk: a claim that a power cut takes back is made again.
  perform set_config('synchronous_commit', 'off', true);
  -- One node at a time looks at an endpoint; each look begins after the lock, so it sees what the last one took.
  for v_one in
    select w.tenant, w.endpoint, w.url, w.keys, coalesce(w.previous_until > v_now, false) as previous,
        coalesce(h.room, p_each) as room, coalesce(h.held, '{}') as held
      from webhook_endpoints w
      left join jsonb_to_recordset(p_hands) as h(endpoint text, room integer, held bigint[]) on h.endpoint = w.endpoint
      where w.enabled and w.deleted_at is null and coalesce(h.room, p_each) > 0
        and (w.held_until is null or w.held_until <= v_now)
        and exists (select from webhook_deliveries d
          where d.tenant = w.tenant and d.endpoint = w.endpoint and d.status = 'pending' and d.next_at <= v_now)
      order by random() for no key update of w skip locked
  loop
    v_held := v_one.held || array(select unnest(o.sequences) from webhook_holds o
      where o.tenant = v_one.tenant and o.endpoint = v_one.endpoint and o.node <> p_node and o.until > v_now);
    return query
      with due as materialized (
        select d.event, d.sequence, d.attempts from webhook_deliveries d
          where d.tenant = v_one.tenant and d.endpoint = v_one.endpoint and d.status = 'pending' and d.next_at <= v_now
            and d.sequence <> all (v_held)
            and (d.session is null or d.attempts > 0 or not exists (
              select from webhook_deliveries f
                where f.tenant = d.tenant and f.endpoint = d.endpoint and f.session = d.session
                  and f.sequence < d.sequence and f.status = 'pending' and f.attempts = 0 and f.session is not null))
          order by d.next_at, d.sequence limit least(v_one.room, v_room)
      ), kept as (
        insert into webhook_holds as o (tenant, endpoint, node, until, sequences)
          select v_one.tenant, v_one.endpoint, p_node, v_now + make_interval(secs => p_lease),
              v_one.held || array(select x.sequence from due x)
            where exists (select from due)
          on conflict on constraint webhook_holds_pkey
            do update set until = excluded.until, sequences = excluded.sequences
      )
      select v_one.tenant, v_one.endpoint, v_one.url, v_one.keys, v_one.previous, x.attempts, e.event, e.kind, e.at,
          e.session, e.session_order, e.subject, e.data, x.sequence::text
        from due x join events e on e.tenant = v_one.tenant and e.event = x.event
        order by x.sequence;
    get diagnostics v_count = row_count;
    v_room := v_room - v_count;
    exit when v_room <= 0;
  end loop;
end $$;

-- What became of attempts. p_delays: seconds until the next one; null: there is none. p_holds: seconds for which the
-- endpoint wants no other either; null: it doesn't say. p_gone: it answered 410.
create function finish_deliveries(
  p_tenants text[], p_endpoints text[], p_events text[], p_delivered boolean[], p_answers text[],
  p_delays double precision[], p_holds double precision[], p_gone boolean[]
) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := platform_now();
  v_one record;
  v_endpoint webhook_endpoints%rowtype;
  v_reason text;
begin
  -- As above: what a power cut takes back is delivered again.
  perform set_config('synchronous_commit', 'off', true);
  update webhook_deliveries d
    set attempts = least(d.attempts + 1, 32000), last_answer = x.answer,
        status = case when x.delivered then 'delivered' when x.delay is null then 'dead' else 'pending' end,
        next_at = v_now + make_interval(secs => coalesce(x.delay, 0))
    from unnest(p_tenants, p_endpoints, p_events, p_delivered, p_answers, p_delays)
      as x(tenant, endpoint, event, delivered, answer, delay)
    where d.tenant = x.tenant and d.endpoint = x.endpoint and d.event = x.event and d.status = 'pending';
  for v_one in
    select x.tenant, x.endpoint, bool_or(x.delivered) as delivered, bool_and(x.delivered) as well, bool_or(x.gone) as gone,
        max(x.hold) as hold, max(x.event) filter (where x.delay is null and not x.delivered) as dead
      from unnest(p_tenants, p_endpoints, p_events, p_delivered, p_delays, p_holds, p_gone)
        as x(tenant, endpoint, event, delivered, delay, hold, gone)
      group by x.tenant, x.endpoint order by x.tenant, x.endpoint
  loop
    -- Most of the time nothing of the endpoint's own changes: then its row is only looked at.
    select w.* into v_endpoint from webhook_endpoints w where w.tenant = v_one.tenant and w.endpoint = v_one.endpoint;
    continue when not found or v_one.well and v_endpoint.failing_since is null
      and v_endpoint.last_delivered_at > v_now - interval '1 second';
    select w.* into v_endpoint from webhook_endpoints w
      where w.tenant = v_one.tenant and w.endpoint = v_one.endpoint for no key update;
    v_reason := case when not v_endpoint.enabled then null when v_one.gone then 'gone'
      when not v_one.delivered and v_endpoint.failing_since < v_now - interval '5 days' then 'failing' end;
    update webhook_endpoints w
      set last_delivered_at = case when v_one.delivered then v_now else w.last_delivered_at end,
          failing_since = case when v_one.delivered then null else coalesce(w.failing_since, v_now) end,
          held_until = case when v_one.hold is null then w.held_until else v_now + make_interval(secs => v_one.hold) end,
          dead_told_at = case when v_one.dead is not null and coalesce(w.dead_told_at < v_now - interval '1 hour', true)
            then v_now else w.dead_told_at end,
          enabled = w.enabled and v_reason is null,
          disabled_because = coalesce(v_reason, w.disabled_because)
      where w.tenant = v_one.tenant and w.endpoint = v_one.endpoint;
    if v_one.dead is not null and coalesce(v_endpoint.dead_told_at < v_now - interval '1 hour', true) then
      perform emit_event(v_one.tenant, 'webhook.dead', null, v_one.endpoint,
        jsonb_build_object('endpoint', v_one.endpoint, 'event', v_one.dead));
    end if;
    if v_reason is not null then
      insert into ledger (tenant, entry, kind, actor, subject, details)
        values (v_one.tenant, new_id('led_'), 'webhook.changed', 'platform', v_one.endpoint,
          jsonb_build_object('fields', jsonb_build_array('enabled'), 'disabledBecause', v_reason));
      perform emit_event(v_one.tenant, 'webhook.disabled', null, v_one.endpoint,
        jsonb_build_object('endpoint', v_one.endpoint, 'because', v_reason));
    end if;
  end loop;
end $$;

-- What waits for an endpoint that the platform has turned off is dead. Returns how many.
create function bury_deliveries(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_count integer;
begin
  with lost as materialized (
    select d.tenant, d.endpoint, d.event from webhook_endpoints w
      join webhook_deliveries d on d.tenant = w.tenant and d.endpoint = w.endpoint and d.status = 'pending'
      where w.disabled_because is not null and not w.enabled and w.deleted_at is null
      limit p_limit for no key update of d skip locked
  )
  update webhook_deliveries d set status = 'dead', last_answer = coalesce(d.last_answer, 'disabled')
    from lost l where d.tenant = l.tenant and d.endpoint = l.endpoint and d.event = l.event;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- Deliveries of endpoints that were deleted, and then these themselves. Returns how many deliveries went.
create function forget_endpoints(p_limit integer) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_count integer;
begin
  with gone as materialized (
    select d.tenant, d.endpoint, d.event from webhook_endpoints w
      join webhook_deliveries d on d.tenant = w.tenant and d.endpoint = w.endpoint
      where w.deleted_at is not null limit p_limit for update of d skip locked
  )
  delete from webhook_deliveries d using gone g
    where d.tenant = g.tenant and d.endpoint = g.endpoint and d.event = g.event;
  get diagnostics v_count = row_count;
  delete from webhook_holds h where h.until < platform_now() - interval '1 hour';
  if v_count = 0 then
    delete from webhook_endpoints w where w.deleted_at is not null
      and not exists (select from webhook_deliveries d where d.tenant = w.tenant and d.endpoint = w.endpoint);
  end if;
  return v_count;
end $$;

-- Events are kept for 30 days, and their deliveries with them. Returns how many events went.
create or replace function forget_events(p_limit integer, p_now timestamptz) returns integer language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_count integer;
begin
  with old as materialized (
    select d.tenant, d.event from events d where d.at < p_now - interval '30 days' and d.sequence is not null
      order by d.at limit p_limit for update skip locked
  ), deliveries as (
    delete from webhook_deliveries d using old o, webhook_endpoints w
      where w.tenant = o.tenant and d.tenant = o.tenant and d.endpoint = w.endpoint and d.event = o.event
  )
  delete from events e using old o where e.tenant = o.tenant and e.event = o.event;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- ------------------------------------------------------------------ what calls tell
-- `milliseconds`: how long they talked.
create function call_end_data(
  p_call text, p_outcome text, p_answered_at timestamptz, p_ended_at timestamptz, p_caller text, p_callee text
) returns jsonb language sql immutable as $$
  select jsonb_build_object('call', p_call, 'outcome', p_outcome,
    'milliseconds', coalesce(greatest(round(extract(epoch from p_ended_at - p_answered_at) * 1000), 0), 0)::bigint,
    'participants', array_remove(array[p_caller, p_callee], null))
$$;

-- As in 0010, and tells of it.
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
  ), spoken as (
    insert into events (tenant, event, at, kind, session, subject, data)
      select j.tenant, new_id('evt_'), v_now, 'call.answered', j.session, j.call,
          jsonb_build_object('call', j.call, 'participants', array_remove(array[j.caller, j.callee], null))
        from joined j
  )
  select j.tenant, j.call from joined j;
end $$;

-- As in 0010, and tells of it.
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
      returning c.tenant, c.call, c.session, c.answered_at, c.ended_at, c.outcome, c.participant, c.callee, e.legs, e.survey
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
  ), told as (
    insert into events (tenant, event, at, kind, session, subject, data)
      select c.tenant, new_id('evt_'), c.ended_at, 'call.ended', c.session, c.call,
          call_end_data(c.call, c.outcome, c.answered_at, c.ended_at, c.participant, c.callee)
        from closed c where c.session is not null
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

-- As in 0003, and tells of it.
create or replace function interrupt_calls(p_node text, p_boot text, p_silent_seconds double precision, p_limit integer)
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
      returning c.tenant, c.call, c.session, c.answered_at, c.ended_at, c.outcome, c.participant, c.callee
  ), cut as (
    update recordings r set status = 'interrupted', ended_at = now()
      from closed c where r.tenant = c.tenant and r.call = c.call and r.status = 'recording'
  ), told as (
    insert into events (tenant, event, at, kind, session, subject, data)
      select c.tenant, new_id('evt_'), c.ended_at, 'call.ended', c.session, c.call,
          call_end_data(c.call, c.outcome, c.answered_at, c.ended_at, c.participant, c.callee)
        from closed c where c.session is not null
  )
  select count(*) into v_count from closed;
  return v_count;
end $$;

-- ------------------------------------------------------------------ what was missing
-- As in 0009, and tells of it.
create or replace function create_claim(
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
  perform emit_event(p_tenant, 'claim.created', p_session, p_participant,
    jsonb_build_object('participant', p_participant));
  return query select null::text, v_code, n.e164, v_expires from numbers n
    where n.tenant = p_tenant and n.number = v_person.number;
end $$;

-- As in 0009; the event names the session in which the block was made.
create or replace function create_block(
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
  v_session text;
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
      v_session := coalesce(v_session, v_person.session);
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
  perform emit_event(p_tenant, 'party.blocked', v_session, p_block, jsonb_strip_nulls(jsonb_build_object(
    'block', p_block, 'everybody', p_everybody, 'expiresAt', p_expires_at)));
  perform end_blocked_calls(p_tenant, v_one, v_other, p_now);
  return query select null::text, null::integer;
end $$;
