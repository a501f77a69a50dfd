/** `samar plan` beside brute force: what a demand needs, and what past jobs say of the time to come. */
import { planDemand, planJobs } from '../../packages/server/src/plan/index.ts';
import { quantile, simulatedNeeds, twoPeaks } from '../../packages/server/src/plan/testing.ts';
import { jobsOfTrace } from './jobs-of-trace.ts';
import { printTable } from './table.ts';
import { makeTrace, traceNames } from './traces.ts';

interface Case {
  readonly name: string;
  readonly parties: number;
  readonly perDay: number;
  readonly cooldownHours: number;
  readonly minutes: number;
  readonly profile?: readonly number[];
  readonly start?: 'empty';
}
const cases: readonly Case[] = [
  { name: '50 drivers, 25 a day, 24 h', parties: 50, perDay: 25, cooldownHours: 24, minutes: 40 },
  {
    name: 'the same with rush hours',
    parties: 50,
    perDay: 25,
    cooldownHours: 24,
    minutes: 40,
    profile: twoPeaks,
  },
  {
    name: '50 drivers, no cooldown',
    parties: 50,
    perDay: 25,
    cooldownHours: 0,
    minutes: 40,
    profile: twoPeaks,
  },
  { name: '10 couriers, 180 a day, 24 h', parties: 10, perDay: 180, cooldownHours: 24, minutes: 120 },
  { name: '20 drivers, 25 a day, 7 d', parties: 20, perDay: 25, cooldownHours: 168, minutes: 40 },
  {
    name: '2,000 riders, 1 in 5 days, 30 d',
    parties: 2_000,
    perDay: 0.2,
    cooldownHours: 720,
    minutes: 40,
    start: 'empty',
  },
  { name: '3 desks, 60 guests a day, stays', parties: 3, perDay: 60, cooldownHours: 24, minutes: 4_320 },
];
const chances = [0.5, 0.1, 0.01];
const DAYS = 10;
const RUNS = 1_000;

export function comparePlans(): void {
  console.log(`Planned and simulated (${RUNS} runs of ${DAYS} days), by chance of a failure:`);
  let worst = 0;
  const rows = cases.map((one) => {
    const needs = simulatedNeeds(
      {
        rates: new Array<number>(one.parties).fill(one.perDay / 24),
        ...{ horizonHours: DAYS * 24, start: one.start ?? 'running' },
        ...(one.profile === undefined ? {} : { profile: one.profile }),
        held: (random) => one.cooldownHours - (Math.log(1 - random()) * one.minutes) / 60,
        longestHeld: one.cooldownHours + one.minutes / 5,
      },
      RUNS,
      20_261_127,
    );
    const cells = chances.flatMap((chance) => {
      const planned = plannedFor(one, chance);
      const need = quantile(needs, chance);
      // In parts of what is allowed: one number, or two in a hundred.
      worst = Math.max(worst, Math.abs(planned - need) / Math.max(1, 0.02 * need));
      return [planned, need];
    });
    return [one.name, ...cells];
  });
  const heads = chances.flatMap((chance) => [`plan ${chance * 100} %`, 'simulated']);
  printTable(['', ...heads], rows);
  console.log(
    worst <= 1
      ? 'All within 1 number or 2 %.'
      : `The worst is off by ${worst.toFixed(1)} times what is allowed.`,
  );
  console.log(
    '\nRecommended from ten days of jobs (chance 1 % in ten days), and needed by the same people in five others:',
  );
  printTable(['', 'needed', 'recommended', 'needed then'], traceNames().map(byJobs));
}

function plannedFor(one: Case, failureProbability: number): number {
  const { recommended } = planDemand({
    ...{ sessionsPerHour: (one.parties * one.perDay) / 24, failureProbability, horizonDays: DAYS },
    duration: { kind: 'exponential', meanSeconds: one.minutes * 60 },
    start: one.start ?? 'running',
    ...(one.profile === undefined ? {} : { dailyProfile: one.profile }),
    roles: [
      {
        ...{ role: 'agent', parties: one.parties, spread: { kind: 'even' } },
        cooldownSeconds: one.cooldownHours * 3_600,
      },
    ],
  });
  return recommended;
}

/** Agents only: customers' cooldown is longer than the ten days of a trace. */
function byJobs(name: string): readonly (string | number)[] {
  const planOf = (series: number) =>
    planJobs(jobsOfTrace(makeTrace(name, 1, series)), { horizonDays: DAYS, failureProbability: 0.01 })
      .roles[0];
  const plan = planOf(0);
  const others = [1, 2, 3, 4, 5].map((series) => planOf(series)?.lowerBound ?? 0);
  return [name, plan?.lowerBound ?? 0, plan?.recommended ?? 0, others.sort((a, b) => a - b).join(' ')];
}
