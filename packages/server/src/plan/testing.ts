/** Brute force to hold the arithmetic against: parties, one session after another, by chance from a seed. */

export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Simulated {
  /** Sessions an hour of each party. */
  readonly rates: readonly number[];
  readonly horizonHours: number;
  readonly profile?: readonly number[];
  readonly start: 'empty' | 'running';
  /** Hours for which a number is held. */
  readonly held: (random: () => number) => number;
  /** Longer than almost any number is held. */
  readonly longestHeld: number;
}

/** What so many runs of the horizon needed, in rising order. */
export function simulatedNeeds(of: Simulated, runs: number, seed: number): readonly number[] {
  const random = seeded(seed);
  return Array.from({ length: runs }, () =>
    of.rates.reduce((most, rate) => Math.max(most, needOfParty(of, rate, random)), 0),
  ).sort((one, other) => one - other);
}

/** Below which the share `1 - failure` of the runs is. */
export function quantile(needs: readonly number[], failure: number): number {
  return needs[Math.min(needs.length - 1, Math.ceil((1 - failure) * needs.length) - 1)] ?? 0;
}

function needOfParty(of: Simulated, rate: number, random: () => number): number {
  const busiest = Math.max(1, ...(of.profile ?? []));
  const warmUp = of.start === 'empty' ? 0 : 24 * Math.ceil(of.longestHeld / 24);
  const between = () => -Math.log(1 - random()) / (rate * busiest);
  const frees: number[] = [];
  const opens: number[] = [];
  for (let t = between() - warmUp; t < of.horizonHours; t += between()) {
    const weight = of.profile?.[Math.floor(t - 24 * Math.floor(t / 24))] ?? 1;
    if (random() * busiest > weight) continue;
    const free = t + of.held(random);
    if (free < 0) continue;
    opens.push(t);
    frees.push(free);
  }
  frees.sort((one, other) => one - other);
  let most = opens.filter((t) => t < 0).length;
  let freed = 0;
  opens.forEach((t, index) => {
    while ((frees[freed] ?? Number.POSITIVE_INFINITY) <= t) freed++;
    if (t >= 0) most = Math.max(most, index + 1 - freed);
  });
  return most;
}

/** 24 weights of a working day with two peaks, their mean 1. */
export const twoPeaks: readonly number[] = (() => {
  const weights = [
    ...[0.2, 0.1, 0.1, 0.1, 0.2, 0.5, 1, 2, 2.5, 1.5, 1, 1.2],
    ...[1.5, 1.2, 1, 1, 1.3, 2, 2.5, 1.8, 1, 0.6, 0.4, 0.3],
  ];
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / 24;
  return weights.map((weight) => weight / mean);
})();
