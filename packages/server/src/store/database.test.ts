import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { type OpenDatabase, openDatabase } from './database.ts';
import { DatabaseError, DatabaseUnavailable } from './errors.ts';
import { testDatabase } from './testing.ts';

const { database, url, drop } = await testDatabase({ migrated: false });
const opened: OpenDatabase[] = [];
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await drop();
});
await database.query(
  '',
  'create table things (id integer primary key, name text, constraint short check (length(name) < 9))',
  [],
);

async function open(options: Partial<Parameters<typeof openDatabase>[0]> = {}): Promise<OpenDatabase> {
  const made = await openDatabase({ url, migrations: false, ...options });
  opened.push(made);
  return made;
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('it should have been refused'),
    (error: unknown) => error as DatabaseError,
  );

test('a refused statement is typed, says which constraint, and holds none of the values', async () => {
  const secret = '+6281100000001';
  await database.query(
    '',
    'create table numbers (e164 text constraint one_each primary key, at integer)',
    [],
  );
  const insert = (values: readonly unknown[]) =>
    database.query('number_insert', 'insert into numbers values ($1, $2::text::integer)', values);
  await insert([secret, '1']);
  const duplicate = await failure(insert([secret, '1']));
  expect(duplicate).toMatchObject({ code: '23505', constraint: 'one_each', statement: 'number_insert' });
  const wrongType = await failure(insert(['+1', secret]));
  expect(wrongType).toMatchObject({ code: '22003' });
  const checked = await failure(database.query('', 'insert into things values (1, $1)', [secret]));
  expect(checked).toMatchObject({ code: '23514', constraint: 'short' });
  for (const error of [duplicate, wrongType, checked]) {
    expect(error).toBeInstanceOf(DatabaseError);
    expect(
      JSON.stringify([error.message, error.stack, error, error.cause, Object.values(error)]),
    ).not.toContain('811');
  }
});

test('a refused statement keeps its connection', async () => {
  const narrow = await open({ maxConnections: 1 });
  const session = async () =>
    (await narrow.query<{ pid: number }>('', 'select pg_backend_pid() as pid', []))[0]?.pid;
  const before = await session();
  await failure(narrow.query('wrong', 'select 1/0', []));
  expect(await session()).toBe(before);
});

test('a transaction is kept whole or not at all', async () => {
  const insert = 'insert into things values ($1, $2)';
  const count = async (from: number) =>
    (await database.query('', 'select id from things where id between $1 and $1 + 9', [from])).length;
  await database.transaction(async (queries) => {
    await queries.query('things', insert, [10, 'a']);
    await queries.query('things', insert, [11, 'b']);
  });
  expect(await count(10)).toBe(2);
  await expect(
    database.transaction(async (queries) => {
      await queries.query('things', insert, [20, 'a']);
      throw new Error('changed my mind');
    }),
  ).rejects.toThrow('changed my mind');
  expect(await count(20)).toBe(0);
  // PostgreSQL answers such a COMMIT with a rollback and no error.
  await expect(
    database.transaction(async (queries) => {
      await queries.query('things', insert, [30, 'a']);
      await queries.query('things', insert, [30, 'a']).catch(() => {});
    }),
  ).rejects.toMatchObject({ code: '25P02' });
  expect(await count(30)).toBe(0);
});

test('nothing can be asked of a transaction that is over', async () => {
  let escaped: Parameters<Parameters<typeof database.transaction>[0]>[0] | undefined;
  await database.transaction(async (queries) => {
    escaped = queries;
  });
  await expect(escaped?.query('', 'select 1', [])).rejects.toThrow('after the end of its transaction');
});

test('callers past the bound are refused at once, and those in line in time', async () => {
  const narrow = await open({ maxConnections: 1, maxWaiting: 2, waitMilliseconds: 300 });
  const slow = narrow.query('', 'select pg_sleep(0.8)', []);
  await sleep(20);
  const inLine = [narrow.query('', 'select 1', []), narrow.query('', 'select 2', [])].map(failure);
  expect(await failure(narrow.query('', 'select 3', []))).toMatchObject({
    reason: 'queue-full',
    maybeDone: false,
  });
  for (const refused of await Promise.all(inLine)) {
    expect(refused).toMatchObject({ name: 'DatabaseUnavailable', reason: 'timeout', maybeDone: false });
  }
  await slow;
  expect(await narrow.query('', 'select 4 as n', [])).toEqual([{ n: 4 }]);
});

