import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { simulatedDoors } from '@samar/doors';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { loadConfig } from '../config.ts';
import { createMasking } from '../masking/index.ts';
import { sealLedger } from '../store/queries/ledger.ts';
import { type TestDatabase, testDatabase } from '../store/testing.ts';
import { createTrust } from '../trust/index.ts';
import { createVault } from '../vault/index.ts';
import { exportCommand, rootsCommand, verifyCommand } from './ledger.ts';

let database: TestDatabase;
let directory: string;
let config: ReturnType<typeof loadConfig>;
beforeAll(async () => {
  database = await testDatabase();
  directory = await mkdtemp(join(tmpdir(), 'samar-ledger-'));
  config = loadConfig({
    DATABASE_URL: database.url,
    SAMAR_DATA_DIR: directory,
    SAMAR_MASTER_KEY: '07'.repeat(32),
  });
  await sql(`insert into ledger (tenant, entry, at, kind, actor)
    select t, new_id('led_'), timestamptz '2026-01-01Z' + i * interval '1 hour', 'connection', 'switch'
      from unnest('{default,other}'::text[]) t, generate_series(0, 59) i`);
  await sealLedger(database.database);
  await signDays();
}, 60_000);
afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});
afterEach(() => vi.restoreAllMocks());

const sql = (text: string) => database.database.query('', text, []);

/** What a node does by itself, at five minutes after midnight; then again a day later. */
async function signDays(): Promise<void> {
  const doors = simulatedDoors(1, Date.UTC(2026, 0, 2, 0, 1));
  const vault = await createVault({
    database: database.database,
    masterKey: config.masterKey,
    dataDir: directory,
  });
  const context = { database: database.database, vault, doors };
  const failures: unknown[] = [];
  const trust = await createTrust({
    ...{ ...context, masking: createMasking(context), recordings: join(directory, 'recordings') },
    anchors: join(directory, 'ledger-roots'),
    report: (_task, error) => void failures.push(error),
  });
  await trust.ledger.verify('default');
  await trust.start();
  const days = async () => (await trust.ledger.roots('default', { limit: 10 })).items.map((one) => one.day);
  const patiently = { timeout: 20_000 };
  await doors.advance(1);
  expect(await days()).toEqual([]);
  await vi.waitFor(async () => {
    await doors.advance(60_000);
    expect(await days()).toEqual(['2026-01-01']);
  }, patiently);
  await vi.waitFor(async () => {
    await doors.advance(3_600_000);
    expect(await days()).toEqual(['2026-01-02', '2026-01-01']);
  }, patiently);
  await doors.advance(1);
  await trust.stop();
  expect(failures).toEqual([]);
}

async function run(command: Promise<number>): Promise<{ code: number; out: string; complaints: string }> {
  const texts = { out: '', complaints: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    texts.out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    texts.complaints += String(text);
    return true;
  });
  try {
    return { code: await command, ...texts };
  } finally {
    vi.restoreAllMocks();
  }
}

test('a whole ledger is said to be so, with its signed days, tenant by tenant', async () => {
  const { code, out } = await run(verifyCommand(config, {}));
  expect(code).toBe(0);
  expect(out).toMatch(/^default: intact: 60 entries, 2 signed days; ends in [0-9a-f]{64}$/m);
  expect(out).toMatch(/^other: intact: 60 entries, 2 signed days/m);
});

test('an entry that was changed is named, with exit code 1', async () => {
  await sql(`update ledger set actor = 'nobody' where tenant = 'other' and sequence = 17`);
  try {
    const { code, out, complaints } = await run(verifyCommand(config, {}));
    expect(code).toBe(1);
    expect(out).toContain('default: intact');
    expect(complaints).toMatch(/other: CHANGED: entry 17 \(led_[0-9a-f]{32}\) is not what was sealed/);
    expect((await run(verifyCommand(config, { tenant: 'default' }))).code).toBe(0);
  } finally {
    await sql(`update ledger set actor = 'switch' where tenant = 'other' and sequence = 17`);
  }
});

test('roots that were kept elsewhere tell what the database and the data directory no longer do', async () => {
  const roots = join(directory, 'kept.jsonl');
  const { out } = await run(rootsCommand(config, { tenant: 'default' }));
  expect(out.trim().split('\n')).toHaveLength(2);
  await writeFile(roots, out);
  expect((await run(verifyCommand(config, { tenant: 'default', roots }))).code).toBe(0);
  const bare = { ...config, dataDir: await mkdtemp(join(directory, 'bare-')) };
  await sql(`delete from ledger_roots where tenant = 'default'`);
  expect((await run(verifyCommand(bare, { tenant: 'default' }))).code).toBe(0);
  const found = await run(verifyCommand(bare, { tenant: 'default', roots }));
  expect(found).toMatchObject({ code: 1, complaints: expect.stringContaining('REWRITTEN') });
  const here = await run(verifyCommand(config, { tenant: 'default' }));
  expect(here).toMatchObject({ code: 1, complaints: expect.stringContaining('REWRITTEN') });
});

test('an export can be checked by the lines in the guide, and a changed one is found', async () => {
  const to = join(directory, 'other.jsonl');
  const { code, out } = await run(exportCommand(config, { tenant: 'other', to }));
  expect({ code, out }).toEqual({ code: 0, out: `60 entries of other are in ${to}\n` });
  expect((await stat(to)).mode & 0o777).toBe(0o600);
  const guide = await readFile(new URL('../../../../docs/ledger.md', import.meta.url), 'utf8');
  const script = join(directory, 'check.mjs');
  await writeFile(script, /```js\n(.*?)```/s.exec(guide)?.[1] ?? '');
  const check = () => promisify(execFile)(process.execPath, [script, to]);
  expect((await check()).stdout).toBe('60 entries are intact\n');
  const text = await readFile(to, 'utf8');
  for (const [before, after, named] of [
    ['\\"actor\\":\\"switch\\"', '\\"actor\\":\\"switcj\\"', 'entry 1'],
    [/^.*"sequence":60,.*\n/m, '', 'entry 60 is missing'],
    [/"day":"2026-01-01"/, '"day":"2026-01-03"', 'root of 2026-01-03'],
  ] as const) {
    await writeFile(to, text.replace(before, after));
    await expect(check()).rejects.toMatchObject({ stderr: expect.stringContaining(named) });
  }
});

test('wrong usage is said before anything is opened', async () => {
  const taken = join(directory, 'taken');
  await writeFile(taken, '');
  const nowhere = { ...config, databaseUrl: 'postgresql://nobody@127.0.0.1:1/none' };
  const refused = async (work: () => Promise<number>, message: string) =>
    expect((async () => work())()).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(message),
    });
  await refused(() => exportCommand(nowhere, { tenant: 'default', to: taken }), 'exists already');
  await refused(() => rootsCommand(nowhere, { tenant: '../x' }), 'names no tenant');
  await refused(() => verifyCommand(nowhere, { roots: taken }), '--roots needs --tenant');
  await refused(() => verifyCommand(nowhere, { tenant: 'default', roots: taken }), 'has no roots');
  await refused(
    () => verifyCommand(nowhere, { tenant: 'default', roots: `${taken}2` }),
    'can’t be read'.replace('’', "'"),
  );
});
