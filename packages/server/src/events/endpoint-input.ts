/** What people write about an endpoint. */
import { invalid } from '../masking/context.ts';

const longestDescription = 200;
const mostKinds = 50;
const word = '[a-z]+(?:-[a-z]+)*';
/** `*`, `session.*` or `session.closed`. */
const kindShape = new RegExp(`^(?:\\*|${word}\\.(?:\\*|${word}))$`);

export function checkDescription(description: string | undefined): string | undefined {
  if (description !== undefined && [...description].length > longestDescription) {
    throw invalid(`A description has at most ${longestDescription} characters.`, '/description');
  }
  return description;
}

export function checkKinds(kinds: readonly string[]): readonly string[] {
  if (kinds.length === 0 || kinds.length > mostKinds) {
    throw invalid(`An endpoint hears of 1 to ${mostKinds} kinds.`, '/kinds');
  }
  const wrong = kinds.findIndex((kind) => kind.length > 64 || !kindShape.test(kind));
  if (wrong >= 0) {
    throw invalid(
      'A kind is `*`, a family such as `session.*`, or one such as `session.closed`.',
      `/kinds/${wrong}`,
    );
  }
  return [...new Set(kinds)];
}
