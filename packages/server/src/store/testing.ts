/**
 * A fresh, migrated database for a test file in a few milliseconds, on a real PostgreSQL: the embedded one, shared by
 * all tests on the machine (see `testing-server.ts`), or the server that SAMAR_TEST_DATABASE_URL names (its user must
 * be allowed to create databases).
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type OpenDatabase, openDatabase } from './database.ts';
import { readMigrations } from './migrate.ts';
import type { PoolOptions } from './pool.ts';

export interface TestDatabase {
  readonly database: OpenDatabase;
  /** For another connection to the same database, or for DATABASE_URL of a process under test. */
  readonly url: string;
  /** Closes `database` and removes it from the server. */
  drop(): Promise<void>;
}

const START_MILLISECONDS = 60_000;
const TEMPLATE_LOCK = '7142936580214938';

/** `migrated: false` gives an empty database. */
export async function testDatabase(
  options: PoolOptions & { readonly migrated?: boolean } = {},
): Promise<TestDatabase> {
  const server = await testServerUrl();
  const name = `samar_test_${randomBytes(6).toString('hex')}`;
  const template = options.migrated === false ? 'template0' : await templateDatabase(server);
  await maintain(server, (client) => client.query(`create database ${name} template ${template}`));
  const url = withDatabase(server, name);
  const database = await openDatabase({ ...options, url, migrations: false });
  return {
    database,
    url,
    async drop() {
      await database.close();
      await maintain(server, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** URL of the server that tests use, started when it is not running. */
export async function testServerUrl(): Promise<string> {
  const given = process.env['SAMAR_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') return given;
  const directory = sharedDirectory();
  const until = performance.now() + START_MILLISECONDS;
  for (let startAgainAt = 0; performance.now() < until; await sleep(25)) {
    const url = announcedUrl(directory);
    if (url !== undefined && (await answers(url))) return url;
    if (performance.now() < startAgainAt) continue;
    startServer(directory);
    // Whoever loses the race for the lock goes away; and one that is just ending must be replaced.
    startAgainAt = performance.now() + 3000;
  }
  throw new Error(`the test database did not start; see ${join(directory, 'testing-server.log')}`);
}

/** One directory a checkout and user: two checkouts never share a server, and its files belong to us. */
function sharedDirectory(): string {
  const checkout = createHash('sha256')
    .update(import.meta.url)
    .digest('hex')
    .slice(0, 12);
  const base = tmpdir().length > 60 ? '/tmp' : tmpdir();
  return join(base, `samar-test-${userInfo().uid}-${checkout}`);
}

function announcedUrl(directory: string): string | undefined {
  try {
    const { host, port, user } = JSON.parse(readFileSync(join(directory, 'server.json'), 'utf8'));
    return `postgresql://${user}@localhost/postgres?host=${encodeURIComponent(host)}&port=${port}`;
  } catch {
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    await maintain(url, (client) => client.query('select 1'));
    return true;
  } catch {
    return false;
  }
}

function startServer(directory: string): void {
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o711 });
  const { uid } = statSync(directory);
  if (uid !== userInfo().uid) throw new Error(`${directory} belongs to another user`);
  const log = openSync(join(directory, 'testing-server.log'), 'a');
  const script = fileURLToPath(new URL('./testing-server.ts', import.meta.url));
  spawn(process.execPath, [script, directory], {
    detached: true,
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', log, log],
  }).unref();
}

/** Named after its content, so that a changed migration makes another one. */
async function templateDatabase(server: string): Promise<string> {
  const content = createHash('sha256');
  for (const { checksum } of readMigrations()) content.update(checksum);
  const name = `samar_template_${content.digest('hex').slice(0, 16)}`;
  return maintain(server, async (client) => {
    const exists = async () =>
      (await client.query('select 1 from pg_database where datname = $1', [name])).rows.length > 0;
    if (await exists()) return name;
    await client.query(`select pg_advisory_lock(${TEMPLATE_LOCK})`);
    if (await exists()) return name;
    const unfinished = `${name}_unfinished`;
    await client.query(`drop database if exists ${unfinished} with (force)`);
    await client.query(`create database ${unfinished} template template0`);
    const database = await openDatabase({ url: withDatabase(server, unfinished) });
    await database.close();
    await client.query(`alter database ${unfinished} rename to ${name}`);
    return name;
  });
}

async function maintain<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
