import type { Doors } from '@samar/doors';
import type { Database } from '../store/types.ts';
import { UnknownKeyVersion } from '../vault/errors.ts';
import type { TenantVault, Vault } from '../vault/types.ts';
import { MaskingError, type PageRequest } from './service.ts';

/** What every part of the heart stands on. */
export interface Context {
  readonly database: Database;
  readonly vault: Vault;
  readonly doors: Pick<Doors, 'clock' | 'random' | 'timers'>;
}

/** Keys what is looked up before a tenant is known: the directory of virtual numbers. */
export const installation = 'installation';

/** Lower-case letters, digits and inner hyphens, 1 to 63. */
export function isTenantName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) && text !== installation;
}

export function invalid(message: string, pointer?: string): MaskingError {
  return new MaskingError('invalid', message, pointer);
}

export function notFound(what: string): MaskingError {
  return new MaskingError('not-found', `There is no such ${what}.`);
}

/** One more than asked for is read, to know whether there is a next page. */
export function checkPage(page: PageRequest): PageRequest {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > 200) {
    throw invalid('The limit is a whole number from 1 to 200.', '/limit');
  }
  if (page.after !== undefined && !/^[a-z]{3,4}_[0-9a-f]{32}$/.test(page.after)) {
    throw invalid('`after` is the `next` of the page before.', '/after');
  }
  return page;
}

/** Cuts the extra row off and names the cursor of the next page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  id: (row: Row) => string,
  item: (row: Row) => Item,
): { readonly items: readonly Item[]; readonly next?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(item);
  return rows.length > limit && last !== undefined ? { items, next: id(last) } : { items };
}

/**
 * Opens what rows hold with the tenant's keys. When another node has rotated them a moment ago they are read again,
 * once.
 */
export async function withKeys<T>(
  { vault }: Pick<Context, 'vault'>,
  tenant: string,
  work: (keys: TenantVault) => T | Promise<T>,
): Promise<T> {
  try {
    return await work(await vault.unlock(tenant));
  } catch (error) {
    if (!(error instanceof UnknownKeyVersion)) throw error;
    return await work(await vault.unlock(tenant));
  }
}
