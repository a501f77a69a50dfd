/**
 * Another sampling rate by a windowed sinc (Blackman, twelve zero crossings a side): what the lower rate can't hold is
 * filtered out first, so that nothing folds back into the voice. Between two samples the nearest of 256 places is taken.
 */
const places = 256;
const crossings = 12;
/** Of the lower rate: below it all passes, and at half of it nothing any more. */
const passband = 0.45;

/** @param {number} from @param {number} to Hz @returns {(input: Float32Array) => Float32Array} */
export function createResampler(from, to) {
  const cutoff = (passband * Math.min(from, to)) / from;
  const half = Math.ceil(crossings / (2 * cutoff));
  const kernels = kernelsOf(cutoff, half);
  const step = from / to;
  let known = new Float32Array(2 * half);
  /** Where the next sample of the output lies in `known`. */
  let at = half;
  return (input) => {
    const all = new Float32Array(known.length + input.length);
    all.set(known);
    all.set(input, known.length);
    const output = new Float32Array(Math.max(0, Math.ceil((all.length - half - at) / step)));
    for (let index = 0; index < output.length; index++) {
      output[index] = sampleAt(all, at, half, kernels);
      at += step;
    }
    const used = Math.max(0, Math.floor(at) - half);
    known = all.slice(used);
    at -= used;
    return output;
  };
}

function sampleAt(all, at, half, kernels) {
  let base = Math.floor(at);
  let place = Math.round((at - base) * places);
  if (place === places) [base, place] = [base + 1, 0];
  const kernel = kernels[place];
  let sum = 0;
  for (let tap = 0; tap < kernel.length; tap++) sum += (all[base - half + 1 + tap] ?? 0) * kernel[tap];
  return sum;
}

function kernelsOf(cutoff, half) {
  return Array.from({ length: places }, (_, place) => {
    const kernel = Float32Array.from({ length: 2 * half }, (_, tap) => {
      const distance = tap - half + 1 - place / places;
      return sinc(2 * cutoff * distance) * blackman(distance / half);
    });
    const sum = kernel.reduce((total, one) => total + one, 0);
    return kernel.map((one) => one / sum);
  });
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function blackman(x) {
  return Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}
