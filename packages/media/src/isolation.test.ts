import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPhone, engineOn, type Phone, pause, until } from './fixture.ts';
import { writeReport } from './rtp/rtcp.ts';
import type { MediaEngine } from './types.ts';

const CANARY = 'CANARY-62815550001@secret';
const SSRC = 0x13572468;

let engine: MediaEngine;
beforeAll(async () => {
  engine = await engineOn(8_700);
});
afterAll(() => engine.close());

function everythingAt(phone: Phone): Buffer {
  return Buffer.concat([...phone.heard.map((packet) => packet.raw), ...phone.reports]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An application-defined packet (RFC 3550 section 6.7) holding the canary. */
function application(): Buffer {
  const data = Buffer.alloc(Math.ceil(CANARY.length / 4) * 4);
  data.write(CANARY);
  const head = Buffer.from([0x80, 204, 0, 2 + data.length / 4]);
  return Buffer.concat([head, word(SSRC), Buffer.from('CNRY'), data]);
}

test('of a party’s packets only the audio reaches the other', async () => {
  const call = await engine.openCall();
  const [left, right] = [await call.openLeg(), await call.openLeg()];
  const [alice, bob] = [await createPhone('127.0.0.1', SSRC), await createPhone()];
  left.setRemote(alice.remote());
  right.setRemote(bob.remote());
  call.bridge(left, right);
  // The worker has everything before the first packet is sent.
  await right.quality();
  const extension = Buffer.alloc(28);
  extension.write(CANARY);
  const csrc = [0xaaaabbbb, 0xccccdddd];
  for (let index = 0; index < 10; index++) {
    alice.say(left.local, Buffer.alloc(160, 1 + index), {
      sequence: 0x4a4b + index,
      timestamp: 0x5c5d5e5f + index * 160,
      csrc,
      extension,
      padding: 4,
    });
  }
  const own = { ssrc: SSRC, name: CANARY, received: undefined, bye: false };
  const sent = { wallMilliseconds: 0, timestamp: 0x5c5d5e5f, packets: 10, octets: 1600 };
  alice.send(left.local, writeReport({ ...own, sent }), 'rtp');
  alice.send({ ...left.local, port: left.local.port + 1 }, writeReport({ ...own, sent }), 'rtcp');
  const report = writeReport({ ...own, sent });
  alice.send({ ...left.local, port: left.local.port + 1 }, Buffer.concat([report, application()]), 'rtcp');
  bob.say(right.local, Buffer.alloc(160));
  await until(() => bob.heard.length === 10, 'audio');
  await pause(50);
  await call.release();
  await until(() => bob.reports.length >= 1 && alice.reports.length >= 1, 'BYE');

  const bytes = everythingAt(bob);
  expect(bytes.includes('CANARY')).toBe(false);
  for (const value of [SSRC, ...csrc, 0x5c5d5e5f]) expect(bytes.includes(word(value))).toBe(false);
  for (const [index, packet] of bob.heard.entries()) {
    // Twelve bytes of our own header, then the audio, and nothing else.
    expect(packet.raw.length).toBe(172);
    expect(packet.raw[0]).toBe(0x80);
    expect(packet.payload).toEqual(Buffer.alloc(160, 1 + index));
    expect(packet.sequence).toBe(((bob.heard[0]?.sequence ?? 0) + index) & 0xffff);
    expect(packet.port).toBe(right.local.port);
  }
  // Each side's reports carry a name of its own: 96 bits, nothing of the peer, unlike the other side's.
  const names = [alice, bob].map((phone) => nameIn(phone.reports[0] as Buffer));
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9+/]{16}$/);
  expect(names[0]).not.toBe(names[1]);
  alice.close();
  bob.close();
});

/** The CNAME of our own compound packets: the item after the source description's SSRC. */
function nameIn(report: Buffer): string {
  const description = report.indexOf(Buffer.from([0x81, 202]));
  expect(report[description + 8]).toBe(1);
  const length = report[description + 9] as number;
  return report.toString('latin1', description + 10, description + 10 + length);
}

