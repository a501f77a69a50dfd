-- Disputes, each step one transaction with its entry in the ledger, its event and its hold; and participants' links.
--
-- Who waits for whom: a dispute's row, then what a block touches (see 0009). Nothing that holds a party, a session or a
-- call ever waits for a dispute.

create index disputes_assignee on disputes (tenant, assignee, dispute) where assignee is not null;

-- ------------------------------------------------------------------ blocks between people of a session

-- Every phone of somebody who takes or took part.
create function phones_of(p_tenant text, p_session text, p_participant text) returns text[] language sql stable as $$
  select coalesce(array_agg(h.party order by h.position), '{}') from participant_phones h
    where h.tenant = p_tenant and h.session = p_session and h.participant = p_participant
$$;

-- Every phone of everybody else who takes or took part, but those that are the person's own as well.
create function phones_of_others(p_tenant text, p_session text, p_participant text) returns text[]
language sql stable as $$
  select coalesce(array_agg(distinct h.party), '{}') from participant_phones h
    where h.tenant = p_tenant and h.session = p_session and h.participant <> p_participant
      and h.party <> all (phones_of(p_tenant, p_session, p_participant))
$$;

-- One block between all of p_one and all of p_other (null: everybody): what create_block (0009) does once it knows whom.
create function block_parties(
  p_tenant text, p_block text, p_actor text, p_reason text, p_expires_at timestamptz, p_one text[], p_other text[],
  p_session text, p_now timestamptz
) returns void language plpgsql as $$
begin
  insert into blocks (tenant, block, position, party, counterpart, reason, actor, created_at, expires_at)
    select p_tenant, p_block, row_number() over (order by x.at, y.at), x.party, y.party, p_reason, p_actor, p_now,
        p_expires_at
      from unnest(p_one) with ordinality as x(party, at)
      left join unnest(p_other) with ordinality as y(party, at) on true;
  insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
    select p_tenant, new_id('led_'), 'party.blocked', p_actor, x.party, p_session, p_block,
        jsonb_strip_nulls(jsonb_build_object('towards', to_jsonb(p_other), 'expiresAt', p_expires_at))
      from unnest(p_one) as x(party);
  perform emit_event(p_tenant, 'party.blocked', p_session, p_block, jsonb_strip_nulls(jsonb_build_object(
    'block', p_block, 'everybody', p_other is null, 'expiresAt', p_expires_at)));
  perform end_blocked_calls(p_tenant, p_one, p_other, p_now);
end $$;

-- ------------------------------------------------------------------ disputes

create function place_dispute_hold(
  p_tenant text, p_hold text, p_session text, p_reason bytea, p_dispute text, p_actor text, p_now timestamptz
) returns void language plpgsql as $$
begin
  insert into legal_holds (tenant, hold, session, reason, dispute, placed_by, placed_at)
    values (p_tenant, p_hold, p_session, p_reason, p_dispute, p_actor, p_now);
  insert into ledger (tenant, entry, kind, actor, session, subject, details)
    values (p_tenant, new_id('led_'), 'hold.placed', p_actor, p_session, p_hold, jsonb_build_object('dispute', p_dispute));
end $$;

create function release_dispute_holds(
  p_tenant text, p_session text, p_dispute text, p_actor text, p_now timestamptz
) returns void language plpgsql as $$
begin
  with released as (
    update legal_holds h set released_at = p_now, released_by = p_actor
      where h.tenant = p_tenant and h.session = p_session and h.dispute = p_dispute and h.released_at is null
      returning h.hold
  )
  insert into ledger (tenant, entry, kind, actor, session, subject, details)
    select p_tenant, new_id('led_'), 'hold.released', p_actor, p_session, r.hold,
        jsonb_build_object('dispute', p_dispute)
      from released r;
end $$;

-- `failure` null: `dispute` is the new one, or (`opened` false) the one that stands open already for the same session,
-- opener and person. Else: missing (no such session), unknown-call, unknown-participant.
create function open_dispute(
  p_tenant text, p_dispute text, p_session text, p_call text, p_category text, p_opener_kind text, p_opener text,
  p_against text, p_statement bytea, p_hold text, p_hold_reason bytea, p_actor text
) returns table (failure text, dispute text, opened boolean) language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz := platform_now();
  v_standing text;
