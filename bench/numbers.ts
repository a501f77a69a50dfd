/**
 * How many numbers ten marketplaces need, by Samar's scheme and by others; see README.md.
 *
 *   npx node bench/numbers.ts [--scale 0.2] [--only parcels]     the table, in memory
 *   npx node bench/numbers.ts --plan                             `samar plan` beside brute force
 *   npx node bench/numbers.ts --late [--calls 10000000]          callbacks after the job is over
 *   npx node bench/numbers.ts --real [--scale 0.1] [--only hotel] [--calls 12000]
 *       the same traces through the heart and PostgreSQL with a simulated clock, with late callers; a cluster of its
 *       own is made in the temporary directory and removed at the end
 */
import { parseArgs } from 'node:util';
import { planJobs } from '../packages/server/src/plan/index.ts';
import { chanceFrom } from './support/chance.ts';
import { jobsOfTrace } from './support/jobs-of-trace.ts';
import { callBack } from './support/late.ts';
import { comparePlans } from './support/numbers-plan.ts';
import { replayTraces } from './support/numbers-real.ts';
import {
  type Allocation,
  type Cooldowns,
  numbersPerPair,
  numbersPerSession,
  ownNumbers,
  type Rule,
  sharedNumbers,
  smallestPool,
} from './support/policies.ts';
import { printTable } from './support/table.ts';
import { makeTrace, type Trace, traceNames } from './support/traces.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    calls: { type: 'string', default: '' },
    plan: { type: 'boolean', default: false },
    late: { type: 'boolean', default: false },
    real: { type: 'boolean', default: false },
  },
});
const cooldowns = { agent: 86_400, customer: 2_592_000 } as const;
const names = traceNames().filter((name) => name.includes(values.only));
const made = () => names.map((name) => makeTrace(name, Number(values.scale)));

if (values.plan) comparePlans();
else if (values.late) late(Number(values.calls || 10_000_000));
else if (values.real) {
  // As many late callers for each session at every scale.
  const calls = Number(values.calls || 120_000 * Number(values.scale));
  await replayTraces(made(), cooldowns, Math.ceil(calls / names.length));
} else compare();

function compare(): void {
  const rows = made().map((trace) => {
    const { agents, customers } = boundsOf(trace);
    const bound = Math.max(agents, customers);
    const own = (pool: number) =>
      ownNumbers(trace, pool, cooldowns, 'least-recently-seen', chanceFrom(1)).failures;
    const need = own(bound - 1) > 0 && own(bound) === 0 ? bound : smallestPool(1, own);
    const shared = (pool: number, rule: 'first-fit' | 'random') =>
      sharedNumbers(trace, pool, cooldowns, rule, chanceFrom(2));
    return [
      trace.name,
      trace.sessions,
      agents,
      customers,
      bound,
      need,
      (need / bound).toFixed(2),
      own(bound),
      shared(1_000_000, 'first-fit').distinct,
      smallestPool(bound, (pool) => shared(pool, 'random').failures),
      numbersPerPair(trace, cooldowns.customer),
      numbersPerSession(trace, cooldowns.agent),
      numbersPerSession(trace, cooldowns.customer),
      customers,
    ];
  });
  const heads = ['', 'sessions', 'agents', 'customers', 'bound', 'Samar', '÷ bound', 'refused'];
  printTable(
    [...heads, 'shared, first', 'shared, random', 'per pair', 'per session, 24 h', 'and 30 d', 'on app'],
    rows,
  );
}

/** The busiest party's live and cooling, by role. */
function boundsOf(trace: Trace): { readonly agents: number; readonly customers: number } {
  const { roles } = planJobs(jobsOfTrace(trace));
  return { agents: roles[0]?.lowerBound ?? 0, customers: roles[1]?.lowerBound ?? 0 };
}

function late(calls: number): void {
  const each = Math.ceil(calls / names.length);
  const none = { agent: 0, customer: 0 };
  const within = { agent: { from: 0, to: cooldowns.agent }, customer: { from: 0, to: cooldowns.customer } };
  const after = { agent: { from: cooldowns.agent, to: 2 * cooldowns.agent } };
  const soon: (string | number)[][] = [];
  const later: (string | number)[][] = [];
  for (const trace of made()) {
    const { agents, customers } = boundsOf(trace);
    const bound = Math.max(agents, customers);
    const strangers = (one: Allocation, when: Parameters<typeof callBack>[2], count: number) =>
      callBack(trace, one, when, count, chanceFrom(6)).strangers;
    const own = (pool: number, cooldown: Cooldowns, rule: Rule) =>
      ownNumbers(trace, pool, cooldown, rule, chanceFrom(3));
    const samar = own(bound, cooldowns, 'least-recently-seen');
    soon.push([
      trace.name,
      bound,
      callBack(trace, samar, within, each, chanceFrom(6)).calls,
      strangers(samar, within, each),
      strangers(own(bound, none, 'first-fit'), within, each),
      strangers(own(bound, none, 'random'), within, each),
    ]);
    const larger = Math.ceil(bound * 1.25);
    const few = Math.ceil(each / 10);
    const rules = ['least-recently-seen', 'first-fit', 'random'] as const;
    later.push([
      trace.name,
      larger,
      few,
      ...rules.map((rule) => strangers(own(larger, cooldowns, rule), after, few)),
    ]);
  }
  const sum = (column: number) => soon.reduce((total, row) => total + Number(row[column]), 0);
  soon.push(['all', '', sum(2), sum(3), sum(4), sum(5)]);
  console.log('Late calls within the cooldown that reached a stranger:');
  printTable(['', 'pool', 'late calls', 'Samar', 'first fit, no cooldown', 'random, no cooldown'], soon);
  console.log('\nAgents’ late calls in the day after the cooldown, in a pool a quarter larger:');
  printTable(['', 'pool', 'late calls', 'Samar', 'first fit', 'random'], later);
}
