import type { Context } from '../masking/context.ts';
import { createAccounts } from './accounts.ts';
import { createLogins } from './logins.ts';
import { createPasskeys } from './passkeys.ts';
import { createPasswords } from './passwords.ts';
import { createProfile } from './profile.ts';
import type { Users } from './service.ts';
import { createSessions } from './sessions.ts';

/** `publicUrl`: of the console; passkeys are bound to its host (WebAuthn's relying party). */
export function createUsers(context: Context, options: { readonly publicUrl: () => string }): Users {
  const passwords = createPasswords();
  return {
    ...createAccounts(context),
    ...createLogins(context, passwords),
    ...createPasskeys(context, options.publicUrl),
    ...createSessions(context),
    ...createProfile(context, passwords),
  };
}
