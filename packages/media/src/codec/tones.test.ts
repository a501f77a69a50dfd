import { describe, expect, it } from 'vitest';
import { decode, encode } from './g711.ts';
import { measureLevel, measureTone, ringback, ringbackCadence, tone } from './tones.ts';

describe('tones', () => {
  it('have the frequency and the level that was asked for', () => {
    const samples = tone(1_000, 1_000, -10);
    expect(samples).toHaveLength(8_000);
    expect(measureTone(samples, 1_000).levelDbm0).toBeCloseTo(-10, 0);
    expect(measureTone(samples, 1_000).share).toBeGreaterThan(0.98);
    expect(measureTone(samples, 1_300).share).toBeLessThan(0.001);
    expect(measureLevel(samples)).toBeCloseTo(-10, 0);
  });

  it('are found again after G.711 in either law', () => {
    for (const codec of ['PCMU', 'PCMA'] as const) {
      const heard = decode(encode(tone(425, 200), codec), codec);
      expect(measureTone(heard, 425).share).toBeGreaterThan(0.95);
    }
  });

  it('are told apart from silence and from noise', () => {
    expect(measureTone(new Int16Array(800), 425)).toEqual({ levelDbm0: Number.NEGATIVE_INFINITY, share: 0 });
    expect(measureLevel(new Int16Array(800))).toBe(Number.NEGATIVE_INFINITY);
    let seed = 1;
    const noise = Int16Array.from({ length: 8_000 }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return (seed >> 8) % 8_000;
    });
    expect(measureTone(noise, 425).share).toBeLessThan(0.05);
  });

  it('refuses what cannot be a tone', () => {
    for (const hertz of [0, -1, 4_000, Number.NaN]) expect(() => tone(hertz, 10)).toThrow(RangeError);
    for (const ms of [-1, 600_001, Number.NaN]) expect(() => tone(400, ms)).toThrow(RangeError);
    expect(tone(400, 0)).toHaveLength(0);
  });

  it('ring in each country as E.180 has it', () => {
    for (const [country, hertz, on, total] of [
      ['id', [425], 1_000, 5_000],
      ['IN', [375, 425], 400, 3_000],
      ['us', [440, 480], 2_000, 6_000],
      ['gb', [400, 450], 400, 3_000],
      ['nowhere', [425], 1_000, 5_000],
    ] as const) {
      expect(ringbackCadence(country).hertz).toEqual(hertz);
      const samples = ringback(country);
      expect(samples).toHaveLength(total * 8);
      const ringing = samples.subarray(0, on * 8);
      for (const f of hertz) expect(measureTone(ringing, f).share).toBeGreaterThan(0.9 / hertz.length);
      expect(samples.subarray(on * 8, on * 8 + 1_600).every((sample) => sample === 0)).toBe(true);
    }
    const indian = ringback('in');
    expect(measureTone(indian.subarray(4_800, 8_000), 375).share).toBeGreaterThan(0.4);
    expect(indian.subarray(8_000).every((sample) => sample === 0)).toBe(true);
  });
});
