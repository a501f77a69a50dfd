/**
 * The embedded PostgreSQL: a real server as a child process, on a Unix socket only, with its data in `postgres/` of
 * the data directory. This file keeps it alive: it locks the directory, takes over a server that a killed samar left
 * running, starts it again when it dies, and stops it when we end.
 *
 * Files in the data directory: `postgres/` the cluster, `postgres.log` (bounded; no statement, no value),
 * `postgres.state` which settings the server runs with, `samar.lock` and `samar.pid` who uses the directory.
 */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { chooseAccount } from './embedded/account.ts';
import { findBinaries } from './embedded/binaries.ts';
import { asSetupError, clusterDirectory, EMBEDDED_USER, prepareCluster } from './embedded/cluster.ts';
import { lockDataDirectory } from './embedded/lock.ts';
import { isPostmaster, stopPostmaster } from './embedded/postmaster.ts';
import {
  boundLog,
  type Installation,
  type RunningServer,
  removeSocketDirectory,
  startServer,
  takeOver,
} from './embedded/start.ts';

export interface EmbeddedOptions {
  /** Made when it does not exist (mode 0700; 0711 as root, so that PostgreSQL's own user can pass). */
  readonly dataDirectory: string;
  /** Directory of `initdb` and `postgres`; by default the ones packaged for this platform. */
  readonly binaries?: string;
  /** PostgreSQL settings beside, or instead of, ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How long a start may take, crash recovery included. Default 120,000. */
  readonly startMilliseconds?: number;
  /** False only for data that is thrown away: the first start does not wait for the disk. Default true. */
  readonly sync?: boolean;
  readonly report?: (event: EmbeddedEvent) => void;
}

export type EmbeddedEvent =
  | { readonly event: 'initialised'; readonly version: string }
  | { readonly event: 'started' | 'taken-over'; readonly version: string; readonly milliseconds: number }
  | { readonly event: 'died' }
  | { readonly event: 'restart-failed'; readonly error: Error; readonly retryMilliseconds: number }
  | { readonly event: 'stopped' };

export interface EmbeddedServer {
  /** Where it listens now; another place after each restart. */
  connection(): { readonly host: string; readonly port: number; readonly user: string };
  readonly version: string;
  /** Process id of the server, for `doctor` and tests; undefined while it is down. */
  pid(): number | undefined;
  /** Fast shutdown, then an immediate one. The data directory is free for others afterwards. */
  stop(): Promise<void>;
}

/** Waits between restarts: at once the first time, then doubling; a minute of health begins anew. */
const FIRST_RETRY_MILLISECONDS = 100;
const LONGEST_RETRY_MILLISECONDS = 10_000;
const HEALTHY_MILLISECONDS = 60_000;
const WATCH_MILLISECONDS = 200;
const LOG_CHECK_MILLISECONDS = 30_000;
const PATIENCE = { fastMilliseconds: 15_000, immediateMilliseconds: 10_000 };

