/**
 * What every layer asks of every message, parsed once and kept beside the headers until one changes.
 * A message that came from the parser has all of these; on one built by hand that lacks them, `MissingHeader`
 * is thrown: a programming error, never a peer's.
 */
import type { NameAddress, SipMessage, SipRequest, SipUri } from '../types.ts';
import { type CSeq, parseCSeq } from './cseq.ts';
import { HeaderLines, type Memo } from './headers.ts';
import { parseNameAddress, readTag } from './name-address.ts';
import { parseUri } from './uri.ts';
import { parseVia, type Via } from './via.ts';

export class MissingHeader extends Error {
  override readonly name = 'MissingHeader';
}

const memoOf = (message: SipMessage): Memo =>
  message.headers instanceof HeaderLines ? message.headers.memo : {};

const value = (message: SipMessage, name: string): string => {
  const text = message.headers.get(name);
  if (text === undefined) throw new MissingHeader(name);
  return text;
};

const must = <T>(parsed: T | undefined, name: string): T => {
  if (parsed === undefined) throw new MissingHeader(name);
  return parsed;
};

/** The topmost Via. */
export const topVia = (message: SipMessage): Via => {
  const memo = memoOf(message);
  memo.via ??= must(parseVia(value(message, 'via')), 'via');
  return memo.via;
};

export const callId = (message: SipMessage): string => value(message, 'call-id');

export const cseqOf = (message: SipMessage): CSeq => {
  const memo = memoOf(message);
  memo.cseq ??= must(parseCSeq(value(message, 'cseq')), 'cseq');
  return memo.cseq;
};

/** Empty when the peer gave none (RFC 2543). */
export const fromTag = (message: SipMessage): string => {
  const memo = memoOf(message);
  memo.fromTag ??= must(readTag(value(message, 'from')), 'from');
  return memo.fromTag;
};

/** Empty when there is none: outside a dialog. */
export const toTag = (message: SipMessage): string => {
  const memo = memoOf(message);
  memo.toTag ??= must(readTag(value(message, 'to')), 'to');
  return memo.toTag;
};

export const fromAddress = (message: SipMessage): NameAddress => {
  const memo = memoOf(message);
  memo.from ??= must(parseNameAddress(value(message, 'from')), 'from');
  return memo.from;
};

export const toAddress = (message: SipMessage): NameAddress => {
  const memo = memoOf(message);
  memo.to ??= must(parseNameAddress(value(message, 'to')), 'to');
  return memo.to;
};

/** Undefined when the scheme is neither sip, sips nor tel: 416. */
export const requestUri = (request: SipRequest): SipUri | undefined => {
  const memo = memoOf(request);
  memo.uri ??= parseUri(request.uri) ?? false;
  return memo.uri === false ? undefined : memo.uri;
};