begin
  if not exists (select from sessions s where s.tenant = p_tenant and s.session = p_session) then
    return query select 'missing', null::text, null::boolean;
    return;
  end if;
  if p_call is not null and not exists (select from calls c
      where c.tenant = p_tenant and c.call = p_call and c.session = p_session) then
    return query select 'unknown-call', null::text, null::boolean;
    return;
  end if;
  if p_against is not null and not exists (select from participants p
      where p.tenant = p_tenant and p.session = p_session and p.participant = p_against) then
    return query select 'unknown-participant', null::text, null::boolean;
    return;
  end if;
  -- Two that open at once: the second finds the first's. A lock of its own: calls must not wait for it.
  perform pg_advisory_xact_lock(hashtextextended(p_tenant || ' ' || p_session, 16));
  select d.dispute into v_standing from disputes d
    where d.tenant = p_tenant and d.session = p_session and d.status <> 'resolved'
      and d.opener_kind = p_opener_kind and d.opener = p_opener and d.against is not distinct from p_against
    order by d.dispute desc limit 1;
  if found then
    return query select null::text, v_standing, false;
    return;
  end if;
  insert into disputes (tenant, dispute, session, call, category, opener_kind, opener, opened_at, against, statement,
      updated_at)
    values (p_tenant, p_dispute, p_session, p_call, p_category, p_opener_kind, p_opener, v_now, p_against, p_statement,
      v_now);
  insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
    values (p_tenant, new_id('led_'), 'dispute.opened', p_actor, (phones_of(p_tenant, p_session, p_against))[1],
      p_session, p_dispute, jsonb_strip_nulls(jsonb_build_object('category', p_category, 'against', p_against,
        'call', p_call, 'openedBy', p_opener_kind)));
  perform place_dispute_hold(p_tenant, p_hold, p_session, p_hold_reason, p_dispute, p_actor, v_now);
  perform emit_event(p_tenant, 'dispute.opened', p_session, p_dispute, jsonb_strip_nulls(jsonb_build_object(
    'category', p_category, 'openedBy', p_opener_kind, 'call', p_call, 'against', p_against)));
  return query select null::text, p_dispute, true;
end $$;

-- p_change: {status?, assignee?, category?, against?}, null takes assignee or against away. A resolved dispute takes
-- `status: investigating` only: its verdict becomes a note (p_note, sealed anew) of who gave it and when, and it is held
-- again (p_hold). Null: done; else missing, changed, resolved, unknown-participant.
create function change_dispute(
  p_tenant text, p_dispute text, p_version integer, p_change jsonb, p_note text, p_note_body bytea,
  p_hold text, p_hold_reason bytea, p_actor text
) returns text language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := platform_now();
  v_old disputes%rowtype;
  v_new disputes%rowtype;
  v_fields jsonb;
begin
  select d.* into v_old from disputes d where d.tenant = p_tenant and d.dispute = p_dispute for update;
  if not found then
    return 'missing';
  end if;
  if v_old.version <> p_version then
    return 'changed';
  end if;
  if v_old.status = 'resolved' and p_change ->> 'status' is distinct from 'investigating' then
    return 'resolved';
  end if;
  v_new := v_old;
  v_new.status := coalesce(p_change ->> 'status', v_old.status);
  v_new.category := coalesce(p_change ->> 'category', v_old.category);
  if p_change ? 'assignee' then
    v_new.assignee := p_change ->> 'assignee';
  end if;
  if p_change ? 'against' then
    v_new.against := p_change ->> 'against';
    if v_new.against is not null and not exists (select from participants p
        where p.tenant = p_tenant and p.session = v_old.session and p.participant = v_new.against) then
      return 'unknown-participant';
    end if;
  end if;
  v_fields := (select jsonb_object_agg(x.field, jsonb_build_array(x.before, x.after)) from (values
      ('status', v_old.status, v_new.status), ('category', v_old.category, v_new.category),
      ('assignee', v_old.assignee, v_new.assignee), ('against', v_old.against, v_new.against)
    ) as x(field, before, after) where x.before is distinct from x.after);
  -- Nothing would change: then nothing was done, and nobody else's version grows old by it.
  if v_fields is null then
    return null;
  end if;
  if v_old.status = 'resolved' then
    -- None is left of one whose words went with a person.
    if p_note is not null then
      insert into dispute_notes (tenant, dispute, note, author, at, body)
        values (p_tenant, p_dispute, p_note, v_old.verdict_by, v_old.verdict_at, p_note_body);
    end if;
    perform place_dispute_hold(p_tenant, p_hold, v_old.session, p_hold_reason, p_dispute, p_actor, v_now);
  end if;
  update disputes d
    set status = v_new.status, category = v_new.category, assignee = v_new.assignee, against = v_new.against,
        verdict = null, verdict_text = null, verdict_by = null, verdict_at = null, block = null,
        version = d.version + 1, updated_at = v_now
    where d.tenant = p_tenant and d.dispute = p_dispute;
  insert into ledger (tenant, entry, kind, actor, session, subject, details)
    values (p_tenant, new_id('led_'), 'dispute.changed', p_actor, v_old.session, p_dispute,
      jsonb_build_object('changes', v_fields, 'version', v_old.version + 1));
  return null;
