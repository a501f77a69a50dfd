import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inQuietHours, isOpen, isTimeZone, nextChange, nowFacts } from './schedule.ts';
import type { ScheduleDefinition } from './types.ts';

const weekday = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;

function at(text: string): Date {
  return new Date(text);
}

describe('a schedule', () => {
  const office: ScheduleDefinition = {
    timeZone: 'Europe/Berlin',
    windows: [
      { days: weekday, from: '08:00', to: '18:00' },
      { days: ['sat'], from: '10:00', to: '14:00' },
    ],
    exceptions: [
      { date: '2026-12-24', windows: [{ from: '09:00', to: '12:00' }] },
      { date: '2026-12-25', closed: true },
    ],
  };

  it.each([
    ['2026-03-02T07:00:00Z', true, 'Monday 08:00, the first moment'],
    ['2026-03-02T06:59:59Z', false, 'one second before'],
    ['2026-03-02T16:59:59Z', true, 'the last second'],
    ['2026-03-02T17:00:00Z', false, 'Monday 18:00'],
    ['2026-07-06T06:00:00Z', true, 'Monday 08:00 in summer'],
    ['2026-07-06T16:00:00Z', false, 'Monday 18:00 in summer'],
    ['2026-03-07T09:00:00Z', true, 'Saturday 10:00'],
    ['2026-03-07T07:00:00Z', false, 'Saturday 08:00'],
    ['2026-03-08T11:00:00Z', false, 'Sunday'],
    ['2026-12-24T08:00:00Z', true, 'the exception’s own window'],
    ['2026-12-24T12:00:00Z', false, 'after it, though the week would be open'],
    ['2026-12-25T09:00:00Z', false, 'a holiday'],
  ])('at %s is open: %s (%s)', (instant, open) => {
    expect(isOpen(office, at(instant))).toBe(open);
  });

  it('tells the next change over nights, weekends and holidays', () => {
    expect(nextChange(office, at('2026-03-02T12:00:00Z'))).toEqual(at('2026-03-02T17:00:00Z'));
    expect(nextChange(office, at('2026-03-06T17:00:00Z'))).toEqual(at('2026-03-07T09:00:00Z'));
    expect(nextChange(office, at('2026-03-07T13:00:00Z'))).toEqual(at('2026-03-09T07:00:00Z'));
    // Thursday is Christmas Eve, Friday a holiday, Saturday short.
    expect(nextChange(office, at('2026-12-24T11:00:00Z'))).toEqual(at('2026-12-26T09:00:00Z'));
  });

  it('tells no change that is more than 14 days ahead', () => {
    const closed: ScheduleDefinition = {
      timeZone: 'UTC',
      windows: [{ from: '00:00', to: '24:00' }],
      exceptions: Array.from({ length: 31 }, (_, day) => ({
        date: `2026-08-${String(day + 1).padStart(2, '0')}`,
        closed: true as const,
      })),
    };
    expect(nextChange(closed, at('2026-08-01T00:00:00Z'))).toBeUndefined();
    expect(nextChange(closed, at('2026-08-20T00:00:00Z'))).toEqual(at('2026-09-01T00:00:00Z'));
    expect(nextChange({ ...closed, exceptions: [] }, at('2026-08-20T00:00:00Z'))).toBeUndefined();
  });

  it('runs overnight into the next day, Sunday into Monday', () => {
    const nights: ScheduleDefinition = {
      timeZone: 'Asia/Kathmandu',
      windows: [{ days: ['sun'], from: '22:00', to: '06:00' }],
    };
    // Kathmandu is 5:45 ahead.
    expect(isOpen(nights, at('2026-03-01T16:15:00Z'))).toBe(true);
    expect(isOpen(nights, at('2026-03-01T16:14:59Z'))).toBe(false);
    expect(isOpen(nights, at('2026-03-02T00:14:59Z'))).toBe(true);
    expect(isOpen(nights, at('2026-03-02T00:15:00Z'))).toBe(false);
    // Monday evening is not Sunday evening.
    expect(isOpen(nights, at('2026-03-02T16:15:00Z'))).toBe(false);
    expect(nextChange(nights, at('2026-03-01T20:00:00Z'))).toEqual(at('2026-03-02T00:15:00Z'));
  });

  it('ends at 24:00, and 00:00 as an end is the same', () => {
    for (const to of ['24:00', '00:00']) {
      const evening: ScheduleDefinition = {
        timeZone: 'UTC',
        windows: [{ days: ['mon'], from: '20:00', to }],
      };
      expect(isOpen(evening, at('2026-03-02T23:59:59Z'))).toBe(true);
      expect(isOpen(evening, at('2026-03-03T00:00:00Z'))).toBe(false);
      expect(nextChange(evening, at('2026-03-02T21:00:00Z'))).toEqual(at('2026-03-03T00:00:00Z'));
    }
  });

  it('is open without a break where one day’s window meets the next', () => {
    const always: ScheduleDefinition = {
      timeZone: 'Europe/Berlin',
      windows: [{ from: '00:00', to: '24:00' }],
    };
    expect(isOpen(always, at('2026-03-29T01:00:00Z'))).toBe(true);
    expect(nextChange(always, at('2026-03-28T12:00:00Z'))).toBeUndefined();
  });

  it('an exception owns its date: the night before it ends at midnight, its own night goes on', () => {
    const nights: ScheduleDefinition = {
      timeZone: 'UTC',
      windows: [{ from: '22:00', to: '06:00' }],
      exceptions: [
        { date: '2026-12-25', closed: true },
        { date: '2026-12-31', windows: [{ from: '20:00', to: '04:00' }] },
        { date: '2027-01-05', windows: [{ from: '20:00', to: '04:00' }] },
        { date: '2027-01-06', windows: [{ from: '12:00', to: '13:00' }] },
      ],
    };
    expect(isOpen(nights, at('2026-12-24T23:59:00Z'))).toBe(true);
    expect(isOpen(nights, at('2026-12-25T00:00:00Z'))).toBe(false);
    expect(isOpen(nights, at('2026-12-25T23:00:00Z'))).toBe(false);
    expect(isOpen(nights, at('2026-12-26T01:00:00Z'))).toBe(false);
    expect(isOpen(nights, at('2026-12-31T03:00:00Z'))).toBe(false);
    expect(isOpen(nights, at('2026-12-31T21:00:00Z'))).toBe(true);
    expect(isOpen(nights, at('2027-01-01T03:59:00Z'))).toBe(true);
    expect(isOpen(nights, at('2027-01-01T04:00:00Z'))).toBe(false);
    // Two exceptions in a row: the second one owns its date.
    expect(isOpen(nights, at('2027-01-06T01:00:00Z'))).toBe(false);
    expect(nextChange(nights, at('2026-12-24T22:30:00Z'))).toEqual(at('2026-12-25T00:00:00Z'));
  });
});

