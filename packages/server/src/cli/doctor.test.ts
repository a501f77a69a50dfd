import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors, simulatedDoors } from '@samar/doors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../config.ts';
import { openDatabase } from '../store/index.ts';
import { readMigrations } from '../store/migrate.ts';
import { insertCarrier } from '../store/queries/carriers.ts';
import { type CarrierUseRow, carrierUse } from '../store/queries/installation.ts';
import { testDatabase } from '../store/testing.ts';
import * as machine from './doctor/machine.ts';
import * as platform from './doctor/platform.ts';
import { type Finding, inspectInstallation } from './doctor.ts';

const promptsDirectory = join(import.meta.dirname, '../../../../prompts');
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'samar-doctor-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function config(change: Partial<Config> = {}): Config {
  return {
    ...loadConfig({ SAMAR_DATA_DIR: join(directory, 'none') }, undefined),
    httpPort: 0,
    sipPort: 0,
    ...change,
  };
}

function statuses(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ about, level }) => [about, level]));
}

test('a new installation: everything is looked at, nothing is a problem, nothing is left behind', async () => {
  const findings = await inspectInstallation({ readConfig: () => config() });
  expect(findings.filter(({ level }) => level === 'problem')).toEqual([]);
  expect(findings.map(({ about }) => about)).toEqual(
    expect.arrayContaining([
      'Node.js',
      'settings',
      'data directory',
      'disk',
      'database',
      'HTTP port',
      'RTP ports',
      'prompts',
    ]),
  );
  expect(findings.find(({ about }) => about === 'database')?.what).toMatch(/starts here/);
}, 60_000);

test('settings that can not be used are a finding, not a crash', async () => {
  const findings = await inspectInstallation({ readConfig: () => loadConfig({ SAMAR_HTTP_PORT: 'eighty' }) });
  expect(findings.at(-1)).toMatchObject({
    about: 'settings',
    level: 'problem',
    what: expect.stringMatching(/SAMAR_HTTP_PORT/),
  });
});

test('a database that answers: version, migrations and clock', async () => {
  const { url, drop } = await testDatabase();
  try {
    const findings = await platform.database(config({ databaseUrl: url }), nodeDoors(), undefined);
    expect(statuses(findings)).toEqual({ database: 'ok', migrations: 'ok', clock: 'ok', carriers: 'warn' });
    const late = simulatedDoors(1, Date.now() - 60_000);
    expect(statuses(await platform.database(config({ databaseUrl: url }), late, undefined))).toMatchObject({
      clock: 'problem',
    });
  } finally {
    await drop();
  }
}, 60_000);

test('an embedded database: asked beside the process that runs it, and started where none does', async () => {
  const dataDir = join(directory, 'embedded');
  const settings = config({ dataDir });
  const opened = await openDatabase({ dataDir, embedded: { sync: false } });
  try {
    const beside = await platform.database(settings, nodeDoors(), process.pid);
    expect(statuses(beside)).toEqual({ database: 'ok', migrations: 'ok', clock: 'ok', carriers: 'warn' });
  } finally {
    await opened.close();
  }
  expect(statuses(await platform.database(settings, nodeDoors(), process.pid))).toEqual({ database: 'warn' });
  const alone = await platform.database(settings, nodeDoors(), undefined);
  expect(statuses(alone)).toEqual({ database: 'ok', migrations: 'ok', clock: 'ok', carriers: 'warn' });
}, 60_000);

test('a database that does not answer: a problem without the password', async () => {
  const databaseUrl = 'postgresql://samar:topsecret@127.0.0.1:1/samar';
  const findings = await platform.database(config({ databaseUrl }), nodeDoors(), undefined);
  expect(statuses(findings)).toEqual({ database: 'problem' });
  expect(JSON.stringify(findings)).not.toContain('topsecret');
}, 60_000);

test('migrations: behind, and ahead of this version', () => {
  const names = readMigrations().map(({ name }) => name);
  expect(platform.migrations(names.slice(0, 1)).level).toBe('warn');
  expect(platform.migrations([...names, '9999_later'])).toMatchObject({ level: 'problem' });
});

