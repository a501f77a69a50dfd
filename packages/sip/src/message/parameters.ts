/** `;name=value` parameters of header values (RFC 3261 section 25.1, generic-param). */
import { isToken, isTokenCode, isValueCode, quote, skipQuoted, skipSpace, unquote } from './chars.ts';
import { UnsafeHeaderError } from './unsafe.ts';

/** One cursor for all: parsing is synchronous, and an object a parameter would be most of its cost. */
const cursor = { name: '', value: '', next: 0 };

/**
 * Reads one parameter at `at`, which must be at a semicolon or white space before one. Returns the cursor,
 * or undefined when the text there is no parameter.
 */
const read = (text: string, start: number): typeof cursor | undefined => {
  let at = skipSpace(text, start);
  if (text.charCodeAt(at) !== 59) return undefined;
  at = skipSpace(text, at + 1);
  const nameStart = at;
  while (at < text.length && isTokenCode(text.charCodeAt(at))) at++;
  if (at === nameStart) return undefined;
  cursor.name = text.substring(nameStart, at).toLowerCase();
  cursor.value = '';
  const afterName = skipSpace(text, at);
  if (text.charCodeAt(afterName) !== 61) {
    cursor.next = afterName;
    return cursor;
  }
  at = skipSpace(text, afterName + 1);
  const valueStart = at;
  if (text.charCodeAt(at) === 34) {
    at = skipQuoted(text, at);
    if (at < 0) return undefined;
    cursor.value = unquote(text.substring(valueStart, at));
  } else {
    while (at < text.length && isValueCode(text.charCodeAt(at))) at++;
    if (at === valueStart) return undefined;
    cursor.value = text.substring(valueStart, at);
  }
  cursor.next = skipSpace(text, at);
  return cursor;
};

/**
 * The parameters from `start` to the end of the text: names in lower case, quoted values without their
 * quotes, a parameter without a value as the empty string. Undefined when malformed, or when a name comes
 * twice (RFC 3261 section 7.3.1).
 */
export const parseParameters = (text: string, start = 0): ReadonlyMap<string, string> | undefined => {
  const found = new Map<string, string>();
  let at = skipSpace(text, start);
  while (at < text.length) {
    const parameter = read(text, at);
    if (parameter === undefined || found.has(parameter.name)) return undefined;
    found.set(parameter.name, parameter.value);
    at = parameter.next;
  }
  return found;
};

/**
 * Checks the parameters as `parseParameters` does and returns only the value of `wanted`: empty when it is
 * absent, undefined when the parameters are malformed or `wanted` has no value. One parameter alone, as From
 * and To mostly have, costs no map.
 */
export const findParameter = (text: string, start: number, wanted: string): string | undefined => {
  const at = skipSpace(text, start);
  if (at === text.length) return '';
  const only = read(text, at);
  if (only === undefined) return undefined;
  if (only.next === text.length) return only.name === wanted ? only.value || undefined : '';
  const all = parseParameters(text, at);
  if (all === undefined) return undefined;
  return all.has(wanted) ? all.get(wanted) || undefined : '';
};

/** `;name`, `;name=value` or `;name="value"`. Throws `UnsafeHeaderError` when the name is no token. */
export const formatParameter = (name: string, value: string): string => {
  if (!isToken(name)) throw new UnsafeHeaderError('a parameter name that is no token');
  if (value === '') return `;${name}`;
  return `;${name}=${isBareValue(value) ? value : quote(withoutControls(value))}`;
};

/** Control characters become a space. */
export const withoutControls = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  text.replace(/[\x00-\x1f\x7f]+/g, ' ');

const isBareValue = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (!isValueCode(text.charCodeAt(at))) return false;
  return true;
};
