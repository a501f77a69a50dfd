/** What a user looks like from outside, and the checks of what is said about one. */
import { invalid } from '../masking/context.ts';
import type { UserRow } from '../store/queries/users.ts';
import { type Role, roles, type User } from './service.ts';

export function toUser(row: UserRow): User {
  return {
    id: row.usr,
    email: row.email,
    name: row.name,
    role: row.role as Role,
    locale: row.locale as User['locale'],
    status: row.disabled_at !== null ? 'disabled' : row.accepted ? 'active' : 'invited',
    totp: row.totp,
    passkeys: row.passkeys.map(({ id, name, created, used }) => ({
      id,
      name,
      createdAt: new Date(created),
      ...(used === null ? {} : { lastUsedAt: new Date(used) }),
    })),
    createdAt: row.created_at,
    ...(row.last_login_at === null ? {} : { lastLoginAt: row.last_login_at }),
  };
}

/** Addresses are one, however they are written. */
export function normaliseEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

export function checkEmail(email: string): string {
  const normal = normaliseEmail(email);
  const [, local = ''] = /^([^\s@\p{Cc}<>"]+)@[^\s@\p{Cc}<>"]+$/u.exec(normal) ?? [];
  if (local === '' || local.length > 64 || normal.length > 254) {
    throw invalid('This is not an e-mail address.', '/email');
  }
  return normal;
}

export function checkPersonName(name: string): string {
  const trimmed = name.trim();
  if (trimmed.length < 1 || trimmed.length > 100 || /\p{Cc}/u.test(trimmed)) {
    throw invalid('A name has 1 to 100 characters.', '/name');
  }
  return trimmed;
}

export function checkRole(role: string): Role {
  const known = roles.find((each) => each === role);
  if (known === undefined) throw invalid(`Roles are ${roles.join(', ')}.`, '/role');
  return known;
}
