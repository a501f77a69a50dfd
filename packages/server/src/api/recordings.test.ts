import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRange } from './routes/recordings.ts';
import { type TestApi, testApi } from './testing.ts';
import { recordedCall } from './testing-recordings.ts';

let api: TestApi;
let directory: string;
let key: string;
let call: string;
let file: string;
const reason = { 'x-access-reason': 'dispute 311: what was agreed' };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'samar-api-recordings-'));
  api = await testApi({ recordings: directory });
  await api.stock(6);
  key = await api.key(['recordings:listen', 'calls:read']);
  ({ call, file } = await recordedCall(api, directory, 1));
});
afterAll(async () => {
  await api.close();
  await rm(directory, { recursive: true, force: true });
});

const listen = (headers: Record<string, string> = reason, query = '') =>
  api.app.inject({
    method: 'GET',
    url: `/v1/calls/${call}/recording${query}`,
    headers: { authorization: `Bearer ${key}`, ...headers },
  });

async function ledgerOf(of: string): Promise<readonly string[]> {
  const rows = await api.database.database.query<{ entry: string }>(
    'test-listens',
    `select actor || ' ' || details::text as entry from ledger where subject = $1 or details::text like '%' || $1 || '%'
      or subject in (select recording from recordings where call = $1)`,
    [of],
  );
  return rows.map((row) => row.entry).filter((entry) => entry.startsWith('key_'));
}

test('the call is listed with its legs and its recording', async () => {
  const { body: calls } = await api.call('GET', '/v1/calls', { key });
  expect(calls.items.map((one: { id: string }) => one.id)).toContain(call);
  const { body } = await api.call('GET', `/v1/calls/${call}`, { key });
  expect(body).toMatchObject({
    ...{ id: call, status: 'answered', number: expect.stringMatching(/^\+62215/) },
    recording: { id: expect.stringMatching(/^rec_/), status: 'complete', milliseconds: 1000 },
  });
  const { body: same } = await api.call('GET', `/v1/calls?session=${body.session}`, { key });
  expect(same.items).toHaveLength(1);
  const { body: none } = await api.call('GET', `/v1/calls?session=ses_${'0'.repeat(32)}`, { key });
  expect(none).toEqual({ items: [] });
});

test('a stereo WAV plays what was said, is kept nowhere, and the ledger says who listened and why', async () => {
  const before = (await ledgerOf(call)).length;
  const answer = await listen();
  expect(answer.statusCode).toBe(200);
  expect(answer.headers).toMatchObject({
    ...{ 'content-type': 'audio/wav', 'accept-ranges': 'bytes', 'cache-control': 'no-store' },
    'content-disposition': expect.stringMatching(/^inline; filename="rec_[0-9a-f]{32}\.wav"$/),
    'content-length': String(answer.rawPayload.length),
  });
  const wav = answer.rawPayload;
  expect(wav.subarray(0, 4).toString()).toBe('RIFF');
  expect(wav.readUInt16LE(20)).toBe(7);
  expect(wav.readUInt16LE(22)).toBe(2);
  const data = wav.subarray(wav.length - 16_000);
  expect(data[0]).toBe(0x10);
  expect(data[2 * 160]).toBe(0x11);
  expect(data[1]).toBe(0xff);
  const entries = await ledgerOf(call);
  expect(entries).toHaveLength(before + 1);
  expect(entries.join()).toContain('dispute 311: what was agreed');
});

test('linear samples for players that do not know µ-law', async () => {
  const wav = (await listen(reason, '?format=pcm')).rawPayload;
  expect(wav.readUInt16LE(20)).toBe(1);
  expect(wav.readUInt16LE(34)).toBe(16);
  expect(wav.length).toBe(44 + 32_000);
  expect((await listen(reason, '?format=mp3')).statusCode).toBe(422);
});

test('ranges are parts of the same bytes', async () => {
  const whole = (await listen()).rawPayload;
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 0],
    ['bytes=10-99', 10, 99],
    ['bytes=9000-', 9000, whole.length - 1],
    ['bytes=-77', whole.length - 77, whole.length - 1],
    ['bytes=100-999999', 100, whole.length - 1],
  ] as const) {
    const part = await listen({ ...reason, range });
    expect(part.statusCode, range).toBe(206);
    expect(part.headers['content-range']).toBe(`bytes ${start}-${end}/${whole.length}`);
    expect(part.rawPayload.equals(whole.subarray(start, end + 1)), range).toBe(true);
  }
  const beyond = await listen({ ...reason, range: `bytes=${whole.length}-` });
  expect(beyond.statusCode).toBe(416);
  expect(beyond.headers['content-range']).toBe(`bytes */${whole.length}`);
  expect(beyond.json().type).toBe('/problems/range-not-satisfiable');
  const stale = await listen({ ...reason, range: 'bytes=0-9', 'if-range': '"x"' });
  expect(stale.statusCode).toBe(200);
});

test('what a Range header means', () => {
  const length = 100;
  expect(readRange('bytes=0-49', length)).toEqual({ start: 0, end: 49 });
  expect(readRange('Bytes= 5 - 5', length)).toEqual({ start: 5, end: 5 });
  expect(readRange('bytes=-200', length)).toEqual({ start: 0, end: 99 });
  expect(readRange('bytes=-0', length)).toBe('unsatisfiable');
  expect(readRange('bytes=100-', length)).toBe('unsatisfiable');
  for (const ignored of [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=0-1,3-4',
    'items=0-1',
    'bytes=a-b',
  ]) {
    expect(readRange(ignored, length)).toBeUndefined();
  }
});

test('nobody listens without a reason, and without one nothing is written down', async () => {
  const before = (await ledgerOf(call)).length;
  for (const headers of [{}, { 'x-access-reason': '  a ' }, { 'x-access-reason': 'x'.repeat(501) }]) {
    const answer = await listen(headers as Record<string, string>);
    expect(answer.statusCode).toBe(422);
    expect(answer.json().type).toBe('/problems/reason-required');
  }
  expect((await ledgerOf(call)).length).toBe(before);
  expect((await listen({}, '?reason=ticket%2012')).statusCode).toBe(200);
});

test('a key without the scope, a call without a recording, an unknown call', async () => {
  const other = await api.key(['calls:read', 'admin']);
  expect((await api.call('GET', `/v1/calls/${call}/recording`, { key: other, headers: reason })).status).toBe(
    403,
  );
  const missing = await api.call('GET', `/v1/calls/call_${'0'.repeat(32)}/recording`, {
    key,
    headers: reason,
  });
  expect(missing.status).toBe(404);
  expect((await api.call('GET', '/v1/calls/x/recording', { key, headers: reason })).status).toBe(404);
});

test('a damaged or lost file is 410, and a damaged middle ends the answer early', async () => {
  const broken = await recordedCall(api, directory, 2);
  const path = `/v1/calls/${broken.call}/recording`;
  const bytes = await readFile(broken.file);
  await truncate(broken.file, 20);
  const cut = await api.call('GET', path, { key, headers: reason });
  expect(cut.status).toBe(410);
  expect(cut.body.type).toBe('/problems/recording-unreadable');
  await rm(broken.file);
  expect((await api.call('GET', path, { key, headers: reason })).status).toBe(410);
  bytes[200] = (bytes[200] ?? 0) ^ 1;
  await writeFile(broken.file, bytes);
  await expect(api.call('GET', path, { key, headers: reason })).rejects.toThrow();
  expect(file).not.toBe(broken.file);
});
