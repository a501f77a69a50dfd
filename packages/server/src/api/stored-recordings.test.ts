import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestBucket, testBucket } from '../trust/custody/testing.ts';
import { type TestApi, testApi } from './testing.ts';
import { recordedCall } from './testing-recordings.ts';

/** Finished recordings go to a store of objects, and are listened to from there; the store comes and goes. */
let api: TestApi;
let bucket: TestBucket;
let directory: string;
let key: string;
let seed = 0;
let room: { start(): Promise<void>; stop(): Promise<void> };
const failures: unknown[] = [];

beforeAll(async () => {
  bucket = await testBucket();
  directory = await mkdtemp(join(tmpdir(), 'samar-stored-'));
  api = await testApi({
    ...{ recordings: directory, objects: bucket.objects },
    report: (_task, error) => void failures.push(error),
  });
  await api.stock(20);
  key = await api.key(['recordings:listen', 'recordings:approve', 'recordings:download']);
  room = api.rooms.trust.custody as unknown as typeof room;
});
afterAll(async () => {
  await room?.stop();
  await api?.close();
  await bucket?.close();
  await rm(directory, { recursive: true, force: true });
});

const recorded = () => recordedCall(api, directory, ++seed);
const listen = (call: string) =>
  api.app.inject({
    method: 'GET',
    url: `/v1/calls/${call}/recording?reason=because`,
    headers: { authorization: `Bearer ${key}` },
  });
const nameOf = (recording: string) => `${recording}.rec`;

async function storeOf(recording: string): Promise<unknown> {
  const rows = await api.database.database.query<{ readonly store: string }>(
    '',
    'select store from recordings where recording = $1',
    [recording],
  );
  return rows[0]?.store;
}

/** One pass over the disk: the room's first, a second after its start. */
async function upload(...files: readonly string[]): Promise<void> {
  await room.start();
  await expect.poll(() => files.filter(existsSync), { timeout: 10_000 }).toEqual([]);
  await room.stop();
}

test('a finished recording leaves the disk for the store, and is listened to from there', async () => {
  const { call, recording, file } = await recorded();
  const before = (await listen(call)).rawPayload;
  await upload(file);
  expect(await storeOf(recording)).toBe('s3');
  const after = await listen(call);
  expect(after.statusCode).toBe(200);
  expect(after.rawPayload.equals(before)).toBe(true);
  // From the cache now: the store may be away.
  await bucket.away();
  expect((await listen(call)).rawPayload.equals(before)).toBe(true);
  await bucket.back();
});

test('while the store is away nothing is lost: it stays on the disk, is heard from there, and goes when it is back', async () => {
  const { call, recording, file } = await recorded();
  await bucket.away();
  await room.start();
  await expect.poll(() => failures.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await room.stop();
  expect(existsSync(file)).toBe(true);
  expect(await storeOf(recording)).toBe('local');
  expect((await listen(call)).statusCode).toBe(200);
  await bucket.back();
  await upload(file);
  expect(await storeOf(recording)).toBe('s3');
});

test('a listener whose recording can’t be fetched now is told so, and when to come again', async () => {
  const { call, file } = await recorded();
  await upload(file);
  await bucket.away();
  const answer = await listen(call);
  expect([answer.statusCode, answer.json().type]).toEqual([503, '/problems/unavailable']);
  expect(answer.headers['retry-after']).toBe('10');
  await bucket.back();
  expect((await listen(call)).statusCode).toBe(200);
});

test('many listeners at once fetch it once', async () => {
  const { call, file } = await recorded();
  await upload(file);
  const answers = await Promise.all(Array.from({ length: 12 }, () => listen(call)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(12).fill(200));
  const cached = await readdir(join(directory, 'cache'));
  expect(cached.filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('an object that isn’t what was recorded is refused', async () => {
  const { call, recording, file } = await recorded();
  await upload(file);
  const other = await recorded();
  const { size } = await stat(other.file);
  await bucket.objects.put(nameOf(recording), { path: other.file, bytes: size, sha256: other.sha256 });
  const answer = await listen(call);
  expect([answer.statusCode, answer.json().type]).toEqual([410, '/problems/recording-unreadable']);
  await upload(other.file);
});

test('a file that was changed on the disk is not put in place of the recording', async () => {
  const { recording, file } = await recorded();
  await appendFile(file, 'x');
  failures.length = 0;
  await room.start();
  await expect.poll(() => failures.map(String).join(), { timeout: 10_000 }).toContain('not what was written');
  await room.stop();
  expect(existsSync(file)).toBe(true);
  expect(await storeOf(recording)).toBe('local');
  expect(await bucket.objects.get(nameOf(recording))).toBeUndefined();
  await rm(file);
});

test('deletion removes the object, the file and the copy in the cache; also one that the store was away for', async () => {
  const [one, two] = [await recorded(), await recorded()];
  await upload(one.file, two.file);
  for (const { call } of [one, two]) expect((await listen(call)).statusCode).toBe(200);
  await api.rooms.trust.custody.deleteRecording('default', one.call, 'asked for');
  expect(await bucket.objects.get(nameOf(one.recording))).toBeUndefined();
  expect(existsSync(join(directory, 'cache', nameOf(one.recording)))).toBe(false);
  await bucket.away();
  // The key is destroyed now, whatever the store does.
  await api.rooms.trust.custody.deleteRecording('default', two.call, 'asked for');
  const [row] = await api.database.database.query<{ readonly wrapped_key: unknown; readonly gone: unknown }>(
    '',
    'select wrapped_key, object_deleted_at as gone from recordings where recording = $1',
    [two.recording],
  );
  expect(row).toEqual({ wrapped_key: null, gone: null });
  await bucket.back();
  expect(await bucket.objects.get(nameOf(two.recording))).toBeDefined();
  await api.rooms.trust.custody.runRetention();
  expect(await bucket.objects.get(nameOf(two.recording))).toBeUndefined();
});
