import { createSipStack, type IncomingInvite, type SipStack } from '@samar/sip';
import { newId } from '../masking/ids.ts';
import type { ClosedSession, Originate } from '../masking/types.ts';
import { Call, type CallContext } from './call.ts';
import { nameOf } from './errors.ts';
import { calledNumber, callerNumber, isUnverified } from './identity.ts';
import { takeInbound } from './inbound.ts';
import { originateCall } from './originated.ts';
import { hostAddresses, type TrunkTable, trunkTable } from './trunks.ts';
import { type Switch, SwitchBusy, type SwitchLimits, type SwitchOptions } from './types.ts';

const defaults: SwitchLimits = {
  calls: 5_000,
  deciding: 400,
  lag: 100,
  refusal: 20_000,
  words: 60_000,
  closing: 60_000,
  consent: 10_000,
};

/** Carriers are read again this often: a change made on another node is seen within it. Milliseconds. */
const trunkRefresh = 2_000;
/** Running calls are checked against their records this often, should a notice have been lost. Milliseconds. */
const callCheck = 5_000;
/** How often the signalling thread's lateness is measured. Milliseconds. */
const lagProbe = 20;
/** One late turn is a pause (garbage, a big request); this many in a row are more work than there is time for. */
const overloadProbes = 3;

/** Starts the switch; it takes calls when this resolves. Rejects when a port is taken or the carriers can't be read. */
export async function createSwitch(options: SwitchOptions): Promise<Switch> {
  const { doors, masking, events } = options;
  const limits: SwitchLimits = { ...defaults, ...options.limits };
  const calls = new Map<string, Call>();
  const bySession = new Map<string, Set<Call>>();
  let deciding = 0;
  let draining = false;
  let closed = false;
  let lateProbes = 0;
  let whenEmpty: (() => void) | undefined;
  const addressesOf = hostAddresses(doors.network.dns, doors.clock);
  let trunks: TrunkTable = await readTrunks();

  function readTrunks(): Promise<TrunkTable> {
    return options.trunks().then((list) => trunkTable(list, addressesOf));
  }

  const context: CallContext = {
    ...options,
    limits,
    stack: () => stack,
    trunks: () => trunks,
    joined(call) {
      const key = sessionKey(call.session);
      const others = bySession.get(key);
      if (others) others.add(call);
      else bySession.set(key, new Set([call]));
    },
    over(call) {
      calls.delete(call.id);
      const key = sessionKey(call.session);
      const others = bySession.get(key);
      others?.delete(call);
      if (others?.size === 0) bySession.delete(key);
      if (calls.size === 0) whenEmpty?.();
    },
  };

  function busy(): boolean {
    return (
      draining ||
      calls.size >= limits.calls ||
      deciding >= limits.deciding ||
      lateProbes >= overloadProbes ||
      // Two ports for this call and for each that waits: what would be refused for want of them is refused before work.
      options.media.counts.portsFree < 2 * (deciding + 1)
    );
  }

  function begin(id: string): Call {
    const call = new Call(id, context);
    calls.set(id, call);
    events.callStarted?.();
    return call;
  }

  function onInvite(invite: IncomingInvite): void {
    if (busy()) {
      events.count('overload');
      invite.reject(503, { headers: [['Retry-After', '2']] });
      return;
    }
    const from = trunks.from(invite.source.address);
    if (from.length === 0) {
      // A trunk that we may call but that may not call us.
      events.count('not-allowed-source');
      invite.reject(403);
      return;
    }
    const format = from[0]?.numberFormat ?? {};
    const facts = {
      trunks: from,
      called: calledNumber(invite.request, format),
      caller: callerNumber(invite.request, format),
      unverified: isUnverified(invite.request),
    };
    deciding += 1;
    void takeInbound(begin(newId(doors, 'call')), invite, facts, decided);
  }

  function decided(): void {
    deciding -= 1;
  }

  function originate(id: string, decision: Originate): void {
    if (busy() || calls.has(id)) {
      events.count('overload');
      throw new SwitchBusy();
    }
    void originateCall(begin(id), decision);
  }

  const stack: SipStack = await createSipStack({
    doors,
    listen: options.listen,
    publicHost: options.publicHost,
    admit: (source) => trunks.admits(source),
    onInvite,
    onEvent: (event) => events.count(`sip-${event}`),
  });

  function close(notice: ClosedSession): void {
    for (const call of [...(bySession.get(sessionKey(notice)) ?? [])]) {
      if (notice.participant === undefined) call.sessionClosed(notice.ongoingCalls);
      else call.participantLeft(notice.participant);
    }
  }

  /** The record is the truth: what should have ended by it ends now, should a notice have been lost. */
  async function checkCalls(): Promise<void> {
    if (calls.size === 0) return;
    for (const { tenant, call, ongoingCalls } of await masking.callsToEnd()) {
      const running = calls.get(call);
      if (running?.tenants.includes(tenant)) running.sessionClosed(ongoingCalls);
    }
  }

  masking.onSessionClosed((notice) => {
    if (notice) close(notice);
    else
      void checkCalls().catch((error) => events.log('warn', 'call check failed', { error: nameOf(error) }));
  });

  masking.onHangUp(({ tenant, call }) => {
    const running = calls.get(call);
    if (running?.tenants.includes(tenant)) running.hangUp('requested');
  });

  /** Repeats until the switch is closed; a failure is logged and the next turn tries again. */
  function every(milliseconds: number, what: string, work: () => Promise<void>): void {
    doors.timers.after(milliseconds, () => {
      if (closed) return;
      work()
        .catch((error) => events.log('warn', `${what} failed`, { error: nameOf(error) }))
        .finally(() => every(milliseconds, what, work));
    });
  }

  async function refreshTrunks(): Promise<void> {
    trunks = await readTrunks();
  }

  function probeLag(): void {
    const due = doors.clock.monotonic() + lagProbe;
    doors.timers.after(lagProbe, () => {
      lateProbes = doors.clock.monotonic() - due > limits.lag ? lateProbes + 1 : 0;
      if (!closed) probeLag();
    });
  }

  every(trunkRefresh, 'reading carriers', refreshTrunks);
  every(callCheck, 'call check', checkCalls);
  probeLag();

  async function drain(milliseconds: number): Promise<void> {
    draining = true;
    stack.drain();
    if (calls.size === 0) return;
    await new Promise<void>((resolve) => {
      whenEmpty = resolve;
      doors.timers.after(milliseconds, () => {
        for (const call of [...calls.values()]) call.hangUp('shutdown', 503);
        // Records and recordings of what was just hung up get a last moment.
        doors.timers.after(2_000, resolve);
      });
    });
  }

  return {
    bound: stack.bound,
    counts: {
      get calls() {
        return calls.size;
      },
    },
    originate,
    refreshTrunks,
    drain,
    async close() {
      if (!closed) await drain(0);
      closed = true;
      await stack.close();
    },
  };
}

function sessionKey(session: { readonly tenant: string; readonly session: string } | undefined): string {
  return session ? `${session.tenant}/${session.session}` : '';
}
