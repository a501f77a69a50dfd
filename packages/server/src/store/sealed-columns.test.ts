/** Every binary column is known: those that the tenant's key seals are wrapped anew by a rotation, and no other is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SEALED_COLUMNS } from './keys.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

/** Digests, fingerprints, public keys and wrapped keys; and what party keys encrypt, which a rotation leaves alone. */
const others = [
  ...['api_keys.secret_hash', 'idempotency_keys.request_digest', 'pins.digest', 'parties.fingerprint'],
  ...['ledger.digest', 'ledger.previous', 'ledger_heads.digest', 'ledger_roots.digest'],
  ...[
    'login_attempts.subject',
    'login_directory.name',
    'login_tickets.digest',
    'number_directory.fingerprint',
  ],
  ...['participants.transparency_digest', 'transparency_links.digest'],
  ...['user_invitations.digest', 'user_passkeys.credential', 'user_passkeys.public_key'],
  ...['user_recovery_codes.digest', 'user_sessions.digest'],
  ...['party_keys.wrapped', 'tenant_keys.wrapped', 'recordings.wrapped_key'],
  ...['parties.phone', 'participants.name', 'rights_exports.content', 'legal_seals.content'],
  'erasure_values.sealed',
];

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database?.drop());

test('a binary column is either sealed and rotated, or known to be something else', async () => {
  const rows = await database.database.query<{ readonly name: string }>(
    '',
    `select c.table_name || '.' || c.column_name as name from information_schema.columns c
      join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
      where c.data_type = 'bytea' and t.table_type = 'BASE TABLE' and c.table_schema not in ('pg_catalog', 'information_schema')`,
    [],
  );
  const known = [...SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`), ...others];
  expect(rows.map(({ name }) => name).sort()).toEqual([...new Set(known)].sort());
});
