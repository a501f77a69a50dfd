import type { User } from '../../users/service.ts';
import { present } from '../route.ts';

export function renderUser(user: User) {
  const { id, email, name, role, locale, status, totp } = user;
  return {
    ...{ id, email, name, role, locale, status, totp },
    passkeys: user.passkeys.map((passkey) => ({
      id: passkey.id,
      name: passkey.name,
      createdAt: passkey.createdAt.toISOString(),
      ...present({ lastUsedAt: passkey.lastUsedAt?.toISOString() }),
    })),
    createdAt: user.createdAt.toISOString(),
    ...present({ lastLoginAt: user.lastLoginAt?.toISOString() }),
  };
}
