import { SILENCE, transcodingTable } from '../codec/index.ts';
import type { Codec } from '../types.ts';
import { FRAME_SAMPLES } from './format.ts';
import { Stream } from './stream.ts';

export type Side = 'left' | 'right';

export interface RecordedPacket {
  readonly side: Side;
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  /** Milliseconds of the monotonic clock. */
  readonly arrival: number;
  readonly codec: Codec;
  /** G.711; at most 4,000 bytes are taken. Not kept. */
  readonly payload: Uint8Array;
}

/** A telephone-event packet (RFC 4733): it stands in the same sequence as speech, and mutes what it covers. */
export interface RecordedDigit {
  readonly side: Side;
  readonly ssrc: number;
  readonly sequence: number;
  /** Of the packet, that is of the event's beginning. */
  readonly timestamp: number;
  /** As the packet says, in timestamp units. */
  readonly duration: number;
  readonly arrival: number;
}

export interface SideCounts {
  /** Packets, duplicates not counted. */
  readonly received: number;
  readonly lost: number;
  /** Received when their place was already written. */
  readonly late: number;
  readonly duplicates: number;
  /** New SSRC or jump of more than 2 s: anchored anew. */
  readonly jumps: number;
  /** Moved by a clock's drift. */
  readonly shifts: number;
}

export interface RecorderOptions {
  /** Milliseconds of the monotonic clock at the recording's first sample. */
  readonly startedAt: number;
  /**
   * Samples of the first frame, 1 to 4,000 (default 4,000). Different for each call, so that the calls of one
   * worker don't all write at the same instant.
   */
  readonly lead?: number;
  /** Interleaved µ-law, left first. `frame` is valid only during the call. */
  readonly emit: (frame: Uint8Array, last: boolean) => void;
}

const SAMPLES_PER_MS = 8;
/** A packet this late still finds its place: twice what a bad mobile network does. */
const REORDER_MS = 200;
/** What isn't written yet: 4 s. A frame, the reorder window and 2 s of a stream that runs ahead fit in. */
const RING_SAMPLES = 8 * FRAME_SAMPLES;
/** Streams remembered on each side, so that a packet that comes after a change of SSRC finds its old place. */
const STREAMS = 4;
/** Key presses remembered on each side within the ring: nobody presses more in 4 s; see `remember`. */
const MUTED = 8;
const PAYLOAD = FRAME_SAMPLES;
/**
 * Silence before and after a digit: a telephone's tone is in the speech, too, until its gateway has recognised
 * it (40 to 60 ms), and after the last packet that tells the event's length (sent each 50 ms).
 */
const DIGIT_MARGIN = 60 * SAMPLES_PER_MS;
/** µ-law codes up to this, signs aside, are below some −35 dBm0. */
const QUIET = 0x20;

interface Interval {
  from: number;
  to: number;
}

interface SideState {
  readonly channel: 0 | 1;
  /** Newest first. */
  readonly streams: Stream[];
  readonly muted: Interval[];
  received: number;
  lostBefore: number;
  late: number;
  duplicates: number;
  jumps: number;
  shifts: number;
}

function newSide(channel: 0 | 1): SideState {
  return {
    channel,
    streams: [],
    muted: [],
    received: 0,
    lostBefore: 0,
    late: 0,
    duplicates: 0,
    jumps: 0,
    shifts: 0,
  };
}

/**
 * The time line of one recording: packets go in as they come, frames of half a second come out 200 ms after
 * their end. Knows no clock: time is what `arrival` and `now` say.
 *
 * Places are counted in samples from the start of a full first frame, so frame k holds [4000 k, 4000 (k + 1));
 * `lead` shortens the first one by beginning at 4000 − lead.
 */
export class Recorder {
  readonly #startedAt: number;
  readonly #emit: RecorderOptions['emit'];
  readonly #ring = new Uint8Array(2 * RING_SAMPLES).fill(SILENCE.PCMU);
  readonly #sides: Readonly<Record<Side, SideState>> = { left: newSide(0), right: newSide(1) };
  readonly #origin: number;
  /** First place that isn't written yet. */
  #written: number;
  #finished = false;

  constructor(options: RecorderOptions) {
    const lead = options.lead ?? FRAME_SAMPLES;
    if (!Number.isInteger(lead) || lead < 1 || lead > FRAME_SAMPLES) throw new RangeError('recorder: lead');
    this.#startedAt = options.startedAt;
    this.#emit = options.emit;
    this.#origin = FRAME_SAMPLES - lead;
    this.#written = this.#origin;
  }

