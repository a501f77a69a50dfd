import { createHmac, type KeyObject } from 'node:crypto';
import type { Random } from '@samar/doors';
import { asKey, box, expand, KEY_BYTES, unambiguous, unbox } from './aead.ts';
import { KeyDestroyed, Tampered, UnknownKeyVersion } from './errors.ts';
import { FORMAT, fieldData, newPartyKeyName, newSharedKey, openSharedKey, partyCipher } from './party.ts';
import type { TenantVault, WrappedPartyKey } from './types.ts';

/** One version of a tenant's `wrap` key, as the two keys that are derived from it. */
export interface WrapKey {
  readonly version: number;
  readonly parties: KeyObject;
  readonly secrets: KeyObject;
  /**
   * `performance.now()` from which on new things are wrapped with it: other nodes have heard of it by then. The
   * oldest version has no such time.
   */
  readonly activeAt: number;
}

export interface TenantKeys {
  /** By version, ascending; at least one. */
  readonly wrap: readonly WrapKey[];
  readonly fingerprint: KeyObject;
  readonly token: KeyObject;
}

export function wrapKey(version: number, key: KeyObject, activeAt: number): WrapKey {
  return {
    version,
    activeAt,
    parties: expand(key, 'samar/tenant/party-keys'),
    secrets: expand(key, 'samar/tenant/secrets'),
  };
}

function currentWrapKey(keys: TenantKeys): WrapKey {
  const now = performance.now();
  const current = keys.wrap.findLast((each) => each.activeAt <= now) ?? keys.wrap[0];
  if (current === undefined) throw new KeyDestroyed('the tenant has no key');
  return current;
}

/** `missing` is called when something needs a version that `keys` lacks. */
export function tenantVault(
  tenant: string,
  keys: () => TenantKeys,
  random: Random,
  missing: () => void,
): TenantVault {
  const version = (wanted: number): WrapKey => {
    const all = keys().wrap;
    const found = all.find((each) => each.version === wanted);
    if (found !== undefined) return found;
    if (wanted < (all.at(-1)?.version ?? 0)) throw new KeyDestroyed(`tenant key version ${wanted} is gone`);
    missing();
    throw new UnknownKeyVersion(`tenant key version ${wanted} is not known yet`);
  };
  return {
    tenant,
    fingerprint(e164) {
      if (!/^\+[1-9][0-9]{1,14}$/.test(e164)) throw new TypeError('not a phone number in E.164');
      return createHmac('sha256', keys().fingerprint).update(e164, 'latin1').digest();
    },
    newPartyKey(party) {
      const partyKey = newPartyKeyName(random);
      const bytes = random.bytes(KEY_BYTES);
      const { wrapped, tenantKeyVersion } = wrapPartyKey(
        currentWrapKey(keys()),
        random,
        tenant,
        party,
        partyKey,
        bytes,
      );
      return {
        wrapped: { partyKey, wrapped, tenantKeyVersion },
        cipher: partyCipher(tenant, party, partyKey, asKey(bytes), random),
      };
    },
    openPartyKey(party, key) {
      const bytes = unwrapPartyKey(version(key.tenantKeyVersion), tenant, party, key);
      return partyCipher(tenant, party, key.partyKey, asKey(bytes), random);
    },
    seal(plain, field) {
      if (field.tenant !== tenant) throw new TypeError('the field belongs to another tenant');
      const key = currentWrapKey(keys());
      return box(key.secrets, random, sealedPrefix(key.version), plain, fieldData(field));
    },
    open(sealed, field) {
      if (field.tenant !== tenant) throw new TypeError('the field belongs to another tenant');
      if (sealed.length < SEALED_PREFIX_BYTES || sealed[0] !== FORMAT.sealed) {
        throw new Tampered('a sealed value has an unknown format');
      }
      return unbox(version(sealed.readUInt32BE(1)).secrets, SEALED_PREFIX_BYTES, sealed, fieldData(field));
    },
    token: (purpose, of) =>
      createHmac('sha256', keys().token).update(unambiguous('token', purpose), 'utf8').update(of).digest(),
    newSharedKey: (recording, parties) => newSharedKey(tenant, recording, parties, random),
    openSharedKey: (recording, parties, wrapped) => openSharedKey(tenant, recording, parties, wrapped),
  };
}

const SEALED_PREFIX_BYTES = 5;

/** Format and key version stand first, so that SQL finds what an old version sealed. */
export function sealedPrefix(version: number): Buffer {
  const prefix = Buffer.alloc(SEALED_PREFIX_BYTES);
  prefix[0] = FORMAT.sealed;
  prefix.writeUInt32BE(version, 1);
  return prefix;
}

export function wrapPartyKey(
  key: WrapKey,
  random: Random,
  tenant: string,
  party: string,
  partyKey: string,
  bytes: Buffer,
): WrappedPartyKey {
  return {
    partyKey,
    wrapped: box(
      key.parties,
      random,
      FORMAT.wrapped,
      bytes,
      partyKeyData(tenant, party, partyKey, key.version),
    ),
    tenantKeyVersion: key.version,
  };
}

/** The caller wipes the bytes. Throws `KeyDestroyed` or `Tampered`. */
export function unwrapPartyKey(
  key: WrapKey,
  tenant: string,
  party: string,
  wrapped: WrappedPartyKey,
): Buffer {
  if (wrapped.wrapped.length === 0) throw new KeyDestroyed('the party key was destroyed');
  if (wrapped.wrapped[0] !== FORMAT.wrapped[0]) throw new Tampered('a party key has an unknown format');
  const data = partyKeyData(tenant, party, wrapped.partyKey, wrapped.tenantKeyVersion);
  return unbox(key.parties, FORMAT.wrapped.length, wrapped.wrapped, data);
}

function partyKeyData(tenant: string, party: string, partyKey: string, version: number): string {
  return unambiguous('party-key', tenant, party, partyKey, String(version));
}
