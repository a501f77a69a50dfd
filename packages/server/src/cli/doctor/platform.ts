import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Doors } from '@samar/doors';
import type { Config } from '../../config.ts';
import { runningEmbeddedUrl } from '../../store/embedded/running.ts';
import { openDatabase } from '../../store/index.ts';
import { readMigrations } from '../../store/migrate.ts';
import {
  appliedMigrations,
  type CarrierUseRow,
  carrierUse,
  readServer,
} from '../../store/queries/installation.ts';
import { loadPrompts, ownPrompts, promptNames } from '../../switch/index.ts';
import { attempt, codeOf, type Finding, ok, problem, warning } from './findings.ts';

/** The oldest PostgreSQL that DATABASE_URL may point to. */
const OLDEST_POSTGRESQL = 150_000;
const CLOCKS_APART_MILLISECONDS = 2_000;

/**
 * Reachable, recent, migrated, of our time; and the carriers and numbers in it. The embedded one is asked beside the Samar that runs it, and started for this where none does; where
 * there is no data yet, one is tried in a temporary directory and thrown away.
 */
export async function database(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  doors: Pick<Doors, 'clock' | 'network'>,
  running: number | undefined,
): Promise<readonly Finding[]> {
  const what = 'database';
  if (config.databaseUrl !== undefined)
    return look({ url: config.databaseUrl, migrations: false }, 'DATABASE_URL', doors);
  if (running !== undefined) {
    const url = runningEmbeddedUrl(config.dataDir);
    if (url !== undefined) return look({ url, migrations: false }, 'the embedded PostgreSQL', doors);
    return [
      warning(
        what,
        `Samar runs (process ${running}), but its embedded PostgreSQL does not answer`,
        'It may be starting: ask again. Else look into postgres.log of the data directory.',
      ),
    ];
  }
  if ((await attempt(() => stat(join(config.dataDir, 'postgres')))) !== undefined) {
    return look({ dataDir: config.dataDir, migrations: false }, 'the embedded PostgreSQL', doors);
  }
  const directory = await mkdtemp(join(tmpdir(), 'samar-doctor-'));
  try {
    const opened = await openDatabase({ dataDir: join(directory, 'data'), embedded: { sync: false } });
    await opened.close();
    return [ok(what, 'the embedded PostgreSQL starts here; its data is made at the first start')];
  } catch (error) {
    return [unreachable('the embedded PostgreSQL', error)];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function look(
  where: Parameters<typeof openDatabase>[0],
  name: string,
  doors: Pick<Doors, 'clock' | 'network'>,
): Promise<readonly Finding[]> {
  let opened: Awaited<ReturnType<typeof openDatabase>>;
  try {
    opened = await openDatabase(where);
  } catch (error) {
    return [unreachable(name, error)];
  }
  try {
    const server = await readServer(opened);
    const applied = migrations(server.migrated ? await appliedMigrations(opened) : []);
    const apart = Math.abs(server.now.getTime() - doors.clock.now());
    return [
      version(name, server.version),
      applied,
      apart > CLOCKS_APART_MILLISECONDS
        ? problem(
            'clock',
            `the database’s clock is ${(apart / 1_000).toFixed(1)} s away from this machine’s`,
            'Run an NTP service on both: sessions end by the clock.',
          )
        : ok('clock', 'the same as the database’s'),
      ...(applied.level === 'ok' && server.migrated ? await carriers(await carrierUse(opened), doors) : []),
    ];
  } catch (error) {
    return [unreachable(name, error)];
  } finally {
    await opened.close();
  }
}

function unreachable(name: string, error: unknown): Finding {
  // The store's errors say what to do and carry no values; anything else is named by its code only.
  const named = error instanceof Error && /^(Embedded|Database|Migration)/.test(error.name);
  const words = named ? error.message : codeOf(error);
  return problem('database', `${name}: ${words}`, 'Mend that, and ask again.');
}

function version(name: string, number: number): Finding {
  const words = `${name}, version ${Math.floor(number / 10_000)}.${number % 10_000}`;
  if (number >= OLDEST_POSTGRESQL) return ok('database', words);
  return problem('database', words, 'Samar needs PostgreSQL 15 or later: upgrade it.');
}

export function migrations(applied: readonly string[]): Finding {
  const what = 'migrations';
  const ours = readMigrations().map(({ name }) => name);
  const newer = applied.filter((name) => !ours.includes(name)).length;
  if (newer > 0) {
    return problem(
      what,
      'the database was used by a newer Samar',
      'Run that version, or restore a backup from before.',
    );
  }
  const pending = ours.length - applied.length;
  if (pending === 0) return ok(what, `all ${ours.length} applied`);
  return applied.length === 0
    ? ok(what, 'none yet; the first start applies them')
    : warning(
        what,
        `${pending} not yet applied`,
        'The next start of samar serve applies them; back up before that.',
      );
}

/** @param own the setting: a folder of prompts that go before those in `directory` */
export async function prompts(directory: string, own?: string): Promise<Finding> {
  const what = 'prompts';
  try {
    const book = await loadPrompts(directory);
    const added = own === undefined ? '' : `; ${(await ownPrompts(own)).size} of your own`;
    const folders = await readdir(directory, { withFileTypes: true });
    const languages = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const incomplete = languages.filter((language) =>
      promptNames.some((name) => !book.audio.has(`${language}/${name}`)),
    );
    if (incomplete.length === 0) return ok(what, `${languages.join(', ')}${added}`);
    return warning(
      what,
      `not complete in: ${incomplete.join(', ')}`,
      'Add what is missing (see prompts/README.md); until then English is heard instead.',
    );
  } catch (error) {
    const words = error instanceof Error ? error.message : codeOf(error);
    const advice =
      own === undefined
        ? 'Restore the folder prompts.'
        : 'Correct that file (docs/operations.md, own announcements), or unset SAMAR_PROMPTS_DIR.';
    return problem(what, words, advice);
  }
}

/** Exported for tests. */
export async function carriers(
  all: readonly CarrierUseRow[],
  doors: Pick<Doors, 'network'>,
): Promise<readonly Finding[]> {
  if (all.length === 0) {
    const advice = 'Create one: POST /v1/carriers (see README.md).';
    return [warning('carriers', 'there is none, so no call can come or go', advice)];
  }
  const total = all.reduce((sum, { numbers }) => sum + numbers, 0);
  const numbers =
    total === 0
      ? warning('numbers', 'there is none', 'Add some: POST /v1/numbers, or samar numbers import.')
      : ok('numbers', `${total} enabled`);
  return [numbers, ...(await Promise.all(all.map((one) => carrier(one, doors))))];
}

async function carrier(one: CarrierUseRow, doors: Pick<Doors, 'network'>): Promise<Finding> {
  const about = `carrier ${one.name}`;
  const { numbers } = one;
  if (!one.enabled) {
    if (numbers === 0) return ok(about, 'disabled');
    return problem(about, `disabled, but ${numbers} numbers belong to it`, 'Enable it, or move its numbers.');
  }
  if (!(await resolves(one, doors))) {
    return problem(
      about,
      'its host has no address in DNS',
      'Check the spelling of the host, and this machine’s DNS.',
    );
  }
  if (numbers === 0) return warning(about, 'no number belongs to it', 'Add its numbers, or delete it.');
  return ok(about, `its host resolves; ${numbers} numbers`);
}

async function resolves(trunk: CarrierUseRow, doors: Pick<Doors, 'network'>): Promise<boolean> {
  const host = trunk.host.replace(/^\[|\]$/g, '');
  if (isIP(host) > 0) return true;
  const { dns } = doors.network;
  const service = `${trunk.transport === 'tls' ? '_sips._tcp' : `_sip._${trunk.transport}`}.${host}`;
  const answers = await Promise.all([
    attempt(() => dns.a(host)),
    attempt(() => dns.aaaa(host)),
    attempt(() => dns.srv(service)),
  ]);
  return answers.some((answer) => answer !== undefined && answer.length > 0);
}