test('a statement that takes too long is cancelled', async () => {
  const hasty = await open({ statementMilliseconds: 100 });
  expect(await failure(hasty.query('', 'select pg_sleep(5)', []))).toMatchObject({ code: '57014' });
});

test('a connection that is cut is replaced', async () => {
  const narrow = await open({ maxConnections: 1 });
  const [row] = await narrow.query<{ pid: number }>('', 'select pg_backend_pid() as pid', []);
  const cut = failure(narrow.query('', 'select pg_sleep(5)', []));
  await sleep(50);
  await database.query('', 'select pg_terminate_backend($1)', [row?.pid]);
  expect(await cut).toMatchObject({ reason: 'lost', maybeDone: true });
  expect(await narrow.query('', 'select 1 as n', [])).toEqual([{ n: 1 }]);
});

test('a prepared statement survives a change of the schema', async () => {
  await database.query('', 'create table changing (a integer)', []);
  const narrow = await open({ maxConnections: 1 });
  const read = () => narrow.query('changing_all', 'select * from changing', []);
  await read();
  await database.query('', 'alter table changing add column b integer default 2', []);
  await database.query('', 'insert into changing values (1)', []);
  expect(await read()).toEqual([{ a: 1, b: 2 }]);
});

test('notifications arrive, and after a lost connection the listener is told to look', async () => {
  const heard: (string | undefined)[] = [];
  const listener = await open();
  const { close } = await listener.listen('news', (payload) => heard.push(payload));
  const notify = (text: string) => database.query('', `select pg_notify('news', $1)`, [text]);
  const until = async (condition: () => boolean) => {
    for (let turns = 0; !condition() && turns < 500; turns += 1) await sleep(10);
  };
  await notify('one');
  await until(() => heard.length === 1);
  await database.query(
    '',
    `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen "news"%' and datname = current_database()`,
    [],
  );
  await until(() => heard.length === 2);
  await notify('two');
  await until(() => heard.length === 3);
  expect(heard).toEqual(['one', undefined, 'two']);
  await close();
  await notify('three');
  await sleep(50);
  expect(heard).toHaveLength(3);
});

test('what a closed database is asked is refused', async () => {
  const closing = await open();
  await closing.close();
  expect(await failure(closing.query('', 'select 1', []))).toMatchObject({ reason: 'closed' });
  expect(await failure(closing.listen('news', () => {}))).toMatchObject({ reason: 'closed' });
});

test('a database that is not there is said in words, without its password', async () => {
  const wrong = new URL(url);
  wrong.pathname = '/there_is_none';
  const missing = await failure(openDatabase({ url: wrong.href }));
  expect(missing).toBeInstanceOf(DatabaseUnavailable);
  expect(missing.message).toContain('there is no such database');
  const nowhere = await failure(
    openDatabase({ url: 'postgresql://me:hidden@127.0.0.1:1/x', waitMilliseconds: 100 }),
  );
  expect(nowhere).toMatchObject({ reason: 'timeout' });
  expect(String(nowhere.stack)).not.toContain('hidden');
  expect(await failure(openDatabase({ url: 'me:hidden@somewhere' }))).toMatchObject({ reason: 'rejected' });
});

test('a transaction that lost its connection before the end did nothing, and says so', async () => {
  const work = database.transaction(async (queries) => {
    await queries.query('', `insert into things values (40, 'a')`, []);
    await queries.query('', 'select pg_terminate_backend(pg_backend_pid())', []);
  });
  expect(await failure(work)).toMatchObject({ reason: 'lost', maybeDone: false });
  expect(await database.query('', 'select id from things where id = 40', [])).toEqual([]);
});
