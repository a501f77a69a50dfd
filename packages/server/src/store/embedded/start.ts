import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedServerError } from '../errors.ts';
import { type Account, canEnter } from './account.ts';
import type { Binaries } from './binaries.ts';
import {
  asSetupError,
  clusterDirectory,
  explain,
  nameFor,
  refuseFullDisk,
  serverEnvironment,
} from './cluster.ts';
import { isPostmaster, readPostmasterFile, stopPostmaster } from './postmaster.ts';

export interface Installation {
  readonly dataDirectory: string;
  readonly binaries: Binaries;
  readonly account: Account;
  readonly settings: Readonly<Record<string, string>>;
  readonly startMilliseconds: number;
}

/** A server at work. `child` is undefined for one that we found running and took over. */
export interface RunningServer {
  readonly pid: number;
  readonly socketDirectory: string;
  readonly child: ChildProcess | undefined;
}

/**
 * Errors go to the client only, and what is logged has no details: PostgreSQL quotes values in both. Small memory,
 * because the server shares its machine with calls.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: '5432',
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Short statements: planning by hand-made machine code and in parallel costs more than it gives.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // A new installation's tables grow fast: until they are looked at, plans are made for empty ones.
  autovacuum_naptime: '5s',
  timezone: 'UTC',
  lc_messages: 'C',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_checkpoints: 'off',
  log_autovacuum_min_duration: '-1',
};

/** With this many bytes the log is begun anew; one older part is kept. */
const LOG_BYTES = 4 * 1024 * 1024;

/** `sun_path` holds 104 bytes on macOS and 108 on Linux; PostgreSQL adds `/.s.PGSQL.5432.lock`. */
const LONGEST_SOCKET_DIRECTORY = 80;

function logFile(dataDirectory: string): string {
  return join(dataDirectory, 'postgres.log');
}

/** A server that an earlier samar process left behind, if it can serve us; one that cannot is stopped. */
export async function takeOver(installation: Installation): Promise<RunningServer | undefined> {
  const cluster = clusterDirectory(installation.dataDirectory);
  const until = performance.now() + installation.startMilliseconds;
  const ours = readState(installation.dataDirectory)?.digest === digest(installation);
  for (;;) {
    const found = readPostmasterFile(cluster);
    if (found === undefined || !isPostmaster(found.pid, cluster)) return undefined;
    if (!ours || !existsSync(found.socketDirectory) || performance.now() > until) {
      await stopPostmaster(found.pid, cluster, { fastMilliseconds: 10_000, immediateMilliseconds: 10_000 });
      continue;
    }
    if (found.status === 'ready') {
      return { pid: found.pid, socketDirectory: found.socketDirectory, child: undefined };
    }
    await sleep(10);
  }
}

/** Resolves when it accepts connections. Throws `EmbeddedServerError`. */
export async function startServer(installation: Installation): Promise<RunningServer> {
  const { dataDirectory } = installation;
  const until = performance.now() + installation.startMilliseconds;
  try {
    for (;;) {
      refuseFullDisk(dataDirectory);
      const attempt = await startOnce(installation, until);
      if ('pid' in attempt) return attempt;
      // Back ends of a killed server need a moment to notice it, and hold its shared memory until then.
      const passing = /shared memory block .* still in use|lock file .* already exists/s.test(attempt.output);
      if (!passing || performance.now() > until) {
        throw explain(attempt.output, dataDirectory, 'PostgreSQL did not start');
      }
      await sleep(50);
    }
  } catch (error) {
    throw asSetupError(error, dataDirectory);
  }
}

