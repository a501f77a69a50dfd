import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../store/testing.ts';
import { createVault, destroyPartyKey, KeyDestroyed, rotateKeys, WrongMasterKey } from './index.ts';
import type { TenantVault, WrappedPartyKey } from './types.ts';

const first = `1:${randomBytes(32).toString('base64')}`;
const second = `2:${randomBytes(32).toString('base64')}`;
const tenant = 'default';
const quick = { dataDir: '/nonexistent', refreshMilliseconds: 20, activationMilliseconds: 150 };

let test_: TestDatabase;
beforeEach(async () => {
  test_ = await testDatabase();
});
afterEach(() => test_.drop());

const phoneOf = (party: string) => ({ tenant, table: 'parties', column: 'phone', row: party });
const authOf = (carrier: string) => ({ tenant, table: 'carriers', column: 'auth', row: carrier });

async function addParty(vault: TenantVault, party: string): Promise<void> {
  const { wrapped, cipher } = vault.newPartyKey(party);
  const number = `+62811${party.slice(4).padStart(8, '0')}`;
  await test_.database.transaction(async (queries) => {
    await queries.query(
      '',
      'insert into parties (tenant, party, fingerprint, phone, phone_key, country) values ($1, $2, $3, $4, $5, $6)',
      [
        tenant,
        party,
        vault.fingerprint(number),
        cipher.encrypt(number, phoneOf(party)),
        wrapped.partyKey,
        'ID',
      ],
    );
    await queries.query(
      '',
      'insert into party_keys (tenant, party, party_key, wrapped, tenant_key_version) values ($1, $2, $3, $4, $5)',
      [tenant, party, wrapped.partyKey, wrapped.wrapped, wrapped.tenantKeyVersion],
    );
  });
}

async function readPhone(vault: TenantVault, party: string): Promise<string> {
  const [row] = await test_.database.query<WrappedPartyKey & { phone: Buffer }>(
    'read_phone',
    `select k.party_key as "partyKey", k.wrapped, k.tenant_key_version as "tenantKeyVersion", p.phone
     from parties p join party_keys k using (tenant, party) where p.tenant = $1 and p.party = $2`,
    [tenant, party],
  );
  if (row === undefined) throw new KeyDestroyed('no key');
  return vault.openPartyKey(party, row).decrypt(row.phone, phoneOf(party));
}

async function addCarrier(vault: TenantVault, carrier: string): Promise<void> {
  await test_.database.query(
    '',
    `insert into carriers (tenant, carrier, name, kind, host, transport, allowed_sources, auth)
     values ($1, $2, $2, 'sip', 'trunk.example', 'udp', '{192.0.2.1/32}', $3)`,
    [tenant, carrier, vault.seal(Buffer.from(`password of ${carrier}`), authOf(carrier))],
  );
}

async function readCarrier(vault: TenantVault, carrier: string): Promise<string> {
  const [row] = await test_.database.query<{ auth: Buffer }>(
    '',
    'select auth from carriers where carrier = $1',
    [carrier],
  );
  return vault.open(row?.auth ?? Buffer.of(), authOf(carrier)).toString();
}

const versions = async () =>
  (
    await test_.database.query<{ version: number }>(
      '',
      `select version from tenant_keys where tenant = $1 and purpose = 'wrap' order by 1`,
      [tenant],
    )
  ).map((row) => row.version);

test('the master key is changed, and afterwards the old one is not needed', async () => {
  const { database } = test_;
  const before = await createVault({ ...quick, database, masterKey: first });
  await addParty(await before.unlock(tenant), 'pty_1');
  const both = await createVault({ ...quick, database, masterKey: `${second},${first}` });
  const result = await rotateKeys({ database, vault: both, what: 'master', batch: 2 });
  expect(result.rewrapped).toBe(3);
  const after = await createVault({ ...quick, database, masterKey: second });
  expect(await readPhone(await after.unlock(tenant), 'pty_1')).toBe('+6281100000001');
  await expect(createVault({ ...quick, database, masterKey: first })).rejects.toThrow(WrongMasterKey);
  // A node that still runs with the old one keeps serving from memory.
  await sleep(30);
  expect(await readPhone(await before.unlock(tenant), 'pty_1')).toBe('+6281100000001');
  expect((await rotateKeys({ database, vault: both, what: 'master' })).rewrapped).toBe(0);
});

