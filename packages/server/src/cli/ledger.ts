/** The auditor's commands. They read only, and work while the platform runs. */
import { existsSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import { isTenantName } from '../masking/context.ts';
import { chainedTenants } from '../store/queries/ledger-roots.ts';
import { createAnchors, readAnchors } from '../trust/ledger/anchors.ts';
import { exportLines } from '../trust/ledger/export.ts';
import { allRoots } from '../trust/ledger/roots.ts';
import { verifyLedger } from '../trust/ledger/verify.ts';
import type { LedgerCheck } from '../trust/service.ts';
import { createSigner } from '../trust/signing.ts';
import { complain, type Installation, say, withInstallation } from './administration.ts';

export async function verifyCommand(
  config: Config,
  options: { readonly tenant?: string; readonly roots?: string },
): Promise<number> {
  const { tenant, roots } = options;
  if (tenant !== undefined) checkTenant(tenant);
  if (roots !== undefined && tenant === undefined) throw new ConfigError('--roots needs --tenant');
  const elsewhere = roots === undefined ? [] : readAnchors(await readGiven(roots));
  if (roots !== undefined && elsewhere.length === 0) throw new ConfigError(`the file ${roots} has no roots`);
  return withInstallation(config, async ({ database, vault }) => {
    const signer = await createSigner(vault);
    const anchors = anchorsOf(config);
    const tenants =
      tenant === undefined
        ? [...new Set([...(await chainedTenants(database)), ...(await anchors.tenants())])].sort()
        : [tenant];
    let faults = 0;
    for (const one of tenants) {
      const progress = progressLine((read, of) => `${one}: ${read} of ${of} entries`);
      const check = await verifyLedger(one, {
        ...{ database, signer, anchors, elsewhere },
        progress: progress.show,
      });
      progress.end();
      if (check.ok) say(`${one}: ${inWords(check)}`);
      else complain(`${one}: ${faultInWords(check)}`);
      faults += check.ok ? 0 : 1;
    }
    if (tenants.length === 0) say('no ledger has an entry yet');
    return faults === 0 ? 0 : 1;
  });
}

export function rootsCommand(config: Config, { tenant }: { readonly tenant: string }): Promise<number> {
  checkTenant(tenant);
  return withInstallation(config, async ({ database }) => {
    for (const root of await allRoots(database, tenant)) say(JSON.stringify({ tenant, ...root }));
    return 0;
  });
}

export function exportCommand(
  config: Config,
  { tenant, to }: { readonly tenant: string; readonly to: string },
): Promise<number> {
  checkTenant(tenant);
  if (existsSync(to)) throw new ConfigError(`the file ${to} exists already`);
  return withInstallation(config, async (installation) => {
    const entries = await writeExport(installation, tenant, to);
    say(`${entries} entries of ${tenant} are in ${to}`);
    return 0;
  });
}

/** A file that is not whole doesn't stay. */
async function writeExport({ database, vault }: Installation, tenant: string, to: string): Promise<number> {
  const file = await open(to, 'wx', 0o600);
  const progress = progressLine((read, of) => `${read} of ${of} entries`);
  try {
    const signer = await createSigner(vault);
    let entries = 0;
    for await (const part of exportLines(tenant, { database, signer })) {
      entries = part.entries;
      await file.appendFile(part.lines.map((line) => `${line}\n`).join(''));
      progress.show(part.entries, part.of);
    }
    await file.sync();
    return entries;
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  } finally {
    progress.end();
    await file.close();
  }
}

function anchorsOf(config: Config): ReturnType<typeof createAnchors> {
  return createAnchors(join(config.dataDir, 'ledger-roots'));
}

function checkTenant(tenant: string): void {
  if (!isTenantName(tenant) && tenant !== 'installation') throw new ConfigError('--tenant names no tenant');
}

async function readGiven(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new ConfigError(`the file ${file} can't be read`);
  }
}

/** One line that is written over, where somebody watches. */
function progressLine(text: (read: number, of: number) => string) {
  const watched = process.stderr.isTTY === true;
  return {
    show(read: number, of: number): void {
      if (watched) process.stderr.write(`\r${text(read, of)}`);
    },
    end(): void {
      if (watched) process.stderr.write('\r\x1b[K');
    },
  };
}

function inWords({ entries, unsealed, roots, digest }: Extract<LedgerCheck, { readonly ok: true }>): string {
  const waiting = unsealed === 0 ? '' : `, ${unsealed} not yet sealed`;
  return `intact: ${entries} entries${waiting}, ${roots} signed days; ends in ${digest}`;
}

function faultInWords({ fault, sequence, entry }: Extract<LedgerCheck, { readonly ok: false }>): string {
  const named = entry === undefined ? `entry ${sequence}` : `entry ${sequence} (${entry})`;
  switch (fault) {
    case 'changed':
      return `CHANGED: ${named} is not what was sealed`;
    case 'removed':
      return `REMOVED: no entry stands at place ${sequence}`;
    case 'moved':
      return `MOVED: ${named} is not at the place where it was sealed`;
    case 'root-mismatch':
      return `REWRITTEN: the chain up to ${named} is not the one that was signed`;
    case 'root-forged':
      return `FORGED: the root at place ${sequence} has a signature that is not this installation’s`;
  }
}
