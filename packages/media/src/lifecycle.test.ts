import { afterEach, expect, test } from 'vitest';
import { createPhone, engineOn, pause, until } from './fixture.ts';
import type { MediaEngine } from './types.ts';

let engine: MediaEngine | undefined;
afterEach(() => engine?.close());

test('5,000 calls leave no port behind', async () => {
  engine = await engineOn(9_000);
  const free = engine.counts.portsFree;
  expect(free).toBe(50);
  for (let round = 0; round < 250; round++) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const call = await (engine as MediaEngine).openCall();
        const [left] = [await call.openLeg(), await call.openLeg()];
        if (round % 3 === 0) await left.close();
        await call.release();
      }),
    );
  }
  expect(engine.counts).toMatchObject({ calls: 0, legs: 0, portsFree: free });
});

test('refuses with its reason when calls or ports run out, and takes calls again', async () => {
  engine = await engineOn(9_100, { callsPerWorker: 2, ports: { from: 9_100, to: 9_103 } });
  const first = await engine.openCall();
  const second = await engine.openCall();
  await expect(engine.openCall()).rejects.toMatchObject({ name: 'MediaBusy', reason: 'calls' });
  await first.openLeg();
  await first.openLeg();
  await expect(second.openLeg()).rejects.toMatchObject({ name: 'MediaBusy', reason: 'ports' });
  await second.release();
  await expect(engine.openCall()).rejects.toMatchObject({ reason: 'ports' });
  await first.release();
  expect(engine.counts.portsFree).toBe(2);
  const third = await engine.openCall();
  await third.openLeg();
  await third.release();
});

test('a port that another process holds is skipped', async () => {
  const other = await createPhone();
  // The pair that holds the phone's port, and one more.
  const from = other.port - (other.port % 2);
  engine = await engineOn(0, { ports: { from, to: from + 3 } });
  const call = await engine.openCall();
  const leg = await call.openLeg();
  expect(leg.local.port).toBe(from + 2);
  await expect(call.openLeg()).rejects.toMatchObject({ reason: 'ports' });
  other.close();
});

test('a port is used again only after all others', async () => {
  engine = await engineOn(9_200, { ports: { from: 9_200, to: 9_219 } });
  const used: number[] = [];
  for (let index = 0; index < 20; index++) {
    const call = await engine.openCall();
    used.push((await call.openLeg()).local.port);
    await call.release();
  }
  expect(new Set(used.slice(0, 10)).size).toBe(10);
  expect(used.slice(10)).toEqual(used.slice(0, 10));
});

test('what comes to a free port reaches no call', async () => {
  engine = await engineOn(9_300, { ports: { from: 9_300, to: 9_301 } });
  const [old, alice] = [await createPhone(), await createPhone('127.0.0.1', 7)];
  const first = await engine.openCall();
  const leg = await first.openLeg();
  leg.setRemote(old.remote());
  old.say(leg.local, Buffer.alloc(160));
  await until(() => true);
  await first.release();
  old.say(leg.local, Buffer.alloc(160));
  await pause(50);
  const second = await engine.openCall();
  const again = await second.openLeg();
  expect(again.local.port).toBe(leg.local.port);
  again.setRemote(alice.remote());
  old.say(again.local, Buffer.alloc(160));
  await pause(50);
  expect(await again.quality()).toMatchObject({ packetsReceived: 0 });
  const { dropped } = await engine.statistics();
  expect(dropped['free-port']).toBeGreaterThanOrEqual(1);
  old.close();
  alice.close();
});

test('a worker that lags takes no more calls, unless it is too empty to be the reason', async () => {
  engine = await engineOn(9_400, { lagLimit: -1 });
  for (let calls = 0; calls < 16; calls++) await engine.openCall();
  await expect(engine.openCall()).rejects.toMatchObject({ name: 'MediaBusy', reason: 'lag' });
});

test('legs of another call, legs that are closed and calls that are released are told apart', async () => {
  engine = await engineOn(9_500);
  const [first, second] = [await engine.openCall(), await engine.openCall()];
  const [left, right, foreign] = [await first.openLeg(), await first.openLeg(), await second.openLeg()];
  expect(() => first.bridge(left, foreign)).toThrow(TypeError);
  expect(() => first.bridge(left, left)).toThrow(TypeError);
  const closed = await right.close();
  expect(await right.close()).toEqual(closed);
  expect(await right.quality()).toEqual(closed);
  first.bridge(left, right);
  expect(await first.release()).toEqual(await first.release());
  await expect(first.openLeg()).rejects.toMatchObject({ name: 'MediaBusy' });
  await expect(
    second.startRecording({
      file: '/nonexistent/file',
      id: 'r',
      key: new Uint8Array(32),
      left: foreign,
      right: foreign,
    }),
  ).rejects.toThrow();
  expect(engine.counts).toMatchObject({ calls: 1, legs: 1 });
});
