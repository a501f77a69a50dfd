import { setTimeout as sleep } from 'node:timers/promises';
import {
  deleteUnusedWrapKeys,
  erasePartyKeys,
  insertTenantKeys,
  type PartyKeyRow,
  SEALED_COLUMNS,
  type SealedColumn,
  selectKeysOfOtherMasters,
  selectPartyKeysBelow,
  selectSealedOtherThan,
  selectTenantsWithKeys,
  updatePartyKeys,
  updateSealed,
  updateTenantKey,
} from '../store/keys.ts';
import type { Database } from '../store/types.ts';
import { box, unbox } from './aead.ts';
import { KeyDestroyed, Tampered } from './errors.ts';
import { newTenantKey, rewrapTenantKey } from './keyring.ts';
import { FORMAT, fieldData } from './party.ts';
import { sealedPrefix, type TenantKeys, unwrapPartyKey, type WrapKey, wrapPartyKey } from './tenant.ts';
import type { OpenVault } from './vault.ts';

/**
 * Rotation while everything runs. Of the master key: every tenant key is wrapped anew; start all nodes with both
 * master keys (`2:…,1:…`) first, and leave the old one out when it is done. Of a tenant's keys: a new `wrap` version
 * is made; when every node has heard of it, party keys and sealed columns are wrapped anew, in batches. What is
 * encrypted with party keys is not touched. Fingerprint and token keys stay: what they made is looked up, not opened.
 *
 * Cut short at any point, the same call goes on where it ended; the old version stays until nothing uses it.
 */
export interface RotateOptions {
  readonly database: Database;
  readonly vault: OpenVault;
  /** Default: all. */
  readonly tenant?: string;
  readonly what: 'master' | 'tenant';
  readonly progress?: (progress: RotationProgress) => void;
  /** Rows a batch. Default 500. */
  readonly batch?: number;
  /** Old versions are deleted only this long after the new one was made. Default one hour. */
  readonly retireMilliseconds?: number;
}

export type RotationProgress =
  | { readonly step: 'waiting'; readonly tenant: string; readonly milliseconds: number }
  | {
      readonly step: 'rewrapped';
      readonly tenant: string | undefined;
      readonly what: string;
      readonly rows: number;
    }
  | { readonly step: 'done'; readonly tenant: string | undefined };

export interface RotationResult {
  /** Rows wrapped anew. */
  readonly rewrapped: number;
  /** Rows that could not be opened, and were left as they are. */
  readonly unreadable: number;
  /** Old key versions deleted, by this run. */
  readonly retired: number;
}

export async function rotateKeys(options: RotateOptions): Promise<RotationResult> {
  if (options.what === 'master') return rotateMaster(options);
  if (options.tenant !== undefined) return rotateTenant(options, options.tenant);
  const total = { rewrapped: 0, unreadable: 0, retired: 0 };
  for (let after = ''; ; ) {
    const tenants = await selectTenantsWithKeys(options.database, after, 100);
    for (const tenant of tenants) {
      const one = await rotateTenant(options, tenant);
      total.rewrapped += one.rewrapped;
      total.unreadable += one.unreadable;
      total.retired += one.retired;
    }
    after = tenants.at(-1) ?? '';
    if (after === '') return total;
  }
}

async function rotateMaster(options: RotateOptions): Promise<RotationResult> {
  const { database, vault, tenant } = options;
  const { master, random } = vault.keeping;
  let rewrapped = 0;
  for (;;) {
    const rows = await selectKeysOfOtherMasters(database, master.current, tenant, options.batch ?? 500);
    if (rows.length === 0) break;
    await database.transaction(async (queries) => {
      for (const row of rows) await updateTenantKey(queries, row, rewrapTenantKey(master, random, row));
    });
    rewrapped += rows.length;
    options.progress?.({ step: 'rewrapped', tenant, what: 'tenant_keys', rows: rewrapped });
  }
  options.progress?.({ step: 'done', tenant });
  return { rewrapped, unreadable: 0, retired: 0 };
}

async function rotateTenant(options: RotateOptions, tenant: string): Promise<RotationResult> {
  const { database, vault } = options;
  const target = await targetVersion(options, tenant);
  const wait = target.activeAt - performance.now();
  if (wait > 0) {
    options.progress?.({ step: 'waiting', tenant, milliseconds: Math.ceil(wait) });
    await sleep(wait);
  }
  const keys = await vault.keeping.reload(tenant);
  let rewrapped = 0;
  let unreadable = 0;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const parties = await rewrapPartyKeys(options, tenant, keys, target);
    const sealed = await rewrapSealed(options, tenant, keys, target);
    rewrapped += parties.rewrapped + sealed.rewrapped;
    unreadable = parties.unreadable + sealed.unreadable;
    if (parties.rewrapped + sealed.rewrapped === 0) break;
  }
  // A sealed value that still needs an old version keeps all of them.
  const retired =
    unreadable === 0 && !(await sealedByOthers(database, tenant, target.version))
      ? await deleteUnusedWrapKeys(database, tenant, target.version, options.retireMilliseconds ?? 3_600_000)
      : [];
  if (retired.length > 0) await vault.keeping.reload(tenant);
  options.progress?.({ step: 'done', tenant });
  return { rewrapped, unreadable, retired: retired.length };
}

/** A writer that chose the old version just before the new one was in use is found by the next pass. */
const MOST_PASSES = 5;

