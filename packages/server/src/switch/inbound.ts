import type { IncomingInvite } from '@samar/sip';
import type { Trunk } from '../masking/service.ts';
import type { Decision, Inbound, Run } from '../masking/types.ts';
import type { Call } from './call.ts';
import { askPin, askSession } from './dialogue.ts';
import { nameOf } from './errors.ts';
import { offerStatus } from './leg-media.ts';
import { incomingNear } from './near.ts';
import { takeSteps } from './steps.ts';
import { openNear, refuseFor } from './words.ts';

/** What an INVITE says, read by `identity.ts`. */
export interface InboundFacts {
  readonly called: string | undefined;
  readonly caller: string | undefined;
  readonly unverified: boolean;
  readonly trunks: readonly Trunk[];
}

/** Decisions that one call may come to: a code leads to a menu of sessions, and that to a run. */
const mostDecisions = 4;

/** A call that came in, from its INVITE on. `decided`: it no longer waits for the database. Never rejects. */
export async function takeInbound(
  call: Call,
  invite: IncomingInvite,
  facts: InboundFacts,
  decided: () => void,
): Promise<void> {
  call.near = incomingNear(invite, {
    gone: () => call.end({ outcome: 'cancelled', by: 'caller', cause: 'cancel' }),
    ended: (cause) => {
      if (call.nearLeg) call.nearLeg.endedAt ??= call.context.doors.clock.now();
      call.partyLeft('caller', cause);
    },
    unusable: () => call.hangUp('bad-answer'),
  });
  const { body } = invite.request;
  const unusable = body.length > 0 ? offerStatus(body) : undefined;
  if (unusable !== undefined) {
    call.context.events.count('bad-offer');
    decided();
    return call.end({ outcome: 'failed', by: 'platform', cause: 'bad-offer', status: unusable });
  }
  if (call.over) return decided();
  await call.live(() => follow(call, facts, decided));
}

async function follow(call: Call, facts: InboundFacts, decided: () => void): Promise<void> {
  const inbound: Inbound = {
    kind: 'call',
    carriers: facts.trunks.map((trunk) => ({ tenant: trunk.tenant, carrier: trunk.id })),
    called: facts.called,
    caller: facts.caller,
    call: call.id,
    ...(facts.unverified && { unverified: true }),
  };
  const deciding = decide(call, inbound, facts, decided);
  call.finishFirst(deciding);
  let decision = await deciding;
  if (!decision) {
    return call.end({ outcome: 'failed', by: 'platform', cause: 'decision-failed', status: 503 });
  }
  if (call.over) return;
  addNear(call, decision, facts);
  let locale = '';
  for (let decisions = 0; decision && decisions < mostDecisions; decisions++) {
    if (decision.kind !== 'run') ({ locale } = decision);
    switch (decision.kind) {
      case 'run':
        return run(call, decision);
      case 'refuse':
        call.begin('decision', 'refuse')(decision.reason);
        return refuseFor(call, decision.reason, decision.locale);
      case 'choose':
        if (!(await openNear(call))) return;
        decision = await askSession(call, inbound, decision);
        break;
      case 'pin':
        if (!(await openNear(call))) return;
        decision = await askPin(call, inbound, decision);
        break;
    }
  }
  if (!call.over) await refuseFor(call, 'not-connected', locale, 'no-decision');
}

/** Asks, and knows from then on whose record the call has; undefined when there was no answer. Never rejects. */
async function decide(
  call: Call,
  inbound: Inbound,
  facts: InboundFacts,
  decided: () => void,
): Promise<Decision | undefined> {
  const { masking, events } = call.context;
  try {
    const decision = await masking.decide(inbound);
    if (decision.tenant !== undefined) call.tenants = [decision.tenant];
    return decision;
  } catch (error) {
    // The record may have been written all the same, and must not stay open.
    call.tenants = [...new Set(facts.trunks.map((trunk) => trunk.tenant))];
    events.count('decision-failed');
    events.log('error', 'no decision', { call: call.id, error: nameOf(error) });
    return undefined;
  } finally {
    decided();
  }
}

function addNear(call: Call, { tenant }: Decision, facts: InboundFacts): void {
  const carrier = facts.trunks.find((trunk) => trunk.tenant === tenant);
  call.nearSources = facts.trunks.flatMap((trunk) => trunk.allowedSources);
  call.nearLeg = call.addLeg({
    participant: undefined,
    number: facts.called ?? '',
    carrier: carrier?.id ?? '',
    direction: 'in',
  });
}

async function run(call: Call, decision: Run): Promise<void> {
  call.session = { tenant: decision.tenant, session: decision.session };
  call.trace = decision.trace;
  if (call.nearLeg) call.nearLeg.participant = decision.caller.participant;
  call.context.joined(call);
  if (call.over || !(await openNear(call))) return;
  await takeSteps(call, decision);
}
