/** Late callers: somebody dials the number of a job that is over. Who answers? */
import type { Chance } from './chance.ts';
import type { Allocation } from './policies.ts';
import type { Trace } from './traces.ts';

export interface LateCalls {
  readonly calls: number;
  /** Put through to somebody whom the caller's job was not with. */
  readonly strangers: number;
}

/** When a late call is made after the closing of the caller's session, in seconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * `calls` callbacks, each of a session by chance and at a moment by chance within the caller's window (and within the
 * trace); agents and customers by turns, where both have one. The number leads to whatever live session of this caller
 * holds it at that moment.
 */
export function callBack(
  trace: Trace,
  allocation: Allocation,
  windows: { readonly agent: Window; readonly customer?: Window },
  calls: number,
  chance: Chance,
): LateCalls {
  const agents = {
    next: nextWithNumber(trace, trace.agent, allocation.agentNumber),
    others: trace.customer,
    window: windows.agent,
  };
  const customers = windows.customer && {
    next: nextWithNumber(trace, trace.customer, allocation.customerNumber),
    others: trace.agent,
    window: windows.customer,
  };
  const end = trace.opened.at(-1) ?? 0;
  let made = 0;
  let strangers = 0;
  for (let attempt = 0; made < calls && attempt < calls * 20; attempt++) {
    const session = chance.below(trace.sessions);
    const { next, others, window } = customers !== undefined && made % 2 === 1 ? customers : agents;
    const from = (trace.closed[session] ?? 0) + window.from;
    if ((allocation.agentNumber[session] ?? -1) < 0 || from >= end) continue;
    const now = chance.between(from, Math.min(end, from + window.to - window.from));
    made++;
    for (let later = next[session] ?? -1; later >= 0; later = next[later] ?? -1) {
      if ((trace.opened[later] ?? 0) > now) break;
      if ((trace.closed[later] ?? 0) > now && others[later] !== others[session]) {
        strangers++;
        break;
      }
    }
  }
  return { calls: made, strangers };
}

/** By session: the next one of the same party on the same number; -1: none. */
function nextWithNumber(trace: Trace, party: Int32Array, number: Int32Array): Int32Array {
  const next = new Int32Array(trace.sessions).fill(-1);
  const last = new Map<number, number>();
  for (let session = 0; session < trace.sessions; session++) {
    const held = number[session] ?? -1;
    if (held < 0) continue;
    const key = (party[session] ?? 0) * 100_000 + held;
    const before = last.get(key);
    if (before !== undefined) next[before] = session;
    last.set(key, session);
  }
  return next;
}
