import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedServerError } from '../errors.ts';

/**
 * Only one process may use a data directory. The lock is the operating system's (`fcntl`, taken through SQLite, the
 * one way to it in Node), so it ends with the process however that ends, also across containers that share a volume,
 * and there is never a stale one to clean up. `samar.pid` beside it is for the message only.
 */
export interface DataDirectoryLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Throws `EmbeddedServerError` (`locked`, or `permission`). */
export function lockDataDirectory(dataDirectory: string): DataDirectoryLock {
  const file = join(dataDirectory, 'samar.lock');
  const holder = join(dataDirectory, 'samar.pid');
  let held: DatabaseSync | undefined;
  try {
    held = new DatabaseSync(file, { timeout: 0 });
    held.exec('begin exclusive');
    chmodSync(file, 0o600);
  } catch (error) {
    held?.close();
    throw refusal(error, dataDirectory, holder);
  }
  try {
    writeFileSync(holder, `${process.pid}\n`);
  } catch {
    // The message of the next one will lack our process id; a full disk is reported where it matters.
  }
  const database = held;
  return { release: () => database.close() };
}

function refusal(error: unknown, dataDirectory: string, holder: string): EmbeddedServerError {
  if ((error as { errcode?: number }).errcode === SQLITE_BUSY) {
    return new EmbeddedServerError(
      'locked',
      `the data directory ${dataDirectory} is in use by another samar process${processId(holder)}; stop that one, or set SAMAR_DATA_DIR to another directory`,
    );
  }
  return new EmbeddedServerError(
    'permission',
    `the data directory ${dataDirectory} cannot be locked (${(error as Error).message}): it must be writable by this user and on a file system with file locks`,
  );
}

function processId(holder: string): string {
  try {
    const pid = Number.parseInt(readFileSync(holder, 'utf8'), 10);
    return Number.isInteger(pid) ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}
