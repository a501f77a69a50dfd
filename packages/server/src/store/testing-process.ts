/**
 * A process that uses the store like the server does, for tests that kill it. Says `{"event":"ready",…}`, then
 * `{"kept":n}` for every row that was acknowledged, each a line. Argument: the data directory.
 */
import { openDatabase } from './database.ts';

const [dataDir = ''] = process.argv.slice(2);
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

try {
  const database = await openDatabase({ dataDir, migrations: false, embedded: { sync: false } });
  await database.query('', 'create table if not exists kept (n integer primary key)', []);
  const [row] = await database.query<{ next: number }>(
    '',
    'select coalesce(max(n), 0) + 1 as next from kept',
    [],
  );
  say({ event: 'ready', postgres: database.embedded?.pid(), uid: process.getuid?.() });
  let ending: Promise<void> | undefined;
  process.once('SIGTERM', () => {
    ending = database.close();
  });
  for (let n = row?.next ?? 1; ending === undefined; n += 1) {
    await database.query('keep', 'insert into kept values ($1)', [n]).then(
      () => say({ kept: n }),
      (error: unknown) => {
        if (ending === undefined) throw error;
      },
    );
  }
  await ending;
} catch (error) {
  const { kind, message } = error as { kind?: string; message: string };
  say({ event: 'failed', kind, message });
  process.exit(1);
}
