import type { Queries } from '../types.ts';

export interface EventRow {
  readonly event: string;
  readonly kind: string;
  readonly at: Date;
  readonly session: string | null;
  readonly subject: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  /** Its number within the session; null until it is published, and without a session. */
  readonly session_order: number | null;
}

/** An event with its position among all of the installation. */
export interface PublishedEventRow extends EventRow {
  readonly tenant: string;
  readonly sequence: string;
}

const columns = 'e.event, e.kind, e.at, e.session, e.subject, e.data, e.session_order';

/**
 * Newest first. Each combination of filters is a statement of its own, so that each has its own plan. Published events
 * are found by indexes that hold only them; those that wait for their place are of a second, and looked through.
 */
export function listEvents(
  queries: Queries,
  search: {
    readonly tenant: string;
    readonly session: string | undefined;
    readonly kind: string | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly EventRow[]> {
  const values: unknown[] = [search.tenant, search.limit];
  let where = 'e.tenant = $1';
  let name = 'list_events';
  const filters = [
    ['session', search.session, '='],
    ['kind', search.kind, '='],
    ['event', search.after, '<'],
  ] as const;
  for (const [column, value, comparison] of filters) {
    if (value === undefined) continue;
    values.push(value);
    where += ` and e.${column} ${comparison} $${values.length}`;
    name += `_${column}`;
  }
  return queries.query<EventRow>(
    name,
    `select ${columns} from (
        (select e.* from events e where ${where} and e.sequence is not null order by e.event desc limit $2)
        union all
        (select e.* from events e where ${where} and e.sequence is null offset 0)
      ) e order by e.event desc limit $2`,
    values,
  );
}

/** Events older than 30 days; returns how many went. */
export async function forgetEvents(queries: Queries, limit: number): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'forget_events',
    'select forget_events($1, platform_now()) as count',
    [limit],
  );
  return rows[0]?.count ?? 0;
}

/** The last position that an event of the tenant's has. */
export async function lastPosition(queries: Queries, tenant: string): Promise<string> {
  const rows = await queries.query<{ readonly last: string }>(
    'last_event_position',
    'select coalesce(max(e.sequence), 0)::text as last from events e where e.tenant = $1 and e.sequence is not null',
    [tenant],
  );
  return rows[0]?.last ?? '0';
}

/** Undefined: there is no such event, or none any more. */
export async function positionOf(
  queries: Queries,
  tenant: string,
  event: string,
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly sequence: string | null }>(
    'event_position',
    'select e.sequence::text from events e where e.tenant = $1 and e.event = $2',
    [tenant, event],
  );
  return rows[0]?.sequence ?? undefined;
}

/** Those after a position of each tenant, in their order; at most `limit` a tenant. */
export function publishedAfter(
  queries: Queries,
  positions: ReadonlyMap<string, string>,
  limit: number,
): Promise<readonly PublishedEventRow[]> {
  return queries.query<PublishedEventRow>(
    'published_events_after',
    `select e.* from unnest($1::text[], $2::bigint[]) as p(tenant, position)
      cross join lateral (
        select e.tenant, e.sequence::text, ${columns} from events e
          where e.tenant = p.tenant and e.sequence > p.position order by e.sequence limit $3
      ) e`,
    [[...positions.keys()], [...positions.values()], limit],
  );
}
