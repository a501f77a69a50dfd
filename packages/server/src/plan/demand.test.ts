import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planDemand } from './demand.ts';
import { partyClasses } from './spread.ts';
import { type Demand, PlanError } from './types.ts';

const demand: Demand = {
  sessionsPerHour: 500,
  duration: { kind: 'lognormal', meanSeconds: 2_400, p95Seconds: 5_400 },
  roles: [
    { role: 'agent', parties: 600, spread: { kind: 'busiest', sessionsPerDay: 30 } },
    { role: 'customer', parties: 40_000, spread: { kind: 'even' } },
  ],
};

const demands = fc.record({
  sessionsPerHour: fc.double({ min: 0.1, max: 5_000, noNaN: true }),
  duration: fc.oneof(
    fc.record({
      kind: fc.constantFrom('fixed' as const, 'exponential' as const),
      meanSeconds: fc.integer({ min: 0, max: 100_000 }),
    }),
    fc
      .tuple(fc.integer({ min: 60, max: 100_000 }), fc.double({ min: 1.05, max: 3.7, noNaN: true }))
      .map(([meanSeconds, times]) => ({
        kind: 'lognormal' as const,
        meanSeconds,
        p95Seconds: meanSeconds * times,
      })),
  ),
  start: fc.constantFrom('empty' as const, 'running' as const),
  horizonDays: fc.integer({ min: 1, max: 60 }),
  failureProbability: fc.constantFrom(0.5, 0.1, 0.01, 1e-3, 1e-6),
  roles: fc.tuple(
    ...['agent', 'customer'].map((role) =>
      fc.record({
        role: fc.constant(role),
        parties: fc.integer({ min: 1, max: 1_000_000 }),
        spread: fc.oneof(
          fc.constant({ kind: 'even' as const }),
          fc.record({
            kind: fc.constant('zipf' as const),
            exponent: fc.double({ min: 0, max: 2, noNaN: true }),
          }),
        ),
        cooldownSeconds: fc.integer({ min: 0, max: 2_592_000 }),
      }),
    ),
  ),
});

describe('a plan', () => {
  test('of a marketplace', () => {
    const plan = planDemand({ ...demand, pricePerNumber: 1.5 });
    expect(plan.decidedBy).toBe('agent');
    // A day's 30 sessions and as much again of chance among 600 and 30 days.
    expect(plan.lowerBound).toBeGreaterThan(40);
    expect(plan.recommended).toBeLessThan(70);
    expect(plan.monthlyCost).toBeCloseTo(plan.recommended * 1.5);
    expect(plan.alternatives.map(({ change }) => change)).toEqual([
      'agent on app',
      'agent on app, customer: cooldown 7 d instead of 30 d',
      'agent: cooldown 6 h instead of 24 h',
      'agent: cooldown 7 d instead of 24 h',
    ]);
    const [app] = plan.alternatives;
    expect(app?.recommended).toBe(plan.roles[1]?.recommended);
    expect(app?.monthlyCost).toBeCloseTo(((app?.recommended ?? 0) + 1) * 1.5);
    expect(plan.curve.points[6]).toMatchObject({ lower: plan.lowerBound, recommended: plan.recommended });
  });

  test('never recommends less than the lower bound, nor less for more sessions, days, cooldown or care', () => {
    fc.assert(
      fc.property(demands, (one) => {
        const plan = planDemand(one);
        expect(plan.recommended).toBeGreaterThanOrEqual(plan.lowerBound);
        expect(plan.lowerBound).toBeGreaterThanOrEqual(1);
        expect(plan.recommended).toBeGreaterThanOrEqual(
          Math.max(...plan.roles.map((role) => role.recommended)),
        );
        const more: readonly Demand[] = [
          { ...one, sessionsPerHour: one.sessionsPerHour * 1.5 },
          { ...one, failureProbability: one.failureProbability / 10 },
          {
            ...one,
            roles: one.roles.map((role) => ({ ...role, cooldownSeconds: role.cooldownSeconds * 2 })),
          },
          { ...one, start: 'running' },
        ];
        // What is just on the edge may fall to either side: the chance is an approximation.
        for (const other of more)
          expect(planDemand(other).recommended).toBeGreaterThanOrEqual(plan.recommended - 1);
      }),
      { numRuns: 25, seed: 3 },
    );
  }, 60_000);

  test('is empty when everybody is on app', () => {
    const plan = planDemand({
      ...demand,
      roles: demand.roles.map((role) => ({ ...role, reach: 'app' as const })),
    });
    expect(plan).toMatchObject({
      recommended: 0,
      lowerBound: 0,
      decidedBy: undefined,
      displayNumbers: 1,
      alternatives: [],
    });
  });
});

