/** name-addr and addr-spec with header parameters: From, To, Contact, Route (RFC 3261 section 20.10). */
import type { NameAddress } from '../types.ts';
import {
  isEscapingSound,
  isSpace,
  isTokenCode,
  isUriText,
  quote,
  skipQuoted,
  skipSpace,
  unquote,
} from './chars.ts';
import { findParameter, formatParameter, parseParameters, withoutControls } from './parameters.ts';
import { UnsafeHeaderError } from './unsafe.ts';

/** Where the pieces are. One for all: reading is synchronous and nobody keeps it. */
const found = { nameEnd: 0, uriStart: 0, uriEnd: 0, parametersStart: 0 };

/** Undefined when malformed. `found` is overwritten by the next call. */
const locate = (text: string): typeof found | undefined => {
  const start = skipSpace(text, 0);
  const open = openingBracket(text, start);
  if (open === -2) return undefined;
  if (open >= 0) {
    const close = text.indexOf('>', open);
    if (close < 0) return undefined;
    found.nameEnd = open;
    found.uriStart = open + 1;
    found.uriEnd = close;
    found.parametersStart = close + 1;
  } else {
    // Without brackets, parameters belong to the header, and a comma or question mark may not stand in the
    // URI (RFC 3261 section 20).
    let end = start;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === 59 || isSpace(code)) break;
      if (code === 44 || code === 63) return undefined;
    }
    found.nameEnd = 0;
    found.uriStart = start;
    found.uriEnd = end;
    found.parametersStart = end;
  }
  return isAnyUri(text, found.uriStart, found.uriEnd) ? found : undefined;
};

/** The index of `<` after a well-formed display name; -1 when there is none; -2 when malformed. */
const openingBracket = (text: string, start: number): number => {
  const first = text.charCodeAt(start);
  if (first === 60) return start;
  if (first === 34) {
    const end = skipQuoted(text, start);
    if (end < 0) return -2;
    const open = skipSpace(text, end);
    return text.charCodeAt(open) === 60 ? open : -2;
  }
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 60) return at;
    if (!isTokenCode(code) && !isSpace(code)) return -1;
  }
  return -1;
};

/** Any scheme: whether it can be served is another question (RFC 3261 section 8.2.2.1). */
export const isAnyUri = (text: string, start: number, end: number): boolean => {
  const colon = text.indexOf(':', start);
  if (colon <= start || colon + 1 >= end) return false;
  for (let at = start; at < colon; at++) {
    const code = text.charCodeAt(at) | 32;
    const letter = code >= 97 && code <= 122;
    if (!letter && (at === start || !/[\d+.-]/.test(text.charAt(at)))) return false;
  }
  return isUriText(text, colon + 1, end) && isEscapingSound(text, colon + 1, end);
};

/** Undefined when malformed. The URI is as on the wire, without brackets; `parseUri` takes it further. */
export const parseNameAddress = (text: string): NameAddress | undefined => {
  const place = locate(text);
  if (place === undefined) return undefined;
  const name = text.substring(0, place.nameEnd).trim();
  const uri = text.substring(place.uriStart, place.uriEnd);
  const parameters = parseParameters(text, place.parametersStart);
  if (parameters === undefined) return undefined;
  const displayName = name.startsWith('"') ? unquote(name) : name.replace(/[ \t]+/g, ' ');
  return { displayName, uri, parameters };
};

/** Checks the whole value and returns its tag: empty when there is none, undefined when malformed. */
export const readTag = (text: string): string | undefined => {
  const place = locate(text);
  return place === undefined ? undefined : findParameter(text, place.parametersStart, 'tag');
};

/**
 * Always with brackets, and with the display name in quotes; control characters in a name become spaces.
 * Throws `UnsafeHeaderError` when the URI or a parameter would end before it does.
 */
export const formatNameAddress = (address: NameAddress): string => {
  if (!isAnyUri(address.uri, 0, address.uri.length)) throw new UnsafeHeaderError('a URI that is none');
  const name = withoutControls(address.displayName).trim();
  let text = name === '' ? `<${address.uri}>` : `${quote(name)} <${address.uri}>`;
  for (const [key, value] of address.parameters) text += formatParameter(key, value);
  return text;
};
