import { expect, test } from 'vitest';
import { type Canary, createAviary, findCanaries } from './support/canaries.ts';

/** The search itself: what it can't find, no other test here can. */
const aviary = createAviary();
const planted = aviary.plant('somewhere');
const noise = Buffer.from('From: <sip:+6221500001@127.0.0.1>;tag=k3j4h5\r\nCall-ID: 77aabbccddeeff00\r\n');

function findsIn(...parts: readonly (string | Buffer)[]): readonly Canary['kind'][] {
  const bytes = Buffer.concat([noise, ...parts.map((part) => Buffer.from(part as string)), noise]);
  return [...new Set(findCanaries(bytes, aviary.canaries).map(({ canary }) => canary.kind))];
}

const national = planted.number.slice(3);
const digits = planted.number.slice(1);
const semiOctets = (text: string) => Buffer.from(text.replace(/(.)(.)/g, '$2$1'), 'hex');

test.each<readonly [string, string | Buffer]>([
  ['E.164', planted.number],
  ['digits', digits],
  ['national', `0${national}`],
  ['00 prefix', `00${digits}`],
  ['spaced', `+62 ${national.replace(/(\d{3})(?=\d)/g, '$1 ')}`],
  ['dashed', `0${national.replace(/(\d{4})(?=\d)/g, '$1-')}`],
  ['bracketed', `(${national.slice(0, 3)}) ${national.slice(3, 6)}.${national.slice(6)}`],
  ['percent-encoded', [...planted.number].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')],
  ['base64', Buffer.from(`tel:${planted.number};x`).toString('base64')],
  ['base64url at another place', Buffer.from(`ab${digits}`).toString('base64url')],
  [
    'base64 of a spaced number',
    Buffer.from(`x ${national.slice(0, 6)} ${national.slice(6)} y`).toString('base64'),
  ],
  ['hexadecimal', Buffer.from(digits).toString('hex').toUpperCase()],
  ['BCD', Buffer.from(digits, 'hex')],
  ['semi-octets', semiOctets(digits)],
  ['semi-octets of the national number', semiOctets(national)],
  ['semi-octets in hexadecimal', semiOctets(digits).toString('hex')],
  ['reversed', [...digits].reverse().join('')],
  ['UTF-16', Buffer.from(national, 'utf16le')],
])('a number is found: %s', (_, bytes) => {
  expect(findsIn(bytes)).toContain('number');
});

test.each<readonly [string, Canary['kind'], string | Buffer]>([
  ['a name', 'text', planted.name],
  ['a name in capitals', 'text', planted.name.toUpperCase()],
  ['a name in base64', 'text', Buffer.from(`FN:${planted.name}`).toString('base64')],
  ['an address', 'address', `${planted.address}:5060`],
  ['an address in binary', 'address', Buffer.from(planted.address.split('.').map(Number))],
  ['a UUID', 'uuid', `urn:uuid:${planted.uuid}`],
  ['a UUID without dashes', 'uuid', planted.uuid.replaceAll('-', '').toUpperCase()],
  ['a UUID in binary', 'uuid', Buffer.from(planted.uuid.replaceAll('-', ''), 'hex')],
])('%s is found', (_, kind, bytes) => {
  expect(findsIn(bytes)).toContain(kind);
});

test('nothing is found where nothing is', () => {
  expect(findsIn('', planted.number.slice(0, 8), planted.name.slice(0, 8))).toEqual([]);
});

test('no two canaries of three large aviaries share a number, a name or a UUID', () => {
  const large = [createAviary(0), createAviary(1), createAviary(2)];
  for (let field = 0; field < 2_000; field++) for (const one of large) one.plant(String(field));
  const values = large
    .flatMap(({ canaries }) => canaries)
    .filter(({ kind }) => kind !== 'address')
    .map(({ value }) => value);
  expect(new Set(values).size).toBe(values.length);
});
