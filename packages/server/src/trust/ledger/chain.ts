/**
 * Whether the ledger is what it was. Each entry is chained to the one before it when it is sealed (see
 * `store/queries/ledger.ts`), and the end of each tenant's chain is kept apart, so that an entry that was changed,
 * removed, moved or cut off the end is found. What is not yet sealed (seconds) is not covered.
 */
import {
  chainDigest,
  emptyChain,
  type LedgerHead,
  readChain,
  readHead,
  readUnsealed,
} from '../../store/queries/ledger.ts';
import type { Database } from '../../store/types.ts';

export { sealLedger } from '../../store/queries/ledger.ts';

export type LedgerVerdict =
  | { readonly kind: 'intact'; readonly entries: number; readonly unsealed: number; readonly digest: Buffer }
  /** Its content is not what was sealed. */
  | { readonly kind: 'changed'; readonly sequence: number; readonly entry: string }
  /** No entry stands at this place. */
  | { readonly kind: 'removed'; readonly sequence: number }
  /** Genuine, but not at the place where it was sealed: something before it was removed or moved. */
  | { readonly kind: 'moved'; readonly sequence: number; readonly entry: string };

const pageEntries = 1_000;

/** Reads the whole chain of a tenant and names the first entry that is not what it was. */
export async function verifyLedger(database: Database, tenant: string): Promise<LedgerVerdict> {
  // First the head: what is sealed while we read stands behind it.
  const head = await readHead(database, tenant);
  let last: LedgerHead = emptyChain;
  while (true) {
    const page = await readChain(database, tenant, last.sequence, pageEntries);
    for (const entry of page) {
      const { sequence: place, previous, digest } = entry;
      const sequence = Number(place);
      if (sequence !== last.sequence + 1) return { kind: 'removed', sequence: last.sequence + 1 };
      if (!chainDigest(previous, entry).equals(digest))
        return { kind: 'changed', sequence, entry: entry.entry };
      if (!previous.equals(last.digest)) return { kind: 'moved', sequence, entry: entry.entry };
      if (sequence === head.sequence && !digest.equals(head.digest)) {
        return { kind: 'changed', sequence, entry: entry.entry };
      }
      last = { sequence, digest };
    }
    if (page.length < pageEntries) break;
  }
  if (last.sequence < head.sequence) return { kind: 'removed', sequence: last.sequence + 1 };
  const { count } = await readUnsealed(database, tenant);
  return { kind: 'intact', entries: last.sequence, unsealed: count, digest: last.digest };
}
