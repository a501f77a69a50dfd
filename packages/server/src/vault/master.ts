import { type KeyObject, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { asKey, expand, KEY_BYTES } from './aead.ts';
import { MasterKeyProblem, WrongMasterKey } from './errors.ts';

/** Master keys by version. The highest wraps new tenant keys; the others only open what they wrapped. */
export interface MasterKeys {
  readonly current: number;
  /** The key derived for wrapping tenant keys. Throws `WrongMasterKey` for a version we were not given. */
  wrapping(version: number): KeyObject;
}

/**
 * From `text` (what SAMAR_MASTER_KEY or its file says: 32 bytes in base64 or hex; several as `2:…,1:…`), otherwise
 * from `master.key` in the data directory. When that is missing too and `mayCreate` answers true (no tenant key exists
 * that an older one must have wrapped), it is made. Throws `MasterKeyProblem`.
 */
export async function loadMasterKeys(options: {
  readonly text: string | undefined;
  readonly dataDirectory: string;
  readonly mayCreate: () => Promise<boolean>;
}): Promise<MasterKeys> {
  if (options.text !== undefined && options.text !== '')
    return parseMasterKeys(options.text, 'SAMAR_MASTER_KEY');
  const own = join(options.dataDirectory, 'master.key');
  if (!existsSync(own)) {
    if (!(await options.mayCreate())) {
      throw new MasterKeyProblem(
        `the database holds keys, but there is no master key: put ${own} back from a backup or from another node, or set SAMAR_MASTER_KEY`,
      );
    }
    create(own, options.dataDirectory);
  }
  refuseReadableByOthers(own);
  return parseMasterKeys(readSecret(own), own);
}

/** `source` is for the message. Throws `MasterKeyProblem`, which never repeats the text. */
function parseMasterKeys(text: string, source: string): MasterKeys {
  const keys = new Map<number, KeyObject>();
  for (const entry of text.trim().split(/[,\n]+/)) {
    const [, version = '1', encoded = ''] = /^(?:(\d{1,9}):)?(.*)$/.exec(entry.trim()) ?? [];
    const bytes = decode(encoded);
    if (bytes === undefined || Number(version) < 1) {
      throw new MasterKeyProblem(
        `${source} is not a master key: 32 bytes in base64 or hex (make one with: openssl rand -base64 32), or several with their versions, highest first, as 2:…,1:…`,
      );
    }
    if (keys.has(Number(version))) throw new MasterKeyProblem(`${source} has version ${version} twice`);
    const master = asKey(bytes);
    keys.set(Number(version), expand(master, 'samar/master/tenant-keys'));
  }
  return {
    current: Math.max(...keys.keys()),
    wrapping(version) {
      const key = keys.get(version);
      if (key !== undefined) return key;
      throw new WrongMasterKey(
        `the database needs master key version ${version}, which was not given: add it to SAMAR_MASTER_KEY as ${version}:…`,
      );
    },
  };
}

function decode(encoded: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(encoded)) return Buffer.from(encoded, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length === KEY_BYTES ? bytes : undefined;
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MasterKeyProblem(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function refuseReadableByOthers(file: string): void {
  if ((statSync(file).mode & 0o077) === 0) return;
  throw new MasterKeyProblem(
    `${file} can be read by other users; make it private with: chmod 600 ${file} (and consider its key known to them)`,
  );
}

/** Appears whole or not at all; when two processes do this at once, both end up with the first one's key. */
function create(file: string, directory: string): void {
  const unfinished = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    mkdirSync(directory, { recursive: true });
    const bytes = randomBytes(KEY_BYTES);
    const descriptor = openSync(unfinished, 'wx', 0o600);
    try {
      writeSync(descriptor, `1:${bytes.toString('base64')}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
      bytes.fill(0);
    }
    linkSync(unfinished, file);
    syncDirectory(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new MasterKeyProblem(`${file} cannot be made (${code})`);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
