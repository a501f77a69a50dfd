import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DatabaseUnavailable } from './errors.ts';

export interface PoolOptions {
  /** Most connections at once. Default 20. */
  readonly maxConnections?: number;
  /** Most callers that may wait for one. Past it, `DatabaseUnavailable` (`queue-full`). Default 2,000. */
  readonly maxWaiting?: number;
  /** How long a caller waits for a connection, making one included. Default 5,000. */
  readonly waitMilliseconds?: number;
  /** The server's `statement_timeout`. Default 15,000. A connection that is silent longer than this is given up. */
  readonly statementMilliseconds?: number;
}

export interface PoolStats {
  readonly connections: number;
  readonly idle: number;
  readonly waiting: number;
}

/** A connection on loan. `broken` ones are closed on return. */
export interface Loan {
  readonly client: pg.Client;
  broken: boolean;
  /** When the statement under way was sent; undefined between statements. */
  busySince: number | undefined;
  idleSince: number;
}

/**
 * Our own pool, because `pg.Pool` closes a connection on every SQL error when asked by `pool.query`, and lets any
 * number of callers wait.
 */
export interface Pool {
  acquire(): Promise<Loan>;
  release(loan: Loan): void;
  /** A connection outside the pool's count, without a statement timeout, for migrations and LISTEN. The caller ends it. */
  dedicated(): Promise<pg.Client>;
  stats(): PoolStats;
  /** Waits for loans to come back (at most 10 s), then closes everything. */
  close(): Promise<void>;
}

interface Waiter {
  readonly deadline: number;
  readonly resolve: (loan: Loan) => void;
  readonly reject: (error: Error) => void;
}

const SWEEP_MILLISECONDS = 100;
/** Idle this long, a connection is closed: a busy minute should not hold server memory for the rest of the day. */
const IDLE_MILLISECONDS = 300_000;
/** What the server's answer to a timed-out statement may need to reach us. */
const ANSWER_MILLISECONDS = 5000;
const CLOSE_MILLISECONDS = 10_000;

export function createPool(config: () => pg.ClientConfig, options: PoolOptions = {}): Pool {
  const maxConnections = options.maxConnections ?? 20;
  const maxWaiting = options.maxWaiting ?? 2000;
  const waitMilliseconds = options.waitMilliseconds ?? 5000;
  const statementMilliseconds = options.statementMilliseconds ?? 15_000;
  const loans = new Set<Loan>();
  const idle: Loan[] = [];
  let waiting: Waiter[] = [];
  let connecting = 0;
  let closed = false;

  const open = async (deadline: number): Promise<Loan> => {
    connecting += 1;
    try {
      const client = await connectWithin(
        () => ({ ...config(), ...timeouts(statementMilliseconds) }),
        deadline,
        () => closed,
      );
      const loan: Loan = { client, broken: false, busySince: undefined, idleSince: 0 };
      const lost = () => {
        loan.broken = true;
        loans.delete(loan);
        const at = idle.indexOf(loan);
        if (at >= 0) idle.splice(at, 1);
      };
      client.on('error', lost);
      client.on('end', lost);
      loans.add(loan);
      return loan;
    } finally {
      connecting -= 1;
    }
  };
  const discard = (loan: Loan) => {
    loan.broken = true;
    loans.delete(loan);
    loan.client.end().catch(() => {});
    destroySocket(loan.client);
  };
  /** Makes a connection for somebody who waits, when there is room for one more. */
  const serveNext = () => {
    if (closed || loans.size + connecting >= maxConnections) return;
    const next = waiting.shift();
    if (next !== undefined) open(next.deadline).then(next.resolve, next.reject).finally(serveNext);
  };
  const sweep = setInterval(() => {
    const now = performance.now();
    while (waiting[0] !== undefined && waiting[0].deadline <= now) waiting.shift()?.reject(noConnection());
    for (const loan of loans) {
      // The server should have given up by now: the connection is dead without having said so.
      if (
        loan.busySince !== undefined &&
        now - loan.busySince > statementMilliseconds + ANSWER_MILLISECONDS
      ) {
        discard(loan);
      }
    }
    while (idle[0] !== undefined && now - idle[0].idleSince > IDLE_MILLISECONDS) {
      const oldest = idle.shift();
      if (oldest !== undefined) discard(oldest);
    }
    serveNext();
  }, SWEEP_MILLISECONDS).unref();

  return {
    async acquire() {
      if (closed) throw new DatabaseUnavailable('closed', 'the database was closed');
      const ready = idle.pop();
      if (ready !== undefined) return ready;
      const deadline = performance.now() + waitMilliseconds;
      if (loans.size + connecting < maxConnections) return open(deadline);
      if (waiting.length >= maxWaiting) {
        throw new DatabaseUnavailable('queue-full', `${maxWaiting} callers wait for the database already`);
      }
      return new Promise<Loan>((resolve, reject) => {
        waiting.push({ deadline, resolve, reject });
      });
    },
    release(loan) {
      loan.busySince = undefined;
      if (loan.broken || closed) {
        discard(loan);
        serveNext();
        return;
      }
      const next = waiting.shift();
      if (next !== undefined) {
        next.resolve(loan);
        return;
      }
      loan.idleSince = performance.now();
      idle.push(loan);
    },
    dedicated: () =>
      connectWithin(
        () => ({ ...config(), ...timeouts(0) }),
        performance.now() + waitMilliseconds,
        () => closed,
      ),
    stats: () => ({ connections: loans.size, idle: idle.length, waiting: waiting.length }),
    async close() {
      closed = true;
      clearInterval(sweep);
      for (const { reject } of waiting) reject(new DatabaseUnavailable('closed', 'the database was closed'));
      waiting = [];
      const ends = idle.splice(0).map((loan) => loan.client.end().catch(() => {}));
      const until = performance.now() + CLOSE_MILLISECONDS;
      while (loans.size > 0 && performance.now() < until) await sleep(5);
      for (const loan of [...loans]) discard(loan);
      await Promise.all(ends);
    },
  };
}

