import { afterAll, expect, test } from 'vitest';
import { testDatabase } from './testing.ts';

const databases = await Promise.all([testDatabase(), testDatabase(), testDatabase({ migrated: false })]);
afterAll(() => Promise.all(databases.map((each) => each.drop())));

test('each test file gets a migrated database of its own', async () => {
  const [one, other] = databases.map((each) => each.database);
  await one?.query('', `insert into tenants (tenant, name) values ('t', 'T')`, []);
  const found = `select tenant from tenants where tenant = 't'`;
  expect(await one?.query('', found, [])).toEqual([{ tenant: 't' }]);
  expect(await other?.query('', found, [])).toEqual([]);
});

test('an empty one has no tables', async () => {
  const rows = await databases[2]?.database.query(
    '',
    `select 1 from pg_tables where schemaname = 'public'`,
    [],
  );
  expect(rows).toEqual([]);
});
