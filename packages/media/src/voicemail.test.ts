import { spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decode, encode, measureTone, tone } from './codec/index.ts';
import { eventPayload, settled, simulatedCall } from './fixture.ts';
import { openRecording, readSpeech, wavStream } from './recording/index.ts';

const KEY = new Uint8Array(32).fill(9);
const ID = 'rec_voicemail';
const withoutSox = spawnSync('sox', ['--version']).error !== undefined;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'media-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A caller alone with the platform; nobody is bridged. */
async function alone(seed: number) {
  const made = await simulatedCall(seed, { prompts: new Map([['greeting', tone(900, 400)]]) });
  made.call.unbridge();
  await made.world.advance(1);
  const file = join(directory, String(seed));
  const start = () => made.call.startRecording({ file, id: ID, key: KEY, left: made.left });
  /** Speaks a tone in packets of 20 ms. */
  async function speak(hertz: number, milliseconds: number): Promise<void> {
    const speech = encode(tone(hertz, milliseconds), 'PCMU');
    for (let at = 0; at < speech.length; at += 160) {
      made.alice.say(made.left.local, speech.subarray(at, at + 160));
      await made.world.advance(20);
    }
  }
  return { ...made, file, start, speak };
}

/** Making the file takes real time, in which simulated time goes on: the speech begins where it is heard. */
function firstHeard(samples: Int16Array): number {
  return samples.findIndex((sample) => Math.abs(sample) > 200);
}

async function stored(file: string) {
  const recording = await openRecording({ file, id: ID, key: KEY });
  const [left, right] = [await readSpeech(recording, 'left'), await readSpeech(recording, 'right')];
  await recording.close();
  const begin = firstHeard(left);
  return {
    ...{ left, right, begin, complete: recording.complete, milliseconds: recording.milliseconds },
    part: (from: number, to: number) => left.subarray(begin + from * 8, begin + to * 8),
  };
}

test('one leg alone is recorded without a bridge, from the start of the recording on', async () => {
  const { world, engine, call, left, file, start, speak, alice, bob } = await alone(1);
  await speak(600, 500);
  await settled(world, start());
  // What the platform says meanwhile is not in it.
  void left.play({ kind: 'prompts', names: ['greeting'] });
  await speak(400, 1500);
  const summary = await settled(world, call.stopRecording());
  await speak(700, 500);
  expect(alice.heard.length).toBeGreaterThanOrEqual(20);
  expect(bob.heard).toEqual([]);
  const heard = await stored(file);
  expect(heard).toMatchObject({ complete: true, milliseconds: summary?.milliseconds });
  expect(measureTone(heard.part(20, 1480), 400).share).toBeGreaterThan(0.98);
  // Neither what came before, nor what came after, nor the greeting.
  for (const hertz of [600, 700, 900]) {
    expect(measureTone(heard.part(20, 1480), hertz).levelDbm0).toBeLessThan(-50);
  }
  expect(heard.left.length - heard.begin).toBeLessThan(1700 * 8);
  expect(heard.right.every((sample) => sample === 0)).toBe(true);
  // What was recorded was of use; what came before and after was not.
  const { dropped } = await settled(world, engine.statistics());
  expect(dropped['no-bridge']).toBe(50);
});

test('keys are silence in it', async () => {
  const { world, call, left, file, start, speak, alice } = await alone(2);
  await settled(world, start());
  await speak(400, 600);
  const key = tone(941, 200);
  for (let index = 0; index < 10; index++) {
    const timestamp = 50_000 + 31 * 160;
    alice.say(left.local, eventPayload(11, 160 * (index + 1), index === 9), { payloadType: 101, timestamp });
    alice.say(left.local, encode(key.subarray(index * 160, index * 160 + 160), 'PCMU'), {
      timestamp: timestamp + index * 160,
    });
    await world.advance(20);
  }
  await speak(400, 600);
  await settled(world, call.stopRecording());
  const heard = await stored(file);
  expect(measureTone(heard.part(20, 500), 400).share).toBeGreaterThan(0.98);
  expect(heard.part(600, 800).every((sample) => Math.abs(sample) < 50)).toBe(true);
  expect(measureTone(heard.left, 941).levelDbm0).toBeLessThan(-45);
  expect(measureTone(heard.part(900, 1380), 400).share).toBeGreaterThan(0.95);
});

