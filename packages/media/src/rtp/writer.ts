/**
 * The stream that a leg sends: own SSRC, own sequence numbers, own clock. Whatever feeds it (the other leg, a
 * prompt, the other leg again), sequence numbers and timestamps go on without a break, and the first packet of
 * each feed carries the marker bit. Of what comes in only the audio bytes survive.
 */
import type { UdpSocket } from '@samar/doors';
import {
  HEADER_BYTES,
  LONGEST_AUDIO,
  type RtpPacket,
  sequenceDistance,
  timestampDistance,
  writeHeader,
} from './packet.ts';
import { SAMPLES_PER_MILLISECOND } from './reception.ts';

/**
 * Buffers a stream sends from in turn. The system may read one after `send` returned, when the socket's queue was
 * full; they belong to one leg alone, so that not even then a byte of another call can go out.
 */
const RING = 8;
/** Sequence numbers of the source may jump this far before the stream is taken up anew. */
const LARGEST_GAP = 100;
/** A source's clock may run this far off the time of arrival, in samples (2 s), before it is taken up anew. */
const LARGEST_DRIFT = 16_000;
/** 20 ms, the packets of everything that is played. */
export const FRAME = 160;

export interface Writer {
  /** Where packets go and as what. Undefined: nowhere (no description yet, or on hold). */
  aim(target: Target | undefined): void;
  /**
   * Audio of the other leg, `data[packet.start]` to `data[packet.end - 1]`. `source` is a number that changes
   * whenever another stream feeds this one. `table` maps its bytes to our codec. False when nothing was sent.
   */
  relay(
    data: Uint8Array,
    packet: RtpPacket,
    source: number,
    table: Uint8Array | undefined,
    now: number,
  ): boolean;
  /** The source sent a packet that isn't passed on (a digit, comfort noise): the gap in its numbers is closed. */
  skip(sequence: number, source: number): void;
  /** The next packet of what is played: `fill` writes `FRAME` bytes of the target's codec from `at` on. */
  play(fill: Fill, source: number, now: number): boolean;
  readonly ssrc: number;
  readonly packets: number;
  readonly octets: number;
  /** The timestamp that belongs to `now`, for sender reports. */
  timestampAt(now: number): number;
}

export type Fill = (into: Uint8Array, at: number) => void;

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly payloadType: number;
}

interface Buffers {
  readonly bytes: Uint8Array;
  /** Cut to the length of the last packet sent from it; lengths hardly ever change. */
  view: Uint8Array;
}

export function createWriter(
  socket: Pick<UdpSocket, 'send'>,
  start: { ssrc: number; sequence: number; timestamp: number },
): Writer {
  const ring: Buffers[] = [];
  let next = 0;
  let target: Target | undefined;
  let packets = 0;
  let octets = 0;
  /** The last packet sent; `highest` and `timestamp` belong together. */
  let highest = start.sequence;
  let timestamp = start.timestamp;
  let samples = 0;
  let sentAt = Number.NaN;
  /** The feed now sending, and how its numbers map to ours. */
  let feed = -1;
  let feedStart = 0;
  let sourceHighest = 0;
  let sourceTimestamp = 0;
  let sourceAt = 0;
  let sequenceOffset = 0;
  let timestampOffset = 0;

  function buffer(bytes: number): Uint8Array {
    next = (next + 1) % RING;
    let slot = ring[next];
    if (slot === undefined) {
      const whole = new Uint8Array(HEADER_BYTES + LONGEST_AUDIO);
      slot = { bytes: whole, view: whole };
      ring[next] = slot;
    }
    if (slot.view.length !== bytes) slot.view = slot.bytes.subarray(0, bytes);
    return slot.view;
  }

  /** The timestamp of the first packet of a new feed: as much later than the last as time has passed. */
  function resumed(now: number): number {
    if (Number.isNaN(sentAt)) return timestamp;
    const passed = Math.round((now - sentAt) * SAMPLES_PER_MILLISECOND);
    return (timestamp + Math.max(samples, passed)) >>> 0;
  }

  function takeUp(packet: RtpPacket, source: number, now: number): void {
    feed = source;
    feedStart = (highest + 1) & 0xffff;
    sequenceOffset = (feedStart - packet.sequence) & 0xffff;
    timestampOffset = (resumed(now) - packet.timestamp) >>> 0;
    sourceHighest = packet.sequence;
  }

  function put(view: Uint8Array, to: Target, marker: boolean, number: number, time: number): void {
    writeHeader(view, to.payloadType, marker, number, time, start.ssrc);
    socket.send(view, to.port, to.address);
    packets++;
    octets += view.length - HEADER_BYTES;
  }

  return {
    aim(to) {
      target = to;
    },
    relay(data, packet, source, table, now) {
      if (target === undefined) return false;
      let marker = packet.marker;
      let distance = sequenceDistance(sourceHighest, packet.sequence);
      if (source !== feed || distance > LARGEST_GAP || distance < -LARGEST_GAP) {
        takeUp(packet, source, now);
        marker = true;
        distance = 1;
      } else if (distance > 0) {
        const off =
          timestampDistance(sourceTimestamp, packet.timestamp) - (now - sourceAt) * SAMPLES_PER_MILLISECOND;
        if (off > LARGEST_DRIFT || off < -LARGEST_DRIFT) {
          takeUp(packet, source, now);
          marker = true;
        }
      }
      const number = (packet.sequence + sequenceOffset) & 0xffff;
      // A late packet from before this feed would fall among the packets of the last one.
      if (distance <= 0 && sequenceDistance(feedStart, number) < 0) return false;
      const time = (packet.timestamp + timestampOffset) >>> 0;
      const length = packet.end - packet.start;
      const view = buffer(HEADER_BYTES + length);
      copyAudio(data, packet.start, length, table, view);
      put(view, target, marker, number, time);
      if (distance > 0) {
        sourceHighest = packet.sequence;
        sourceTimestamp = packet.timestamp;
        sourceAt = now;
        highest = number;
        timestamp = time;
        samples = length;
        sentAt = now;
      }
      return true;
    },
    skip(sequence, source) {
      if (source !== feed || sequenceDistance(sourceHighest, sequence) <= 0) return;
      sequenceOffset = (sequenceOffset - 1) & 0xffff;
      sourceHighest = sequence;
    },
    play(fill, source, now) {
      if (target === undefined) return false;
      const first = source !== feed;
      const time = first ? resumed(now) : (timestamp + FRAME) >>> 0;
      const number = (highest + 1) & 0xffff;
      feed = source;
      const view = buffer(HEADER_BYTES + FRAME);
      fill(view, HEADER_BYTES);
      put(view, target, first, number, time);
      highest = number;
      timestamp = time;
      samples = FRAME;
      sentAt = now;
      return true;
    },
    ssrc: start.ssrc,
    get packets() {
      return packets;
    },
    get octets() {
      return octets;
    },
    timestampAt(now) {
      if (Number.isNaN(sentAt)) return timestamp;
      return (timestamp + Math.round((now - sentAt) * SAMPLES_PER_MILLISECOND)) >>> 0;
    },
  };
}

function copyAudio(
  data: Uint8Array,
  start: number,
  length: number,
  table: Uint8Array | undefined,
  into: Uint8Array,
): void {
  if (table === undefined) {
    for (let index = 0; index < length; index++) into[HEADER_BYTES + index] = data[start + index] as number;
    return;
  }
  for (let index = 0; index < length; index++) {
    into[HEADER_BYTES + index] = table[data[start + index] as number] as number;
  }
}
