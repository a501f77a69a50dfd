/**
 * The database as the rest of the server sees it. SQL lives in this folder only: numbered migrations in
 * `migrations/`, and one named function a statement in `queries/`.
 */

export interface Database {
  /**
   * Runs one statement, prepared once a connection under `name`. Never destroys the connection on an SQL error.
   * Rejects with `DatabaseError` (an SQL error, with its code) or `DatabaseUnavailable`.
   */
  query<Row>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]>;
  /** Runs `work` on one connection between BEGIN and COMMIT; rolls back when it throws. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Calls `handler` for every NOTIFY on the channel and after every reconnection (with `undefined`: look for yourself). */
  listen(
    channel: string,
    handler: (payload: string | undefined) => void,
  ): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

export type Queries = Pick<Database, 'query'>;
