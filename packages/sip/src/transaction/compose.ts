/**
 * Messages of ours as bytes. Every one is composed from values given here; of a request that is answered, only what
 * RFC 3261 section 8.2.6.2 demands goes back (Via, From, To, Call-ID, CSeq, and Record-Route where 12.1.1 asks).
 */

import type { Endpoint } from '@samar/doors';
import { callId, cseqOf, markedVia, reasonPhrase, topVia, toTag } from '../message/index.ts';
import type { HeaderList, SipRequest, SipResponse } from '../types.ts';

/** What a request is made of, kept for the ACK and CANCEL that must repeat it. */
export interface Outline {
  readonly method: string;
  readonly uri: string;
  /** Via without its branch: `SIP/2.0/UDP host:port;rport;branch=`. */
  readonly via: string;
  readonly branch: string;
  /** Values of Route, in order. */
  readonly routes: readonly string[];
  /** From and To with their tags. */
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly sequence: number;
}

/** Lines of ours, each ending in CRLF. */
export type HeaderText = string;

/** Headers that only the stack may write. */
const OWN = new Set(
  'via from to call-id cseq contact max-forwards content-length content-type route record-route user-agent server v f t i m l c'.split(
    ' ',
  ),
);
const NAME = /^[A-Za-z0-9!%*_+`'~.-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not stand in a header
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Throws a `TypeError` that names the header, never its value, when it would break the message or is the stack's own. */
export function headerText(list: HeaderList | undefined, contactAllowed = false): HeaderText {
  if (!list) return '';
  let text = '';
  for (const [name, value] of list) {
    if (!NAME.test(name)) throw new TypeError('a header name that is no token');
    const contact = contactAllowed && name.toLowerCase() === 'contact';
    if (OWN.has(name.toLowerCase()) && !contact) throw new TypeError(`${name} is written by the stack alone`);
    if (UNSAFE.test(value)) throw new TypeError(`control characters in the value of ${name}`);
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

/** Throws a `TypeError` when a value taken into a message would break it. `what` names it in the error. */
export function safe(value: string, what: string): string {
  if (UNSAFE.test(value)) throw new TypeError(`control characters in ${what}`);
  return value;
}

export function withBody(head: string, contentType: string, body: Buffer | undefined): Buffer {
  if (!body || body.length === 0) return Buffer.from(`${head}Content-Length: 0\r\n\r\n`);
  const text = `${head}Content-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`;
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(length + body.length);
  bytes.write(text, 0, 'utf8');
  body.copy(bytes, length);
  return bytes;
}

/** `extra` are further header lines, each ending in CRLF. */
export function composeRequest(
  outline: Outline,
  extra: HeaderText,
  contentType = 'application/sdp',
  body?: Buffer,
): Buffer {
  let head = `${outline.method} ${outline.uri} SIP/2.0\r\nVia: ${outline.via}${outline.branch}\r\nMax-Forwards: 70\r\n`;
  for (const route of outline.routes) head += `Route: ${route}\r\n`;
  head += `From: ${outline.from}\r\nTo: ${outline.to}\r\nCall-ID: ${outline.callId}\r\nCSeq: ${outline.sequence} ${outline.method}\r\n${extra}`;
  return withBody(head, contentType, body);
}

/** RFC 3261 section 17.1.1.3: same branch, the To of the response. */
export function composeFailureAck(invite: Outline, response: SipResponse): Buffer {
  const to = response.headers.get('To') ?? invite.to;
  return composeRequest({ ...invite, method: 'ACK', to }, '');
}

/** RFC 3261 section 9.1: same branch, To without a tag. */
export function composeCancel(invite: Outline, extra: HeaderText): Buffer {
  return composeRequest({ ...invite, method: 'CANCEL' }, extra);
}

/** The part of a response that the request decides, computed once for all its responses. */
export interface ResponseFrame {
  readonly start: string;
  readonly to: string;
  readonly tagged: boolean;
  readonly end: string;
}

/** `source` is where the request really came from; it is written into the topmost Via. */
export function frameOf(request: SipRequest, source: Endpoint): ResponseFrame {
  const { headers } = request;
  const [first = '', ...others] = headers.all('Via');
  let start = `Via: ${markedVia(first, topVia(request), source)}\r\n`;
  for (const via of others) start += `Via: ${via}\r\n`;
  const { number, method } = cseqOf(request);
  return {
    start: `${start}From: ${headers.get('From')}\r\n`,
    to: headers.get('To') ?? '',
    tagged: toTag(request) !== '',
    end: `Call-ID: ${callId(request)}\r\nCSeq: ${number} ${method}\r\n`,
  };
}

export interface ResponseParts {
  readonly reason?: string | undefined;
  /** Header lines, each ending in CRLF. */
  readonly extra?: HeaderText;
  readonly contentType?: string | undefined;
  readonly body?: Buffer | undefined;
}

/** `tag` is added to To when the request had none; empty: no tag, for 100 alone. */
export function composeResponse(
  frame: ResponseFrame,
  status: number,
  tag: string,
  parts: ResponseParts,
): Buffer {
  const reason = parts.reason === undefined ? reasonPhrase(status) : safe(parts.reason, 'the reason phrase');
  const to = frame.tagged || tag === '' ? frame.to : `${frame.to};tag=${tag}`;
  const head = `SIP/2.0 ${status} ${reason}\r\n${frame.start}To: ${to}\r\n${frame.end}${parts.extra ?? ''}`;
  return withBody(head, parts.contentType ?? 'application/sdp', parts.body);
}
