import type { Queries } from '../types.ts';

export interface EventRow {
  readonly event: string;
  readonly kind: string;
  readonly at: Date;
  readonly session: string | null;
  readonly subject: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Newest first. Each combination of filters is a statement of its own, so that each has its own plan. */
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
  let text = 'select e.event, e.kind, e.at, e.session, e.subject, e.data from events e where e.tenant = $1';
  let name = 'list_events';
  const filters = [
    ['session', search.session, '='],
    ['kind', search.kind, '='],
    ['event', search.after, '<'],
  ] as const;
  for (const [column, value, comparison] of filters) {
    if (value === undefined) continue;
    values.push(value);
    text += ` and e.${column} ${comparison} $${values.length}`;
    name += `_${column}`;
  }
  return queries.query<EventRow>(name, `${text} order by e.event desc limit $2`, values);
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
