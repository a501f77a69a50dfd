import type { Queries } from '../types.ts';

export interface NumberRow {
  readonly number: string;
  readonly e164: string;
  readonly pool: string;
  readonly carrier: string;
  readonly country: string;
  readonly capabilities: readonly string[];
  readonly enabled: boolean;
  readonly created_at: Date;
}

const columns = 'n.number, n.e164, n.pool, n.carrier, n.country, n.capabilities, n.enabled, n.created_at';

export interface NewNumberRow {
  readonly number: string;
  readonly e164: string;
  readonly country: string;
  readonly directoryFingerprint: Buffer;
}

export type AddedNumberRow =
  | ({ readonly failure: null; readonly added: boolean } & NumberRow)
  /** `position` (1…) in the request. */
  | { readonly failure: 'taken'; readonly position: number };

/** All or nothing. */
export function addNumbers(
  queries: Queries,
  tenant: string,
  to: { readonly pool: string; readonly carrier: string; readonly capabilities: readonly string[] },
  numbers: readonly NewNumberRow[],
): Promise<readonly AddedNumberRow[]> {
  return queries.query<AddedNumberRow>(
    'add_numbers',
    'select * from add_numbers($1, $2, $3, $4, $5, $6, $7, $8::bytea[])',
    [
      tenant,
      to.pool,
      to.carrier,
      to.capabilities,
      numbers.map((one) => one.number),
      numbers.map((one) => one.e164),
      numbers.map((one) => one.country),
      numbers.map((one) => one.directoryFingerprint),
    ],
  );
}

export async function readNumber(
  queries: Queries,
  tenant: string,
  number: string,
): Promise<NumberRow | undefined> {
  const rows = await queries.query<NumberRow>(
    'read_number',
    `select ${columns} from numbers n where n.tenant = $1 and n.number = $2 and n.deleted_at is null`,
    [tenant, number],
  );
  return rows[0];
}

/** Oldest first. */
export function listNumbers(
  queries: Queries,
  tenant: string,
  pool: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<readonly NumberRow[]> {
  return queries.query<NumberRow>(
    'list_numbers',
    `select ${columns} from numbers n
      where n.tenant = $1 and n.deleted_at is null and n.number > $2 and ($3::text is null or n.pool = $3)
      order by n.number limit $4`,
    [tenant, after ?? '', pool ?? null, limit],
  );
}

/** Undefined fields stay. A number that becomes usable goes to the end of its pool. */
export async function updateNumber(
  queries: Queries,
  tenant: string,
  number: string,
  change: {
    readonly enabled: boolean | undefined;
    readonly pool: string | undefined;
    readonly capabilities: readonly string[] | undefined;
  },
): Promise<NumberRow | undefined> {
  const rows = await queries.query<NumberRow>(
    'update_number',
    `select ${columns} from update_number($1, $2, $3, $4, $5) n`,
    [tenant, number, change.enabled ?? null, change.pool ?? null, change.capabilities ?? null],
  );
  return rows[0];
}

/** `in-use` while a live session holds it. */
export async function deleteNumber(
  queries: Queries,
  tenant: string,
  number: string,
): Promise<'deleted' | 'in-use' | 'missing'> {
  const rows = await queries.query<{ readonly outcome: 'deleted' | 'in-use' | 'missing' }>(
    'delete_number',
    'select delete_number($1, $2) as outcome',
    [tenant, number],
  );
  return rows[0]?.outcome ?? 'missing';
}

export interface PoolRow {
  readonly pool: string;
  readonly numbers: number;
  readonly enabled: number;
  readonly cooldown: Readonly<Record<string, number>>;
  readonly exhaustion: 'refuse' | 'reuse-oldest';
}

export function listPools(queries: Queries, tenant: string): Promise<readonly PoolRow[]> {
  return queries.query<PoolRow>(
    'list_pools',
    `select o.pool, o.cooldown, o.exhaustion, count(n.number)::integer as numbers,
        (count(*) filter (where n.enabled))::integer as enabled
      from pools o left join numbers n on n.tenant = o.tenant and n.pool = o.pool and n.deleted_at is null
      where o.tenant = $1 group by o.tenant, o.pool order by o.pool`,
    [tenant],
  );
}

export async function updatePool(
  queries: Queries,
  tenant: string,
  pool: string,
  change: { readonly cooldown: string | undefined; readonly exhaustion: string | undefined },
): Promise<boolean> {
  const rows = await queries.query(
    'update_pool',
    `with changed as (
        update pools set cooldown = coalesce($3::jsonb, cooldown), exhaustion = coalesce($4, exhaustion)
          where tenant = $1 and pool = $2 returning pool
      ), told as (
        insert into ledger (tenant, entry, kind, actor, subject)
          select $1, new_id('led_'), 'pool.changed', 'api', pool from changed
      )
      select pool from changed`,
    [tenant, pool, change.cooldown ?? null, change.exhaustion ?? null],
  );
  return rows.length > 0;
}
