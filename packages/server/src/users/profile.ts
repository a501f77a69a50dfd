/** What users change of their own: the password and the authenticator app. */
import { type Context, invalid, withKeys } from '../masking/context.ts';
import * as queries from '../store/queries/logins.ts';
import { readPasswordHash, tellLedger, type UserRow, writePasswordHash } from '../store/queries/users.ts';
import { endLogins, known } from './accounts.ts';
import { beginAttempt } from './attempts.ts';
import { checkPassword } from './password-rules.ts';
import type { Passwords } from './passwords.ts';
import { wrongCredentials } from './refusals.ts';
import type { Users } from './service.ts';
import { newRecoveryCodes, newTotp, stepOf } from './totp.ts';

export function createProfile(
  context: Context,
  passwords: Passwords,
): Pick<Users, 'changePassword' | 'beginTotp' | 'confirmTotp' | 'removeTotp'> {
  const { database, doors } = context;

  /** Whoever found a console unattended does not know it; guesses count as at the log-in. */
  async function askPassword(row: UserRow, password: string, pointer: string): Promise<void> {
    const attempt = await beginAttempt(context, { account: row.email });
    const hash = await readPasswordHash(database, row.tenant, row.usr);
    const right = await passwords.verify(hash, password).catch(async (error: unknown) => {
      await attempt.takeBack();
      throw error;
    });
    if (right) return attempt.right();
    await attempt.wrong(row, 'password');
    throw wrongCredentials(pointer);
  }

  return {
    async changePassword(tenant, usr, present, next) {
      const row = await known(database, tenant, usr);
      checkPassword(next, row, '/next');
      await askPassword(row, present, '/present');
      const hash = await passwords.hash(next);
      await database.transaction(async (inside) => {
        await writePasswordHash(inside, tenant, usr, hash);
        await endLogins(inside, tenant, usr);
        await tellLedger(inside, { tenant, kind: 'password.changed', actor: usr, subject: usr });
      });
    },

    async beginTotp(tenant, usr) {
      const row = await known(database, tenant, usr);
      const { secret, uri, sealed } = await withKeys(context, tenant, (keys) =>
        newTotp(keys, row, row.email),
      );
      if (!(await queries.beginTotp(database, tenant, usr, sealed))) {
        throw invalid('There is an authenticator app already. Remove it first.');
      }
      return { secret, uri };
    },

    async confirmTotp(tenant, usr, code) {
      const row = await known(database, tenant, usr);
      const totp = await queries.readTotp(database, tenant, usr);
      if (totp === undefined || totp.confirmed) throw invalid('Begin with a new secret.');
      const step = await withKeys(context, tenant, (keys) => stepOf(keys, row, totp.secret, code, doors));
      if (step === undefined)
        throw invalid('The code does not fit. Look at the clock of the phone.', '/code');
      const { codes, digests } = await withKeys(context, tenant, (keys) => newRecoveryCodes(keys, row));
      await database.transaction(async (inside) => {
        if (!(await queries.confirmTotp(inside, tenant, usr, step)))
          throw invalid('Begin with a new secret.');
        await queries.replaceRecoveryCodes(inside, tenant, usr, digests);
        await tellLedger(inside, { tenant, kind: 'totp.added', actor: usr, subject: usr });
      });
      return codes;
    },

    async removeTotp(tenant, usr, password) {
      const row = await known(database, tenant, usr);
      await askPassword(row, password, '/password');
      await database.transaction(async (inside) => {
        if (!(await queries.removeTotp(inside, tenant, usr))) return;
        await tellLedger(inside, { tenant, kind: 'totp.removed', actor: usr, subject: usr });
      });
    },
  };
}
