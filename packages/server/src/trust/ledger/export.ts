/**
 * A ledger as lines for somebody who trusts neither the database nor us: the key, every entry with the text that was
 * hashed, and the roots. `docs/ledger.md` has the check in a few lines of any language.
 */
import { chainText, readChain, readHead } from '../../store/queries/ledger.ts';
import type { Database } from '../../store/types.ts';
import type { Signer } from '../signing.ts';
import { allRoots } from './roots.ts';

const pageEntries = 500;

export interface ExportPart {
  readonly lines: readonly string[];
  /** How many entries were given until now, and of how many. */
  readonly entries: number;
  readonly of: number;
}

/** As far as the chain reaches at the beginning. */
export async function* exportLines(
  tenant: string,
  { database, signer }: { readonly database: Database; readonly signer: Signer },
): AsyncGenerator<ExportPart> {
  const head = await readHead(database, tenant);
  const { keyId, publicKey } = signer;
  const roots = await allRoots(database, tenant);
  const first = { type: 'ledger', version: 1, tenant, entries: head.sequence, keyId, publicKey };
  yield { lines: [JSON.stringify(first)], entries: 0, of: head.sequence };
  let last = 0;
  while (last < head.sequence) {
    const page = (await readChain(database, tenant, last, pageEntries)).filter(
      (entry) => Number(entry.sequence) <= head.sequence,
    );
    if (page.length === 0) break;
    last = Number(page.at(-1)?.sequence ?? head.sequence);
    const lines = page.map((entry) =>
      JSON.stringify({
        type: 'entry',
        sequence: Number(entry.sequence),
        previous: entry.previous.toString('hex'),
        digest: entry.digest.toString('hex'),
        content: chainText(entry),
      }),
    );
    yield { lines, entries: last, of: head.sequence };
  }
  yield {
    lines: roots.map((root) => JSON.stringify({ type: 'root', ...root })),
    entries: last,
    of: head.sequence,
  };
}
