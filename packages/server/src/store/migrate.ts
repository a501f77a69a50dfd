import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { MigrationError } from './errors.ts';

export interface Migration {
  readonly version: number;
  /** File name without `.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, in hex; line ends don't count. */
  readonly checksum: string;
}

/** Lends a connection of its own, without a statement timeout; the connection ends with the work. */
export interface Lender {
  dedicated<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
}

export type MigrationProgress =
  | { readonly step: 'waiting' }
  | { readonly step: 'applying' | 'applied'; readonly migration: string };

/** Any fixed number; it keeps apart from advisory locks of others in the same database. */
const LOCK = '7142936580214937';

/**
 * Brings the schema up to date: each file in its own transaction, one process at a time. Rejects with
 * `MigrationError` and leaves everything as it was before the file that failed.
 */
export async function migrate(
  database: Lender,
  options: {
    readonly directory?: string;
    readonly progress?: (progress: MigrationProgress) => void;
  } = {},
): Promise<{ readonly applied: readonly string[] }> {
  const migrations = readMigrations(options.directory);
  const progress = options.progress ?? (() => {});
  return database.dedicated(async (client) => {
    const { rows } = await client.query(`select pg_try_advisory_lock(${LOCK}) as held`);
    if (!rows[0].held) {
      progress({ step: 'waiting' });
      await client.query(`select pg_advisory_lock(${LOCK})`);
    }
    // The lock goes with the connection, which ends after us.
    const done = await readApplied(client);
    refuseStrangers(migrations, done);
    const applied: string[] = [];
    for (const migration of migrations) {
      if (done.has(migration.version)) continue;
      progress({ step: 'applying', migration: migration.name });
      await apply(client, migration);
      progress({ step: 'applied', migration: migration.name });
      applied.push(migration.name);
    }
    return { applied };
  });
}

/** In order. Throws `MigrationError` (`missing`) when the numbers are not 1, 2, 3, … */
export function readMigrations(directory?: string): readonly Migration[] {
  const from = directory ?? fileURLToPath(new URL('./migrations/', import.meta.url));
  const names = readdirSync(from)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort();
  return names.map((file, index) => {
    const version = Number.parseInt(file, 10);
    if (version !== index + 1) {
      throw new MigrationError(
        'missing',
        `migration number ${index + 1} is missing or used twice (found ${file})`,
      );
    }
    const sql = readFileSync(`${from}/${file}`, 'utf8').replaceAll('\r\n', '\n');
    return {
      version,
      name: file.slice(0, -'.sql'.length),
      sql,
      checksum: createHash('sha256').update(sql).digest('hex'),
    };
  });
}

interface Applied {
  readonly name: string;
  readonly checksum: string;
}

async function readApplied(client: pg.Client): Promise<ReadonlyMap<number, Applied>> {
  await client.query(`create table if not exists schema_migrations (
    version     integer primary key,
    name        text not null,
    checksum    text not null,
    applied_at  timestamptz not null default now()
  )`);
  const { rows } = await client.query<Applied & { version: number }>(
    'select version, name, checksum from schema_migrations',
  );
  return new Map(rows.map((row) => [row.version, row]));
}

function refuseStrangers(migrations: readonly Migration[], done: ReadonlyMap<number, Applied>): void {
  for (const [version, { name, checksum }] of done) {
    const ours = migrations[version - 1];
    if (ours === undefined) {
      throw new MigrationError(
        'unknown',
        `the database has migration ${name}, which this version of samar does not know: it was used by a newer version; run that one, or restore a backup from before the upgrade`,
      );
    }
    if (ours.name !== name || ours.checksum !== checksum) {
      throw new MigrationError(
        'changed',
        `migration ${ours.name} is not the one that was applied to this database (${name}): an applied migration is never changed, add a new one instead`,
      );
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(migration.sql);
    await client.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
      migration.version,
      migration.name,
      migration.checksum,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    const { code, message, position } = error as { code?: string; message: string; position?: string };
    const line =
      position === undefined ? '' : ` at line ${migration.sql.slice(0, Number(position)).split('\n').length}`;
    // A migration that moves rows could quote one; only complaints about the statement itself are repeated.
    const words = code?.startsWith('42') === true ? `: ${message}` : '';
    throw new MigrationError(
      'failed',
      `migration ${migration.name} failed${line} (SQLSTATE ${code ?? 'unknown'})${words}; nothing of it was applied`,
    );
  }
}
