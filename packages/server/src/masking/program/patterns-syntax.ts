/** Reading a regular expression: its text becomes a tree. */

const deepestGroup = 20;

/** `message` says what is wrong with the pattern, in plain words. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

export interface Characters {
  /** Pairs of first and last code point. */
  readonly ranges: readonly number[];
  readonly negated: boolean;
}
export type Assertion = 'start' | 'end' | 'word-edge' | 'no-word-edge';
export type PatternNode =
  | { readonly kind: 'characters'; readonly characters: Characters }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'either'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly of: PatternNode; readonly least: number; readonly most: number };

const digits = [48, 57];
/** Pairs of first and last code point, in order. */
export const wordCharacters = [48, 57, 65, 90, 95, 95, 97, 122];
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

/** Throws `PatternError`. */
export function parsePattern(source: readonly string[]): PatternNode {
  let at = 0;
  const fail = (words: string): never => {
    throw new PatternError(`${words} at character ${at + 1} of the pattern`);
  };
  const take = (): string => source[at++] ?? fail('it ends too early');

  function either(depth: number): PatternNode {
    if (depth > deepestGroup) fail('groups are nested too deeply');
    const options = [sequence(depth)];
    while (source[at] === '|') {
      at++;
      options.push(sequence(depth));
    }
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'either', options };
  }

  function sequence(depth: number): PatternNode {
    const parts: PatternNode[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(depth));
    return { kind: 'sequence', parts };
  }

  function repeated(depth: number): PatternNode {
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

  function atom(depth: number): PatternNode {
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

  function escaped(): PatternNode {
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

function literal(character: string): PatternNode {
  const point = codePoint(character);
  return { kind: 'characters', characters: { ranges: [point, point], negated: false } };
}

export function codePoint(character: string): number {
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
