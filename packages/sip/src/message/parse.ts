/**
 * Bytes to message. The lines are found in one pass, the structural headers checked at once, everything else
 * stays text until somebody asks. No failure holds a byte of what was read.
 */
import { isUtf8 } from 'node:buffer';
import type { ParseFailure, ParseLimits, SipMessage, SipRequest } from '../types.ts';
import { isSafeValue, isSpace, isToken, readNumber, trimSpace } from './chars.ts';
import { checkHeader } from './check.ts';
import { type FailureCode, failure } from './failure.ts';
import { HeaderLines } from './headers.ts';
import { defaultLimits, FOLDED, head, NON_ASCII, ODD_CONTROL, scanHead } from './lines.ts';
import { isAnyUri } from './name-address.ts';
import { type HeaderKind, headerKind } from './names.ts';
import { parseUri } from './uri.ts';

const noBody = Buffer.alloc(0);

/** A message whose headers were read. `failure` is the first thing wrong with it; its framing holds even so. */
export interface MessageHead {
  readonly start: StartLine;
  readonly headers: HeaderLines;
  readonly failure: FailureCode | undefined;
  /** Undefined when there is no Content-Length; -1 when it is no number or contradicts itself. */
  readonly contentLength: number | undefined;
  /** Index of the first body byte. */
  readonly bodyStart: number;
}

type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string };

/**
 * One whole message, as a datagram brings it. Without Content-Length the body is the rest; bytes past
 * Content-Length are dropped; fewer bytes than it says is a failure (RFC 3261 section 18.3). CRLFs before the
 * start line are passed over; nothing else is `empty`. The result shares no memory with `bytes`.
 */
export const parseMessage = (bytes: Buffer, limits?: Partial<ParseLimits>): SipMessage | ParseFailure => {
  const bounds = limits === undefined ? defaultLimits : { ...defaultLimits, ...limits };
  if (bytes.length > bounds.messageBytes) return failure('too-large');
  let from = 0;
  while (bytes[from] === 13 && bytes[from + 1] === 10) from += 2;
  const message = from === 0 ? bytes : bytes.subarray(from);
  if (message.length === 0) return failure('empty');
  const read = readHead(message, bounds);
  if (typeof read === 'string') return failure(read);
  const available = message.length - read.bodyStart;
  const wanted = read.contentLength ?? available;
  if (read.failure === undefined && (wanted < 0 || wanted > available)) {
    return failure('content-length', answerable(read));
  }
  return finish(read, wanted > 0 ? message.subarray(read.bodyStart, read.bodyStart + wanted) : noBody);
};

/** The head of the message at the start of `bytes`. A string when not even its lines can be trusted. */
export const readHead = (bytes: Buffer, limits: ParseLimits): MessageHead | FailureCode => {
  const broken = scanHead(bytes, limits);
  if (broken !== undefined) return broken;
  const { end: bodyStart, startLineEnd, startLineFlags, count, lines } = head;
  // Latin-1 keeps one character a byte, so that the indexes hold; lines with more are decoded on their own.
  const text = bytes.toString('latin1', 0, bodyStart);
  const headers = new HeaderLines();
  let failed: FailureCode | undefined;
  let seen = 0;
  let contentLength: number | undefined;

  for (let line = 0; line < count; line++) {
    const place = 4 * line;
    const start = lines[place] as number;
    const colon = lines[place + 1] as number;
    const flags = lines[place + 3] as number;
    if (colon < 0) return 'header';
    let nameEnd = colon;
    while (nameEnd > start && isSpace(text.charCodeAt(nameEnd - 1))) nameEnd--;
    const name = text.substring(start, nameEnd);
    const kind = headerKind(name);
    if (kind === undefined) return 'header';
    let valueStart = colon + 1;
    let valueEnd = lines[place + 2] as number;
    while (valueStart < valueEnd && isSpace(text.charCodeAt(valueStart))) valueStart++;
    while (valueEnd > valueStart && isSpace(text.charCodeAt(valueEnd - 1))) valueEnd--;
    let value = text.substring(valueStart, valueEnd);
    if (flags !== 0) {
      const plain = decode(bytes, value, valueStart, valueEnd, flags);
      if (plain === undefined) return (flags & ODD_CONTROL) === 0 ? 'encoding' : 'control';
      value = plain;
    }
    headers.append(name, kind.key, value);
    if (kind.check === 'content-length') contentLength = readContentLength(value, contentLength);
    const wrong = inspect(kind, value, seen, headers);
    failed ??= wrong;
    seen |= kind.singleBit;
  }

  const start = readStartLine(bytes, text, startLineEnd, startLineFlags);
  if (typeof start === 'string') {
    return { start: claimedStart(text, startLineEnd), headers, failure: start, contentLength, bodyStart };
  }
  failed ??= contentLength === -1 ? 'content-length' : missing(headers);
  if (failed === undefined && start.kind === 'request' && headers.memo.cseq?.method !== start.method) {
    failed = 'method-mismatch';
  }
  return { start, headers, failure: failed, contentLength, bodyStart };
};

const inspect = (
  kind: HeaderKind,
  value: string,
  seen: number,
  headers: HeaderLines,
): FailureCode | undefined => {
  if ((seen & kind.singleBit) !== 0) return 'duplicate-header';
  return kind.check === undefined ? undefined : checkHeader(kind.check, value, headers.memo);
};

