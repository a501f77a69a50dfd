/**
 * Microseconds per operation on SIP messages: `npx node bench/sip-messages.ts`.
 * Goals on the reference machine: parse a typical INVITE in 8 µs, serialize it in 3 µs.
 */

import { answerChallenge } from '../packages/sip/src/digest/index.ts';
import {
  createHeaders,
  cseqOf,
  fromTag,
  parseMessage,
  parseUri,
  requestUri,
  StreamFramer,
  serialize,
  topVia,
  toTag,
} from '../packages/sip/src/message/index.ts';

const sdp = [
  'v=0',
  'o=- 3915840211 3915840211 IN IP4 192.0.2.20',
  's=-',
  'c=IN IP4 192.0.2.20',
  't=0 0',
  'm=audio 40312 RTP/AVP 0 8 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=sendrecv',
  '',
].join('\r\n');

const inviteText = [
  'INVITE sip:service@192.0.2.10:5060;transport=udp SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.20:5060;rport;branch=z9hG4bKPjb1d5e0f2c3a4490ea1',
  'Max-Forwards: 70',
  'From: "Carrier" <sip:caller@192.0.2.20>;tag=8f3c2b1a90de4f57',
  'To: <sip:service@192.0.2.10>',
  'Contact: <sip:caller@192.0.2.20:5060;ob>',
  'Call-ID: 5f0e2b9f-78a1-4c0e-9d38-8a4b2e6f1c77',
  'CSeq: 20871 INVITE',
  'Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS',
  'Supported: replaces, 100rel, timer, norefersub',
  'Session-Expires: 1800',
  'Min-SE: 90',
  'User-Agent: Carrier SBC 4.2',
  'Content-Type: application/sdp',
  `Content-Length: ${sdp.length}`,
  '',
  sdp,
].join('\r\n');

const ringingText = [
  'SIP/2.0 180 Ringing',
  'Via: SIP/2.0/UDP 192.0.2.10:5060;rport=5060;branch=z9hG4bK77ef4c2311d5;received=192.0.2.10',
  'From: <sip:service@192.0.2.10>;tag=a1b2c3d4e5',
  'To: <sip:callee@192.0.2.30>;tag=3314',
  'Call-ID: 2b9f5f0e-78a1-4c0e-9d38-8a4b2e6f1c77',
  'CSeq: 1 INVITE',
  'Contact: <sip:192.0.2.30:5060;transport=udp>',
  'Content-Length: 0',
  '',
  '',
].join('\r\n');

let sink = 0;

const measure = (name: string, action: () => number): void => {
  for (let round = 0; round < 20_000; round++) sink += action();
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < 5; repeat++) {
    const rounds = 20_000;
    const start = process.hrtime.bigint();
    for (let round = 0; round < rounds; round++) sink += action();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000 / rounds);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(2).padStart(8)} µs`);
};

const inviteBytes = Buffer.from(inviteText);
const ringingBytes = Buffer.from(ringingText);
const invite = parseMessage(inviteBytes);
const ringing = parseMessage(ringingBytes);
if (invite.kind !== 'request' || ringing.kind !== 'response') throw new Error('the samples do not parse');

console.log(`INVITE: ${inviteBytes.length} bytes; 180: ${ringingBytes.length} bytes`);
measure('parse an INVITE', () => parseMessage(inviteBytes).kind.length);
measure('parse an INVITE, read what routing needs', () => {
  const message = parseMessage(inviteBytes);
  if (message.kind !== 'request') return 0;
  const uri = requestUri(message);
  return (
    topVia(message).branch.length + fromTag(message).length + toTag(message).length + (uri?.user.length ?? 0)
  );
});
measure('parse a 180', () => parseMessage(ringingBytes).kind.length);
measure('serialize the INVITE', () => serialize(invite).length);
measure('serialize the 180', () => serialize(ringing).length);
measure('compose a 180 from nothing and serialize it', () => {
  const headers = createHeaders([...ringing.headers.entries()]);
  return serialize({ kind: 'response', status: 180, reason: 'Ringing', headers, body: ringing.body }).length;
});
measure('frame and parse an INVITE from a stream', () => new StreamFramer().push(inviteBytes).length);
measure('CSeq of a parsed message', () => cseqOf(invite).number);
measure('parse a URI', () => parseUri('sip:service@192.0.2.10:5060;transport=udp')?.host.length ?? 0);
measure('answer a SHA-256 challenge', () => {
  const answer = answerChallenge({
    challenges: ['Digest realm="carrier", nonce="4f1c77a0", algorithm=SHA-256, qop="auth"'],
    method: 'INVITE',
    uri: 'sip:service@192.0.2.10',
    credentials: { username: 'samar', password: 'secret' },
    cnonce: '0a4f113b',
    nc: 1,
  });
  return answer?.value.length ?? 0;
});
if (sink < 0) console.log(sink);
