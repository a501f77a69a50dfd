import { expect, test } from 'vitest';

/** The browser's own file: JavaScript, which nothing here compiles. */
const { createResampler } = (await import(new URL('./resample.js', import.meta.url).href)) as {
  createResampler(from: number, to: number): (input: Float32Array) => Float32Array;
};

/** Root mean square of the middle of a tone after it went through, over that of the tone itself. */
function gain(frequency: number, from: number, to: number): number {
  const resample = createResampler(from, to);
  const outputs: number[] = [];
  // In blocks of 128, as browsers give it.
  for (let block = 0; block < from / 128; block++) {
    const input = Float32Array.from({ length: 128 }, (_, index) =>
      Math.sin((2 * Math.PI * frequency * (block * 128 + index)) / from),
    );
    outputs.push(...resample(input));
  }
  expect(Math.abs(outputs.length - to)).toBeLessThan(to / 50);
  const middle = outputs.slice(to / 4, (to * 3) / 4);
  return Math.sqrt(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length) / Math.SQRT1_2;
}

test.each([16_000, 44_100, 48_000, 96_000])('a voice passes from %i Hz down and up again', (rate) => {
  for (const frequency of [200, 1_000, 3_000]) {
    expect(gain(frequency, rate, 8_000)).toBeCloseTo(1, 1);
    expect(gain(frequency, 8_000, rate)).toBeCloseTo(1, 1);
  }
});

test.each([44_100, 48_000])('what 8,000 Hz can not hold does not fold back (%i Hz)', (rate) => {
  for (const frequency of [5_000, 6_500, 7_900, 12_000]) {
    expect(gain(frequency, rate, 8_000)).toBeLessThan(0.005);
  }
});
