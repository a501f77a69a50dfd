/** Pools of virtual numbers: how numbers are chosen, and whether there are enough. */

import * as queries from '../../store/queries/pools.ts';
import { currentActor } from '../actor.ts';
import { type Context, invalid, notFound } from '../context.ts';
import type { Masking, Pool } from '../service.ts';

/** Ten years: longer is a mistake, and a number would never come back. */
const longestCooldown = 315_360_000;
const mostLoad = 1_000_000;

const policies: readonly Pool['exhaustion'][] = ['refuse', 'reuse-oldest', 'disambiguate', 'pin'];
const levels: readonly Pool['match'][] = ['any', 'prefer-country', 'country', 'prefer-area', 'area'];

type PoolChange = Parameters<Masking['updatePool']>[2];

export function createPools({
  database,
}: Pick<Context, 'database'>): Pick<Masking, 'listPools' | 'updatePool' | 'poolForecast'> {
  async function listPools(tenant: string): Promise<readonly Pool[]> {
    return (await queries.listPools(database, tenant)).map(toPool);
  }

  return {
    listPools,
    async updatePool(tenant, pool, change) {
      checkPool(change);
      const { cooldown, exhaustion, match, spread, loadLimit } = change;
      await queries.updatePool(
        database,
        tenant,
        pool,
        JSON.stringify({ cooldown, exhaustion, match, spread, loadLimit }),
        currentActor(),
      );
      const found = (await listPools(tenant)).find((one) => one.name === pool);
      if (found === undefined) throw notFound('pool');
      return found;
    },
    async poolForecast(tenant, pool) {
      const row = await queries.forecastPool(database, tenant, pool);
      if (row === undefined) throw notFound('pool');
      return {
        pool,
        numbers: row.numbers,
        needed: row.needed,
        headroom: row.numbers - row.needed,
        trendPerDay: row.trend ?? 0,
        ...(row.short_at === null ? {} : { shortAt: row.short_at }),
        status: row.status,
        days: await queries.listPoolDays(database, tenant, pool),
      };
    },
  };
}

function checkPool(change: PoolChange): void {
  for (const [role, seconds] of Object.entries(change.cooldown ?? {})) {
    if (!(role === '*' || /^[a-z][a-z0-9_-]{0,31}$/.test(role))) {
      throw invalid('Cooldown is given by role, or `*` for every other role.', '/cooldown');
    }
    if (!(Number.isFinite(seconds) && seconds >= 0 && seconds <= longestCooldown)) {
      throw invalid('A cooldown is 0 to 315,360,000 seconds.', `/cooldown/${role}`);
    }
  }
  if (change.exhaustion !== undefined && !policies.includes(change.exhaustion)) {
    throw invalid('Exhaustion is `refuse`, `reuse-oldest`, `disambiguate` or `pin`.', '/exhaustion');
  }
  if (change.match !== undefined && !levels.includes(change.match)) {
    throw invalid('Match is `any`, `prefer-country`, `country`, `prefer-area` or `area`.', '/match');
  }
  const limit = change.loadLimit ?? 1;
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= mostLoad)) {
    throw invalid('A load limit is 1 to 1,000,000 sessions a day.', '/loadLimit');
  }
}

function toPool(row: queries.PoolRow): Pool {
  const { pool, numbers, enabled, cooldown, exhaustion, match, spread } = row;
  return {
    name: pool,
    numbers,
    enabled,
    cooldown,
    exhaustion,
    match,
    spread,
    ...(row.load_limit === null ? {} : { loadLimit: row.load_limit }),
  };
}
