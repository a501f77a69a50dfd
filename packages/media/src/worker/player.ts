/**
 * What is played to legs, in frames of 20 ms. One wheel a worker turns while anything plays; it keeps to the
 * monotonic clock (a late tick is followed by a shorter wait), and spreads its legs over four slots of 5 ms.
 */
import type { Clock, Timers } from '@samar/doors';
import { encode, encodingTable, ringback, SILENCE, tone } from '../codec/index.ts';
import { type Leg, nextSource } from '../rtp/leg.ts';
import { FRAME } from '../rtp/writer.ts';
import type { Codec, Playable } from '../types.ts';
import type { EncodedPrompt } from './protocol.ts';

export type PlayEnd = 'finished' | 'stopped' | 'closed';

/** A prompt in both codecs, or linear samples, which are encoded frame by frame: a long message stalls nobody. */
type Piece = EncodedPrompt | Int16Array;

/** Pieces played one after the other, `repeat` times (may be infinite). */
export interface Tape {
  readonly pieces: readonly Piece[];
  readonly repeat: number;
}

const SLOTS = 4;
const SLOT_MILLISECONDS = 5;
/** A wheel this far behind (a stopped process) doesn't send what it missed in one burst: it goes on from now. */
const LARGEST_CATCH_UP = 100;

export interface Wheel {
  /** Starts in the next slot. `ended` is called once, unless `stop` comes first. */
  start(leg: Leg, tape: Tape, ended: () => void): Playing;
  readonly playing: number;
}

export interface Playing {
  stop(): void;
}

export function createWheel(doors: { readonly clock: Clock; readonly timers: Timers }): Wheel {
  const slots: readonly Set<Turn>[] = Array.from({ length: SLOTS }, () => new Set<Turn>());
  let playing = 0;
  /** The slot to be served next and when; slot `n` is served again 20 ms later. */
  let slot = 0;
  let dueAt = 0;
  let turning = false;

  function serve(): void {
    const now = doors.clock.monotonic();
    if (now - dueAt > LARGEST_CATCH_UP) dueAt = now;
    while (dueAt <= now) {
      for (const turn of slots[slot] as Set<Turn>) {
        if (!turn.next()) {
          remove(slot, turn);
          turn.ended();
        }
      }
      slot = (slot + 1) % SLOTS;
      dueAt += SLOT_MILLISECONDS;
    }
    turning = playing > 0;
    if (turning) wait();
  }

  function wait(): void {
    doors.timers.after(Math.max(0, dueAt - doors.clock.monotonic()), serve);
  }

  function remove(from: number, turn: Turn): void {
    if ((slots[from] as Set<Turn>).delete(turn)) playing--;
  }

  return {
    start(leg, tape, ended) {
      const turn: Turn = { next: createTurn(leg, tape), ended };
      if (!turning) {
        turning = true;
        dueAt = doors.clock.monotonic();
        wait();
      }
      // The emptiest slot, so that no more than a quarter of the legs are sent to in one go.
      let emptiest = slot;
      for (let index = 0; index < SLOTS; index++) {
        if ((slots[index] as Set<Turn>).size < (slots[emptiest] as Set<Turn>).size) emptiest = index;
      }
      (slots[emptiest] as Set<Turn>).add(turn);
      playing++;
      return { stop: () => remove(emptiest, turn) };
    },
    get playing() {
      return playing;
    },
  };
}

interface Turn {
  /** Sends the next frame; false when everything was played. */
  readonly next: () => boolean;
  readonly ended: () => void;
}

function createTurn(leg: Leg, tape: Tape): () => boolean {
  const source = nextSource();
  const total = tape.pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  let round = 0;
  let piece = 0;
  let offset = 0;

  const fill = (into: Uint8Array, at: number) => copy(into, at, leg.codec ?? 'PCMU', false);

  /** Copies a frame from the current place on (or only moves on), over pieces and rounds; silence past the end. */
  function copy(into: Uint8Array | undefined, at: number, codec: Codec, skip: boolean): void {
    let filled = 0;
    // Each turn of the loop consumes bytes or a piece; empty tapes never come here.
    while (filled < FRAME && round < tape.repeat) {
      const from = tape.pieces[piece] as Piece;
      const length = lengthOf(from);
      const part = Math.min(FRAME - filled, length - offset);
      if (into !== undefined && !skip) copyPart(from, offset, part, codec, into, at + filled);
      filled += part;
      offset += part;
      if (offset < length) continue;
      offset = 0;
      piece = (piece + 1) % tape.pieces.length;
      if (piece === 0) round++;
    }
    if (!skip) into?.fill(SILENCE[codec], at + filled, at + FRAME);
  }

  return () => {
    if (total === 0 || round >= tape.repeat) return false;
    // While the peer is on hold time passes; before its description is known nothing is played.
    if (leg.play(fill, source) === 'lost') copy(undefined, 0, 'PCMU', true);
    return true;
  };
}

function lengthOf(piece: Piece): number {
  return piece instanceof Int16Array ? piece.length : piece.PCMU.length;
}

function copyPart(
  piece: Piece,
  offset: number,
  length: number,
  codec: Codec,
  into: Uint8Array,
  at: number,
): void {
  if (!(piece instanceof Int16Array)) {
    into.set(piece[codec].subarray(offset, offset + length), at);
    return;
  }
  const table = encodingTable(codec);
  for (let index = 0; index < length; index++) {
    into[at + index] = table[(piece[offset + index] as number) & 0xffff] as number;
  }
}

/** Ringback and tones, made when first asked for and kept. Bounded: a handful of countries and tones. */
const KEPT_TONES = 32;

export interface TapeMaker {
  /** Undefined when a prompt's name is unknown. */
  make(what: Playable): Tape | undefined;
}

export function createTapeMaker(prompts: ReadonlyMap<string, EncodedPrompt>): TapeMaker {
  const kept = new Map<string, EncodedPrompt>();

  function keep(name: string, make: () => Int16Array): EncodedPrompt {
    const found = kept.get(name);
    if (found !== undefined) return found;
    const linear = make();
    const made = { PCMU: encode(linear, 'PCMU'), PCMA: encode(linear, 'PCMA') };
    if (kept.size >= KEPT_TONES) kept.clear();
    kept.set(name, made);
    return made;
  }

  return {
    make(what) {
      switch (what.kind) {
        case 'prompts': {
          const pieces = what.names.map((name) => prompts.get(name));
          if (!pieces.every((piece) => piece !== undefined)) return undefined;
          return { pieces, repeat: what.repeat ?? 1 };
        }
        case 'samples':
          return { pieces: [what.samples], repeat: 1 };
        case 'ringback':
          return {
            pieces: [keep(`ringback ${what.country ?? ''}`, () => ringback(what.country))],
            repeat: Number.POSITIVE_INFINITY,
          };
        case 'tone':
          return {
            pieces: [
              keep(`tone ${what.hertz} ${what.milliseconds}`, () => tone(what.hertz, what.milliseconds)),
            ],
            repeat: 1,
          };
      }
    },
  };
}
