/** sip, sips and tel URIs (RFC 3261 section 19.1, RFC 3966). */
import type { SipUri } from '../types.ts';
import { isEscapingSound, isParameterText, isUserText } from './chars.ts';
import { formatHostPort, parseHostPort } from './host.ts';

const noParameters: ReadonlyMap<string, string> = new Map();

/**
 * Undefined when the text is no well-formed sip, sips or tel URI. A password is not kept (RFC 3261 section
 * 19.1.1 advises against it), nor are `?headers`. The host is in lower case, an IPv6 address without
 * brackets.
 */
export const parseUri = (text: string): SipUri | undefined => {
  const colon = text.indexOf(':');
  if (colon < 3 || colon > 4) return undefined;
  const scheme = text.substring(0, colon).toLowerCase();
  if (scheme === 'tel') return parseTel(text);
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;

  const at = text.indexOf('@', colon);
  let user = '';
  if (at >= 0) {
    let userEnd = text.indexOf(':', colon + 1);
    if (userEnd < 0 || userEnd > at) userEnd = at;
    else if (!isUserText(text, userEnd + 1, at) || !isEscapingSound(text, userEnd + 1, at)) return undefined;
    if (userEnd === colon + 1 || !isUserText(text, colon + 1, userEnd)) return undefined;
    const decoded = unescaped(text.substring(colon + 1, userEnd));
    if (decoded === undefined) return undefined;
    user = decoded;
  }
  const hostAt = at < 0 ? colon + 1 : at + 1;
  const question = text.indexOf('?', hostAt);
  const end = question < 0 ? text.length : question;
  if (question >= 0 && !areUriHeaders(text.substring(question + 1))) return undefined;
  const semicolon = text.indexOf(';', hostAt);
  const hostEnd = semicolon < 0 || semicolon > end ? end : semicolon;
  const hostPort = parseHostPort(text, hostAt, hostEnd);
  if (hostPort === undefined) return undefined;
  const parameters = hostEnd === end ? noParameters : parseUriParameters(text.substring(hostEnd + 1, end));
  if (parameters === undefined) return undefined;
  return { scheme, user, host: hostPort.host, port: hostPort.port, parameters };
};

const parseTel = (text: string): SipUri | undefined => {
  const semicolon = text.indexOf(';');
  const number = text.substring(4, semicolon < 0 ? text.length : semicolon);
  // RFC 3966 section 3: global numbers have digits only, local ones also hexadecimal digits, * and #.
  if (!/^(?:\+[-.()]*\d[-.()\d]*|[-.()]*[\da-f*#][-.()\da-f*#]*)$/i.test(number)) return undefined;
  const parameters = semicolon < 0 ? noParameters : parseUriParameters(text.substring(semicolon + 1));
  if (parameters === undefined) return undefined;
  return { scheme: 'tel', user: number.replace(/[-.()]/g, ''), host: '', port: undefined, parameters };
};

/** A parameter name must not come twice (RFC 3261 section 19.1.1). */
const parseUriParameters = (text: string): ReadonlyMap<string, string> | undefined => {
  const found = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const nameEnd = equals < 0 ? part.length : equals;
    if (nameEnd === 0 || !isParameterText(part, 0, nameEnd)) return undefined;
    if (equals >= 0 && (equals + 1 === part.length || !isParameterText(part, equals + 1))) return undefined;
    const name = unescaped(part.substring(0, nameEnd))?.toLowerCase();
    const value = equals < 0 ? '' : unescaped(part.substring(equals + 1));
    if (name === undefined || value === undefined || found.has(name)) return undefined;
    found.set(name, value);
  }
  return found;
};

const areUriHeaders = (text: string): boolean =>
  isEscapingSound(text) && /^[^=&?]+=[^=&]*(?:&[^=&?]+=[^=&]*)*$/.test(text);

/** Percent-escapes resolved as UTF-8; undefined when an escape is malformed or its bytes are no UTF-8. */
const unescaped = (text: string): string | undefined => {
  if (!text.includes('%')) return text;
  if (!isEscapingSound(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** Well-formed UTF-16 in, so that `encodeURIComponent` cannot throw. */
const escaped = (text: string, allowed: RegExp): string =>
  text.replace(allowed, (character) => {
    const escaped = encodeURIComponent(character.isWellFormed() ? character : '\ufffd');
    return escaped.startsWith('%') ? escaped : `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });

const escapeUser = (text: string): string => escaped(text, /[^-_.!~*'()a-zA-Z0-9&=+$,;?/]+?/gu);
const escapeParameter = (text: string): string => escaped(text, /[^-_.!~*'()a-zA-Z0-9[\]/:&+$]+?/gu);

/** The inverse of `parseUri`: everything that may not stand bare is escaped. */
export const formatUri = (uri: SipUri): string => {
  let text =
    uri.scheme === 'tel'
      ? `tel:${uri.user}`
      : `${uri.scheme}:${uri.user === '' ? '' : `${escapeUser(uri.user)}@`}${formatHostPort(uri.host, uri.port)}`;
  for (const [name, value] of uri.parameters) {
    text +=
      value === '' ? `;${escapeParameter(name)}` : `;${escapeParameter(name)}=${escapeParameter(value)}`;
  }
  return text;
};
