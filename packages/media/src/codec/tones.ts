/** Tones as 16-bit linear samples at 8,000 Hz: made for callers to hear, measured for phones that listen. */

export const SAMPLE_RATE = 8_000;

/** Peak of a sine of 0 dBm0 at 16 bits: the codes' full scale is 3.17 dBm0 (µ-law), 3.14 dBm0 (A-law), G.711 section 4. */
const PEAK_AT_0_DBM0 = 32_124 / 10 ** (3.17 / 20);
const LOUDEST = 3;
const LONGEST = 600_000;

function peak(levelDbm0: number): number {
  return PEAK_AT_0_DBM0 * 10 ** (Math.min(levelDbm0, LOUDEST) / 20);
}

/**
 * A sine, or several added up, each at `levelDbm0`, with 5 ms of fade at both ends so that it doesn't click.
 * @param hertz each above 0 and below 4,000; otherwise a RangeError
 * @param milliseconds 0 to 600,000; otherwise a RangeError
 * @param levelDbm0 of each sine; more than 3 dBm0 is taken as 3. Default −13, a usual level of network tones
 */
export function tone(hertz: number | readonly number[], milliseconds: number, levelDbm0 = -13): Int16Array {
  const frequencies = typeof hertz === 'number' ? [hertz] : hertz;
  if (frequencies.some((f) => !(f > 0 && f < SAMPLE_RATE / 2))) throw new RangeError('tone: frequency');
  if (!(milliseconds >= 0 && milliseconds <= LONGEST)) throw new RangeError('tone: duration');
  const samples = new Int16Array(Math.round((milliseconds * SAMPLE_RATE) / 1000));
  const amplitude = peak(levelDbm0);
  const fade = Math.min(40, samples.length >> 1);
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (const f of frequencies) sum += Math.sin((2 * Math.PI * f * i) / SAMPLE_RATE);
    const edge = Math.min(i, samples.length - 1 - i);
    const gain = edge < fade ? edge / fade : 1;
    samples[i] = Math.max(-32_768, Math.min(32_767, Math.round(sum * amplitude * gain)));
  }
  return samples;
}

export interface Cadence {
  /** Added up. */
  readonly hertz: readonly number[];
  /** On, off, on, off, … in milliseconds; repeated as a whole. */
  readonly pattern: readonly number[];
}

const EUROPE: Cadence = { hertz: [425], pattern: [1000, 4000] };
const DOUBLE_RING: Cadence = { hertz: [400, 450], pattern: [400, 200, 400, 2000] };

/** Ringing tones by country, ITU-T E.180 supplement 2; the default is what E.180 recommends. */
const RINGBACK: ReadonlyMap<string, Cadence> = new Map([
  ['default', EUROPE],
  ['eu', EUROPE],
  ['id', EUROPE],
  // 400 Hz modulated by 25 Hz: its two side bands.
  ['in', { hertz: [375, 425], pattern: [400, 200, 400, 2000] }],
  ['us', { hertz: [440, 480], pattern: [2000, 4000] }],
  ['ca', { hertz: [440, 480], pattern: [2000, 4000] }],
  ['gb', DOUBLE_RING],
  ['ie', DOUBLE_RING],
  ['sg', DOUBLE_RING],
]);

/** @param country ISO 3166 code of two letters, in any case; an unknown one gets the default. */
export function ringbackCadence(country = 'default'): Cadence {
  return RINGBACK.get(country.toLowerCase()) ?? EUROPE;
}

/** One whole period of a country's ringing tone, to be played again and again. */
export function ringback(country = 'default', levelDbm0 = -16): Int16Array {
  const { hertz, pattern } = ringbackCadence(country);
  const total = pattern.reduce((sum, part) => sum + part, 0);
  const samples = new Int16Array((total * SAMPLE_RATE) / 1000);
  let at = 0;
  for (const [index, part] of pattern.entries()) {
    if (index % 2 === 0) samples.set(tone(hertz, part, levelDbm0), at);
    at += (part * SAMPLE_RATE) / 1000;
  }
  return samples;
}

export interface ToneMeasure {
  /** Of the tone alone, dBm0; −Infinity when there is none. */
  readonly levelDbm0: number;
  /** Share of the whole signal's energy that is in the tone, 0 to 1; 0 for silence. */
  readonly share: number;
}

/** How much of one frequency is in the samples (Goertzel's algorithm, resolution 8,000 ÷ length Hz). */
export function measureTone(samples: Int16Array, hertz: number): ToneMeasure {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE);
  let before = 0;
  let last = 0;
  let energy = 0;
  for (const sample of samples) {
    const next = sample + coefficient * last - before;
    before = last;
    last = next;
    energy += sample * sample;
  }
  if (energy === 0) return { levelDbm0: Number.NEGATIVE_INFINITY, share: 0 };
  const power = Math.max(0, last * last + before * before - coefficient * last * before);
  const amplitude = (2 * Math.sqrt(power)) / samples.length;
  return {
    levelDbm0: 20 * Math.log10(amplitude / PEAK_AT_0_DBM0),
    share: Math.min(1, (2 * power) / (samples.length * energy)),
  };
}

/** Level of the whole signal, as a sine of the same energy would have; −Infinity for silence. */
export function measureLevel(samples: Int16Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return 10 * Math.log10((2 * energy) / Math.max(1, samples.length) / PEAK_AT_0_DBM0 ** 2);
}
