import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { join } from 'node:path';
import { EmbeddedServerError } from '../errors.ts';
import { type Account, canEnter } from './account.ts';
import { type Binaries, diskFull } from './binaries.ts';

/** PostgreSQL's own name for a data directory is cluster; ours is `postgres/` in Samar's data directory. */
export function clusterDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'postgres');
}

/** Our only role in the embedded server. */
export const EMBEDDED_USER = 'samar';

/** PostgreSQL's pages and log need room for more than the next write. */
const LEAST_FREE_BYTES = 16 * 1024 * 1024;

/** Makes the cluster if there is none. An `initdb` that was cut short leaves nothing that looks like a cluster. */
export function prepareCluster(options: {
  readonly dataDirectory: string;
  readonly binaries: Binaries;
  readonly account: Account;
  /** False only where the data is thrown away. */
  readonly sync: boolean;
}): void {
  const { dataDirectory, binaries, account } = options;
  const cluster = clusterDirectory(dataDirectory);
  if (existsSync(join(cluster, 'PG_VERSION'))) {
    refuseOtherVersion(cluster, binaries);
    return;
  }
  if (existsSync(cluster)) {
    throw new EmbeddedServerError(
      'damaged',
      `${cluster} exists but is not a PostgreSQL data directory; restore it from a backup, or move it away to begin with an empty database`,
    );
  }
  refuseFullDisk(dataDirectory);
  const unfinished = `${cluster}.unfinished`;
  try {
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { mode: 0o700 });
    chmodSync(unfinished, 0o700);
    if (account.ids !== undefined) chownSync(unfinished, account.ids.uid, account.ids.gid);
    initialise(unfinished, options);
    renameSync(unfinished, cluster);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw asSetupError(error, dataDirectory);
  }
}

function initialise(
  directory: string,
  { binaries, account, sync, dataDirectory }: Parameters<typeof prepareCluster>[0],
): void {
  const name = nameFor(account, directory);
  try {
    const run = spawnSync(
      join(binaries.directory, 'initdb'),
      [
        ...['-D', name.path, '-U', EMBEDDED_USER, '-A', 'trust', '-E', 'UTF8', '--locale=C'],
        ...(sync ? [] : ['--no-sync']),
      ],
      {
        ...account.ids,
        cwd: '/',
        env: serverEnvironment(),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe', ...name.descriptors],
        timeout: 300_000,
      },
    );
    if (run.error !== undefined) throw run.error;
    if (run.status !== 0) throw explain(run.stderr, dataDirectory, 'initdb failed');
  } finally {
    name.close();
  }
}

/** Secrets in our environment are none of PostgreSQL's business. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * How the account can name a directory. One below a directory that the account may not pass (/root/samar/data) is
 * handed over as an open descriptor, number 3, instead: PostgreSQL is content with `/proc/self/fd/3`.
 */
export function nameFor(
  account: Account,
  directory: string,
): { readonly path: string; readonly descriptors: readonly number[]; close(): void } {
  if (canEnter(account, directory)) return { path: directory, descriptors: [], close: () => {} };
  if (process.platform !== 'linux') {
    throw new EmbeddedServerError(
      'permission',
      `${account.name}, under which PostgreSQL must run, cannot enter ${directory}; set SAMAR_DATA_DIR to a directory that every user can pass through, or start samar as an ordinary user`,
    );
  }
  const descriptor = openSync(directory, 'r');
  return { path: '/proc/self/fd/3', descriptors: [descriptor], close: () => closeSync(descriptor) };
}

function refuseOtherVersion(cluster: string, binaries: Binaries): void {
  const found = Number.parseInt(readFileSync(join(cluster, 'PG_VERSION'), 'utf8'), 10);
  if (found === binaries.major) return;
  throw new EmbeddedServerError(
    'version-mismatch',
    `the database in ${cluster} was made by PostgreSQL ${found}, and this samar brings PostgreSQL ${binaries.major}; run the samar version that made it and move the data with pg_dump, or set DATABASE_URL to a PostgreSQL ${found} that serves it`,
  );
}

export function refuseFullDisk(dataDirectory: string): void {
  const { bavail, bsize } = statfsSync(dataDirectory);
  if (bavail * bsize < LEAST_FREE_BYTES) throw diskFull(dataDirectory);
}

/** What PostgreSQL's own words mean for the person who reads them. */
export function explain(output: string, dataDirectory: string, doing: string): EmbeddedServerError {
  const { bavail, bsize } = statfsSync(dataDirectory);
  if (/no space left on device/i.test(output) || bavail * bsize < 1024 * 1024) return diskFull(dataDirectory);
  if (/could not look up effective user ID|user does not exist/.test(output)) {
    return new EmbeddedServerError(
      'no-account',
      'PostgreSQL needs an account for the user that samar runs as (an entry in /etc/passwd); add one, or set DATABASE_URL to a PostgreSQL of your own',
    );
  }
  if (/permission denied|wrong ownership|must be owned|invalid permissions/i.test(output)) {
    return new EmbeddedServerError(
      'permission',
      `${doing}: PostgreSQL may not use ${clusterDirectory(dataDirectory)}; it must belong to the user it runs as, with mode 0700 (${lastLine(output)})`,
    );
  }
  if (
    /could not locate a valid checkpoint|could not read|invalid (primary )?checkpoint|lock file .* is empty|corrupt/i.test(
      output,
    )
  ) {
    return new EmbeddedServerError(
      'damaged',
      `${doing}: the database in ${clusterDirectory(dataDirectory)} is damaged; restore it from a backup (${lastLine(output)})`,
    );
  }
  return new EmbeddedServerError('start-failed', `${doing}: ${lastLine(output)}`);
}

function lastLine(output: string): string {
  const lines = output.trim().split('\n');
  return lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
}

export function asSetupError(error: unknown, dataDirectory: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC') return diskFull(dataDirectory);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new EmbeddedServerError(
      'permission',
      `the database cannot be set up in ${dataDirectory} (${code}): the directory must be writable, and as root samar must be allowed to change to another user; otherwise set DATABASE_URL`,
    );
  }
  return error;
}
