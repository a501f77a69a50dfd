import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decode, encode, measureTone, tone } from './codec/index.ts';
import { eventPayload, settled, simulatedCall } from './fixture.ts';
import { openRecording } from './recording/index.ts';

const KEY = new Uint8Array(32).fill(7);
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'media-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function channels(file: string) {
  const stored = await openRecording({ file, id: 'rec_1', key: KEY });
  const bytes = await stored.read({ from: 0, to: stored.samples });
  const side = (channel: number) =>
    decode(Uint8Array.from(bytes.filter((_, at) => at % 2 === channel)), 'PCMU');
  await stored.close();
  const [left, right] = [side(0), side(1)];
  // Making the file takes real time, and simulated time went on meanwhile: the talk begins where the left does.
  const start = left.findIndex((sample) => Math.abs(sample) > 200);
  const part = (channel: Int16Array, from: number, to: number) =>
    channel.subarray(start + from * 8, start + to * 8);
  return { left, right, start, part, complete: stored.complete, milliseconds: stored.milliseconds };
}

/** The reader reads a file: real time for the disk, simulated time for the call. */
test('each party is in its own channel, prompts and keys are in none', async () => {
  const { world, call, left, right, alice, bob } = await simulatedCall(1, {
    prompts: new Map([['p', tone(900, 200)]]),
  });
  right.setRemote(bob.remote({ codec: 'PCMA', payloadType: 8 }));
  const file = join(directory, 'tones');
  await settled(world, call.startRecording({ file, id: 'rec_1', key: KEY, left, right }));
  const [low, high] = [tone(400, 2000), tone(1200, 2000)];
  let key = 0;
  for (let at = 0; at < 16_000; at += 160) {
    if (at === 3200) void left.play({ kind: 'prompts', names: ['p'] });
    alice.say(left.local, encode(low.subarray(at, at + 160), 'PCMU'), { timestamp: at });
    bob.say(right.local, encode(high.subarray(at, at + 160), 'PCMA'), { payloadType: 8, timestamp: at });
    if (at >= 8000 && at < 9600) {
      key += 160;
      alice.say(left.local, eventPayload(3, key, key === 1600), { payloadType: 101, timestamp: 8000 });
    }
    await world.advance(20);
  }
  const summary = await settled(world, call.stopRecording());
  expect(summary?.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(file)).size).toBe(summary?.bytes);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const heard = await channels(file);
  expect(heard.complete).toBe(true);
  expect(heard.milliseconds).toBe(summary?.milliseconds);
  const { left: alices, right: bobs, part } = heard;
  expect(measureTone(part(alices, 300, 900), 400).share).toBeGreaterThan(0.98);
  expect(measureTone(part(bobs, 300, 900), 1200).share).toBeGreaterThan(0.98);
  expect(measureTone(part(alices, 300, 900), 900).levelDbm0).toBeLessThan(-50);
  // The key was down from 1,000 to 1,200 ms: the left is silent then, the right goes on.
  expect(part(alices, 1030, 1180).every((sample) => Math.abs(sample) < 50)).toBe(true);
  expect(measureTone(part(bobs, 1030, 1180), 1200).share).toBeGreaterThan(0.98);
  expect(measureTone(part(alices, 1500, 1900), 400).share).toBeGreaterThan(0.98);
});

test('only what is said while bridged is recorded; release ends the file', async () => {
  const { world, call, left, right, alice } = await simulatedCall(2);
  call.unbridge();
  const file = join(directory, 'bridged');
  await settled(world, call.startRecording({ file, id: 'rec_1', key: KEY, left, right }));
  const speech = tone(400, 1000);
  const say = async () => {
    for (let at = 0; at < 8000; at += 160) {
      alice.say(left.local, encode(speech.subarray(at, at + 160), 'PCMU'));
      await world.advance(20);
    }
  };
  await say();
  call.bridge(left, right);
  await world.advance(1);
  await say();
  await settled(world, call.release());
  const heard = await channels(file);
  expect(heard.complete).toBe(true);
  expect(heard.start).toBeGreaterThan(8000);
  expect(heard.left.length - heard.start).toBeLessThan(8200);
  expect(measureTone(heard.part(heard.left, 20, 950), 400).share).toBeGreaterThan(0.98);
});

test('a file that exists is refused, and so is a second recording', async () => {
  const { world, call, left, right } = await simulatedCall(3);
  const file = join(directory, 'twice');
  const options = { file, id: 'rec_1', key: KEY, left, right };
  await settled(world, call.startRecording(options));
  await expect(settled(world, call.startRecording({ ...options, file: `${file}2` }))).rejects.toThrow(
    'already',
  );
  await settled(world, call.stopRecording());
  expect(await settled(world, call.stopRecording())).toBeUndefined();
  await expect(settled(world, call.startRecording(options))).rejects.toThrow('EEXIST');
  await settled(world, call.release());
});
