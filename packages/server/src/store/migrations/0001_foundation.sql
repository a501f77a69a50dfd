-- The foundation. Every key begins with the tenant, so that tenants can be distributed over servers.
-- Identifiers are text with a prefix (ses_, par_, …), made by the application, sortable by time of making.
-- No column holds a phone number or a name of a person in clear; virtual numbers are the business's own.
--
-- Foreign keys stand between the things that people administer. Between rows that one function writes together in
-- one transaction (a session, its participants, phones and bindings; a call and its legs) and towards `tenants`
-- there are none: each costs a look-up and a row lock an insert, and all of a tenant's writers would meet on one row.

create table tenants (
  tenant          text primary key,
  name            text not null,
  -- What callers hear who belong to no session, and participants without a locale.
  default_locale  text not null default 'en',
  settings        jsonb not null default '{}',
  created_at      timestamptz not null default now()
);
-- `installation` keys what is looked up before a tenant is known; it can hold nothing else.
insert into tenants (tenant, name) values ('default', 'Default'), ('installation', 'Installation');

-- ------------------------------------------------------------------ vault
-- Master key (outside the database) wraps tenant keys; a tenant's `wrap` key wraps party keys.
-- `fingerprint` keys the blind index of phone numbers; `token` makes links and idempotency digests.
create table tenant_keys (
  tenant          text not null references tenants,
  purpose         text not null check (purpose in ('wrap', 'fingerprint', 'token')),
  version         integer not null,
  wrapped         bytea not null,
  master_version  integer not null,
  created_at      timestamptz not null default now(),
  primary key (tenant, purpose, version)
);

-- A party is one real phone number known to one tenant. Its fingerprint is null once it was erased.
create table parties (
  tenant          text not null,
  party           text not null,
  fingerprint     bytea,
  -- AES-256-GCM under party_keys (party, phone_key); additional data: tenant, table, column, party.
  phone           bytea,
  phone_key       text,
  country         text not null,
  created_at      timestamptz not null default now(),
  erased_at       timestamptz,
  primary key (tenant, party),
  unique (tenant, fingerprint)
);

-- A party's key ring. A new key can be added without reading an old one, which keeps opening a session at one
-- round trip. Deleting all of a party's rows makes everything encrypted for it unreadable.
create table party_keys (
  tenant              text not null,
  party               text not null,
  party_key           text not null,
  wrapped             bytea not null,
  tenant_key_version  integer not null,
  primary key (tenant, party, party_key)
);

-- ------------------------------------------------------------------ access
create table api_keys (
  tenant          text not null references tenants,
  api_key         text not null,
  name            text not null,
  secret_hash     bytea not null,
  scopes          text[] not null,
  created_at      timestamptz not null default now(),
  expires_at      timestamptz,
  revoked_at      timestamptz,
  last_used_at    timestamptz,
  primary key (tenant, api_key)
);

