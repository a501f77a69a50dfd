import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { migrate, readMigrations } from './migrate.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let empty: TestDatabase;
let directory: string;
beforeEach(async () => {
  empty = await testDatabase({ migrated: false });
  directory = mkdtempSync(join(tmpdir(), 'samar-migrations-'));
  write('0001_one.sql', 'create table one (a integer); insert into one values (1);');
  write('0002_two.sql', 'create table two (b integer);');
});
afterEach(async () => {
  await empty.drop();
  rmSync(directory, { recursive: true });
});

const write = (name: string, sql: string) => writeFileSync(join(directory, name), sql);
const run = (): Promise<{ readonly applied: readonly string[] }> => migrate(empty.database, { directory });

test('what is missing is applied, in order, once', async () => {
  const steps: unknown[] = [];
  const first = await migrate(empty.database, { directory, progress: (progress) => steps.push(progress) });
  expect(first.applied).toEqual(['0001_one', '0002_two']);
  expect(steps).toContainEqual({ step: 'applied', migration: '0002_two' });
  expect((await run()).applied).toEqual([]);
  write('0003_three.sql', 'alter table two add column c integer');
  expect((await run()).applied).toEqual(['0003_three']);
  expect(await empty.database.query('', 'select a from one', [])).toEqual([{ a: 1 }]);
});

test('processes that start together apply each migration once', async () => {
  const databases = await Promise.all(
    Array.from({ length: 4 }, () => openDatabase({ url: empty.url, migrations: false })),
  );
  const results = await Promise.all(databases.map((database) => migrate(database, { directory })));
  expect(results.flatMap(({ applied }) => applied).sort()).toEqual(['0001_one', '0002_two']);
  await Promise.all(databases.map((database) => database.close()));
});

test('a migration that fails leaves nothing of itself, and says where without quoting a value', async () => {
  write('0003_three.sql', `create table three (c integer);\ninsert into three values ('+6281100000001');`);
  await expect(run()).rejects.toMatchObject({ name: 'MigrationError', kind: 'failed' });
  await expect(run()).rejects.toThrow('migration 0003_three failed at line 2 (SQLSTATE 22003)');
  await expect(run()).rejects.not.toThrow('811');
  expect(await empty.database.query('', `select to_regclass('three')::text as three`, [])).toEqual([
    { three: null },
  ]);
  write('0003_three.sql', 'create table three (c integer)');
  expect((await run()).applied).toEqual(['0003_three']);
});

test('a migration that was changed after it was applied is refused', async () => {
  await run();
  write('0001_one.sql', 'create table one (a text)');
  await expect(run()).rejects.toMatchObject({ kind: 'changed' });
});

test('line ends are no change', async () => {
  write('0002_two.sql', 'create table two (\n  b integer\n);\n');
  await run();
  write('0002_two.sql', 'create table two (\r\n  b integer\r\n);\r\n');
  expect((await run()).applied).toEqual([]);
});

test('a database of a newer version is left alone', async () => {
  await run();
  rmSync(join(directory, '0002_two.sql'));
  await expect(run()).rejects.toMatchObject({ kind: 'unknown' });
});

test('a gap in the numbers is refused before anything is applied', async () => {
  write('0004_four.sql', 'create table four ()');
  await expect(run()).rejects.toMatchObject({ kind: 'missing' });
  rmSync(join(directory, '0004_four.sql'));
  write('0002_again.sql', 'create table again ()');
  await expect(run()).rejects.toMatchObject({ kind: 'missing' });
  expect(await empty.database.query('', `select to_regclass('one')::text as one`, [])).toEqual([
    { one: null },
  ]);
});

test('our own migrations are in order', () => {
  expect(readMigrations().length).toBeGreaterThan(0);
});
