import type { Random } from '@samar/doors';
import { DatabaseError, DatabaseUnavailable } from '../store/errors.ts';
import { insertTenantKeys, selectMasterSamples, selectTenantKeys } from '../store/keys.ts';
import type { Database } from '../store/types.ts';
import { UnknownTenant, WrongMasterKey } from './errors.ts';
import { newTenantKey, PURPOSES, readTenantKeys, unwrapTenantKey } from './keyring.ts';
import { loadMasterKeys, type MasterKeys } from './master.ts';
import { systemRandom } from './party.ts';
import { type TenantKeys, tenantVault } from './tenant.ts';
import type { TenantVault, Vault } from './types.ts';

export interface VaultOptions {
  readonly database: Database;
  /** What SAMAR_MASTER_KEY, or the file it names, says; undefined: `master.key` in `dataDir`, made when needed. */
  readonly masterKey: string | undefined;
  readonly dataDir: string;
  readonly random?: Random;
  /** A tenant's keys are read again after this time. Default 20,000. */
  readonly refreshMilliseconds?: number;
  /**
   * A new key version is used for writing this long after it was made; more than `refreshMilliseconds`, so that every
   * node can read what any node writes. Default 60,000.
   */
  readonly activationMilliseconds?: number;
  /** Most tenants whose keys are kept in memory. Default 10,000. */
  readonly maxTenants?: number;
  /** Called when keys could not be read again and the ones in memory stay in use. */
  readonly report?: (event: { readonly event: 'keys-not-refreshed'; readonly error: Error }) => void;
}

export interface OpenVault extends Vault {
  /** For `rotate.ts`. */
  readonly keeping: {
    readonly master: MasterKeys;
    readonly random: Random;
    readonly activationMilliseconds: number;
    /** Reads a tenant's keys from the database now. */
    reload(tenant: string): Promise<TenantKeys>;
  };
}

interface Entry {
  vault: TenantVault;
  keys: TenantKeys;
  /** `performance.now()` after which they are read again. */
  freshUntil: number;
  loading: Promise<TenantKeys> | undefined;
}

/** Rejects with `MasterKeyProblem` or `WrongMasterKey`. */
export async function createVault(options: VaultOptions): Promise<OpenVault> {
  const { database } = options;
  const random = options.random ?? (systemRandom as Random);
  const refresh = options.refreshMilliseconds ?? 20_000;
  const activation = options.activationMilliseconds ?? 60_000;
  const samples = await selectMasterSamples(database);
  const master = await loadMasterKeys({
    text: options.masterKey,
    dataDirectory: options.dataDir,
    mayCreate: async () => samples.length === 0,
  });
  for (const sample of samples) unwrapTenantKey(master, sample).fill(0);

  const entries = new Map<string, Entry>();
  const firstLoads = new Map<string, Promise<Entry>>();

  const load = async (tenant: string): Promise<TenantKeys> => {
    const found = readTenantKeys(master, tenant, await selectTenantKeys(database, tenant), activation);
    if (found !== undefined) return found;
    try {
      const made = PURPOSES.map((purpose) => newTenantKey(master, random, tenant, purpose, 1));
      await insertTenantKeys(database, tenant, made);
    } catch (error) {
      // The foreign key to tenants.
      if (error instanceof DatabaseError && error.code === '23503')
        throw new UnknownTenant('there is no such tenant');
      throw error;
    }
    // Another node may have been faster with some of them: what the database holds counts.
    const stored = readTenantKeys(master, tenant, await selectTenantKeys(database, tenant), activation);
    if (stored === undefined) throw new UnknownTenant('the tenant was removed');
    return stored;
  };
  const reload = (tenant: string, entry: Entry): Promise<TenantKeys> => {
    entry.loading ??= load(tenant)
      .then((keys) => {
        entry.keys = keys;
        entry.freshUntil = performance.now() + refresh;
        return keys;
      })
      .finally(() => {
        entry.loading = undefined;
      });
    return entry.loading;
  };
  const first = async (tenant: string): Promise<Entry> => {
    const keys = await load(tenant);
    const entry: Entry = { keys, freshUntil: performance.now() + refresh, loading: undefined } as Entry;
    entry.vault = tenantVault(
      tenant,
      () => entry.keys,
      random,
      () => {
        entry.freshUntil = 0;
      },
    );
    if (entries.size >= (options.maxTenants ?? 10_000)) {
      const oldest = entries.keys().next().value;
      if (oldest !== undefined) entries.delete(oldest);
    }
    entries.set(tenant, entry);
    return entry;
  };
  const firstOnce = (tenant: string): Promise<Entry> => {
    let loading = firstLoads.get(tenant);
    if (loading === undefined) {
      loading = first(tenant).finally(() => firstLoads.delete(tenant));
      firstLoads.set(tenant, loading);
    }
    return loading;
  };

  return {
    async unlock(tenant) {
      const entry = entries.get(tenant) ?? (await firstOnce(tenant));
      if (performance.now() <= entry.freshUntil) return entry.vault;
      try {
        await reload(tenant, entry);
      } catch (error) {
        // Keys in memory do not become wrong; without the database, or under a newer master key, they still serve.
        if (!(error instanceof DatabaseUnavailable || error instanceof WrongMasterKey)) throw error;
        options.report?.({ event: 'keys-not-refreshed', error });
      }
      return entry.vault;
    },
    keeping: {
      master,
      random,
      activationMilliseconds: activation,
      reload: async (tenant) => reload(tenant, entries.get(tenant) ?? (await firstOnce(tenant))),
    },
  };
}
