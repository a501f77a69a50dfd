import type { TenantVault } from '../../vault/types.ts';

/**
 * A participant's link: made anew from their id whenever it is needed; only its digest is kept. Links that were renewed
 * or taken back have later versions. The first version's digest is also how a participant of whom only the id is known
 * is found.
 */
export function transparencyToken(keys: TenantVault, participant: string, version = 1): string {
  const of = version === 1 ? participant : `${participant} ${version}`;
  return `${keys.tenant}.${keys.token('transparency', of).toString('base64url')}`;
}
