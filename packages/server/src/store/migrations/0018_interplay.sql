-- Where the rooms of trust meet: what an erasure does to disputes, and what it leaves to be removed.

-- Somebody who was erased: nothing leads from here to a person any more.
alter table participants add column erased_at timestamptz;

-- A resolved dispute by or about somebody who was erased keeps what came of it, not what was written.
alter table disputes
  alter column statement drop not null,
  add column redacted_at timestamptz;

-- What was written in resolved disputes by or about these people goes. In a transaction of its own: nothing that holds a
-- party ever waits for a dispute (0016). `kept`: those that are still open; decide_dispute finds out by itself.
create function redact_disputes(p_tenant text, p_participants text[], p_actor text, out redacted integer, out kept integer)
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := platform_now();
  v_disputes text[];
begin
  v_disputes := array(
    select d.dispute from disputes d
      where d.tenant = p_tenant
        and d.session in (select p.session from participants p
          where p.tenant = p_tenant and p.participant = any (p_participants))
        and ((d.opener_kind <> 'operator' and d.opener = any (p_participants)) or d.against = any (p_participants))
      order by d.dispute for update);
  with gone as (
    update disputes d set statement = null, verdict_text = null, redacted_at = v_now, version = d.version + 1
      where d.tenant = p_tenant and d.dispute = any (v_disputes) and d.status = 'resolved' and d.redacted_at is null
      returning d.dispute, d.session
  ), unwritten as (
    delete from dispute_notes n using gone g where n.tenant = p_tenant and n.dispute = g.dispute
  )
  insert into ledger (tenant, entry, kind, actor, session, subject)
    select p_tenant, new_id('led_'), 'dispute.redacted', p_actor, g.session, g.dispute from gone g;
  select count(*) filter (where d.redacted_at is not null), count(*) filter (where d.redacted_at is null)
    into redacted, kept
    from disputes d where d.tenant = p_tenant and d.dispute = any (v_disputes);
end $$;
