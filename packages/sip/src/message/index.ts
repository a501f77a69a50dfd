/**
 * SIP messages: bytes to values and back (RFC 3261 sections 7, 19, 20, 25).
 * Imports nothing of the stack; every function is synchronous and pure but for the framer's own rest.
 */
export {
  callId,
  cseqOf,
  fromAddress,
  fromTag,
  MissingHeader,
  requestUri,
  toAddress,
  topVia,
  toTag,
} from './access.ts';
export { type CSeq, parseCSeq } from './cseq.ts';
export { type FailureCode, failureStatus } from './failure.ts';
export { type Framed, StreamFramer } from './framer.ts';
export { createHeaders } from './headers.ts';
export { formatHostPort, type HostPort } from './host.ts';
export { defaultLimits } from './lines.ts';
export { formatNameAddress, parseNameAddress } from './name-address.ts';
export { parseParameters } from './parameters.ts';
export { parseMessage } from './parse.ts';
export { reasonPhrase } from './reasons.ts';
export { markedVia } from './received.ts';
export { serialize } from './serialize.ts';
export { UnsafeHeaderError } from './unsafe.ts';
export { formatUri, parseUri } from './uri.ts';
export { parseVia, type Via } from './via.ts';
