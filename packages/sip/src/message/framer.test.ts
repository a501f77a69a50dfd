import { describe, expect, test } from 'vitest';
import { type Framed, StreamFramer } from './index.ts';

const message = (body: string, extra = ''): string =>
  `OPTIONS sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example;branch=z9\r\nf: <sip:a@b.example>;tag=1\r\nt: <sip:a@b.example>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`;

const kinds = (framed: readonly Framed[]): string[] =>
  framed.map((item) => (item.kind === 'failure' ? item.code : item.kind));

const pushAll = (framer: StreamFramer, text: string, size: number): Framed[] => {
  const data = Buffer.from(text);
  const framed: Framed[] = [];
  for (let at = 0; at < data.length; at += size) {
    // The same memory each time: what is kept must be a copy.
    const piece = Buffer.from(data.subarray(at, at + size));
    framed.push(...framer.push(piece));
    piece.fill(0);
  }
  return framed;
};

test.each([1, 2, 3, 7, 64, 200, 100_000])('messages in pieces of %i bytes', (size) => {
  const framer = new StreamFramer();
  const framed = pushAll(framer, `\r\n${message('one')}${message('')}\r\n${message('three\r\n\r\n')}`, size);
  expect(kinds(framed)).toEqual(['request', 'request', 'request']);
  expect(framed.map((item) => ('body' in item ? item.body.toString() : ''))).toEqual([
    'one',
    '',
    'three\r\n\r\n',
  ]);
  expect(framer.partial).toBe(false);
  expect(framer.broken).toBe(false);
});

test.each([1, 4, 100])('keep-alive: each double CRLF between messages, in pieces of %i', (size) => {
  const framer = new StreamFramer();
  const framed = pushAll(framer, `\r\n\r\n${message('x')}\r\n${message('y')}\r\n\r\n\r\n\r\n\r\n`, size);
  expect(kinds(framed)).toEqual(['keep-alive', 'request', 'request', 'keep-alive', 'keep-alive']);
});

test('a message begun and not ended is partial', () => {
  const framer = new StreamFramer();
  const text = message('body');
  framer.push(Buffer.from(text.slice(0, 20)));
  expect(framer.partial).toBe(true);
  expect(kinds(framer.push(Buffer.from(text.slice(20))))).toEqual(['request']);
  expect(framer.partial).toBe(false);
});

describe('failures', () => {
  test('of content leave the framing whole', () => {
    const framer = new StreamFramer();
    const framed = pushAll(framer, message('abc', 'Max-Forwards: 999\r\n') + message('d'), 50);
    expect(kinds(framed)).toEqual(['max-forwards', 'request']);
    expect(framed[0]).toHaveProperty('answerable');
    expect(framer.broken).toBe(false);
  });

  test.each([
    ['no Content-Length', message('').replace('Content-Length: 0\r\n', ''), 'content-length'],
    ['two lengths', message('', 'l: 5\r\n'), 'content-length'],
    ['a length that is none', message('', '').replace('Length: 0', 'Length: -1'), 'content-length'],
    ['a line without a colon', message('', 'nonsense\r\n'), 'header'],
    ['a lone LF', message('', 'X: a\nb\r\n'), 'control'],
    ['another protocol', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'content-length'],
    ['more headers than the limit', message('', 'X: a\r\n'.repeat(200)), 'too-many-headers'],
    ['a body past the limit', message('').replace('Length: 0', 'Length: 70000'), 'too-large'],
    ['a head that never ends', `OPTIONS ${'a'.repeat(70_000)}`, 'too-large'],
  ])('of framing end the stream: %s', (_name, text, code) => {
    const framer = new StreamFramer();
    expect(kinds(pushAll(framer, text + message(''), 1000))).toEqual([code]);
    expect(framer.broken).toBe(true);
    expect(framer.partial).toBe(false);
    expect(framer.push(Buffer.from(message('')))).toEqual([]);
  });

  test('bounds are the caller’s', () => {
    const framer = new StreamFramer({ messageBytes: 100 });
    expect(kinds(framer.push(Buffer.from(message('x'))))).toEqual(['too-large']);
  });
});
