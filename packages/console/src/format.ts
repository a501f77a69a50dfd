/** Times, spans and amounts in the person's language, in the tenant's time zone where it is known, else the browser's. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api } from './api.ts';
import { usePreferences } from './preferences.tsx';
import type { Locale, Settings } from './types.ts';

export interface Format {
  readonly timeZone: string;
  /** What a `datetime-local` field gives, in this zone, as RFC 3339; undefined when it is none. */
  readonly instant: (wall: string) => string | undefined;
  /** 31 Jan 2026, 16:30:05 */
  readonly dateTime: (time: string) => string;
  readonly date: (time: string) => string;
  readonly clock: (time: string) => string;
  /** With weekday and zone: for whoever must be sure. */
  readonly full: (time: string) => string;
  /** 1:05 or 1:02:05. */
  readonly span: (milliseconds: number) => string;
  /** "in 3 hours", "5 minutes ago". */
  readonly relative: (time: string, now: number) => string;
  readonly number: (value: number, digits?: number) => string;
  readonly percent: (share: number) => string;
  readonly bytes: (bytes: number) => string;
  readonly list: (items: readonly string[]) => string;
}

const tags: Readonly<Record<Locale, string>> = { en: 'en-GB', id: 'id-ID' };
const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

export function formatOf(locale: Locale, timeZone: string): Format {
  const tag = tags[locale];
  const times = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(tag, { timeZone, hourCycle: 'h23', ...options });
    return (time: string) => {
      const date = new Date(time);
      return Number.isNaN(date.getTime()) ? '–' : format.format(date);
    };
  };
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
  const list = new Intl.ListFormat(tag, { type: 'conjunction' });
  const percent = new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 1 });
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: digits }).format(value);
  return {
    timeZone,
    instant: (wall) => instantOf(wall, timeZone),
    dateTime: times({ dateStyle: 'medium', timeStyle: 'medium' }),
    date: times({ dateStyle: 'medium' }),
    clock: times({ timeStyle: 'medium' }),
    full: times({ dateStyle: 'full', timeStyle: 'long' }),
    span,
    relative: (time, now) => {
      const away = new Date(time).getTime() - now;
      const [unit, size] = steps.find(([, size]) => Math.abs(away) >= size) ?? ['second', 1_000];
      return relative.format(Math.round(away / size), unit);
    },
    number,
    percent: (share) => percent.format(share),
    bytes: (bytes) => (bytes < 1e6 ? `${number(bytes / 1e3, 1)} kB` : `${number(bytes / 1e6, 1)} MB`),
    list: (items) => list.format(items),
  };
}

/** A time of the clock on the wall. Of an hour that a zone skips or has twice, the one by the offset before it. */
export function instantOf(wall: string, timeZone: string): string | undefined {
  const asUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(wall) ? Date.parse(`${wall}Z`) : Number.NaN;
  if (Number.isNaN(asUtc)) return undefined;
  const offset = (at: number) => wallClock(at, timeZone) - at;
  const first = asUtc - offset(asUtc);
  return new Date(asUtc - offset(first)).toISOString();
}

/** What the clock shows at a moment, as if it were UTC. */
function wallClock(at: number, timeZone: string): number {
  const whole = Math.floor(at / 1_000) * 1_000;
  const parts = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  }).formatToParts(whole);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((one) => one.type === type)?.value ?? Number.NaN);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function useFormat(): Format {
  const { locale } = usePreferences();
  // Filled by the shell for whoever may read the settings; before that, and for others, the browser's zone holds.
  const { data } = useQuery({
    queryKey: ['settings'],
    queryFn: ({ signal }) => api.get<Settings>('/v1/settings', {}, { signal }),
    enabled: false,
    select: (settings) => settings.timeZone,
  });
  return useMemo(() => formatOf(locale, zoneOf(data)), [locale, data]);
}

function zoneOf(name: string | undefined): string {
  if (name === undefined) return browserZone;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return browserZone;
  }
}
