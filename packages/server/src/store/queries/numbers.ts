import type { Queries } from '../types.ts';

export interface NumberRow {
  readonly number: string;
  readonly e164: string;
  readonly pool: string;
  readonly carrier: string;
  readonly country: string;
  readonly capabilities: readonly string[];
  readonly enabled: boolean;
  readonly use: 'pool' | 'reserved' | 'display';
  readonly draining: boolean;
  readonly today: number | null;
  readonly quarantined_until: Date | null;
  readonly area: string | null;
  readonly created_at: Date;
}

/** A quarantine that is over is none, though nobody has cleared it yet. */
const columns = `n.number, n.e164, n.pool, n.carrier, n.country, n.capabilities, n.enabled, n.use, n.draining,
  case when n.quarantined_until > platform_now() then n.quarantined_until end as quarantined_until, n.area, n.created_at,
  (select d.sessions from number_days d
    where d.tenant = n.tenant and d.number = n.number and d.day = (platform_now() at time zone 'UTC')::date) as today`;

export interface NewNumberRow {
  readonly number: string;
  readonly e164: string;
  readonly country: string;
  readonly area: string | undefined;
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
  actor: string,
): Promise<readonly AddedNumberRow[]> {
  return queries.query<AddedNumberRow>(
    'add_numbers',
    `select a.failure, a.position, a.added, ${columns}
      from add_numbers($1, $2, $3, $4, $5, $6, $7, $8, $9::bytea[], $10) a
      cross join lateral (select (a.item).*) n order by a.position`,
    [
      tenant,
      to.pool,
      to.carrier,
      to.capabilities,
      numbers.map((one) => one.number),
      numbers.map((one) => one.e164),
      numbers.map((one) => one.country),
      numbers.map((one) => one.area ?? null),
      numbers.map((one) => one.directoryFingerprint),
      actor,
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

/** `change` is JSON; fields that it doesn't have stay. A number that becomes usable goes to the end of its pool. */
export async function updateNumber(
  queries: Queries,
  tenant: string,
  number: string,
  change: string,
  actor: string,
): Promise<NumberRow | undefined> {
  const rows = await queries.query<NumberRow>(
    'update_number',
    `select ${columns} from update_number($1, $2, $3::jsonb, $4) n`,
    [tenant, number, change, actor],
  );
  return rows[0];
}

/** `in-use` while a live session holds it; `draining` instead when `drain` is asked for. */
export async function deleteNumber(
  queries: Queries,
  tenant: string,
  number: string,
  drain: boolean,
  actor: string,
): Promise<'deleted' | 'draining' | 'in-use' | 'missing'> {
  const rows = await queries.query<{
    readonly outcome: 'deleted' | 'draining' | 'in-use' | 'missing';
  }>('delete_number', 'select delete_number($1, $2, $3, $4) as outcome', [tenant, number, drain, actor]);
  return rows[0]?.outcome ?? 'missing';
}

/** No new sessions for so long. False when there is no such number. */
export async function quarantineNumber(
  queries: Queries,
  tenant: string,
  number: string,
  why: { readonly seconds: number; readonly reason: string; readonly actor: string },
): Promise<boolean> {
  const rows = await queries.query<{ readonly found: boolean }>(
    'quarantine_number',
    'select quarantine_number($1, $2, $3, $4, $5) as found',
    [tenant, number, why.seconds, why.reason, why.actor],
  );
  return rows[0]?.found === true;
}

export interface ReplacedRow {
  readonly replaced: number;
  readonly kept: number;
  /** Where the next batch goes on; null after the last one. */
  readonly last: string | null;
}

/** Gives the next `limit` live sessions on a number in quarantine, those after `after`, another one. */
export async function replaceNumber(
  queries: Queries,
  tenant: string,
  number: string,
  why: { readonly reason: string; readonly actor: string },
  after: string,
  limit: number,
): Promise<ReplacedRow> {
  const rows = await queries.query<ReplacedRow>(
    'replace_number',
    'select r.replaced, r.kept, r.last from replace_number($1, $2, $3, $4, $5, $6) r',
    [tenant, number, why.reason, why.actor, after, limit],
  );
  return rows[0] ?? { replaced: 0, kept: 0, last: null };
}

/** Drained numbers whose last session has ended are given back; returns how many. */
export function removeIdleNumbers(queries: Queries, limit: number): Promise<number> {
  return counted(queries, 'remove_idle_numbers', limit);
}

/** Numbers whose quarantine is over take their place at the end of their pool; returns how many. */
export function endQuarantines(queries: Queries, limit: number): Promise<number> {
  return counted(queries, 'end_quarantines', limit);
}

/** Loads of past days; returns how many rows went. */
export function forgetNumberDays(queries: Queries, limit: number): Promise<number> {
  return counted(queries, 'forget_number_days', limit);
}

async function counted(
  queries: Queries,
  work: 'remove_idle_numbers' | 'end_quarantines' | 'forget_number_days',
  limit: number,
): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(work, `select ${work}($1) as count`, [limit]);
  return rows[0]?.count ?? 0;
}
