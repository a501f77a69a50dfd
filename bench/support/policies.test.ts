import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planJobs } from '../../packages/server/src/plan/index.ts';
import { chanceFrom } from './chance.ts';
import { jobsOfTrace } from './jobs-of-trace.ts';
import { callBack } from './late.ts';
import { numbersPerPair, numbersPerSession, ownNumbers, sharedNumbers, smallestPool } from './policies.ts';
import { makeTrace, type Trace, traceNames } from './traces.ts';

const PARTIES = 4;
const jobs = fc.array(
  fc.record({
    opened: fc.integer({ min: 0, max: 200 }),
    length: fc.integer({ min: 1, max: 40 }),
    agent: fc.nat(PARTIES - 1),
    customer: fc.nat(PARTIES - 1),
  }),
  { minLength: 1, maxLength: 60 },
);
const cooldowns = fc.record({ agent: fc.nat(60), customer: fc.nat(60) });
const rules = ['least-recently-seen', 'first-fit', 'random'] as const;

type Jobs = readonly {
  readonly opened: number;
  readonly length: number;
  readonly agent: number;
  readonly customer: number;
}[];

function traceOf(list: Jobs): Trace {
  const order = list.toSorted((one, other) => one.opened - other.opened);
  return {
    ...{ name: 'made', days: 1, agents: PARTIES, customers: PARTIES, sessions: order.length },
    opened: Float64Array.from(order, (one) => one.opened),
    closed: Float64Array.from(order, (one) => one.opened + one.length),
    agent: Int32Array.from(order, (one) => one.agent),
    customer: Int32Array.from(order, (one) => one.customer),
  };
}

function boundOf(trace: Trace, { agent, customer }: { agent: number; customer: number }): number {
  return planJobs(jobsOfTrace(trace), { cooldownSeconds: { agent, customer } }).lowerBound;
}

describe('a number for each party', () => {
  test.each(rules)(
    '%s: the bound refuses nobody, one fewer does, and no pair is used twice at once',
    (rule) => {
      fc.assert(
        fc.property(jobs, cooldowns, (list, cooldown) => {
          const trace = traceOf(list);
          const bound = boundOf(trace, cooldown);
          const exact = ownNumbers(trace, bound, cooldown, rule, chanceFrom(1));
          expect(exact.failures).toBe(0);
          expect(exact.distinct).toBeLessThanOrEqual(bound);
          expect(ownNumbers(trace, bound - 1, cooldown, rule, chanceFrom(1)).failures).toBeGreaterThan(0);
          for (const [party, number, cooling] of [
            [trace.agent, exact.agentNumber, cooldown.agent],
            [trace.customer, exact.customerNumber, cooldown.customer],
          ] as const) {
            for (let one = 0; one < trace.sessions; one++) {
              for (let later = one + 1; later < trace.sessions; later++) {
                if (party[one] !== party[later] || number[one] !== number[later]) continue;
                expect(trace.opened[later]).toBeGreaterThanOrEqual((trace.closed[one] ?? 0) + cooling);
              }
            }
          }
        }),
        { numRuns: 150 },
      );
    },
  );
});

test('one number for both sides never needs fewer than the bound', () => {
  fc.assert(
    fc.property(jobs, cooldowns, (list, cooldown) => {
      const trace = traceOf(list);
      const bound = boundOf(trace, cooldown);
      const first = sharedNumbers(trace, 1_000, cooldown, 'first-fit', chanceFrom(1)).distinct;
      const failures = (pool: number) =>
        sharedNumbers(trace, pool, cooldown, 'random', chanceFrom(1)).failures;
      const random = smallestPool(1, failures);
      expect(first).toBeGreaterThanOrEqual(bound);
      expect(random).toBeGreaterThanOrEqual(bound);
      expect(failures(random)).toBe(0);
      expect(failures(random - 1)).toBeGreaterThan(0);
    }),
    { numRuns: 150 },
  );
});

test('a number for each session, or pair: the most at once, counted plainly', () => {
  fc.assert(
    fc.property(jobs, fc.nat(60), (list, cooldown) => {
      const trace = traceOf(list);
      const at = (now: number) =>
        list.filter((one) => one.opened <= now && one.opened + one.length + cooldown > now);
      const sessions = Math.max(...list.map((one) => at(one.opened).length));
      const pairs = Math.max(
        ...list.map(
          (one) => new Set(at(one.opened).map(({ agent, customer }) => agent * 10 + customer)).size,
        ),
      );
      expect(numbersPerSession(trace, cooldown)).toBe(sessions);
      expect(numbersPerPair(trace, cooldown)).toBe(pairs);
    }),
    { numRuns: 300 },
  );
});

test('a late caller reaches whoever has the number by then', () => {
  // Agent 0 has two jobs on the same number; between them nobody, and nothing ever for agent 1.
  const trace = traceOf([
    { opened: 0, length: 10, agent: 0, customer: 0 },
    { opened: 20, length: 30, agent: 0, customer: 1 },
    { opened: 60, length: 10, agent: 1, customer: 2 },
    { opened: 100, length: 1, agent: 2, customer: 3 },
  ]);
  const none = { agent: 0, customer: 0 };
  const allocation = ownNumbers(trace, 1, none, 'first-fit', chanceFrom(1));
  expect(allocation.failures).toBe(0);
  const of = (from: number, to: number) =>
    callBack(trace, allocation, { agent: { from, to } }, 3_000, chanceFrom(2));
  // The first of three agents who can call late does so while the second job lives.
  expect(of(10, 40).strangers).toBeGreaterThan(900);
  expect(of(10, 40).strangers).toBeLessThan(1_100);
  expect(of(0, 10)).toEqual({ calls: 3_000, strangers: 0 });
  const cooled = ownNumbers(trace, 2, { agent: 90, customer: 90 }, 'least-recently-seen', chanceFrom(1));
  expect(callBack(trace, cooled, { agent: { from: 0, to: 90 } }, 3_000, chanceFrom(2)).strangers).toBe(0);
});

describe.each(traceNames())('the trace %s', (name) => {
  const trace = makeTrace(name, 0.02);

  test('is the same each time, in order, and within its people', () => {
    expect(makeTrace(name, 0.02)).toEqual(trace);
    expect(makeTrace(name, 0.02, 1)).not.toEqual(trace);
    expect(trace.opened.every((time, index) => time >= (trace.opened[index - 1] ?? 0))).toBe(true);
    expect(trace.closed.every((time, index) => time > (trace.opened[index] ?? 0))).toBe(true);
    expect(Math.max(...trace.agent)).toBeLessThan(trace.agents);
    expect(Math.max(...trace.customer)).toBeLessThan(trace.customers);
  });
});
