/**
 * The signed ends of days. A day is signed when it is over for two minutes, so that its last entries are in the chain;
 * one that comes later belongs to the next root. A day without entries has none. Any node may sign; the first is kept.
 */
import {
  chainedTenants,
  type DueRootRow,
  dueRoots,
  keepRoot,
  type RootRow,
  rootsAfter,
} from '../../store/queries/ledger-roots.ts';
import type { Database, Queries } from '../../store/types.ts';
import type { Root } from '../service.ts';
import type { Signer } from '../signing.ts';
import type { Anchors } from './anchors.ts';

const graceMilliseconds = 120_000;
const rootsABatch = 500;
/** Batches a turn; what is left over (years of many tenants) is the next turn's. */
const mostBatches = 20;
/** More than two centuries of days. */
export const mostRoots = 100_000;

export function rootText(tenant: string, root: Pick<Root, 'day' | 'sequence' | 'digest'>): string {
  return ['samar-ledger-root', tenant, root.day, root.sequence, root.digest].join('\n');
}

export function isGenuine(signer: Signer, tenant: string, root: Root): boolean {
  return root.keyId === signer.keyId && signer.verify(rootText(tenant, root), root.signature);
}

export function toRoot(row: RootRow): Root {
  return {
    day: row.day,
    sequence: Number(row.sequence),
    entries: Number(row.entries),
    digest: row.digest.toString('hex'),
    signature: row.signature,
    keyId: row.key_id,
  };
}

/** Days before this one (UTC) are over. */
export function unfinishedDay(now: number): string {
  return new Date(now - graceMilliseconds).toISOString().slice(0, 10);
}

/** Signs what is due, of every tenant. False: there is more to sign than fits in one turn. */
export async function signRoots(
  { database, signer }: { readonly database: Database; readonly signer: Signer },
  before: string,
): Promise<boolean> {
  for (let batch = 0; batch < mostBatches; batch++) {
    const due = await dueRoots(database, before, rootsABatch);
    if (due.length === 0) return true;
    for (const row of due) await keepRoot(database, signed(signer, row));
  }
  return false;
}

function signed(signer: Signer, row: DueRootRow): RootRow {
  const digest = row.digest.toString('hex');
  const text = rootText(row.tenant, { day: row.day, sequence: Number(row.sequence), digest });
  return { ...row, signature: signer.sign(text), key_id: signer.keyId };
}

/** Writes to the files what the table has beyond them, whichever node signed it. */
export async function copyRoots(database: Database, anchors: Anchors): Promise<void> {
  for (const tenant of await chainedTenants(database)) {
    let after = (await anchors.read(tenant)).at(-1)?.day;
    for (;;) {
      const rows = await rootsAfter(database, tenant, after, rootsABatch);
      await anchors.append(tenant, rows.map(toRoot));
      after = rows.at(-1)?.day;
      if (rows.length < rootsABatch) break;
    }
  }
}

/** Of the table, oldest first. */
export async function allRoots(database: Queries, tenant: string): Promise<readonly Root[]> {
  const rows = await rootsAfter(database, tenant, undefined, mostRoots);
  return rows.map(toRoot);
}
