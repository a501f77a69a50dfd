import { describe, expect, it } from 'vitest';
import { checkLimits, checkQuietHours, checkSchedule, checkSpoken, checkTimeZone } from './index.ts';
import { faultOf } from './testing.ts';

const prompts = new Set(['closed']);

describe('schedules', () => {
  const windows = [{ days: ['mon'], from: '08:00', to: '18:00' }];
  const schedule = (change: object) => ({ timeZone: 'Europe/Berlin', windows, ...change });
  const exception = (...exceptions: object[]) => schedule({ exceptions });

  it.each<[string, object]>([
    [
      'overnight windows that meet',
      schedule({
        windows: [
          { from: '22:00', to: '06:00' },
          { from: '06:00', to: '22:00' },
        ],
      }),
    ],
    ['a whole day', schedule({ windows: [{ from: '00:00', to: '24:00' }] })],
    ['every day overnight', schedule({ windows: [{ from: '22:00', to: '00:00' }] })],
    [
      'Sunday into Monday',
      schedule({ windows: [{ days: ['sun'], from: '22:00', to: '08:00' }, ...windows] }),
    ],
    [
      'exceptions',
      exception(
        { date: '2028-02-29', closed: true },
        {
          date: '2026-12-24',
          windows: [
            { from: '08:00', to: '12:00' },
            { from: '22:00', to: '02:00' },
          ],
        },
      ),
    ],
  ])('%s are right', (_, value) => {
    expect(checkSchedule(value, '/schedule')).toBe(value);
  });

  it.each<[string, unknown, string, string]>([
    ['no schedule', 7, '', 'A schedule is an object'],
    ['no zone', { windows }, '/timeZone', 'Europe/Berlin'],
    ['an offset', schedule({ timeZone: '+02:00' }), '/timeZone', 'no time zone'],
    ['no windows', schedule({ windows: [] }), '/windows', 'at least 1'],
    [
      'too many',
      schedule({ windows: Array.from({ length: 51 }, () => windows[0]) }),
      '/windows',
      'at most 50',
    ],
    ['an empty one', schedule({ windows: [{ from: '08:00', to: '08:00' }] }), '/windows/0', 'so it is empty'],
    [
      'a time that is none',
      schedule({ windows: [{ from: '8:00', to: '18:00' }] }),
      '/windows/0/from',
      'HH:MM',
    ],
    [
      '24:00 as a beginning',
      schedule({ windows: [{ from: '24:00', to: '06:00' }] }),
      '/windows/0/from',
      '00:00 to 23:59',
    ],
    ['25:00', schedule({ windows: [{ from: '08:00', to: '25:00' }] }), '/windows/0/to', '00:00 to 24:00'],
    [
      'a day that is none',
      schedule({ windows: [{ days: ['Monday'], from: '08:00', to: '09:00' }] }),
      '/windows/0/days/0',
      'mon, tue',
    ],
    [
      'a day twice',
      schedule({ windows: [{ days: ['mon', 'mon'], from: '08:00', to: '09:00' }] }),
      '/windows/0/days',
      'twice',
    ],
    [
      'overlapping',
      schedule({ windows: [...windows, { from: '17:59', to: '19:00' }] }),
      '/windows/1',
      'overlaps with /schedule/windows/0',
    ],
    [
      'overlapping overnight',
      schedule({ windows: [{ days: ['sun'], from: '22:00', to: '08:01' }, ...windows] }),
      '/windows/1',
      'overlaps with /schedule/windows/0',
    ],
    [
      'overlapping inside a longer one',
      schedule({
        windows: [
          { days: ['tue'], from: '01:00', to: '23:00' },
          { days: ['tue'], from: '02:00', to: '03:00' },
          { days: ['tue'], from: '04:00', to: '05:00' },
        ],
      }),
      '/windows/1',
      '/windows/0',
    ],
    ['a typo', schedule({ window: [] }), '/window', 'it has timeZone, windows, exceptions'],
    [
      'a date that is none',
      exception({ date: '2026-02-30', closed: true }),
      '/exceptions/0/date',
      'a day of the calendar',
    ],
    [
      'a date twice',
      exception({ date: '2026-02-03', closed: true }, { date: '2026-02-03', closed: true }),
      '/exceptions/1/date',
      'already at /schedule/exceptions/0',
    ],
    ['neither', exception({ date: '2026-02-03' }), '/exceptions/0', 'either `closed: true` or `windows`'],
    ['both', exception({ date: '2026-02-03', closed: true, windows: [] }), '/exceptions/0', 'either'],
    ['not closed', exception({ date: '2026-02-03', closed: false }), '/exceptions/0/closed', 'is true'],
    [
      'an exception’s overlap',
      exception({
        date: '2026-02-03',
        windows: [
          { from: '08:00', to: '12:00' },
          { from: '11:00', to: '13:00' },
        ],
      }),
      '/exceptions/0/windows/1',
      'overlaps',
    ],
    [
      'days in an exception',
      exception({ date: '2026-02-03', windows: [{ days: ['mon'], from: '08:00', to: '12:00' }] }),
      '/exceptions/0/windows/0/days',
      'it has from, to',
    ],
    [
      'too many exceptions',
      exception(...Array.from({ length: 401 }, () => ({}))),
      '/exceptions',
      'at most 400',
    ],
  ])('%s', (_, value, pointer, words) => {
    const fault = faultOf(() => checkSchedule(value, '/schedule'));
    expect(fault.pointer).toBe(`/schedule${pointer}`);
    expect(fault.words).toContain(words);
  });
});

describe('limits, quiet hours, zones and words', () => {
  it('are right', () => {
    const limits = {
      callSeconds: 600,
      calls: 10,
      minutes: 60,
      attempts: { calls: 5, perMinutes: 10 },
      quietHours: { from: '22:00', to: '07:00' },
    };
    expect(checkLimits(limits, '')).toBe(limits);
    expect(checkTimeZone('Asia/Kathmandu', '')).toBe('Asia/Kathmandu');
    expect(checkSpoken(['closed', { characters: '12' }], '', prompts)).toHaveLength(2);
  });

  it.each<[() => unknown, string, string]>([
    [() => checkLimits({ callSeconds: 9 }, '/limits'), '/limits/callSeconds', 'from 10 to 86400'],
    [() => checkLimits({ calls: 0 }, '/limits'), '/limits/calls', 'from 1 to 10000'],
    [() => checkLimits({ minutes: 1e6 }, '/limits'), '/limits/minutes', 'from 1 to 100000'],
    [() => checkLimits({ call: 1 }, '/limits'), '/limits/call', 'it has callSeconds'],
    [() => checkLimits({ attempts: {} }, '/limits'), '/limits/attempts/calls', 'from 1'],
    [
      () => checkLimits({ attempts: { calls: 1, perMinutes: 0 } }, '/limits'),
      '/limits/attempts/perMinutes',
      'from 1',
    ],
    [
      () => checkLimits({ quietHours: { from: '22:00', to: '22:00' } }, '/limits'),
      '/limits/quietHours',
      'so it is empty',
    ],
    [() => checkQuietHours({ from: '22', to: '07:00' }, '/quiet'), '/quiet/from', 'HH:MM'],
    [() => checkTimeZone(7, '/zone'), '/zone', 'is a text'],
    [() => checkSpoken([], '/words', prompts), '/words', 'at least 1'],
    [() => checkSpoken(['nope'], '/words', prompts), '/words/0', 'There is no prompt'],
  ])('%s', (check, pointer, words) => {
    const fault = faultOf(check);
    expect(fault.pointer).toBe(pointer);
    expect(fault.words).toContain(words);
  });
});
