/** What a data protection officer does at the machine itself, while the platform runs or stands still. */
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeDoors } from '@samar/doors';
import { type Config, ConfigError } from '../config.ts';
import { currentActor } from '../masking/actor.ts';
import { withKeys } from '../masking/context.ts';
import { openSeals } from '../store/queries/erasure.ts';
import { createTrust } from '../trust/index.ts';
import { complain, type Installation, say, withInstallation } from './administration.ts';
import { objectStore } from './server.ts';

const longestMinutes = 10;

export async function privacyCommand(
  config: Config,
  kind: 'export' | 'erase' | 'restrict',
  phone: string,
  options: { readonly reason: string; readonly yes: boolean; readonly tenant: string },
): Promise<number> {
  if (!options.yes && !(await confirmed(kind, phone))) {
    complain('those are not its last four digits: nothing was done');
    return 1;
  }
  return withInstallation(config, async (installation) => {
    const trust = await trustOf(installation);
    try {
      const { rights } = trust;
      const ask = { export: rights.requestExport, erase: rights.requestErasure, restrict: rights.restrict }[
        kind
      ];
      const { tenant, reason } = options;
      const { id } = await ask(tenant, { phone }, reason);
      complain(`${kind}: request ${id}`);
      const until = performance.now() + longestMinutes * 60_000;
      let request = await rights.get(tenant, id);
      while (request.status === 'running' && performance.now() < until) {
        if (process.stderr.isTTY) process.stderr.write('.');
        await sleep(200);
        request = await rights.get(tenant, id);
      }
      if (process.stderr.isTTY) process.stderr.write('\n');
      if (request.status !== 'done') {
        complain(`the request is ${request.status}; see it with GET /v1/privacy/requests/${id}`);
        return 1;
      }
      if (kind === 'export') say(JSON.stringify(await rights.readExport(tenant, id), undefined, 2));
      else if (request.receipt) say(JSON.stringify(request.receipt, undefined, 2));
      else say(`${id} is in force`);
      return 0;
    } finally {
      await trust.stop();
    }
  });
}

export function openSealCommand(
  config: Config,
  request: string,
  options: { readonly reason: string; readonly tenant: string },
): Promise<number> {
  const reason = options.reason.trim();
  if (reason.length < 3 || reason.length > 500) throw new ConfigError('--reason has 3 to 500 characters');
  return withInstallation(config, async ({ database, vault }) => {
    const { tenant } = options;
    const seals = await openSeals(database, { tenant, request, reason, actor: currentActor() });
    if (seals.length === 0) {
      complain('nothing is kept sealed of this request, or not any more');
      return 1;
    }
    await withKeys({ vault }, tenant, (keys) => {
      for (const {
        seal,
        content,
        party_key: partyKey,
        wrapped,
        tenant_key_version: tenantKeyVersion,
      } of seals) {
        const cipher = keys.openPartyKey(seal, { partyKey, wrapped, tenantKeyVersion });
        say(cipher.decrypt(content, { tenant, table: 'legal_seals', column: 'content', row: seal }));
      }
    });
    return 0;
  });
}

function trustOf({ config, database, vault, masking }: Installation) {
  const doors = nodeDoors();
  const objects = objectStore(config, doors);
  return createTrust({
    ...{ database, vault, doors, masking, recordings: join(config.dataDir, 'recordings') },
    ...(objects && { objects }),
    report: (task, error) => complain(`${task}: ${error instanceof Error ? error.name : 'unknown error'}`),
  });
}

/** Whoever mistypes a number should not erase somebody else. */
async function confirmed(kind: string, phone: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await asking.question(`To ${kind}, type the last four digits of the number again: `);
    return typed.trim() === phone.replaceAll(/\D/g, '').slice(-4);
  } finally {
    asking.close();
  }
}
