/** All pages of a search as one CSV. */
import { api } from '../../api.ts';
import { writeCsv } from '../../csv.ts';
import type { LedgerEntry, ListOf } from '../../types.ts';

const pageSize = 200;
export const mostExported = 50_000;
const head = ['id', 'sequence', 'at', 'kind', 'actor', 'party', 'session', 'subject', 'details', 'digest'];

/** `full`: there are more entries than are taken. Rejects when `signal` says so. */
export async function exportLedger(
  body: object,
  signal: AbortSignal,
  progress: (read: number) => void,
): Promise<{ readonly csv: string; readonly full: boolean }> {
  const rows: string[][] = [head];
  let after: string | undefined;
  do {
    const page: ListOf<LedgerEntry> = await api.post(
      '/v1/ledger/search',
      { ...body, limit: pageSize, ...(after === undefined ? {} : { after }) },
      { signal },
    );
    rows.push(...page.items.map(rowOf));
    progress(rows.length - 1);
    after = page.next;
  } while (after !== undefined && rows.length <= mostExported);
  return { csv: writeCsv(rows), full: after !== undefined };
}

function rowOf(entry: LedgerEntry): string[] {
  return [
    ...[entry.id, String(entry.sequence ?? ''), entry.at, entry.kind, entry.actor],
    ...[entry.party ?? '', entry.session ?? '', entry.subject ?? ''],
    ...[JSON.stringify(entry.details), entry.digest ?? ''],
  ];
}
