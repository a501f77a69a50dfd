/** Click-to-call: the API asks, the heart decides, the switch of this node rings. */
import type { Doors } from '@samar/doors';
import type { Telephone } from '../api/index.ts';
import { newId } from '../masking/ids.ts';
import type { CallMasking } from '../masking/types.ts';
import { type Switch, SwitchBusy } from '../switch/index.ts';

/** No new calls are made: too many run, or the node is going down. */
class TelephoneUnavailable extends Error {
  override readonly name = 'TelephoneUnavailable';
}

export function createTelephone(
  doors: Pick<Doors, 'clock' | 'random'>,
  masking: Pick<CallMasking, 'originate' | 'ended'>,
  gate: Pick<Switch, 'originate'>,
): Telephone {
  return {
    async call({ tenant, session, from, to }) {
      const call = newId(doors, 'call');
      const decision = await masking.originate({ tenant, session, from, to, call });
      try {
        gate.originate(call, decision);
      } catch (error) {
        // The record is written: it must not stay open.
        await masking.ended({
          tenant,
          call,
          outcome: 'failed',
          hangupBy: 'platform',
          hangupCause: 'overload',
          endedAt: doors.clock.now(),
          legs: [],
        });
        if (!(error instanceof SwitchBusy)) throw error;
        throw new TelephoneUnavailable('no new calls are made now');
      }
      return call;
    },
  };
}
