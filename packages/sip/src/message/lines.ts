/** One pass over the bytes of a message's head: where its lines, names and values are, and nothing else. */
import type { ParseLimits } from '../types.ts';
import type { FailureCode } from './failure.ts';

export const defaultLimits: ParseLimits = { messageBytes: 65_535, headers: 128, lineBytes: 8192 };

export const FOLDED = 1;
export const NON_ASCII = 2;
export const ODD_CONTROL = 4;

/** What the pass found. One for all: it is read at once and never kept. */
export const head = {
  /** Index after the CRLF of the start line's text, i.e. of its CR. */
  startLineEnd: 0,
  startLineFlags: 0,
  /** Index of the first body byte. */
  end: 0,
  count: 0,
  /** Four numbers a header line: start, colon (-1: none), end, flags. */
  lines: new Int32Array(4 * 128),
};

const COLON = 1;
const CR = 2;
const CONTROL = 3;
const HIGH = 4;

const classes = new Uint8Array(256);
for (let code = 0; code < 32; code++) classes[code] = CONTROL;
for (let code = 128; code < 256; code++) classes[code] = HIGH;
classes[127] = CONTROL;
classes[9] = 0;
classes[13] = CR;
classes[58] = COLON;

/** Fills `head`. Undefined: all is well. */
export const scanHead = (bytes: Uint8Array, limits: ParseLimits): FailureCode | undefined => {
  if (head.lines.length < 4 * limits.headers) head.lines = new Int32Array(4 * limits.headers);
  const lines = head.lines;
  const length = bytes.length;
  let count = -1;
  let start = 0;
  let colon = -1;
  let flags = 0;
  for (let at = 0; at < length; at++) {
    const kind = classes[bytes[at] as number] as number;
    if (kind === 0) continue;
    if (kind === COLON) {
      if (colon < 0) colon = at;
    } else if (kind === HIGH) {
      flags |= NON_ASCII;
    } else if (kind === CONTROL) {
      // Only a quoted pair may hold one (RFC 3261 section 25.1); whether this is one is seen later.
      if (bytes[at] === 10 || bytes[at - 1] !== 92) return 'control';
      flags |= ODD_CONTROL;
    } else {
      if (bytes[at + 1] !== 10) return at + 1 < length ? 'control' : 'incomplete';
      if (at === start) {
        head.end = at + 2;
        head.count = count;
        return count < 0 ? 'start-line' : undefined;
      }
      const next = bytes[at + 2];
      if ((next === 32 || next === 9) && count >= 0) {
        flags |= FOLDED;
        at += 2;
        continue;
      }
      if (at - start > limits.lineBytes) return 'line-too-long';
      if (count < 0) {
        head.startLineEnd = at;
        head.startLineFlags = flags;
      } else {
        if (count === limits.headers) return 'too-many-headers';
        const place = 4 * count;
        lines[place] = start;
        lines[place + 1] = colon;
        lines[place + 2] = at;
        lines[place + 3] = flags;
      }
      count++;
      start = at + 2;
      at++;
      colon = -1;
      flags = 0;
    }
  }
  return length - start > limits.lineBytes ? 'line-too-long' : 'incomplete';
};
