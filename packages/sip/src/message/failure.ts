import type { ParseFailure, SipRequest } from '../types.ts';

/** Why bytes are no valid message. Names of places, never what stood there. */
export type FailureCode =
  /** Nothing but CRLF: a keep-alive (RFC 5626 section 3.5.1), no error. */
  | 'empty'
  /** More bytes than `ParseLimits.messageBytes`. */
  | 'too-large'
  /** No blank line ends the headers. */
  | 'incomplete'
  | 'too-many-headers'
  | 'line-too-long'
  /** A control character, a lone CR or a lone LF. */
  | 'control'
  /** Header bytes above 127 that are no UTF-8. */
  | 'encoding'
  | 'start-line'
  /** Well-formed, but not SIP/2.0: 505. */
  | 'version'
  | 'request-uri'
  | 'status'
  /** A line that is no `name: value`. */
  | 'header'
  | 'missing-header'
  /** A header that may come once came twice. */
  | 'duplicate-header'
  /** Not a number, more than the bytes that are there, or absent on a stream. */
  | 'content-length'
  | 'via'
  | 'from'
  | 'to'
  | 'call-id'
  | 'cseq'
  /** The method of CSeq is not the request's. */
  | 'method-mismatch'
  | 'max-forwards'
  | 'expires'
  | 'date'
  | 'contact'
  | 'route';

export const failure = (code: FailureCode, answerable?: SipRequest): ParseFailure =>
  answerable === undefined ? { kind: 'failure', code } : { kind: 'failure', code, answerable };

/** The status for an answer to an `answerable` failure. */
export const failureStatus = (code: string): number => {
  if (code === 'version') return 505;
  if (code === 'too-large') return 513;
  return 400;
};
