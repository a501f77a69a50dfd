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

export class Writer {
  readonly ssrc: number;
  readonly #socket: Pick<UdpSocket, 'send'>;
  readonly #ring: Buffers[] = [];
  #next = 0;
  #target: Target | undefined;
  #packets = 0;
  #octets = 0;
  /** The last packet sent; `highest` and `timestamp` belong together. */
  #highest: number;
  #timestamp: number;
  #samples = 0;
  #sentAt = Number.NaN;
  /** The feed now sending, and how its numbers map to ours. */
  #feed = -1;
  #feedStart = 0;
  #sourceHighest = 0;
  #sourceTimestamp = 0;
  #sourceAt = 0;
  #sequenceOffset = 0;
  #timestampOffset = 0;

  constructor(
    socket: Pick<UdpSocket, 'send'>,
    start: { readonly ssrc: number; readonly sequence: number; readonly timestamp: number },
  ) {
    this.#socket = socket;
    this.ssrc = start.ssrc;
    this.#highest = start.sequence;
    this.#timestamp = start.timestamp;
  }

  get packets(): number {
    return this.#packets;
  }

  get octets(): number {
    return this.#octets;
  }

  /** Where packets go and as what. Undefined: nowhere (no description yet, or on hold). */
  aim(target: Target | undefined): void {
    this.#target = target;
  }

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
  ): boolean {
    const target = this.#target;
    if (target === undefined) return false;
    const distance = sequenceDistance(this.#sourceHighest, packet.sequence);
    const anew = source !== this.#feed || this.#jumped(packet, distance, now);
    if (anew) this.#takeUp(packet, source, now);
    const number = (packet.sequence + this.#sequenceOffset) & 0xffff;
    const newest = anew || distance > 0;
    // A late packet from before this feed would fall among the packets of the last one.
    if (!newest && sequenceDistance(this.#feedStart, number) < 0) return false;
    const time = (packet.timestamp + this.#timestampOffset) >>> 0;
    const length = packet.end - packet.start;
    const view = this.#buffer(HEADER_BYTES + length);
    copyAudio(data, packet.start, length, table, view);
    this.#put(view, target, anew || packet.marker, number, time);
    if (newest) {
      this.#sourceHighest = packet.sequence;
      this.#sourceTimestamp = packet.timestamp;
      this.#sourceAt = now;
      this.#sent(number, time, length, now);
    }
    return true;
  }

  /** The source sent a packet that isn't passed on (a digit, comfort noise): the gap in its numbers is closed. */
  skip(sequence: number, source: number): void {
    if (source !== this.#feed || sequenceDistance(this.#sourceHighest, sequence) <= 0) return;
    this.#sequenceOffset = (this.#sequenceOffset - 1) & 0xffff;
    this.#sourceHighest = sequence;
  }

  /** The next packet of what is played: `fill` writes `FRAME` bytes of the target's codec from `at` on. */
  play(fill: Fill, source: number, now: number): boolean {
    const target = this.#target;
    if (target === undefined) return false;
    const first = source !== this.#feed;
    const time = first ? this.#resumed(now) : (this.#timestamp + FRAME) >>> 0;
    const number = (this.#highest + 1) & 0xffff;
    this.#feed = source;
    const view = this.#buffer(HEADER_BYTES + FRAME);
    fill(view, HEADER_BYTES);
    this.#put(view, target, first, number, time);
    this.#sent(number, time, FRAME, now);
    return true;
  }

  /** The timestamp that belongs to `now`, for sender reports. */
  timestampAt(now: number): number {
    if (Number.isNaN(this.#sentAt)) return this.#timestamp;
    return (this.#timestamp + Math.round((now - this.#sentAt) * SAMPLES_PER_MILLISECOND)) >>> 0;
  }

  #buffer(bytes: number): Uint8Array {
    this.#next = (this.#next + 1) % RING;
    let slot = this.#ring[this.#next];
    if (slot === undefined) {
      const whole = new Uint8Array(HEADER_BYTES + LONGEST_AUDIO);
      slot = { bytes: whole, view: whole };
      this.#ring[this.#next] = slot;
    }
    if (slot.view.length !== bytes) slot.view = slot.bytes.subarray(0, bytes);
    return slot.view;
  }

  /** The timestamp of the first packet of a new feed: as much later than the last as time has passed. */
  #resumed(now: number): number {
    if (Number.isNaN(this.#sentAt)) return this.#timestamp;
    const passed = Math.round((now - this.#sentAt) * SAMPLES_PER_MILLISECOND);
    return (this.#timestamp + Math.max(this.#samples, passed)) >>> 0;
  }

  /** The source's numbers or its clock are no longer those of the stream so far. */
  #jumped(packet: RtpPacket, distance: number, now: number): boolean {
    if (distance > LARGEST_GAP || distance < -LARGEST_GAP) return true;
    if (distance <= 0) return false;
    const passed = (now - this.#sourceAt) * SAMPLES_PER_MILLISECOND;
    return Math.abs(timestampDistance(this.#sourceTimestamp, packet.timestamp) - passed) > LARGEST_DRIFT;
  }

  #takeUp(packet: RtpPacket, source: number, now: number): void {
    this.#feed = source;
    this.#feedStart = (this.#highest + 1) & 0xffff;
    this.#sequenceOffset = (this.#feedStart - packet.sequence) & 0xffff;
    this.#timestampOffset = (this.#resumed(now) - packet.timestamp) >>> 0;
  }

  #put(view: Uint8Array, to: Target, marker: boolean, number: number, time: number): void {
    writeHeader(view, to.payloadType, marker, number, time, this.ssrc);
    this.#socket.send(view, to.port, to.address);
    this.#packets++;
    this.#octets += view.length - HEADER_BYTES;
  }

  #sent(number: number, time: number, samples: number, now: number): void {
    this.#highest = number;
    this.#timestamp = time;
    this.#samples = samples;
    this.#sentAt = now;
  }
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
