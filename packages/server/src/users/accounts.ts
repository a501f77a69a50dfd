/** Who is there, and what they may do: invitations, roles, who is disabled. */
import { currentActor } from '../masking/actor.ts';
import { type Context, checkPage, invalid, notFound, toPage } from '../masking/context.ts';
import { isId, newId } from '../masking/ids.ts';
import { MaskingError } from '../masking/service.ts';
import * as logins from '../store/queries/logins.ts';
import { lockTenant } from '../store/queries/tenants.ts';
import * as queries from '../store/queries/users.ts';
import type { Queries } from '../store/types.ts';
import { forgiveAccount } from './attempts.ts';
import { checkEmail, checkPersonName, checkRole, toUser } from './people.ts';
import type { Users } from './service.ts';
import { emailName, newToken } from './tokens.ts';

const invitationSeconds = 72 * 3600;

export function createAccounts(
  context: Context,
): Pick<Users, 'invite' | 'inviteAgain' | 'list' | 'get' | 'update' | 'any'> {
  const { database, doors } = context;

  async function invitation(inside: Queries, tenant: string, usr: string, secondFactor: boolean) {
    const token = newToken(tenant);
    const expiresAt = await queries.insertInvitation(inside, {
      tenant,
      usr,
      digest: token.digest,
      secondFactor,
      seconds: invitationSeconds,
    });
    return { user: toUser(await known(inside, tenant, usr)), invitation: token.text, expiresAt };
  }

  return {
    async invite(tenant, wanted) {
      const email = checkEmail(wanted.email);
      const name = checkPersonName(wanted.name);
      const role = checkRole(wanted.role);
      const usr = newId(doors, 'usr');
      const actor = currentActor();
      return database.transaction(async (inside) => {
        if (!(await lockTenant(inside, tenant))) throw notFound('tenant');
        const user = { tenant, usr, email, name, role, locale: wanted.locale ?? 'en' };
        if (!(await queries.insertUser(inside, { ...user, directoryName: emailName(email) }))) {
          throw new MaskingError('user-taken', 'There is a user with this address already.', '/email');
        }
        await queries.tellLedger(inside, {
          tenant,
          kind: 'user.invited',
          actor,
          subject: usr,
          details: { role },
        });
        return invitation(inside, tenant, usr, false);
      });
    },

    async inviteAgain(tenant, usr, { secondFactor = false }) {
      const actor = currentActor();
      const made = await database.transaction(async (inside) => {
        await lockTenant(inside, tenant);
        const row = await known(inside, tenant, usr);
        if (row.disabled_at !== null) throw invalid('The user is disabled. Enable them first.');
        await endLogins(inside, tenant, usr);
        const details = { again: true, secondFactor };
        await queries.tellLedger(inside, { tenant, kind: 'user.invited', actor, subject: usr, details });
        return invitation(inside, tenant, usr, secondFactor);
      });
      await forgiveAccount(context, made.user.email);
      return made;
    },

    async list(tenant, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listUsers(database, tenant, after, limit + 1);
      return toPage(rows, limit, (row) => row.usr, toUser);
    },

    async get(tenant, usr) {
      return toUser(await known(database, tenant, usr));
    },

    async update(tenant, usr, change) {
      const actor = currentActor();
      return database.transaction(async (inside) => {
        // One change of a tenant's users after another: two administrators can't disable each other at once.
        await lockTenant(inside, tenant);
        const row = await known(inside, tenant, usr);
        const next = {
          name: change.name === undefined ? row.name : checkPersonName(change.name),
          role: change.role === undefined ? row.role : checkRole(change.role),
          locale: change.locale ?? row.locale,
          disabled: change.disabled ?? row.disabled_at !== null,
        };
        const wasAdmin = row.role === 'admin' && row.disabled_at === null && row.accepted;
        if (wasAdmin && (next.disabled || next.role !== 'admin')) {
          if ((await queries.countOtherAdmins(inside, tenant, usr)) === 0) {
            throw new MaskingError('last-admin', 'This is the last active administrator.');
          }
        }
        await queries.updateUser(inside, { tenant, usr, ...next });
        const disabled = next.disabled && row.disabled_at === null;
        if (disabled || next.role !== row.role) await endLogins(inside, tenant, usr);
        const details = changes(row, next);
        if (Object.keys(details).length > 0) {
          const kind = disabled ? 'user.disabled' : 'user.changed';
          await queries.tellLedger(inside, { tenant, kind, actor, subject: usr, details });
        }
        return toUser(await known(inside, tenant, usr));
      });
    },

    any: () => queries.anyUser(database),
  };
}

/** For the ledger: roles by name; of names only that they changed. */
function changes(
  row: queries.UserRow,
  next: { readonly name: string; readonly role: string; readonly locale: string; readonly disabled: boolean },
): Record<string, unknown> {
  return {
    ...(next.role === row.role ? {} : { role: { from: row.role, to: next.role } }),
    ...(next.name === row.name ? {} : { name: 'changed' }),
    ...(next.locale === row.locale ? {} : { locale: next.locale }),
    ...(next.disabled === (row.disabled_at !== null) ? {} : { disabled: next.disabled }),
  };
}

export async function known(inside: Queries, tenant: string, usr: string): Promise<queries.UserRow> {
  const row = isId(usr, 'usr') ? await queries.readUser(inside, tenant, usr) : undefined;
  if (row === undefined) throw notFound('user');
  return row;
}

export async function endLogins(inside: Queries, tenant: string, usr: string): Promise<void> {
  await logins.endSessions(inside, tenant, usr);
  await logins.forgetTickets(inside, tenant, usr);
}
