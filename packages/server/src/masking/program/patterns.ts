/**
 * Regular expressions in linear time: `matches` of expressions. A set of states moves over the text (Thompson's way), so
 * that the work is at most text × states whatever the pattern; an engine that tracks back needs 2^text for `(a+)+$`.
 * RE2's syntax without captures, named classes and flags but a leading `(?i)`.
 */
import { createBounded } from './bounded.ts';
import {
  type Assertion,
  type Characters,
  codePoint,
  PatternError,
  type PatternNode,
  parsePattern,
  wordCharacters,
} from './patterns-syntax.ts';

/** States of a compiled pattern; `{n,m}` repeats its operand's states. */
const mostStates = 200;
const longestPattern = 200;

export interface Pattern {
  readonly states: number;
  test(text: string): boolean;
}

/** `next` and `other` are states; a split goes to both. */
type State =
  | { readonly kind: 'characters'; readonly accepts: Acceptor; next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'matched' };

const cached = createBounded<Pattern>(1_000);

/** Compiled once while it is in use. Throws `PatternError`. */
export function compilePattern(source: string): Pattern {
  return cached(source, build);
}

function build(source: string): Pattern {
  if (source.length > longestPattern) {
    throw new PatternError(`a pattern has at most ${longestPattern} characters`);
  }
  const ignoreCase = source.startsWith('(?i)');
  const tree = parsePattern([...source.slice(ignoreCase ? 4 : 0)]);
  const states: State[] = [];
  const start = emit(states, tree, add(states, { kind: 'matched' }), ignoreCase);
  return { states: states.length, test: matcher(states, start, ignoreCase) };
}

// ---------------------------------------------------------------- states

function add(states: State[], state: State): number {
  if (states.length >= mostStates)
    throw new PatternError('the pattern is too large: repeat less, or shorter parts');
  return states.push(state) - 1;
}

/** The state at which `node` begins, when `next` follows it. */
function emit(states: State[], node: PatternNode, next: number, ignoreCase: boolean): number {
  switch (node.kind) {
    case 'characters':
      return add(states, { kind: 'characters', accepts: acceptor(node.characters, ignoreCase), next });
    case 'assertion':
      return add(states, { kind: 'assertion', assertion: node.assertion, next });
    case 'sequence':
      return node.parts.reduceRight((follows, part) => emit(states, part, follows, ignoreCase), next);
    case 'either':
      return node.options
        .map((option) => emit(states, option, next, ignoreCase))
        .reduce((other, option) => add(states, { kind: 'split', next: other, other: option }));
    case 'repeat': {
      let follows = next;
      if (node.most === Number.POSITIVE_INFINITY) {
        const loop: State = { kind: 'split', next, other: next };
        follows = add(states, loop);
        loop.other = emit(states, node.of, follows, ignoreCase);
      } else {
        for (let count = node.least; count < node.most; count++) {
          const once = emit(states, node.of, follows, ignoreCase);
          follows = add(states, { kind: 'split', next, other: once });
        }
      }
      for (let count = 0; count < node.least; count++) follows = emit(states, node.of, follows, ignoreCase);
      return follows;
    }
  }
}

/** `lower` and `upper` are the character's own in the two cases, or itself. */
type Acceptor = (point: number, lower: number, upper: number) => boolean;

function acceptor({ ranges, negated }: Characters, ignoreCase: boolean): Acceptor {
  const within = (point: number): boolean => {
    for (let index = 0; index < ranges.length; index += 2) {
      if (point >= (ranges[index] ?? 0) && point <= (ranges[index + 1] ?? 0)) return true;
    }
    return false;
  };
  const ascii = Uint8Array.from({ length: 128 }, (_, point) => {
    const cases = ignoreCase ? bothCases(point) : [point];
    return Number(cases.some(within) !== negated);
  });
  return (point, lower, upper) => {
    if (point < 128) return ascii[point] === 1;
    return (within(point) || within(lower) || within(upper)) !== negated;
  };
}

function bothCases(point: number): readonly [number, number, number] {
  const character = String.fromCodePoint(point);
  return [point, codePoint(character.toLowerCase()), codePoint(character.toUpperCase())];
}

// ---------------------------------------------------------------- running

function matcher(states: readonly State[], start: number, ignoreCase: boolean): (text: string) => boolean {
  // Used again for every text: matching is synchronous and calls nothing back.
  let current = new Int32Array(states.length);
  let following = new Int32Array(states.length);
  const waiting = new Int32Array(states.length);
  const seenAt = new Int32Array(states.length);

  let mark = 0;
  let open = 0;
  function see(state: number): void {
    if (seenAt[state] === mark) return;
    seenAt[state] = mark;
    waiting[open++] = state;
  }

  /** Adds a state and all that is reached from it without a character. Answers the new length, -1 for a match. */
  function reach(from: number, list: Int32Array, size: number, before: number, after: number): number {
    let length = size;
    open = 0;
    see(from);
    while (open > 0) {
      const index = waiting[--open] ?? 0;
      const state = states[index];
      if (state === undefined) continue;
      switch (state.kind) {
        case 'matched':
          return -1;
        case 'characters':
          list[length++] = index;
          break;
        case 'split':
          see(state.next);
          see(state.other);
          break;
        case 'assertion':
          if (holds(state.assertion, before, after)) see(state.next);
          break;
      }
    }
    return length;
  }

  return (text) => {
    seenAt.fill(-1);
    mark = 0;
    let size = 0;
    let before = -1;
    let at = 0;
    let point = text.codePointAt(0) ?? -1;
    for (;;) {
      // The states of `current` carry this mark already.
      size = reach(start, current, size, before, point);
      if (size < 0) return true;
      if (point < 0) return false;
      at += point > 0xffff ? 2 : 1;
      const after = text.codePointAt(at) ?? -1;
      mark++;
      let length = 0;
      const [, lower, upper] = ignoreCase && point > 127 ? bothCases(point) : [point, point, point];
      for (let index = 0; index < size; index++) {
        const state = states[current[index] ?? 0];
        if (state?.kind !== 'characters' || !state.accepts(point, lower, upper)) continue;
        length = reach(state.next, following, length, point, after);
        if (length < 0) return true;
      }
      [current, following] = [following, current];
      size = length;
      before = point;
      point = after;
    }
  };
}

/** `before` and `after` are code points, -1 beyond the text. */
function holds(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case 'start':
      return before < 0;
    case 'end':
      return after < 0;
    case 'word-edge':
      return isWord(before) !== isWord(after);
    case 'no-word-edge':
      return isWord(before) === isWord(after);
  }
}

function isWord(point: number): boolean {
  for (let index = 0; index < wordCharacters.length; index += 2) {
    if (point >= (wordCharacters[index] ?? 0) && point <= (wordCharacters[index + 1] ?? 0)) return true;
  }
  return false;
}
