import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from './patterns.ts';
import { PatternError } from './patterns-syntax.ts';

describe('patterns', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      'c',
      '.',
      '[ab]',
      '[^a]',
      '[a-c]',
      '\\d',
      '\\w',
      '\\W',
      '1',
      ' ',
      '\\.',
      '^',
      '$',
      '\\b',
      '\\B',
      '[\\d_]',
      '[^\\W1]',
      '-',
    ),
  );
  const pattern = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4 },
      piece,
      fc.tuple(tie('pattern'), tie('pattern')).map(([one, two]) => one + two),
      fc.tuple(tie('pattern'), tie('pattern')).map(([one, two]) => `(${one}|${two})`),
      fc
        .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,2}?', '{1,}', '*?'))
        .map(([one, times]) => `(?:${one})${times}`),
    ),
  })).pattern;
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'c', '1', '_', ' ', '.', '-', '😀'),
    maxLength: 12,
  });

  it('matches what the language itself matches, whatever the pattern', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        pattern,
        fc.boolean(),
        fc.array(text, { minLength: 5, maxLength: 5 }),
        (source, ignoreCase, texts) => {
          let ours: ReturnType<typeof compilePattern>;
          try {
            ours = compilePattern(ignoreCase ? `(?i)${source}` : source);
          } catch (error) {
            // Only for size: everything else in these patterns is understood.
            expect(error).toBeInstanceOf(PatternError);
            expect(String(error)).toMatch(/too large|at most/);
            return;
          }
          const theirs = new RegExp(source, ignoreCase ? 'iu' : 'u');
          // V8 finds \\B between the two halves of one character.
          const some = source.includes('\\B') ? texts.filter((one) => !one.includes('😀')) : texts;
          for (const one of some) {
            compared++;
            expect(ours.test(one), `${source} on ${one}`).toBe(theirs.test(one));
            expect(ours.test(one.toUpperCase())).toBe(theirs.test(one.toUpperCase()));
          }
        },
      ),
      { numRuns: 2_000 },
    );
    expect(compared).toBeGreaterThan(8_000);
  });

  it('takes time by text and states, not by ways to match', () => {
    const slow = [
      '(a+)+$',
      '(a|aa)+$',
      '(a*)*b',
      '(?:a?){60}a{60}',
      '(.*)*(.*)*(.*)*x',
      '(.*a.{9}b|.*b.{10}c|[ab].{11}c)*$',
    ];
    const long = `${'a'.repeat(20_000)}!`;
    for (const source of slow) {
      const compiled = compilePattern(source);
      const started = performance.now();
      compiled.test(long);
      // Tracking back would take longer than the universe has lasted.
      expect(performance.now() - started, source).toBeLessThan(3_000);
    }
  });

  it.each([
    ['(', 'closing parenthesis is missing'],
    [')', 'no opening one'],
    ['*a', 'nothing before it'],
    ['a**', 'two quantifiers'],
    ['a{2}{3}', 'two quantifiers'],
    ['a{3,2}', 'smaller to the larger'],
    ['a{x}', 'a count such as'],
    ['[b-a]', 'smaller to the larger'],
    ['[a', 'ends too early'],
    ['\\', 'ends too early'],
    ['\\1', 'is not known'],
    ['\\p{L}', 'is not known'],
    ['(?=a)', 'only `(?:` is known'],
    ['[[:alpha:]]', 'not known'],
    ['(?:a{100}){100}', 'too large'],
    ['a'.repeat(201), 'at most 200'],
    [`${'('.repeat(30)}${')'.repeat(30)}`, 'too deeply'],
  ])('refuses %s in plain words', (source, words) => {
    expect(() => compilePattern(source)).toThrow(PatternError);
    expect(() => compilePattern(source)).toThrow(words);
  });
});