describe('files', () => {
  test('a master key that others can read', async () => {
    const dataDir = join(directory, 'key');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'master.key'), '1:x\n', { mode: 0o600 });
    expect((await machine.masterKey(config({ dataDir }))).level).toBe('warn');
    await chmod(join(dataDir, 'master.key'), 0o644);
    expect((await machine.masterKey(config({ dataDir }))).level).toBe('problem');
    expect((await machine.masterKey(config({ dataDir, masterKey: 'given' }))).level).toBe('ok');
  });

  test('a database whose master key is gone', async () => {
    const dataDir = join(directory, 'lost');
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    expect(await machine.masterKey(config({ dataDir }))).toMatchObject({
      level: 'problem',
      advice: expect.stringMatching(/backup/),
    });
  });

  test('a data directory that others can write to, and one that is a file', async () => {
    const dataDir = join(directory, 'open');
    await mkdir(dataDir);
    await chmod(dataDir, 0o777);
    expect(statuses(await machine.dataDirectory(dataDir))).toMatchObject({ 'data directory': 'problem' });
    await chmod(dataDir, 0o700);
    expect(statuses(await machine.dataDirectory(dataDir))).toMatchObject({ 'data directory': 'ok' });
    await writeFile(join(directory, 'file'), '');
    expect(statuses(await machine.dataDirectory(join(directory, 'file')))).toMatchObject({
      'data directory': 'problem',
    });
  });
});

describe('ports', () => {
  test('taken by another program, or by the Samar that runs', async () => {
    const doors = nodeDoors();
    const taken = await doors.network.udp({ address: '127.0.0.1', port: 0 });
    try {
      const settings = config({ sipHost: '127.0.0.1', sipPort: taken.local.port });
      const stranger = await machine.ports(settings, doors, undefined);
      expect(statuses(stranger)).toEqual({
        'HTTP port': 'ok',
        'SIP port, UDP': 'problem',
        'SIP port, TCP': 'ok',
      });
      const ours = await machine.ports(settings, doors, process.pid);
      expect(statuses(ours)).toMatchObject({ 'SIP port, UDP': 'ok' });
    } finally {
      await taken.close();
    }
  });

  test('an address that this machine does not have', async () => {
    const findings = await machine.ports(config({ sipHost: '192.0.2.1' }), nodeDoors(), undefined);
    expect(statuses(findings)).toMatchObject({ 'SIP port, UDP': 'problem', 'HTTP port': 'ok' });
  });

  test('how many calls they are enough for, and too few open files for these', () => {
    const settings = config({ rtpPorts: { from: 20_000, to: 20_399 }, maxCalls: 100 });
    expect(statuses(machine.capacity(settings, 900))).toEqual({ 'RTP ports': 'ok', 'open files': 'ok' });
    expect(statuses(machine.capacity(settings, 899))).toEqual({ 'RTP ports': 'ok', 'open files': 'problem' });
    expect(machine.capacity({ ...settings, maxCalls: 101 }, undefined)).toMatchObject([
      { level: 'ok', what: expect.stringMatching(/100 calls.*fewer/) },
    ]);
    expect(machine.openFilesLimit()).toBeGreaterThan(100);
  });

  test('among those that the system gives away', async () => {
    const file = join(directory, 'range');
    await writeFile(file, '32768\t60999\n');
    const low = { rtpPorts: { from: 20_000, to: 29_999 } };
    const high = { rtpPorts: { from: 30_000, to: 40_000 } };
    expect(await machine.ephemeralPorts(low, file)).toMatchObject({ level: 'ok' });
    expect(await machine.ephemeralPorts(high, file)).toMatchObject({ level: 'warn' });
    expect(await machine.ephemeralPorts(low, join(directory, 'missing'))).toBeUndefined();
  });

  test('private addresses without a public host', () => {
    const at = (address: string) =>
      ({ eth0: [{ address, internal: false }] }) as unknown as ReturnType<typeof networkInterfaces>;
    const settings = config({ sipHost: '0.0.0.0' });
    expect(machine.publicAddress(settings, at('192.168.1.5')).level).toBe('warn');
    expect(machine.publicAddress(settings, at('203.0.113.5')).level).toBe('ok');
    expect(machine.publicAddress({ ...settings, publicHost: '203.0.113.5' }, at('10.0.0.1')).level).toBe(
      'ok',
    );
  });
});

test('old Node, unset clock', () => {
  expect(machine.nodeVersion('v20.20.2').level).toBe('problem');
  expect(machine.nodeVersion('v24.0.0').level).toBe('ok');
  expect(machine.clock(0).level).toBe('problem');
});

