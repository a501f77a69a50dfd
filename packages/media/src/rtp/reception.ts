/**
 * What arrived of one stream and how evenly: sequence validity by RFC 3550 appendix A.1, loss by A.3
 * with the extended maximum, interarrival jitter by A.8.
 */
import { sequenceDistance } from './packet.ts';

/** A.1: a jump this far ahead, or this far back, is a restart if the next packet follows it. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
/** G.711 and telephone-event both count in 1/8000 s. */
export const SAMPLES_PER_MILLISECOND = 8;

/** A class, like everything a packet passes: objects with accessors of their own would each have another shape. */
export class Reception {
  #started = false;
  #base = 0;
  #highest = 0;
  #receivedHere = 0;
  /** Sums of the runs before the last restart. */
  #receivedBefore = 0;
  #expectedBefore = 0;
  #badSequence = -1;
  #transit = Number.NaN;
  #jitter = 0;
  #expectedAtReport = 0;
  #receivedAtReport = 0;

  /** A packet that passed the latch; `now` is monotonic milliseconds. */
  add(sequence: number, timestamp: number, now: number): void {
    if (!this.#started) this.#begin(sequence);
    else if (!this.#place(sequence)) return;
    this.#receivedHere++;
    // Kept modulo 2^32, as timestamps are.
    const transit = (Math.round(now * SAMPLES_PER_MILLISECOND) - timestamp) | 0;
    if (!Number.isNaN(this.#transit)) {
      const difference = Math.abs((transit - this.#transit) | 0);
      // A jump past 2 s is a restarted clock at the peer, not jitter.
      if (difference < 16_000) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  /** The source restarts (new SSRC): totals stay, arithmetic begins anew. */
  restart(): void {
    this.#bank();
    this.#started = false;
  }

  /** Starts a new reporting interval and tells the fraction lost in the last one, in 1/256. */
  reportFraction(): number {
    const expected = this.#expectedBefore + this.#expectedHere();
    const expectedInterval = expected - this.#expectedAtReport;
    const lostInterval = expectedInterval - (this.received - this.#receivedAtReport);
    this.#expectedAtReport = expected;
    this.#receivedAtReport = this.received;
    if (expectedInterval <= 0 || lostInterval <= 0) return 0;
    return Math.min(255, Math.floor((lostInterval * 256) / expectedInterval));
  }

  get received(): number {
    return this.#receivedBefore + this.#receivedHere;
  }

  /** Duplicates could make it negative; a call's quality is never better than nothing lost. */
  get lost(): number {
    return Math.max(0, this.#expectedBefore + this.#expectedHere() - this.received);
  }

  /** In timestamp units. */
  get jitter(): number {
    return this.#jitter;
  }

  /** Extended highest sequence number received, 32 bits. */
  get highest(): number {
    return this.#highest >>> 0;
  }

  #expectedHere(): number {
    return this.#started ? this.#highest - this.#base + 1 : 0;
  }

  #bank(): void {
    this.#expectedBefore += this.#expectedHere();
    this.#receivedBefore += this.#receivedHere;
    this.#receivedHere = 0;
    this.#transit = Number.NaN;
  }

  #begin(sequence: number): void {
    this.#bank();
    this.#started = true;
    this.#base = sequence;
    this.#highest = sequence;
    this.#badSequence = -1;
  }

  /** False when the packet lies so far off that it is not counted (yet). */
  #place(sequence: number): boolean {
    const distance = sequenceDistance(this.#highest & 0xffff, sequence);
    if (distance > MAX_DROPOUT || distance < -MAX_MISORDER) {
      if (sequence !== this.#badSequence) {
        this.#badSequence = (sequence + 1) & 0xffff;
        return false;
      }
      this.#begin(sequence);
      return true;
    }
    if (distance > 0) this.#highest += distance;
    return true;
  }
}
