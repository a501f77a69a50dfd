import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '../store/testing.ts';
import { createVault, Tampered } from './index.ts';
import type { Field } from './types.ts';

const { database, drop } = await testDatabase();
const dataDir = mkdtempSync(join(tmpdir(), 'samar-vault-'));
afterAll(async () => {
  await drop();
  rmSync(dataDir, { recursive: true });
});
await database.query('', `insert into tenants (tenant, name) values ('one', '1'), ('two', '2')`, []);
const vault = await createVault({ database, masterKey: undefined, dataDir });
const one = await vault.unlock('one');
const two = await vault.unlock('two');

const field: Field = { tenant: 'one', table: 'parties', column: 'phone', row: 'pty_1' };
const others: readonly Field[] = [
  { ...field, table: 'partiesp', column: 'hone' },
  { ...field, table: 'participants' },
  { ...field, column: 'name' },
  { ...field, row: 'pty_2' },
];

test('what is sealed is opened again, whatever it is and wherever it stands', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 20 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), texts, texts, texts, (bytes, table, column, row) => {
      const place = { tenant: 'one', table, column, row };
      expect(one.open(one.seal(Buffer.from(bytes), place), place).equals(Buffer.from(bytes))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('a party reads its own fields back, and the same text never looks the same', () => {
  const { wrapped, cipher } = one.newPartyKey('pty_1');
  const again = one.openPartyKey('pty_1', wrapped);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), (text) => {
      expect(again.decrypt(cipher.encrypt(text, field), field)).toBe(text);
    }),
    { numRuns: 100 },
  );
  expect(cipher.encrypt('same', field).equals(cipher.encrypt('same', field))).toBe(false);
});

test('no ciphertext opens in another place', () => {
  const { cipher } = one.newPartyKey('pty_1');
  const secret = one.seal(Buffer.from('secret'), field);
  const phone = cipher.encrypt('+6281100000001', field);
  for (const other of others) {
    expect(() => one.open(secret, other), JSON.stringify(other)).toThrow(Tampered);
    expect(() => cipher.decrypt(phone, other), JSON.stringify(other)).toThrow(Tampered);
  }
  expect(() => two.open(secret, { ...field, tenant: 'two' })).toThrow(Tampered);
  expect(() => two.open(secret, field)).toThrow(TypeError);
});

test('every flipped bit and every shortening of a ciphertext is noticed', () => {
  const { cipher } = one.newPartyKey('pty_1');
  const phone = cipher.encrypt('+6281100000001', field);
  for (let bit = 0; bit < phone.length * 8; bit += 1) {
    const changed = Buffer.from(phone);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => cipher.decrypt(changed, field), `bit ${bit}`).toThrow(Tampered);
  }
  for (let length = 0; length < phone.length; length += 1) {
    expect(() => cipher.decrypt(phone.subarray(0, length), field)).toThrow(Tampered);
  }
});

test('a party key opens only for its party, under its name and for its tenant', () => {
  const { wrapped } = one.newPartyKey('pty_1');
  expect(() => one.openPartyKey('pty_2', wrapped)).toThrow(Tampered);
  expect(() => one.openPartyKey('pty_1', { ...wrapped, partyKey: 'pky_other' })).toThrow(Tampered);
  expect(() => two.openPartyKey('pty_1', wrapped)).toThrow(Tampered);
});

test('a shared key opens only with every party key that made it, for its recording', () => {
  const a = one.newPartyKey('pty_a').cipher;
  const b = one.newPartyKey('pty_b').cipher;
  const stranger = one.newPartyKey('pty_b').cipher;
  const { key, wrapped } = one.newSharedKey('rec_1', [a, b]);
  expect(one.openSharedKey('rec_1', [b, a, a], wrapped).equals(key)).toBe(true);
  for (const parties of [[a], [b], [a, stranger], [a, b, stranger]]) {
    expect(() => one.openSharedKey('rec_1', parties, wrapped)).toThrow(Tampered);
  }
  expect(() => one.openSharedKey('rec_2', [a, b], wrapped)).toThrow(Tampered);
  expect(() => two.openSharedKey('rec_1', [a, b], wrapped)).toThrow(Tampered);
  expect(() => one.newSharedKey('rec_1', [])).toThrow(RangeError);
});

test('a cipher shows no key to whoever prints it', () => {
  const { cipher } = one.newPartyKey('pty_1');
  expect(JSON.stringify(cipher)).toBe(
    JSON.stringify({ party: 'pty_1', partyKey: cipher.partyKey, material: {} }),
  );
});

test('fingerprints and tokens differ between tenants, numbers and purposes', () => {
  const number = '+6281100000001';
  const all = [
    one.fingerprint(number),
    two.fingerprint(number),
    one.fingerprint('+6281100000002'),
    one.token('link', number),
    one.token('lin', `k${number}`),
    one.token('request', number),
    two.token('link', number),
  ].map((each) => each.toString('hex'));
  expect(new Set(all).size).toBe(all.length);
  expect(one.fingerprint(number).toString('hex')).toBe(all[0]);
  expect(one.fingerprint(number)).toHaveLength(32);
});

test('only E.164 has a fingerprint, and the refusal does not repeat it', () => {
  for (const wrong of [
    '',
    '+',
    '6281100000001',
    '+0811',
    '+62 811',
    '+6281100000001\n',
    '+62811000000012345',
  ]) {
    expect(() => one.fingerprint(wrong)).toThrow(new TypeError('not a phone number in E.164'));
  }
});
