/** Chance from a seed: the same seed, the same trace, on every machine. */
export interface Chance {
  /** 0 ≤ x < 1. */
  next(): number;
  between(low: number, high: number): number;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  exponential(mean: number): number;
  normal(mean: number, deviation: number): number;
  poisson(mean: number): number;
}

export function chanceFrom(seed: number): Chance {
  let state = seed | 0;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
  const exponential = (mean: number) => -Math.log(1 - next()) * mean;
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    below: (count) => Math.floor(next() * count),
    exponential,
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    poisson(mean) {
      let count = 0;
      for (let sum = exponential(1); sum < mean; sum += exponential(1)) count++;
      return count;
    },
  };
}
