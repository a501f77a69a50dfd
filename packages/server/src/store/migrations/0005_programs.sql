-- What programs, schedules, hand-overs, PINs, blocks and events need of the tables. Functions follow in the next files.

-- ------------------------------------------------------------------ programs
-- A named program of a tenant; every save is a new version, and none is ever changed.
create table programs (
  tenant          text not null references tenants,
  program         text not null,
  name            text not null,
  -- The newest one.
  version         integer not null default 1,
  -- Used by sessions that name none.
  is_default      boolean not null default false,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  deleted_at      timestamptz,
  primary key (tenant, program)
);
create unique index programs_name on programs (tenant, name) where deleted_at is null;
create unique index programs_default on programs (tenant) where is_default and deleted_at is null;

create table program_versions (
  tenant          text not null,
  program         text not null,
  version         integer not null,
  definition      jsonb not null,
  created_at      timestamptz not null default now(),
  actor           text not null,
  primary key (tenant, program, version)
);

-- Explanations and caches rely on it: what a version said, it says for good.
create function program_versions_guard() returns trigger language plpgsql as $$
begin
  raise exception 'a version of a program is never changed' using errcode = 'SM003';
end $$;
create trigger program_versions_guard before update on program_versions
  for each row execute function program_versions_guard();

-- A tenant's own numbers that a program may forward to (support, a switchboard). Sealed like carriers' credentials.
create table destinations (
  tenant          text not null references tenants,
  destination     text not null,
  phone           bytea not null,
  country         text not null,
  created_at      timestamptz not null default now(),
  primary key (tenant, destination)
);

-- ------------------------------------------------------------------ sessions and participants
alter table sessions
  -- Nothing connects before. Null: from the start.
  add column opens_at timestamptz,
  -- A named program; its newest version unless one is pinned. Null: the one in `rules`, else the tenant's default.
  add column program text,
  add column program_version integer,
  -- What only `decide` reads: program, schedule, limits, whisper, accept, survey, … Null for a plain session.
  add column rules jsonb,
  -- What a close does to running calls unless it says otherwise itself.
  add column running_calls text not null default 'finish' check (running_calls in ('finish', 'warn', 'hangup')),
  -- {seconds, allow: [{from, to}], reasons?}: who may still call whom after the close, by role.
  add column after_close jsonb,
  -- The session is closed, its bindings are still held until then. Null again once they are released.
  add column after_until timestamptz,
  -- The session with an open side that this one came from.
  add column parent text;
alter table sessions drop constraint sessions_ongoing_calls_check;
alter table sessions add constraint sessions_ongoing_calls_check check (ongoing_calls in ('finish', 'warn', 'hangup'));
create index sessions_after on sessions (after_until) where after_until is not null;
-- Live sessions by program: asked when a program or a destination is to be deleted.
create index sessions_program on sessions (tenant, program)
  where program is not null and (status = 'open' or after_until is not null);
create index sessions_parent on sessions (tenant, parent) where parent is not null;

alter table participants
  add column joined_at timestamptz not null default now(),
  -- Replaced or removed: this person's period is over and sealed.
  add column left_at timestamptz,
  add column leave_reason text check (leave_reason in ('replaced', 'removed')),
  -- Whose place in the session this participant took.
  add column successor_of text,
  add column time_zone text,
  -- May this participant start a call? (One-way masks.)
  add column may_start boolean not null default true,
  -- `number`: dials a virtual number of their own. `app`: by click-to-call; sees the pool's display number.
  add column reach text not null default 'number' check (reach in ('number', 'app')),
  -- A place for whoever calls: has no phones; each caller gets a session of their own.
  add column is_open boolean not null default false,
  -- The code is made from the participant's id and this index; null without a code.
  add column pin_index smallint;

-- ------------------------------------------------------------------ numbers, pools, bindings
alter table numbers
  -- `reserved`: only given to who asks for it by name. `display`: shown for participants who are reached by app.
  add column use text not null default 'pool' check (use in ('pool', 'reserved', 'display')),
  -- No new sessions; live ones go on. Removed by itself after the last when `remove_when_idle`.
  add column draining boolean not null default false,
  add column remove_when_idle boolean not null default false,
  -- No new sessions until then.
  add column quarantined_until timestamptz,
  -- Digits after the country code that participants nearby share, for `match`.
  add column area text,
  -- The session whose open side this number is.
  add column open_session text;
drop index numbers_order;
create index numbers_order on numbers (tenant, pool, ordinal)
  where enabled and use = 'pool' and not draining and open_session is null;

