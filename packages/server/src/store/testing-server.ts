/**
 * The PostgreSQL that one machine's test runs share: a process of its own, started by the first test that asks for a
 * database, ended by itself when nobody was connected for a while. Its data is thrown away, so it does not wait for
 * the disk. Arguments: the directory, seconds of idleness after which it ends.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startEmbedded } from './embedded.ts';
import { EmbeddedServerError } from './errors.ts';

const [directory = '', idleSeconds = '20'] = process.argv.slice(2);

async function serve(): Promise<void> {
  const server = await startEmbedded({
    dataDirectory: directory,
    sync: false,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  const announcement = join(directory, 'server.json');
  const stop = async () => {
    rmSync(announcement, { force: true });
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  for (let quiet = 0; quiet < Number(idleSeconds); quiet = (await users(server)) === 0 ? quiet + 1 : 0) {
    // Written again every time: after a restart it listens elsewhere.
    writeFileSync(`${announcement}.new`, JSON.stringify(server.connection()));
    renameSync(`${announcement}.new`, announcement);
    await sleep(1000);
  }
  await stop();
}

async function users(server: { connection(): pg.ClientConfig }): Promise<number> {
  const client = new pg.Client({ ...server.connection(), database: 'postgres' });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(
      `select count(*)::integer as users from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    return rows[0].users;
  } catch {
    return 0;
  } finally {
    await client.end().catch(() => {});
  }
}

serve().catch((error: unknown) => {
  // Another one was faster: whoever started us finds that one.
  if (error instanceof EmbeddedServerError && error.kind === 'locked') process.exit(0);
  console.error((error as Error).message);
  process.exit(1);
});
