import { normalQuantile } from './poisson.ts';
import { type Duration, PlanError } from './types.ts';

/** Enough that a pool's size doesn't depend on it, few enough for thousands of points in time. */
const NODES = 200;
/** The standard normal distribution's 95th percentile. */
const Z95 = 1.6448536269514722;

/** Equally likely seconds that stand for the distribution; their mean is its mean exactly. */
export function durationNodes(duration: Duration): readonly number[] {
  switch (duration.kind) {
    case 'fixed':
      return [duration.meanSeconds];
    case 'exponential':
      return withMean(
        middles().map((p) => -Math.log(1 - p)),
        duration.meanSeconds,
      );
    case 'lognormal': {
      const sigma = lognormalSigma(duration.meanSeconds, duration.p95Seconds);
      return withMean(
        middles().map((p) => Math.exp(sigma * normalQuantile(p))),
        duration.meanSeconds,
      );
    }
    case 'observed':
      return thinned(duration.seconds);
  }
}

/** Throws `PlanError` at `pointer`. */
export function checkDuration(duration: Duration, pointer: string): void {
  const longest = 3_660 * 86_400;
  const fits = (seconds: number) => Number.isFinite(seconds) && seconds >= 0 && seconds <= longest;
  switch (duration.kind) {
    case 'fixed':
    case 'exponential':
      if (!fits(duration.meanSeconds)) throw new PlanError(`${pointer}/meanSeconds`, outOfRange);
      return;
    case 'lognormal': {
      const { meanSeconds, p95Seconds } = duration;
      if (!fits(meanSeconds) || meanSeconds === 0) throw new PlanError(`${pointer}/meanSeconds`, outOfRange);
      if (!fits(p95Seconds)) throw new PlanError(`${pointer}/p95Seconds`, outOfRange);
      if (p95Seconds <= meanSeconds || p95Seconds > 3.8 * meanSeconds) {
        throw new PlanError(
          `${pointer}/p95Seconds`,
          'The 95th percentile must lie above the mean, and at most 3.8 times as high.',
        );
      }
      return;
    }
    case 'observed': {
      const { seconds } = duration;
      const rising = seconds.every((one, index) => fits(one) && one >= (seconds[index - 1] ?? 0));
      if (seconds.length === 0 || !rising) {
        throw new PlanError(`${pointer}/seconds`, 'Durations must be seconds in rising order, one at least.');
      }
    }
  }
}
const outOfRange = 'A duration lies between 0 seconds and ten years.';

/** mean = exp(μ + σ²/2) and p95 = exp(μ + 1.645 σ), solved for the smaller σ. */
export function lognormalSigma(meanSeconds: number, p95Seconds: number): number {
  return Z95 - Math.sqrt(Math.max(0, Z95 * Z95 - 2 * Math.log(p95Seconds / meanSeconds)));
}

function middles(): readonly number[] {
  return Array.from({ length: NODES }, (_, index) => (index + 0.5) / NODES);
}

function withMean(values: readonly number[], mean: number): readonly number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => (value * mean * values.length) / sum);
}

/** At most `NODES` of them, each the mean of its neighbours. */
function thinned(seconds: readonly number[]): readonly number[] {
  if (seconds.length <= NODES) return seconds;
  return Array.from({ length: NODES }, (_, node) => {
    const from = Math.floor((node * seconds.length) / NODES);
    const to = Math.floor(((node + 1) * seconds.length) / NODES);
    let sum = 0;
    for (let index = from; index < to; index++) sum += seconds[index] ?? 0;
    return sum / (to - from);
  });
}
