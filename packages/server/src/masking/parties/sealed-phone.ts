/** A phone that may be new to the tenant, sealed before anybody knows whether it is. */
import type { SealedPhone } from '../../store/queries/codes.ts';
import type { TenantVault } from '../../vault/types.ts';
import type { Context } from '../context.ts';
import { newId } from '../ids.ts';
import type { PhoneNumber } from './phone-numbers.ts';

/** Under the id of the party that it will be: a new one. Not written when the tenant knows the number already. */
export function sealPhone(
  { doors }: Pick<Context, 'doors'>,
  keys: TenantVault,
  directory: TenantVault,
  { e164, country }: PhoneNumber,
): SealedPhone {
  const party = newId(doors, 'pty');
  const { cipher, wrapped } = keys.newPartyKey(party);
  return {
    fingerprint: keys.fingerprint(e164),
    directoryFingerprint: directory.fingerprint(e164),
    party,
    country,
    key: wrapped,
    phone: cipher.encrypt(e164, { tenant: keys.tenant, table: 'parties', column: 'phone', row: party }),
  };
}