async function startOnce(
  installation: Installation,
  until: number,
): Promise<RunningServer | { readonly output: string }> {
  const { dataDirectory, account, binaries } = installation;
  const cluster = clusterDirectory(dataDirectory);
  const stale = clearAway(dataDirectory);
  const socketDirectory = makeSocketDirectory(account);
  writeState(dataDirectory, { digest: digest(installation), socketDirectory });
  const name = nameFor(account, cluster);
  const log = openSync(logFile(dataDirectory), 'a', 0o600);
  const from = fstatSync(log).size;
  const child = spawn(
    join(binaries.directory, 'postgres'),
    postgresArguments(name.path, socketDirectory, installation),
    {
      ...account.ids,
      cwd: '/',
      // A session of its own: Ctrl-C in the terminal is for us, and we stop the server when we have drained.
      detached: true,
      env: {
        ...serverEnvironment(),
        // A lock file of a killed server may name a process id that somebody else has now. PostgreSQL passes over
        // its own grandparent's, and still refuses when the old server's shared memory is in use.
        ...(stale === undefined ? {} : { PG_GRANDPARENT_PID: String(stale) }),
      },
      stdio: ['ignore', log, log, ...name.descriptors],
    },
  );
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('exit', () => resolve(undefined));
  });
  child.unref();
  closeSync(log);
  name.close();
  const outcome = await readiness(child, cluster, ended, until);
  if (outcome === 'ready' && child.pid !== undefined) {
    return { pid: child.pid, socketDirectory, child };
  }
  if (outcome === 'late') child.kill('SIGQUIT');
  rmSync(socketDirectory, { recursive: true, force: true });
  if (outcome instanceof Error) throw outcome;
  if (outcome === 'late') {
    throw new EmbeddedServerError(
      'start-failed',
      `PostgreSQL was not ready after ${installation.startMilliseconds / 1000} s; see ${logFile(dataDirectory)}`,
    );
  }
  return { output: readFrom(logFile(dataDirectory), from) };
}

async function readiness(
  child: ChildProcess,
  cluster: string,
  ended: Promise<Error | undefined>,
  until: number,
): Promise<'ready' | 'ended' | 'late' | Error> {
  const end = ended.then((error) => error ?? ('ended' as const));
  for (;;) {
    const found = readPostmasterFile(cluster);
    if (found?.pid === child.pid && found?.status === 'ready') return 'ready';
    if (performance.now() > until) return 'late';
    const outcome = await Promise.race([end, sleep(10, undefined)]);
    if (outcome !== undefined) return outcome;
  }
}

function postgresArguments(
  path: string,
  socketDirectory: string,
  installation: Installation,
): readonly string[] {
  const settings = { ...SETTINGS, ...installation.settings, unix_socket_directories: socketDirectory };
  return ['-D', path, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Tidies up after a server that is gone; answers with the process id that its lock file names. */
function clearAway(dataDirectory: string): number | undefined {
  const cluster = clusterDirectory(dataDirectory);
  const file = join(cluster, 'postmaster.pid');
  // After a power cut it can be empty, which PostgreSQL takes for a server that is just starting.
  if (statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file);
  removeSocketDirectory(readState(dataDirectory)?.socketDirectory ?? '');
  return readPostmasterFile(cluster)?.pid;
}

/** A new one every start: a stale socket cannot be in the way, and no path of ours can be too long for it. */
function makeSocketDirectory(account: Account): string {
  for (const place of [tmpdir(), '/tmp']) {
    if (place.length > LONGEST_SOCKET_DIRECTORY - 'samar-XXXXXX'.length || !canEnter(account, place))
      continue;
    const directory = mkdtempSync(join(place, 'samar-'));
    chmodSync(directory, 0o700);
    if (account.ids !== undefined) chownSync(directory, account.ids.uid, account.ids.gid);
    return directory;
  }
  throw new EmbeddedServerError(
    'permission',
    `PostgreSQL needs a directory for its socket, and ${account.name} cannot use ${tmpdir()} or /tmp; set TMPDIR to a short path that every user can enter`,
  );
}

export function removeSocketDirectory(directory: string): void {
  if (/^samar-[^/]{6}$/.test(basename(directory))) rmSync(directory, { recursive: true, force: true });
}

/** The log is one file that PostgreSQL appends to; it survives us, so it is shortened in place. */
export function boundLog(dataDirectory: string): void {
  const file = logFile(dataDirectory);
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= LOG_BYTES) return;
  try {
    copyFileSync(file, `${file}.1`);
  } finally {
    truncateSync(file, 0);
  }
}

function readFrom(file: string, offset: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(64 * 1024);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, offset));
  } finally {
    closeSync(descriptor);
  }
}

/** A server may be taken over only if it is the one that we would start now. */
function digest(installation: Installation): string {
  return createHash('sha256')
    .update(JSON.stringify([installation.binaries.version, SETTINGS, installation.settings]))
    .digest('hex');
}

function stateFile(dataDirectory: string): string {
  return join(dataDirectory, 'postgres.state');
}

interface State {
  /** What it was started with. */
  readonly digest: string;
  readonly socketDirectory: string;
}

function readState(dataDirectory: string): State | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(dataDirectory), 'utf8')) as State;
  } catch {
    return undefined;
  }
}

function writeState(dataDirectory: string, state: State): void {
  writeFileSync(stateFile(dataDirectory), JSON.stringify(state), { mode: 0o600 });
}
