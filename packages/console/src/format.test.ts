import { expect, test } from 'vitest';
import { instantOf } from './format.ts';

test.each([
  ['2026-01-31T09:30', 'UTC', '2026-01-31T09:30:00.000Z'],
  ['2026-01-31T09:30', 'Asia/Jakarta', '2026-01-31T02:30:00.000Z'],
  ['2026-01-01T00:15:30', 'Asia/Kolkata', '2025-12-31T18:45:30.000Z'],
  ['2026-07-01T12:00', 'America/New_York', '2026-07-01T16:00:00.000Z'],
  ['2026-01-01T12:00', 'America/New_York', '2026-01-01T17:00:00.000Z'],
  // The night on which the clock goes forward, before and after it does.
  ['2026-03-08T01:30', 'America/New_York', '2026-03-08T06:30:00.000Z'],
  ['2026-03-08T03:30', 'America/New_York', '2026-03-08T07:30:00.000Z'],
  ['', 'UTC', undefined],
  ['tomorrow', 'UTC', undefined],
  ['2026-13-01T00:00', 'UTC', undefined],
])('%s on the wall in %s is %s', (wall, zone, instant) => expect(instantOf(wall, zone)).toBe(instant));
