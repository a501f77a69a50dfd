import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyPacket, type RtpPacket, readRtp } from './packet.ts';
import { Writer } from './writer.ts';

const TARGET = { address: '192.0.2.1', port: 4000, payloadType: 0 };

function writer(start = { ssrc: 77, sequence: 65_530, timestamp: 2 ** 32 - 900 }) {
  const sent: (RtpPacket & { bytes: Buffer })[] = [];
  const made = new Writer(
    {
      send(data) {
        const packet = emptyPacket();
        expect(readRtp(data, packet)).toBe(true);
        sent.push({ ...packet, bytes: Buffer.from(data) });
      },
    },
    start,
  );
  made.aim(TARGET);
  const audio = new Uint8Array(12 + 160).fill(3);
  const relay = (sequence: number, timestamp: number, now: number, source = 1) =>
    made.relay(
      audio,
      { ...emptyPacket(), sequence: sequence & 0xffff, timestamp: timestamp >>> 0, start: 12, end: 172 },
      source,
      undefined,
      now,
    );
  const play = (now: number, source = 2) => made.play((into, at) => into.fill(9, at, at + 160), source, now);
  return { made, sent, relay, play };
}

test('sequence numbers and timestamps go on without a break over prompt, live, prompt and another source', () => {
  void fc.assert(
    fc.property(
      fc.array(
        fc.record({
          play: fc.boolean(),
          packets: fc.integer({ min: 1, max: 20 }),
          sequence: fc.nat({ max: 65_535 }),
          timestamp: fc.nat({ max: 0xffffffff }),
          pause: fc.nat({ max: 500 }),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      (feeds) => {
        const { sent, relay, play } = writer();
        const times: number[] = [];
        let now = 1000;
        for (const [source, feed] of feeds.entries()) {
          for (let index = 0; index < feed.packets; index++) {
            if (feed.play) play(now, source);
            else relay(feed.sequence + index, feed.timestamp + index * 160, now, source);
            times.push(now);
            now += 20;
          }
          now += feed.pause;
        }
        const markers = feeds.flatMap((feed) =>
          Array.from({ length: feed.packets }, (_, index) => index === 0),
        );
        expect(sent.map((packet) => packet.marker)).toEqual(markers);
        for (const [index, packet] of sent.entries()) {
          expect(packet.ssrc).toBe(77);
          const before = sent[index - 1];
          if (before === undefined) continue;
          expect((packet.sequence - before.sequence) & 0xffff).toBe(1);
          const samples = (packet.timestamp - before.timestamp) >>> 0;
          expect(samples).toBe(((times[index] as number) - (times[index - 1] as number)) * 8);
        }
      },
    ),
  );
});

test('loss and order of the source stay visible, what was taken out of it does not', () => {
  const { made, sent, relay } = writer({ ssrc: 1, sequence: 100, timestamp: 0 });
  relay(10, 0, 0);
  relay(11, 160, 20);
  // 12 is lost, 14 overtakes 13; 15 was a digit.
  relay(14, 640, 80);
  relay(13, 480, 85);
  made.skip(15, 1);
  relay(16, 960, 120);
  expect(sent.map((packet) => packet.sequence)).toEqual([101, 102, 105, 104, 106]);
  expect(sent.map((packet) => packet.timestamp)).toEqual([0, 160, 640, 480, 960]);
});

test('a packet of before the switch does not fall among those of the prompt', () => {
  const { sent, relay, play } = writer();
  relay(10, 0, 0);
  relay(12, 320, 40);
  play(60);
  play(80);
  relay(14, 640, 100);
  expect(relay(11, 160, 101)).toBe(false);
  expect(relay(15, 800, 120)).toBe(true);
  expect(sent).toHaveLength(6);
});

test('a source whose clock or numbers jump is taken up anew', () => {
  const { sent, relay } = writer({ ssrc: 1, sequence: 0, timestamp: 0 });
  relay(1, 0, 0);
  relay(2, 1_000_000, 20);
  relay(30_000, 1_000_160, 40);
  expect(sent.map((packet) => packet.sequence)).toEqual([1, 2, 3]);
  expect(sent.map((packet) => packet.timestamp)).toEqual([0, 160, 320]);
  expect(sent.map((packet) => packet.marker)).toEqual([true, true, true]);
});

test('a packet waiting in the system is not overwritten by the next ones', () => {
  const kept: Uint8Array[] = [];
  const made = new Writer({ send: (data) => void kept.push(data) }, { ssrc: 1, sequence: 0, timestamp: 0 });
  made.aim(TARGET);
  for (let index = 0; index < 8; index++) made.play((into, at) => into.fill(index, at), 1, index * 20);
  expect(kept.map((data) => data[12])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('nothing is sent without a target', () => {
  const { made, sent, relay, play } = writer();
  made.aim(undefined);
  expect([relay(1, 0, 0), play(20)]).toEqual([false, false]);
  expect(sent).toEqual([]);
});
