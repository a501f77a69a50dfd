import { describe, expect, it } from 'vitest';
import { seeded } from './seeded.ts';
import { Sequences } from './sequences.ts';

function lostAfter(numbers: readonly number[]): number {
  const sequences = new Sequences(numbers[0] ?? 0);
  for (const number of numbers) sequences.accept(number);
  return sequences.lost;
}

describe('counting by sequence numbers', () => {
  it('counts gaps, also over the wrap, and takes back what comes late', () => {
    expect(lostAfter([1, 2, 3])).toBe(0);
    expect(lostAfter([1, 4])).toBe(2);
    expect(lostAfter([65_534, 65_535, 1, 2])).toBe(1);
    expect(lostAfter([65_534, 2, 65_535, 0, 1])).toBe(0);
    expect(lostAfter([0, 65_535, 1])).toBe(0);
  });

  it('knows duplicates', () => {
    const sequences = new Sequences(10);
    expect([10, 12, 11, 12, 11, 10, 13].map((number) => sequences.accept(number))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(sequences.lost).toBe(0);
  });

  it('begins anew when the sender does', () => {
    expect(lostAfter([100, 101, 30_000, 30_001])).toBe(0);
    expect(lostAfter([30_000, 30_002, 5, 6])).toBe(1);
  });

  it('is exact under loss, jitter and duplicates over several wraps', () => {
    const random = seeded(9);
    const arrivals: { readonly number: number; readonly at: number }[] = [];
    let lost = 0;
    for (let number = 0; number < 150_000; number++) {
      if (number > 0 && number < 149_999 && random() < 0.03) {
        lost++;
        continue;
      }
      const jitter = number === 0 ? 0 : random() * 8;
      arrivals.push({ number, at: number + jitter });
      if (random() < 0.02) arrivals.push({ number, at: number + 5 });
    }
    arrivals.sort((one, other) => one.at - other.at);
    expect(lostAfter(arrivals.map(({ number }) => number & 0xffff))).toBe(lost);
  });
});