-- First writer wins. `answer` is null while the first request is still at work. The key is kept as a keyed digest
-- (clients put anything into keys), the answer sealed.
create table idempotency_keys (
  tenant          text not null,
  idempotency_key text not null,
  request_digest  bytea not null,
  status          integer,
  answer          bytea,
  -- The session that the request opened: written in the same transaction, so it is opened exactly once.
  session         text,
  created_at      timestamptz not null default now(),
  primary key (tenant, idempotency_key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- ------------------------------------------------------------------ carriers, pools, numbers
create table carriers (
  tenant          text not null references tenants,
  carrier         text not null,
  name            text not null,
  kind            text not null check (kind in ('sip')),
  host            text not null,
  port            integer,
  transport       text not null check (transport in ('udp', 'tcp', 'tls')),
  allowed_sources cidr[] not null,
  -- Sealed under the tenant's wrap key.
  auth            bytea,
  number_format   jsonb not null default '{}',
  enabled         boolean not null default true,
  created_at      timestamptz not null default now(),
  -- Kept for the history of numbers and calls.
  deleted_at      timestamptz,
  primary key (tenant, carrier),
  unique (tenant, name)
);

create table pools (
  tenant          text not null references tenants,
  pool            text not null,
  -- Seconds by role; `*` for every other role. Empty: agents 86,400, everyone else 2,592,000.
  cooldown        jsonb not null default '{}',
  exhaustion      text not null default 'refuse' check (exhaustion in ('refuse', 'reuse-oldest')),
  created_at      timestamptz not null default now(),
  primary key (tenant, pool)
);

create table numbers (
  tenant          text not null references tenants,
  number          text not null,
  e164            text not null,
  pool            text not null,
  carrier         text not null,
  country         text not null,
  capabilities    text[] not null default '{voice}',
  enabled         boolean not null default true,
  -- Order of use within the pool: allocation packs from the front, so that spare numbers stay spare. A number that
  -- becomes usable (enabled, moved into the pool, given a capability) goes to the end: see party_pools.
  ordinal         bigint generated always as identity,
  created_at      timestamptz not null default now(),
  -- Given back: no longer ours, kept for the history of sessions and calls.
  deleted_at      timestamptz,
  primary key (tenant, number),
  check (deleted_at is null or not enabled),
  foreign key (tenant, pool) references pools,
  foreign key (tenant, carrier) references carriers
);
create unique index numbers_e164 on numbers (tenant, e164) where deleted_at is null;
create index numbers_order on numbers (tenant, pool, ordinal) where enabled;
create index numbers_carrier on numbers (tenant, carrier);

-- Which tenant owns a called number; the only question that is asked before the tenant is known.
create table number_directory (
  e164            text primary key,
  tenant          text not null,
  number          text not null,
  -- Under the installation's key: tells that a participant's number is a virtual one without sending that in clear.
  fingerprint     bytea not null unique
);

-- ------------------------------------------------------------------ sessions
create table sessions (
  tenant          text not null,
  session         text not null,
  reference       text,
  pool            text not null,
  status          text not null default 'open' check (status in ('open', 'closed', 'expired')),
  recording       text not null default 'off' check (recording in ('off', 'announce', 'consent')),
  shared_number   boolean not null default false,
  created_at      timestamptz not null default now(),
  -- Alive means: status = 'open' and expires_at > now() and (idle_expires_at is null or idle_expires_at > now()).
  expires_at      timestamptz not null,
  idle_seconds    integer,
  idle_expires_at timestamptz,
  closed_at       timestamptz,
  close_reason    text,
  ongoing_calls   text check (ongoing_calls in ('finish', 'hangup')),
  metadata        jsonb not null default '{}',
  primary key (tenant, session)
) with (fillfactor = 85);
create index sessions_reference on sessions (tenant, reference) where reference is not null;
-- Not by tenant: the sweeper asks for whatever is due, of every tenant.
create index sessions_expiry on sessions (least(expires_at, coalesce(idle_expires_at, expires_at))) where status = 'open';

create table participants (
  tenant              text not null,
  session             text not null,
  participant         text not null,
  position            integer not null,
  role                text not null,
  locale              text,
  -- The participant's own virtual number for this session: what they dial and what they see.
  number              text not null,
  name                bytea,
  name_party          text,
  name_key            text,
  transparency_digest bytea not null,
  primary key (tenant, session, participant)
);
create index participants_number on participants (tenant, number, session);
create unique index participants_transparency on participants (tenant, transparency_digest);

create table participant_phones (
  tenant          text not null,
  session         text not null,
  participant     text not null,
  position        integer not null,
  party           text not null,
  primary key (tenant, session, participant, position)
);
create index participant_phones_party on participant_phones (tenant, party, session);

-- One row for every (party, virtual number) that ever met: the live session or the last one.
-- Law 1 is this primary key: a caller and a called number can never mean two sessions.
create table bindings (
  tenant          text not null,
  party           text not null,
  number          text not null,
  session         text not null,
  participant     text not null,
  bound_at        timestamptz not null default now(),
  -- Null while the session lives.
  released_at     timestamptz,
  -- End of the cooldown; infinity while the session lives.
  free_at         timestamptz not null default 'infinity',
  late_attempts   integer not null default 0,
  primary key (tenant, party, number),
  check ((released_at is null) = (free_at = 'infinity'))
) with (fillfactor = 85);
-- A party's numbers in the order in which it last saw them: the least recently seen is at the front.
create index bindings_seen on bindings (tenant, party, released_at) where released_at is not null;

-- A note that saves looking: every usable number of the pool with an ordinal up to `seen_through` has been seen by
-- the party. Written only every 64 ordinals; a missing row means 0. Nothing but speed depends on it.
create table party_pools (
  tenant          text not null,
  party           text not null,
  pool            text not null,
  seen_through    bigint not null,
  primary key (tenant, party, pool)
);

-- Law 1's second lock: a live binding is never handed to another session, whatever statement tries.
create function bindings_guard() returns trigger language plpgsql as $$
begin
  if old.released_at is null and (new.session, new.participant) is distinct from (old.session, old.participant) then
    raise exception 'binding is live' using errcode = 'SM001';
  end if;
  return new;
end $$;
create trigger bindings_guard before update on bindings for each row execute function bindings_guard();

-- ------------------------------------------------------------------ calls and recordings
-- A node is one running process; `boot` tells a restarted one from the one before it.
create table nodes (
  node            text primary key,
  boot            text not null,
  started_at      timestamptz not null default now(),
  seen_at         timestamptz not null default now()
);

create table calls (
  tenant          text not null,
  call            text not null,
  session         text,
  -- The participant who called; null when nobody was recognised.
  participant     text,
  number          text not null,
  node            text not null,
  boot            text not null,
  status          text not null default 'ringing' check (status in ('ringing', 'answered', 'ended')),
  -- What became of it: connected, busy, no-answer, unavailable, cancelled, refused, interrupted, failed.
  outcome         text,
  -- Why it was refused: not-connected, ended, closed, …
  refusal         text,
  hangup_by       text check (hangup_by in ('caller', 'callee', 'platform')),
  hangup_cause    text,
  started_at      timestamptz not null default now(),
  answered_at     timestamptz,
  ended_at        timestamptz,
  primary key (tenant, call)
) with (fillfactor = 80);
create index calls_session on calls (tenant, session, call);
-- Not by status: then every answer would write every index anew.
create index calls_live on calls (node, boot) where ended_at is null;

create table call_legs (
  tenant          text not null,
  call            text not null,
  position        integer not null,
  participant     text,
  number          text not null,
  carrier         text not null,
  direction       text not null check (direction in ('in', 'out')),
  sip_status      integer,
  started_at      timestamptz not null,
  answered_at     timestamptz,
  ended_at        timestamptz,
  -- Packets, loss, jitter, round trip; no address.
  quality         jsonb,
  primary key (tenant, call, position)
);

create table recordings (
  tenant          text not null,
  recording       text not null,
  call            text not null,
  session         text not null,
  status          text not null default 'recording' check (status in ('recording', 'complete', 'interrupted', 'failed', 'deleted')),
  -- Name of the file below the recordings directory: made from the id alone.
  file            text not null,
  -- The recording's data key, wrapped so that every party in `parties` must still have its key to open it.
  wrapped_key     bytea not null,
  parties         text[] not null,
  party_keys      text[] not null,
  -- Which announcement was heard: locale by side and version of the wording.
  announcement    jsonb not null default '{}',
  started_at      timestamptz not null default now(),
  ended_at        timestamptz,
  milliseconds    integer,
  bytes           bigint,
  sha256          text,
  primary key (tenant, recording),
  foreign key (tenant, call) references calls
);
create index recordings_call on recordings (tenant, call);
-- Asked across tenants, by the clean-up.
create index recordings_running on recordings (tenant, recording) where status = 'recording';

-- ------------------------------------------------------------------ ledger
-- Written in the transaction of what it tells of. A sealer gives each entry its place in the tenant's chain later,
-- so that writers never wait for one another: `sequence`, `previous` and `digest` are null until then.
create table ledger (
  tenant          text not null,
  entry           text not null,
  at              timestamptz not null default now(),
  kind            text not null,
  actor           text not null,
  party           text,
  session         text,
  subject         text,
  details         jsonb not null default '{}',
  sequence        bigint,
  previous        bytea,
  digest          bytea,
  primary key (tenant, entry)
);
create unique index ledger_chain on ledger (tenant, sequence) where sequence is not null;
create index ledger_unsealed on ledger (tenant, entry) where sequence is null;
create index ledger_session on ledger (tenant, session, entry);

-- The end of each tenant's chain: tells that its last entries were cut off.
create table ledger_heads (
  tenant          text primary key,
  sequence        bigint not null,
  digest          bytea not null
);
