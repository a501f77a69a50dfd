import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioDescription, LocalDescription } from '../types.ts';
import { composeAnswer, composeOffer } from './compose.ts';
import { parseAudio } from './parse.ts';
import { SIPP, SOFTPHONE, VIDEO } from './samples.ts';

const LOCAL: LocalDescription = {
  address: '203.0.113.5',
  port: 40_000,
  sessionId: '1',
  version: 1,
  direction: 'sendrecv',
};

/** Everything that we can write: no line of a composed body may look otherwise. */
const OWN_LINES = [
  /^v=0$/,
  /^o=- 1 1 IN IP4 203\.0\.113\.5$/,
  /^s=-$/,
  /^c=IN IP4 203\.0\.113\.5$/,
  /^t=0 0$/,
  /^m=audio 40000 RTP\/AVPF?( \d{1,3}){1,3}$/,
  /^m=(audio|video|text|application|message|image) 0 (RTP\/S?AVPF?|UDP\/TLS\/RTP\/SAVPF?) 0$/,
  /^m=(audio|video|text|application|message|image) 0 (udptl t38|TCP\/(TLS\/)?(MSRP|BFCP) \*|(UDP|TCP)\/DTLS\/SCTP webrtc-datachannel)$/,
  /^a=rtpmap:\d{1,3} (PCMU|PCMA|telephone-event)\/8000$/,
  /^a=fmtp:\d{1,3} 0-15$/,
  /^a=ptime:20$/,
  /^a=sendrecv$/,
  /^$/,
];

function composedFrom(remote: AudioDescription): readonly Buffer[] {
  return [
    ...remote.codecs.map((chosen) => composeAnswer(LOCAL, remote, chosen)),
    composeOffer(LOCAL, ['PCMU', 'PCMA']),
    composeOffer(LOCAL, ['PCMU', 'PCMA'], remote),
  ];
}

/** Whether a body was read. Whatever it says, what we write then is ours. */
function checkBody(body: Buffer): boolean {
  const remote = parseAudio(body);
  if (typeof remote === 'string') return false;
  for (const composed of composedFrom(remote)) {
    const lines = composed.toString('latin1').split('\r\n');
    for (const line of lines) {
      if (!OWN_LINES.some((own) => own.test(line))) expect.fail(`wrote ${JSON.stringify(line)}`);
    }
    expect(lines.filter((line) => line.startsWith('m=')).length).toBeLessThanOrEqual(16);
    if (typeof parseAudio(composed) === 'string') expect.fail('can’t read what we wrote');
  }
  return true;
}

const CANARIES = ['+6281234567890', 'Rahul Sharma', '198.51.100.77', 'iPhone17', 'a1b2c3d4-e5f6-4711-8abc'];
const canary = fc.constantFrom(...CANARIES);
const line = fc.oneof(
  fc.tuple(fc.constantFrom('i', 'u', 'e', 'p', 'b', 'z', 'k', 'r', 'x'), canary).map(([k, c]) => `${k}=${c}`),
  fc
    .tuple(
      fc.constantFrom(
        'tool',
        'ssrc:1 cname',
        'msid',
        'mid',
        'ice-ufrag',
        'candidate',
        'crypto',
        'X-device',
        'rtcp',
      ),
      canary,
    )
    .map(([k, c]) => `a=${k}:${c}`),
  canary.map((c) => `a=rtpmap:101 ${c}/8000`),
  canary.map((c) => `a=fmtp:101 ${c}`),
  canary.map((c) => `a=fmtp:8 ${c}`),
  canary.map((c) => `m=${c.replaceAll(' ', '')} 9 ${c.replaceAll(' ', '')} ${c}`),
  canary.map((c) => `m=audio 9 RTP/SAVP ${c}`),
  canary.map((c) => `m=audio 9 RTP/AVP 0 8 ${c}`),
  canary.map((c) => `s=${c}`),
  fc.constantFrom(
    'a=sendrecv',
    'c=IN IP4 192.0.2.1',
    'm=audio 4000 RTP/AVP 0 8 101',
    'a=rtpmap:101 telephone-event/8000',
  ),
);

describe('what a peer writes', () => {
  it('comes out of no description of ours', () => {
    let read = 0;
    fc.assert(
      fc.property(canary, fc.array(line, { maxLength: 30 }), (name, extra) => {
        const head = ['v=0', `o=${name.replaceAll(' ', '_')} 1 1 IN IP4 198.51.100.77`, 'c=IN IP4 192.0.2.1'];
        const body = Buffer.from([...head, ...extra, 'm=audio 4000 RTP/AVP 8 0', ''].join('\r\n'));
        if (checkBody(body)) read++;
        const remote = parseAudio(body);
        if (typeof remote === 'string') return;
        for (const composed of [...composedFrom(remote), JSON.stringify(remote)]) {
          for (const secret of CANARIES) expect(composed.includes(secret)).toBe(false);
        }
      }),
      { seed: 20_260, numRuns: 300 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it('never makes the parser throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        checkBody(Buffer.from(bytes));
      }),
      { seed: 20_261, numRuns: 300 },
    );
  });

  it('never makes the parser throw when a good description is damaged', () => {
    let read = 0;
    let unread = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(SOFTPHONE, SIPP, VIDEO),
        fc.array(fc.tuple(fc.nat(700), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 6 }),
        (sample, changes) => {
          let body = Buffer.from(sample);
          for (const [where, byte, kind] of changes) {
            const at = where % (body.length + 1);
            if (kind === 0 && at < body.length) body[at] = byte;
            if (kind === 1) body = Buffer.concat([body.subarray(0, at), Buffer.of(byte), body.subarray(at)]);
            if (kind === 2) body = Buffer.concat([body.subarray(0, at), body.subarray(at + (byte % 20))]);
          }
          if (checkBody(body)) read++;
          else unread++;
        },
      ),
      { seed: 20_262, numRuns: 600 },
    );
    expect(Math.min(read, unread)).toBeGreaterThan(20);
  });
});
