import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reception } from './reception.ts';

test('counts what is missing across the wrap, whatever the order within the window', () => {
  void fc.assert(
    fc.property(
      fc.nat({ max: 65_535 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 198 }), { maxLength: 60 }),
      fc.nat({ max: 1000 }),
      (first, missing, seed) => {
        const reception = new Reception();
        const arrivals = Array.from({ length: 200 }, (_, index) => index)
          .filter((index) => !missing.includes(index))
          // Late by up to 8 places; the first and the last stay.
          .map((index) => ({
            index,
            at: index === 0 || index === 199 ? index : index + ((index * seed) % 8),
          }))
          .sort((a, b) => a.at - b.at);
        for (const { index } of arrivals) reception.add((first + index) & 0xffff, index * 160, index * 20);
        expect(reception.lost).toBe(missing.length);
        expect(reception.received).toBe(200 - missing.length);
      },
    ),
  );
});

test('an even stream has no jitter, an uneven one the mean of its differences', () => {
  const even = new Reception();
  const uneven = new Reception();
  for (let index = 0; index < 400; index++) {
    even.add(index, index * 160, index * 20);
    uneven.add(index, index * 160, index * 20 + (index % 2) * 10);
  }
  expect(even.jitter).toBe(0);
  expect(uneven.jitter / 8).toBeCloseTo(10, 1);
});

test('a stream that restarts far away keeps its totals and counts no loss for the jump', () => {
  const reception = new Reception();
  for (let index = 0; index < 10; index++) reception.add(index, index * 160, index * 20);
  for (let index = 0; index < 10; index++) reception.add(30_000 + index, index * 160, 200 + index * 20);
  // The first packet of the new place is only believed when the next follows it.
  expect(reception.received).toBe(19);
  expect(reception.lost).toBe(0);
});

test('the fraction lost is that of the last interval', () => {
  const reception = new Reception();
  for (let index = 0; index < 101; index++)
    if (index % 2 === 0) reception.add(index, index * 160, index * 20);
  expect(reception.reportFraction()).toBe(Math.floor((50 * 256) / 101));
  for (let index = 101; index < 200; index++) reception.add(index, index * 160, index * 20);
  expect(reception.reportFraction()).toBe(0);
});
