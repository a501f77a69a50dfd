import { expect, test } from 'vitest';
import { decode, encode, measureTone, tone } from './codec/index.ts';
import { eventPayload, settled, simulatedCall } from './fixture.ts';
import { middleOfNtp, readReport, writeReport } from './rtp/rtcp.ts';

test('µ-law on one side is A-law on the other', async () => {
  const { world, left, right, alice, bob } = await simulatedCall(1);
  right.setRemote(bob.remote({ codec: 'PCMA', payloadType: 8 }));
  await world.advance(1);
  const speech = tone(1000, 400);
  for (let at = 0; at < speech.length; at += 160) {
    alice.say(left.local, encode(speech.subarray(at, at + 160), 'PCMU'));
    bob.say(right.local, encode(speech.subarray(at, at + 160), 'PCMA'), { payloadType: 8 });
    await world.advance(20);
  }
  const heardBy = (phone: typeof alice, codec: 'PCMU' | 'PCMA') =>
    decode(Buffer.concat(phone.heard.map((packet) => packet.payload)), codec);
  expect(bob.heard.every((packet) => packet.payloadType === 8)).toBe(true);
  expect(alice.heard.every((packet) => packet.payloadType === 0)).toBe(true);
  expect(measureTone(heardBy(bob, 'PCMA'), 1000).share).toBeGreaterThan(0.99);
  expect(measureTone(heardBy(alice, 'PCMU'), 1000).share).toBeGreaterThan(0.99);
});

test.each([1, 2, 3])(
  'digits through loss, repetition and delay: each once, none relayed (seed %i)',
  async (seed) => {
    const { world, left, alice, bob } = await simulatedCall(seed);
    const told: string[] = [];
    left.onDigit((digit) => told.push(digit));
    Object.assign(world.faults, { loss: 0.2, duplication: 0.3, minimumDelay: 5, maximumDelay: 15 });
    const keys = '0123456789*#ABCD';
    let timestamp = 100_000;
    for (let key = 0; key < 16; key++) {
      for (let index = 1; index <= 5; index++) {
        alice.say(left.local, eventPayload(key, 160 * index, false), { payloadType: 101, timestamp });
        await world.advance(20);
      }
      for (let index = 0; index < 3; index++) {
        alice.say(left.local, eventPayload(key, 960, true), { payloadType: 101, timestamp });
      }
      timestamp += 4000;
      await world.advance(400);
    }
    expect(told.join('')).toBe(keys);
    expect(bob.heard).toEqual([]);
  },
);

test('while a key is down the tone in the speech is not passed on', async () => {
  const { world, left, alice, bob } = await simulatedCall(4);
  alice.say(left.local, Buffer.alloc(160, 1), { sequence: 1, timestamp: 0 });
  alice.say(left.local, eventPayload(5, 160, false), { sequence: 2, timestamp: 160, payloadType: 101 });
  alice.say(left.local, Buffer.alloc(160, 2), { sequence: 3, timestamp: 160 });
  alice.say(left.local, eventPayload(5, 320, true), { sequence: 4, timestamp: 160, payloadType: 101 });
  alice.say(left.local, Buffer.alloc(160, 3), { sequence: 5, timestamp: 480 });
  await world.advance(5);
  expect(bob.heard.map((packet) => packet.payload[0])).toEqual([1, 3]);
  expect(((bob.heard[1]?.sequence ?? 0) - (bob.heard[0]?.sequence ?? 0)) & 0xffff).toBe(1);
});

test('comfort noise and unknown payload types end here', async () => {
  const { world, engine, left, alice, bob } = await simulatedCall(5);
  alice.say(left.local, Buffer.alloc(1), { payloadType: 13 });
  alice.say(left.local, Buffer.alloc(160), { payloadType: 3 });
  alice.say(left.local, Buffer.alloc(700));
  alice.say(left.local, Buffer.alloc(160));
  await world.advance(5);
  expect(bob.heard).toHaveLength(1);
  const { dropped } = await settled(world, engine.statistics());
  expect(dropped).toMatchObject({ 'comfort-noise': 1, 'payload-type': 1, oversize: 1 });
});

test('on hold nothing is sent to the peer, and what it sends is not passed on', async () => {
  const { world, left, right, alice, bob } = await simulatedCall(6);
  const talk = async () => {
    alice.heard.length = 0;
    bob.heard.length = 0;
    alice.say(left.local, Buffer.alloc(160));
    bob.say(right.local, Buffer.alloc(160));
    await world.advance(5);
    return [alice.heard.length, bob.heard.length];
  };
  expect(await talk()).toEqual([1, 1]);
  left.setRemote(alice.remote({ direction: 'sendonly' }));
  await world.advance(1);
  expect(await talk()).toEqual([1, 0]);
  left.setRemote(alice.remote({ direction: 'recvonly' }));
  await world.advance(1);
  expect(await talk()).toEqual([0, 1]);
  left.setRemote(alice.remote({ direction: 'inactive' }));
  await world.advance(1);
  expect(await talk()).toEqual([0, 0]);
  left.setRemote(alice.remote({ address: '0.0.0.0' }));
  await world.advance(1);
  expect(await talk()).toEqual([0, 0]);
  left.setRemote(alice.remote());
  await world.advance(1);
  expect(await talk()).toEqual([1, 1]);
});