alter table pools drop constraint pools_exhaustion_check;
alter table pools
  add constraint pools_exhaustion_check check (exhaustion in ('refuse', 'reuse-oldest', 'disambiguate', 'pin')),
  -- Whether a number must, or should, be of the participant's country or area.
  add column match text not null default 'any' check (match in ('any', 'prefer-country', 'country', 'prefer-area', 'area')),
  -- Parties start at different places of the pool, so that no number carries most of the calls.
  add column spread boolean not null default false,
  -- Sessions that a number takes in 24 hours (UTC day), before others are tried. Null: any.
  add column load_limit integer check (load_limit > 0);

create table number_days (
  tenant          text not null,
  number          text not null,
  day             date not null,
  sessions        integer not null,
  primary key (tenant, number, day)
);

-- Several live sessions of one party on one number have a slot each: the caller then chooses by menu or code, and
-- nobody is connected without that. Slot 0 is the only one everywhere else.
alter table bindings add column slot integer not null default 0;
alter table bindings drop constraint bindings_pkey;
alter table bindings add primary key (tenant, party, number, slot);

-- Live codes. `digest` is keyed by the tenant; a code means one participant of one session on its number.
create table pins (
  tenant          text not null,
  number          text not null,
  digest          bytea not null,
  session         text not null,
  participant     text not null,
  -- `claim`: entering it adds the caller's phone to the participant, once.
  kind            text not null default 'session' check (kind in ('session', 'claim')),
  expires_at      timestamptz,
  primary key (tenant, number, digest)
);
create index pins_session on pins (tenant, session);

-- Wrong codes by day, of a virtual number and of a caller.
create table pin_failures (
  tenant          text not null,
  -- `num_…`, or the hexadecimal fingerprint of the caller's number.
  subject         text not null,
  day             date not null,
  wrong           integer not null,
  primary key (tenant, subject, day)
);

-- ------------------------------------------------------------------ blocks
-- `party` may not reach `counterpart`, in no session; a null counterpart stands for everybody. Both directions.
create table blocks (
  tenant          text not null,
  block           text not null,
  party           text not null,
  counterpart     text,
  reason          text not null,
  actor           text not null,
  created_at      timestamptz not null default now(),
  expires_at      timestamptz,
  lifted_at       timestamptz,
  primary key (tenant, block)
);
create index blocks_party on blocks (tenant, party) where lifted_at is null;
create index blocks_counterpart on blocks (tenant, counterpart) where lifted_at is null and counterpart is not null;

-- ------------------------------------------------------------------ calls
alter table calls
  add column kind text not null default 'inbound' check (kind in ('inbound', 'click-to-call')),
  -- Which rule fired and what happened: ids and our own words, no numbers.
  add column explanation jsonb,
  -- {participant, digit}
  add column survey jsonb,
  add column hangup_requested_at timestamptz;
create index calls_hangup on calls (node, boot) where hangup_requested_at is not null and ended_at is null;

alter table recordings
  add column kind text not null default 'talk' check (kind in ('talk', 'voicemail'));

-- Whom a voicemail is for. Sealed with the addressee's period: whoever takes their place doesn't hear it.
create table voicemails (
  tenant          text not null,
  participant     text not null,
  recording       text not null,
  left_at         timestamptz not null,
  heard_at        timestamptz,
  primary key (tenant, participant, recording)
);
create index voicemails_waiting on voicemails (tenant, participant) where heard_at is null;

-- `untrusted`: the caller's number it sends is not believed; such callers prove themselves by a code.
alter table carriers add column caller_trust text not null default 'trusted'
  check (caller_trust in ('trusted', 'untrusted'));

-- ------------------------------------------------------------------ events
-- What happened, for the tenant's own systems: written in the transaction of the change. Ids only, no personal data.
create table events (
  tenant          text not null,
  event           text not null,
  at              timestamptz not null default now(),
  kind            text not null,
  session         text,
  subject         text,
  data            jsonb not null default '{}',
  primary key (tenant, event)
);
create index events_session on events (tenant, session, event) where session is not null;
create index events_age on events (at);

-- ------------------------------------------------------------------ time
-- The platform's clock within the database. `samar.now` stands in for it in simulations and tests, where one
-- connection sets it for itself; nothing else sets it.
create function platform_now() returns timestamptz language sql volatile as $$
  select coalesce(nullif(current_setting('samar.now', true), '')::timestamptz, clock_timestamp())
$$;

create function emit_event(p_tenant text, p_kind text, p_session text, p_subject text, p_data jsonb) returns void
language sql volatile as $$
  insert into events (tenant, event, kind, session, subject, data, at)
    values (p_tenant, new_id('evt_'), p_kind, p_session, p_subject, coalesce(p_data, '{}'), platform_now())
$$;