/** `idle_in_transaction_session_timeout` frees the locks of a transaction whose owner is stuck. */
function timeouts(statementMilliseconds: number): pg.ClientConfig {
  return {
    statement_timeout: statementMilliseconds,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: 'samar',
  };
}

/** Tries again while the server is starting, restarting or full; anything else it says is final. */
async function connectWithin(
  config: () => pg.ClientConfig,
  deadline: number,
  closed: () => boolean,
): Promise<pg.Client> {
  let obstacle: string | undefined;
  for (let wait = 20; ; wait = Math.min(wait * 2, 250)) {
    const left = Math.ceil(deadline - performance.now());
    if (left <= 0) throw noConnection(obstacle);
    const client = new pg.Client({ ...config(), connectionTimeoutMillis: left });
    client.on('error', () => {});
    try {
      await client.connect();
      if (closed()) {
        await client.end();
        throw new DatabaseUnavailable('closed', 'the database was closed');
      }
      return client;
    } catch (error) {
      destroySocket(client);
      if (error instanceof DatabaseUnavailable) throw error;
      if (closed()) throw new DatabaseUnavailable('closed', 'the database was closed');
      refuseIfFinal(error);
      obstacle = (error as { code?: string }).code;
    }
    await sleep(Math.min(wait, Math.max(0, deadline - performance.now())));
  }
}

function refuseIfFinal(error: unknown): void {
  const { code, message } = error as { code?: string; message?: string };
  const words =
    FINAL[code ?? ''] ?? (/does not support SSL|certificate/i.test(message ?? '') ? message : undefined);
  if (words === undefined) return;
  throw new DatabaseUnavailable('rejected', `the database refused the connection: ${words}`);
}

/** Answers that another try will not change; the user and database named in DATABASE_URL are left out. */
const FINAL: Readonly<Record<string, string>> = {
  '28P01': 'wrong user or password (check DATABASE_URL)',
  '28000': 'this user may not connect from here (check DATABASE_URL and pg_hba.conf)',
  '3D000': 'there is no such database (check DATABASE_URL, or create it)',
  '42501': 'the user lacks the right to connect',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is self-signed (give sslrootcert=, or sslmode=no-verify, in DATABASE_URL)',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate authority is unknown (give sslrootcert=, or sslmode=no-verify, in DATABASE_URL)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate authority is unknown (give sslrootcert= in DATABASE_URL)',
  '08P01': 'it does not take our settings: connect to PostgreSQL itself, not to a pooler in transaction mode',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
};

/** `obstacle` is a code of the system or the server, such as ECONNREFUSED. */
function noConnection(obstacle?: string): DatabaseUnavailable {
  const why = obstacle === undefined ? '' : ` (${obstacle})`;
  return new DatabaseUnavailable('timeout', `no connection to the database in time${why}`);
}

/** `end()` waits for the server's goodbye, which a dead one never says. */
function destroySocket(client: pg.Client): void {
  const { connection } = client as unknown as { connection?: { stream?: { destroy?: () => void } } };
  connection?.stream?.destroy?.();
}
