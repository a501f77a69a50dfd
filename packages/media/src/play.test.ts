import { expect, test } from 'vitest';
import { decode, measureTone, SILENCE, tone } from './codec/index.ts';
import { settled, simulatedCall } from './fixture.ts';

const prompts = new Map([
  ['low', tone(400, 100)],
  ['high', tone(1200, 105)],
  ['empty', new Int16Array(0)],
]);

test('prompts follow one another, repeat, and end padded with silence', async () => {
  const { world, left, alice } = await simulatedCall(1, { prompts });
  const ended = left.play({ kind: 'prompts', names: ['low', 'empty', 'high'], repeat: 2 });
  expect(await settled(world, ended)).toBe('finished');
  await world.advance(5);
  const bytes = Buffer.concat(alice.heard.map((packet) => packet.payload));
  expect(bytes.length).toBe(Math.ceil((2 * 205) / 20) * 160);
  const heard = decode(bytes, 'PCMU');
  const part = (from: number, to: number) => heard.subarray(from * 8, to * 8);
  expect(measureTone(part(10, 90), 400).share).toBeGreaterThan(0.95);
  expect(measureTone(part(110, 195), 1200).share).toBeGreaterThan(0.95);
  expect(measureTone(part(215, 295), 400).share).toBeGreaterThan(0.95);
  expect(bytes.subarray(410 * 8).every((byte) => byte === SILENCE.PCMU)).toBe(true);
});

test('keeps time: one packet each 20 ms, no drift', async () => {
  const { world, left, alice } = await simulatedCall(2, { prompts });
  void left.play({ kind: 'ringback' });
  await world.advance(10_000);
  expect(alice.heard.length).toBeGreaterThanOrEqual(499);
  expect(alice.heard.length).toBeLessThanOrEqual(501);
  const [first, last] = [alice.heard[0], alice.heard.at(-1)];
  expect(((last?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0).toBe((alice.heard.length - 1) * 160);
});

test('ringback rings in its cadence until stopped', async () => {
  const { world, left, alice } = await simulatedCall(3, { prompts });
  const ended = left.play({ kind: 'ringback', country: 'id' });
  await world.advance(6000);
  left.stopPlaying();
  expect(await settled(world, ended)).toBe('stopped');
  const count = alice.heard.length;
  await world.advance(1000);
  expect(alice.heard).toHaveLength(count);
  const heard = decode(Buffer.concat(alice.heard.map((packet) => packet.payload)), 'PCMU');
  expect(measureTone(heard.subarray(0, 8000), 425).share).toBeGreaterThan(0.95);
  expect(measureTone(heard.subarray(8800, 39_000), 425).levelDbm0).toBeLessThan(-60);
  expect(measureTone(heard.subarray(40_800, 47_000), 425).share).toBeGreaterThan(0.95);
});

test('while one leg is played to, the bridge is held back from it and goes on to the other', async () => {
  const { world, left, right, alice, bob } = await simulatedCall(4, { prompts });
  const ended = left.play({ kind: 'prompts', names: ['low'] });
  for (let index = 0; index < 5; index++) {
    bob.say(right.local, Buffer.alloc(160, 1));
    alice.say(left.local, Buffer.alloc(160, 2));
    await world.advance(20);
  }
  await settled(world, ended);
  expect(alice.heard.some((packet) => packet.payload.every((byte) => byte === 1))).toBe(false);
  expect(bob.heard).toHaveLength(5);
  bob.say(right.local, Buffer.alloc(160, 1));
  await world.advance(5);
  const live = alice.heard.at(-1);
  const before = alice.heard.at(-2);
  expect(live?.payload[0]).toBe(1);
  expect(live?.marker).toBe(true);
  expect(((live?.sequence ?? 0) - (before?.sequence ?? 0)) & 0xffff).toBe(1);
  expect(live?.ssrc).toBe(before?.ssrc);
});

test('a new play replaces the one before; closing ends it; unknown names reject', async () => {
  const { world, call, left } = await simulatedCall(5, { prompts });
  const first = left.play({ kind: 'ringback' });
  const second = left.play({ kind: 'prompts', names: ['low'], repeat: 100 });
  expect(await settled(world, first)).toBe('stopped');
  await expect(left.play({ kind: 'prompts', names: ['low', 'unknown'] })).rejects.toThrow('unknown');
  await expect(left.play({ kind: 'tone', hertz: 0, milliseconds: 10 })).rejects.toThrow(RangeError);
  const released = call.release();
  expect(await settled(world, second)).toBe('closed');
  await settled(world, released);
  expect(await left.play({ kind: 'ringback' })).toBe('closed');
});

test('nothing is played before the peer is known; on hold time passes unheard', async () => {
  const { world, call, left, alice } = await simulatedCall(6, { prompts });
  const third = await settled(world, call.openLeg());
  let done = false;
  void third.play({ kind: 'prompts', names: ['low'] }).then(() => {
    done = true;
  });
  await world.advance(1000);
  expect(done).toBe(false);
  third.setRemote(alice.remote());
  await world.advance(150);
  expect(done).toBe(true);
  expect(alice.heard).toHaveLength(5);
  left.setRemote(alice.remote({ direction: 'inactive' }));
  expect(await settled(world, left.play({ kind: 'prompts', names: ['low'] }))).toBe('finished');
  expect(alice.heard).toHaveLength(5);
});

test('nothing is left running when the engine closes', async () => {
  const { world, engine, left, right, alice, bob } = await simulatedCall(7, { prompts });
  void left.play({ kind: 'ringback' });
  void right.play({ kind: 'ringback' });
  await world.advance(100);
  await settled(world, engine.close());
  await world.advance(500);
  expect(world.pending).toBe(0);
  const counts = [alice.heard.length, bob.heard.length];
  await world.advance(1000);
  expect([alice.heard.length, bob.heard.length]).toEqual(counts);
});