end $$;

-- Null: done; else missing, too-many. Who adds a note overwrites nothing, so the version stays.
create function add_dispute_note(
  p_tenant text, p_dispute text, p_note text, p_body bytea, p_most integer, p_actor text
) returns text language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := platform_now();
  v_session text;
begin
  select d.session into v_session from disputes d
    where d.tenant = p_tenant and d.dispute = p_dispute for no key update;
  if not found then
    return 'missing';
  end if;
  if (select count(*) from dispute_notes n where n.tenant = p_tenant and n.dispute = p_dispute) >= p_most then
    return 'too-many';
  end if;
  insert into dispute_notes (tenant, dispute, note, author, at, body)
    values (p_tenant, p_dispute, p_note, p_actor, v_now, p_body);
  update disputes d set updated_at = v_now where d.tenant = p_tenant and d.dispute = p_dispute;
  insert into ledger (tenant, entry, kind, actor, session, subject, details)
    values (p_tenant, new_id('led_'), 'dispute.note-added', p_actor, v_session, p_dispute,
      jsonb_build_object('note', p_note));
  return null;
end $$;

-- The verdict, the end of the hold and the block are one: none is ever without the others. p_block null: no block;
-- p_everybody: towards all people, else towards the others of the session.
-- Null: done; else missing, changed, resolved, nobody (a block needs to know against whom), unreachable (no phone).
create function decide_dispute(
  p_tenant text, p_dispute text, p_version integer, p_verdict text, p_text bytea,
  p_block text, p_everybody boolean, p_block_expires_at timestamptz, p_actor text
) returns text language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := platform_now();
  v_dispute disputes%rowtype;
  v_one text[];
  v_other text[];
begin
  select d.* into v_dispute from disputes d where d.tenant = p_tenant and d.dispute = p_dispute for update;
  if not found then
    return 'missing';
  end if;
  if v_dispute.version <> p_version then
    return 'changed';
  end if;
  if v_dispute.status = 'resolved' then
    return 'resolved';
  end if;
  if p_block is not null then
    if v_dispute.against is null then
      return 'nobody';
    end if;
    v_one := phones_of(p_tenant, v_dispute.session, v_dispute.against);
    v_other := case when not p_everybody then phones_of_others(p_tenant, v_dispute.session, v_dispute.against) end;
    if cardinality(v_one) = 0 or cardinality(v_other) = 0 then
      return 'unreachable';
    end if;
    perform block_parties(p_tenant, p_block, p_actor, 'verdict of ' || p_dispute, p_block_expires_at, v_one, v_other,
      v_dispute.session, v_now);
  end if;
  update disputes d
    set status = 'resolved', verdict = p_verdict, verdict_text = p_text, verdict_by = p_actor, verdict_at = v_now,
        block = p_block, version = d.version + 1, updated_at = v_now
    where d.tenant = p_tenant and d.dispute = p_dispute;
  -- It was kept while it was investigated: one of the two was erased meanwhile (redact_disputes, 0018).
  if exists (select from participants p where p.tenant = p_tenant and p.session = v_dispute.session
      and p.erased_at is not null
      and p.participant in (v_dispute.against, case when v_dispute.opener_kind <> 'operator' then v_dispute.opener end)) then
    update disputes d set statement = null, redacted_at = v_now
      where d.tenant = p_tenant and d.dispute = p_dispute;
    delete from dispute_notes n where n.tenant = p_tenant and n.dispute = p_dispute;
    insert into ledger (tenant, entry, kind, actor, session, subject)
      values (p_tenant, new_id('led_'), 'dispute.redacted', p_actor, v_dispute.session, p_dispute);
  end if;
  perform release_dispute_holds(p_tenant, v_dispute.session, p_dispute, p_actor, v_now);
  insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
    values (p_tenant, new_id('led_'), 'dispute.decided', p_actor,
      (phones_of(p_tenant, v_dispute.session, v_dispute.against))[1], v_dispute.session, p_dispute,
      jsonb_strip_nulls(jsonb_build_object('verdict', p_verdict, 'against', v_dispute.against, 'block', p_block,
        'version', v_dispute.version + 1)));
  perform emit_event(p_tenant, 'dispute.resolved', v_dispute.session, p_dispute, jsonb_strip_nulls(jsonb_build_object(
    'verdict', p_verdict, 'against', v_dispute.against, 'block', p_block)));
  return null;
