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

export interface Reception {
  /** A packet that passed the latch; `now` is monotonic milliseconds. */
  add(sequence: number, timestamp: number, now: number): void;
  /** The source restarts (new SSRC): totals stay, arithmetic begins anew. */
  restart(): void;
  /** Starts a new reporting interval and tells the fraction lost in the last one, in 1/256. */
  reportFraction(): number;
  readonly received: number;
  readonly lost: number;
  /** In timestamp units. */
  readonly jitter: number;
  /** Extended highest sequence number received, 32 bits. */
  readonly highest: number;
}

export function createReception(): Reception {
  let started = false;
  let base = 0;
  let highest = 0;
  let receivedHere = 0;
  /** Sums of the runs before the last restart. */
  let receivedBefore = 0;
  let expectedBefore = 0;
  let badSequence = -1;
  let transit = Number.NaN;
  let jitter = 0;
  let expectedAtReport = 0;
  let receivedAtReport = 0;

  const expectedHere = () => (started ? highest - base + 1 : 0);

  function begin(sequence: number): void {
    expectedBefore += expectedHere();
    receivedBefore += receivedHere;
    started = true;
    base = sequence;
    highest = sequence;
    receivedHere = 0;
    badSequence = -1;
    transit = Number.NaN;
  }

  /** False when the packet lies so far off that it is not counted (yet). */
  function place(sequence: number): boolean {
    const distance = sequenceDistance(highest & 0xffff, sequence);
    if (distance > MAX_DROPOUT || distance < -MAX_MISORDER) {
      if (sequence !== badSequence) {
        badSequence = (sequence + 1) & 0xffff;
        return false;
      }
      begin(sequence);
      return true;
    }
    if (distance > 0) highest += distance;
    return true;
  }

  return {
    add(sequence, timestamp, now) {
      if (!started) begin(sequence);
      else if (!place(sequence)) return;
      receivedHere++;
      const arrival = now * SAMPLES_PER_MILLISECOND;
      // Kept modulo 2^32, as timestamps are.
      const next = (Math.round(arrival) - timestamp) | 0;
      if (!Number.isNaN(transit)) {
        const difference = Math.abs((next - transit) | 0);
        // A jump past 2 s is a restarted clock at the peer, not jitter.
        if (difference < 16_000) jitter += (difference - jitter) / 16;
      }
      transit = next;
    },
    restart() {
      expectedBefore += expectedHere();
      receivedBefore += receivedHere;
      started = false;
      receivedHere = 0;
      transit = Number.NaN;
    },
    reportFraction() {
      const expected = expectedBefore + expectedHere();
      const received = receivedBefore + receivedHere;
      const expectedInterval = expected - expectedAtReport;
      const lostInterval = expectedInterval - (received - receivedAtReport);
      expectedAtReport = expected;
      receivedAtReport = received;
      if (expectedInterval <= 0 || lostInterval <= 0) return 0;
      return Math.min(255, Math.floor((lostInterval * 256) / expectedInterval));
    },
    get received() {
      return receivedBefore + receivedHere;
    },
    /** Duplicates could make it negative; a call's quality is never better than nothing lost. */
    get lost() {
      return Math.max(0, expectedBefore + expectedHere() - receivedBefore - receivedHere);
    },
    get jitter() {
      return jitter;
    },
    get highest() {
      return highest >>> 0;
    },
  };
}
