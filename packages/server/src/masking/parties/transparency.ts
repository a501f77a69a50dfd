import type { TenantVault } from '../../vault/types.ts';

/** Made anew from the participant's id whenever it is needed; only its digest is kept. */
export function transparencyToken(keys: TenantVault, participant: string): string {
  return `${keys.tenant}.${keys.token('transparency', participant).toString('base64url')}`;
}
