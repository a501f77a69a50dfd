/**
 * Regular expressions in linear time: `matches` of expressions. A set of states moves over the text (Thompson's way), so
 * that the work is at most text × states whatever the pattern; an engine that tracks back needs 2^text for `(a+)+$`.
 * RE2's syntax without captures, named classes and flags but a leading `(?i)`.
 */
import { createBounded } from './bounded.ts';

/** States of a compiled pattern; `{n,m}` repeats its operand's states. */
const mostStates = 200;
const longestPattern = 200;
const deepestGroup = 20;

/** `message` says what is wrong with the pattern, in plain words. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

export interface Pattern {
  readonly states: number;
  test(text: string): boolean;
}

interface Characters {
  /** Pairs of first and last code point. */
  readonly ranges: readonly number[];
  readonly negated: boolean;
}
type Assertion = 'start' | 'end' | 'word-edge' | 'no-word-edge';
type Node =
  | { readonly kind: 'characters'; readonly characters: Characters }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'either'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly of: Node; readonly least: number; readonly most: number };

/** `next` and `other` are states; a split goes to both. */
type State =
  | { readonly kind: 'characters'; readonly accepts: Acceptor; next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'matched' };

const digits = [48, 57];
const wordCharacters = [48, 57, 65, 90, 95, 95, 97, 122];
const spaces = [9, 10, 12, 13, 32, 32];
const named: ReadonlyMap<string, Characters> = new Map([
  ['d', { ranges: digits, negated: false }],
  ['D', { ranges: digits, negated: true }],
  ['w', { ranges: wordCharacters, negated: false }],
  ['W', { ranges: wordCharacters, negated: true }],
  ['s', { ranges: spaces, negated: false }],
  ['S', { ranges: spaces, negated: true }],
]);
const controls: ReadonlyMap<string, number> = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['f', 12],
  ['v', 11],
]);

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
  const tree = parse([...source.slice(ignoreCase ? 4 : 0)]);
  const states: State[] = [];
  const start = emit(states, tree, add(states, { kind: 'matched' }), ignoreCase);
  return { states: states.length, test: matcher(states, start, ignoreCase) };
}

// ---------------------------------------------------------------- reading

function parse(source: readonly string[]): Node {
  let at = 0;
  const fail = (words: string): never => {
    throw new PatternError(`${words} at character ${at + 1} of the pattern`);
  };
  const take = (): string => source[at++] ?? fail('it ends too early');

  function either(depth: number): Node {
    if (depth > deepestGroup) fail('groups are nested too deeply');
    const options = [sequence(depth)];
    while (source[at] === '|') {
      at++;
      options.push(sequence(depth));
    }
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'either', options };
  }

  function sequence(depth: number): Node {
    const parts: Node[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(depth));
    return { kind: 'sequence', parts };
  }

  function repeated(depth: number): Node {
    const of = atom(depth);
    const times = quantifier();
    if (times === undefined) return of;
    // Lazy or not makes no difference to whether it matches.
    if (source[at] === '?') at++;
    if (/^[*+?]$/.test(source[at] ?? '') || quantifier() !== undefined) fail('two quantifiers in a row');
    return { kind: 'repeat', of, ...times };
  }

  function quantifier(): { readonly least: number; readonly most: number } | undefined {
    const many = Number.POSITIVE_INFINITY;
    switch (source[at]) {
      case '*':
        at++;
        return { least: 0, most: many };
      case '+':
        at++;
        return { least: 1, most: many };
      case '?':
        at++;
        return { least: 0, most: 1 };
      case '{': {
        const counted = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(source.slice(at, at + 9).join(''));
        if (counted === null)
          return fail('`{` stands for a count such as {2,5}; write \\{ for the character');
        const least = Number(counted[1]);
        const most = counted[2] === undefined ? least : counted[3] === '' ? many : Number(counted[3]);
        if (most < least) fail('a count goes from the smaller to the larger number');
        at += counted[0].length;
        return { least, most };
      }
      default:
        return undefined;
    }
  }

  function atom(depth: number): Node {
    const character = take();
    switch (character) {
      case '^':
        return { kind: 'assertion', assertion: 'start' };
      case '$':
        return { kind: 'assertion', assertion: 'end' };
      case '.':
        return { kind: 'characters', characters: { ranges: [10, 10], negated: true } };
      case '[':
        return { kind: 'characters', characters: characterClass() };
      case '\\':
        return escaped();
      case '(': {
        if (source[at] === '?') {
          if (source[at + 1] !== ':') fail('of groups with `(?` only `(?:` is known');
          at += 2;
        }
        const inside = either(depth + 1);
        if (source[at] !== ')') fail('a closing parenthesis is missing');
        at++;
        return inside;
      }
      case ')':
      case '*':
      case '+':
      case '?':
      case '{':
        at--;
        return fail(`\`${character}\` has nothing before it; write \\${character} for the character`);
      default:
        return literal(character);
    }
  }

  function escaped(): Node {
    const character = take();
    if (character === 'b') return { kind: 'assertion', assertion: 'word-edge' };
    if (character === 'B') return { kind: 'assertion', assertion: 'no-word-edge' };
    const characters = named.get(character);
    if (characters !== undefined) return { kind: 'characters', characters };
    return literal(String.fromCodePoint(plainEscape(character)));
  }

  function plainEscape(character: string): number {
    const control = controls.get(character);
    if (control !== undefined) return control;
    if (/[A-Za-z0-9]/.test(character)) fail(`\\${character} is not known`);
    return codePoint(character);
  }

  function characterClass(): Characters {
    const negated = source[at] === '^';
    if (negated) at++;
    const ranges: number[] = [];
    for (let first = true; first || source[at] !== ']'; first = false) {
      const from = classMember(ranges);
      if (from === undefined) continue;
      if (source[at] !== '-' || source[at + 1] === ']') {
        ranges.push(from, from);
        continue;
      }
      at++;
      const to = classMember(ranges);
      if (to === undefined || to < from) return fail('a range goes from the smaller to the larger character');
      ranges.push(from, to);
    }
    at++;
    return { ranges, negated };
  }

  /** A character; undefined for a class such as \d, whose ranges are added. */
  function classMember(ranges: number[]): number | undefined {
    const character = take();
    if (character === '[' && source[at] === ':') fail('named classes such as [:alpha:] are not known');
    if (character !== '\\') return codePoint(character);
    const escaping = take();
    const characters = named.get(escaping);
    if (characters === undefined) return plainEscape(escaping);
    ranges.push(...(characters.negated ? complement(characters.ranges) : characters.ranges));
    return undefined;
  }

  const tree = either(0);
  if (at < source.length) fail('a closing parenthesis has no opening one');
  return tree;
}

function literal(character: string): Node {
  const point = codePoint(character);
  return { kind: 'characters', characters: { ranges: [point, point], negated: false } };
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function complement(ranges: readonly number[]): number[] {
  const result: number[] = [];
  let from = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    const [first = 0, last = 0] = ranges.slice(index, index + 2);
    if (first > from) result.push(from, first - 1);
    from = last + 1;
  }
  return [...result, from, 0x10ffff];
}

// ---------------------------------------------------------------- states

function add(states: State[], state: State): number {
  if (states.length >= mostStates)
    throw new PatternError('the pattern is too large: repeat less, or shorter parts');
  return states.push(state) - 1;
}

/** The state at which `node` begins, when `next` follows it. */
function emit(states: State[], node: Node, next: number, ignoreCase: boolean): number {
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
