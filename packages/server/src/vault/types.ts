/**
 * master key    32 bytes outside the database; wraps tenant keys. Versioned
 * tenant key    per tenant and purpose: `wrap` (party keys, secrets), `fingerprint`, `token`. Versioned
 * party key     random, per party; encrypts that party's phone number and names. A party may have several (a ring)
 * fingerprint   HMAC-SHA-256 of an E.164 number under the tenant's fingerprint key: the blind index
 * field         where a ciphertext stands: tenant, table, column, row; bound to it as additional data
 */
export interface Field {
  readonly tenant: string;
  readonly table: string;
  readonly column: string;
  readonly row: string;
}

/** A party key as the `party_keys` table holds it. */
export interface WrappedPartyKey {
  readonly partyKey: string;
  readonly wrapped: Buffer;
  readonly tenantKeyVersion: number;
}

export interface Vault {
  /** Loads (or makes, on first use) the tenant's keys, and keeps them in memory, bounded. Other calls need it done. */
  unlock(tenant: string): Promise<TenantVault>;
}

/** Everything here is synchronous and touches no database: keys are in memory. */
export interface TenantVault {
  readonly tenant: string;
  /** 32 bytes. `e164` must be E.164 with `+`. */
  fingerprint(e164: string): Buffer;
  /** A new random key for a party, wrapped, and a cipher that uses it. */
  newPartyKey(party: string): { readonly wrapped: WrappedPartyKey; readonly cipher: PartyCipher };
  /** Throws `KeyDestroyed` or `Tampered`. */
  openPartyKey(party: string, key: WrappedPartyKey): PartyCipher;
  /** For secrets of the tenant itself (trunk passwords, stored answers). */
  seal(plain: Buffer, field: Field): Buffer;
  /** Throws `Tampered`. */
  open(sealed: Buffer, field: Field): Buffer;
  /** HMAC-SHA-256 under the `token` key: unguessable links, digests of requests. `purpose` separates uses. */
  token(purpose: string, of: string | Buffer): Buffer;
  /** A data key that can only be opened again with every one of these party keys. At least one. */
  newSharedKey(
    recording: string,
    parties: readonly PartyCipher[],
  ): { readonly key: Buffer; readonly wrapped: Buffer };
  openSharedKey(recording: string, parties: readonly PartyCipher[], wrapped: Buffer): Buffer;
}

export interface PartyCipher {
  readonly party: string;
  readonly partyKey: string;
  encrypt(plain: string, field: Field): Buffer;
  /** Throws `Tampered`. */
  decrypt(sealed: Buffer, field: Field): string;
  /** Key material for `newSharedKey`; never leaves the vault folder. */
  readonly material: unknown;
}
