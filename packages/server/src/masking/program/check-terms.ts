/** Schedules, limits, time zones and spoken words: in programs, and in what a session declares. */
import { isTimeZone, spanOf } from './schedule.ts';
import { fault, fields, integer, list, optional, quoted, within } from './shapes.ts';
import { type LimitsDefinition, type ScheduleDefinition, type SpokenDefinition, weekdays } from './types.ts';

const mostWindows = 50;
const mostExceptions = 400;
const dayMinutes = 1_440;
const weekMinutes = 7 * dayMinutes;

/** Throws `MaskingError` (`program-invalid`), as all of these. */
export function checkTimeZone(value: unknown, pointer: string): string {
  if (typeof value !== 'string' || !isTimeZone(value)) {
    const given = typeof value === 'string' ? `${quoted(value)} is no time zone` : 'A time zone is a text';
    fault(pointer, `${given}; one is named as in the IANA database, such as Europe/Berlin or Asia/Jakarta.`);
  }
  return value;
}

export function checkSchedule(value: unknown, pointer: string): ScheduleDefinition {
  const schedule = fields(value, pointer, 'A schedule', ['timeZone', 'windows', 'exceptions']);
  checkTimeZone(schedule.timeZone, within(pointer, 'timeZone'));
  checkWeek(schedule.windows, within(pointer, 'windows'));
  optional(schedule.exceptions, (exceptions) => checkExceptions(exceptions, within(pointer, 'exceptions')));
  return value as ScheduleDefinition;
}

export function checkLimits(value: unknown, pointer: string): LimitsDefinition {
  const names = ['callSeconds', 'calls', 'minutes', 'attempts', 'quietHours'] as const;
  const limits = fields(value, pointer, 'The limits', names);
  const whole = (name: 'callSeconds' | 'calls' | 'minutes', least: number, most: number): void => {
    optional(limits[name], (given) => integer(given, within(pointer, name), `\`${name}\``, least, most));
  };
  whole('callSeconds', 10, 86_400);
  whole('calls', 1, 10_000);
  whole('minutes', 1, 100_000);
  optional(limits.attempts, (given) => {
    const place = within(pointer, 'attempts');
    const attempts = fields(given, place, 'The limit of attempts', ['calls', 'perMinutes']);
    integer(attempts.calls, within(place, 'calls'), '`calls`', 1, 10_000);
    // A month: what is counted must be remembered.
    optional(attempts.perMinutes, (minutes) =>
      integer(minutes, within(place, 'perMinutes'), '`perMinutes`', 1, 43_200),
    );
  });
  optional(limits.quietHours, (quiet) => checkQuietHours(quiet, within(pointer, 'quietHours')));
  return value as LimitsDefinition;
}

export function checkQuietHours(
  value: unknown,
  pointer: string,
): NonNullable<LimitsDefinition['quietHours']> {
  const { from, to } = fields(value, pointer, 'Quiet hours', ['from', 'to']);
  checkSpan(from, to, pointer);
  return value as NonNullable<LimitsDefinition['quietHours']>;
}

/** `prompts`: the names that can be spoken; undefined: any. */
export function checkSpoken(
  value: unknown,
  pointer: string,
  prompts: ReadonlySet<string> | undefined,
): SpokenDefinition {
  if (!Array.isArray(value)) {
    checkPrompt(value, pointer, prompts);
    return value as SpokenDefinition;
  }
  const parts = list(value, pointer, 'Spoken parts', 1, 10);
  for (const [index, part] of parts.entries()) checkPart(part, within(pointer, index), prompts);
  return value as SpokenDefinition;
}