describe('the spread of sessions', () => {
  test.each([
    [{ kind: 'even' as const }, 40_000],
    [{ kind: 'zipf' as const, exponent: 0.8 }, 1_000_000],
    [{ kind: 'zipf' as const, exponent: 1 }, 100],
    [{ kind: 'busiest' as const, sessionsPerDay: 60 }, 5_000],
  ])('%j over %i: everybody and every session is in it', (spread, parties) => {
    const classes = partyClasses(spread, parties, 100, '');
    expect(classes.reduce((sum, one) => sum + one.parties, 0)).toBe(parties);
    expect(classes.reduce((sum, one) => sum + one.parties * one.perHour, 0)).toBeCloseTo(100, 4);
    for (const [index, one] of classes.entries()) {
      expect(one.perHour).toBeLessThanOrEqual((classes[index - 1]?.perHour ?? 1e9) * (1 + 1e-9));
    }
    if (spread.kind === 'busiest') expect((classes[0]?.perHour ?? 0) * 24).toBeCloseTo(60, 3);
  });
});

test.each<[string, Partial<Demand>]>([
  ['/sessionsPerHour', { sessionsPerHour: 0 }],
  ['/sessionsPerHour', { sessionsPerHour: Number.NaN }],
  ['/dailyProfile', { dailyProfile: [1, 2, 3] }],
  ['/dailyProfile', { dailyProfile: new Array<number>(24).fill(-1) }],
  ['/duration/meanSeconds', { duration: { kind: 'exponential', meanSeconds: -1 } }],
  ['/duration/p95Seconds', { duration: { kind: 'lognormal', meanSeconds: 10, p95Seconds: 10 } }],
  ['/duration/p95Seconds', { duration: { kind: 'lognormal', meanSeconds: 10, p95Seconds: 39 } }],
  ['/duration/seconds', { duration: { kind: 'observed', seconds: [2, 1] } }],
  ['/roles', { roles: [] }],
  ['/roles/0/role', { roles: [{ role: '+62811', parties: 1, spread: { kind: 'even' } }] }],
  ['/roles/0/parties', { roles: [{ role: 'agent', parties: 1.5, spread: { kind: 'even' } }] }],
  [
    '/roles/0/spread/exponent',
    { roles: [{ role: 'agent', parties: 5, spread: { kind: 'zipf', exponent: -1 } }] },
  ],
  [
    '/roles/0/spread/sessionsPerDay',
    { roles: [{ role: 'agent', parties: 5, spread: { kind: 'busiest', sessionsPerDay: 1 } }] },
  ],
  [
    '/roles/0/spread/sessionsPerDay',
    { roles: [{ role: 'agent', parties: 5, spread: { kind: 'busiest', sessionsPerDay: 1e6 } }] },
  ],
  [
    '/roles/0/cooldownSeconds',
    { roles: [{ role: 'agent', parties: 5, spread: { kind: 'even' }, cooldownSeconds: -1 }] },
  ],
  ['/horizonDays', { horizonDays: 0 }],
  ['/failureProbability', { failureProbability: 0 }],
  ['/failureProbability', { failureProbability: 0.6 }],
  ['/pricePerNumber', { pricePerNumber: -1 }],
])('wrong at %s: refused there', (pointer, change) => {
  expect(() => planDemand({ ...demand, ...change })).toThrow(PlanError);
  expect(() => planDemand({ ...demand, ...change })).toThrow(expect.objectContaining({ pointer }));
});
