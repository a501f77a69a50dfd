import type { Random } from '@samar/doors';
import type { AnyTenantKeyRow, TenantKeyRow } from '../store/keys.ts';
import { asKey, box, KEY_BYTES, unambiguous, unbox } from './aead.ts';
import { Tampered, WrongMasterKey } from './errors.ts';
import type { MasterKeys } from './master.ts';
import { FORMAT } from './party.ts';
import { type TenantKeys, type WrapKey, wrapKey } from './tenant.ts';

/** Tenant keys between the database and memory: what the master key wraps. */

export const PURPOSES = ['wrap', 'fingerprint', 'token'] as const;

export function newTenantKey(
  master: MasterKeys,
  random: Random,
  tenant: string,
  purpose: TenantKeyRow['purpose'],
  version: number,
): TenantKeyRow {
  const bytes = random.bytes(KEY_BYTES);
  const row = wrapTenantKey(master, random, tenant, purpose, version, bytes);
  bytes.fill(0);
  return row;
}

/** Under the current master key. */
function wrapTenantKey(
  master: MasterKeys,
  random: Random,
  tenant: string,
  purpose: TenantKeyRow['purpose'],
  version: number,
  bytes: Buffer,
): TenantKeyRow {
  const masterVersion = master.current;
  const data = tenantKeyData({ tenant, purpose, version, masterVersion });
  return {
    purpose,
    version,
    masterVersion,
    wrapped: box(master.wrapping(masterVersion), random, FORMAT.wrapped, bytes, data),
  };
}

/** The caller wipes the bytes. Throws `WrongMasterKey`. */
export function unwrapTenantKey(master: MasterKeys, row: AnyTenantKeyRow): Buffer {
  try {
    if (row.wrapped[0] !== FORMAT.wrapped[0]) throw new Tampered('a tenant key has an unknown format');
    return unbox(master.wrapping(row.masterVersion), FORMAT.wrapped.length, row.wrapped, tenantKeyData(row));
  } catch (error) {
    if (!(error instanceof Tampered)) throw error;
    throw new WrongMasterKey(
      `master key version ${row.masterVersion} does not open the keys in the database: this is not the key this database was made with. Put back the right one (master.key in the data directory, or SAMAR_MASTER_KEY); nothing was changed`,
    );
  }
}

export function rewrapTenantKey(master: MasterKeys, random: Random, row: AnyTenantKeyRow): TenantKeyRow {
  const bytes = unwrapTenantKey(master, row);
  const next = wrapTenantKey(master, random, row.tenant, row.purpose, row.version, bytes);
  bytes.fill(0);
  return next;
}

/** Undefined while a purpose has no key yet. A new `wrap` version is in use `activation` ms after it was made. */
export function readTenantKeys(
  master: MasterKeys,
  tenant: string,
  rows: readonly (TenantKeyRow & { readonly age: number })[],
  activation: number,
): TenantKeys | undefined {
  const now = performance.now();
  const wrap: WrapKey[] = [];
  const newest = new Map<string, AnyTenantKeyRow>();
  for (const row of rows.toSorted((a, b) => a.version - b.version)) {
    if (row.purpose === 'wrap') {
      wrap.push(
        wrapKey(row.version, asKey(unwrapTenantKey(master, { ...row, tenant })), now + activation - row.age),
      );
    } else {
      newest.set(row.purpose, { ...row, tenant });
    }
  }
  const fingerprint = newest.get('fingerprint');
  const token = newest.get('token');
  if (wrap.length === 0 || fingerprint === undefined || token === undefined) return undefined;
  return {
    wrap,
    fingerprint: asKey(unwrapTenantKey(master, fingerprint)),
    token: asKey(unwrapTenantKey(master, token)),
  };
}

function tenantKeyData(row: Omit<AnyTenantKeyRow, 'wrapped'>): string {
  return unambiguous('tenant-key', row.tenant, row.purpose, String(row.version), String(row.masterVersion));
}
