import { describe, expect, it } from 'vitest';
import type { AudioDescription, LocalDescription } from '../types.ts';
import { composeAnswer, composeOffer } from './compose.ts';
import { chooseCodec, mirrorDirection } from './negotiate.ts';
import { parseAudio } from './parse.ts';
import { SOFTPHONE, VIDEO } from './samples.ts';

const LOCAL: LocalDescription = {
  address: '203.0.113.5',
  port: 40_000,
  sessionId: '4611686018427387904',
  version: 1,
  direction: 'sendrecv',
};

function parsed(body: Buffer): AudioDescription {
  const result = parseAudio(body);
  if (typeof result === 'string') return expect.fail(result);
  return result;
}

function answer(body: Buffer, local = LOCAL): string {
  const remote = parsed(body);
  const chosen = chooseCodec(remote, ['PCMA', 'PCMU']);
  if (chosen === undefined) return expect.fail('no codec');
  return composeAnswer(local, remote, chosen).toString('latin1');
}

describe('writing a session description', () => {
  it('offers in one constant form', () => {
    expect(composeOffer(LOCAL, ['PCMU', 'PCMA']).toString('latin1')).toBe(
      [
        'v=0',
        'o=- 4611686018427387904 1 IN IP4 203.0.113.5',
        's=-',
        'c=IN IP4 203.0.113.5',
        't=0 0',
        'm=audio 40000 RTP/AVP 0 8 101',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:8 PCMA/8000',
        'a=rtpmap:101 telephone-event/8000',
        'a=fmtp:101 0-15',
        'a=ptime:20',
        'a=sendrecv',
        '',
      ].join('\r\n'),
    );
  });

  it('writes an IPv6 address as such', () => {
    const text = composeOffer({ ...LOCAL, address: '2001:db8::5' }, ['PCMU']).toString('latin1');
    expect(text).toContain('\r\nc=IN IP6 2001:db8::5\r\n');
    expect(parsed(Buffer.from(text)).address).toBe('2001:db8::5');
  });

  it('reads back what it offers', () => {
    for (const direction of ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const) {
      expect(parsed(composeOffer({ ...LOCAL, direction }, ['PCMA']))).toMatchObject({
        address: LOCAL.address,
        port: LOCAL.port,
        codecs: [{ codec: 'PCMA', payloadType: 8 }],
        telephoneEvent: 101,
        direction,
      });
    }
  });

  it('answers with one codec', () => {
    expect(answer(SOFTPHONE)).toContain('m=audio 40000 RTP/AVP 8 101\r\n');
  });

  it('answers with the offer’s lines in their order, refused but for the audio, and with the offer’s numbers', () => {
    const text = answer(VIDEO, { ...LOCAL, direction: 'recvonly' });
    expect(text.match(/^m=.*$/gm)).toEqual([
      'm=video 0 RTP/SAVPF 0',
      'm=audio 40000 RTP/AVPF 8 111',
      'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
    ]);
    expect(text).toContain('a=rtpmap:111 telephone-event/8000\r\na=fmtp:111 0-15\r\n');
    expect(text).toContain('a=recvonly\r\n');
    const remote = parsed(VIDEO);
    expect(composeAnswer(LOCAL, remote, { codec: 'PCMU', payloadType: 118 }).toString()).toContain(
      'm=audio 40000 RTP/AVPF 118 111\r\na=rtpmap:118 PCMU/8000\r\n',
    );
  });

  it('offers no telephone events to a peer that offered none', () => {
    const plain = Buffer.from(SOFTPHONE.toString().replaceAll('telephone-event', 'red'));
    expect(answer(plain)).not.toContain('telephone-event');
  });

  it('keeps lines and numbers in a later offer of the same dialog', () => {
    const text = composeOffer({ ...LOCAL, version: 2 }, ['PCMU', 'PCMA'], parsed(VIDEO)).toString('latin1');
    expect(text.match(/^m=.*$/gm)).toEqual([
      'm=video 0 RTP/SAVPF 0',
      'm=audio 40000 RTP/AVPF 118 8 111',
      'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
    ]);
  });

  it('never gives one number to two formats', () => {
    const taken = Buffer.from(
      SOFTPHONE.toString()
        .replace('RTP/AVP 96', 'RTP/AVP 101')
        .replaceAll('96 opus/48000/2', '101 PCMU/8000')
        .replace('a=rtpmap:101 telephone-event/8000\r\n', ''),
    );
    const text = composeOffer(LOCAL, ['PCMU'], parsed(taken)).toString('latin1');
    expect(text).toContain('m=audio 40000 RTP/AVP 101 100\r\n');
  });

  it('replaces what it does not know in a refused line', () => {
    const odd = SOFTPHONE.toString().replace(
      't=0 0\r\n',
      't=0 0\r\nm=hologram 9 X/SECRET 6281234567890\r\nm=image 9 udptl t38\r\nm=audio 9 RTP/SAVP 0\r\n',
    );
    expect(answer(Buffer.from(odd)).match(/^m=.*$/gm)).toEqual([
      'm=application 0 RTP/AVP 0',
      'm=image 0 udptl t38',
      'm=audio 0 RTP/SAVP 0',
      'm=audio 40000 RTP/AVP 8 101',
    ]);
  });
});

describe('negotiation', () => {
  it('follows our preference, or finds nothing', () => {
    const remote = parsed(SOFTPHONE);
    expect(chooseCodec(remote, ['PCMU', 'PCMA'])).toEqual({ codec: 'PCMU', payloadType: 0 });
    expect(chooseCodec(remote, [])).toBeUndefined();
  });

  it('mirrors directions', () => {
    expect((['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map(mirrorDirection)).toEqual([
      'sendrecv',
      'recvonly',
      'sendonly',
      'inactive',
    ]);
  });
});
