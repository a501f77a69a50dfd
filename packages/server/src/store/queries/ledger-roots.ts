/** The signed ends of days of tenants' chains. */
import type { Queries } from '../types.ts';

export interface DueRootRow {
  readonly tenant: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly sequence: string;
  readonly entries: string;
  readonly digest: Buffer;
}
export interface RootRow extends DueRootRow {
  readonly signature: string;
  readonly key_id: string;
}

const columns = `r.tenant, r.day::text as day, r.sequence::text as sequence, r.entries::text as entries, r.digest`;

/** The next root of each tenant that has one due: of a day before `before`. */
export function dueRoots(queries: Queries, before: string, limit: number): Promise<readonly DueRootRow[]> {
  return queries.query<DueRootRow>(
    'due_ledger_roots',
    `select ${columns} from (
        select h.tenant, n.day, n.sequence, n.entries, n.digest
          from ledger_heads h cross join lateral next_ledger_root(h.tenant, $1::date) n
          order by h.tenant limit $2
      ) r`,
    [before, limit],
  );
}

/** False: there is one of that day. */
export async function keepRoot(queries: Queries, root: RootRow): Promise<boolean> {
  const rows = await queries.query<{ readonly kept: boolean }>(
    'keep_ledger_root',
    'select keep_ledger_root($1, $2::date, $3, $4, $5, $6, $7) as kept',
    [root.tenant, root.day, root.sequence, root.entries, root.digest, root.signature, root.key_id],
  );
  return rows[0]?.kept === true;
}

/** Newest first; `before` is a day. */
export function listRoots(
  queries: Queries,
  tenant: string,
  before: string | undefined,
  limit: number,
): Promise<readonly RootRow[]> {
  return queries.query<RootRow>(
    'list_ledger_roots',
    `select ${columns}, r.signature, r.key_id from ledger_roots r
      where r.tenant = $1 and r.day < coalesce($2::date, 'infinity') order by r.day desc limit $3`,
    [tenant, before ?? null, limit],
  );
}

/** Oldest first, after a day. */
export function rootsAfter(
  queries: Queries,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<readonly RootRow[]> {
  return queries.query<RootRow>(
    'ledger_roots_after',
    `select ${columns}, r.signature, r.key_id from ledger_roots r
      where r.tenant = $1 and r.day > coalesce($2::date, '-infinity') order by r.day limit $3`,
    [tenant, after ?? null, limit],
  );
}

/** Tenants with a chain or a root. */
export async function chainedTenants(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly tenant: string }>(
    'chained_tenants',
    `select h.tenant from ledger_heads h union select r.tenant from ledger_roots r order by tenant`,
    [],
  );
  return rows.map((row) => row.tenant);
}
