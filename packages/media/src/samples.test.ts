import { expect, test } from 'vitest';
import { decode, encode, measureTone, tone } from './codec/index.ts';
import { createPhone, engineOn, settled, simulatedCall, until } from './fixture.ts';

const SECOND = 8000;

test('samples are played once, in the codec of the leg, with silence to the end of the frame', async () => {
  const { world, left, right, alice, bob } = await simulatedCall(1);
  right.setRemote(bob.remote({ codec: 'PCMA', payloadType: 8 }));
  const samples = tone(700, 505);
  const expected = samples.slice();
  const other = samples.slice();
  const ended = Promise.all([
    left.play({ kind: 'samples', samples }),
    right.play({ kind: 'samples', samples: other }),
  ]);
  expect(await settled(world, ended)).toEqual(['finished', 'finished']);
  for (const [phone, codec] of [
    [alice, 'PCMU'],
    [bob, 'PCMA'],
  ] as const) {
    const heard = Buffer.concat(phone.heard.map((packet) => packet.payload));
    expect(heard.length).toBe(26 * 160);
    expect(heard.subarray(0, expected.length)).toEqual(Buffer.from(encode(expected, codec)));
    expect(decode(heard.subarray(expected.length), codec).every((sample) => Math.abs(sample) <= 8)).toBe(
      true,
    );
  }
});

test('the giver’s array is empty afterwards; a part of a larger buffer is copied and stays', async () => {
  const { world, left, alice } = await simulatedCall(2);
  const whole = tone(700, 100);
  void left.play({ kind: 'samples', samples: whole });
  const larger = tone(700, 300);
  const part = larger.subarray(800, 1600);
  await settled(world, left.play({ kind: 'samples', samples: part }));
  expect(whole).toHaveLength(0);
  expect(part).toHaveLength(800);
  expect(larger).toHaveLength(2400);
  const heard = Buffer.concat(alice.heard.slice(-5).map((packet) => packet.payload));
  expect(heard).toEqual(Buffer.from(encode(part, 'PCMU')));
});

test('five minutes are played, more are refused; nothing at all is finished at once', async () => {
  const { world, left, alice } = await simulatedCall(3);
  const longest = left.play({ kind: 'samples', samples: new Int16Array(300 * SECOND) });
  await world.advance(200);
  expect(alice.heard.length).toBeGreaterThan(8);
  const tooLong = { kind: 'samples', samples: new Int16Array(300 * SECOND + 1) } as const;
  await expect(left.play(tooLong)).rejects.toThrow(RangeError);
  expect(tooLong.samples.length).toBeGreaterThan(0);
  await expect(left.play({ kind: 'samples', samples: [1, 2] as never })).rejects.toThrow(TypeError);
  expect(await settled(world, left.play({ kind: 'samples', samples: new Int16Array(0) }))).toBe('finished');
  expect(await longest).toBe('stopped');
});

test('each frame is encoded when it is sent: a new codec in the middle is heard in the next one', async () => {
  const { world, left, alice } = await simulatedCall(4);
  const samples = tone(700, 400);
  const expected = samples.slice();
  const ended = left.play({ kind: 'samples', samples });
  await world.advance(200);
  const before = alice.heard.length;
  left.setRemote(alice.remote({ codec: 'PCMA', payloadType: 8 }));
  await settled(world, ended);
  const bytes = (from: number, to: number) =>
    Buffer.concat(alice.heard.slice(from, to).map((packet) => packet.payload));
  expect(bytes(0, before)).toEqual(Buffer.from(encode(expected.subarray(0, before * 160), 'PCMU')));
  expect(bytes(before, 20)).toEqual(Buffer.from(encode(expected.subarray(before * 160), 'PCMA')));
});

test('a play replaces it, stops it, and the end of the leg closes it', async () => {
  const { world, left, right } = await simulatedCall(5);
  const first = left.play({ kind: 'samples', samples: tone(700, 2000) });
  const second = left.play({ kind: 'samples', samples: tone(700, 2000) });
  const third = right.play({ kind: 'samples', samples: tone(700, 2000) });
  await world.advance(100);
  expect(await first).toBe('stopped');
  left.stopPlaying();
  expect(await settled(world, second)).toBe('stopped');
  void settled(world, right.close());
  expect(await settled(world, third)).toBe('closed');
  expect(await right.play({ kind: 'samples', samples: tone(700, 20) })).toBe('closed');
});

test('a worker holds so much and no more; what has ended makes room', async () => {
  const { world, engine, left } = await simulatedCall(6);
  const call = await engine.openCall();
  const legs = [left];
  while (legs.length < 16) legs.push(await settled(world, call.openLeg()));
  // A leg plays one at a time: more than 16 are held at once only as long as the worker has not told that one was
  // replaced.
  const played: Promise<string>[] = [];
  const give = (index: number) => {
    const play = (legs[index % 16] as (typeof legs)[0]).play({
      kind: 'samples',
      samples: new Int16Array(300 * SECOND),
    });
    played.push(play.catch((error: Error) => error.message));
    return play;
  };
  for (let index = 0; index < 55; index++) void give(index);
  await expect(give(55)).rejects.toMatchObject({ name: 'MediaBusy', reason: 'samples' });
  await world.advance(50);
  expect((await Promise.race([played[0], 'waits'])) ?? '').toBe('stopped');
  const last = give(0);
  await world.advance(50);
  left.stopPlaying();
  expect(await settled(world, last)).toBe('stopped');
});

test('samples cross into a worker thread and are heard from its socket', async () => {
  const engine = await engineOn(8_800);
  const phone = await createPhone();
  const call = await engine.openCall();
  const leg = await call.openLeg();
  leg.setRemote(phone.remote());
  const samples = tone(600, 300);
  const playing = leg.play({ kind: 'samples', samples });
  expect(samples).toHaveLength(0);
  expect(await playing).toBe('finished');
  await until(() => phone.heard.length === 15, 'fifteen frames');
  const heard = decode(Buffer.concat(phone.heard.map((packet) => packet.payload)), 'PCMU');
  expect(measureTone(heard, 600).share).toBeGreaterThan(0.98);
  await engine.close();
  phone.close();
});