/** The newest version when an earlier rotation to it is not finished, else a new one. */
async function targetVersion({ database, vault }: RotateOptions, tenant: string): Promise<WrapKey> {
  const { master, random, reload } = vault.keeping;
  const newest = last(await reload(tenant));
  const start = { party: '', partyKey: '' };
  const unfinished =
    newest.version > 1 &&
    (newest.activeAt > performance.now() ||
      (await selectPartyKeysBelow(database, tenant, newest.version, start, 1)).length > 0 ||
      (await sealedByOthers(database, tenant, newest.version)));
  if (unfinished) return newest;
  await insertTenantKeys(database, tenant, [
    newTenantKey(master, random, tenant, 'wrap', newest.version + 1),
  ]);
  return last(await reload(tenant));
}

function last(keys: TenantKeys): WrapKey {
  const newest = keys.wrap.at(-1);
  if (newest === undefined) throw new KeyDestroyed('the tenant has no key');
  return newest;
}

interface Counts {
  readonly rewrapped: number;
  readonly unreadable: number;
}

async function rewrapPartyKeys(
  options: RotateOptions,
  tenant: string,
  keys: TenantKeys,
  target: WrapKey,
): Promise<Counts> {
  const { database, vault } = options;
  let after = { party: '', partyKey: '' };
  let rewrapped = 0;
  let unreadable = 0;
  for (;;) {
    const rows = await selectPartyKeysBelow(database, tenant, target.version, after, options.batch ?? 500);
    const end = rows.at(-1);
    if (end === undefined) return { rewrapped, unreadable };
    const next: PartyKeyRow[] = [];
    for (const row of rows) {
      const wrapped = attempt(() => {
        const bytes = unwrapPartyKey(ofVersion(keys, row.tenantKeyVersion), tenant, row.party, row);
        const anew = wrapPartyKey(target, vault.keeping.random, tenant, row.party, row.partyKey, bytes);
        bytes.fill(0);
        return anew.wrapped;
      });
      if (wrapped === undefined) unreadable += 1;
      else next.push({ ...row, wrapped });
    }
    if (next.length > 0) await updatePartyKeys(database, tenant, target.version, next);
    rewrapped += next.length;
    options.progress?.({ step: 'rewrapped', tenant, what: 'party_keys', rows: rewrapped });
    after = end;
  }
}

async function rewrapSealed(
  options: RotateOptions,
  tenant: string,
  keys: TenantKeys,
  target: WrapKey,
): Promise<Counts> {
  let rewrapped = 0;
  let unreadable = 0;
  for (const column of SEALED_COLUMNS) {
    const counts = await rewrapColumn(options, tenant, keys, target, column);
    rewrapped += counts.rewrapped;
    unreadable += counts.unreadable;
  }
  return { rewrapped, unreadable };
}

async function rewrapColumn(
  options: RotateOptions,
  tenant: string,
  keys: TenantKeys,
  target: WrapKey,
  column: SealedColumn,
): Promise<Counts> {
  const { database, vault } = options;
  const prefix = sealedPrefix(target.version);
  let after = '';
  let rewrapped = 0;
  let unreadable = 0;
  for (;;) {
    const rows = await selectSealedOtherThan(database, tenant, column, prefix, after, options.batch ?? 500);
    const end = rows.at(-1);
    if (end === undefined) return { rewrapped, unreadable };
    const changes: { row: string; old: Buffer; next: Buffer }[] = [];
    for (const { row, sealed } of rows) {
      const data = fieldData({ tenant, table: column.table, column: column.column, row });
      const next = attempt(() => {
        if (sealed[0] !== FORMAT.sealed || sealed.length < prefix.length)
          throw new Tampered('unknown format');
        const plain = unbox(ofVersion(keys, sealed.readUInt32BE(1)).secrets, prefix.length, sealed, data);
        const anew = box(target.secrets, vault.keeping.random, prefix, plain, data);
        plain.fill(0);
        return anew;
      });
      if (next === undefined) unreadable += 1;
      else changes.push({ row, old: sealed, next });
    }
    if (changes.length > 0) await updateSealed(database, tenant, column, changes);
    rewrapped += changes.length;
    options.progress?.({ step: 'rewrapped', tenant, what: column.table, rows: rewrapped });
    after = end.row;
  }
}

async function sealedByOthers(database: Database, tenant: string, version: number): Promise<boolean> {
  for (const column of SEALED_COLUMNS) {
    const rows = await selectSealedOtherThan(database, tenant, column, sealedPrefix(version), '', 1);
    if (rows.length > 0) return true;
  }
  return false;
}

function ofVersion(keys: TenantKeys, version: number): WrapKey {
  const found = keys.wrap.find((each) => each.version === version);
  if (found === undefined) throw new KeyDestroyed(`tenant key version ${version} is gone`);
  return found;
}

/** One damaged row must not keep all others from the new key. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Tampered || error instanceof KeyDestroyed) return undefined;
    throw error;
  }
}

/**
 * Makes everything that was encrypted for the party unreadable wherever it is: phone, names, recordings. Only backups
 * of the database from before still hold the key. False when there is no such party.
 */
export async function destroyPartyKey(
  database: Pick<Database, 'transaction'>,
  tenant: string,
  party: string,
): Promise<boolean> {
  const { known } = await database.transaction((queries) => erasePartyKeys(queries, tenant, party));
  return known;
}
