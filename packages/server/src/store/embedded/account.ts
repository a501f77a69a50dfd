import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { EmbeddedServerError } from '../errors.ts';

/** Whom PostgreSQL runs as. It refuses to run as root, so root lends it an unprivileged account. */
export interface Account {
  /** Undefined: the user we are. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
  readonly name: string;
}

/** In this order: an account of its own is better than the shared one. */
const CANDIDATES = ['samar', 'postgres', '_postgres', 'nobody'];

/** `cluster` may not exist yet; if it does, its owner decides. Throws `EmbeddedServerError` (`no-account`). */
export function chooseAccount(cluster: string): Account {
  if (process.getuid?.() !== 0) return { ids: undefined, name: 'the current user' };
  const known = passwdEntries();
  const owner = ownerOf(cluster);
  if (owner !== undefined && owner !== 0) {
    const entry = known.find((each) => each.uid === owner) ?? lookUp(String(owner));
    if (entry !== undefined) return { ids: { uid: entry.uid, gid: entry.gid }, name: entry.name };
    throw new EmbeddedServerError(
      'no-account',
      `${cluster} belongs to user id ${owner}, which this machine has no account for; create the account, or give the directory to another unprivileged user with chown -R`,
    );
  }
  for (const name of CANDIDATES) {
    const entry = known.find((each) => each.name === name) ?? lookUp(name);
    if (entry !== undefined && entry.uid !== 0) return { ids: { uid: entry.uid, gid: entry.gid }, name };
  }
  throw new EmbeddedServerError(
    'no-account',
    'PostgreSQL does not run as root, and there is no account "postgres" or "nobody" to run it under; start samar as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own',
  );
}

/** Whether the account can enter the directory: every directory above it must let it pass. */
export function canEnter(account: Account, directory: string): boolean {
  if (account.ids === undefined) return true;
  const probe = spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], {
    ...account.ids,
    cwd: '/',
    env: {},
    stdio: 'ignore',
  });
  return probe.status === 0;
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function passwdEntries(): readonly PasswdEntry[] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .filter((fields) => fields.length >= 4)
      .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
      .filter((entry) => Number.isInteger(entry.uid) && entry.uid >= 0 && Number.isInteger(entry.gid));
  } catch {
    return [];
  }
}

/** For accounts that a directory service knows and `/etc/passwd` does not. */
function lookUp(user: string): PasswdEntry | undefined {
  try {
    const ask = (flags: string) =>
      execFileSync('id', [flags, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return { name: ask('-un'), uid: Number(ask('-u')), gid: Number(ask('-g')) };
  } catch {
    return undefined;
  }
}
