import { expect, test } from 'vitest';
import type { RecordingPolicy } from '../service.ts';
import type { RecordingMode } from '../types.ts';
import { policyProblem, retentionProblem, strictest } from './keeping.ts';

type Row = readonly [RecordingMode, RecordingPolicy['default'], readonly RecordingMode[], RecordingMode];

/** Session, default, what the participants' countries say, and what comes of it. */
const table: readonly Row[] = [
  ['off', 'session', [], 'off'],
  ['announce', 'session', [], 'announce'],
  ['consent', 'session', [], 'consent'],
  // The default asks for it in every session, and the stricter of the two counts.
  ['off', 'announce', [], 'announce'],
  ['off', 'consent', [], 'consent'],
  ['announce', 'consent', [], 'consent'],
  ['consent', 'announce', [], 'consent'],
  // `off` of the default forbids, whatever a session asks for.
  ['consent', 'off', ['announce'], 'off'],
  // Countries make it stricter, forbid it, and never begin it.
  ['announce', 'session', ['consent'], 'consent'],
  ['announce', 'session', ['announce', 'consent'], 'consent'],
  ['consent', 'session', ['announce'], 'consent'],
  ['announce', 'session', ['consent', 'off'], 'off'],
  ['off', 'announce', ['off'], 'off'],
  ['off', 'session', ['announce'], 'off'],
  ['off', 'session', ['consent'], 'off'],
];

test.each(table)('session %s, default %s, countries %j: %s', (session, fallback, said, mode) => {
  const names = said.map((_, index) => ['DE', 'ID'][index] ?? '');
  const countries = Object.fromEntries(said.map((one, index) => [names[index], one]));
  expect(strictest(session, { default: fallback, countries }, ['FR', ...names])).toBe(mode);
});

test.each([
  null,
  'consent',
  [],
  {},
  { default: 'session' },
  { default: 'on', countries: {} },
  { default: 'session', countries: { id: 'consent' } },
  { default: 'session', countries: { ID: 'session' } },
  { default: 'session', countries: [] },
  { default: 'session', countries: {}, more: 1 },
])('%j is no policy', (policy) => {
  expect(policyProblem(policy)).toEqual(expect.any(String));
});

test('what is right is no problem', () => {
  expect(policyProblem({ default: 'off', countries: { ID: 'consent', DE: 'off' } })).toBeUndefined();
  const days = { recordingDays: 1, countries: { IN: 3_660 }, callDays: 365, legalFloorDays: 0 };
  expect(retentionProblem(days)).toBeUndefined();
  expect(retentionProblem({ ...days, ledgerDays: 364 })).toEqual(expect.any(String));
  expect(retentionProblem({ ...days, recordingDays: 1.5 })).toEqual(expect.any(String));
});
