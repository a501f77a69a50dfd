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

export interface DigitReceiver {
  /** One telephone-event payload, `data[start]` to `data[end - 1]`. False when malformed. */
  receive(data: Uint8Array, start: number, end: number, ssrc: number, timestamp: number): boolean;
  /** A key is down now: in-band tones of it must be heard and recorded by nobody. */
  readonly pressed: boolean;
  /** Ends without telling what is still pressed. */
  close(): void;
}

interface Press {
  readonly event: number;
  readonly ssrc: number;
  /** Timestamp of the first segment, and of the one now arriving (RFC 4733 section 2.5.1.3). */
  segment: number;
  before: number;
  duration: number;
}

export function createDigitReceiver(
  doors: { readonly clock: Clock; readonly timers: Timers },
  tell: (digit: Digit, milliseconds: number) => void,
): DigitReceiver {
  let press: Press | undefined;
  let timer: Timer | undefined;
  let heardAt = 0;
  /** The last event told: retransmissions and late packets of it are not told again. */
  let toldSsrc = -1;
  let toldTimestamp = 0;
  let allowance = 2 * PER_SECOND;
  let allowanceAt = 0;

  function finish(ended: Press): void {
    press = undefined;
    toldSsrc = ended.ssrc;
    toldTimestamp = ended.segment;
    const key = KEYS[ended.event];
    if (key === undefined) return;
    const now = doors.clock.monotonic();
    allowance = Math.min(2 * PER_SECOND, allowance + ((now - allowanceAt) * PER_SECOND) / 1000);
    allowanceAt = now;
    if (allowance < 1) return;
    allowance--;
    const samples = ended.before + ended.duration;
    tell(key, Math.min(LONGEST_PRESS, Math.round(samples / SAMPLES_PER_MILLISECOND)));
  }

  function watch(): void {
    timer ??= doors.timers.after(LET_GO, () => {
      timer = undefined;
      if (press === undefined) return;
      if (doors.clock.monotonic() - heardAt >= LET_GO) finish(press);
      else watch();
    });
  }

  /** A segment of the same long press: the timestamp goes on where the duration ended, without a new key. */
  function continues(current: Press, event: number, timestamp: number): boolean {
    const gap = timestampDistance(current.segment + current.duration, timestamp);
    return current.event === event && current.duration > 0xff00 && gap >= 0 && gap <= 800;
  }

  return {
    receive(data, start, end, ssrc, timestamp) {
      if (end - start < 4) return false;
      const word = readWord(data, start);
      const event = word >>> 24;
      const ended = (word & 0x00800000) !== 0;
      const duration = word & 0xffff;
      if (toldSsrc === ssrc && timestampDistance(toldTimestamp, timestamp) <= 0) return true;
      heardAt = doors.clock.monotonic();
      if (press !== undefined && (press.ssrc !== ssrc || press.segment !== timestamp)) {
        if (press.ssrc === ssrc && timestampDistance(press.segment, timestamp) < 0) return true;
        if (press.ssrc === ssrc && continues(press, event, timestamp)) {
          press.before += timestampDistance(press.segment, timestamp);
          press.segment = timestamp;
          press.duration = 0;
        } else finish(press);
      }
      press ??= { event, ssrc, segment: timestamp, before: 0, duration: 0 };
      if (press.event === event && duration > press.duration) press.duration = duration;
      if (ended) finish(press);
      else watch();
      return true;
    },
    get pressed() {
      return press !== undefined;
    },
    close() {
      press = undefined;
      timer?.cancel();
      timer = undefined;
    },
  };
}
