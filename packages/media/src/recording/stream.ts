import { Sequences } from './sequences.ts';

/** A stream whose place by its own timestamps is this far from its place by arrival has jumped: samples, 2 s. */
const JUMP = 16_000;
/** Clocks of two machines part by some 0.1 s in 20 minutes. Looked at this often: samples, 5 s … */
const DRIFT_WINDOW = 40_000;
/** … and put right in a quiet moment when beyond this, samples, 120 ms; anywhere when beyond the second, 180 ms. */
const DRIFT_NOTED = 960;
const DRIFT_URGENT = 1_440;

/**
 * One RTP stream's place on the recording's time line, in samples: its timestamps count from where its first
 * packet arrived, so that jitter doesn't move anything.
 */
export class Stream {
  readonly ssrc: number;
  readonly sequences: Sequences;
  #timestamp: number;
  #position: number;
  #windowStart: number;
  /** Least delay of arrival against place in the window: what remains of it is drift, not jitter. */
  #leastDelay = Number.POSITIVE_INFINITY;
  /** Samples that the stream has drifted, waiting for a quiet packet. */
  #drift = 0;

  /** @param arrival place on the time line by the clock of arrival */
  constructor(ssrc: number, sequence: number, timestamp: number, arrival: number) {
    this.ssrc = ssrc;
    this.sequences = new Sequences(sequence);
    this.#timestamp = timestamp;
    this.#position = arrival;
    this.#windowStart = arrival;
  }

  /** Place of `timestamp` (32 bits, unwrapped against the newest seen). */
  locate(timestamp: number): number {
    return this.#position + ((timestamp - this.#timestamp) | 0);
  }

  /** Whether `timestamp`, arriving now, can belong to this stream as anchored. */
  fits(ssrc: number, timestamp: number, arrival: number): boolean {
    return ssrc === this.ssrc && Math.abs(this.locate(timestamp) - arrival) <= JUMP;
  }

  /**
   * Takes note of a packet that arrived.
   * @returns the samples by which the stream was moved, 0 almost always
   */
  follow(timestamp: number, arrival: number, isQuiet: () => boolean): number {
    const step = (timestamp - this.#timestamp) | 0;
    if (step > 0) {
      this.#timestamp = timestamp;
      this.#position += step;
    }
    this.#leastDelay = Math.min(this.#leastDelay, arrival - this.locate(timestamp));
    if (arrival - this.#windowStart >= DRIFT_WINDOW) {
      this.#drift = Math.abs(this.#leastDelay) >= DRIFT_NOTED ? this.#leastDelay : 0;
      this.#leastDelay = Number.POSITIVE_INFINITY;
      this.#windowStart = arrival;
    }
    if (this.#drift === 0 || !(Math.abs(this.#drift) >= DRIFT_URGENT || isQuiet())) return 0;
    const moved = this.#drift;
    this.#position += moved;
    this.#drift = 0;
    this.#leastDelay = Number.POSITIVE_INFINITY;
    return moved;
  }
}
