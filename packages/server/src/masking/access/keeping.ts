/** Settings with parts: whether calls are recorded, and how long things are kept. Each check answers why not. */
import type { RecordingPolicy, Retention } from '../service.ts';
import type { RecordingMode } from '../types.ts';

export const defaultPolicy: RecordingPolicy = { default: 'session', countries: {} };
export const defaultRetention: Retention = {
  recordingDays: 30,
  countries: {},
  legalFloorDays: 0,
};

const modes: readonly RecordingMode[] = ['off', 'announce', 'consent'];
/** More than there are countries. */
const mostCountries = 260;
/** Ten years. */
const mostDays = 3_660;

export function policyProblem(value: unknown): string | undefined {
  if (!isRecord(value) || !only(value, ['default', 'countries']))
    return 'The recording policy has `default` and `countries`.';
  if (value['default'] !== 'session' && !isMode(value['default']))
    return 'The default is session, off, announce or consent.';
  return countriesProblem(value['countries'], isMode, 'off, announce or consent');
}

export function retentionProblem(value: unknown): string | undefined {
  const names = ['recordingDays', 'countries', 'callDays', 'ledgerDays', 'legalFloorDays'];
  if (!isRecord(value) || !only(value, names)) return `Retention has ${names.join(', ')}.`;
  const { recordingDays, countries, callDays, ledgerDays, legalFloorDays } = value;
  if (!isDays(recordingDays, 1)) return 'Recordings are kept for 1 to 3,660 days.';
  if (callDays !== undefined && !isDays(callDays, 1))
    return 'Calls are kept for 1 to 3,660 days, or for ever.';
  if (ledgerDays !== undefined && !isDays(ledgerDays, 365))
    return 'The ledger is kept for 365 to 3,660 days, or for ever.';
  if (!isDays(legalFloorDays, 0)) return 'The legal floor is 0 to 3,660 days.';
  return countriesProblem(countries, (days) => isDays(days, 1), '1 to 3,660 days');
}

/** The strictest of what the session, the tenant and each participant's country say. */
export function strictest(
  session: RecordingMode,
  policy: RecordingPolicy,
  countries: readonly string[],
): RecordingMode {
  if (policy.default === 'off') return 'off';
  const wanted = policy.default === 'session' ? session : stricter(session, policy.default);
  // A country's law says how a call may be recorded, not that it shall be.
  if (wanted === 'off') return 'off';
  let mode: RecordingMode = wanted;
  for (const country of countries) {
    const theirs = policy.countries[country];
    if (theirs === 'off') return 'off';
    if (theirs !== undefined) mode = stricter(mode, theirs);
  }
  return mode;
}

/** The longest that any participant's country asks for. An erased one asks for nothing. */
export function keptDays({ recordingDays, countries }: Retention, of: readonly string[]): number {
  const days = of.map((country) => countries[country] ?? recordingDays);
  return days.length === 0 ? recordingDays : Math.max(...days);
}

function stricter(one: RecordingMode, other: RecordingMode): RecordingMode {
  return modes.indexOf(one) >= modes.indexOf(other) ? one : other;
}

function countriesProblem(
  value: unknown,
  good: (value: unknown) => boolean,
  words: string,
): string | undefined {
  return isRecord(value) &&
    Object.keys(value).length <= mostCountries &&
    Object.entries(value).every(([country, one]) => /^[A-Z]{2}$/.test(country) && good(one))
    ? undefined
    : `Countries are two capital letters (ISO 3166-1), each with ${words}.`;
}

function isMode(value: unknown): value is RecordingMode {
  return modes.some((mode) => mode === value);
}

function isDays(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= mostDays;
}

function only(value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
