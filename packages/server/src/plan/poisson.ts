/** ln n!, by Stirling's series from 16 on: 12 digits. n is a whole number. */
export function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const x = n + 1;
  const inverse = 1 / (x * x);
  const series = (1 / 12 - inverse * (1 / 360 - inverse / 1260)) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

/** P(N = n) for a Poisson variable; `logN` is `logFactorial(n)`, so that one n is used for many means. */
export function poissonMass(n: number, mean: number, logN: number): number {
  if (mean <= 0) return n === 0 ? 1 : 0;
  return Math.exp(n * Math.log(mean) - mean - logN);
}

/** P(N > n). */
export function poissonTail(n: number, mean: number): number {
  if (mean <= 0) return 0;
  if (n + 1 > mean) {
    let term = poissonMass(n + 1, mean, logFactorial(n + 1));
    let sum = 0;
    for (let k = n + 1; term > sum * 1e-14 && k < n + 10_000_000; k++) {
      sum += term;
      term *= mean / (k + 1);
    }
    return sum;
  }
  let term = poissonMass(n, mean, logFactorial(n));
  let sum = 0;
  for (let k = n; k >= 0 && term > sum * 1e-14; k--) {
    sum += term;
    term *= k / mean;
  }
  return 1 - sum;
}

/** The inverse of the standard normal distribution (Acklam's approximation, relative error below 1.2e-9). 0 < p < 1. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return ratio(
      q,
      [
        -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
        2.938163982698783,
      ],
      [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
    );
  }
  const q = p - 0.5;
  return (
    q *
    ratio(
      q * q,
      [
        -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
        2.506628277459239,
      ],
      [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
    )
  );
}

function ratio(x: number, above: readonly number[], below: readonly number[]): number {
  const horner = (terms: readonly number[]) => terms.reduce((sum, term) => sum * x + term, 0);
  return horner(above) / horner(below);
}