test('a tenant key is changed while another node reads and writes', async () => {
  const { database } = test_;
  const vault = await createVault({ ...quick, database, masterKey: first });
  const other = await createVault({ ...quick, database, masterKey: first });
  const keys = await vault.unlock(tenant);
  for (let party = 1; party <= 12; party += 1) await addParty(keys, `pty_${party}`);
  for (const carrier of ['car_1', 'car_2', 'car_3']) await addCarrier(keys, carrier);

  let rotating = true;
  let reads = 0;
  const traffic = (async () => {
    for (let party = 13; rotating; party += 1) {
      const theirs = await other.unlock(tenant);
      await addParty(theirs, `pty_${party}`);
      expect(await readPhone(theirs, `pty_${(party % 12) + 1}`)).toMatch(/^\+62811/);
      expect(await readCarrier(theirs, 'car_2')).toBe('password of car_2');
      reads += 2;
    }
  })();
  const steps: string[] = [];
  const result = await rotateKeys({
    database,
    vault,
    tenant,
    what: 'tenant',
    batch: 5,
    retireMilliseconds: 0,
    progress: ({ step }) => steps.push(step),
  });
  rotating = false;
  await traffic;

  expect(reads).toBeGreaterThan(0);
  expect(result).toMatchObject({ unreadable: 0 });
  expect(result.rewrapped).toBeGreaterThanOrEqual(15);
  expect(steps).toContain('waiting');
  expect(steps.at(-1)).toBe('done');
  const [left] = await database.query<{ count: string }>(
    '',
    'select count(*) from party_keys where tenant_key_version < 2',
    [],
  );
  expect(await versions()).toEqual(left?.count === '0' ? [2] : [1, 2]);
  const fresh = await (await createVault({ ...quick, database, masterKey: first })).unlock(tenant);
  expect(await readPhone(fresh, 'pty_1')).toBe('+6281100000001');
  expect(await readCarrier(fresh, 'car_3')).toBe('password of car_3');
});

test('a rotation that was cut short is finished by the next one', async () => {
  const { database } = test_;
  const vault = await createVault({ ...quick, database, masterKey: first });
  const keys = await vault.unlock(tenant);
  for (let party = 1; party <= 6; party += 1) await addParty(keys, `pty_${party}`);
  const cut = rotateKeys({
    database,
    vault,
    tenant,
    what: 'tenant',
    batch: 2,
    progress: ({ step }) => {
      if (step === 'rewrapped') throw new Error('cut');
    },
  });
  await expect(cut).rejects.toThrow('cut');
  expect(await versions()).toEqual([1, 2]);
  expect(await readPhone(keys, 'pty_1')).toBe('+6281100000001');
  expect(await readPhone(keys, 'pty_6')).toBe('+6281100000006');
  const result = await rotateKeys({ database, vault, tenant, what: 'tenant' });
  expect(result).toMatchObject({ rewrapped: 4, retired: 0 });
  // Too early to delete the old version: a slow writer might still use it.
  expect(await versions()).toEqual([1, 2]);
});

