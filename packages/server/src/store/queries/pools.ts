import type { Queries } from '../types.ts';

export interface PoolRow {
  readonly pool: string;
  readonly numbers: number;
  readonly enabled: number;
  readonly cooldown: Readonly<Record<string, number>>;
  readonly exhaustion: 'refuse' | 'reuse-oldest' | 'disambiguate' | 'pin';
  readonly match: 'any' | 'prefer-country' | 'country' | 'prefer-area' | 'area';
  readonly spread: boolean;
  readonly load_limit: number | null;
}

export function listPools(queries: Queries, tenant: string): Promise<readonly PoolRow[]> {
  return queries.query<PoolRow>(
    'list_pools',
    `select o.pool, o.cooldown, o.exhaustion, o.match, o.spread, o.load_limit, count(n.number)::integer as numbers,
        (count(*) filter (where n.enabled))::integer as enabled
      from pools o left join numbers n on n.tenant = o.tenant and n.pool = o.pool and n.deleted_at is null
      where o.tenant = $1 group by o.tenant, o.pool order by o.pool`,
    [tenant],
  );
}

/** `change` is JSON; fields that it doesn't have stay. False when there is no such pool. */
export async function updatePool(
  queries: Queries,
  tenant: string,
  pool: string,
  change: string,
  actor: string,
): Promise<boolean> {
  const rows = await queries.query<{ readonly found: boolean }>(
    'update_pool',
    'select update_pool($1, $2, $3::jsonb, $4) as found',
    [tenant, pool, change, actor],
  );
  return rows[0]?.found === true;
}

export interface ForecastRow {
  readonly needed: number;
  readonly numbers: number;
  readonly trend: number | null;
  readonly short_at: Date | null;
  readonly status: 'enough' | 'low' | 'short';
}

/** From the last sample, taken now when that is older than five minutes. Undefined: there is no such pool. */
export async function forecastPool(
  queries: Queries,
  tenant: string,
  pool: string,
): Promise<ForecastRow | undefined> {
  const rows = await queries.query<ForecastRow>(
    'forecast_pool',
    `select f.needed, f.numbers, f.trend, f.short_at, f.status from forecast_pool($1, $2) f
      where f.status is not null`,
    [tenant, pool],
  );
  return rows[0];
}

export interface PoolDayRow {
  readonly day: string;
  readonly needed: number;
  readonly numbers: number;
}

/** The most that was needed on each day, oldest first; samples are kept for 60 days. */
export function listPoolDays(queries: Queries, tenant: string, pool: string): Promise<readonly PoolDayRow[]> {
  return queries.query<PoolDayRow>(
    'list_pool_days',
    `select to_char(s.day, 'YYYY-MM-DD') as day, s.needed, s.numbers from pool_samples s
      where s.tenant = $1 and s.pool = $2 order by s.day limit 62`,
    [tenant, pool],
  );
}

/** Every pool that is due, of every tenant; one node at a time. Warns of those that are low or short. */
export async function samplePools(queries: Queries, limit = 10_000): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'sample_pools',
    'select sample_pools($1) as count',
    [limit],
  );
  return rows[0]?.count ?? 0;
}

/** Places with an area (`US212`) that the pool has numbers in; none when it doesn't match by area. */
export async function readPoolPlaces(
  queries: Queries,
  tenant: string,
  pool: string,
  limit: number,
): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly place: string }>(
    'read_pool_places',
    `select distinct n.place from pools o
      join numbers n on n.tenant = o.tenant and n.pool = o.pool
      where o.tenant = $1 and o.pool = $2 and o.match = any ('{area,prefer-area}')
        and n.enabled and n.use = 'pool' and not n.draining and n.open_session is null and n.area is not null
      order by n.place limit $3`,
    [tenant, pool, limit],
  );
  return rows.map((row) => row.place);
}
