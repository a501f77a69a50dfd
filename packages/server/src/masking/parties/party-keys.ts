/** Opening what is encrypted for a party: from the columns that a join brings along. */
import type { PartyCipher, TenantVault } from '../../vault/types.ts';

/** A party key as it comes out of a join; null where there is none any more. */
export interface KeyColumns {
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

/** Undefined when the key was destroyed. Throws `Tampered`, or `UnknownKeyVersion` (see `withKeys`). */
export function openKey(
  keys: TenantVault,
  row: KeyColumns & { readonly party: string },
): PartyCipher | undefined {
  if (row.party_key === null || row.wrapped === null || row.tenant_key_version === null) return undefined;
  return keys.openPartyKey(row.party, {
    partyKey: row.party_key,
    wrapped: row.wrapped,
    tenantKeyVersion: row.tenant_key_version,
  });
}

/** The real number in E.164; undefined once it was erased. Throws `Tampered`. */
export function openPhone(
  keys: TenantVault,
  row: KeyColumns & { readonly party: string; readonly phone: Buffer | null },
): string | undefined {
  const cipher = openKey(keys, row);
  if (cipher === undefined || row.phone === null) return undefined;
  return cipher.decrypt(row.phone, {
    tenant: keys.tenant,
    table: 'parties',
    column: 'phone',
    row: row.party,
  });
}
