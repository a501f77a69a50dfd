/** What each of the structural headers must look like; run once for each such line of a message read. */
import { isWord, readNumber } from './chars.ts';
import { parseCSeq } from './cseq.ts';
import type { FailureCode } from './failure.ts';
import { type Memo, splitList } from './headers.ts';
import { parseNameAddress, readTag } from './name-address.ts';
import type { Check } from './names.ts';
import { parseVia } from './via.ts';

/** RFC 3261 section 20.17: RFC 1123 dates, only GMT. */
const date =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Checks one value and keeps in `memo` what was read. Undefined: all is well. */
export const checkHeader = (check: Check, value: string, memo: Memo): FailureCode | undefined => {
  switch (check) {
    case 'via':
      return checkVia(value, memo) ? undefined : check;
    case 'from':
    case 'to': {
      const tag = readTag(value);
      if (tag === undefined) return check;
      if (check === 'from') memo.fromTag = tag;
      else memo.toTag = tag;
      return undefined;
    }
    case 'call-id':
      return isCallId(value) ? undefined : check;
    case 'cseq': {
      const cseq = parseCSeq(value);
      if (cseq === undefined) return check;
      memo.cseq = cseq;
      return undefined;
    }
    case 'max-forwards':
      return readNumber(value, 0, value.length, 255) < 0 ? check : undefined;
    case 'expires':
      return readNumber(value, 0, value.length, 2 ** 32 - 1) < 0 ? check : undefined;
    case 'date':
      return date.test(value) ? undefined : check;
    case 'contact':
      return value === '*' || everyAddress(value) ? undefined : check;
    case 'route':
      return everyAddress(value) ? undefined : check;
    case 'content-length':
      return undefined; // The framing's business: parse.ts.
  }
};

const checkVia = (value: string, memo: Memo): boolean => {
  for (const text of value.includes(',') ? splitList(value) : [value]) {
    const via = parseVia(text);
    if (via === undefined) return false;
    memo.via ??= via;
  }
  return true;
};

const everyAddress = (value: string): boolean => {
  if (!value.includes(',')) return readTag(value) !== undefined;
  return splitList(value).every((text) => parseNameAddress(text) !== undefined);
};

/** word [ "@" word ] (RFC 3261 section 25.1). */
const isCallId = (value: string): boolean => {
  const at = value.indexOf('@');
  return at < 0 ? isWord(value) : isWord(value, 0, at) && isWord(value, at + 1);
};
