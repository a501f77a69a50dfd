/** Logging in: the password, the second factor, the invitation. */
import { type Context, withKeys } from '../masking/context.ts';
import { MaskingError } from '../masking/service.ts';
import * as queries from '../store/queries/logins.ts';
import * as people from '../store/queries/users.ts';
import { endLogins } from './accounts.ts';
import { beginAttempt } from './attempts.ts';
import { removeAllPasskeys } from './passkeys.ts';
import { checkPassword } from './password-rules.ts';
import type { Passwords } from './passwords.ts';
import { normaliseEmail } from './people.ts';
import { onlyWrong, ticketSeconds, wrongCredentials } from './refusals.ts';
import type { LoggedIn, LoginStep, Users } from './service.ts';
import { startSession } from './sessions.ts';
import { emailName, newToken, readToken } from './tokens.ts';
import { recoveryDigest, stepOf } from './totp.ts';

/** Wrong codes on one ticket; then the password is asked again. */
const mostWrong = 5;
/** Whom we look up when nobody has the address, so that as much is done. */
const nobody = { tenant: 'installation', usr: 'usr_' };

export function createLogins(
  context: Context,
  passwords: Passwords,
): Pick<Users, 'login' | 'secondFactor' | 'readInvitation' | 'acceptInvitation'> {
  const { database, doors } = context;

  /**
   * A second factor where there is one, else logged in. `hash`: of the password that was right. Checking it took a while:
   * one that was changed meanwhile has ended every log-in, and begins none.
   */
  async function proceed(row: people.UserRow, hash: string | undefined, method: string): Promise<LoginStep> {
    const { tenant, usr } = row;
    return database.transaction(async (inside): Promise<LoginStep> => {
      if ((await people.lockPasswordHash(inside, tenant, usr)) !== hash) throw wrongCredentials();
      if (hasSecondFactor(row)) {
        const ticket = newToken(tenant);
        const { digest } = ticket;
        const seconds = ticketSeconds;
        await queries.insertTicket(inside, {
          ...{ tenant, digest, purpose: 'second-factor' as const, usr },
          ...{ challenge: undefined, seconds },
        });
        return { kind: 'second-factor', ticket: ticket.text, methods: methodsOf(row) };
      }
      const session = await startSession(context, inside, row, method);
      if (session === undefined) throw wrongCredentials();
      return { kind: 'logged-in', ...session };
    });
  }

  /** True only once for each code. Within the transaction that logs in. */
  async function proves(
    inside: Parameters<typeof startSession>[1],
    row: people.UserRow,
    proof: { readonly totp: string } | { readonly recoveryCode: string },
  ): Promise<boolean> {
    const { tenant, usr } = row;
    if ('recoveryCode' in proof) {
      const digest = await withKeys(context, tenant, (keys) => recoveryDigest(keys, row, proof.recoveryCode));
      return queries.useRecoveryCode(inside, tenant, usr, digest);
    }
    const totp = await queries.readTotp(inside, tenant, usr);
    if (!totp?.confirmed) return false;
    const step = await withKeys(context, tenant, (keys) => stepOf(keys, row, totp.secret, proof.totp, doors));
    return step !== undefined && queries.useTotpStep(inside, tenant, usr, step);
  }

  return {
    async login(email, password, from) {
      const account = normaliseEmail(email);
      const attempt = await beginAttempt(context, { account, address: from.address });
      const found = await people.findLogin(database, emailName(account));
      const { tenant, usr } = found ?? nobody;
      const row = await people.readUser(database, tenant, usr);
      const hash = await people.readPasswordHash(database, tenant, usr);
      const right = await passwords.verify(hash, password).catch(async (error: unknown) => {
        await attempt.takeBack();
        throw error;
      });
      if (!right || row === undefined || row.disabled_at !== null) {
        await attempt.wrong(found, 'password');
        throw wrongCredentials();
      }
      const step = await proceed(row, hash, 'password');
      // With a second factor still to come, wrong codes and wrong passwords count together.
      await (step.kind === 'logged-in' ? attempt.right() : attempt.takeBack());
      return step;
    },

    async secondFactor(text, proof, from) {
      const { tenant, digest } = readToken(text);
      const ticket = await queries.readTicket(database, tenant, digest, 'second-factor');
      const row = ticket?.usr ? await people.readUser(database, tenant, ticket.usr) : undefined;
      const method = 'totp' in proof ? 'totp' : 'recovery-code';
      const attempt = await beginAttempt(context, {
        address: from.address,
        ...(row === undefined ? {} : { account: row.email }),
      });
      const session =
        row === undefined
          ? undefined
          : await database
              .transaction(async (inside): Promise<LoggedIn> => {
                if (!(await proves(inside, row, proof))) throw wrongCredentials();
                const taken = await queries.takeTicket(inside, tenant, digest, 'second-factor');
                const begun = taken && (await startSession(context, inside, row, method));
                if (!begun) throw wrongCredentials();
                return begun;
              })
              .catch(onlyWrong);
      if (session === undefined) {
        await queries.noteWrongTicket(database, tenant, digest, mostWrong);
        await attempt.wrong(row, method);
        throw wrongCredentials();
      }
      await attempt.right();
      return session;
    },

    async readInvitation(text) {
      const { tenant, digest } = readToken(text);
      const row = await people.readInvitation(database, tenant, digest);
      return row && { email: row.email, name: row.name };
    },

    async acceptInvitation(text, password) {
      const { tenant, digest } = readToken(text);
      const invited = await people.readInvitation(database, tenant, digest);
      if (invited === undefined) throw linkInvalid();
      checkPassword(password, invited, '/password');
      const hash = await passwords.hash(password);
      const { usr } = invited;
      await database.transaction(async (inside) => {
        if (!(await people.takeInvitation(inside, tenant, digest))) throw linkInvalid();
        await people.writePasswordHash(inside, tenant, usr, hash);
        await endLogins(inside, tenant, usr);
        await people.tellLedger(inside, { tenant, kind: 'password.changed', actor: usr, subject: usr });
        if (!invited.second_factor) return;
        if (await queries.removeTotp(inside, tenant, usr)) {
          await people.tellLedger(inside, { tenant, kind: 'totp.removed', actor: usr, subject: usr });
        }
        await removeAllPasskeys(inside, tenant, usr);
      });
      const row = await people.readUser(database, tenant, usr);
      if (row === undefined) throw linkInvalid();
      return proceed(row, hash, 'invitation');
    },
  };
}

function hasSecondFactor(row: people.UserRow): boolean {
  return row.totp || row.passkeys.length > 0;
}

function methodsOf(row: people.UserRow) {
  return [
    ...(row.totp ? (['totp'] as const) : []),
    ...(row.passkeys.length > 0 ? (['passkey'] as const) : []),
    ...(row.recovery_codes > 0 ? (['recovery-code'] as const) : []),
  ];
}

function linkInvalid(): MaskingError {
  return new MaskingError('link-invalid', 'The link was used, has expired, or was never given out.');
}
