import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { nodeDoors } from '@samar/doors';
import { afterEach, expect, test, vi } from 'vitest';
import { encode, measureTone, tone } from './codec/index.ts';
import { createPhone, engineOn, until } from './fixture.ts';
import { openRecording, readSpeech } from './recording/index.ts';

afterEach(() => vi.restoreAllMocks());

/** The threads that are spoken to from now on, each once. */
function watchWorkers(): Set<Worker> {
  const workers = new Set<Worker>();
  const known = new WeakSet<Worker>();
  const post = Worker.prototype.postMessage;
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, ...words) {
    if (!known.has(this)) workers.add(this);
    known.add(this);
    return Reflect.apply(post, this, words);
  });
  return workers;
}

test('a crashed worker ends its calls, and the engine goes on with a new one', async () => {
  const workers = watchWorkers();
  const engine = await engineOn(8_500);
  const directory = await mkdtemp(join(tmpdir(), 'media-'));
  const phone = await createPhone();
  const free = engine.counts.portsFree;
  const call = await engine.openCall();
  const [left, right] = [await call.openLeg(), await call.openLeg()];
  left.setRemote(phone.remote());
  const events: string[] = [];
  left.onSilent(() => events.push('silent'));
  call.onRecordingFailed(() => events.push('recording failed'));
  await call.startRecording({ file: join(directory, 'r'), id: 'rec', key: new Uint8Array(32), left, right });
  const played = left.play({ kind: 'ringback' });
  await until(() => phone.heard.length > 0, 'ringback');
  const [worker] = workers;
  await worker?.terminate();
  expect(await played).toBe('closed');
  expect(events.sort()).toEqual(['recording failed', 'silent']);
  expect(await call.release()).toHaveLength(2);
  expect(await left.play({ kind: 'ringback' })).toBe('closed');
  expect(engine.counts).toMatchObject({ calls: 0, legs: 0, portsFree: free });

  const next = await engine.openCall();
  const leg = await next.openLeg();
  leg.setRemote(phone.remote());
  expect(await leg.play({ kind: 'tone', hertz: 400, milliseconds: 40 })).toBe('finished');
  await engine.close();
  phone.close();
  await rm(directory, { recursive: true });
});

test('a voicemail that a crash cut off is readable up to its last frame', async () => {
  const workers = watchWorkers();
  const engine = await engineOn(8_900);
  const directory = await mkdtemp(join(tmpdir(), 'media-'));
  const phone = await createPhone();
  const call = await engine.openCall();
  const left = await call.openLeg();
  left.setRemote(phone.remote());
  let failed = '';
  call.onRecordingFailed((reason) => {
    failed = reason;
  });
  const options = { file: join(directory, 'v'), id: 'rec', key: new Uint8Array(32) };
  await call.startRecording({ ...options, left });
  const speech = encode(tone(500, 20), 'PCMU');
  const speaking = nodeDoors().timers;
  let said = 0;
  const speak = () => {
    phone.say(left.local, speech);
    if (++said < 500) speaking.after(20, speak);
  };
  speak();
  // The header is written with the first frame, at most half a second and the time to reorder after the start.
  await until(() => statSync(options.file).size > 8_000, 'a second of frames');
  const [worker] = workers;
  await worker?.terminate();
  said = 500;
  await until(() => failed !== '', 'the report');
  const recording = await openRecording(options);
  expect(recording.complete).toBe(false);
  const heard = await readSpeech(recording, 'left');
  expect(measureTone(heard.subarray(heard.length - 4000), 500).levelDbm0).toBeGreaterThan(-30);
  await recording.close();
  await call.release();
  await engine.close();
  phone.close();
  await rm(directory, { recursive: true });
});

test('a worker that crashes again and again is not restarted for ever', async () => {
  const workers = watchWorkers();
  const engine = await engineOn(8_600);
  for (let crash = 0; crash < 6; crash++) {
    await until(() => workers.size > 0, 'a worker');
    const [worker] = workers;
    workers.clear();
    await worker?.terminate();
  }
  await expect(engine.openCall()).rejects.toMatchObject({ name: 'MediaBusy', reason: 'calls' });
  await engine.close();
});
