-- The people of the business who use the console. Their addresses and names are the business's own staff's; of what
-- they prove themselves with only digests, public keys and sealed secrets are kept. Times are platform_now().

create table users (
  tenant          text not null,
  usr             text not null,
  -- Normalised: lower-case.
  email           text not null,
  name            text not null,
  role            text not null check (role in ('admin', 'operator', 'investigator', 'auditor')),
  locale          text not null check (locale in ('en', 'id')),
  -- argon2id with its parameters and salt; null until the invitation is accepted.
  password_hash   text,
  created_at      timestamptz not null,
  disabled_at     timestamptz,
  last_login_at   timestamptz,
  primary key (tenant, usr)
);
create index users_admins on users (tenant) where role = 'admin' and disabled_at is null;

-- Whose an e-mail address or a passkey is: the only question that is asked before the tenant is known. `name` is the
-- SHA-256 of what is looked up, so an address is unique in the whole installation.
create table login_directory (
  name            bytea primary key,
  tenant          text not null,
  usr             text not null
);

create table user_totp (
  tenant          text not null,
  usr             text not null,
  -- Sealed.
  secret          bytea not null,
  -- Null: begun, not yet shown to work.
  confirmed_at    timestamptz,
  -- The last step of 30 seconds whose code was used: no code is taken twice, and none from before.
  step            bigint not null default 0,
  primary key (tenant, usr)
);

create table user_recovery_codes (
  tenant          text not null,
  usr             text not null,
  -- HMAC under the tenant's `token` key.
  digest          bytea not null,
  primary key (tenant, usr, digest)
);

create table user_passkeys (
  tenant          text not null,
  usr             text not null,
  passkey         text not null,
  name            text not null,
  credential      bytea not null,
  -- COSE.
  public_key      bytea not null,
  -- What the authenticator counted; 0 with most.
  counter         bigint not null,
  transports      text[] not null,
  created_at      timestamptz not null,
  last_used_at    timestamptz,
  primary key (tenant, usr, passkey)
);

-- Of tokens only the SHA-256 digest is kept: invitations, sessions of the console, tickets between two steps.
create table user_invitations (
  tenant          text not null,
  digest          bytea not null,
  usr             text not null,
  second_factor   boolean not null,
  expires_at      timestamptz not null,
  primary key (tenant, digest)
);
create index user_invitations_user on user_invitations (tenant, usr);

create table user_sessions (
  tenant          text not null,
  digest          bytea not null,
  usr             text not null,
  created_at      timestamptz not null,
  seen_at         timestamptz not null,
  expires_at      timestamptz not null,
  primary key (tenant, digest)
);
create index user_sessions_user on user_sessions (tenant, usr, created_at);

-- A log-in between two steps, so that any node can finish it. `installation` has those of passkeys whose user is not
-- known yet.
create table login_tickets (
  tenant          text not null,
  digest          bytea not null,
  purpose         text not null check (purpose in ('second-factor', 'passkey', 'registration')),
  usr             text,
  challenge       text,
  wrong           integer not null default 0,
  expires_at      timestamptz not null,
  primary key (tenant, digest)
);
create index login_tickets_age on login_tickets (expires_at);

-- Wrong attempts by account and by address, keyed digests of both: neither can be read out of it.
create table login_attempts (
  subject         bytea primary key,
  at              timestamptz[] not null,
  last_at         timestamptz not null
);
create index login_attempts_age on login_attempts (last_at);

-- An attempt counts as wrong from its beginning, so that many at once can't outrun the count; whoever is right takes
-- it back. `wait`: seconds until the next may be made, 0: this one may. `full`: it is the last one, if it is wrong.
create function begin_login_attempt(p_subjects bytea[], p_limit integer, p_seconds integer, p_rows integer)
returns table (wait integer, "full" boolean, at text) language plpgsql as $$
declare
  v_now timestamptz := platform_now();
  v_window interval := p_seconds * interval '1 second';
  v_wait integer;
  v_full boolean;
begin
  -- In one order everywhere: two attempts never wait for each other in a circle.
  insert into login_attempts as a (subject, at, last_at)
    select s, '{}', v_now from unnest(p_subjects) s order by s
    on conflict on constraint login_attempts_pkey do update set last_at = a.last_at;
  select max(ceil(extract(epoch from a.at[1] + v_window - v_now)))::integer into v_wait
    from login_attempts a
    where a.subject = any (p_subjects) and cardinality(a.at) >= p_limit and a.at[1] > v_now - v_window;
  if v_wait is not null then
    return query select greatest(1, v_wait), false, v_now::text;
    return;
  end if;
  with counted as (
    update login_attempts a
      set at = (select array_agg(t order by t) from unnest(a.at || v_now) t where t > v_now - v_window), last_at = v_now
      where a.subject = any (p_subjects) returning cardinality(a.at) >= p_limit as reached
  ) select bool_or(c.reached) into v_full from counted c;
  delete from login_attempts a using (
      select o.subject from login_attempts o where o.last_at < v_now - v_window
        order by o.last_at limit 20 for update skip locked
    ) old where a.subject = old.subject;
  -- Beyond the bound those who were wrong the longest ago are forgotten first.
  delete from login_attempts a using (
      select o.subject from login_attempts o where not o.subject = any (p_subjects)
        and (select c.reltuples from pg_class c where c.oid = 'login_attempts'::regclass) > p_rows
        order by o.last_at limit 20 for update skip locked
    ) old where a.subject = old.subject;
  return query select 0, v_full, v_now::text;
end $$;
