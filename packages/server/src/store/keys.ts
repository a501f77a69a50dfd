/** The vault's statements. */
import type { Queries } from './types.ts';

export interface TenantKeyRow {
  readonly purpose: 'wrap' | 'fingerprint' | 'token';
  readonly version: number;
  readonly wrapped: Buffer;
  readonly masterVersion: number;
}

/** `age` in milliseconds by the database's clock. */
export function selectTenantKeys(
  queries: Queries,
  tenant: string,
): Promise<readonly (TenantKeyRow & { readonly age: number })[]> {
  return queries.query(
    'vault_tenant_keys',
    `select purpose, version, wrapped, master_version as "masterVersion",
       (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as age
     from tenant_keys where tenant = $1`,
    [tenant],
  );
}

/** The first writer wins. */
export async function insertTenantKeys(
  queries: Queries,
  tenant: string,
  rows: readonly TenantKeyRow[],
): Promise<void> {
  await queries.query(
    'vault_insert_tenant_keys',
    `insert into tenant_keys (tenant, purpose, version, wrapped, master_version)
     select $1, purpose, version, wrapped, master_version
     from unnest($2::text[], $3::integer[], $4::bytea[], $5::integer[]) as new (purpose, version, wrapped, master_version)
     on conflict do nothing`,
    [
      tenant,
      rows.map((row) => row.purpose),
      rows.map((row) => row.version),
      rows.map((row) => row.wrapped),
      rows.map((row) => row.masterVersion),
    ],
  );
}

export interface AnyTenantKeyRow extends TenantKeyRow {
  readonly tenant: string;
}

/** One row for each master key version in use. */
export function selectMasterSamples(queries: Queries): Promise<readonly AnyTenantKeyRow[]> {
  return queries.query(
    'vault_master_samples',
    `select distinct on (master_version) tenant, purpose, version, wrapped, master_version as "masterVersion"
     from tenant_keys order by master_version desc, tenant, purpose, version`,
    [],
  );
}

export function selectKeysOfOtherMasters(
  queries: Queries,
  masterVersion: number,
  tenant: string | undefined,
  limit: number,
): Promise<readonly AnyTenantKeyRow[]> {
  return queries.query(
    'vault_other_masters',
    `select tenant, purpose, version, wrapped, master_version as "masterVersion"
     from tenant_keys where master_version <> $1 and ($2::text is null or tenant = $2)
     order by tenant, purpose, version limit $3`,
    [masterVersion, tenant ?? null, limit],
  );
}

/** Changes only what is still as it was read. */
export async function updateTenantKey(
  queries: Queries,
  old: AnyTenantKeyRow,
  next: TenantKeyRow,
): Promise<void> {
  await queries.query(
    'vault_update_tenant_key',
    `update tenant_keys set wrapped = $1, master_version = $2
     where tenant = $3 and purpose = $4 and version = $5 and master_version = $6`,
    [next.wrapped, next.masterVersion, old.tenant, old.purpose, old.version, old.masterVersion],
  );
}

export async function selectTenantsWithKeys(
  queries: Queries,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const rows = await queries.query<{ tenant: string }>(
    'vault_tenants',
    'select distinct tenant from tenant_keys where tenant > $1 order by tenant limit $2',
    [after, limit],
  );
  return rows.map((row) => row.tenant);
}

export interface PartyKeyRow {
  readonly party: string;
  readonly partyKey: string;
  readonly wrapped: Buffer;
  readonly tenantKeyVersion: number;
}

export function selectPartyKeysBelow(
  queries: Queries,
  tenant: string,
  version: number,
  after: { readonly party: string; readonly partyKey: string },
  limit: number,
): Promise<readonly PartyKeyRow[]> {
  return queries.query(
    'vault_party_keys_below',
    `select party, party_key as "partyKey", wrapped, tenant_key_version as "tenantKeyVersion"
     from party_keys where tenant = $1 and tenant_key_version < $2 and (party, party_key) > ($3, $4)
     order by party, party_key limit $5`,
    [tenant, version, after.party, after.partyKey, limit],
  );
}

/** Rows that were erased meanwhile stay away. */
export async function updatePartyKeys(
  queries: Queries,
  tenant: string,
  version: number,
  rows: readonly PartyKeyRow[],
): Promise<void> {
  await queries.query(
    'vault_update_party_keys',
    `update party_keys as k set wrapped = new.wrapped, tenant_key_version = $2
     from unnest($3::text[], $4::text[], $5::bytea[], $6::integer[]) as new (party, party_key, wrapped, old)
     where k.tenant = $1 and k.party = new.party and k.party_key = new.party_key and k.tenant_key_version = new.old`,
    [
      tenant,
      version,
      rows.map((row) => row.party),
      rows.map((row) => row.partyKey),
      rows.map((row) => row.wrapped),
      rows.map((row) => row.tenantKeyVersion),
    ],
  );
}