describe('when the clocks are changed', () => {
  it('Europe/Berlin skips an hour: what lies in it never opens, what begins in it opens after it', () => {
    // 2026-03-29, 02:00 becomes 03:00 at 01:00 UTC.
    const within: ScheduleDefinition = {
      timeZone: 'Europe/Berlin',
      windows: [{ from: '02:10', to: '02:50' }],
    };
    expect(nextChange(within, at('2026-03-28T12:00:00Z'))).toEqual(at('2026-03-30T00:10:00Z'));
    const into: ScheduleDefinition = { timeZone: 'Europe/Berlin', windows: [{ from: '02:30', to: '05:00' }] };
    expect(nextChange(into, at('2026-03-29T00:00:00Z'))).toEqual(at('2026-03-29T01:00:00Z'));
    expect(isOpen(into, at('2026-03-29T00:59:59Z'))).toBe(false);
    expect(nextChange(into, at('2026-03-29T01:00:00Z'))).toEqual(at('2026-03-29T03:00:00Z'));
    const over: ScheduleDefinition = { timeZone: 'Europe/Berlin', windows: [{ from: '22:00', to: '06:00' }] };
    // Seven hours long that night.
    expect(nextChange(over, at('2026-03-28T21:00:00Z'))).toEqual(at('2026-03-29T04:00:00Z'));
  });

  it('America/New_York repeats an hour: a window within it is open twice', () => {
    // 2026-11-01, 02:00 becomes 01:00 at 06:00 UTC.
    const within: ScheduleDefinition = {
      timeZone: 'America/New_York',
      windows: [{ from: '01:15', to: '01:45' }],
    };
    const changes: string[] = [];
    let from = at('2026-11-01T04:00:00Z');
    for (let count = 0; count < 5; count++) {
      const next = nextChange(within, from);
      if (next === undefined) break;
      changes.push(next.toISOString().slice(0, 16));
      from = next;
    }
    expect(changes).toEqual([
      '2026-11-01T05:15',
      '2026-11-01T05:45',
      '2026-11-01T06:15',
      '2026-11-01T06:45',
      '2026-11-02T06:15',
    ]);
    const over: ScheduleDefinition = {
      timeZone: 'America/New_York',
      windows: [{ from: '22:00', to: '06:00' }],
    };
    // Nine hours long that night.
    expect(nextChange(over, at('2026-11-01T02:00:00Z'))).toEqual(at('2026-11-01T11:00:00Z'));
  });

  it('Australia/Lord_Howe moves by half an hour', () => {
    // 2026-04-05, 02:00 (+11) becomes 01:30 (+10:30) at 15:00 UTC on the 4th.
    const night: ScheduleDefinition = {
      timeZone: 'Australia/Lord_Howe',
      windows: [{ from: '01:30', to: '02:00' }],
    };
    expect(isOpen(night, at('2026-04-04T14:29:59Z'))).toBe(false);
    expect(isOpen(night, at('2026-04-04T14:30:00Z'))).toBe(true);
    // Open for the whole hour that is one half hour twice.
    expect(nextChange(night, at('2026-04-04T14:30:00Z'))).toEqual(at('2026-04-04T15:30:00Z'));
    expect(nowFacts(at('2026-04-04T14:59:00Z'), 'Australia/Lord_Howe').time).toBe('01:59');
    expect(nowFacts(at('2026-04-04T15:00:00Z'), 'Australia/Lord_Howe').time).toBe('01:30');
  });

  it('Pacific/Apia had no 30 December 2011', () => {
    const apia = 'Pacific/Apia';
    expect(nowFacts(at('2011-12-30T09:59:59Z'), apia)).toMatchObject({
      date: '2011-12-29',
      time: '23:59',
      weekday: 'thu',
    });
    expect(nowFacts(at('2011-12-30T10:00:00Z'), apia)).toMatchObject({
      date: '2011-12-31',
      time: '00:00',
      weekday: 'sat',
    });
    const fridays: ScheduleDefinition = {
      timeZone: apia,
      windows: [{ days: ['fri'], from: '09:00', to: '17:00' }],
    };
    // From the Thursday on, the next Friday is the one in January.
    expect(nextChange(fridays, at('2011-12-30T00:00:00Z'))).toEqual(at('2012-01-05T19:00:00Z'));
    const nights: ScheduleDefinition = {
      timeZone: apia,
      windows: [{ days: ['thu'], from: '22:00', to: '06:00' }],
    };
    // The night from Thursday would end on a day that is not: it ends where the calendar jumps.
    expect(nextChange(nights, at('2011-12-30T09:00:00Z'))).toEqual(at('2011-12-30T10:00:00Z'));
  });

  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kathmandu',
    'Pacific/Apia',
    'Australia/Lord_Howe',
    'UTC',
  ];
  const time = fc
    .tuple(fc.nat(23), fc.nat(59))
    .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);

  it('nothing changes between now and the next change, and then it does', () => {
    const span = { min: at('2026-01-01T00:00:00Z'), max: at('2026-12-31T00:00:00Z'), noInvalidDate: true };
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        time,
        time,
        fc.date(span),
        fc.nat(999),
        (timeZone, from, to, moment, share) => {
          fc.pre(from !== to);
          const schedule: ScheduleDefinition = { timeZone, windows: [{ from, to }] };
          const open = isOpen(schedule, moment);
          const change = nextChange(schedule, moment);
          if (change === undefined) throw new Error('a daily window changes every day');
          expect(isOpen(schedule, change)).toBe(!open);
          expect(isOpen(schedule, new Date(change.getTime() - 1))).toBe(open);
          const between =
            moment.getTime() + Math.floor(((change.getTime() - moment.getTime()) * share) / 1_000);
          expect(isOpen(schedule, new Date(between))).toBe(open);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('agrees with the wall clock as text at every moment', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        time,
        time,
        fc.integer({ min: 1_767_225_600, max: 1_798_761_600 }),
        (timeZone, from, to, second) => {
          fc.pre(from !== to);
          const moment = new Date(second * 1_000);
          const now = nowFacts(moment, timeZone);
          const expected = from < to ? now.time >= from && now.time < to : now.time >= from || now.time < to;
          expect(isOpen({ timeZone, windows: [{ from, to }] }, moment)).toBe(expected);
          expect(inQuietHours({ from, to }, moment, timeZone)).toBe(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the facts about now', () => {
  it('are local', () => {
    expect(nowFacts(at('2026-03-01T18:30:00Z'), 'Asia/Kathmandu')).toEqual({
      year: 2026,
      month: 3,
      day: 2,
      hour: 0,
      minute: 15,
      weekday: 'mon',
      date: '2026-03-02',
      time: '00:15',
      timeZone: 'Asia/Kathmandu',
      epoch: 1_772_389_800,
    });
  });

  it.each(['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'EST5EDT'])(
    '%s is a time zone',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );
  it.each(['Europe/Atlantis', '+02:00', '', 'GMT+25', 'Europe/', '../etc', 'a'.repeat(300)])(
    '%j is none',
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );
});
