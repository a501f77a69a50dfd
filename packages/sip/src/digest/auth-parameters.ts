/** `Digest name=value, name="value"`: challenges and credentials (RFC 3261 section 25.1, RFC 7616). */
import { isToken, isTokenCode, quote, skipQuoted, skipSpace, unquote } from '../message/chars.ts';

/** Names in lower case, values without quotes; undefined when this is no sound Digest value. */
export const parseDigest = (text: string): ReadonlyMap<string, string> | undefined => {
  if (!/^digest[ \t]/i.test(text)) return undefined;
  const found = new Map<string, string>();
  let at = skipSpace(text, 6);
  while (at < text.length) {
    const nameStart = at;
    while (at < text.length && isTokenCode(text.charCodeAt(at))) at++;
    const name = text.substring(nameStart, at).toLowerCase();
    at = skipSpace(text, at);
    if (name === '' || found.has(name) || text.charCodeAt(at) !== 61) return undefined;
    const valueStart = skipSpace(text, at + 1);
    if (text.charCodeAt(valueStart) === 34) {
      at = skipQuoted(text, valueStart);
      if (at < 0) return undefined;
      found.set(name, unquote(text.substring(valueStart, at)));
    } else {
      const comma = text.indexOf(',', valueStart);
      at = comma < 0 ? text.length : comma;
      const value = text.substring(valueStart, at).trimEnd();
      if (!isToken(value)) return undefined;
      found.set(name, value);
    }
    at = skipSpace(text, at);
    if (at === text.length) break;
    if (text.charCodeAt(at) !== 44) return undefined;
    at = skipSpace(text, at + 1);
    if (at === text.length) return undefined;
  }
  return found.size > 0 ? found : undefined;
};

/** RFC 7616 section 3.4 says which values are quoted and which are not; peers do check. */
const bare = new Set(['algorithm', 'nc', 'stale', 'userhash', 'charset']);

/** `qop` is bare in credentials and quoted in a challenge. */
export const formatDigest = (
  parameters: readonly (readonly [name: string, value: string])[],
  bareQop: boolean,
): string =>
  `Digest ${parameters
    .map(([name, value]) =>
      bare.has(name) || (bareQop && name === 'qop') ? `${name}=${value}` : `${name}=${quote(value)}`,
    )
    .join(', ')}`;
