import type { Queries } from '../types.ts';

/** What waits in the database for work that every node does; each counted to `mostCounted` and no further. */
export interface Backlog {
  /** Entries that have no place in the chain yet: a second's, when all is well. */
  readonly ledger_entries: number;
  /** Events that have no place and no deliveries yet. */
  readonly events: number;
  readonly webhook_deliveries: number;
  readonly webhook_dead_letters: number;
  /** Exports and erasures. */
  readonly rights_requests: number;
}

const mostCounted = 10_000;

/** Reads partial indexes only. */
export async function readBacklog(queries: Queries): Promise<Backlog | undefined> {
  const counted = (from: string) => `(select count(*)::integer from (select from ${from} limit $1) x)`;
  const [row] = await queries.query<Backlog>(
    'read_backlog',
    `select ${counted('ledger where sequence is null')} as ledger_entries,
        ${counted('events where sequence is null')} as events,
        ${counted(`webhook_deliveries where status = 'pending'`)} as webhook_deliveries,
        ${counted(`webhook_deliveries where status = 'dead'`)} as webhook_dead_letters,
        ${counted(`rights_requests where status = 'running'`)} as rights_requests`,
    [mostCounted],
  );
  return row;
}
