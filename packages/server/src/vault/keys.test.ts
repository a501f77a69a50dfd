import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '../store/testing.ts';
import { createVault, MasterKeyProblem, UnknownTenant, WrongMasterKey } from './index.ts';

const { database, drop } = await testDatabase();
const directories: string[] = [];
afterAll(async () => {
  await drop();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'samar-keys-'));
  directories.push(made);
  return made;
}

const key = () => randomBytes(32).toString('base64');
const field = { tenant: 'default', table: 'carriers', column: 'auth', row: 'car_1' };
const right = key();

test('many vaults that meet a tenant for the first time agree on its keys', async () => {
  const vaults = await Promise.all(
    Array.from({ length: 8 }, () => createVault({ database, masterKey: right, dataDir: '/nonexistent' })),
  );
  const tenants = await Promise.all(vaults.map((vault) => vault.unlock('default')));
  const prints = new Set(tenants.map((tenant) => tenant.fingerprint('+6281100000001').toString('hex')));
  expect(prints.size).toBe(1);
  const sealed = tenants[0]?.seal(Buffer.from('x'), field) ?? Buffer.of();
  for (const tenant of tenants) expect(tenant.open(sealed, field).toString()).toBe('x');
});

test('an unknown tenant has no keys', async () => {
  const vault = await createVault({ database, masterKey: right, dataDir: '/nonexistent' });
  await expect(vault.unlock('nobody')).rejects.toThrow(UnknownTenant);
});

test('another master key is refused, in words', async () => {
  const opened = createVault({ database, masterKey: key(), dataDir: '/nonexistent' });
  await expect(opened).rejects.toThrow(WrongMasterKey);
  await expect(opened).rejects.toThrow('this is not the key this database was made with');
});

test('a lost master key is not replaced by a new one', async () => {
  const dataDir = directory();
  await expect(createVault({ database, masterKey: undefined, dataDir })).rejects.toThrow(MasterKeyProblem);
  expect(() => statSync(join(dataDir, 'master.key'))).toThrow();
});

test('a master key that is missing among the versions is named', async () => {
  const opened = createVault({ database, masterKey: `2:${key()}`, dataDir: '/nonexistent' });
  await expect(opened).rejects.toThrow('needs master key version 1');
});

test.each([
  'short',
  '17:',
  `0:${'a'.repeat(64)}`,
  `${'a'.repeat(63)}g`,
  `1:${'a'.repeat(64)},1:${'b'.repeat(64)}`,
  'A'.repeat(45),
])('%s is not a master key, and is not repeated', async (text) => {
  const opened = createVault({ database, masterKey: text, dataDir: '/nonexistent' });
  await expect(opened).rejects.toThrow(MasterKeyProblem);
  await expect(opened).rejects.not.toThrow(text);
});

test('hex and base64 mean the same', async () => {
  const hex = Buffer.from(right, 'base64').toString('hex');
  await createVault({ database, masterKey: hex, dataDir: '/nonexistent' });
  await createVault({ database, masterKey: `2:${key()}, 1:${right}\n`, dataDir: '/nonexistent' });
});

test('without any key, one is made once, privately', async () => {
  const empty = await testDatabase();
  try {
    const dataDir = directory();
    const options = { database: empty.database, masterKey: undefined, dataDir };
    const [a, b] = await Promise.all([createVault(options), createVault(options)]);
    const sealed = (await a.unlock('default')).seal(Buffer.from('x'), field);
    expect((await b.unlock('default')).open(sealed, field).toString()).toBe('x');
    expect(statSync(join(dataDir, 'master.key')).mode & 0o777).toBe(0o600);
    const later = await createVault(options);
    expect((await later.unlock('default')).open(sealed, field).toString()).toBe('x');
    chmodSync(join(dataDir, 'master.key'), 0o640);
    await expect(createVault(options)).rejects.toThrow('can be read by other users');
    writeFileSync(join(dataDir, 'master.key'), '');
    chmodSync(join(dataDir, 'master.key'), 0o600);
    await expect(createVault(options)).rejects.toThrow(MasterKeyProblem);
  } finally {
    await empty.drop();
  }
});
