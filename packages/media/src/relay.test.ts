import { afterAll, beforeAll, expect, test } from 'vitest';
import { SILENCE, tone } from './codec/index.ts';
import { createPhone, engineOn, until } from './fixture.ts';
import type { MediaEngine } from './types.ts';

let engine: MediaEngine;
beforeAll(async () => {
  engine = await engineOn(8_000, { prompts: new Map([['hello', tone(440, 200)]]) });
});
afterAll(() => engine.close());

async function bridged() {
  const call = await engine.openCall();
  const [left, right] = [await call.openLeg(), await call.openLeg()];
  const [alice, bob] = [await createPhone(), await createPhone('127.0.0.1', 0x55667788)];
  left.setRemote(alice.remote());
  right.setRemote(bob.remote());
  call.bridge(left, right);
  // The worker has everything before the first packet is sent.
  await right.quality();
  return {
    call,
    left,
    right,
    alice,
    bob,
    async end() {
      alice.close();
      bob.close();
      return call.release();
    },
  };
}

test('relays both ways, in order, with the audio unchanged', async () => {
  const { left, right, alice, bob, end } = await bridged();
  for (let index = 0; index < 20; index++) {
    alice.say(left.local, Buffer.alloc(160, index));
    bob.say(right.local, Buffer.alloc(160, 100 + index));
  }
  await until(() => bob.heard.length === 20 && alice.heard.length === 20, 'relayed packets');
  expect(bob.heard.map((packet) => packet.payload[0])).toEqual(
    Array.from({ length: 20 }, (_, index) => index),
  );
  expect(alice.heard.map((packet) => packet.payload[159])).toEqual(
    Array.from({ length: 20 }, (_, index) => 100 + index),
  );
  const [qualityLeft, qualityRight] = await end();
  expect(qualityLeft).toMatchObject({ packetsReceived: 20, packetsSent: 20, packetsLost: 0 });
  expect(qualityRight).toMatchObject({ packetsReceived: 20, packetsSent: 20, packetsLost: 0 });
});

test('a prompt is played to one leg only, whole, and then resolves', async () => {
  const { left, alice, bob, end } = await bridged();
  expect(await left.play({ kind: 'prompts', names: ['hello'] })).toBe('finished');
  await until(() => alice.heard.length === 10, 'prompt packets');
  expect(bob.heard).toHaveLength(0);
  expect(alice.heard[0]?.marker).toBe(true);
  expect(alice.heard.slice(1).some((packet) => packet.marker)).toBe(false);
  expect(alice.heard[5]?.payload.some((byte) => byte !== SILENCE.PCMU)).toBe(true);
  await end();
});
