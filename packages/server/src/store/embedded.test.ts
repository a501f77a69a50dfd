import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from './database.ts';
import { chooseAccount } from './embedded/account.ts';
import { findBinaries } from './embedded/binaries.ts';
import { clusterDirectory } from './embedded/cluster.ts';
import { isPostmaster, readPostmasterFile } from './embedded/postmaster.ts';
import type { EmbeddedEvent } from './embedded.ts';
import type { EmbeddedServerError } from './errors.ts';

const asRoot = process.getuid?.() === 0;
const onLinux = process.platform === 'linux';
const patient = { timeout: 90_000 };

const base = mkdtempSync(join(tmpdir(), 'samar-embedded-'));
chmodSync(base, 0o755);
afterAll(() => rmSync(base, { recursive: true, force: true }));
let directories = 0;
const fresh = (name = 'data') => {
  directories += 1;
  return join(base, `${directories}`, name);
};

async function open(dataDir: string, events: EmbeddedEvent[] = []) {
  const database = await openDatabase({
    dataDir,
    migrations: false,
    embedded: { sync: false, report: (event) => events.push(event) },
  });
  onTestFinished(() => database.close());
  return database;
}

interface Said {
  readonly event?: string;
  readonly kept?: number;
  readonly kind?: string;
  readonly message?: string;
  readonly postgres?: number;
}

/** Starts `testing-process.ts`; `acknowledged` grows while it runs. */
async function start(dataDir: string, ids?: { uid: number; gid: number }) {
  const script = fileURLToPath(new URL('./testing-process.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, dataDir], {
    ...ids,
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const acknowledged: number[] = [];
  let first: Said = {};
  const begun = new Promise<void>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as Said;
      if (said.kept !== undefined) acknowledged.push(said.kept);
      else first = said;
      if (acknowledged.length >= 20 || said.event === 'failed') resolve();
    });
  });
  await begun;
  return { child, first, acknowledged };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const keptIn = async (database: Awaited<ReturnType<typeof open>>) =>
  new Set((await database.query<{ n: number }>('', 'select n from kept', [])).map((row) => row.n));

const refusal = (dataDir: string) =>
  open(dataDir).then(
    () => expect.fail('it should not have started'),
    (error: unknown) => error as EmbeddedServerError,
  );

test(
  'a directory with spaces and a path longer than any socket: data stays, nobody else can look',
  patient,
  async () => {
    const dataDir = fresh(`with spaces/${'very-long-'.repeat(12)}`);
    const first = await open(dataDir);
    await first.query('', 'create table kept (n integer)', []);
    await first.query('', 'insert into kept values (1)', []);
    const [settings] = await first.query<Record<string, string>>(
      '',
      `select current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync,
       current_setting('synchronous_commit') as commit, current_setting('server_encoding') as encoding`,
      [],
    );
    expect(settings).toEqual({ tcp: '', fsync: 'on', commit: 'on', encoding: 'UTF8' });
    const host = first.embedded?.connection().host ?? '';
    expect(statSync(host).mode & 0o777).toBe(0o700);
    expect(statSync(clusterDirectory(dataDir)).mode & 0o777).toBe(0o700);
    await first.close();
    expect(existsSync(host)).toBe(false);
    const events: EmbeddedEvent[] = [];
    const second = await open(dataDir, events);
    expect(await keptIn(second)).toEqual(new Set([1]));
    expect(events.map(({ event }) => event)).toEqual(['started']);
  },
);

const shared = fresh();

test('what goes wrong is not written into the log with its values', patient, async () => {
  const database = await open(shared);
  await database.query('', 'create table numbers (e164 text primary key)', []);
  const insert = () => database.query('', 'insert into numbers values ($1)', ['+6281100000001']);
  await insert();
  await expect(insert()).rejects.toThrow('23505');
  await expect(database.query('', `select '+6281100000001'::date`, [])).rejects.toThrow('SQLSTATE 22');
  await expect(
    database.query('', `select pg_terminate_backend(pg_backend_pid()), '+6281100000001'`, []),
  ).rejects.toThrow();
  await database.close();
  const log = readFileSync(join(shared, 'postgres.log'), 'utf8');
  expect(log).toContain('terminating connection');
  expect(log).not.toContain('811');
});

test('two processes cannot use one directory, and the second says who has it', patient, async () => {
  const holder = await start(shared);
  const refused = await refusal(shared);
  expect(refused).toMatchObject({ name: 'EmbeddedServerError', kind: 'locked' });
  expect(refused.message).toContain(`process ${holder.child.pid}`);
  const second = await start(shared);
  expect(second.first).toMatchObject({ event: 'failed', kind: 'locked' });
  expect(holder.child.exitCode).toBeNull();
});

