/** The pages of the side navigation: the scope without which one isn't offered, and the key after `g`. */
import type { Scope } from '../types.ts';

export const navigation = [
  { name: 'overview', to: '/', scope: 'calls:read', key: 'o' },
  { name: 'sessions', to: '/sessions', scope: 'sessions:read', key: 's' },
  { name: 'disputes', to: '/disputes', scope: 'disputes:read', key: 'd' },
  { name: 'numbers', to: '/numbers', scope: 'numbers:read', key: 'n' },
  { name: 'carriers', to: '/carriers', scope: 'carriers:read', key: 'c' },
  { name: 'programs', to: '/programs', scope: 'programs:read', key: 'p' },
  { name: 'ledger', to: '/ledger', scope: 'ledger:read', key: 'l' },
  { name: 'privacy', to: '/privacy', scope: 'privacy:write', key: 'y' },
  { name: 'webhooks', to: '/webhooks', scope: 'webhooks:read', key: 'w' },
  { name: 'users', to: '/users', scope: 'users:read', key: 'u' },
  { name: 'keys', to: '/keys', scope: 'keys:write', key: 'k' },
  { name: 'settings', to: '/settings', scope: 'settings:read', key: 'e' },
] as const satisfies readonly {
  readonly name: string;
  readonly to: string;
  readonly scope: Scope;
  readonly key: string;
}[];
