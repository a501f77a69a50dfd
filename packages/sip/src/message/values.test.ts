/** URIs, addresses, Via, CSeq and parameters, value by value. */
import { describe, expect, test } from 'vitest';
import type { NameAddress } from '../types.ts';
import {
  formatNameAddress,
  formatUri,
  markedVia,
  parseCSeq,
  parseNameAddress,
  parseParameters,
  parseUri,
  parseVia,
  reasonPhrase,
  UnsafeHeaderError,
} from './index.ts';

describe('URIs', () => {
  test.each([
    ['sip:example.com', { scheme: 'sip', user: '', host: 'example.com', port: undefined }],
    ['SIPS:a@EXAMPLE.com:5061', { scheme: 'sips', user: 'a', host: 'example.com', port: 5061 }],
    ['sip:a:secret@example.com', { user: 'a', host: 'example.com' }],
    ['sip:a:5060@example.com', { user: 'a', port: undefined }],
    ['sip:%C3%A9@example.com', { user: 'é' }],
    ['sip:a@[2001:DB8::1]:5070', { host: '2001:db8::1', port: 5070 }],
    ['sip:a@192.0.2.1', { host: '192.0.2.1' }],
    ['sip:a@my_host', { host: 'my_host' }],
    ['sip:a@example.com.', { host: 'example.com.' }],
    ['sip:a@example.com?Subject=x&To=y', { user: 'a', host: 'example.com' }],
    ['sip:+1;phone-context=x@example.com', { user: '+1;phone-context=x' }],
    ['tel:+1-201-555-0123', { scheme: 'tel', user: '+12015550123', host: '' }],
    ['tel:7042;phone-context=example.com', { user: '7042' }],
  ])('%s', (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  test.each([
    '',
    'sip',
    'sip:',
    'http://example.com',
    'sip:@example.com',
    'sip:a@',
    'sip:a@b@c',
    'sip:a b@example.com',
    'sip:a@example.com:',
    'sip:a@example.com:0',
    'sip:a@example.com:65536',
    'sip:a@example.com:5o',
    'sip:a@[::1',
    'sip:a@[::g]',
    'sip:a@[fe80::1%25eth0]',
    'sip:a@[1.2.3.4]',
    'sip:a@1.2.3',
    'sip:a@1.2.3.256',
    'sip:a@exa..com',
    'sip:a@-x.com',
    'sip:a@x-.com',
    'sip:%4@x.com',
    'sip:%ff@x.com',
    'sip:a@x.com;',
    'sip:a@x.com;=1',
    'sip:a@x.com;a=',
    'sip:a@x.com;a=1;A=2',
    'sip:a@x.com?',
    'sip:a@x.com?a',
    'sip:é@x.com',
    'sip:<a@x.com>',
    'tel:',
    'tel:+',
    'tel:+12a',
    'tel:hello',
    'sip:a@x.com\r\n',
    'sip:a@[2001:db8:::1]',
  ])('refused: %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  test('formatting is the inverse and escapes what must not stand bare', () => {
    const uri = parseUri('sips:%40%0D%0A%20a@[::1]:5070;lr;x=%3B%3D');
    expect(uri).toBeDefined();
    if (uri === undefined) return;
    expect(uri.user).toBe('@\r\n a');
    expect(formatUri(uri)).toBe('sips:%40%0D%0A%20a@[::1]:5070;lr;x=%3B%3D');
    expect(formatUri({ ...uri, user: '😀é>', parameters: new Map() })).toBe(
      'sips:%F0%9F%98%80%C3%A9%3E@[::1]:5070',
    );
  });
});

describe('addresses', () => {
  test.each<[string, Partial<NameAddress>]>([
    ['sip:a@example.com;tag=1', { displayName: '', uri: 'sip:a@example.com' }],
    ['<sip:a@example.com;lr>', { uri: 'sip:a@example.com;lr' }],
    ['Mira Rao <sip:a@example.com>', { displayName: 'Mira Rao' }],
    ['"a \\"b\\" \\\\, <c>" <sip:a@example.com>', { displayName: 'a "b" \\, <c>' }],
    ['<urn:service:sos>', { uri: 'urn:service:sos' }],
    ['"" <sip:a@example.com>', { displayName: '' }],
  ])('%s', (text, expected) => {
    expect(parseNameAddress(text)).toMatchObject(expected);
  });

  test.each([
    '',
    '<>',
    '<sip:a@b',
    'sip:a@b>',
    '"a <sip:a@b>',
    '"a" sip:a@b',
    '<sip:a@b> x',
    '<sip:a@b>;',
    '<sip:a@b>;=1',
    '<sip:a@b>;tag="',
    '<sip:a@b>;tag=1;TAG=2',
    'a,b <sip:a@b>',
    '< sip:a@b>',
    '<sip:a b@c>',
    'sip:a@b?x=y',
    '<nonsense>',
    '<1sip:a@b>',
    '<sip:a%2@b>',
    '<sip:a@b>, <sip:c@d>',
  ])('refused: %j', (text) => {
    expect(parseNameAddress(text)).toBeUndefined();
  });

  test('formatting quotes, and refuses what would break out', () => {
    const address = {
      displayName: 'a "b"\r\nX: y',
      uri: 'sip:a@example.com',
      parameters: new Map([['tag', 'a b']]),
    };
    const text = formatNameAddress(address);
    expect(text).toBe('"a \\"b\\" X: y" <sip:a@example.com>;tag="a b"');
    expect(parseNameAddress(text)?.parameters.get('tag')).toBe('a b');
    expect(() => formatNameAddress({ ...address, uri: 'sip:a>;tag=2,<sip:b@c' })).toThrow(UnsafeHeaderError);
    expect(() => formatNameAddress({ ...address, uri: 'sip:a\r\nb' })).toThrow(UnsafeHeaderError);
    expect(() => formatNameAddress({ ...address, parameters: new Map([['a;b', '']]) })).toThrow(
      UnsafeHeaderError,
    );
  });
});

describe('CSeq', () => {
  test.each([
    ['1 INVITE', { number: 1, method: 'INVITE' }],
    ['0009 \t ACK', { number: 9, method: 'ACK' }],
    ['0 OPTIONS', { number: 0, method: 'OPTIONS' }],
    ['2147483647 BYE', { number: 2147483647, method: 'BYE' }],
  ])('%s', (text, expected) => expect(parseCSeq(text)).toEqual(expected));

  test.each([
    '',
    '1',
    '1 ',
    'INVITE',
    '1INVITE',
    '-1 INVITE',
    '1.5 INVITE',
    '2147483648 INVITE',
    '1 IN VITE',
    '1 INVITE;x',
  ])('refused: %j', (text) => expect(parseCSeq(text)).toBeUndefined());
});

test('parameters: case of names, quoted values, flags', () => {
  expect([...(parseParameters(' ; A = 1 ;b="x;\\"y" ; c') ?? [])]).toEqual([
    ['a', '1'],
    ['b', 'x;"y'],
    ['c', ''],
  ]);
  for (const text of [';', ';a=', ';a=1;a=2', 'a', ';a="x', ';a b', ';a=1,b'])
    expect(parseParameters(text)).toBeUndefined();
});

describe('Via', () => {
  test.each([
    'SIP/1.0/UDP a.example',
    'SIP/2.0 a.example',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP a.example b',
    'SIP/2.0/UDP 2001:db8::1',
    'SIP/2.0/UDP a.example;rport=0',
    'SIP/2.0/UDP a.example;rport=x',
    'SIP/2.0/UDP a.example;;branch=x',
    'SIP/2.0/UDP a.example;branch=1;branch=2',
    'HTTP/2.0/UDP a.example',
    '',
  ])('refused: %j', (text) => expect(parseVia(text)).toBeUndefined());

  test.each([
    ['SIP/2.0/UDP 192.0.2.1:5062;branch=z9', '192.0.2.1', 'SIP/2.0/UDP 192.0.2.1:5062;branch=z9'],
    ['SIP/2.0/UDP 192.0.2.1;branch=z9', '192.0.2.9', 'SIP/2.0/UDP 192.0.2.1;branch=z9;received=192.0.2.9'],
    [
      'SIP/2.0/UDP a.example;rport;branch=z9',
      '192.0.2.9',
      'SIP/2.0/UDP a.example;rport=40000;branch=z9;received=192.0.2.9',
    ],
    [
      'SIP/2.0/UDP 192.0.2.1;rport;branch=z9',
      '192.0.2.1',
      'SIP/2.0/UDP 192.0.2.1;rport=40000;branch=z9;received=192.0.2.1',
    ],
    [
      'SIP/2.0/UDP 192.0.2.1;received=203.0.113.5;rport=1;branch=z9',
      '192.0.2.1',
      'SIP/2.0/UDP 192.0.2.1;rport=40000;branch=z9;received=192.0.2.1',
    ],
    [
      'SIP/2.0/UDP 192.0.2.1;x=";received=1";branch=z9',
      '192.0.2.9',
      'SIP/2.0/UDP 192.0.2.1;x=";received=1";branch=z9;received=192.0.2.9',
    ],
    [
      'SIP/2.0/UDP [2001:db8::1];branch=z9',
      '2001:db8::2',
      'SIP/2.0/UDP [2001:db8::1];branch=z9;received=2001:db8::2',
    ],
  ])('received and rport: %s from %s', (via, source, expected) => {
    const parsed = parseVia(via);
    if (parsed === undefined) throw new Error('a Via');
    expect(markedVia(via, parsed, { address: source, port: 40000 })).toBe(expected);
    expect(parseVia(expected)?.branch).toBe('z9');
  });
});

test('reason phrases', () => {
  expect(reasonPhrase(487)).toBe('Request Terminated');
  expect(reasonPhrase(299)).toBe('OK');
  expect(reasonPhrase(699)).toBe('Decline');
});
