import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../store/types.ts';
import { createCustody } from '../trust/custody/custody.ts';
import { createSigner } from '../trust/signing.ts';
import { createVault } from '../vault/index.ts';
import { phone, type TestApi, testApi } from './testing.ts';
import { type RecordedCall, recordedCall } from './testing-recordings.ts';

/** How long recordings are kept, on a clock that the test holds. */
let api: TestApi;
let directory: string;
let seed = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'samar-retention-'));
  api = await testApi({ recordings: directory });
  await api.stock(20);
});
afterAll(async () => {
  await api.close();
  await rm(directory, { recursive: true, force: true });
});

/** The same database, so many days later. */
function later(database: Database, days: number): Database {
  const now = new Date(Date.now() + days * 86_400_000).toISOString();
  const transaction: Database['transaction'] = (work) =>
    database.transaction(async (inside) => {
      await inside.query('', `select set_config('samar.now', $1, true)`, [now]);
      return work(inside);
    });
  return {
    ...database,
    transaction,
    query: <Row>(name: string, text: string, values: readonly unknown[]) =>
      transaction((inside) => inside.query<Row>(name, text, values)),
  };
}

async function custodyLater(days: number) {
  const database = later(api.database.database, days);
  const vault = await createVault({ database, masterKey: '07'.repeat(32), dataDir: tmpdir() });
  return createCustody({
    ...{ database, vault, doors: nodeDoors(), masking: api.masking, recordings: directory },
    signer: await createSigner(vault),
    report: (_task, error) => {
      throw error;
    },
  });
}

async function retain(days: number): Promise<number> {
  return (await custodyLater(days)).runRetention();
}

const recorded = (participants: object = {}) => recordedCall(api, directory, ++seed, participants);
const set = async (retention: object) => {
  const answer = await api.call('PATCH', '/v1/settings', { body: { retention } });
  expect(answer.status, answer.text).toBe(200);
};

async function rowOf({ recording }: RecordedCall) {
  const rows = await api.database.database.query<Record<string, unknown>>(
    '',
    'select status, wrapped_key, sha256, delete_reason from recordings where recording = $1',
    [recording],
  );
  return rows[0];
}

test('thirty days, unless the tenant says otherwise; then key and file are gone, hash and entry stay', async () => {
  const call = await recorded();
  expect(await retain(29)).toBe(0);
  expect(existsSync(call.file)).toBe(true);
  expect(await retain(31)).toBe(1);
  expect(existsSync(call.file)).toBe(false);
  expect(await rowOf(call)).toEqual({
    ...{ status: 'deleted', wrapped_key: null, sha256: call.sha256, delete_reason: 'retention' },
  });
  const entries = await api.database.database.query(
    '',
    `select actor, details from ledger where subject = $1 and kind = 'recording.deleted'`,
    [call.recording],
  );
  expect(entries).toEqual([
    { actor: 'platform', details: { call: call.call, sha256: call.sha256, reason: 'retention' } },
  ]);
  expect(await retain(31)).toBe(0);
});

test('the longest that a participant’s country asks for counts, the default for all others', async () => {
  await set({ recordingDays: 10, countries: { IN: 365, SG: 5 } });
  const indian = `+9198${String(10_000_000 + seed)}`;
  const mixed = await recorded({
    participants: [
      { role: 'agent', phone: phone(2 * (seed + 1)) },
      { role: 'customer', phone: indian },
    ],
  });
  const plain = await recorded();
  expect(await retain(9)).toBe(0);
  expect(await retain(11)).toBe(1);
  expect(existsSync(plain.file)).toBe(false);
  expect(await retain(364)).toBe(0);
  expect(existsSync(mixed.file)).toBe(true);
  expect(await retain(366)).toBe(1);
  expect(existsSync(mixed.file)).toBe(false);
  await set({ recordingDays: 30, countries: {} });
});

test('a hold keeps it; released, it goes with the next run', async () => {
  const call = await recorded();
  const other = await recorded();
  const { custody } = api.rooms.trust;
  const hold = await custody.placeHold('default', { session: call.session, reason: 'dispute' });
  expect(await retain(100)).toBe(1);
  expect([existsSync(call.file), existsSync(other.file)]).toEqual([true, false]);
  expect(await rowOf(call)).toMatchObject({ status: 'complete', wrapped_key: expect.any(Buffer) });
  await custody.releaseHold('default', hold.id);
  expect(await retain(100)).toBe(1);
  expect(existsSync(call.file)).toBe(false);
});

test('two nodes at once delete each once', async () => {
  const calls = [await recorded(), await recorded(), await recorded()];
  const deleted = await Promise.all([retain(31), retain(31), retain(31)]);
  expect(deleted.reduce((sum, one) => sum + one, 0)).toBe(3);
  for (const { recording } of calls) {
    const entries = await api.database.database.query(
      '',
      `select from ledger where subject = $1 and kind = 'recording.deleted'`,
      [recording],
    );
    expect(entries).toHaveLength(1);
  }
});

test('an approved download is over a day later, on the platform’s clock', async () => {
  const { call } = await recorded();
  const { id } = await api.rooms.trust.custody.requestDownload('default', call, 'because');
  const [today] = (await api.rooms.trust.custody.listDownloads('default', {}, { limit: 1 })).items;
  expect(today).toMatchObject({ id, status: 'approved' });
  const tomorrow = await custodyLater(1.01);
  const [expired] = (await tomorrow.listDownloads('default', { status: 'expired' }, { limit: 1 })).items;
  expect(expired).toMatchObject({ id, status: 'expired' });
  await expect(tomorrow.openDownload('default', id)).rejects.toMatchObject({ code: 'download-not-approved' });
});

test.each([
  [{ recordingDays: 0 }, '/retention/recordingDays'],
  [{ recordingDays: 3_661 }, '/retention/recordingDays'],
  [{ countries: { IN: 0 } }, '/retention/countries/IN'],
  [{ countries: { india: 30 } }, '/retention'],
  [{ ledgerDays: 30 }, '/retention/ledgerDays'],
  [{ days: 30 }, '/retention/days'],
])('%j is refused', async (retention, pointer) => {
  const answer = await api.call('PATCH', '/v1/settings', { body: { retention } });
  expect(answer.status, answer.text).toBe(422);
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('what a change leaves out stays, and null takes the ledger’s end away', async () => {
  await set({ ledgerDays: 730, callDays: 400 });
  await set({ recordingDays: 60 });
  const { body } = await api.call('GET', '/v1/settings');
  expect(body.retention).toEqual({
    ...{ recordingDays: 60, countries: {}, callDays: 400, ledgerDays: 730, legalFloorDays: 0 },
  });
  await set({ ledgerDays: null, recordingDays: 30, callDays: 365 });
  const after = await api.call('GET', '/v1/settings');
  expect(after.body.retention).toEqual({
    recordingDays: 30,
    countries: {},
    callDays: 365,
    legalFloorDays: 0,
  });
});
