-- What the rooms of trust share: holds, disputes, requests of subjects, and what a recording's custody adds to it.
-- Free text that people write (notes, statements, reasons of downloads) is sealed under the tenant's key; what names a
-- person is a party or a participant, never a number.

create table legal_holds (
  tenant          text not null,
  hold            text not null,
  session         text not null,
  -- Sealed.
  reason          bytea not null,
  dispute         text,
  placed_by       text not null,
  placed_at       timestamptz not null,
  released_by     text,
  released_at     timestamptz,
  primary key (tenant, hold)
);
create index legal_holds_active on legal_holds (tenant, session) where released_at is null;

create function on_hold(p_tenant text, p_session text) returns boolean language sql stable as $$
  select exists (select from legal_holds h
    where h.tenant = p_tenant and h.session = p_session and h.released_at is null)
$$;

create table disputes (
  tenant          text not null,
  dispute         text not null,
  session         text not null,
  call            text,
  category        text not null check (category in ('harassment', 'fraud', 'safety', 'quality', 'other')),
  status          text not null default 'open' check (status in ('open', 'investigating', 'resolved')),
  version         integer not null default 1,
  opener_kind     text not null check (opener_kind in ('operator', 'participant', 'call')),
  opener          text not null,
  opened_at       timestamptz not null,
  against         text,
  -- Sealed.
  statement       bytea not null,
  assignee        text,
  verdict         text check (verdict in ('upheld', 'rejected', 'inconclusive')),
  -- Sealed.
  verdict_text    bytea,
  verdict_by      text,
  verdict_at      timestamptz,
  block           text,
  updated_at      timestamptz not null,
  primary key (tenant, dispute),
  check ((status = 'resolved') = (verdict is not null))
);
create index disputes_session on disputes (tenant, session);
create index disputes_open on disputes (tenant, dispute) where status <> 'resolved';

create table dispute_notes (
  tenant          text not null,
  dispute         text not null,
  note            text not null,
  author          text not null,
  at              timestamptz not null,
  -- Sealed.
  body            bytea not null,
  primary key (tenant, dispute, note)
);

create table rights_requests (
  tenant          text not null,
  request         text not null,
  kind            text not null check (kind in ('export', 'erase', 'restrict')),
  status          text not null check (status in ('asked', 'running', 'done', 'failed', 'refused', 'lifted')),
  party           text not null,
  -- Sealed.
  reason          bytea not null,
  requested_by    text not null,
  requested_at    timestamptz not null,
  finished_at     timestamptz,
  receipt         jsonb,
  primary key (tenant, request)
);
create index rights_requests_party on rights_requests (tenant, party);
create index rights_requests_open on rights_requests (tenant, request) where status in ('asked', 'running');

-- A participant's link that was taken back: its digest is replaced by one that no token has.
alter table participants add column transparency_version integer not null default 1;

-- Custody: when it is to go, and where the file is.
alter table recordings add column store text not null default 'local' check (store in ('local', 's3'));
alter table recordings add column deleted_at timestamptz;
alter table recordings add column delete_reason text;
-- Asked across tenants, by retention.
create index recordings_kept on recordings (started_at) where deleted_at is null;