test('a leg on hold leaves no more than silence, and a bridge later does not end it', async () => {
  const { world, call, left, right, file, start, speak, alice, bob } = await alone(3);
  await settled(world, start());
  await speak(400, 500);
  left.setRemote(alice.remote({ direction: 'sendonly' }));
  await world.advance(1);
  await speak(600, 500);
  left.setRemote(alice.remote());
  call.bridge(left, right);
  await world.advance(1);
  bob.say(right.local, encode(tone(1200, 20), 'PCMU'));
  await speak(700, 500);
  await settled(world, call.release());
  const heard = await stored(file);
  expect(heard.complete).toBe(true);
  expect(measureTone(heard.left, 600).levelDbm0).toBeLessThan(-45);
  expect(measureTone(heard.part(1020, 1480), 700).share).toBeGreaterThan(0.95);
  expect(bob.heard).toHaveLength(25);
  expect(heard.right.every((sample) => sample === 0)).toBe(true);
});

test('one recording at a time; a leg is not both sides; a file that exists is refused', async () => {
  const { world, call, left, right, file, start } = await alone(4);
  await settled(world, start());
  const again = { file: `${file}b`, id: ID, key: KEY, left: right };
  await expect(settled(world, call.startRecording(again))).rejects.toThrow('already');
  await settled(world, call.stopRecording());
  await expect(settled(world, start())).rejects.toThrow('EEXIST');
  await expect(call.startRecording({ ...again, left, right: left })).rejects.toThrow(TypeError);
  await settled(world, call.startRecording(again));
  expect((await settled(world, call.stopRecording()))?.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('a recording that cannot be written to fails aloud, and the leg goes on', async () => {
  const { world, call, left, speak } = await alone(5);
  const reasons: string[] = [];
  call.onRecordingFailed((reason) => reasons.push(reason));
  const options = { file: join(directory, 'no', 'folder'), id: ID, key: KEY, left };
  await expect(settled(world, call.startRecording(options))).rejects.toThrow('ENOENT');
  await speak(400, 100);
  expect(await settled(world, left.play({ kind: 'prompts', names: ['greeting'] }))).toBe('finished');
  expect(reasons).toEqual([]);
});

test('a message that was left is played back as it was spoken', async () => {
  const { world, call, right, file, start, speak, bob } = await alone(6);
  await settled(world, start());
  await speak(400, 1000);
  await settled(world, call.stopRecording());
  const message = await stored(file);
  const samples = message.left.slice();
  const ended = right.play({ kind: 'samples', samples });
  await world.advance(message.milliseconds);
  expect(await settled(world, ended)).toBe('finished');
  const heard = decode(Buffer.concat(bob.heard.map((packet) => packet.payload)), 'PCMU');
  expect(heard.subarray(0, message.left.length)).toEqual(message.left);
});

test.skipIf(withoutSox)('sox reads it as a WAV file like every other recording', async () => {
  const { world, call, file, start, speak } = await alone(7);
  await settled(world, start());
  await speak(500, 1000);
  await settled(world, call.stopRecording());
  const recording = await openRecording({ file, id: ID, key: KEY });
  const wav = `${file}.wav`;
  await pipeline(wavStream(recording, undefined, 'pcm'), createWriteStream(wav));
  await recording.close();
  const channel = (side: string) => {
    const raw = spawnSync('sox', ['-D', wav, '-t', 'raw', '-e', 'signed', '-b', '16', '-', 'remix', side]);
    expect(raw.stderr.toString()).toBe('');
    return Int16Array.from({ length: raw.stdout.length / 2 }, (_, at) => raw.stdout.readInt16LE(2 * at));
  };
  const speech = channel('1');
  const from = firstHeard(speech) + 400;
  expect(measureTone(speech.subarray(from, from + 7200), 500).share).toBeGreaterThan(0.98);
  expect(channel('2').every((sample) => sample === 0)).toBe(true);
});
