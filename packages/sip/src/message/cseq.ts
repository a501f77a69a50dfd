import { isSpace, isToken, readNumber, skipSpace } from './chars.ts';

export interface CSeq {
  /** 0 to 2^31 - 1 (RFC 3261 section 8.1.1.5). */
  readonly number: number;
  readonly method: string;
}

/** Undefined when the value is no sequence number and method. */
export const parseCSeq = (text: string): CSeq | undefined => {
  let at = 0;
  while (at < text.length && !isSpace(text.charCodeAt(at))) at++;
  const number = readNumber(text, 0, at, 2 ** 31 - 1);
  const methodAt = skipSpace(text, at);
  if (number < 0 || methodAt === at || !isToken(text, methodAt)) return undefined;
  return { number, method: text.substring(methodAt) };
};
