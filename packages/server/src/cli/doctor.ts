/**
 * `samar doctor`: what is wrong with this installation, in words. Looks, and changes nothing: the one thing it starts
 * is the embedded database where that does not run, and it stops it again.
 *
 * May import: config, store, masking (types), switch (prompts). Imported by: cli.
 */
import type { Doors } from '@samar/doors';
import { type Config, ConfigError } from '../config.ts';
import { attempt, type Finding, ok, problem, warning } from './doctor/findings.ts';
import * as machine from './doctor/machine.ts';
import * as platform from './doctor/platform.ts';

export type { Finding } from './doctor/findings.ts';
export { type Inventory, inventoryOf } from './doctor/platform.ts';

export interface Examination {
  /** `loadConfig`, called inside: settings that can't be used are the first finding. */
  readonly config: () => Config;
  readonly doors: Doors;
  /** Where prompts are when the configuration does not say. */
  readonly promptsDirectory: string;
  /**
   * Carriers and numbers, where the platform's database can be used: opened by the caller (`inventoryOf`), after the
   * database was found healthy. May reject. Without it, carriers are not looked at.
   */
  readonly inventory?: (config: Config) => Promise<platform.Inventory>;
}

/** Resolves to everything that was looked at, in the order of a start. Never rejects. */
export async function examine(examination: Examination): Promise<readonly Finding[]> {
  const { doors } = examination;
  const first = [machine.nodeVersion(process.version), machine.clock(doors.clock.now())];
  let config: Config;
  try {
    config = examination.config();
  } catch (error) {
    const words = error instanceof ConfigError ? error.message : 'the settings can not be read';
    return [...first, problem('settings', words, 'Correct it (docs/configuration.md), and ask again.')];
  }
  const running = await machine.runningProcess(config.dataDir);
  const ephemeral = await machine.ephemeralPorts(config);
  const database = await platform.database(config, doors, running);
  const healthy = database.every(({ status }) => status !== 'problem');
  return [
    ...first,
    ok('settings', 'readable'),
    ...(await machine.dataDirectory(config.dataDir)),
    await machine.masterKey(config),
    ...database,
    ...(await machine.ports(config, doors, running)),
    ...machine.capacity(config, machine.openFilesLimit()),
    ...(ephemeral === undefined ? [] : [ephemeral]),
    machine.publicAddress(config),
    await platform.prompts(config.promptsDir ?? examination.promptsDirectory),
    ...(healthy ? await carriers(examination, config) : []),
  ];
}

async function carriers(examination: Examination, config: Config): Promise<readonly Finding[]> {
  const { inventory, doors } = examination;
  if (inventory === undefined) return [];
  const found = await attempt(() => inventory(config));
  if (found === undefined) {
    return [
      warning('carriers', 'they could not be looked at', 'Ask GET /v1/carriers of the running platform.'),
    ];
  }
  return platform.carriers(found, doors);
}

/** For a terminal. The exit code is 1 when there is a problem, else 0. */
export function report(findings: readonly Finding[]): { readonly text: string; readonly exitCode: 0 | 1 } {
  const width = Math.max(...findings.map(({ what }) => what.length));
  const lines = findings.flatMap((finding) => {
    const line = `${marks[finding.status]}  ${finding.what.padEnd(width)}  ${finding.words}`;
    return finding.status === 'ok' ? [line] : [line, `${' '.repeat(9 + width + 2)}→ ${finding.remedy}`];
  });
  const problems = findings.filter(({ status }) => status === 'problem').length;
  const warnings = findings.filter(({ status }) => status === 'warning').length;
  const sum = problems + warnings === 0 ? 'Nothing is wrong.' : `${problems} problems, ${warnings} warnings.`;
  return { text: `${[...lines, '', sum].join('\n')}\n`, exitCode: problems > 0 ? 1 : 0 };
}

const marks: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  problem: 'PROBLEM',
};