end $$;

-- ------------------------------------------------------------------ participants' links

-- Links of later versions. `participants.transparency_digest` stays what it was made as: it is also how a participant of
-- whom only the id is known is found (0009), and it opens the page only while `transparency_version` is 1.
create table transparency_links (
  tenant          text not null,
  digest          bytea not null,
  session         text not null,
  participant     text not null,
  version         integer not null,
  primary key (tenant, digest)
);
create index transparency_links_participant on transparency_links (tenant, session, participant);

-- To the next version: with p_digest the link is renewed, without it is taken back. False: somebody was faster.
create function change_transparency_link(
  p_tenant text, p_session text, p_participant text, p_version integer, p_digest bytea, p_actor text
) returns boolean language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  update participants p set transparency_version = p_version
    where p.tenant = p_tenant and p.session = p_session and p.participant = p_participant
      and p.transparency_version = p_version - 1;
  if not found then
    return false;
  end if;
  delete from transparency_links l
    where l.tenant = p_tenant and l.session = p_session and l.participant = p_participant;
  if p_digest is not null then
    insert into transparency_links (tenant, digest, session, participant, version)
      values (p_tenant, p_digest, p_session, p_participant, p_version);
  end if;
  insert into ledger (tenant, entry, kind, actor, party, session, subject)
    values (p_tenant, new_id('led_'), case when p_digest is null then 'link.revoked' else 'link.renewed' end, p_actor,
      (phones_of(p_tenant, p_session, p_participant))[1], p_session, p_participant);
  return true;
end $$;

-- When this participant's part in it ended, or will have; null while it goes on.
create function participation_ended(
  p_left_at timestamptz, p_status text, p_closed_at timestamptz, p_after_until timestamptz, p_due timestamptz,
  p_now timestamptz
) returns timestamptz language sql immutable as $$
  select case
    when p_left_at is not null then p_left_at
    when p_status <> 'open' then greatest(p_closed_at, p_after_until)
    when p_due <= p_now then p_due
  end
$$;

-- By the participant themselves: everybody else of the session can't reach them any more. Null: done, or (`already`)
-- it was; else unreachable (somebody has no phone to block).
create function block_others(p_tenant text, p_session text, p_participant text, p_block text) returns text
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := platform_now();
  v_mine text[];
  v_others text[];
begin
  -- Two taps on the button: the second finds the first's.
  perform from participants p
    where p.tenant = p_tenant and p.session = p_session and p.participant = p_participant for no key update;
  v_mine := phones_of(p_tenant, p_session, p_participant);
  v_others := phones_of_others(p_tenant, p_session, p_participant);
  if cardinality(v_mine) = 0 or cardinality(v_others) = 0 then
    return 'unreachable';
  end if;
  v_others := array(select x.party from unnest(v_others) as x(party)
    where not blocked_by(p_tenant, p_participant, x.party, v_now));
  if cardinality(v_others) = 0 then
    return 'already';
  end if;
  perform block_parties(p_tenant, p_block, p_participant, 'by the participant', null, v_others, v_mine, p_session, v_now);
  return null;
end $$;

-- Only blocks of their own making count: those of others are not for them to see.
create function blocked_by(p_tenant text, p_participant text, p_party text, p_now timestamptz) returns boolean
language sql stable as $$
  select exists (select from blocks b where b.tenant = p_tenant and b.party = p_party and b.lifted_at is null
    and b.actor = p_participant and (b.expires_at is null or b.expires_at > p_now))
$$;
