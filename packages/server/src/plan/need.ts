import type { LoadCurve } from './load.ts';
import { logFactorial, poissonMass, poissonTail } from './poisson.ts';

/** Equal parties; `perHour` is the rate of each. */
export interface PartyClass {
  readonly parties: number;
  readonly perHour: number;
}

/**
 * Chance that one party holds more than n numbers at some moment of the horizon.
 *
 * It does so when it does at the end, or when it comes down from n + 1 to n for good some time before. Numbers come
 * back from n + 1 to n at the rate d(t)·P(N = n), with d the rate of releases; for good when the walk up (rate a) and
 * down (rate n·d/m) never comes up again, which is 1 - a·m/(n·d). What happens thus is rare and almost independent,
 * so the chance of none is exp(-∫). For a constant stream this is Alm's approximation for scan statistics.
 */
export function chanceOfMoreThan(n: number, perHour: number, curve: LoadCurve): number {
  const logN = logFactorial(n);
  let descents = 0;
  for (let point = 0; point < curve.load.length; point++) {
    const mean = perHour * (curve.load[point] ?? 0);
    const releases = curve.releases[point] ?? 0;
    if (mean <= 0 || releases <= 0 || n === 0) continue;
    const again = (perHour * (curve.arrivals[point] ?? 0) * (curve.load[point] ?? 0)) / (n * releases);
    if (again >= 1) continue;
    descents += (curve.hours[point] ?? 0) * releases * poissonMass(n, mean, logN) * (1 - again);
  }
  descents *= perHour;
  const atTheEnd = poissonTail(n, perHour * curve.last);
  return 1 - (1 - atTheEnd) * Math.exp(-descents);
}

/**
 * Chance that any party does. `classes` from the busiest down. It is added up no further than to `enough` (the true
 * chance is then at least that), nor over parties who change it by less than a thousandth of `enough`.
 */
export function chanceOfAnyMoreThan(
  n: number,
  classes: readonly PartyClass[],
  curve: LoadCurve,
  enough = 1,
): number {
  let remaining = classes.reduce((sum, one) => sum + one.parties, 0);
  let logNone = 0;
  for (const { parties, perHour } of classes) {
    const chance = chanceOfMoreThan(n, perHour, curve);
    if (chance >= 1) return 1;
    logNone += parties * Math.log1p(-chance);
    remaining -= parties;
    // Everybody after is less busy.
    if (remaining * chance < enough * 1e-3 || -Math.expm1(logNone) > enough) break;
  }
  return -Math.expm1(logNone);
}

/** The smallest pool for which the chance of a failure is at most `failure`. At least 1 where there are sessions. */
export function needFor(failure: number, classes: readonly PartyClass[], curve: LoadCurve): number {
  const busiest = (classes[0]?.perHour ?? 0) * curve.highest;
  if (busiest <= 0) return 0;
  const enough = (n: number) => chanceOfAnyMoreThan(n, classes, curve, failure) <= failure;
  // Near its mean a party crosses n all the time and the formula says too little; from one deviation on it is right.
  let low = Math.max(1, Math.floor(busiest + Math.sqrt(busiest)));
  if (enough(low)) {
    while (low > 1 && low > busiest && enough(low - 1)) low--;
    return low;
  }
  let step = Math.max(1, Math.ceil(Math.sqrt(busiest)));
  let high = low + step;
  while (!enough(high)) {
    low = high;
    step *= 2;
    high += step;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