test('silence is told once, again only after speech, and not on hold', async () => {
  const { world, left, alice } = await simulatedCall(7, { silence: 2000 });
  let silent = 0;
  left.onSilent(() => silent++);
  await world.advance(1700);
  alice.say(left.local, Buffer.alloc(160));
  await world.advance(1900);
  expect(silent).toBe(0);
  await world.advance(500);
  expect(silent).toBe(1);
  await world.advance(10_000);
  expect(silent).toBe(1);
  alice.say(left.local, Buffer.alloc(160));
  await world.advance(2500);
  expect(silent).toBe(2);
  left.setRemote(alice.remote({ direction: 'sendonly' }));
  await world.advance(10_000);
  expect(silent).toBe(2);
});

test('an unbridged leg hears nothing, and the other no longer hears it', async () => {
  const { world, call, left, right, alice, bob } = await simulatedCall(8);
  call.unbridge();
  await world.advance(1);
  alice.say(left.local, Buffer.alloc(160));
  await world.advance(5);
  expect(bob.heard).toHaveLength(0);
  call.bridge(right, left);
  await world.advance(1);
  alice.say(left.local, Buffer.alloc(160));
  await world.advance(5);
  expect(bob.heard).toHaveLength(1);
});

test('reports go out about every five seconds, and tell what was lost', async () => {
  const { world, left, alice } = await simulatedCall(9);
  for (let index = 0; index < 1000; index++) {
    if (index % 10 !== 5)
      alice.say(left.local, Buffer.alloc(160), { sequence: index, timestamp: index * 160 });
    await world.advance(20);
  }
  expect(alice.reports.length).toBeGreaterThanOrEqual(2);
  expect(alice.reports.length).toBeLessThanOrEqual(8);
  const last = readReport(alice.reports.at(-1) as Buffer, 0x11223344);
  expect(last?.aboutUs?.fraction).toBeGreaterThan(15);
  expect(last?.aboutUs?.fraction).toBeLessThan(35);
  expect(await settled(world, left.quality())).toMatchObject({
    packetsReceived: 900,
    packetsLost: 100,
    jitter: 0,
  });
});

test('quality tells what the peer says of our stream, and the round trip', async () => {
  const { world, left, right, alice, bob } = await simulatedCall(10);
  Object.assign(world.faults, { minimumDelay: 40, maximumDelay: 40 });
  for (let index = 0; index < 500 && alice.reports.length === 0; index++) {
    bob.say(right.local, Buffer.alloc(160));
    alice.say(left.local, Buffer.alloc(160));
    await world.advance(20);
  }
  const ours = alice.reports[0] as Buffer;
  expect(ours[1]).toBe(200);
  await world.advance(100);
  // The report came within the last 20 ms or sooner; say so in DLSR, by the simulated clock.
  const arrived = ours.readUInt32BE(8) * 65_536 + (ours.readUInt32BE(12) >>> 16);
  const delaySinceLast = (middleOfNtp(world.clock.now()) - (arrived % 2 ** 32) - 0.04 * 65_536) >>> 0;
  const received = {
    ssrc: ours.readUInt32BE(4),
    fraction: 0,
    lost: 12,
    highest: 0,
    jitter: 160,
    lastSenderReport: (ours.readUInt32BE(8) << 16) | (ours.readUInt32BE(12) >>> 16),
    delaySinceLast,
  };
  const control = { ...left.local, port: left.local.port + 1 };
  alice.send(
    control,
    writeReport({ ssrc: 0x11223344, name: 'x', sent: undefined, received, bye: false }),
    'rtcp',
  );
  await world.advance(50);
  const quality = await settled(world, left.quality());
  expect(quality).toMatchObject({ remotePacketsLost: 12, remoteJitter: 20 });
  expect(quality.roundTrip).toBeGreaterThan(75);
  expect(quality.roundTrip).toBeLessThan(85);
});

test('a description that makes no sense is refused at the door', async () => {
  const { left, alice } = await simulatedCall(11);
  for (const change of [
    { address: 'example.org' },
    { port: 0 },
    { rtcpPort: 70_000 },
    { payloadType: 128 },
    { allowedSources: ['10.0.0.0/33'] },
    { allowedSources: ['nonsense'] },
  ]) {
    expect(() => left.setRemote(alice.remote(change))).toThrow(RangeError);
  }
});
