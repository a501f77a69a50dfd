/**
 * The load of a party over the horizon, for one session an hour on average; everything else is a multiple of it.
 *
 * Sessions come as a Poisson stream of rate a(t), and each holds a number for its duration D and the cooldown C. With
 * A(t) the stream's integral, a number's holders at t are Poisson with mean G(t) = E[A(t) - A(t - C - D)], and they
 * give numbers back at the rate E[a(t - C - D)] (an M(t)/G/∞ queue).
 */
export interface LoadCurve {
  /** How many hours of the horizon each point stands for: a day that repeats is computed once. */
  readonly hours: Float64Array;
  readonly arrivals: Float64Array;
  readonly load: Float64Array;
  readonly releases: Float64Array;
  readonly highest: number;
  /** At the end of the horizon. */
  readonly last: number;
}

export interface LoadOptions {
  readonly horizonHours: number;
  readonly start: 'empty' | 'running';
  /** 24 weights with mean 1; undefined: the same all day. */
  readonly profile: readonly number[] | undefined;
  /** Equally likely hours for which a number is held: duration and cooldown. */
  readonly held: readonly number[];
}

const POINTS_A_DAY = 96;
const POINTS_TO_FILL = 720;

export function loadCurve(options: LoadOptions): LoadCurve {
  const { horizonHours, start, profile, held } = options;
  const stream = arrivalStream(profile, start === 'empty');
  // From empty the load rises until the longest holder of the beginning has gone; then every day is like the other.
  const full = start === 'empty' ? Math.min(horizonHours, Math.max(...held)) : 0;
  const filling = grid(0, full, full, POINTS_TO_FILL);
  const steady = grid(full, 24, horizonHours - full, profile === undefined ? 1 : POINTS_A_DAY);
  const points = [...filling, ...steady];
  const curve = {
    hours: Float64Array.from(points, (point) => point.hours),
    arrivals: Float64Array.from(points, (point) => stream.rate(point.t)),
    load: new Float64Array(points.length),
    releases: new Float64Array(points.length),
  };
  const last = at(horizonHours, held, stream)[0];
  let highest = last;
  points.forEach(({ t }, index) => {
    const [mean, released] = at(t, held, stream);
    curve.load[index] = mean;
    curve.releases[index] = released;
    highest = Math.max(highest, mean);
  });
  return { ...curve, highest, last };
}

/** Points in the middle of equal parts of `span` from `from` on, which stand for `hours` together. */
function grid(from: number, span: number, hours: number, count: number) {
  if (hours <= 0) return [];
  return Array.from({ length: count }, (_, index) => ({
    t: from + ((index + 0.5) * span) / count,
    hours: hours / count,
  }));
}

interface Stream {
  rate(t: number): number;
  /** The integral of `rate`. */
  total(t: number): number;
}

function arrivalStream(profile: readonly number[] | undefined, empty: boolean): Stream {
  const sums = [0];
  for (const weight of profile ?? []) sums.push((sums.at(-1) ?? 0) + weight);
  const rate = (t: number) => {
    if (empty && t < 0) return 0;
    if (profile === undefined) return 1;
    return profile[Math.floor(t - 24 * Math.floor(t / 24))] ?? 0;
  };
  return {
    rate,
    total(t) {
      if (empty && t < 0) return 0;
      if (profile === undefined) return t;
      const day = Math.floor(t / 24);
      const hour = Math.min(23, Math.floor(t - 24 * day));
      return 24 * day + (sums[hour] ?? 0) + (t - 24 * day - hour) * (profile[hour] ?? 0);
    },
  };
}

function at(t: number, held: readonly number[], stream: Stream): readonly [number, number] {
  let before = 0;
  let released = 0;
  for (const hours of held) {
    before += stream.total(t - hours);
    released += stream.rate(t - hours);
  }
  return [stream.total(t) - before / held.length, released / held.length];
}
