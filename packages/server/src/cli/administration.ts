/**
 * The short commands: open the database, do one thing, say what was done. They work while the platform runs, too:
 * where the embedded PostgreSQL is up already, they are one more client of it.
 */
import { createReadStream, existsSync } from 'node:fs';
import { nodeDoors } from '@samar/doors';
import { type Config, ConfigError } from '../config.ts';
import { actAs, currentActor } from '../masking/actor.ts';
import { installation } from '../masking/context.ts';
import { createMasking } from '../masking/index.ts';
import { type Masking, MaskingError, type Scope, scopes } from '../masking/service.ts';
import { runningEmbeddedUrl } from '../store/embedded/running.ts';
import { EmbeddedServerError, type OpenDatabase, openDatabase } from '../store/index.ts';
import { insertEntry } from '../store/queries/ledger-reading.ts';
import { createVault, rotateKeys } from '../vault/index.ts';
import { type Finding, inspectInstallation } from './doctor.ts';
import { importNumbers } from './numbers.ts';
import { promptsDirectory } from './server.ts';

export interface Installation {
  readonly config: Config;
  readonly database: OpenDatabase;
  readonly vault: Awaited<ReturnType<typeof createVault>>;
  readonly masking: Masking;
}

/** What is done here stands in the ledger as done on the command line. */
export async function withInstallation<T>(
  config: Config,
  work: (installation: Installation) => Promise<T>,
): Promise<T> {
  const database = await openRunningOrStopped(config);
  try {
    const vault = await createVault({ database, masterKey: config.masterKey, dataDir: config.dataDir });
    const masking = createMasking({ database, vault, doors: nodeDoors() });
    return await actAs('command-line', () => work({ config, database, vault, masking }));
  } finally {
    await database.close();
  }
}

async function openRunningOrStopped(config: Config): Promise<OpenDatabase> {
  if (config.databaseUrl !== undefined) return openDatabase({ url: config.databaseUrl });
  try {
    return await openDatabase({ dataDir: config.dataDir });
  } catch (error) {
    const url =
      error instanceof EmbeddedServerError && error.kind === 'locked'
        ? runningEmbeddedUrl(config.dataDir)
        : undefined;
    if (url === undefined) throw error;
    return openDatabase({ url });
  }
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function complain(line: string): void {
  process.stderr.write(`samar: ${line}\n`);
}

export function importCommand(
  config: Config,
  file: string,
  options: { readonly pool: string; readonly carrier?: string; readonly tenant: string },
): Promise<number> {
  if (file !== '-' && !existsSync(file)) throw new ConfigError(`the file ${file} does not exist`);
  return withInstallation(config, async ({ masking }) => {
    const result = await importNumbers({
      csv: file === '-' ? process.stdin : createReadStream(file),
      pool: options.pool,
      ...(options.carrier === undefined ? {} : { carrier: options.carrier }),
      carriers: await carrierNames(masking, options.tenant),
      add: (numbers) => masking.addNumbers(options.tenant, numbers),
      progress: (done, total) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total} numbers`);
      },
    });
    if (process.stderr.isTTY) process.stderr.write('\n');
    if (result.kind === 'refused') {
      for (const { line, message } of result.problems) complain(`line ${line}: ${message}`);
      if (result.more > 0) complain(`and ${result.more} more`);
      complain(
        result.added === 0 ? 'nothing was imported' : `${result.added} numbers were imported before that`,
      );
      return 1;
    }
    say(`${result.added} numbers added, ${result.unchanged} were there already`);
    return 0;
  });
}

async function carrierNames(masking: Masking, tenant: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  let after: string | undefined;
  do {
    const page = await masking.listCarriers(tenant, {
      limit: 200,
      ...(after === undefined ? {} : { after }),
    });
    for (const carrier of page.items) names.add(carrier.id).add(carrier.name);
    after = page.next;
  } while (after !== undefined);
  return names;
}

export function createKeyCommand(
  config: Config,
  name: string,
  options: { readonly scope: readonly string[]; readonly tenant: string },
): Promise<number> {
  const wanted = options.scope.map((scope) => {
    const known = scopes.find((candidate) => candidate === scope);
    if (!known) throw new ConfigError(`${scope} is no scope; there are ${scopes.join(', ')}`);
    return known satisfies Scope;
  });
  return withInstallation(config, async ({ masking }) => {
    const key = await masking.createApiKey(options.tenant, { name, scopes: wanted });
    complain(`made ${key.id} (${key.scopes.join(', ')}); the key is shown only now`);
    say(key.secret);
    return 0;
  });
}

export function listKeysCommand(config: Config, options: { readonly tenant: string }): Promise<number> {
  return withInstallation(config, async ({ masking }) => {
    let after: string | undefined;
    do {
      const page = await masking.listApiKeys(options.tenant, {
        limit: 200,
        ...(after === undefined ? {} : { after }),
      });
      for (const key of page.items) {
        const state = key.revokedAt ? `revoked ${key.revokedAt.toISOString()}` : 'live';
        say([key.id, key.name, key.scopes.join(' '), state].join('\t'));
      }
      after = page.next;
    } while (after !== undefined);
    return 0;
  });
}

export function revokeKeyCommand(
  config: Config,
  id: string,
  options: { readonly tenant: string },
): Promise<number> {
  return withInstallation(config, async ({ masking }) => {
    try {
      const key = await masking.revokeApiKey(options.tenant, id);
      say(`${key.id} is revoked`);
      return 0;
    } catch (error) {
      if (!(error instanceof MaskingError && error.code === 'not-found')) throw error;
      complain('there is no such key; `samar keys list` shows them');
      return 1;
    }
  });
}

export function rotateCommand(
  config: Config,
  options: { readonly what: string; readonly tenant?: string },
): Promise<number> {
  const { what } = options;
  if (what !== 'master' && what !== 'tenant') throw new ConfigError('--what must be master or tenant');
  return withInstallation(config, async ({ database, vault }) => {
    await rotateKeys({
      database,
      vault,
      what,
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
      progress: (progress) => say(JSON.stringify(progress)),
    });
    await insertEntry(database, {
      ...{
        tenant: options.tenant ?? installation,
        kind: 'keys.rotated',
        actor: currentActor(),
        details: { what },
      },
      ...{ party: undefined, session: undefined, subject: undefined },
    });
    say(
      what === 'master'
        ? 'every tenant key is wrapped by the newest master key'
        : 'every party key is wrapped by a new tenant key',
    );
    return 0;
  });
}

/** Runs even when the settings can't be read: that is a finding, too. */
export async function doctorCommand(readConfig: () => Config): Promise<number> {
  const findings = await inspectInstallation({ readConfig, promptsDirectory });
  for (const finding of findings) say(line(finding));
  const problems = findings.filter((finding) => finding.level === 'problem').length;
  say(
    problems === 0
      ? '\nNothing is wrong.'
      : `\n${problems} ${problems === 1 ? 'problem' : 'problems'} to solve.`,
  );
  return problems === 0 ? 0 : 1;
}

function line(finding: Finding): string {
  const mark = { ok: '✓', warn: '!', problem: '✗' }[finding.level];
  return `${mark} ${finding.what}${finding.advice === undefined ? '' : `\n    → ${finding.advice}`}`;
}