test('SSRC, first sequence number and timestamp differ from leg to leg', async () => {
  const phone = await createPhone();
  const seen: { ssrc: number; sequence: number; timestamp: number }[] = [];
  for (let index = 0; index < 8; index++) {
    const call = await engine.openCall();
    const leg = await call.openLeg();
    leg.setRemote(phone.remote());
    phone.heard.length = 0;
    await leg.play({ kind: 'tone', hertz: 440, milliseconds: 20 });
    await until(() => phone.heard.length > 0, 'tone');
    seen.push(phone.heard[0] as (typeof seen)[number]);
    await call.release();
  }
  for (const field of ['ssrc', 'sequence', 'timestamp'] as const) {
    expect(new Set(seen.map((packet) => packet[field])).size).toBe(8);
  }
  phone.close();
});

test('strangers are dropped and never answered, on RTP and RTCP, before and during the call', async () => {
  const call = await engine.openCall();
  const [left, right] = [await call.openLeg(), await call.openLeg()];
  const [alice, bob, stranger] = [
    await createPhone(),
    await createPhone(),
    await createPhone('127.0.0.9', 0x99999999),
  ];
  const attack = () => {
    for (let index = 0; index < 20; index++) {
      stranger.say(left.local, Buffer.alloc(160, 0xee));
      stranger.send(
        { ...left.local, port: left.local.port + 1 },
        writeReport({
          ssrc: 1,
          name: 'x',
          sent: undefined,
          received: undefined,
          bye: true,
        }),
        'rtcp',
      );
    }
  };
  attack();
  left.setRemote(alice.remote());
  right.setRemote(bob.remote());
  call.bridge(left, right);
  // The worker has everything before the first packet is sent.
  await right.quality();
  await left.quality();
  attack();
  await pause(30);
  alice.say(left.local, Buffer.alloc(160, 1));
  await until(() => bob.heard.length === 1);
  attack();
  bob.say(right.local, Buffer.alloc(160, 2));
  await until(() => alice.heard.length === 1);
  await pause(30);
  await call.release();
  expect(bob.heard).toHaveLength(1);
  expect(stranger.heard).toEqual([]);
  expect(stranger.reports).toEqual([]);
  const { dropped } = await engine.statistics();
  expect(dropped['stranger']).toBeGreaterThanOrEqual(60);
  for (const phone of [alice, bob, stranger]) phone.close();
});

test('a peer behind address translation is heard at, and sent to, the port it really uses', async () => {
  const call = await engine.openCall();
  const [left, right] = [await call.openLeg(), await call.openLeg()];
  const [alice, bob, late] = [await createPhone(), await createPhone(), await createPhone('127.0.0.1', 5)];
  left.setRemote(alice.remote({ port: 9 }));
  right.setRemote(bob.remote());
  call.bridge(left, right);
  // The worker has everything before the first packet is sent.
  await right.quality();
  for (let index = 0; index < 5; index++) alice.say(left.local, Buffer.alloc(160, index));
  await until(() => bob.heard.length === 3, 'three of five');
  // The same address from yet another port can't take the call over.
  for (let index = 0; index < 10; index++) late.say(left.local, Buffer.alloc(160, 0xdd));
  await pause(30);
  bob.say(right.local, Buffer.alloc(160, 7));
  await until(() => alice.heard.length === 1, 'the way back');
  expect(late.heard).toEqual([]);
  expect(bob.heard).toHaveLength(3);
  // A new description opens the latch once more.
  left.setRemote(late.remote());
  await left.quality();
  for (let index = 0; index < 3; index++) late.say(left.local, Buffer.alloc(160, 0xcc));
  await until(() => bob.heard.length === 6, 'the new source');
  await call.release();
  for (const phone of [alice, bob, late]) phone.close();
});
