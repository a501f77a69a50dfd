/**
 * Who was wrong too often waits: by account (there or not, so that the lock tells nothing) and by network address.
 * An attempt counts from its beginning and is taken back by whoever was right. The table is in the database, so that
 * every node counts the same; what it holds are keyed digests.
 */
import { isIPv6 } from 'node:net';
import { type Context, installation } from '../masking/context.ts';
import { MaskingError } from '../masking/service.ts';
import * as queries from '../store/queries/logins.ts';
import { tellLedger } from '../store/queries/users.ts';

/** Ten guesses a quarter of an hour: 1,000 a day against a password of twelve characters. */
const limits = { attempts: 10, seconds: 900, rows: 200_000 };

export interface WhoTries {
  /** E-mail address; undefined where only the network address is counted. */
  readonly account?: string;
  /** Network address; undefined for what somebody does who is logged in. */
  readonly address?: string;
}

export interface Attempt {
  /** The credentials were right, but a second step follows: counts of wrong ones before it stay. */
  takeBack(): Promise<void>;
  /** Logged in: the account starts anew. */
  right(): Promise<void>;
  /** Writes it down, and the lock if it falls now. `usr`: whose account it is. */
  wrong(usr: { readonly tenant: string; readonly usr: string } | undefined, method: string): Promise<void>;
}

/** An unknown account belongs to no tenant: who runs the installation is told. */
const unknownTenant = 'default';

export async function beginAttempt(context: Context, who: WhoTries): Promise<Attempt> {
  const { database } = context;
  const account = who.account === undefined ? undefined : await subjectOf(context, 'account', who.account);
  const address =
    who.address === undefined ? undefined : await subjectOf(context, 'address', network(who.address));
  const subjects = [account, address].filter((subject) => subject !== undefined);
  const attempt = await queries.beginAttempt(database, subjects, limits);
  if (attempt.wait > 0) {
    throw new MaskingError(
      'locked-out',
      'There were too many wrong attempts. Wait a while, or ask an administrator for a new invitation.',
      undefined,
      attempt.wait,
    );
  }
  return {
    takeBack: () => queries.takeAttemptBack(database, subjects, attempt.at),
    async right() {
      if (account) await queries.forgetAttempts(database, account);
      if (address) await queries.takeAttemptBack(database, [address], attempt.at);
    },
    async wrong(user, method) {
      const { tenant, usr } = user ?? { tenant: unknownTenant, usr: undefined };
      const entry = { tenant, actor: 'login', subject: usr, details: { method } };
      await tellLedger(database, { ...entry, kind: 'login.failed' });
      if (attempt.full) await tellLedger(database, { ...entry, kind: 'login.locked' });
    },
  };
}

/** A new invitation ends a lock of the account. */
export async function forgiveAccount(context: Context, email: string): Promise<void> {
  await queries.forgetAttempts(context.database, await subjectOf(context, 'account', email));
}

async function subjectOf({ vault }: Context, kind: string, name: string): Promise<Buffer> {
  return (await vault.unlock(installation)).token(`login ${kind}`, name);
}

/** Of IPv6 the /64 that one customer has. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
