/** Ways to choose a number, in memory: what `samar` does, and what else is done in the field. */
import type { Chance } from './chance.ts';
import type { Trace } from './traces.ts';

export interface Cooldowns {
  /** Seconds. */
  readonly agent: number;
  readonly customer: number;
}

export interface Allocation {
  readonly failures: number;
  /** Numbers that were used at all. */
  readonly distinct: number;
  /** By session; -1 where none was free. */
  readonly agentNumber: Int32Array;
  readonly customerNumber: Int32Array;
}

export type Rule = 'least-recently-seen' | 'first-fit' | 'random';

/**
 * A number for each party of its own: it must be free for that party only, live and cooling.
 * `least-recently-seen` is Samar's: never seen before, the first in order; else the one released longest ago.
 */
export function ownNumbers(
  trace: Trace,
  pool: number,
  cooldowns: Cooldowns,
  rule: Rule,
  chance: Chance,
): Allocation {
  const agents = parties(trace.agents);
  const customers = parties(trace.customers);
  const agentNumber = new Int32Array(trace.sessions).fill(-1);
  const customerNumber = new Int32Array(trace.sessions).fill(-1);
  let failures = 0;
  let highest = -1;
  for (let session = 0; session < trace.sessions; session++) {
    const now = trace.opened[session] ?? 0;
    const closed = trace.closed[session] ?? 0;
    const mine = agents[trace.agent[session] ?? 0] as Party;
    const theirs = customers[trace.customer[session] ?? 0] as Party;
    const one = choose(mine, pool, now - cooldowns.agent, rule, chance);
    const other = one < 0 ? -1 : choose(theirs, pool, now - cooldowns.customer, rule, chance);
    if (one < 0 || other < 0) {
      failures++;
      continue;
    }
    hold(mine, one, closed);
    hold(theirs, other, closed);
    agentNumber[session] = one;
    customerNumber[session] = other;
    highest = Math.max(highest, one, other);
  }
  return { failures, distinct: highest + 1, agentNumber, customerNumber };
}

/** One number for both sides of a session, as proxies of the field do: it must be free for both. */
export function sharedNumbers(
  trace: Trace,
  pool: number,
  cooldowns: Cooldowns,
  rule: 'first-fit' | 'random',
  chance: Chance,
): { readonly failures: number; readonly distinct: number } {
  const agents = parties(trace.agents);
  const customers = parties(trace.customers);
  const candidates: number[] = [];
  let failures = 0;
  let highest = -1;
  for (let session = 0; session < trace.sessions; session++) {
    const now = trace.opened[session] ?? 0;
    const closed = trace.closed[session] ?? 0;
    const mine = agents[trace.agent[session] ?? 0] as Party;
    const theirs = customers[trace.customer[session] ?? 0] as Party;
    candidates.length = 0;
    for (let number = 0; number < pool; number++) {
      const released = mine.releasedAt[number];
      if (released !== undefined && released > now - cooldowns.agent) continue;
      if ((theirs.releasedAt[number] ?? Number.NEGATIVE_INFINITY) > now - cooldowns.customer) continue;
      candidates.push(number);
      if (rule === 'first-fit') break;
    }
    const number = candidates[rule === 'random' ? chance.below(candidates.length) : 0];
    if (number === undefined) {
      failures++;
      continue;
    }
    mine.releasedAt[number] = closed;
    theirs.releasedAt[number] = closed;
    highest = Math.max(highest, number);
  }
  return { failures, distinct: highest + 1 };
}

/** The smallest pool by which nobody is refused. `failures(pool)` falls to 0; looked for by halving. */
export function smallestPool(from: number, failures: (pool: number) => number): number {
  let low = from - 1;
  let high = Math.max(1, from);
  while (failures(high) > 0) {
    low = high;
    high = Math.ceil(high * 1.5) + 1;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (failures(middle) > 0) low = middle;
    else high = middle;
  }
  return high;
}

/** Every pair that is live or cooling has a number that serves no other pair; a pair that meets again keeps its own. */
export function numbersPerPair(trace: Trace, cooldown: number): number {
  const until = new Map<number, number>();
  const spans: (readonly [number, number])[] = [];
  for (let session = 0; session < trace.sessions; session++) {
    const pair = (trace.agent[session] ?? 0) * trace.customers + (trace.customer[session] ?? 0);
    const from = trace.opened[session] ?? 0;
    const free = (trace.closed[session] ?? 0) + cooldown;
    const held = until.get(pair) ?? Number.NEGATIVE_INFINITY;
    spans.push([Math.max(from, Math.min(held, free)), free]);
    until.set(pair, Math.max(held, free));
  }
  return mostAtOnce(spans);
}

/** Every session has a number of its own until the longest cooldown after it is over. */
export function numbersPerSession(trace: Trace, cooldown: number): number {
  return mostAtOnce(
    [...trace.opened].map((from, session) => [from, (trace.closed[session] ?? 0) + cooldown]),
  );
}

function mostAtOnce(spans: readonly (readonly [number, number])[]): number {
  const starts = Float64Array.from(
    spans.filter(([from, to]) => to > from),
    ([from]) => from,
  ).sort();
  const ends = Float64Array.from(
    spans.filter(([from, to]) => to > from),
    ([, to]) => to,
  ).sort();
  let ended = 0;
  let most = 0;
  starts.forEach((now, index) => {
    while ((ends[ended] ?? Number.POSITIVE_INFINITY) <= now) ended++;
    most = Math.max(most, index + 1 - ended);
  });
  return most;
}

interface Party {
  /** When each number that this party has seen is, or was, released. */
  readonly releasedAt: number[];
  /** Numbers seen, in the order of their release. */
  readonly order: number[];
}

function parties(count: number): Party[] {
  return Array.from({ length: count }, () => ({ releasedAt: [], order: [] }));
}

/** A number that was released at or before `limit`, or never seen; -1: none. */
function choose(party: Party, pool: number, limit: number, rule: Rule, chance: Chance): number {
  const { releasedAt, order } = party;
  switch (rule) {
    case 'least-recently-seen': {
      if (order.length < pool) return order.length;
      const [oldest] = order;
      return oldest !== undefined && (releasedAt[oldest] ?? 0) <= limit ? oldest : -1;
    }
    case 'first-fit': {
      for (let number = 0; number < pool; number++) {
        if ((releasedAt[number] ?? Number.NEGATIVE_INFINITY) <= limit) return number;
      }
      return -1;
    }
    case 'random': {
      const busy = order.filter((number) => (releasedAt[number] ?? 0) > limit).length;
      let skip = pool > busy ? chance.below(pool - busy) : -1;
      if (skip < 0) return -1;
      for (let number = 0; number < pool; number++) {
        if ((releasedAt[number] ?? Number.NEGATIVE_INFINITY) <= limit && skip-- === 0) return number;
      }
      return -1;
    }
  }
}

function hold(party: Party, number: number, released: number): void {
  const { releasedAt, order } = party;
  const known = releasedAt[number] !== undefined;
  if (known) order.splice(order.indexOf(number), 1);
  releasedAt[number] = released;
  let at = order.length;
  while (at > 0 && (releasedAt[order[at - 1] ?? 0] ?? 0) > released) at--;
  order.splice(at, 0, number);
}