function checkPart(part: unknown, pointer: string, prompts: ReadonlySet<string> | undefined): void {
  if (typeof part === 'string') {
    checkPrompt(part, pointer, prompts);
    return;
  }
  const { prompt, characters } = fields(part, pointer, 'A spoken part', ['prompt', 'characters']);
  if ((prompt === undefined) === (characters === undefined)) {
    fault(pointer, 'A spoken part is either a `prompt` or `characters`.');
  }
  if (prompt !== undefined) {
    checkPrompt(prompt, within(pointer, 'prompt'), prompts);
    return;
  }
  if (typeof characters !== 'string' || characters.length > 64 || !/[a-z0-9*#]/i.test(characters)) {
    fault(
      within(pointer, 'characters'),
      'Characters are a text of 1 to 64, with a letter or digit that can be read out.',
    );
  }
}

function checkPrompt(value: unknown, pointer: string, prompts: ReadonlySet<string> | undefined): void {
  if (typeof value !== 'string') {
    fault(pointer, 'Spoken words are the name of a prompt, or a list of parts.');
  }
  if (prompts?.has(value) === false) {
    fault(pointer, `There is no prompt ${quoted(value)}; there are ${listedPrompts(prompts)}.`);
  }
}

/** Single characters are prompts as well, but nobody looks for them in a list. */
function listedPrompts(prompts: ReadonlySet<string>): string {
  return [...prompts].filter((name) => !name.startsWith('char-')).join(', ');
}

// ---------------------------------------------------------------- windows

interface Placed {
  readonly from: number;
  readonly to: number;
  readonly pointer: string;
}

function checkWeek(value: unknown, pointer: string): void {
  const placed = list(value, pointer, 'The windows of a schedule', 1, mostWindows).flatMap((given, index) => {
    const place = within(pointer, index);
    const { days, from, to } = fields(given, place, 'A window', ['days', 'from', 'to']);
    const span = checkSpan(from, to, place);
    return checkDays(days, within(place, 'days')).map((day) => ({
      from: day * dayMinutes + span.from,
      to: day * dayMinutes + span.to,
      pointer: place,
    }));
  });
  // The week is a circle: what runs from Sunday into Monday stands at its beginning as well.
  const again = placed
    .filter(({ to }) => to > weekMinutes)
    .map((one) => ({ ...one, from: one.from - weekMinutes, to: one.to - weekMinutes }));
  checkOverlaps([...placed, ...again]);
}

function checkDays(value: unknown, pointer: string): readonly number[] {
  if (value === undefined) return weekdays.map((_, index) => index);
  const days = list(value, pointer, 'The days of a window', 1, 7).map((day, index) => {
    const found = (weekdays as readonly unknown[]).indexOf(day);
    if (found < 0) fault(within(pointer, index), `A day is one of ${weekdays.join(', ')}.`);
    return found;
  });
  if (new Set(days).size < days.length) fault(pointer, 'A day stands here twice.');
  return days;
}

/** In minutes; past 1,440 when it ends on the next day. */
function checkSpan(
  from: unknown,
  to: unknown,
  pointer: string,
): { readonly from: number; readonly to: number } {
  if (!isTime(from) || from === '24:00')
    fault(within(pointer, 'from'), '`from` is a time from 00:00 to 23:59, as HH:MM.');
  if (!isTime(to)) fault(within(pointer, 'to'), '`to` is a time from 00:00 to 24:00, as HH:MM.');
  if (from === to) {
    fault(pointer, 'It ends when it begins, so it is empty; a whole day is from 00:00 to 24:00.');
  }
  return spanOf({ from, to });
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.test(value);
}

function checkOverlaps(placed: readonly Placed[]): void {
  const sorted = placed.toSorted((one, other) => one.from - other.from || one.to - other.to);
  let last: Placed | undefined;
  for (const one of sorted) {
    if (last !== undefined && one.from < last.to) {
      const [first, second] = [last.pointer, one.pointer].toSorted(
        (a, b) => a.length - b.length || (a < b ? -1 : 1),
      );
      fault(
        second ?? one.pointer,
        `This window overlaps with ${first === second ? 'itself on another day' : first}.`,
      );
    }
    if (last === undefined || one.to > last.to) last = one;
  }
}

function checkExceptions(value: unknown, pointer: string): void {
  const dates = new Map<string, string>();
  list(value, pointer, 'The exceptions of a schedule', 0, mostExceptions).forEach((given, index) => {
    const place = within(pointer, index);
    const { date, closed, windows } = fields(given, place, 'An exception', ['date', 'closed', 'windows']);
    if (!isDate(date)) fault(within(place, 'date'), 'A date is a day of the calendar, as YYYY-MM-DD.');
    const before = dates.get(date);
    if (before !== undefined) fault(within(place, 'date'), `This date stands already at ${before}.`);
    dates.set(date, place);
    if ((closed === undefined) === (windows === undefined)) {
      fault(place, 'An exception has either `closed: true` or `windows`.');
    }
    if (windows === undefined) {
      if (closed !== true)
        fault(within(place, 'closed'), '`closed` is true; give `windows` for other hours.');
      return;
    }
    const at = within(place, 'windows');
    checkOverlaps(
      list(windows, at, 'The windows of an exception', 1, mostWindows).map((window, position) => {
        const here = within(at, position);
        const { from, to } = fields(window, here, 'A window of an exception', ['from', 'to']);
        return { ...checkSpan(from, to, here), pointer: here };
      }),
    );
  });
}

function isDate(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}