test('when the server is killed it is started again, and nothing acknowledged is lost', patient, async () => {
  const events: EmbeddedEvent[] = [];
  const database = await open(shared, events);
  await database.query('', 'create table survived (n integer)', []);
  const before = database.embedded?.pid() ?? 0;
  let acknowledged = 0;
  for (let n = 1; n <= 60; n += 1) {
    if (n === 30) process.kill(before, 'SIGKILL');
    await database.query('survive', 'insert into survived values ($1)', [n]).then(
      () => {
        acknowledged += 1;
      },
      (error: { maybeDone?: boolean }) => expect(error.maybeDone).toBe(true),
    );
  }
  const [row] = await database.query<{ count: number }>(
    '',
    'select count(*)::integer as count from survived',
    [],
  );
  expect(row?.count).toBeGreaterThanOrEqual(acknowledged);
  expect(acknowledged).toBeGreaterThanOrEqual(58);
  expect(database.embedded?.pid()).not.toBe(before);
  expect(events.map(({ event }) => event)).toEqual(['started', 'died', 'started']);
});

test(
  'when samar is killed the server it left is taken over, and nothing acknowledged is lost',
  patient,
  async () => {
    const { child, first, acknowledged } = await start(shared);
    await kill(child);
    const events: EmbeddedEvent[] = [];
    const database = await open(shared, events);
    expect(events.map(({ event }) => event)).toEqual(['taken-over']);
    expect(database.embedded?.pid()).toBe(first.postgres);
    const kept = await keptIn(database);
    expect(acknowledged.filter((n) => !kept.has(n))).toEqual([]);
    // It is watched like one of our own.
    process.kill(first.postgres ?? 0, 'SIGKILL');
    await sleep(500);
    expect((await keptIn(database)).size).toBe(kept.size);
    expect(events.map(({ event }) => event)).toEqual(['taken-over', 'died', 'started']);
  },
);

test('when both are killed, nothing acknowledged is lost', patient, async () => {
  const { child, first, acknowledged } = await start(shared);
  process.kill(first.postgres ?? 0, 'SIGKILL');
  await kill(child);
  const kept = await keptIn(await open(shared));
  expect(acknowledged.filter((n) => !kept.has(n))).toEqual([]);
});

test('a lock file of a killed server is no obstacle, whoever has its process id now', patient, async () => {
  const { ids } = chooseAccount(clusterDirectory(shared));
  const stranger = spawn('sleep', ['60'], { ...ids, cwd: '/', stdio: 'ignore' });
  onTestFinished(() => void stranger.kill());
  const file = join(clusterDirectory(shared), 'postmaster.pid');
  const stale = `${stranger.pid}\n${clusterDirectory(shared)}\n1\n5432\n/tmp/samar-gone00\n\n  1 1\nready   \n`;
  for (const content of [stale, '']) {
    writeFileSync(file, content, { mode: 0o600 });
    if (ids !== undefined) chownSync(file, ids.uid, ids.gid);
    const database = await open(shared);
    expect(await database.query('', 'select 1 as n', [])).toEqual([{ n: 1 }]);
    await database.close();
  }
  expect(stranger.exitCode).toBeNull();
});

test('a process that ends without closing takes its server with it', patient, async () => {
  const script = `
    const { openDatabase } = await import(${JSON.stringify(new URL('./database.ts', import.meta.url).href)});
    const database = await openDatabase({ dataDir: ${JSON.stringify(shared)}, migrations: false });
    console.log(database.embedded.pid());
    process.exit(0);`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const pid = Number(run.stdout);
  expect(pid).toBeGreaterThan(1);
  for (let turns = 0; isPostmaster(pid, clusterDirectory(shared)) && turns < 500; turns += 1) await sleep(10);
  expect(isPostmaster(pid, clusterDirectory(shared))).toBe(false);
  expect(readPostmasterFile(clusterDirectory(shared))).toBeUndefined();
  await (await open(shared)).close();
});

test('a database of another PostgreSQL, or none, is left alone', patient, async () => {
  const other = fresh();
  mkdirSync(clusterDirectory(other), { recursive: true });
  expect(await refusal(other)).toMatchObject({ kind: 'damaged' });
  writeFileSync(join(clusterDirectory(other), 'PG_VERSION'), '14\n');
  const refused = await refusal(other);
  expect(refused).toMatchObject({ kind: 'version-mismatch' });
  expect(refused.message).toContain('PostgreSQL 14');
});

test('a damaged database is named as such', patient, async () => {
  const damaged = fresh();
  mkdirSync(dirname(damaged), { recursive: true });
  cpSync(shared, damaged, { recursive: true });
  const { ids } = chooseAccount(clusterDirectory(shared));
  if (ids !== undefined) spawnSync('chown', ['-R', `${ids.uid}:${ids.gid}`, clusterDirectory(damaged)]);
  // Copied directories got the mode of new ones, which PostgreSQL does not accept.
  expect(await refusal(damaged)).toMatchObject({ kind: 'permission' });
  chmodSync(clusterDirectory(damaged), 0o700);
  truncateSync(join(clusterDirectory(damaged), 'global/pg_control'), 100);
  const refused = await refusal(damaged);
  expect(refused).toMatchObject({ kind: 'damaged' });
  expect(refused.message).toContain('restore it from a backup');
});

