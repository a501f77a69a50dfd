import { expect, test } from 'vitest';
import { createRate } from './rate.ts';

test('each call counts once, in the ten seconds in which it began', () => {
  let now = Date.parse('2026-01-31T09:30:00Z');
  const rate = createRate(() => now);
  const call = (id: number, second: number) => ({
    id: `call_${id}`,
    startedAt: new Date(now + second * 1_000).toISOString(),
  });
  const first = [call(1, 1), call(2, 9), call(3, 11)];
  rate.add(first);
  rate.add([...first, call(4, 12)]);
  rate.add([{ id: 'call_5', startedAt: 'never' }]);
  now += 30_000;
  const { x, perSecond } = rate.read();
  expect(x).toHaveLength(60);
  expect(x.at(-1)).toBe(now / 1_000 - 10);
  expect(perSecond.slice(-4)).toEqual([0, 0.2, 0.2, 0]);
});

test('what it remembers is bounded', () => {
  const rate = createRate(() => 1_000_000_000);
  const startedAt = new Date(999_995_000).toISOString();
  for (let id = 0; id < 20_000; id++) rate.add([{ id: String(id), startedAt }]);
  expect(rate.read().perSecond.reduce((sum, one) => sum + one * 10, 0)).toBeLessThanOrEqual(5_000);
});
