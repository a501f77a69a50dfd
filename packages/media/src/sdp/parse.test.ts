import { describe, expect, it } from 'vitest';
import type { AudioDescription } from '../types.ts';
import { parseAudio } from './parse.ts';
import { SIPP, SOFTPHONE, VIDEO } from './samples.ts';

function parsed(body: Buffer | string): AudioDescription {
  const result = parseAudio(Buffer.from(body));
  if (typeof result === 'string') return expect.fail(result);
  return result;
}

/** A plain description, with lines put in or taken out. */
function body(change: {
  readonly c?: string;
  readonly m?: string;
  readonly session?: readonly string[];
  readonly media?: readonly string[];
}): Buffer {
  const { c = 'c=IN IP4 192.0.2.1', m = 'm=audio 4000 RTP/AVP 0', session = [], media = [] } = change;
  const text = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', c, 't=0 0', ...session, m, ...media];
  return Buffer.from(`${text.filter((line) => line !== '').join('\r\n')}\r\n`);
}

describe('reading a session description', () => {
  it('takes a softphone’s G.711, in its order of preference', () => {
    expect(parsed(SOFTPHONE)).toEqual({
      address: '192.0.2.17',
      port: 17_724,
      rtcpPort: 17_725,
      codecs: [
        { codec: 'PCMA', payloadType: 8 },
        { codec: 'PCMU', payloadType: 0 },
      ],
      telephoneEvent: 101,
      direction: 'sendrecv',
      lines: [{ kind: 'audio', protocol: 'RTP/AVP', formats: '96 8 0 101', audio: true }],
    });
  });

  it('takes the barest of descriptions', () => {
    expect(parsed(SIPP)).toMatchObject({ port: 6_000, rtcpPort: 6_001, telephoneEvent: undefined });
  });

  it('takes the audio line among others, dynamic types, and an IPv6 address in canonical form', () => {
    const video = parsed(VIDEO);
    expect(video).toMatchObject({
      address: '2001:db8::7',
      port: 5_006,
      codecs: [
        { codec: 'PCMU', payloadType: 118 },
        { codec: 'PCMA', payloadType: 8 },
      ],
      telephoneEvent: 111,
      direction: 'sendonly',
    });
    expect(video.lines.map((line) => [line.kind, line.audio])).toEqual([
      ['video', false],
      ['audio', true],
      ['application', false],
    ]);
  });

  it('takes the first audio line that will do', () => {
    const two = body({
      m: 'm=audio 0 RTP/AVP 0',
      media: [
        'm=audio 4000 RTP/SAVP 0',
        'm=audio 4002 RTP/AVP 18',
        'm=audio 4004 RTP/AVP 8',
        'm=audio 4006 RTP/AVP 0',
      ],
    });
    expect(parsed(two).port).toBe(4_004);
    expect(parsed(two).lines.map((line) => line.audio)).toEqual([false, false, false, true, false]);
  });

  it('puts the line’s address and direction before the session’s', () => {
    const session = { session: ['a=inactive'] };
    expect(parsed(body(session)).direction).toBe('inactive');
    expect(parsed(body({ ...session, media: ['a=recvonly', 'c=IN IP4 192.0.2.9'] }))).toMatchObject({
      direction: 'recvonly',
      address: '192.0.2.9',
    });
  });

  it('reads the RTCP port where RFC 3605 has it, and ignores an impossible one', () => {
    expect(parsed(body({ media: ['a=rtcp:53020 IN IP4 198.51.100.7'] })).rtcpPort).toBe(53_020);
    for (const rtcp of ['a=rtcp:0', 'a=rtcp:70000', 'a=rtcp:', 'a=rtcp:x']) {
      expect(parsed(body({ media: [rtcp] })).rtcpPort).toBe(4_001);
    }
    expect(parsed(body({ m: 'm=audio 65535 RTP/AVP 0' })).rtcpPort).toBe(65_535);
  });

  it('knows old-style hold', () => {
    expect(parsed(body({ c: 'c=IN IP4 0.0.0.0' })).address).toBe('0.0.0.0');
  });

  it.each([
    'c=IN IP4 example.com',
    'c=IN IP4 224.2.1.1/127',
    'c=IN IP4 239.0.0.1',
    'c=IN IP4 255.255.255.255',
    'c=IN IP4 240.0.0.1',
    'c=IN IP4 0.0.0.1',
    'c=IN IP4 192.0.2.300',
    'c=IN IP4 0300.0.2.1',
    'c=IN IP4 3221225985',
    'c=IN IP4 192.0.2.1/24',
    'c=IN IP4 2001:db8::1',
    'c=IN IP6 192.0.2.1',
    'c=IN IP6 ::',
    'c=IN IP6 ff02::1',
    'c=IN IP6 ::ffff:192.0.2.1',
    'c=IN IP6 fe80::1%eth0',
    'c=ATM NSAP 47',
    'c=IN IP4',
    'c=IN IP4 192.0.2.1 more',
    '',
  ])('refuses to send to %j', (c) => {
    expect(parseAudio(body({ c }))).toBe('bad-address');
  });

  it.each([
    ['no-audio', body({ m: 'm=audio 0 RTP/AVP 0' })],
    ['no-audio', body({ m: 'm=video 4000 RTP/AVP 0' })],
    ['no-audio', body({ m: 'm=audio 4000 RTP/SAVP 0' })],
    ['no-audio', body({ m: 'm=image 4000 udptl t38' })],
    ['no-audio', body({ m: '' })],
    ['no-codec', body({ m: 'm=audio 4000 RTP/AVP 18 3 9' })],
    ['no-codec', body({ m: 'm=audio 4000 RTP/AVP 96', media: ['a=rtpmap:96 PCMU/16000'] })],
    ['no-codec', body({ m: 'm=audio 4000 RTP/AVP 96', media: ['a=rtpmap:96 PCMU/8000/2'] })],
    ['no-codec', body({ m: 'm=audio 4000 RTP/AVP 0', media: ['a=rtpmap:0 G729/8000'] })],
    ['no-codec', body({ m: 'm=audio 4000 RTP/AVP 101', media: ['a=rtpmap:101 telephone-event/8000'] })],
    ['no-codec', body({ m: 'm=audio 4000 RTP/AVP 128 256 -1 x' })],
    ['malformed', body({ m: 'm=audio' })],
    ['malformed', body({ m: 'm=audio 70000 RTP/AVP 0' })],
    ['malformed', body({ m: 'm=audio -1 RTP/AVP 0' })],
    ['malformed', body({ m: 'm=audio 4000 RTP/AVP' })],
    ['malformed', body({ session: ['not a line'] })],
    ['malformed', body({ session: ['a=nul\0nul'] })],
    ['malformed', body({ session: ['a=lone\rreturn'] })],
    ['malformed', body({ media: Array(16).fill('m=audio 4002 RTP/AVP 0') })],
    ['malformed', body({ media: Array(600).fill('a=x') })],
    ['malformed', Buffer.from('')],
    ['malformed', Buffer.from('v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\n')],
    ['malformed', Buffer.from('v=0\r\ns=-\r\n')],
    ['too-large', Buffer.alloc(16_385, 'v')],
  ])('answers %s', (failure, text) => {
    expect(parseAudio(text)).toBe(failure);
  });
});
