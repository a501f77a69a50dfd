/** Message to bytes. */
import type { Headers, SipMessage } from '../types.ts';
import { isSafeValue, isToken } from './chars.ts';
import { HeaderLines } from './headers.ts';
import { headerKey } from './names.ts';
import { UnsafeHeaderError } from './unsafe.ts';

/**
 * The message's bytes in one allocation. Content-Length is written as the body is, in its place or last.
 * Throws `UnsafeHeaderError` when a piece could end or split its line: CR, LF, NUL or another control
 * character in the method, URI, reason, a name or a value; white space in a method or URI; a status outside
 * 100 to 699. Headers made by `createHeaders` cannot hold such a value to begin with.
 */
export const serialize = (message: SipMessage): Buffer => {
  const bodyLength = message.body.length;
  const text = `${startLine(message)}\r\n${headerLines(message.headers, bodyLength)}\r\n`;
  const headLength = Buffer.byteLength(text, 'utf8');
  const bytes = Buffer.allocUnsafe(headLength + bodyLength);
  if (headLength === text.length) bytes.write(text, 0, 'latin1');
  else bytes.write(text, 0, 'utf8');
  if (bodyLength > 0) bytes.set(message.body, headLength);
  return bytes;
};

const startLine = (message: SipMessage): string => {
  if (message.kind === 'request') {
    if (!isToken(message.method)) throw new UnsafeHeaderError('a method that is no token');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (message.uri === '' || /[\x00-\x20\x7f<>"]/.test(message.uri)) {
      throw new UnsafeHeaderError('a Request-URI with a character that ends it');
    }
    return `${message.method} ${message.uri} SIP/2.0`;
  }
  const { status, reason } = message;
  if (!Number.isInteger(status) || status < 100 || status > 699) {
    throw new UnsafeHeaderError('a status outside 100 to 699');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(reason)) {
    throw new UnsafeHeaderError('a control character in a reason phrase');
  }
  return `SIP/2.0 ${status} ${reason}`;
};

const headerLines = (headers: Headers, bodyLength: number): string => {
  let text = '';
  let counted = false;
  if (headers instanceof HeaderLines) {
    const { names, keys, values } = headers;
    for (let index = 0; index < names.length; index++) {
      if (keys[index] !== 'content-length') {
        text += `${names[index]}: ${values[index]}\r\n`;
      } else if (!counted) {
        counted = true;
        text += `${names[index]}: ${bodyLength}\r\n`;
      }
    }
  } else {
    for (const [name, value] of headers.entries()) {
      if (!isToken(name)) throw new UnsafeHeaderError('a header name that is no token');
      if (!isSafeValue(value)) throw new UnsafeHeaderError('a control character in a header value');
      if (headerKey(name) !== 'content-length') text += `${name}: ${value}\r\n`;
    }
  }
  return counted ? text : `${text}Content-Length: ${bodyLength}\r\n`;
};
