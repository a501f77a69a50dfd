import { describe, expect, test } from 'vitest';
import { durationNodes, lognormalSigma } from './durations.ts';
import { loadCurve } from './load.ts';
import { chanceOfAnyMoreThan, needFor, type PartyClass } from './need.ts';
import { normalQuantile } from './poisson.ts';
import { quantile, type Simulated, simulatedNeeds, twoPeaks } from './testing.ts';
import type { Duration } from './types.ts';

interface Case {
  readonly parties: number;
  readonly perDay: number;
  readonly days: number;
  readonly cooldownHours: number;
  readonly duration: Duration;
  readonly start?: 'empty' | 'running';
  readonly profile?: readonly number[];
  readonly runs: number;
}
const minutes = (mean: number): Duration => ({ kind: 'exponential', meanSeconds: mean * 60 });
const cases: Readonly<Record<string, Case>> = {
  'drivers, a day of cooldown': {
    ...{ parties: 20, perDay: 25, days: 10, cooldownHours: 24, duration: minutes(30), runs: 300 },
  },
  'drivers with two peaks a day': {
    ...{ parties: 20, perDay: 25, days: 10, cooldownHours: 24, duration: minutes(30), runs: 300 },
    profile: twoPeaks,
  },
  'no cooldown, two peaks a day': {
    ...{ parties: 20, perDay: 25, days: 10, cooldownHours: 0, duration: minutes(180), runs: 300 },
    profile: twoPeaks,
  },
  'no cooldown, all equally long': {
    ...{ parties: 20, perDay: 25, days: 10, cooldownHours: 0, runs: 300 },
    duration: { kind: 'fixed', meanSeconds: 10_800 },
  },
  'one courier with 190 stops a day': {
    ...{ parties: 1, perDay: 190, days: 10, cooldownHours: 24, duration: minutes(30), runs: 800 },
  },
  'customers, a month of cooldown, from empty': {
    ...{ parties: 1_000, perDay: 0.2, days: 10, cooldownHours: 720, duration: minutes(30), runs: 400 },
    start: 'empty',
  },
  'a desk with long stays of two kinds': {
    ...{ parties: 2, perDay: 40, days: 20, cooldownHours: 24, runs: 400 },
    duration: { kind: 'lognormal', meanSeconds: 172_800, p95Seconds: 432_000 },
  },
  'hardly anything': {
    ...{ parties: 3, perDay: 2, days: 5, cooldownHours: 1, duration: minutes(60), runs: 2_000 },
  },
};

describe('the need agrees with brute force within 1 number or 2 %', () => {
  test.each(Object.entries(cases))('%s', (_name, one) => {
    const simulated: Simulated = {
      rates: new Array<number>(one.parties).fill(one.perDay / 24),
      horizonHours: one.days * 24,
      start: one.start ?? 'running',
      ...(one.profile === undefined ? {} : { profile: one.profile }),
      held: (random) => one.cooldownHours + drawn(one.duration, random) / 3_600,
      longestHeld: one.cooldownHours + longest(one.duration) / 3_600,
    };
    const needs = simulatedNeeds(simulated, one.runs, 20_261_127);
    const curve = loadCurve({
      horizonHours: one.days * 24,
      start: simulated.start,
      profile: one.profile,
      held: durationNodes(one.duration).map((seconds) => one.cooldownHours + seconds / 3_600),
    });
    const classes = [{ parties: one.parties, perHour: one.perDay / 24 }];
    for (const failure of [0.5, 0.1, 0.02]) {
      const need = quantile(needs, failure);
      const planned = needFor(failure, classes, curve);
      expect(Math.abs(planned - need), `${failure}: ${planned}, simulated ${need}`).toBeLessThanOrEqual(
        Math.max(1, 0.02 * need),
      );
    }
  });
});

test('a rare failure is as rare as it is said to be', () => {
  const one = { parties: 20, perHour: 25 / 24 };
  const curve = loadCurve({ horizonHours: 240, start: 'running', profile: undefined, held: [24.5] });
  const n = needFor(0.01, [one], curve);
  const needs = simulatedNeeds(
    {
      ...{ rates: new Array<number>(20).fill(one.perHour), horizonHours: 240, start: 'running' },
      ...{ held: () => 24.5, longestHeld: 24.5 },
    },
    3_000,
    7,
  );
  const failures = needs.filter((need) => need > n).length;
  expect(failures).toBeGreaterThan(5);
  expect(failures).toBeLessThanOrEqual(45);
});

test('more numbers never fail more often', () => {
  const curve = loadCurve({ horizonHours: 720, start: 'running', profile: twoPeaks, held: [25, 26, 40] });
  const classes: readonly PartyClass[] = [
    { parties: 1, perHour: 8 },
    { parties: 1_000, perHour: 0.2 },
  ];
  const need = needFor(0.5, classes, curve);
  let before = 1;
  for (let n = need; n < need + 120; n++) {
    const chance = chanceOfAnyMoreThan(n, classes, curve);
    expect(chance).toBeLessThanOrEqual(before);
    expect(chance).toBeGreaterThanOrEqual(0);
    before = chance;
  }
  expect(before).toBeLessThan(1e-6);
});

test('a run from empty ends in the running state', () => {
  const held = durationNodes(minutes(40)).map((seconds) => 24 + seconds / 3_600);
  const ramp = loadCurve({ horizonHours: 240, start: 'empty', profile: twoPeaks, held });
  const steady = loadCurve({ horizonHours: 240, start: 'running', profile: twoPeaks, held });
  expect(ramp.last).toBeCloseTo(steady.last, 3);
  expect(ramp.highest).toBeCloseTo(steady.highest, 1);
  expect(loadCurve({ horizonHours: 240, start: 'running', profile: undefined, held }).highest).toBeCloseTo(
    24 + 2 / 3,
  );
});

function drawn(duration: Duration, random: () => number): number {
  switch (duration.kind) {
    case 'fixed':
      return duration.meanSeconds;
    case 'exponential':
      return -Math.log(1 - random()) * duration.meanSeconds;
    case 'lognormal': {
      const { meanSeconds, p95Seconds } = duration;
      const sigma = lognormalSigma(meanSeconds, p95Seconds);
      const mu = Math.log(meanSeconds) - (sigma * sigma) / 2;
      return Math.exp(mu + sigma * normalQuantile(Math.max(1e-12, random())));
    }
    case 'observed':
      return duration.seconds[Math.floor(random() * duration.seconds.length)] ?? 0;
  }
}

function longest(duration: Duration): number {
  return duration.kind === 'lognormal'
    ? duration.p95Seconds * 3
    : (12 * (durationNodes(duration).at(-1) ?? 0)) / 6;
}
