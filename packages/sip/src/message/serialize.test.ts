import { describe, expect, test } from 'vitest';
import type { Headers, SipRequest, SipResponse } from '../types.ts';
import { createHeaders, serialize, UnsafeHeaderError } from './index.ts';

const request = (change: Partial<SipRequest> = {}): SipRequest => ({
  kind: 'request',
  method: 'OPTIONS',
  uri: 'sip:a@example.com',
  headers: createHeaders([['Via', 'SIP/2.0/UDP a.example']]),
  body: Buffer.alloc(0),
  ...change,
});

const response = (change: Partial<SipResponse> = {}): SipResponse => ({
  kind: 'response',
  status: 200,
  reason: 'OK',
  headers: createHeaders(),
  body: Buffer.alloc(0),
  ...change,
});

/** Headers that check nothing, as somebody else's might. */
const careless = (name: string, value: string): Headers => {
  const headers = createHeaders();
  return {
    ...headers,
    get: () => value,
    all: () => [value],
    has: () => true,
    set() {},
    add() {},
    remove() {},
    entries: () => [[name, value]],
  };
};

test('Content-Length is the body’s, in its place or last, and once', () => {
  const body = Buffer.from('héllo\0');
  expect(serialize(request({ body })).toString()).toBe(
    'OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a.example\r\nContent-Length: 7\r\n\r\nhéllo\0',
  );
  const headers = createHeaders([
    ['l', '99'],
    ['X', '1'],
    ['Content-Length', '98'],
  ]);
  expect(serialize(response({ headers, body })).toString()).toBe(
    'SIP/2.0 200 OK\r\nl: 7\r\nX: 1\r\n\r\nhéllo\0',
  );
});

test('UTF-8 in values and reasons', () => {
  const headers = createHeaders([['Subject', 'я']]);
  const bytes = serialize(response({ reason: 'дa', headers, body: Buffer.from([255]) }));
  expect(bytes.toString('latin1')).toBe(
    Buffer.concat([
      Buffer.from('SIP/2.0 200 дa\r\nSubject: я\r\nContent-Length: 1\r\n\r\n'),
      Buffer.from([255]),
    ]).toString('latin1'),
  );
});

describe('injection throws', () => {
  test.each(['OPT IONS', 'A\r\nB', '', 'A\0'])('method %j', (method) => {
    expect(() => serialize(request({ method }))).toThrow(UnsafeHeaderError);
  });

  test.each(['sip:a b', 'sip:a\r\nX: y', 'sip:a\0', '', '<sip:a>', 'sip:a\t'])('URI %j', (uri) => {
    expect(() => serialize(request({ uri }))).toThrow(UnsafeHeaderError);
  });

  test.each(['a\r\nX: y', 'a\nb', '\0', '\r'])('reason %j', (reason) => {
    expect(() => serialize(response({ reason }))).toThrow(UnsafeHeaderError);
  });

  test.each([99, 700, 200.5, Number.NaN])('status %j', (status) => {
    expect(() => serialize(response({ status }))).toThrow(UnsafeHeaderError);
  });

  test.each([
    ['X', 'a\r\nY: b'],
    ['X', 'a\0'],
    ['X\r\nY', 'a'],
    ['X: a\r\nY', 'a'],
  ])('headers of another make: %j', (name, value) => {
    expect(() => serialize(request({ headers: careless(name, value) }))).toThrow(UnsafeHeaderError);
  });
});
