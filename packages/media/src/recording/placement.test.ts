import { describe, expect, it } from 'vitest';
import { transcode } from '../codec/index.ts';
import type { Codec } from '../types.ts';
import { createRecorder, type RecordedPacket, type Side } from './recorder.ts';
import { seeded } from './seeded.ts';

const SECONDS = 60;
const PACKETS = SECONDS * 50;

interface Sent {
  readonly packet: RecordedPacket;
  readonly nth: number;
}

interface Party {
  readonly side: Side;
  readonly codec: Codec;
  /** Both wrap within the minute. */
  readonly firstSequence: number;
  readonly firstTimestamp: number;
}

const PARTIES: readonly Party[] = [
  { side: 'left', codec: 'PCMU', firstSequence: 65_000, firstTimestamp: 2 ** 32 - 100_000 },
  { side: 'right', codec: 'PCMA', firstSequence: 64_000, firstTimestamp: 2 ** 32 - 300_001 },
];

/** Speech that says where it belongs: every packet differs from its neighbours, none is silence. */
function payloadOf(nth: number): Uint8Array {
  return Uint8Array.from({ length: 160 }, (_, i) => (nth * 31 + i * 7) % 0x55);
}

/** 2 % lost, 0 to 60 ms of jitter, 1 % sent twice; the first packet always arrives. */
function network(party: Party, random: () => number): readonly Sent[] {
  const arrived: Sent[] = [];
  for (let nth = 0; nth < PACKETS; nth++) {
    if (nth > 0 && random() < 0.02) continue;
    const copies = random() < 0.01 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const packet: RecordedPacket = {
        side: party.side,
        ssrc: 1,
        sequence: (party.firstSequence + nth) & 0xffff,
        timestamp: (party.firstTimestamp + nth * 160) >>> 0,
        arrival: 1_000 + nth * 20 + random() * 60,
        codec: party.codec,
        payload: payloadOf(nth),
      };
      arrived.push({ packet, nth });
    }
  }
  return arrived;
}

describe('a minute of two parties over a bad network', () => {
  it.each([1, 2, 3])('has every packet at its exact place and silence in every gap (seed %i)', (seed) => {
    const random = seeded(seed);
    const sent = PARTIES.map((party) => network(party, random));
    const parts: Uint8Array[] = [];
    const recorder = createRecorder({
      startedAt: 1_000,
      lead: 1 + Math.floor(random() * 4_000),
      emit: (frame) => parts.push(frame.slice()),
    });
    for (const { packet } of sent.flat().sort((one, other) => one.packet.arrival - other.packet.arrival)) {
      recorder.packet(packet);
    }
    recorder.finish(1_000 + SECONDS * 1_000 + 200);
    const all = Buffer.concat(parts);
    expect(all.length).toBe(2 * (SECONDS + 0.2) * 8_000);

    for (const [channel, party] of PARTIES.entries()) {
      const arrived = sent[channel] as readonly Sent[];
      const received = new Set(arrived.map(({ nth }) => nth));
      const first = Math.min(...arrived.filter(({ nth }) => nth === 0).map(({ packet }) => packet.arrival));
      // A reordered packet may come before the first and be the anchor.
      const anchor = arrived.reduce((best, next) =>
        next.packet.arrival < best.packet.arrival ? next : best,
      );
      const origin = Math.round((anchor.packet.arrival - 1_000) * 8) - anchor.nth * 160;
      expect(anchor.packet.arrival).toBeLessThanOrEqual(first);
      let misplaced = 0;
      let noisy = 0;
      for (let nth = 0; nth < PACKETS; nth++) {
        const expected = received.has(nth)
          ? transcode(payloadOf(nth), party.codec, 'PCMU')
          : new Uint8Array(160).fill(0xff);
        for (let i = Math.max(0, -origin - nth * 160); i < 160; i++) {
          if (all[2 * (origin + nth * 160 + i) + channel] === expected[i]) continue;
          if (received.has(nth)) misplaced++;
          else noisy++;
        }
      }
      expect({ misplaced, noisy }).toEqual({ misplaced: 0, noisy: 0 });
      const lastReceived = Math.max(...received);
      expect(recorder.counts[party.side]).toEqual({
        received: received.size,
        lost: lastReceived + 1 - received.size,
        late: 0,
        duplicates: arrived.length - received.size,
        jumps: 0,
        shifts: 0,
      });
      expect(received.size).toBeLessThan(PACKETS);
      expect(arrived.length).toBeGreaterThan(received.size);
    }
  });
});
