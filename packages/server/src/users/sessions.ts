/** Sessions of the console: 12 hours at most, 60 minutes unused; what the cookie holds is a token of theirs. */
import type { Context } from '../masking/context.ts';
import * as queries from '../store/queries/logins.ts';
import { readUser, tellLedger, type UserRow } from '../store/queries/users.ts';
import type { Queries } from '../store/types.ts';
import { toUser } from './people.ts';
import { type LoggedIn, roleScopes, type Users } from './service.ts';
import { newToken, readToken, type Token } from './tokens.ts';

const longestSeconds = 12 * 3600;
const idleSeconds = 3600;
/** Browsers and devices of one user; the oldest is logged out for another. */
const mostSessions = 20;

export function createSessions(context: Context): Pick<Users, 'authenticate' | 'logout'> {
  const { database } = context;
  return {
    async authenticate(text, purpose = 'use') {
      const token = readToken(text);
      const read = purpose === 'use' ? queries.useSession : queries.readSession;
      const session = await read(database, token.tenant, token.digest, idleSeconds);
      const row = session && (await readUser(database, token.tenant, session.usr));
      if (session === undefined || row === undefined) return undefined;
      const user = toUser(row);
      return {
        principal: { tenant: token.tenant, actor: user.id, scopes: new Set(roleScopes[user.role]) },
        csrf: await csrfOf(context, token),
        user,
        tenantName: session.tenant_name,
        expiresAt: session.expires_at,
      };
    },

    async logout(text) {
      const { tenant, digest } = readToken(text);
      await database.transaction(async (inside) => {
        const usr = await queries.endSession(inside, tenant, digest);
        if (usr === undefined) return;
        await tellLedger(inside, { tenant, kind: 'logout', actor: usr, subject: usr });
      });
    },
  };
}

/** Within the transaction of what proved it. Undefined when the user was disabled meanwhile. */
export async function startSession(
  context: Context,
  inside: Queries,
  user: { readonly tenant: string; readonly usr: string },
  method: string,
): Promise<LoggedIn | undefined> {
  const { tenant, usr } = user;
  const token = newToken(tenant);
  const expiresAt = await queries.insertSession(inside, {
    tenant,
    digest: token.digest,
    usr,
    seconds: longestSeconds,
    most: mostSessions,
  });
  if (expiresAt === undefined) return undefined;
  await tellLedger(inside, {
    tenant,
    kind: 'login.succeeded',
    actor: usr,
    subject: usr,
    details: { method },
  });
  const row = (await readUser(inside, tenant, usr)) as UserRow;
  return { token: token.text, csrf: await csrfOf(context, token), user: toUser(row), expiresAt };
}

/** Says that a request comes from our own page: only that can read it. */
async function csrfOf({ vault }: Context, { tenant, digest }: Token): Promise<string> {
  return (await vault.unlock(tenant)).token('csrf', digest).toString('base64url');
}
