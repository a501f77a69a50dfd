/** Tables for spreadsheets (RFC 4180): calls of an export, people of a breach report. */
import type { AffectedPerson } from '../service.ts';
import type { SubjectExport } from './export.ts';

const callColumns = [
  'id',
  'session',
  'direction',
  'with',
  'virtualNumber',
  'startedAt',
  'answeredAt',
  'endedAt',
  'seconds',
  'outcome',
  'refusal',
] as const;

export function callsCsv(exported: SubjectExport): string {
  const calls = Array.isArray(exported['calls'])
    ? (exported['calls'] as readonly Record<string, unknown>[])
    : [];
  return table(
    callColumns,
    calls.map((call) => callColumns.map((name) => call[name])),
  );
}

export function affectedCsv(people: readonly AffectedPerson[]): string {
  return table(
    ['party', 'phone', 'sessions', 'first', 'last', 'kinds'],
    people.map((one) => [
      one.party,
      one.phone ?? '',
      one.sessions,
      one.first.toISOString(),
      one.last.toISOString(),
      one.kinds.join(' '),
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A spreadsheet runs what begins like a formula: an apostrophe before it makes it text. */
export function cell(value: unknown): string {
  const text = value === undefined || value === null ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
