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

test('a warning to both is heard by both and recorded by none, and the talk goes on in the recording', async () => {
  const { world, call, left, right, alice, bob } = await simulatedCall(4, {
    prompts: new Map([['warning', tone(900, 600)]]),
  });
  const file = join(directory, 'warned');
  await settled(world, call.startRecording({ file, id: 'rec_1', key: KEY, left, right }));
  const [low, high] = [tone(400, 2000), tone(1200, 2000)];
  const ends: string[] = [];
  let [aliceHeard, bobHeard] = [0, 0];
  for (let at = 0; at < 16_000; at += 160) {
    // To the left first; the right hears the left's speech until its own warning begins.
    if (at === 4000) {
      void left.play({ kind: 'prompts', names: ['warning'] }).then((how) => ends.push(how));
      bobHeard = bob.heard.length;
    }
    if (at === 6400) {
      expect(bob.heard.length - bobHeard).toBe(15);
      void right.play({ kind: 'prompts', names: ['warning'] }).then((how) => ends.push(how));
    }
    alice.say(left.local, encode(low.subarray(at, at + 160), 'PCMU'), { timestamp: at });
    bob.say(right.local, encode(high.subarray(at, at + 160), 'PCMU'), { timestamp: at });
    await world.advance(20);
    if (at === 12_000) {
      aliceHeard = alice.heard.length;
      bobHeard = bob.heard.length;
    }
  }
  expect(ends).toEqual(['finished', 'finished']);
  const said = (phone: typeof alice, from: number) =>
    decode(Buffer.concat(phone.heard.slice(from).map((packet) => packet.payload)), 'PCMU');
  for (const [phone, other, from] of [
    [alice, 1200, aliceHeard],
    [bob, 400, bobHeard],
  ] as const) {
    expect(measureTone(said(phone, 0), 900).levelDbm0).toBeGreaterThan(-25);
    // The bridge is back, with nothing lost: one packet for each that is said.
    expect(phone.heard.length - from).toBe(24);
    expect(measureTone(said(phone, from), other).share).toBeGreaterThan(0.98);
    const numbers = phone.heard.map((packet) => packet.sequence);
    expect(
      numbers.every((number, index) => index === 0 || number === ((numbers[index - 1] ?? 0) + 1) % 65_536),
    ).toBe(true);
  }
  await settled(world, call.stopRecording());
  const heard = await channels(file);
  for (const [channel, hertz] of [
    [heard.left, 400],
    [heard.right, 1200],
  ] as const) {
    // Before, during and after both warnings.
    for (const [from, to] of [
      [100, 450],
      [550, 750],
      [850, 1050],
      [1150, 1350],
      [1500, 1900],
    ] as const) {
      expect(measureTone(heard.part(channel, from, to), hertz).share).toBeGreaterThan(0.98);
    }
    expect(measureTone(heard.part(channel, 100, 1900), 900).levelDbm0).toBeLessThan(-50);
  }
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
