import { describe, expect, it } from 'vitest';
import type { Codec } from '../types.ts';
import { decode, decodingTable, encode, SILENCE, transcode, transcodingTable } from './g711.ts';

const LAWS: readonly Codec[] = ['PCMU', 'PCMA'];
const ALL_CODES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

describe('G.711', () => {
  it('has the values of ITU-T G.711 at the ends, around zero and at segment borders', () => {
    const mu: readonly (readonly [number, number])[] = [
      // Table 2a: largest value 8031, last of each segment, first step 2, zero; all times 4.
      [0x80, 8031 * 4],
      [0x8f, 4191 * 4],
      [0x90, 3999 * 4],
      [0x9f, 2079 * 4],
      [0xaf, 1023 * 4],
      [0xbf, 495 * 4],
      [0xcf, 231 * 4],
      [0xdf, 99 * 4],
      [0xef, 33 * 4],
      [0xfe, 2 * 4],
      [0xff, 0],
      [0x7f, 0],
      [0x00, -8031 * 4],
      [0x7e, -2 * 4],
    ];
    for (const [code, value] of mu) expect(decodingTable('PCMU')[code], `µ ${code}`).toBe(value);
    const a: readonly (readonly [number, number])[] = [
      // Table 1a, even bits inverted: 4032, 2112, 1056, 528, 264, 132, 66, 1; all times 8.
      [0xff ^ 0x55, 4032 * 8],
      [0xf0 ^ 0x55, 2112 * 8],
      [0xe0 ^ 0x55, 1056 * 8],
      [0xd0 ^ 0x55, 528 * 8],
      [0xc0 ^ 0x55, 264 * 8],
      [0xb0 ^ 0x55, 132 * 8],
      [0xa0 ^ 0x55, 66 * 8],
      [0x80 ^ 0x55, 1 * 8],
      [0x00 ^ 0x55, -1 * 8],
      [0x7f ^ 0x55, -4032 * 8],
    ];
    for (const [code, value] of a) expect(decodingTable('PCMA')[code], `A ${code}`).toBe(value);
    expect(decodingTable('PCMU')[SILENCE.PCMU]).toBe(0);
    expect(decodingTable('PCMA')[SILENCE.PCMA]).toBe(8);
  });

  it.each(LAWS)('%s: every code survives decoding and encoding, but for the second zero of µ-law', (law) => {
    const expected = ALL_CODES.slice();
    if (law === 'PCMU') expected[0x7f] = 0xff;
    expect(encode(decode(ALL_CODES, law), law)).toEqual(expected);
  });

  it.each([
    // Decision values where the step doubles (tables 1a and 2a, first column), scaled to 16 bits.
    ['PCMU', [31, 95, 223, 479, 991, 2_015, 4_063], 4, [2, 4, 8, 16, 32, 64, 128, 256]],
    ['PCMA', [64, 128, 256, 512, 1_024, 2_048], 8, [2, 4, 8, 16, 32, 64, 128]],
  ] as const)(
    '%s: every 16-bit value falls into the cell that the tables give it',
    (law, borders, scale, steps) => {
      const largest = Math.max(...decodingTable(law));
      const samples = Int16Array.from({ length: 65_536 }, (_, bits) => bits - 32_768);
      const heard = decode(encode(samples, law), law);
      expect(heard).toEqual(heard.slice().sort());
      for (const [i, sample] of samples.entries()) {
        const magnitude = Math.abs(sample);
        const segment = borders.filter((border) => magnitude >= border * scale).length;
        const half = ((steps[segment] as number) * scale) / 2;
        const error = Math.abs((heard[i] as number) - sample);
        if (error > Math.max(half, magnitude - largest)) expect.fail(`${sample} becomes ${heard[i]}`);
      }
      for (const border of borders) {
        const [below, above] = decode(encode(Int16Array.of(border * scale - 1, border * scale), law), law);
        expect(below).toBeLessThan(border * scale);
        expect(above).toBeGreaterThan(border * scale);
      }
    },
  );

  it('loses nothing more after the first conversion between the laws, however often it is repeated', () => {
    const once = transcode(ALL_CODES, 'PCMU', 'PCMA');
    const thrice = transcode(transcode(once, 'PCMA', 'PCMU'), 'PCMU', 'PCMA');
    expect(thrice).toEqual(once);
    const back = transcode(ALL_CODES, 'PCMA', 'PCMU');
    expect(transcode(transcode(back, 'PCMU', 'PCMA'), 'PCMA', 'PCMU')).toEqual(back);
  });

  it('keeps the order of loudness and the sign when it converts', () => {
    for (const [from, to] of [
      ['PCMU', 'PCMA'],
      ['PCMA', 'PCMU'],
    ] as const) {
      const sorted = [...ALL_CODES].sort(
        (one, other) => (decodingTable(from)[one] as number) - (decodingTable(from)[other] as number),
      );
      const values = decode(transcode(Uint8Array.from(sorted), from, to), to);
      expect(values).toEqual(values.slice().sort());
      expect(transcodingTable(from, to)?.length).toBe(256);
    }
    expect(transcodingTable('PCMU', 'PCMU')).toBeUndefined();
  });
});
