/** Character classes of RFC 3261 section 25.1, as one bit each in a table of 128. */
const TOKEN = 1;
const WORD = 2;
const URI = 4;
const USER = 8;
const PARAMETER = 16;
const HOST = 32;
const VALUE = 64;

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const alphanumeric = `${letters}0123456789`;
const unreserved = `${alphanumeric}-_.!~*'()`;

const table = new Uint8Array(128);
const mark = (bit: number, characters: string): void => {
  for (const character of characters) {
    const code = character.charCodeAt(0);
    table[code] = (table[code] ?? 0) | bit;
  }
};
mark(TOKEN, `${alphanumeric}-.!%*_+\`'~`);
mark(WORD, `${alphanumeric}-.!%*_+\`'~()<>:\\"/[]?{}`);
mark(URI, `${unreserved};/?:@&=+$,[]%#`);
mark(USER, `${unreserved}&=+$,;?/%`);
mark(PARAMETER, `${unreserved}[]/:&+$%`);
// The underscore is no part of RFC 3261's host names, but container and Windows networks resolve them.
mark(HOST, `${alphanumeric}-._`);
// A generic parameter's value is a token or a host; an IPv6 host brings brackets and colons.
mark(VALUE, `${alphanumeric}-.!%*_+\`'~[]:`);

const every = (bit: number, text: string, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code > 127 || ((table[code] as number) & bit) === 0) return false;
  }
  return true;
};

export const isToken = (text: string, start = 0, end = text.length): boolean =>
  end > start && every(TOKEN, text, start, end);

export const isWord = (text: string, start = 0, end = text.length): boolean =>
  end > start && every(WORD, text, start, end);

export const isHostText = (text: string, start = 0, end = text.length): boolean =>
  end > start && every(HOST, text, start, end);

export const isUriText = (text: string, start = 0, end = text.length): boolean =>
  every(URI, text, start, end);

export const isUserText = (text: string, start = 0, end = text.length): boolean =>
  every(USER, text, start, end);

export const isParameterText = (text: string, start = 0, end = text.length): boolean =>
  every(PARAMETER, text, start, end);

export const isTokenCode = (code: number): boolean => code < 128 && ((table[code] as number) & TOKEN) !== 0;

export const isValueCode = (code: number): boolean => code < 128 && ((table[code] as number) & VALUE) !== 0;

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

export const isSpace = (code: number): boolean => code === 32 || code === 9;

export const skipSpace = (text: string, start: number): number => {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
};

/** Without the SP and HTAB at its ends; unlike `trim`, every other character stays. */
export const trimSpace = (text: string): string => {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
};

const isHexDigit = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);

/** True when each % is followed by two hexadecimal digits. */
export const isEscapingSound = (text: string, start = 0, end = text.length): boolean => {
  for (let at = text.indexOf('%', start); at >= 0 && at < end; at = text.indexOf('%', at + 3)) {
    if (at + 2 >= end) return false;
    if (!isHexDigit(text.charCodeAt(at + 1)) || !isHexDigit(text.charCodeAt(at + 2))) return false;
  }
  return true;
};

/**
 * A run of decimal digits no greater than `limit`, else -1. Leading zeros are fine (RFC 4475, 3.1.1.1);
 * `limit` is at most 2^32.
 */
export const readNumber = (text: string, start: number, end: number, limit: number): number => {
  if (end <= start) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - 48;
    if (value > limit) return -1;
  }
  return value;
};

/**
 * The index after the closing quote of the quoted string that opens at `start`, or -1 when it never closes
 * (RFC 3261 section 25.1, quoted-string and quoted-pair).
 */
export const skipQuoted = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) return at + 1;
    if (code === 92) at++;
  }
  return -1;
};

/** The content of a quoted string, given with its quotes. */
export const unquote = (text: string): string => {
  const inner = text.substring(1, text.length - 1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
};

export const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/**
 * True when a value may stand in a header line: no CR or LF at all, and other control characters only as a
 * quoted pair inside a quoted string, the one place where RFC 3261 section 25.1 has them.
 */
export const isSafeValue = (text: string): boolean => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (!/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) return true;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) return false;
    if ((code < 32 && code !== 9) || code === 127) return false;
    if (code === 34) quoted = !quoted;
    else if (code === 92 && quoted) {
      at++;
      const escaped = text.charCodeAt(at);
      if (escaped === 10 || escaped === 13) return false;
    }
  }
  return true;
};