/** Throws `EmbeddedServerError`, whose message says what to do. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const began = performance.now();
  const dataDirectory = resolve(options.dataDirectory);
  prepareDataDirectory(dataDirectory);
  const lock = lockDataDirectory(dataDirectory);
  try {
    const report = options.report ?? (() => {});
    const installation = install(dataDirectory, options, report);
    const found = await takeOver(installation);
    const running = found ?? (await startServer(installation));
    report({
      event: found === undefined ? 'started' : 'taken-over',
      version: installation.binaries.version,
      milliseconds: Math.round(performance.now() - began),
    });
    return supervise(installation, running, report, lock.release);
  } catch (error) {
    lock.release();
    throw asSetupError(error, dataDirectory);
  }
}

function prepareDataDirectory(dataDirectory: string): void {
  if (existsSync(dataDirectory)) return;
  try {
    mkdirSync(dataDirectory, { recursive: true });
    chmodSync(dataDirectory, process.getuid?.() === 0 ? 0o711 : 0o700);
  } catch (error) {
    throw asSetupError(error, dataDirectory);
  }
}

function install(
  dataDirectory: string,
  options: EmbeddedOptions,
  report: (event: EmbeddedEvent) => void,
): Installation {
  const cluster = clusterDirectory(dataDirectory);
  const account = chooseAccount(cluster);
  const binaries = findBinaries({ directory: options.binaries, dataDirectory, account });
  const fresh = !existsSync(cluster);
  prepareCluster({ dataDirectory, binaries, account, sync: options.sync ?? true });
  if (fresh) report({ event: 'initialised', version: binaries.version });
  return {
    dataDirectory,
    binaries,
    account,
    settings: options.settings ?? {},
    startMilliseconds: options.startMilliseconds ?? 120_000,
  };
}

function supervise(
  installation: Installation,
  first: RunningServer,
  report: (event: EmbeddedEvent) => void,
  release: () => void,
): EmbeddedServer {
  const cluster = clusterDirectory(installation.dataDirectory);
  let running: RunningServer = first;
  let up = true;
  let stopping: Promise<void> | undefined;
  let restarting: Promise<void> | undefined;
  let startedAt = performance.now();
  let wait = 0;
  let wake = () => {};

  const died = () => {
    if (!up || stopping !== undefined) return;
    up = false;
    report({ event: 'died' });
    removeSocketDirectory(running.socketDirectory);
    if (performance.now() - startedAt > HEALTHY_MILLISECONDS) wait = 0;
    restarting = restart();
  };
  const restart = async () => {
    for (;;) {
      await new Promise<void>((done) => {
        wake = done;
        setTimeout(done, wait).unref();
      });
      if (stopping !== undefined) return;
      wait = Math.min(Math.max(wait * 2, FIRST_RETRY_MILLISECONDS), LONGEST_RETRY_MILLISECONDS);
      const began = performance.now();
      try {
        running = await startServer(installation);
        up = true;
        startedAt = performance.now();
        report({
          event: 'started',
          version: installation.binaries.version,
          milliseconds: Math.round(startedAt - began),
        });
        watch();
        return;
      } catch (error) {
        report({ event: 'restart-failed', error: error as Error, retryMilliseconds: wait });
      }
    }
  };
  let poll: NodeJS.Timeout | undefined;
  const watch = () => {
    clearInterval(poll);
    const server = running;
    if (server.child !== undefined) {
      if (server.child.exitCode !== null || server.child.signalCode !== null) queueMicrotask(died);
      else server.child.once('exit', died);
      return;
    }
    // A server that we took over is not our child: its end has to be looked for.
    poll = setInterval(() => {
      if (!isPostmaster(server.pid, cluster)) {
        clearInterval(poll);
        died();
      }
    }, WATCH_MILLISECONDS).unref();
  };
  const logCheck = setInterval(() => {
    try {
      boundLog(installation.dataDirectory);
    } catch {
      // Tried again at the next turn; a full disk is reported by the database itself.
    }
  }, LOG_CHECK_MILLISECONDS).unref();
  // A process that ends without `stop()` still asks the server to end, in the one synchronous way there is.
  const onExit = () => {
    if (up && isPostmaster(running.pid, cluster)) process.kill(running.pid, 'SIGINT');
  };
  process.once('exit', onExit);
  watch();

  const stop = async () => {
    wake();
    await restarting;
    process.removeListener('exit', onExit);
    clearInterval(poll);
    clearInterval(logCheck);
    await stopPostmaster(running.pid, cluster, PATIENCE);
    removeSocketDirectory(running.socketDirectory);
    up = false;
    release();
    report({ event: 'stopped' });
  };
  return {
    connection: () => ({ host: running.socketDirectory, port: 5432, user: EMBEDDED_USER }),
    version: installation.binaries.version,
    pid: () => (up ? running.pid : undefined),
    stop: () => {
      stopping ??= Promise.resolve().then(stop);
      return stopping;
    },
  };
}
