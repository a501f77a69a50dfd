import { describe, expect, test } from 'vitest';
import type { Jobs } from './jobs-csv.ts';
import { planJobs } from './jobs-plan.ts';
import { seeded, simulatedNeeds } from './testing.ts';
import { PlanError } from './types.ts';

const DAY = 86_400_000;

/** Each of `agents` has `perDay` jobs of half an hour by chance, each with one of `customers`. */
function chanceJobs(agents: number, perDay: number, days: number, seed: number, customers = 20_000): Jobs {
  const random = seeded(seed);
  const jobs: { opened: number; agent: number; customer: number }[] = [];
  for (let agent = 1; agent <= agents; agent++) {
    for (let t = 0; ; ) {
      t -= Math.log(1 - random()) / perDay;
      if (t >= days) break;
      jobs.push({
        opened: Date.UTC(2026, 0, 1) + t * DAY,
        agent,
        customer: 1 + Math.floor(random() * customers),
      });
    }
  }
  return {
    ...{ sessions: jobs.length, stillOpen: 0 },
    opened: Float64Array.from(jobs, (one) => one.opened),
    closed: Float64Array.from(jobs, (one) => one.opened + 1_800_000),
    roles: [
      { role: 'agent', parties: agents, party: Uint32Array.from(jobs, (one) => one.agent) },
      { role: 'customer', parties: customers, party: Uint32Array.from(jobs, (one) => one.customer) },
    ],
  };
}

describe('what past jobs say', () => {
  test('the recommendation fails as rarely as it says in time to come, and is not lavish', () => {
    const failures: number[] = [];
    const recommended: number[] = [];
    for (let seed = 1; seed <= 6; seed++) {
      const plan = planJobs(chanceJobs(40, 25, 20, seed), { horizonDays: 10, failureProbability: 0.02 });
      const { recommended: n = 0 } = plan.roles[0] ?? {};
      recommended.push(n);
      const needs = simulatedNeeds(
        {
          ...{ rates: new Array<number>(40).fill(25 / 24), horizonHours: 240, start: 'running' },
          ...{ held: () => 24.5, longestHeld: 24.5 },
        },
        150,
        seed * 77,
      );
      failures.push(needs.filter((need) => need > n).length / 150);
    }
    const mean = failures.reduce((sum, one) => sum + one, 0) / failures.length;
    expect(mean).toBeLessThan(0.04);
    // 51 is what forty parties with these rates need; a file that is one of the unlikely ones may say a little more.
    expect(Math.abs((recommended.toSorted((a, b) => a - b)[2] ?? 0) - 51)).toBeLessThanOrEqual(1);
    for (const n of recommended) expect(Math.abs(n - 51)).toBeLessThanOrEqual(8);
  });

  test('growth, a longer horizon and more care ask for more; the exact count stays', () => {
    const jobs = chanceJobs(30, 20, 5, 9);
    const base = planJobs(jobs, { horizonDays: 10, failureProbability: 0.01 });
    for (const settings of [
      { horizonDays: 10, failureProbability: 0.01, growth: 1.5 },
      { horizonDays: 100, failureProbability: 0.01 },
      { horizonDays: 10, failureProbability: 1e-5 },
    ]) {
      const more = planJobs(jobs, settings);
      expect(more.lowerBound).toBe(base.lowerBound);
      expect(more.recommended).toBeGreaterThan(base.recommended);
    }
    const grown = planJobs(jobs, { horizonDays: 10, failureProbability: 0.01, growth: 1.5 });
    expect(grown.recommended / base.recommended).toBeGreaterThan(1.25);
    expect(grown.recommended / base.recommended).toBeLessThan(1.55);
  });

  test('regular shifts are kept: no allowance as for chance of their own', () => {
    // Ten agents, each with exactly 24 jobs a day, one an hour.
    const count = 10 * 24 * 10;
    const opened = Float64Array.from({ length: count }, (_, index) => (Math.floor(index / 10) * DAY) / 24);
    const plan = planJobs({
      ...{ sessions: count, stillOpen: 0, opened, closed: opened.map((time) => time + 600_000) },
      roles: [
        {
          role: 'agent',
          parties: 10,
          party: Uint32Array.from({ length: count }, (_, index) => 1 + (index % 10)),
        },
      ],
    });
    expect(plan.lowerBound).toBe(25);
    expect(plan.recommended).toBeLessThan(25 * 1.4);
  });

  test('agents on app hold none; what others need decides', () => {
    const plan = planJobs(chanceJobs(30, 20, 5, 9), { app: ['agent'] });
    expect(plan).toMatchObject({
      decidedBy: 'customer',
      displayNumbers: 1,
      roles: [{ lowerBound: 0, recommended: 0 }, {}],
    });
  });

  test('the curve ends at the exact count, and notes say what to know', () => {
    const plan = planJobs({ ...chanceJobs(30, 20, 5, 9), stillOpen: 2 });
    expect(Math.max(...plan.curve.points.map(({ lower }) => lower))).toBe(plan.lowerBound);
    expect(plan.notes).toHaveLength(2);
    expect(plan.notes[0]).toMatch(/covers 5 days, less than the cooldown of customer/);
    const { roles, ...jobs } = chanceJobs(3, 2, 5, 9);
    const unnamed = planJobs({ ...jobs, roles: roles.map((one) => ({ ...one, role: `${one.role}s` })) });
    expect(unnamed.notes.join()).toMatch(/No role is called agent/);
  });

  test('a single job needs one number', () => {
    const one = { sessions: 1, stillOpen: 0, opened: Float64Array.of(0), closed: Float64Array.of(0) };
    const plan = planJobs({ ...one, roles: [{ role: 'agent', parties: 1, party: Uint32Array.of(1) }] });
    expect(plan.lowerBound).toBe(1);
    expect(Number.isFinite(plan.recommended)).toBe(true);
  });
});

test.each([
  ['/growth', { growth: 0 }],
  ['/app', { app: ['nobody'] }],
  ['/cooldownSeconds', { cooldownSeconds: { nobody: 1 } }],
  ['/cooldownSeconds', { cooldownSeconds: { agent: -1 } }],
  ['/horizonDays', { horizonDays: -1 }],
])('wrong at %s: refused there', (pointer, settings) => {
  const jobs = chanceJobs(2, 2, 2, 1);
  expect(() => planJobs(jobs, settings)).toThrow(PlanError);
  expect(() => planJobs(jobs, settings)).toThrow(expect.objectContaining({ pointer }));
});
