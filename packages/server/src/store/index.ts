/**
 * store: PostgreSQL for the rest of the server. `openDatabase` starts the embedded server (`embedded.ts`) or connects
 * to DATABASE_URL, and brings the schema up to date (`migrations/`, `migrate.ts`). SQL lives in this folder only.
 *
 * May import: Node, `pg`. Imported by: vault, masking, trust, events, cli.
 */
export { type DatabaseOptions, type OpenDatabase, openDatabase } from './database.ts';
export type { EmbeddedEvent, EmbeddedServer } from './embedded.ts';
export { EmbeddedServerError } from './errors.ts';
export type { DatabaseEvent } from './listener.ts';
export type { Database, Queries } from './types.ts';
