import type { Originate } from '../masking/types.ts';
import type { Call } from './call.ts';
import { originatedNear } from './near.ts';
import { ring } from './ring.ts';
import { takeSteps } from './steps.ts';
import { tell } from './words.ts';

/**
 * A call that we make ourselves (click-to-call): one participant is rung, and once it has answered the steps are taken
 * as if it had called. Never rejects.
 */
export async function originateCall(call: Call, originate: Originate): Promise<void> {
  const { run, near } = originate;
  call.session = { tenant: run.tenant, session: run.session };
  call.tenants = [run.tenant];
  call.trace = run.trace;
  call.context.joined(call);
  await call.live(async () => {
    const told = call.begin('near', 'ring', near.participant);
    const rung = await ring(call, run.tenant, near, originate.ringSeconds).result;
    if (rung.kind === 'failed') {
      const { failure } = rung;
      told(failure);
      const outcome = call.sessionEnded ? 'refused' : failure;
      return call.end({ outcome, by: 'platform', cause: call.sessionEnded ? 'session-closed' : failure });
    }
    const { far } = rung;
    told('answered');
    call.nearLeg = far.leg;
    call.near = originatedNear(far.dialog, far.media);
    far.keep();
    far.onLeft((cause) => call.partyLeft('caller', cause));
    const { prompts, limits } = call.context;
    await tell(call, [prompts.find(run.caller.locale, 'connecting')], limits.words);
    await takeSteps(call, run, 'not-reached');
  });
}
