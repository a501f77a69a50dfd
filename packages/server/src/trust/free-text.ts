/** What people write about people: any Unicode but control characters. It is sealed at rest and escaped where it is shown. */
import { invalid } from '../masking/context.ts';

/**
 * The text with plain line ends and without white space around it. Throws `invalid` (with `pointer`) when it is empty,
 * has more than `most` characters (code points), or control characters other than line ends and tabs.
 */
export function checkFreeText(text: string, most: number, pointer: string): string {
  const plain = text.replace(/\r\n?/g, '\n').trim();
  if (plain === '') throw invalid('The text is empty.', pointer);
  // A cheap look first: nobody counts the characters of a megabyte.
  if (plain.length > 2 * most || [...plain].length > most) {
    throw invalid(`The text has more than ${most.toLocaleString('en')} characters.`, pointer);
  }
  if (!plain.isWellFormed() || /[^\P{Cc}\n\t]/u.test(plain)) {
    throw invalid('The text has control characters.', pointer);
  }
  return plain;
}
