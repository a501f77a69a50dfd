import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors, simulatedDoors } from '@samar/doors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../config.ts';
import type { Trunk } from '../masking/service.ts';
import { readMigrations } from '../store/migrate.ts';
import { testDatabase } from '../store/testing.ts';
import * as machine from './doctor/machine.ts';
import * as platform from './doctor/platform.ts';
import { examine, type Finding, report } from './doctor.ts';

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
  return Object.fromEntries(findings.map(({ what, status }) => [what, status]));
}

test('a new installation: everything is looked at, nothing is a problem, nothing is left behind', async () => {
  const findings = await examine({ config: () => config(), doors: nodeDoors(), promptsDirectory });
  expect(findings.filter(({ status }) => status === 'problem')).toEqual([]);
  expect(findings.map(({ what }) => what)).toEqual(
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
  expect(findings.find(({ what }) => what === 'database')?.words).toMatch(/starts here/);
  expect(report(findings).exitCode).toBe(0);
}, 60_000);

test('settings that can not be used are a finding, not a crash', async () => {
  const findings = await examine({
    config: () => loadConfig({ SAMAR_HTTP_PORT: 'eighty' }),
    doors: nodeDoors(),
    promptsDirectory,
  });
  expect(findings.at(-1)).toMatchObject({
    what: 'settings',
    status: 'problem',
    words: expect.stringMatching(/SAMAR_HTTP_PORT/),
  });
  expect(report(findings).exitCode).toBe(1);
});

test('a database that answers: version, migrations and clock', async () => {
  const { url, drop } = await testDatabase();
  try {
    const findings = await platform.database(config({ databaseUrl: url }), nodeDoors(), undefined);
    expect(statuses(findings)).toEqual({ database: 'ok', migrations: 'ok', clock: 'ok' });
    const late = simulatedDoors(1, Date.now() - 60_000);
    expect(statuses(await platform.database(config({ databaseUrl: url }), late, undefined))).toMatchObject({
      clock: 'problem',
    });
  } finally {
    await drop();
  }
}, 60_000);

test('a database that does not answer: a problem without the password', async () => {
  const databaseUrl = 'postgresql://samar:topsecret@127.0.0.1:1/samar';
  const findings = await platform.database(config({ databaseUrl }), nodeDoors(), undefined);
  expect(statuses(findings)).toEqual({ database: 'problem' });
  expect(JSON.stringify(findings)).not.toContain('topsecret');
}, 60_000);

test('migrations: behind, and ahead of this version', () => {
  const names = readMigrations().map(({ name }) => name);
  expect(platform.migrations(names.slice(0, 1)).status).toBe('warning');
  expect(platform.migrations([...names, '9999_later'])).toMatchObject({ status: 'problem' });
});

describe('files', () => {
  test('a master key that others can read', async () => {
    const dataDir = join(directory, 'key');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'master.key'), '1:x\n', { mode: 0o600 });
    expect((await machine.masterKey(config({ dataDir }))).status).toBe('warning');
    await chmod(join(dataDir, 'master.key'), 0o644);
    expect((await machine.masterKey(config({ dataDir }))).status).toBe('problem');
    expect((await machine.masterKey(config({ dataDir, masterKey: 'given' }))).status).toBe('ok');
  });

  test('a database whose master key is gone', async () => {
    const dataDir = join(directory, 'lost');
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    expect(await machine.masterKey(config({ dataDir }))).toMatchObject({
      status: 'problem',
      remedy: expect.stringMatching(/backup/),
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

  test('too few of them, or too few open files, for the calls allowed', () => {
    const settings = config({ rtpPorts: { from: 20_000, to: 20_399 }, maxCalls: 100 });
    expect(statuses(machine.capacity(settings, 900))).toEqual({ 'RTP ports': 'ok', 'open files': 'ok' });
    expect(statuses(machine.capacity(settings, 899))).toEqual({ 'RTP ports': 'ok', 'open files': 'problem' });
    expect(statuses(machine.capacity({ ...settings, maxCalls: 101 }, undefined))).toEqual({
      'RTP ports': 'warning',
    });
    expect(machine.openFilesLimit()).toBeGreaterThan(100);
  });

  test('among those that the system gives away', async () => {
    const file = join(directory, 'range');
    await writeFile(file, '32768\t60999\n');
    const low = { rtpPorts: { from: 20_000, to: 29_999 } };
    const high = { rtpPorts: { from: 30_000, to: 40_000 } };
    expect(await machine.ephemeralPorts(low, file)).toMatchObject({ status: 'ok' });
    expect(await machine.ephemeralPorts(high, file)).toMatchObject({ status: 'warning' });
    expect(await machine.ephemeralPorts(low, join(directory, 'missing'))).toBeUndefined();
  });

  test('private addresses without a public host', () => {
    const at = (address: string) =>
      ({ eth0: [{ address, internal: false }] }) as unknown as ReturnType<typeof networkInterfaces>;
    const settings = config({ sipHost: '0.0.0.0' });
    expect(machine.publicAddress(settings, at('192.168.1.5')).status).toBe('warning');
    expect(machine.publicAddress(settings, at('203.0.113.5')).status).toBe('ok');
    expect(machine.publicAddress({ ...settings, publicHost: '203.0.113.5' }, at('10.0.0.1')).status).toBe(
      'ok',
    );
  });
});

test('old Node, unset clock', () => {
  expect(machine.nodeVersion('v20.20.2').status).toBe('problem');
  expect(machine.nodeVersion('v24.0.0').status).toBe('ok');
  expect(machine.clock(0).status).toBe('problem');
});

test('prompts: complete, and a folder without English', async () => {
  expect(await platform.prompts(promptsDirectory)).toMatchObject({
    status: 'ok',
    words: expect.stringMatching(/hi/),
  });
  expect(await platform.prompts(directory)).toMatchObject({ status: 'problem' });
});

describe('carriers', () => {
  const trunk = (change: Partial<Trunk>): Trunk => ({
    ...{
      tenant: 'default',
      id: 'car_1',
      name: 'main',
      kind: 'sip',
      host: 'sip.example.com',
      transport: 'udp',
    },
    ...{ allowedSources: [], hasAuth: false, enabled: true, createdAt: new Date(0) },
    ...change,
  });
  const look = async (
    trunks: readonly Trunk[],
    numbers: [string, number][],
    names: readonly string[] = [],
  ) => {
    const doors = simulatedDoors(1);
    for (const name of names) doors.records.a.set(name, ['192.0.2.7']);
    return statuses(await platform.carriers({ trunks, numbers: new Map(numbers) }, doors));
  };

  test('none at all', async () => {
    expect(await look([], [])).toEqual({ carriers: 'warning' });
  });
  test('a name that does not resolve, one that does, an address', async () => {
    expect(await look([trunk({})], [['car_1', 3]])).toEqual({ numbers: 'ok', 'carrier main': 'problem' });
    expect(await look([trunk({})], [['car_1', 3]], ['sip.example.com'])).toEqual({
      numbers: 'ok',
      'carrier main': 'ok',
    });
    expect(await look([trunk({ host: '192.0.2.1' })], [['car_1', 3]])).toEqual({
      numbers: 'ok',
      'carrier main': 'ok',
    });
  });
  test('a name with service records only', async () => {
    const doors = simulatedDoors(1);
    doors.records.srv.set('_sip._udp.sip.example.com', [
      { name: 'a.example.com', port: 5060, priority: 1, weight: 1 },
    ]);
    const findings = await platform.carriers(
      { trunks: [trunk({})], numbers: new Map([['car_1', 1]]) },
      doors,
    );
    expect(statuses(findings)).toMatchObject({ 'carrier main': 'ok' });
  });
  test('numbers of a disabled or missing carrier, a carrier without numbers', async () => {
    const disabled = trunk({ enabled: false });
    expect(await look([disabled], [['car_1', 3]])).toMatchObject({ 'carrier main': 'problem' });
    expect(await look([trunk({ host: '192.0.2.1' })], [['car_gone', 3]])).toEqual({
      numbers: 'problem',
      'carrier main': 'warning',
    });
  });
  test('counted over all pages', async () => {
    const number = (index: number) => ({ id: `num_${index}`, carrier: 'car_1', enabled: index !== 0 });
    const inventory = await platform.inventoryOf(
      {
        trunks: async () => [trunk({}), trunk({ id: 'car_2', tenant: 'other' })],
        listNumbers: async (_tenant, _filter, { after }) =>
          (after === undefined
            ? { items: [number(0), number(1)], next: 'num_1' }
            : { items: [number(2)] }) as unknown as Awaited<
            ReturnType<Parameters<typeof platform.inventoryOf>[0]['listNumbers']>
          >,
      },
      'default',
    );
    expect(inventory.trunks.map(({ id }) => id)).toEqual(['car_1']);
    expect([...inventory.numbers]).toEqual([['car_1', 2]]);
  });
});

test('the report says what to do, and its exit code tells problems from warnings', () => {
  const fine: Finding = { status: 'ok', what: 'disk', words: 'room' };
  const bad: Finding = { status: 'problem', what: 'clock', words: 'wrong', remedy: 'Set it.' };
  expect(report([fine])).toEqual({ text: expect.stringMatching(/Nothing is wrong/), exitCode: 0 });
  expect(report([fine, { ...bad, status: 'warning' }]).exitCode).toBe(0);
  expect(report([fine, bad])).toEqual({
    text: expect.stringMatching(/PROBLEM.*clock.*wrong\n.*→ Set it\./),
    exitCode: 1,
  });
});