  /** Puts speech at its place. */
  packet(packet: RecordedPacket): void {
    const { side, codec, arrival } = packet;
    if (this.#finished) return;
    this.advance(arrival);
    const state = this.#sides[side];
    const stream = this.#streamOf(state, packet, packet.timestamp);
    if (!this.#count(state, stream, packet.sequence)) return;
    const table = transcodingTable(codec, 'PCMU');
    const quiet = () => isQuiet(packet.payload, table);
    if (stream.follow(packet.timestamp, this.#placeOf(arrival), quiet) !== 0) state.shifts++;
    this.#write(state, stream.locate(packet.timestamp), packet.payload, table);
  }

  /** Mutes a key press, as far as it is known, with a margin on both sides; also what comes later for that time. */
  digit(digit: RecordedDigit): void {
    if (this.#finished) return;
    this.advance(digit.arrival);
    const state = this.#sides[digit.side];
    const end = (digit.timestamp + digit.duration) >>> 0;
    const stream = this.#streamOf(state, digit, end);
    this.#count(state, stream, digit.sequence);
    const to = stream.locate(end);
    this.#mute(state, to - digit.duration - DIGIT_MARGIN, to + DIGIT_MARGIN);
  }

  /** Emits the frames that nothing can be added to any more. To be called at least once a second. */
  advance(now: number): void {
    while (this.#placeOf(now - REORDER_MS) >= this.#frameEnd() && !this.#finished) this.#emitFrame();
  }

  /** Emits all up to `now`; the last frame may be short or empty. Everything after is ignored. */
  finish(now: number): void {
    if (this.#finished) return;
    const end = Math.max(this.#written, this.#placeOf(now));
    while (end >= this.#frameEnd()) this.#emitFrame();
    const at = 2 * (this.#written % RING_SAMPLES);
    this.#finished = true;
    this.#emit(this.#ring.subarray(at, at + 2 * (end - this.#written)), true);
  }

  get counts(): Readonly<Record<Side, SideCounts>> {
    return { left: countsOf(this.#sides.left), right: countsOf(this.#sides.right) };
  }

  #placeOf(time: number): number {
    return this.#origin + Math.round((time - this.#startedAt) * SAMPLES_PER_MS);
  }

  #frameEnd(): number {
    return (Math.floor(this.#written / FRAME_SAMPLES) + 1) * FRAME_SAMPLES;
  }

  #emitFrame(): void {
    const end = this.#frameEnd();
    const at = 2 * (this.#written % RING_SAMPLES);
    const frame = this.#ring.subarray(at, at + 2 * (end - this.#written));
    this.#emit(frame, false);
    frame.fill(SILENCE.PCMU);
    this.#written = end;
    for (const { muted } of [this.#sides.left, this.#sides.right]) {
      while (muted[0] !== undefined && muted[0].to <= end) muted.shift();
    }
  }

  #streamOf(state: SideState, packet: RecordedPacket | RecordedDigit, timestamp: number): Stream {
    const arrival = this.#placeOf(packet.arrival);
    for (const known of state.streams) {
      if (known.fits(packet.ssrc, timestamp, arrival)) return known;
    }
    if (state.streams.length > 0) state.jumps++;
    const stream = new Stream(packet.ssrc, packet.sequence, timestamp, arrival);
    state.streams.unshift(stream);
    if (state.streams.length > STREAMS) state.lostBefore += state.streams.pop()?.sequences.lost ?? 0;
    return stream;
  }

  #count(state: SideState, stream: Stream, sequence: number): boolean {
    if (!stream.sequences.accept(sequence)) {
      state.duplicates++;
      return false;
    }
    state.received++;
    return true;
  }

  #write(state: SideState, place: number, payload: Uint8Array, table: Uint8Array | undefined): void {
    const skip = Math.max(0, this.#written - place);
    const length = Math.min(payload.length, PAYLOAD, this.#written + RING_SAMPLES - place);
    if (skip >= length) {
      if (payload.length > 0) state.late++;
      return;
    }
    const ring = this.#ring;
    let at = 2 * ((place + skip) % RING_SAMPLES) + state.channel;
    for (let i = skip; i < length; i++) {
      const byte = payload[i] as number;
      ring[at] = table === undefined ? byte : (table[byte] as number);
      at += 2;
      if (at >= 2 * RING_SAMPLES) at -= 2 * RING_SAMPLES;
    }
    for (const { from, to } of state.muted) {
      if (from < place + length && to > place + skip) {
        this.#silence(state, Math.max(from, place + skip), Math.min(to, place + length));
      }
    }
  }

  #mute(state: SideState, from: number, to: number): void {
    remember(state.muted, from, to);
    this.#silence(state, Math.max(from, this.#written), Math.min(to, this.#written + RING_SAMPLES));
  }

  #silence(state: SideState, from: number, to: number): void {
    for (let place = from; place < to; place++) {
      this.#ring[2 * (place % RING_SAMPLES) + state.channel] = SILENCE.PCMU;
    }
  }
}

/** Adds an interval to a sorted list without overlaps; a full list closes its first gap, muting rather more. */
function remember(intervals: Interval[], from: number, to: number): void {
  const joined: Interval = { from, to };
  const apart = intervals.filter((known) => {
    if (known.to < from || known.from > to) return true;
    joined.from = Math.min(joined.from, known.from);
    joined.to = Math.max(joined.to, known.to);
    return false;
  });
  apart.push(joined);
  apart.sort((a, b) => a.from - b.from);
  const [first, second] = apart;
  if (apart.length > MUTED && first !== undefined && second !== undefined) {
    apart.splice(0, 2, { from: first.from, to: second.to });
  }
  intervals.splice(0, intervals.length, ...apart);
}

function isQuiet(payload: Uint8Array, table: Uint8Array | undefined): boolean {
  return payload.every((byte) => (~(table?.[byte] ?? byte) & 0x7f) <= QUIET);
}

function countsOf(state: SideState): SideCounts {
  const { received, late, duplicates, jumps, shifts } = state;
  const lost = state.streams.reduce((sum, stream) => sum + stream.sequences.lost, state.lostBefore);
  return { received, lost, late, duplicates, jumps, shifts };
}

export function createRecorder(options: RecorderOptions): Recorder {
  return new Recorder(options);
}