/** Columns that hold what `TenantVault.seal` made; the row in the additional data is the value of `row`. */
export const SEALED_COLUMNS = [
  { table: 'carriers', column: 'auth', row: 'carrier' },
  { table: 'idempotency_keys', column: 'answer', row: 'idempotency_key' },
  { table: 'destinations', column: 'phone', row: 'destination' },
  { table: 'disputes', column: 'statement', row: 'dispute' },
  { table: 'disputes', column: 'verdict_text', row: 'dispute' },
  { table: 'dispute_notes', column: 'body', row: 'note' },
  { table: 'legal_holds', column: 'reason', row: 'hold' },
  { table: 'recording_downloads', column: 'reason', row: 'download' },
  { table: 'recording_marks', column: 'note', row: 'mark' },
  { table: 'webhook_endpoints', column: 'keys', row: 'endpoint' },
  { table: 'rights_requests', column: 'reason', row: 'request' },
  { table: 'rights_requests', column: 'decision', row: 'request' },
  { table: 'user_totp', column: 'secret', row: 'usr' },
] as const;

export type SealedColumn = (typeof SEALED_COLUMNS)[number];

export interface SealedRow {
  readonly row: string;
  readonly sealed: Buffer;
}

/** Those whose first five bytes (format and key version) are not `prefix`. */
export function selectSealedOtherThan(
  queries: Queries,
  tenant: string,
  { table, column, row }: SealedColumn,
  prefix: Buffer,
  after: string,
  limit: number,
): Promise<readonly SealedRow[]> {
  return queries.query(
    `vault_sealed_${table}_${column}`,
    `select ${row} as row, ${column} as sealed from ${table}
     where tenant = $1 and ${column} is not null and substring(${column} from 1 for 5) <> $2 and ${row} > $3
     order by ${row} limit $4`,
    [tenant, prefix, after, limit],
  );
}

/** Changes only what is still as it was read. */
export async function updateSealed(
  queries: Queries,
  tenant: string,
  { table, column, row }: SealedColumn,
  changes: readonly { readonly row: string; readonly old: Buffer; readonly next: Buffer }[],
): Promise<void> {
  await queries.query(
    `vault_update_sealed_${table}_${column}`,
    `update ${table} as t set ${column} = new.next
     from unnest($2::text[], $3::bytea[], $4::bytea[]) as new (row, old, next)
     where t.tenant = $1 and t.${row} = new.row and t.${column} = new.old`,
    [
      tenant,
      changes.map((change) => change.row),
      changes.map((change) => change.old),
      changes.map((change) => change.next),
    ],
  );
}

/**
 * Versions below `version` that nothing was wrapped with, and that have been out of use for `idleMilliseconds`: a
 * writer that began before the rotation has ended by then.
 */
export async function deleteUnusedWrapKeys(
  queries: Queries,
  tenant: string,
  version: number,
  idleMilliseconds: number,
): Promise<readonly number[]> {
  const rows = await queries.query<{ version: number }>(
    'vault_delete_wrap_keys',
    `delete from tenant_keys as k
     where k.tenant = $1 and k.purpose = 'wrap' and k.version < $2
       and exists (select from tenant_keys newer where newer.tenant = $1 and newer.purpose = 'wrap' and newer.version = $2
                   and newer.created_at <= clock_timestamp() - $3 * interval '1 millisecond')
       and not exists (select from party_keys p where p.tenant = $1 and p.tenant_key_version = k.version)
     returning k.version`,
    [tenant, version, idleMilliseconds],
  );
  return rows.map((row) => row.version);
}

/**
 * The order matters: changing the party's row waits for everyone who is adding a key to the party, and keeps others
 * from it until the end of the transaction.
 */
export async function erasePartyKeys(
  queries: Queries,
  tenant: string,
  party: string,
): Promise<{ readonly known: boolean; readonly keys: number }> {
  const parties = await queries.query(
    'vault_erase_party',
    `update parties set fingerprint = null, phone = null, phone_key = null, erased_at = coalesce(erased_at, now())
     where tenant = $1 and party = $2 returning 1`,
    [tenant, party],
  );
  const keys = await queries.query(
    'vault_erase_party_keys',
    'delete from party_keys where tenant = $1 and party = $2 returning 1',
    [tenant, party],
  );
  return { known: parties.length > 0, keys: keys.length };
}
