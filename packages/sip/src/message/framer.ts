/** Messages out of a TCP or TLS byte stream (RFC 3261 section 18.3, RFC 5626 section 4.4.1). */
import type { ParseFailure, ParseLimits, SipMessage } from '../types.ts';
import { type FailureCode, failure } from './failure.ts';
import { defaultLimits } from './lines.ts';
import { finish, type MessageHead, readHead } from './parse.ts';

export type Framed =
  | SipMessage
  /** The stream goes on behind it unless `broken`. */
  | ParseFailure
  /** A double CRLF between messages: answer with a single CRLF. */
  | { readonly kind: 'keep-alive' };

const blankLine = Buffer.from('\r\n\r\n');
const firstCapacity = 4096;

/**
 * One a connection. Holds at most one unfinished message of `messageBytes`; after a failure that loses the framing it takes
 * and gives nothing more.
 */
export class StreamFramer {
  readonly #limits: ParseLimits;
  #store = Buffer.alloc(0);
  #length = 0;
  /** How far the head's end has been looked for: bytes that come one by one are not searched again. */
  #searched = 0;
  #head: MessageHead | undefined;
  #lineBreaks = 0;
  #broken = false;

  constructor(limits?: Partial<ParseLimits>) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** Where the next message starts is unknown: close the connection. The last failure says why. */
  get broken(): boolean {
    return this.#broken;
  }

  /** A message has begun and not ended. */
  get partial(): boolean {
    return this.#length > 0;
  }

  /** What the bytes complete, in order. `bytes` may be reused after the call. */
  push(bytes: Buffer): readonly Framed[] {
    const framed: Framed[] = [];
    if (this.#broken) return framed;
    // Without a rest the caller's own bytes are read; only what stays behind is copied.
    const owned = this.#length > 0;
    if (owned) this.#append(bytes);
    const all = owned ? this.#store.subarray(0, this.#length) : bytes;
    let at = 0;
    while (!this.#broken) {
      const used = this.#next(all.subarray(at), framed);
      if (used === 0) break;
      at += used;
    }
    this.#keep(all.subarray(at), owned);
    return framed;
  }

  /** Bytes consumed from the front; 0 when more are needed. */
  #next(bytes: Buffer, framed: Framed[]): number {
    if (this.#head === undefined) {
      if (bytes[0] === 13 && bytes[1] === 10) return this.#lineBreak(framed);
      if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === 13)) return 0;
      this.#lineBreaks = 0;
      const end = bytes.indexOf(blankLine, Math.max(0, this.#searched - 3));
      if (end < 0) {
        this.#searched = bytes.length;
        return bytes.length > this.#limits.messageBytes ? this.#fail('too-large', framed) : 0;
      }
      const head = readHead(bytes.subarray(0, end + 4), this.#limits);
      this.#searched = 0;
      if (typeof head === 'string') return this.#fail(head, framed);
      if (head.contentLength === undefined || head.contentLength < 0)
        return this.#fail('content-length', framed);
      if (head.bodyStart + head.contentLength > this.#limits.messageBytes)
        return this.#fail('too-large', framed);
      this.#head = head;
    }
    const { bodyStart, contentLength } = this.#head;
    const end = bodyStart + (contentLength as number);
    if (bytes.length < end) return 0;
    const result = finish(this.#head, bytes.subarray(bodyStart, end));
    this.#head = undefined;
    framed.push(result);
    return end;
  }

  #lineBreak(framed: Framed[]): number {
    this.#lineBreaks++;
    if (this.#lineBreaks === 2) {
      this.#lineBreaks = 0;
      framed.push({ kind: 'keep-alive' });
    }
    return 2;
  }

  #fail(code: FailureCode, framed: Framed[]): number {
    this.#broken = true;
    framed.push(failure(code));
    return 0;
  }

  /** Grows by doubling, so that a message that comes byte by byte is not copied over and over. */
  #append(bytes: Buffer): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#store.length) {
      const grown = Buffer.allocUnsafe(Math.max(firstCapacity, 2 * this.#store.length, needed));
      this.#store.copy(grown, 0, 0, this.#length);
      this.#store = grown;
    }
    bytes.copy(this.#store, this.#length);
    this.#length = needed;
  }

  #keep(rest: Buffer, owned: boolean): void {
    if (this.#broken || rest.length === 0) {
      this.#length = 0;
      this.#store = Buffer.alloc(0);
      this.#head = this.#broken ? undefined : this.#head;
    } else if (owned) {
      if (rest.length < this.#length)
        this.#store.copy(this.#store, 0, this.#length - rest.length, this.#length);
      this.#length = rest.length;
    } else {
      this.#append(rest);
    }
  }
}