test.skipIf(!asRoot || !onLinux)(
  'as root, below a directory that nobody else may enter',
  patient,
  async () => {
    const closed = dirname(fresh());
    mkdirSync(closed, { recursive: true });
    chmodSync(closed, 0o700);
    const native = join(closed, 'package/native');
    const installed = findBinaries({
      directory: undefined,
      dataDirectory: closed,
      account: chooseAccount(join(closed, 'none')),
    });
    mkdirSync(native, { recursive: true });
    cpSync(join(installed.directory, '..'), native, { recursive: true, verbatimSymlinks: true });
    cpSync(join(installed.directory, '../../package.json'), join(native, '../package.json'));
    // The package as npm brings it: without its links.
    for (const name of readdirSync(join(native, 'lib'))) {
      if (/^libicu.*\.so(\.60)?$/.test(name)) rmSync(join(native, 'lib', name));
    }
    const account = chooseAccount(join(closed, 'none'));
    const binaries = findBinaries({ directory: undefined, dataDirectory: closed, account, native });
    expect(binaries.directory.startsWith(closed)).toBe(false);
    onTestFinished(() => rmSync(join(binaries.directory, '..'), { recursive: true, force: true }));
    const database = await openDatabase({
      dataDir: join(closed, 'data'),
      migrations: false,
      embedded: { sync: false, binaries: binaries.directory },
    });
    onTestFinished(() => database.close());
    await database.query('', 'create table kept (n integer)', []);
    process.kill(database.embedded?.pid() ?? 0, 'SIGKILL');
    await sleep(100);
    expect(await keptIn(database)).toEqual(new Set());
    expect(statSync(closed).mode & 0o777).toBe(0o700);
  },
);

test.skipIf(!asRoot)('as an ordinary user', patient, async () => {
  const { ids } = chooseAccount(join(base, 'none'));
  const home = dirname(fresh());
  mkdirSync(home);
  if (ids !== undefined) chownSync(home, ids.uid, ids.gid);
  const { child, first } = await start(join(home, 'data'), ids);
  expect(first).toMatchObject({ event: 'ready', uid: ids?.uid });
  await kill(child);
  const again = await start(join(home, 'data'), ids);
  expect(again.first).toMatchObject({ event: 'ready', postgres: first.postgres });
  expect(again.acknowledged[0]).toBeGreaterThan(20);
  // What the user may not write is said in words.
  const foreign = dirname(fresh());
  mkdirSync(foreign, { mode: 0o755 });
  expect((await start(join(foreign, 'data'), ids)).first).toMatchObject({
    event: 'failed',
    kind: 'permission',
  });
});

test.skipIf(!asRoot || !onLinux)(
  'on a full disk it says so, and goes on when there is room',
  patient,
  async () => {
    const disk = dirname(fresh());
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=120m,mode=0755', 'tmpfs', disk]);
    expect(mounted.status).toBe(0);
    try {
      const ballast = join(disk, 'ballast');
      const fill = (megabytes: number) =>
        spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=1M', `count=${megabytes}`], {
          stdio: 'ignore',
        });
      for (const megabytes of [118, 95]) {
        fill(megabytes);
        const refused = await refusal(join(disk, 'data'));
        expect(refused).toMatchObject({ kind: 'disk-full' });
        expect(refused.message).toContain('SAMAR_DATA_DIR');
      }
      rmSync(ballast);
      const events: EmbeddedEvent[] = [];
      const database = await open(join(disk, 'data'), events);
      await database.query('', 'create table kept (n integer, filler text)', []);
      // What runs out first: room for a table's pages, or for the write-ahead log, which PostgreSQL does not survive.
      const fillers = [
        `select $1, string_agg(md5(i::text), '') from generate_series(1, 2000) i`,
        `select $1, null from pg_logical_emit_message(true, 'filler', repeat('x', 500000))`,
      ];
      let acknowledged = 0;
      for (const [round, filler] of fillers.entries()) {
        const { bavail, bsize } = statfsSync(disk);
        fill(Math.floor((bavail * bsize) / 2 ** 20) - 6);
        const before = acknowledged;
        let refused: unknown;
        while (refused === undefined && acknowledged < 5000) {
          try {
            await database.query(`fill_${round}`, `insert into kept ${filler}`, [acknowledged]);
            acknowledged += 1;
          } catch (error) {
            refused = error;
          }
        }
        expect(refused).toBeDefined();
        expect(acknowledged).toBeGreaterThan(before);
        if (round === 1) await sleep(300);
        rmSync(ballast);
        for (let turns = 0; turns < 200; turns += 1) {
          const up = await database.query('', 'select 1', []).catch(() => undefined);
          if (up !== undefined) break;
          await sleep(100);
        }
        const kept = await keptIn(database);
        expect(Array.from({ length: acknowledged }, (_, n) => n).filter((n) => !kept.has(n))).toEqual([]);
      }
      for (const event of events) {
        if (event.event === 'restart-failed') expect(event.error).toMatchObject({ kind: 'disk-full' });
      }
      expect(events.at(-1)).toMatchObject({ event: 'started' });
      await database.close();
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
  },
);
