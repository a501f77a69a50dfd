/**
 * What this node has taken and not yet seen through, endpoint by endpoint: deliveries wait here, are in the air, or
 * their outcome is on its way to the database. An endpoint that answers quickly has more taken ahead for it, so that one
 * look at the database serves many; one that is slow gets no more than is in the air.
 */
import type { Doors } from '@samar/doors';
import type { HeldRow } from '../store/queries/webhooks.ts';
import type { Signers } from './signature.ts';

export interface Hand {
  readonly endpoint: string;
  /** Made once for what goes out in one go; of these keys. */
  signers?: { readonly keys: Buffer; readonly previous: boolean; readonly signers: Signers };
}

export interface HandsOptions {
  readonly clock: Pick<Doors['clock'], 'monotonic'>;
  /** Most that are in the air at one endpoint. */
  readonly each: number;
  /** Most that are in the air, or of which the outcome isn't written yet: what is sent again when this node dies. */
  readonly most: number;
}

/** Most that are taken ahead for one endpoint, and most that are in our hands at all. */
const mostAhead = 256;
const mostHeld = 1_024;
/** Taken ahead: what an endpoint took in this share of a second. */
const aheadSeconds = 0.25;
/** What could not be begun in this time goes back: another node may have more room, or the endpoint has changed. */
const patienceMilliseconds = 3_000;
/** As long as nothing is in its hand, what is known of an endpoint is remembered for this long. */
const memoryMilliseconds = 2_000;

interface OneHand extends Hand {
  waiting: { readonly row: HeldRow; readonly takenAt: number }[];
  /** Sequences of all that we have: waiting, in the air, being written. */
  readonly held: Set<string>;
  inAir: number;
  paused: boolean;
  /** Finished within the second that began at `since`, and within the one before. */
  since: number;
  count: number;
  before: number;
}

export function createHands({ clock, each, most }: HandsOptions) {
  /** In the order in which they are served: who was served goes to the end. */
  const hands = new Map<string, OneHand>();
  let held = 0;
  let begun = 0;

  function handOf(endpoint: string): OneHand {
    let hand = hands.get(endpoint);
    if (hand === undefined) {
      const since = clock.monotonic();
      hand = {
        ...{ endpoint, waiting: [], held: new Set(), inAir: 0, paused: false },
        ...{ since, count: 0, before: 0 },
      };
      hands.set(endpoint, hand);
    }
    return hand;
  }
  function ahead(hand: OneHand): number {
    const age = clock.monotonic() - hand.since;
    const rate = age > 2_000 ? 0 : Math.max(hand.count, hand.before);
    return Math.min(mostAhead, Math.floor(rate * aheadSeconds));
  }
  function count(hand: OneHand): void {
    const now = clock.monotonic();
    const age = now - hand.since;
    if (age >= 1_000) {
      hand.before = age < 2_000 ? hand.count : 0;
      hand.count = 0;
      hand.since = now;
    }
    hand.count += 1;
  }
  function release(hand: OneHand, sequence: string): void {
    if (hand.held.delete(sequence)) held -= 1;
  }
  function drop(hand: OneHand): void {
    for (const { row } of hand.waiting) release(hand, row.sequence);
    hand.waiting = [];
  }
  function begin(hand: OneHand): HeldRow | undefined {
    while (hand.waiting.length > 0 && !hand.paused && hand.inAir < each) {
      const one = hand.waiting.shift();
      if (one === undefined) break;
      if (clock.monotonic() - one.takenAt > patienceMilliseconds) {
        release(hand, one.row.sequence);
        continue;
      }
      hand.inAir += 1;
      begun += 1;
      hands.delete(hand.endpoint);
      hands.set(hand.endpoint, hand);
      return one.row;
    }
    return undefined;
  }

  return {
    handOf: (endpoint: string): Hand => handOf(endpoint),
    /** How many more may be taken at all. */
    room: () => mostHeld - held,
    /** How many more of each endpoint of which we have something, and what we have. */
    asks() {
      const now = clock.monotonic();
      for (const hand of hands.values()) {
        const idle = hand.held.size === 0 && now - hand.since > memoryMilliseconds;
        if (idle) hands.delete(hand.endpoint);
      }
      return [...hands.values()].map((hand) => ({
        endpoint: hand.endpoint,
        room: hand.paused ? 0 : Math.max(0, each + ahead(hand) - hand.held.size),
        held: [...hand.held],
      }));
    },
    take(rows: readonly HeldRow[]): void {
      const takenAt = clock.monotonic();
      for (const row of rows) {
        const hand = handOf(row.endpoint);
        if (hand.held.has(row.sequence)) continue;
        hand.held.add(row.sequence);
        held += 1;
        hand.waiting.push({ row, takenAt });
      }
    },
    /** The next one to begin, of each endpoint by turns. */
    next(): HeldRow | undefined {
      if (begun >= most) return undefined;
      for (const hand of hands.values()) {
        const row = begin(hand);
        if (row !== undefined) return row;
      }
      return undefined;
    },
    /** It has answered, or not. `paused`: it wants nothing else until the outcome is written. */
    landed({ endpoint }: HeldRow, paused: boolean): void {
      const hand = handOf(endpoint);
      hand.inAir -= 1;
      hand.paused ||= paused;
      count(hand);
    },
    /** What waits is not begun here: nothing could be written of what came of it. */
    dropAll(): void {
      for (const hand of hands.values()) drop(hand);
    },
    /** Its outcome is written, or given up. True: it is time to take more. */
    done({ endpoint, sequence }: HeldRow): boolean {
      const hand = handOf(endpoint);
      begun -= 1;
      release(hand, sequence);
      if (hand.paused) {
        drop(hand);
        hand.paused = false;
      }
      return hand.waiting.length <= ahead(hand) / 2;
    },
  };
}