test('a damaged row is left alone, and keeps its old version alive', async () => {
  const { database } = test_;
  const vault = await createVault({ ...quick, database, masterKey: first });
  const keys = await vault.unlock(tenant);
  await addParty(keys, 'pty_1');
  await addParty(keys, 'pty_2');
  await addCarrier(keys, 'car_1');
  await database.query('', `update party_keys set wrapped = '\\x1122' where party = 'pty_1'`, []);
  const result = await rotateKeys({ database, vault, tenant, what: 'tenant', retireMilliseconds: 0 });
  expect(result).toEqual({ rewrapped: 2, unreadable: 1, retired: 0 });
  expect(await versions()).toEqual([1, 2]);
  expect(await readPhone(keys, 'pty_2')).toBe('+6281100000002');
});

test('without its key nothing of a party can be read, and its number is forgotten', async () => {
  const { database } = test_;
  const vault = await createVault({ ...quick, database, masterKey: first });
  const keys = await vault.unlock(tenant);
  await addParty(keys, 'pty_1');
  await addParty(keys, 'pty_2');
  const [kept] = await database.query<{ phone: Buffer }>(
    '',
    `select phone from parties where party = 'pty_1'`,
    [],
  );
  expect(await destroyPartyKey(database, tenant, 'pty_1')).toBe(true);
  await expect(readPhone(keys, 'pty_1')).rejects.toThrow(KeyDestroyed);
  const anyOther = keys.newPartyKey('pty_1').cipher;
  expect(() => anyOther.decrypt(kept?.phone ?? Buffer.of(), phoneOf('pty_1'))).toThrow();
  const [row] = await database.query(
    '',
    `select fingerprint, phone, phone_key, erased_at is not null as erased from parties where party = 'pty_1'`,
    [],
  );
  expect(row).toEqual({ fingerprint: null, phone: null, phone_key: null, erased: true });
  expect(await readPhone(keys, 'pty_2')).toBe('+6281100000002');
  expect(await destroyPartyKey(database, tenant, 'pty_1')).toBe(true);
  expect(await destroyPartyKey(database, tenant, 'pty_unknown')).toBe(false);
});

test('what people wrote about a dispute is sealed anew with a tenant key that is changed', async () => {
  const { database } = test_;
  const vault = await createVault({ ...quick, database, masterKey: first });
  const keys = await vault.unlock(tenant);
  const written = [
    { table: 'disputes', column: 'statement', row: 'dsp_1' },
    { table: 'disputes', column: 'verdict_text', row: 'dsp_1' },
    { table: 'dispute_notes', column: 'body', row: 'nte_1' },
    { table: 'legal_holds', column: 'reason', row: 'hld_1' },
  ].map((field) => ({ ...field, tenant }));
  const [statement, verdict, note, reason] = written.map((field) =>
    keys.seal(Buffer.from(field.column), field),
  );
  await database.query(
    '',
    `insert into disputes (tenant, dispute, session, category, status, opener_kind, opener, opened_at, statement, verdict,
        verdict_text, updated_at)
      values ($1, 'dsp_1', 'ses_1', 'other', 'resolved', 'operator', 'usr_1', now(), $2, 'upheld', $3, now())`,
    [tenant, statement, verdict],
  );
  await database.query(
    '',
    `with n as (insert into dispute_notes (tenant, dispute, note, author, at, body)
        values ($1, 'dsp_1', 'nte_1', 'usr_1', now(), $2))
      insert into legal_holds (tenant, hold, session, reason, placed_by, placed_at)
        values ($1, 'hld_1', 'ses_1', $3, 'usr_1', now())`,
    [tenant, note, reason],
  );
  const result = await rotateKeys({ database, vault, tenant, what: 'tenant', retireMilliseconds: 0 });
  expect(result).toMatchObject({ rewrapped: 4, unreadable: 0 });
  const now = await (await createVault({ ...quick, database, masterKey: first })).unlock(tenant);
  for (const field of written) {
    const { table, column } = field;
    const [row] = await database.query<{ readonly sealed: Buffer }>(
      '',
      `select ${column} as sealed from ${table}`,
      [],
    );
    expect(now.open(row?.sealed ?? Buffer.of(), field).toString()).toBe(column);
  }
});
