/**
 * `samar doctor`: what is wrong with this installation, in words. Looks, and changes nothing: the one thing it starts
 * is the embedded database where that does not run, and it stops it again.
 *
 * May import: config, store, switch (prompts), doors. Imported by: the command line.
 */
import { fileURLToPath } from 'node:url';
import { type Doors, nodeDoors } from '@samar/doors';
import { type Config, ConfigError } from '../config.ts';
import { type Finding, ok, problem } from './doctor/findings.ts';
import * as machine from './doctor/machine.ts';
import * as platform from './doctor/platform.ts';

export type { Finding } from './doctor/findings.ts';

export interface Inspection {
  /** `loadConfig`, called inside: settings that can't be used are a finding, too. */
  readonly readConfig: () => Config;
  readonly doors?: Doors;
  /** Where the prompts are that come with Samar. */
  readonly promptsDirectory?: string;
}

const builtInPrompts = fileURLToPath(new URL('../../../../prompts', import.meta.url));

/** Everything that was looked at, in the order of a start. Something is wrong where a `level` is `problem`. */
export async function inspectInstallation(inspection: Inspection): Promise<readonly Finding[]> {
  const doors = inspection.doors ?? nodeDoors();
  const first = [machine.nodeVersion(process.version), machine.clock(doors.clock.now())];
  let config: Config;
  try {
    config = inspection.readConfig();
  } catch (error) {
    const words = error instanceof ConfigError ? error.message : 'they can not be read';
    return [...first, problem('settings', words, 'Correct it (docs/configuration.md), and ask again.')];
  }
  const running = await machine.runningProcess(config.dataDir);
  const ephemeral = await machine.ephemeralPorts(config);
  return [
    ...first,
    ok('settings', 'readable'),
    ...(await machine.dataDirectory(config.dataDir)),
    await machine.masterKey(config),
    ...(await platform.database(config, doors, running)),
    ...(await machine.ports(config, doors, running)),
    ...machine.capacity(config, machine.openFilesLimit()),
    ...(ephemeral === undefined ? [] : [ephemeral]),
    machine.publicAddress(config),
    await platform.prompts(inspection.promptsDirectory ?? builtInPrompts, config.promptsDir),
  ];
}
