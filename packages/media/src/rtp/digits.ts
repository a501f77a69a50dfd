/**
 * Key presses by RFC 4733: each once, however often its packets are repeated, and also when every end packet
 * is lost. Nothing here is ever passed on.
 */
import type { Clock, Timer, Timers } from '@samar/doors';
import type { Digit } from '../types.ts';
import { readWord, timestampDistance } from './packet.ts';
import { SAMPLES_PER_MILLISECOND } from './reception.ts';

const KEYS: readonly Digit[] = [
  '0',
  '1',
  '2',
  '3',
  '4',
  '5',
  '6',
  '7',
  '8',
  '9',
  '*',
  '#',
  'A',
  'B',
  'C',
  'D',
];
/** A key counts as let go this long after its last packet; ends are sent three times within 50 ms. */
const LET_GO = 200;
/** Longest press told; a key that hangs is told once, at its end. */
const LONGEST_PRESS = 120_000;
/** Presses told a second (with a burst of twice that): nobody types faster, a flood of events is an attack. */
const PER_SECOND = 20;

interface Press {
  readonly event: number;
  readonly ssrc: number;
  /** Timestamp of the first segment, and of the one now arriving (RFC 4733 section 2.5.1.3). */
  segment: number;
  before: number;
  duration: number;
}

export class DigitReceiver {
  readonly #doors: { readonly clock: Clock; readonly timers: Timers };
  readonly #tell: (digit: Digit, milliseconds: number) => void;
  #press: Press | undefined;
  #timer: Timer | undefined;
  #heardAt = 0;
  /** The last event told: retransmissions and late packets of it are not told again. */
  #toldSsrc = -1;
  #toldTimestamp = 0;
  #allowance = 2 * PER_SECOND;
  #allowanceAt = 0;

  constructor(
    doors: { readonly clock: Clock; readonly timers: Timers },
    tell: (digit: Digit, milliseconds: number) => void,
  ) {
    this.#doors = doors;
    this.#tell = tell;
  }

  /** A key is down now: in-band tones of it must be heard and recorded by nobody. */
  get pressed(): boolean {
    return this.#press !== undefined;
  }

  /** One telephone-event payload, `data[start]` to `data[end - 1]`. False when malformed. */
  receive(data: Uint8Array, start: number, end: number, ssrc: number, timestamp: number): boolean {
    if (end - start < 4) return false;
    const word = readWord(data, start);
    const event = word >>> 24;
    const ended = (word & 0x00800000) !== 0;
    const duration = word & 0xffff;
    if (this.#toldSsrc === ssrc && timestampDistance(this.#toldTimestamp, timestamp) <= 0) return true;
    this.#heardAt = this.#doors.clock.monotonic();
    const before = this.#press;
    if (before !== undefined && (before.ssrc !== ssrc || before.segment !== timestamp)) {
      if (before.ssrc === ssrc && timestampDistance(before.segment, timestamp) < 0) return true;
      if (before.ssrc === ssrc && continues(before, event, timestamp)) {
        before.before += timestampDistance(before.segment, timestamp);
        before.segment = timestamp;
        before.duration = 0;
      } else this.#finish(before);
    }
    this.#press ??= { event, ssrc, segment: timestamp, before: 0, duration: 0 };
    const press = this.#press;
    if (press.event === event && duration > press.duration) press.duration = duration;
    if (ended) this.#finish(press);
    else this.#watch();
    return true;
  }

  /** Ends without telling what is still pressed. */
  close(): void {
    this.#press = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #finish(press: Press): void {
    this.#press = undefined;
    this.#toldSsrc = press.ssrc;
    this.#toldTimestamp = press.segment;
    const key = KEYS[press.event];
    if (key === undefined) return;
    const now = this.#doors.clock.monotonic();
    const earned = ((now - this.#allowanceAt) * PER_SECOND) / 1000;
    this.#allowance = Math.min(2 * PER_SECOND, this.#allowance + earned);
    this.#allowanceAt = now;
    if (this.#allowance < 1) return;
    this.#allowance--;
    const samples = press.before + press.duration;
    this.#tell(key, Math.min(LONGEST_PRESS, Math.round(samples / SAMPLES_PER_MILLISECOND)));
  }

  #watch(): void {
    this.#timer ??= this.#doors.timers.after(LET_GO, () => {
      this.#timer = undefined;
      if (this.#press === undefined) return;
      if (this.#doors.clock.monotonic() - this.#heardAt >= LET_GO) this.#finish(this.#press);
      else this.#watch();
    });
  }
}

/** A segment of the same long press: the timestamp goes on where the duration ended, without a new key. */
function continues(press: Press, event: number, timestamp: number): boolean {
  const gap = timestampDistance(press.segment + press.duration, timestamp);
  return press.event === event && press.duration > 0xff00 && gap >= 0 && gap <= 800;
}