test('prompts: complete, and a folder without English', async () => {
  expect(await platform.prompts(promptsDirectory)).toMatchObject({
    level: 'ok',
    what: expect.stringMatching(/hi/),
  });
  expect(await platform.prompts(directory)).toMatchObject({ level: 'problem' });
});

test('own prompts: counted, and a file that is no prompt is named', async () => {
  const own = await mkdtemp(join(tmpdir(), 'samar-own-'));
  await mkdir(join(own, 'en'));
  await copyFile(join(promptsDirectory, 'en', 'ended.wav'), join(own, 'en', 'welcome.wav'));
  expect(await platform.prompts(promptsDirectory, own)).toMatchObject({
    level: 'ok',
    what: expect.stringMatching(/; 1 of your own$/),
  });
  await writeFile(join(own, 'en', 'sale.wav'), 'RIFF');
  expect(await platform.prompts(promptsDirectory, own)).toMatchObject({
    level: 'problem',
    what: expect.stringContaining('en/sale.wav is not a WAV file'),
  });
  await rm(own, { recursive: true });
});

describe('carriers', () => {
  const trunk = (change: Partial<CarrierUseRow>): CarrierUseRow => ({
    ...{ name: 'main', host: 'sip.example.com', transport: 'udp', enabled: true, numbers: 3 },
    ...change,
  });
  const look = async (all: readonly CarrierUseRow[], names: readonly string[] = []) => {
    const doors = simulatedDoors(1);
    for (const name of names) doors.records.a.set(name, ['192.0.2.7']);
    return statuses(await platform.carriers(all, doors));
  };

  test('none at all', async () => {
    expect(await look([])).toEqual({ carriers: 'warn' });
  });
  test('a name that does not resolve, one that does, an address', async () => {
    expect(await look([trunk({})])).toEqual({ numbers: 'ok', 'carrier main': 'problem' });
    expect(await look([trunk({})], ['sip.example.com'])).toEqual({ numbers: 'ok', 'carrier main': 'ok' });
    expect(await look([trunk({ host: '2001:db8::1' })])).toEqual({ numbers: 'ok', 'carrier main': 'ok' });
  });
  test('a name with service records only', async () => {
    const doors = simulatedDoors(1);
    doors.records.srv.set('_sip._udp.sip.example.com', [
      { name: 'a.example.com', port: 5060, priority: 1, weight: 1 },
    ]);
    expect(statuses(await platform.carriers([trunk({})], doors))).toMatchObject({ 'carrier main': 'ok' });
  });
  test('numbers of a disabled carrier, a carrier without numbers', async () => {
    expect(await look([trunk({ enabled: false })])).toMatchObject({ 'carrier main': 'problem' });
    expect(await look([trunk({ enabled: false, numbers: 0 })])).toMatchObject({ 'carrier main': 'ok' });
    const address = { host: '192.0.2.1' };
    expect(await look([trunk({ ...address, numbers: 0 })])).toEqual({
      numbers: 'warn',
      'carrier main': 'warn',
    });
  });
  test('are read from the database, counting enabled numbers that are there', async () => {
    const { database, drop } = await testDatabase();
    try {
      await database.query('', `insert into tenants (tenant, name) values ('t', 'T')`, []);
      await insertCarrier(
        database,
        {
          ...{ tenant: 't', carrier: 'car_1', name: 'main', kind: 'sip', host: '192.0.2.1', port: null },
          ...{
            transport: 'udp',
            allowed_sources: [],
            auth: null,
            number_format: {},
            caller_trust: 'trusted',
          },
        },
        'key_1',
      );
      await database.query('', `insert into pools (tenant, pool) values ('t', 'p')`, []);
      await database.query(
        '',
        `insert into numbers (tenant, number, e164, pool, carrier, country, enabled, deleted_at)
          select 't', 'num_' || i, '+622150000' || i, 'p', 'car_1', 'ID', i <= 2, case when i = 4 then now() end
          from generate_series(1, 4) as i`,
        [],
      );
      expect(await carrierUse(database)).toEqual([
        { name: 'main', host: '192.0.2.1', transport: 'udp', enabled: true, numbers: 2 },
      ]);
    } finally {
      await drop();
    }
  });
});
