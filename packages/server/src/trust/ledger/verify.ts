/** Reads a tenant's whole chain and its roots, and names the first entry that is not what it was. */
import { readChain, readHead, readUnsealed } from '../../store/queries/ledger.ts';
import type { Queries } from '../../store/types.ts';
import type { LedgerCheck, Root } from '../service.ts';
import type { Signer } from '../signing.ts';
import type { Anchors } from './anchors.ts';
import { createChainCheck } from './chain.ts';
import { allRoots, isGenuine } from './roots.ts';

/** So few that hashing them (milliseconds) holds nothing else up. */
const pageEntries = 500;

export interface VerifyOptions {
  readonly database: Queries;
  readonly signer: Signer;
  readonly anchors: Anchors;
  /** Roots that were kept elsewhere. */
  readonly elsewhere?: readonly Root[];
  /** Told after each page. */
  readonly progress?: ((read: number, of: number) => void) | undefined;
}

export async function verifyLedger(tenant: string, options: VerifyOptions): Promise<LedgerCheck> {
  const { database, signer, anchors, elsewhere = [], progress } = options;
  const outside = [...(await anchors.read(tenant)), ...elsewhere];
  const kept = await allRoots(database, tenant);
  const all = [...kept, ...outside];
  const genuine = all.filter((root) => isGenuine(signer, tenant, root));
  const head = await readHead(database, tenant);
  const check = createChainCheck(
    head,
    genuine.map(({ sequence, digest }) => ({ sequence, digest: Buffer.from(digest, 'hex') })),
  );
  for (;;) {
    const page = await readChain(database, tenant, check.last().sequence, pageEntries);
    const fault = check.read(page);
    if (fault !== undefined) return fault;
    progress?.(check.last().sequence, Math.max(head.sequence, check.last().sequence));
    if (page.length < pageEntries) break;
  }
  const fault = check.end(await readHead(database, tenant)) ?? rootFault(kept, outside, all, genuine);
  if (fault !== undefined) return fault;
  const { sequence, digest } = check.last();
  const { count } = await readUnsealed(database, tenant);
  const roots = new Set(genuine.map((root) => root.day)).size;
  return { ok: true, entries: sequence, unsealed: count, digest: digest.toString('hex'), roots };
}

/** What is wrong with the roots themselves, while the chain agrees with those that are genuine. */
function rootFault(
  kept: readonly Root[],
  outside: readonly Root[],
  all: readonly Root[],
  genuine: readonly Root[],
): LedgerCheck | undefined {
  const known = new Set(genuine);
  const forged = all.find((root) => !known.has(root));
  if (forged !== undefined) return { ok: false, fault: 'root-forged', sequence: forged.sequence };
  const days = new Set(kept.map((root) => root.day));
  const missing = outside.find((root) => !days.has(root.day));
  return missing && { ok: false, fault: 'root-mismatch', sequence: missing.sequence };
}
