import pg from 'pg';
import { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from './embedded.ts';
import { DatabaseError, DatabaseUnavailable } from './errors.ts';
import { createListener, type DatabaseEvent } from './listener.ts';
import { type Lender, migrate } from './migrate.ts';
import { createPool, type Loan, type Pool, type PoolOptions, type PoolStats } from './pool.ts';
import type { Database, Queries } from './types.ts';

export type DatabaseOptions = PoolOptions & {
  /** Called when the LISTEN connection is lost, and when a listener's handler throws. */
  readonly report?: (event: DatabaseEvent) => void;
  /** False leaves the schema as it is. Default true: brought up to date. */
  readonly migrations?: boolean;
  /** Called with the name of each migration before it is applied. */
  readonly onMigration?: (name: string) => void;
} & (
    | {
        /** `postgresql://user:password@host:port/database?sslmode=…`. TLS is verified unless `sslmode=no-verify`. */
        readonly url: string;
      }
    | {
        /** Starts the embedded server with its data here. */
        readonly dataDir: string;
        readonly embedded?: Omit<EmbeddedOptions, 'dataDirectory'>;
      }
  );

export interface OpenDatabase extends Database, Lender {
  /** The server that was started for this database. */
  readonly embedded: EmbeddedServer | undefined;
  stats(): PoolStats;
}

/** The embedded server's database; `postgres`, which always exists, is for maintenance. */
const EMBEDDED_DATABASE = 'samar';

/**
 * Connects, starting the embedded server where no URL is given, and brings the schema up to date. Rejects with
 * `EmbeddedServerError`, `DatabaseUnavailable` or `MigrationError`; their messages say what to do.
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  if ('url' in options) return ready(fromConfig(urlConfig(options.url), options, undefined), options);
  const embedded = await startEmbedded({ ...options.embedded, dataDirectory: options.dataDir });
  try {
    await createEmbeddedDatabase(embedded);
  } catch (error) {
    await embedded.stop();
    throw error;
  }
  const config = () => ({ ...embedded.connection(), database: EMBEDDED_DATABASE });
  return ready(fromConfig(config, options, embedded), options);
}

async function ready(database: OpenDatabase, options: DatabaseOptions): Promise<OpenDatabase> {
  try {
    if (options.migrations === false) {
      await database.query('', 'select 1', []);
      return database;
    }
    await migrate(database, {
      progress: (progress) => {
        if (progress.step === 'applying') options.onMigration?.(progress.migration);
      },
    });
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

function fromConfig(
  config: () => pg.ClientConfig,
  options: DatabaseOptions,
  embedded: EmbeddedServer | undefined,
): OpenDatabase {
  const pool = createPool(config, options);
  const listener = createListener(pool.dedicated, options.report ?? (() => {}));
  return {
    embedded,
    query: (name, text, values) => queryOnce(pool, name, text, values, true),
    transaction: (work) => transaction(pool, work),
    listen: listener.listen,
    async dedicated(work) {
      const client = await pool.dedicated();
      try {
        return await work(client);
      } finally {
        await client.end().catch(() => {});
      }
    },
    stats: pool.stats,
    async close() {
      await listener.close();
      await pool.close();
      await embedded?.stop();
    },
  };
}

async function queryOnce<Row>(
  pool: Pool,
  name: string,
  text: string,
  values: readonly unknown[],
  mayRetry: boolean,
): Promise<readonly Row[]> {
  const loan = await pool.acquire();
  let stale = false;
  try {
    return await run<Row>(loan, name, text, values);
  } catch (error) {
    stale = error instanceof StalePlan;
    if (!stale) throw error;
    loan.broken = true;
    if (!mayRetry) throw (error as StalePlan).refusal;
  } finally {
    pool.release(loan);
  }
  return queryOnce(pool, name, text, values, false);
}

async function transaction<T>(pool: Pool, work: (queries: Queries) => Promise<T>): Promise<T> {
  const loan = await pool.acquire();
  let over = false;
  let committing = false;
  try {
    await run(loan, '', 'begin', []);
    const result = await work({
      async query<Row>(name: string, text: string, values: readonly unknown[]) {
        if (over) throw new Error(`statement ${name} came after the end of its transaction`);
        return withoutRetry(loan, run<Row>(loan, name, text, values));
      },
    });
    over = true;
    committing = true;
    // After a refused statement COMMIT rolls back, without an error: somebody must say so.
    if ((await command(loan, 'commit')) !== 'COMMIT') {
      throw new DatabaseError({
        code: '25P02',
        statement: 'commit',
        words: 'a statement before it was refused',
      });
    }
    return result;
  } catch (error) {
    over = true;
    if (!loan.broken) {
      await command(loan, 'rollback').catch(() => {
        loan.broken = true;
      });
    }
    // Whatever was sent before COMMIT is gone with the connection.
    if (error instanceof DatabaseUnavailable && error.maybeDone && !committing) {
      throw new DatabaseUnavailable(error.reason, error.message);
    }
    throw error;
  } finally {
    pool.release(loan);
  }
}

async function withoutRetry<T>(loan: Loan, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof StalePlan)) throw error;
    loan.broken = true;
    throw error.refusal;
  }
}

async function command(loan: Loan, text: 'commit' | 'rollback'): Promise<string> {
  loan.busySince = performance.now();
  try {
    return (await loan.client.query(text)).command;
  } catch (error) {
    throw translate(loan, error, text);
  } finally {
    loan.busySince = undefined;
  }
}

async function run<Row>(
  loan: Loan,
  name: string,
  text: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  loan.busySince = performance.now();
  try {
    const result = await loan.client.query(
      name === '' ? { text, values: values as unknown[] } : { name, text, values: values as unknown[] },
    );
    return result.rows as readonly Row[];
  } catch (error) {
    throw translate(loan, error, name);
  } finally {
    loan.busySince = undefined;
  }
}

/** The schema changed under a prepared statement; on a fresh connection it is prepared anew. */
class StalePlan extends Error {
  readonly refusal: DatabaseError;
  constructor(refusal: DatabaseError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

function translate(loan: Loan, error: unknown, statement: string): Error {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) {
    const { connection } = loan.client as unknown as { connection?: { stream?: { destroyed?: boolean } } };
    const alive = !loan.broken && connection?.stream?.destroyed === false;
    loan.broken = true;
    // The values never left: they could not be put into the protocol. The original message may quote them.
    if (alive && error instanceof TypeError)
      return new TypeError(`the values of statement ${statement} cannot be sent`);
    return new DatabaseUnavailable('lost', `the connection was lost during statement ${statement}`, true);
  }
  const { code } = error;
  if (code.startsWith('57P') || code.startsWith('08')) {
    loan.broken = true;
    return new DatabaseUnavailable('lost', `the database went away during statement ${statement}`, true);
  }
  const refusal = new DatabaseError({
    code,
    statement,
    constraint: error.constraint,
    table: error.table,
    column: error.column,
    words: safeWords(error),
  });
  const stale = code === '26000' || (code === '0A000' && error.routine === 'RevalidateCachedQuery');
  return stale ? new StalePlan(refusal) : refusal;
}

/** PostgreSQL's message where it is made of names from statement and schema only, never of values. */
function safeWords(error: pg.DatabaseError): string | undefined {
  switch (error.code?.slice(0, 2)) {
    case '42':
      return error.message;
    case '53':
      return 'the server is out of disk space, memory or connections';
    default:
      return error.code === '57014' ? 'it took too long and was cancelled' : undefined;
  }
}

/**
 * `pg` verifies certificates for `require` and `verify-ca` too, and warns that a later version won't: said outright,
 * this stays as strict as it is.
 */
function urlConfig(url: string): () => pg.ClientConfig {
  if (!/^(postgres|postgresql):\/\//.test(url)) {
    throw new DatabaseUnavailable('rejected', 'DATABASE_URL must begin with postgresql://');
  }
  const connectionString = url.includes('uselibpqcompat=')
    ? url
    : url.replace(/([?&]sslmode=)(?:require|verify-ca)(?=&|$)/, '$1verify-full');
  return () => ({ connectionString });
}

async function createEmbeddedDatabase(embedded: EmbeddedServer): Promise<void> {
  const pool = createPool(() => ({ ...embedded.connection(), database: 'postgres' }), { maxConnections: 1 });
  try {
    const found = await queryOnce(
      pool,
      '',
      'select 1 from pg_database where datname = $1',
      [EMBEDDED_DATABASE],
      false,
    );
    if (found.length === 0) await queryOnce(pool, '', `create database ${EMBEDDED_DATABASE}`, [], false);
  } finally {
    await pool.close();
  }
}
