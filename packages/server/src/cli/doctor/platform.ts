import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Doors } from '@samar/doors';
import type { Config } from '../../config.ts';
import type { Masking, Trunk } from '../../masking/service.ts';
import { openDatabase } from '../../store/index.ts';
import { readMigrations } from '../../store/migrate.ts';
import { loadPrompts, promptNames } from '../../switch/index.ts';
import { attempt, codeOf, type Finding, ok, problem, warning } from './findings.ts';

/** The oldest PostgreSQL that DATABASE_URL may point to. */
const OLDEST_POSTGRESQL = 150_000;
const CLOCKS_APART_MILLISECONDS = 2_000;
const MOST_NUMBERS_LOOKED_AT = 100_000;

/**
 * Reachable, recent, migrated, and of our time. The embedded one is started for this where it does not run; where
 * there is no data yet, one is tried in a temporary directory and thrown away.
 */
export async function database(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  doors: Pick<Doors, 'clock'>,
  running: number | undefined,
): Promise<readonly Finding[]> {
  const what = 'database';
  if (config.databaseUrl !== undefined)
    return look({ url: config.databaseUrl, migrations: false }, 'DATABASE_URL', doors);
  if (running !== undefined)
    return [ok(what, `the embedded PostgreSQL is in use by Samar (process ${running})`)];
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
  doors: Pick<Doors, 'clock'>,
): Promise<readonly Finding[]> {
  let opened: Awaited<ReturnType<typeof openDatabase>>;
  try {
    opened = await openDatabase(where);
  } catch (error) {
    return [unreachable(name, error)];
  }
  try {
    const [server] = await opened.query<{ version: string; now: Date; migrated: boolean }>(
      '',
      `select current_setting('server_version_num') as version, clock_timestamp() as now,
              to_regclass('schema_migrations') is not null as migrated`,
      [],
    );
    const rows = server?.migrated
      ? await opened.query<{ name: string }>('', 'select name from schema_migrations order by version', [])
      : [];
    const behind = Math.abs((server?.now.getTime() ?? 0) - doors.clock.now());
    return [
      version(name, Number(server?.version ?? 0)),
      migrations(rows.map((row) => row.name)),
      behind > CLOCKS_APART_MILLISECONDS
        ? problem(
            'clock',
            `the database’s clock is ${(behind / 1_000).toFixed(1)} s away from this machine’s`,
            'Run an NTP service on both: sessions end by the clock.',
          )
        : ok('clock', 'the same as the database’s'),
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

export async function prompts(directory: string): Promise<Finding> {
  const what = 'prompts';
  try {
    const book = await loadPrompts(directory);
    const folders = await readdir(directory, { withFileTypes: true });
    const languages = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const incomplete = languages.filter((language) =>
      promptNames.some((name) => !book.audio.has(`${language}/${name}`)),
    );
    if (incomplete.length === 0) return ok(what, languages.join(', '));
    return warning(
      what,
      `not complete in: ${incomplete.join(', ')}`,
      'Add what is missing (see prompts/README.md); until then English is heard instead.',
    );
  } catch (error) {
    const words = error instanceof Error ? error.message : codeOf(error);
    return problem(what, words, 'Restore the folder prompts, or set SAMAR_PROMPTS_DIR.');
  }
}

/** What the doctor looks at in the heart; made by `inventoryOf`, or by hand in tests. */
export interface Inventory {
  readonly trunks: readonly Trunk[];
  /** Numbers by the id of their carrier, enabled ones only. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** Looks at 100,000 numbers at most. */
export async function inventoryOf(
  masking: Pick<Masking, 'trunks' | 'listNumbers'>,
  tenant: string,
): Promise<Inventory> {
  const trunks = (await masking.trunks()).filter((trunk) => trunk.tenant === tenant);
  const numbers = new Map<string, number>();
  let after: string | undefined;
  for (let seen = 0; seen < MOST_NUMBERS_LOOKED_AT; ) {
    const page = await masking.listNumbers(
      tenant,
      {},
      { limit: 200, ...(after === undefined ? {} : { after }) },
    );
    for (const { carrier, enabled } of page.items) {
      if (enabled) numbers.set(carrier, (numbers.get(carrier) ?? 0) + 1);
    }
    seen += page.items.length;
    after = page.next;
    if (after === undefined) break;
  }
  return { trunks, numbers };
}

export async function carriers(
  inventory: Inventory,
  doors: Pick<Doors, 'network'>,
): Promise<readonly Finding[]> {
  const what = 'carriers';
  const { trunks, numbers } = inventory;
  const total = [...numbers.values()].reduce((sum, count) => sum + count, 0);
  if (trunks.length === 0) {
    return [
      warning(
        what,
        'there is none, so no call can come or go',
        'Create one: POST /v1/carriers (see README.md).',
      ),
    ];
  }
  const findings: Finding[] = [];
  if (total === 0) {
    findings.push(
      warning('numbers', 'there is none', 'Add some: POST /v1/numbers, or samar numbers import.'),
    );
  }
  const known = new Set(trunks.map(({ id }) => id));
  const stranded = [...numbers].reduce((sum, [carrier, count]) => sum + (known.has(carrier) ? 0 : count), 0);
  if (stranded > 0) {
    findings.push(
      problem(
        'numbers',
        `${stranded} belong to a carrier that is not there or disabled`,
        'Enable it, or move them to another.',
      ),
    );
  } else if (total > 0) {
    findings.push(ok('numbers', `${total}, all with a carrier`));
  }
  for (const trunk of trunks) findings.push(await carrier(trunk, numbers.get(trunk.id) ?? 0, doors));
  return findings;
}

async function carrier(trunk: Trunk, numbers: number, doors: Pick<Doors, 'network'>): Promise<Finding> {
  const what = `carrier ${trunk.name}`;
  if (!trunk.enabled && numbers > 0) {
    return problem(what, `disabled, but ${numbers} numbers belong to it`, 'Enable it, or move its numbers.');
  }
  if (!trunk.enabled) return ok(what, 'disabled');
  if (!(await resolves(trunk, doors))) {
    return problem(
      what,
      'its host has no address in DNS',
      'Check the host’s spelling, and this machine’s DNS.',
    );
  }
  if (numbers === 0) return warning(what, 'no number belongs to it', 'Add its numbers, or delete it.');
  return ok(what, `reachable by name; ${numbers} numbers`);
}

async function resolves(trunk: Trunk, doors: Pick<Doors, 'network'>): Promise<boolean> {
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
