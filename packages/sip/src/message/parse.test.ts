import { describe, expect, test } from 'vitest';
import type { SipMessage, SipRequest } from '../types.ts';
import { createHeaders, cseqOf, failureStatus, parseMessage, serialize } from './index.ts';

const lines = [
  'INVITE sip:ravi@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
  'From: <sip:mira@example.com>;tag=1',
  'To: <sip:ravi@example.com>',
  'Call-ID: a@b',
  'CSeq: 1 INVITE',
];

const bytes = (extra: readonly string[] = [], body = '', base = lines): Buffer =>
  Buffer.from([...base, ...extra, '', body].join('\r\n'));

const request = (data: Buffer): SipRequest => {
  const message = parseMessage(data);
  if (message.kind !== 'request') throw new Error(`not a request: ${JSON.stringify(message)}`);
  return message;
};

const codeOf = (message: SipMessage | { kind: 'failure'; code: string }): string =>
  message.kind === 'failure' ? message.code : 'none';

describe('the body of a datagram', () => {
  test('is the rest without Content-Length', () => {
    expect(request(bytes([], 'rest')).body.toString()).toBe('rest');
  });

  test('ends where Content-Length says', () => {
    expect(request(bytes(['Content-Length: 2'], 'rest')).body.toString()).toBe('re');
    expect(request(bytes(['l: 0'], 'rest')).body).toHaveLength(0);
  });

  test.each(['5', '-1', '4 ', '+4', '0x4', '', '99999999999999999999', '4, 4'])(
    'Content-Length %j',
    (value) => {
      const message = parseMessage(bytes([`Content-Length: ${value}`], 'rest'));
      expect(codeOf(message)).toBe(value === '4 ' ? 'none' : 'content-length');
    },
  );

  test('is not the memory it came in', () => {
    const data = bytes(['Subject: héllo'], 'rest');
    const message = request(data);
    data.fill(0x2a);
    expect(message.body.toString()).toBe('rest');
    expect(message.headers.get('subject')).toBe('héllo');
    expect(message.uri).toBe('sip:ravi@example.com');
  });
});

describe('what is missing or doubled', () => {
  test.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('no %s', (name) => {
    const rest = lines.filter((line) => !line.startsWith(`${name}:`));
    expect(parseMessage(bytes([], '', rest))).toEqual({ kind: 'failure', code: 'missing-header' });
  });

  test.each(['f: <sip:x@y.example>;tag=2', 't: <sip:x@y.example>', 'i: c@d', 'CSEQ: 1 INVITE'])(
    'twice %s',
    (line) => {
      const failure = parseMessage(bytes([line]));
      expect(failure).toMatchObject({ kind: 'failure', code: 'duplicate-header' });
      if (failure.kind !== 'failure') return;
      expect(failure.answerable?.headers.get('Call-ID')).toBe('a@b');
    },
  );

  test('unknown headers may come as often as they like, at the limit of lines', () => {
    const room = Array.from({ length: 128 - 5 }, (_, index) => `X-Same: ${index}`);
    expect(request(bytes(room)).headers.all('x-same')).toHaveLength(123);
    expect(codeOf(parseMessage(bytes([...room, 'X-Same: last'])))).toBe('too-many-headers');
  });
});

describe('bounds', () => {
  test('are the caller’s', () => {
    const data = bytes(['X-Long: 0123456789']);
    expect(codeOf(parseMessage(data, { messageBytes: data.length - 1 }))).toBe('too-large');
    expect(codeOf(parseMessage(data, { headers: 5 }))).toBe('too-many-headers');
    expect(codeOf(parseMessage(data, { headers: 6 }))).toBe('none');
    expect(codeOf(parseMessage(data, { lineBytes: 40 }))).toBe('line-too-long');
    expect(codeOf(parseMessage(data, { lineBytes: 43 }))).toBe('none');
  });

  test('a folded line counts as one', () => {
    const folded = ['X-Long: a', ...Array.from({ length: 20 }, () => ' 0123456789')];
    expect(codeOf(parseMessage(bytes(folded), { lineBytes: 100 }))).toBe('line-too-long');
  });

  test('an endless line is given up at its limit, not at its end', () => {
    expect(codeOf(parseMessage(Buffer.from(`OPTIONS ${'a'.repeat(9000)}`)))).toBe('line-too-long');
  });
});

describe('start lines', () => {
  test.each([
    ['', 'header'],
    ['INVITE', 'start-line'],
    ['INVITE sip:a@b.example', 'start-line'],
    ['IN VITE sip:a@b.example SIP/2.0', 'start-line'],
    ['INVITE sip:a@b.example SIP/2.0 ', 'start-line'],
    ['INVITE sip:a@b.example SIP/3.0', 'version'],
    ['INVITE sip:a@b.example HTTP/1.1', 'start-line'],
    ['INVITE sip: SIP/2.0', 'request-uri'],
    ['INVITE nonsense SIP/2.0', 'request-uri'],
    ['INVITE sip:a@b.example:99999 SIP/2.0', 'request-uri'],
    ['INVITE sip:a@-b.example SIP/2.0', 'request-uri'],
    ['INVITE sip:a@b.example;x=1;x=2 SIP/2.0', 'request-uri'],
    ['INVITE sip:%zz@b.example SIP/2.0', 'request-uri'],
    ['SIP/2.0 99 Low', 'status'],
    ['SIP/2.0 20 Short', 'status'],
    ['SIP/2.0 0200 Long', 'status'],
    ['SIP/2.0 2x0 Odd', 'status'],
    ['SIP/2.0 200', 'start-line'],
    ['INVITE http://example.com/ SIP/2.0', 'none'],
    ['SIP/2.0 200 ', 'none'],
  ])('%j', (start, code) => {
    // An empty first line is a CRLF before the message, so that its first header becomes its start line.
    expect(codeOf(parseMessage(bytes([], '', [start, ...lines.slice(1)])))).toBe(
      start === '' ? 'start-line' : code,
    );
  });

  test('an ACK is never answered', () => {
    const ack = lines.map((line) => line.replace('INVITE', 'ACK'));
    const failure = parseMessage(bytes(['Max-Forwards: 256'], '', ack));
    expect(failure).toEqual({ kind: 'failure', code: 'max-forwards' });
  });

  test('statuses of answers to failures', () => {
    expect(failureStatus('version')).toBe(505);
    expect(failureStatus('too-large')).toBe(513);
    expect(failureStatus('cseq')).toBe(400);
  });
});

test('a line break at the end of a folded value never stays in it', () => {
  const message = request(bytes(['Subject: a', ' ', '\t ', 'X: 1']));
  expect(message.headers.get('Subject')).toBe('a');
  expect(serialize(message).toString()).toContain('Subject: a\r\nX: 1\r\n');
});

test('white space outside ASCII is part of a value', () => {
  const message = request(bytes(['Subject: \ufeffa', ' b\u00a0']));
  expect(message.headers.get('Subject')).toBe('\ufeffa b\u00a0');
});

test('what was parsed is kept until a header changes', () => {
  const message = request(bytes());
  expect(cseqOf(message)).toBe(cseqOf(message));
  message.headers.set('CSeq', '2 INVITE');
  expect(cseqOf(message).number).toBe(2);
  const bare: SipRequest = { ...message, headers: createHeaders() };
  expect(() => cseqOf(bare)).toThrow('cseq');
});
