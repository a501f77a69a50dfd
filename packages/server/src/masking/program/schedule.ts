/**
 * When a schedule is open, in the wall time of its zone: a window is open whenever a clock on the wall there shows a
 * time within it, `from` included and `to` not. So in the hour that comes twice a window within it is open twice, and
 * in the hour that is skipped not at all.
 *
 * An exception owns its whole date, midnight to midnight: a window that began the evening before ends at that
 * midnight. An exception's own window may run past midnight, into the next day, unless that is an exception as well.
 */
import { createBounded } from './bounded.ts';
import {
  type LimitsDefinition,
  type NowFacts,
  type ScheduleDefinition,
  type WindowDefinition,
  weekdays,
} from './types.ts';

/** Minutes of a day. */
interface Span {
  readonly from: number;
  /** Past 1,440: on the next day. */
  readonly to: number;
}
/** What a clock and a calendar on the wall show. */
interface Wall {
  /** Days since 1970-01-01 of the local date. */
  readonly day: number;
  readonly minute: number;
  /** Milliseconds by which it is ahead of UTC. */
  readonly offset: number;
}

const minuteMilliseconds = 60_000;
const dayMinutes = 1_440;
const dayMilliseconds = dayMinutes * minuteMilliseconds;
const horizonDays = 14;

const formatters = createBounded<Intl.DateTimeFormat>(200);

/** IANA names only: `+02:00` knows nothing of summers. */
export function isTimeZone(timeZone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(timeZone)) return false;
  try {
    formatter(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** Local date and time of `at` in an IANA time zone. Throws `RangeError` for a zone that doesn't exist. */
export function nowFacts(at: Date, timeZone: string): NowFacts {
  const wall = wallOf(at.getTime(), timeZone);
  const local = new Date(at.getTime() + wall.offset);
  const text = local.toISOString();
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    weekday: weekdayOf(wall.day),
    date: text.slice(0, 10),
    time: text.slice(11, 16),
    timeZone,
    epoch: Math.floor(at.getTime() / 1_000),
  };
}

/** Quiet hours whose `to` is before their `from` end on the next day. */
export function inQuietHours(
  quiet: NonNullable<LimitsDefinition['quietHours']>,
  at: Date,
  timeZone: string,
): boolean {
  const { minute } = wallOf(at.getTime(), timeZone);
  const { from, to } = spanOf(quiet);
  return (minute >= from && minute < to) || minute + dayMinutes < to;
}

export function isOpen(schedule: ScheduleDefinition, at: Date): boolean {
  return isOpenAt(schedule, wallOf(at.getTime(), schedule.timeZone));
}

/** When it opens (if it is closed) or closes (if it is open) next; undefined when nothing changes within 14 days. */
export function nextChange(schedule: ScheduleDefinition, at: Date): Date | undefined {
  const { timeZone } = schedule;
  const start = at.getTime();
  const open = isOpen(schedule, at);
  const first = wallOf(start, timeZone).day - 1;
  for (let day = first; day <= first + horizonDays + 2; day++) {
    const instants = edgesOf(schedule, day).flatMap((minute) => instantsOf(day, minute, timeZone));
    // The wall clock jumps past edges there.
    const jump = jumpWithin(day, timeZone);
    if (jump !== undefined) instants.push(jump);
    const change = instants
      .toSorted((one, other) => one - other)
      .find((instant) => instant > start && isOpen(schedule, new Date(instant)) !== open);
    if (change !== undefined) {
      return change - start <= horizonDays * dayMilliseconds ? new Date(change) : undefined;
    }
  }
  return undefined;
}

/** Minutes of a day; a window that ends on the next day ends past 1,440. */
export function spanOf({ from, to }: { readonly from: string; readonly to: string }): Span {
  const start = minuteOf(from);
  const end = minuteOf(to);
  return { from: start, to: end <= start ? end + dayMinutes : end };
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

function isOpenAt(schedule: ScheduleDefinition, { day, minute }: Wall): boolean {
  const today = spansOf(schedule, day);
  if (today.spans.some(({ from, to }) => minute >= from && minute < to)) return true;
  if (today.exception) return false;
  return spansOf(schedule, day - 1).spans.some(({ to }) => minute + dayMinutes < to);
}

function spansOf(
  schedule: ScheduleDefinition,
  day: number,
): { readonly exception: boolean; readonly spans: readonly Span[] } {
  const date = dateOf(day);
  const exception = schedule.exceptions?.find((one) => one.date === date);
  if (exception !== undefined) {
    const spans = 'closed' in exception ? [] : exception.windows.map(spanOf);
    return { exception: true, spans };
  }
  const weekday = weekdayOf(day);
  const windows = schedule.windows.filter(
    (window: WindowDefinition) => window.days?.includes(weekday) ?? true,
  );
  return { exception: false, spans: windows.map(spanOf) };
}

/** Minutes of a day at which it may open or close. */
function edgesOf(schedule: ScheduleDefinition, day: number): readonly number[] {
  const today = spansOf(schedule, day).spans.flatMap(({ from, to }) => [from, to]);
  const yesterday = spansOf(schedule, day - 1).spans.map(({ to }) => to - dayMinutes);
  return [...new Set([0, ...today, ...yesterday])].filter((minute) => minute >= 0 && minute < dayMinutes);
}

// ---------------------------------------------------------------- wall time and instants

function dateOf(day: number): string {
  return new Date(day * dayMilliseconds).toISOString().slice(0, 10);
}

function weekdayOf(day: number): NowFacts['weekday'] {
  // 1970-01-01 was a Thursday.
  return weekdays[(((day + 3) % 7) + 7) % 7] ?? 'mon';
}

function wallOf(instant: number, timeZone: string): Wall {
  const offset = offsetAt(instant, timeZone);
  const local = instant + offset;
  const day = Math.floor(local / dayMilliseconds);
  return { day, minute: Math.floor((local - day * dayMilliseconds) / minuteMilliseconds), offset };
}

/** All instants (none, one or two) at which the wall clock shows this time. */
function instantsOf(day: number, minute: number, timeZone: string): number[] {
  const local = day * dayMilliseconds + minute * minuteMilliseconds;
  const offsets = new Set([
    offsetAt(local - dayMilliseconds, timeZone),
    offsetAt(local + dayMilliseconds, timeZone),
  ]);
  return [...offsets]
    .map((offset) => local - offset)
    .filter((instant) => instant + offsetAt(instant, timeZone) === local);
}

/** The instant within a day (of UTC) at which the clocks are changed. No zone changes them twice in two days. */
function jumpWithin(day: number, timeZone: string): number | undefined {
  let before = day * dayMilliseconds;
  let after = before + dayMilliseconds;
  const offset = offsetAt(before, timeZone);
  if (offsetAt(after, timeZone) === offset) return undefined;
  while (after - before > 1_000) {
    const middle = Math.floor((before + after) / 2_000) * 1_000;
    if (offsetAt(middle, timeZone) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** Milliseconds by which local time is ahead of UTC. */
function offsetAt(instant: number, timeZone: string): number {
  const parts = formatter(timeZone).formatToParts(instant);
  const numbers = new Map(parts.map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => numbers.get(type) ?? 0;
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return local - Math.floor(instant / 1_000) * 1_000;
}

function formatter(timeZone: string): Intl.DateTimeFormat {
  return formatters(
    timeZone,
    () =>
      new Intl.DateTimeFormat('en-US', {
        timeZone,
        hourCycle: 'h23',
        calendar: 'gregory',
        numberingSystem: 'latn',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      }),
  );
}