/** The message, or the failure its head was found to be. The body is copied. */
export const finish = (read: MessageHead, body: Buffer): SipMessage | ParseFailure => {
  if (read.failure !== undefined) return failure(read.failure, answerable(read));
  const kept = body.length === 0 ? noBody : Buffer.from(body);
  return assemble(read.start, read.headers, kept);
};

const assemble = (start: StartLine, headers: HeaderLines, body: Buffer): SipMessage =>
  start.kind === 'request'
    ? { kind: 'request', method: start.method, uri: start.uri, headers, body }
    : { kind: 'response', status: start.status, reason: start.reason, headers, body };

/** The request to answer, when all that a response copies was readable. An ACK is never answered. */
const answerable = (read: MessageHead): SipRequest | undefined => {
  const { memo } = read.headers;
  if (read.start.kind !== 'request' || read.start.method === 'ACK') return undefined;
  if (memo.via === undefined || memo.cseq === undefined) return undefined;
  if (memo.fromTag === undefined || memo.toTag === undefined || !read.headers.has('call-id'))
    return undefined;
  return {
    kind: 'request',
    method: read.start.method,
    uri: read.start.uri,
    headers: read.headers,
    body: noBody,
  };
};

const readContentLength = (value: string, before: number | undefined): number => {
  const length = readNumber(value, 0, value.length, 2 ** 31 - 1);
  return before !== undefined && before !== length ? -1 : length;
};

const missing = (headers: HeaderLines): FailureCode | undefined => {
  const { memo } = headers;
  return memo.via === undefined ||
    memo.cseq === undefined ||
    memo.fromTag === undefined ||
    memo.toTag === undefined ||
    !headers.keys.includes('call-id')
    ? 'missing-header'
    : undefined;
};

/** Unfolds and decodes a value that is more than one line of ASCII. Undefined when it may not stand. */
const decode = (
  bytes: Buffer,
  latin: string,
  start: number,
  end: number,
  flags: number,
): string | undefined => {
  let value = latin;
  if ((flags & NON_ASCII) !== 0) {
    if (!isUtf8(bytes.subarray(start, end))) return undefined;
    value = bytes.toString('utf8', start, end);
  }
  if ((flags & FOLDED) !== 0) value = unfold(value);
  return (flags & ODD_CONTROL) === 0 || isSafeValue(value) ? value : undefined;
};

/** Each line break and the white space around it is one space (RFC 3261 section 7.3.1). */
const unfold = (value: string): string =>
  value
    .split('\r\n')
    .map(trimSpace)
    .filter((line) => line !== '')
    .join(' ');

const readStartLine = (bytes: Buffer, text: string, end: number, flags: number): StartLine | FailureCode => {
  if ((flags & ODD_CONTROL) !== 0) return 'control';
  const first = text.indexOf(' ');
  if (first < 1 || first > end) return 'start-line';
  const second = text.indexOf(' ', first + 1);
  if (second < 0 || second > end) return 'start-line';
  if (isVersion(text, 0, first)) return readStatusLine(bytes, text, first, second, end, flags);
  if ((flags & NON_ASCII) !== 0 || !isToken(text, 0, first)) return 'start-line';
  const method = text.substring(0, first);
  const uri = text.substring(first + 1, second);
  if (!isVersion(text, second + 1, end)) {
    return /^SIP\/\d+\.\d+$/i.test(text.substring(second + 1, end)) ? 'version' : 'start-line';
  }
  return isRequestUri(uri) ? { kind: 'request', method, uri } : 'request-uri';
};

const readStatusLine = (
  bytes: Buffer,
  text: string,
  first: number,
  second: number,
  end: number,
  flags: number,
): StartLine | FailureCode => {
  const status = second - first === 4 ? readNumber(text, first + 1, second, 699) : -1;
  if (status < 100) return 'status';
  const latin = (flags & NON_ASCII) === 0;
  if (!latin && !isUtf8(bytes.subarray(second + 1, end))) return 'encoding';
  const reason = latin ? text.substring(second + 1, end) : bytes.toString('utf8', second + 1, end);
  return { kind: 'response', status, reason };
};

/** What a broken start line says of itself, for the answer; a response is never answered. */
const claimedStart = (text: string, end: number): StartLine => {
  const first = text.indexOf(' ');
  if (first < 1 || first > end || !isToken(text, 0, first)) {
    return { kind: 'response', status: 400, reason: '' };
  }
  return { kind: 'request', method: text.substring(0, first), uri: '' };
};

const isVersion = (text: string, start: number, end: number): boolean => {
  if (end - start !== 7) return false;
  return text.startsWith('SIP/2.0', start) || /^sip\/2\.0$/i.test(text.substring(start, end));
};

/** No headers may follow (RFC 3261 table 1), and no brackets stand around it (section 25.1). */
const isRequestUri = (uri: string): boolean => {
  const scheme = uri.substring(0, uri.indexOf(':') + 1).toLowerCase();
  if (scheme === 'sip:' || scheme === 'sips:')
    return !uri.includes('?', uri.indexOf('@') + 1) && parseUri(uri) !== undefined;
  return scheme === 'tel:' ? parseUri(uri) !== undefined : isAnyUri(uri, 0, uri.length);
};
