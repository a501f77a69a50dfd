/** `samar users`: the people who use the console, from the machine it runs on. The first one is made here. */
import { nodeDoors } from '@samar/doors';
import type { Command } from 'commander';
import { type Config, ConfigError } from '../config.ts';
import { actAs } from '../masking/actor.ts';
import { createUsers, type Role, roles, type Users } from '../users/index.ts';
import { complain, say, withInstallation } from './administration.ts';

/** In the ledger: who can run commands here has the installation's keys. */
const actor = 'command-line';

interface Options {
  readonly email: string;
  readonly tenant: string;
}

export function addUserCommands(program: Command, config: () => Config, done: (code: number) => void): void {
  const users = program.command('users').description('people who use the console');
  const tenant = ['--tenant <tenant>', 'whose people', 'default'] as const;
  users
    .command('add')
    .description('invite somebody; prints the link that sets their password (72 hours, one use)')
    .requiredOption('--email <address>', 'e-mail address')
    .option('--name <name>', 'how colleagues call them (default: the address up to the @)')
    .option('--role <role>', roles.join(', '), 'operator')
    .option('--locale <locale>', 'en or id', 'en')
    .option(...tenant)
    .action(async (options: Options & { name?: string; role: string; locale: string }) => {
      done(await addUser(config(), options));
    });
  users
    .command('list')
    .description('who there is')
    .option(...tenant)
    .action(async (options: { tenant: string }) => {
      done(await listUsers(config(), options.tenant));
    });
  users
    .command('reset')
    .description('a new link for somebody who lost their password; ends their log-ins')
    .requiredOption('--email <address>', 'e-mail address')
    .option('--second-factor', 'also removes the authenticator app and passkeys when the link is used', false)
    .option(...tenant)
    .action(async (options: Options & { secondFactor: boolean }) => {
      done(await resetUser(config(), options));
    });
}

function withUsers<T>(config: Config, work: (users: Users, link: (token: string) => string) => Promise<T>) {
  const publicUrl = () => config.publicUrl?.replace(/\/+$/, '') ?? `http://localhost:${config.httpPort}`;
  return withInstallation(config, ({ database, vault }) =>
    actAs(actor, () =>
      work(createUsers({ database, vault, doors: nodeDoors() }, { publicUrl }), (token) => {
        return `${publicUrl()}/console/invitation#${token}`;
      }),
    ),
  );
}

function addUser(
  config: Config,
  options: Options & { readonly name?: string; readonly role: string; readonly locale: string },
): Promise<number> {
  const role = roles.find((one): one is Role => one === options.role);
  if (role === undefined) throw new ConfigError(`roles are ${roles.join(', ')}`);
  if (options.locale !== 'en' && options.locale !== 'id') throw new ConfigError('the locale is en or id');
  const { email, tenant, locale, name = email.replace(/@.*$/, '') } = options;
  return withUsers(config, async (users, link) => {
    const made = await users.invite(tenant, { email, name, role, locale });
    complain(
      `made ${made.user.id} (${role}); the link is shown only now, until ${made.expiresAt.toISOString()}`,
    );
    say(link(made.invitation));
    return 0;
  });
}

function listUsers(config: Config, tenant: string): Promise<number> {
  return withUsers(config, async (users) => {
    for await (const { id, email, role, status, totp, passkeys } of allUsers(users, tenant)) {
      const factors = [
        ...(totp ? ['totp'] : []),
        ...(passkeys.length > 0 ? [`${passkeys.length} passkeys`] : []),
      ];
      say([id, email, role, status, factors.join(', ') || 'password only'].join('\t'));
    }
    return 0;
  });
}

function resetUser(config: Config, options: Options & { readonly secondFactor: boolean }): Promise<number> {
  const { email, tenant, secondFactor } = options;
  return withUsers(config, async (users, link) => {
    for await (const user of allUsers(users, tenant)) {
      if (user.email !== email.trim().normalize('NFC').toLowerCase()) continue;
      const made = await users.inviteAgain(tenant, user.id, { secondFactor });
      complain(`${user.id} is logged out; the link is shown only now, until ${made.expiresAt.toISOString()}`);
      say(link(made.invitation));
      return 0;
    }
    complain('nobody has this address');
    return 1;
  });
}

async function* allUsers(users: Users, tenant: string) {
  let after: string | undefined;
  do {
    const page = await users.list(tenant, { limit: 200, ...(after === undefined ? {} : { after }) });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
