/**
 * Erasure by destroying keys. Each party in one transaction: what leads to it is cut, and its keys go. Then the files of
 * recordings go, then it is checked that nothing opens, and the receipt is signed. Cut short at any point, the same call
 * goes on where it ended.
 */
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import { withKeys } from '../../masking/context.ts';
import { newId } from '../../masking/ids.ts';
import { openPhone } from '../../masking/parties/party-keys.ts';
import { MaskingError } from '../../masking/service.ts';
import { DatabaseError } from '../../store/errors.ts';
import { lockCustody } from '../../store/queries/custody.ts';
import * as queries from '../../store/queries/erasure.ts';
import { finishRequest, readParts, type WorkRow } from '../../store/queries/rights.ts';
import type { Queries } from '../../store/types.ts';
import { KeyDestroyed, Tampered } from '../../vault/errors.ts';
import type { Field, TenantVault } from '../../vault/types.ts';
import type { TrustContext } from '../context.ts';
import type { Custody, ErasureReceipt } from '../service.ts';

/** What erasing needs of custody. */
export type EraserOfFiles = Pick<Custody, 'deleteRecording' | 'removeFiles'>;

/** Its files could not be removed yet: come back. Nobody can read them any more. */
export class FilesLeft extends Error {
  override readonly name = 'FilesLeft';
}

/** After this many rounds the receipt doesn't wait for files: their keys are gone, and the clean-up goes on trying. */
const roundsForFiles = 3;
/** Calls that a legal seal names. */
const mostCalls = 50_000;
const dayMilliseconds = 86_400_000;

export async function eraseRequest(
  context: TrustContext,
  custody: EraserOfFiles,
  work: WorkRow & { readonly busy: boolean },
  extend: () => Promise<void>,
): Promise<void> {
  const { database } = context;
  const { tenant, request } = work;
  const parts = await readParts(database, tenant, request);
  for (const part of parts) {
    if (part.receipt === null) await eraseParty(context, tenant, part, work.requested_by);
    await extend();
  }
  const requests = parts.map((part) => part.request);
  await removeRecordings(context, custody, requests, extend);
  const left = await queries.recordingsLeft(database, tenant, requests);
  if (left.pending > 0 && work.attempts < roundsForFiles) throw new FilesLeft('files of recordings are left');
  const disputes = await queries.redactDisputes(
    database,
    tenant,
    peopleOf(await readParts(database, tenant, request)),
    work.requested_by,
  );
  const check = await proveUnreadable(context, tenant, requests, work.busy ? keysWhenBusy : mostKeys, extend);
  const receipt = await signedReceipt(context, work, { ...left, ...disputes });
  await database.transaction(async (inside) => {
    await finishRequest(inside, {
      tenant,
      request,
      status: 'done',
      receipt: { ...receipt, at: receipt.at.toISOString(), keptUntil: receipt.keptUntil?.toISOString() },
      kind: 'privacy.erasure-proved',
      actor: work.requested_by,
      details: { ...check, signature: receipt.signature },
    });
    await queries.dropValues(inside, tenant, requests);
  });
}

// ---------------------------------------------------------------- keys

async function eraseParty(
  context: TrustContext,
  tenant: string,
  part: { readonly request: string; readonly party: string },
  actor: string,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await withKeys(context, tenant, (keys) =>
        context.database.transaction((inside) => eraseWithin(context, inside, keys, part, actor)),
      );
      return;
    } catch (error) {
      if (attempt >= 50 || !(error instanceof DatabaseError) || !passing.has(error.code)) throw error;
      await sleep(20 + 20 * attempt);
    }
  }
}

/** Its keys are being rotated, or somebody met us: a moment later it works. */
const passing: ReadonlySet<string | undefined> = new Set(['55P03', '40P01', '40001']);

async function eraseWithin(
  context: TrustContext,
  inside: Queries,
  keys: TenantVault,
  { request, party }: { readonly request: string; readonly party: string },
  actor: string,
): Promise<void> {
  const { tenant } = keys;
  // Before anything else, as everybody who places a hold: one that is acknowledged keeps what this would destroy.
  await lockCustody(inside, tenant);
  const row = await queries.beginErasure(inside, tenant, party);
  if (row === undefined || row.erased) return;
  const days = await queries.legalFloorDays(inside, tenant);
  const keepUntil = days === 0 ? undefined : new Date(context.doors.clock.now() + days * dayMilliseconds);
  if (keepUntil !== undefined) {
    const content = JSON.stringify({
      phone: openPhone(keys, { ...row, party }) ?? null,
      country: row.country,
      calls: await queries.trafficData(inside, tenant, party, mostCalls),
    });
    await seal(context, inside, keys, { request, keepUntil, content });
  }
  for (const held of await queries.heldRecordings(inside, tenant, party)) {
    const content = await dataKeyOf(inside, keys, held);
    if (content !== undefined)
      await seal(context, inside, keys, { request, recording: held.recording, content });
  }
  await queries.eraseParty(inside, { tenant, request, party, actor, keepUntil });
}

async function seal(
  { doors }: Pick<TrustContext, 'doors'>,
  inside: Queries,
  keys: TenantVault,
  what: {
    readonly request: string;
    readonly content: string;
    readonly recording?: string;
    readonly keepUntil?: Date;
  },
): Promise<void> {
  const id = newId(doors, 'lgl');
  const { cipher, wrapped } = keys.newPartyKey(id);
  const field = { tenant: keys.tenant, table: 'legal_seals', column: 'content', row: id };
  await queries.insertSeal(inside, {
    tenant: keys.tenant,
    seal: id,
    request: what.request,
    recording: what.recording,
    keepUntil: what.keepUntil,
    content: cipher.encrypt(what.content, field),
    key: wrapped,
  });
}

/** Base64; undefined when a key that it needs was destroyed before. */
async function dataKeyOf(
  inside: Queries,
  keys: TenantVault,
  held: queries.HeldRecordingRow,
): Promise<string | undefined> {
  const rows = await queries.namedKeys(inside, keys.tenant, held.parties, held.party_keys);
  if (rows.length < held.parties.length) return undefined;
  const ciphers = rows.map((row) => keys.openPartyKey(row.party, keyOf(row)));
  const key = keys.openSharedKey(held.recording, ciphers, held.wrapped_key);
  const text = key.toString('base64');
  key.fill(0);
  return text;
}

// ---------------------------------------------------------------- recordings

/** Files of recordings go by custody's own way. `requests` null: what is due of any request. */
export async function removeRecordings(
  { database, report }: Pick<TrustContext, 'database' | 'report'>,
  custody: EraserOfFiles,
  requests: readonly string[] | null,
  extend: () => Promise<void> = async () => {},
): Promise<void> {
  for (;;) {
    const rows = await queries.dueRecordings(database, requests, 100);
    if (rows.length === 0) return;
    for (const row of rows) {
      const outcome = await removeRecording(custody, row, (error) => report('erasure', error));
      if (outcome === 'held' || outcome === 'later') {
        await queries.recordingLater(database, row, outcome === 'held');
        continue;
      }
      await queries.recordingDeleted(database, row, outcome === 'gone');
    }
    await extend();
  }
}

/** `unreadable`: its key is gone, its file is not. */
async function removeRecording(
  custody: EraserOfFiles,
  row: queries.DueRecordingRow,
  report: (error: unknown) => void,
): Promise<'gone' | 'unreadable' | 'held' | 'later'> {
  // Somebody still writes to it; the call is being hung up.
  if (row.status === 'recording') return 'later';
  try {
    if (row.status !== 'deleted') await custody.deleteRecording(row.tenant, row.call, 'erasure');
  } catch (error) {
    if (error instanceof MaskingError && error.code === 'on-hold') return 'held';
    if (!(error instanceof MaskingError && (error.code === 'no-recording' || error.code === 'not-found'))) {
      report(error);
      return 'later';
    }
  }
  try {
    return (await custody.removeFiles(row.tenant, row.call)) ? 'gone' : 'unreadable';
  } catch (error) {
    report(error);
    return 'unreadable';
  }
}

// ---------------------------------------------------------------- proof

/** Decryptions that are tried for one request, and keys that are read for it. */
const mostTries = 200_000;
const mostKeys = 20_000;
/** While others wait for theirs. That the named keys are gone is looked at for every one; this comes on top of it. */
const keysWhenBusy = 50;
const keysAPage = 500;

/**
 * Reads back what the erasure left behind: no key of the party may be there (each of its values needs one, a recording
 * all of its parties'), and no ciphertext opens with a key that is left. Throws when one does.
 */
async function proveUnreadable(
  context: Pick<TrustContext, 'database' | 'vault'>,
  tenant: string,
  requests: readonly string[],
  most: number,
  extend: () => Promise<void>,
): Promise<{ readonly values: number; readonly keysTried: number }> {
  const { database } = context;
  if ((await queries.keysLeft(database, tenant, requests)) > 0)
    throw new Error('an erased party still has keys');
  const values = await queries.erasedValues(database, tenant, requests);
  const tried = values.filter((value) => value.kind !== 'recording');
  const keysToTry = tried.length === 0 ? 0 : Math.min(most, Math.ceil(mostTries / tried.length));
  let keysTried = 0;
  let before: { readonly party: string; readonly partyKey: string } | undefined;
  while (keysTried < keysToTry) {
    const rows = await queries.keysBefore(
      database,
      tenant,
      before,
      Math.min(keysAPage, keysToTry - keysTried),
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    before = { party: last.party, partyKey: last.party_key };
    keysTried += rows.length;
    await withKeys(context, tenant, async (keys) => {
      for (const row of rows) {
        if (opensAny(keys, row, tried)) throw new Error('a value of an erased party opens');
        // One key at a time: calls run on this thread, too.
        if (tried.length > 100) await breathe();
      }
    });
    await breathe();
    await extend();
  }
  return { values: values.length, keysTried };
}

function opensAny(
  keys: TenantVault,
  row: queries.StoredKeyRow,
  values: readonly queries.ErasedValueRow[],
): boolean {
  const cipher = unlessUnreadable(() => keys.openPartyKey(row.party, keyOf(row)));
  if (cipher === undefined) return false;
  return values.some(
    (value) =>
      unlessUnreadable(() => cipher.decrypt(value.sealed, fieldOf(keys.tenant, value))) !== undefined,
  );
}

function unlessUnreadable<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Tampered || error instanceof KeyDestroyed) return undefined;
    throw error;
  }
}

function keyOf(row: queries.StoredKeyRow) {
  return { partyKey: row.party_key, wrapped: row.wrapped, tenantKeyVersion: row.tenant_key_version };
}

function fieldOf(tenant: string, value: queries.ErasedValueRow): Field {
  switch (value.kind) {
    case 'phone':
      return { tenant, table: 'parties', column: 'phone', row: value.subject };
    case 'name':
      return { tenant, table: 'participants', column: 'name', row: value.subject };
    case 'export':
      return { tenant, table: 'rights_exports', column: 'content', row: value.subject };
    case 'recording':
      throw new TypeError('a recording opens with several keys');
  }
}

// ---------------------------------------------------------------- receipt

async function signedReceipt(
  { database, signer, doors }: Pick<TrustContext, 'database' | 'signer' | 'doors'>,
  { tenant, request }: WorkRow,
  left: {
    readonly held: number;
    readonly pending: number;
    readonly redacted: number;
    readonly kept: number;
  },
): Promise<ErasureReceipt> {
  const parts = await readParts(database, tenant, request);
  const sum = (name: string) => parts.reduce((total, part) => total + countOf(part.receipt, name), 0);
  const kept = parts
    .flatMap((part) => (typeof part.receipt?.['keptUntil'] === 'string' ? [part.receipt['keptUntil']] : []))
    .sort()
    .at(-1);
  const facts = {
    party: parts.find((part) => part.request === request)?.party ?? '',
    at: new Date(doors.clock.now()),
    keysDestroyed: sum('keysDestroyed'),
    valuesUnreadable: sum('valuesUnreadable'),
    recordingsDeleted: Math.max(
      0,
      sum('recordingsDeleted') + sum('recordingsHeld') - left.held - left.pending,
    ),
    recordingsHeld: left.held,
    recordingsLeft: left.pending,
    bindingsCut: sum('bindingsCut'),
    disputesRedacted: left.redacted,
    disputesKept: left.kept,
    ...(kept === undefined ? {} : { keptUntil: new Date(kept) }),
  };
  return { ...facts, signature: signer.sign(receiptText(tenant, request, facts)), keyId: signer.keyId };
}

/** The participants whom erased parties were. */
function peopleOf(parts: readonly { readonly receipt: Readonly<Record<string, unknown>> | null }[]) {
  return parts.flatMap(({ receipt }) => {
    const people = receipt?.['participants'];
    return Array.isArray(people) ? people.filter((one) => typeof one === 'string') : [];
  });
}

function countOf(receipt: Readonly<Record<string, unknown>> | null, name: string): number {
  const value = receipt?.[name];
  return typeof value === 'number' ? value : 0;
}

/** What a receipt's signature is over: a line each. */
export function receiptText(
  tenant: string,
  request: string,
  receipt: Omit<ErasureReceipt, 'signature' | 'keyId'>,
): string {
  return [
    'samar-erasure-receipt',
    tenant,
    request,
    receipt.party,
    receipt.at.toISOString(),
    receipt.keysDestroyed,
    receipt.valuesUnreadable,
    receipt.recordingsDeleted,
    receipt.recordingsHeld,
    receipt.recordingsLeft,
    receipt.bindingsCut,
    receipt.disputesRedacted,
    receipt.disputesKept,
    receipt.keptUntil?.toISOString() ?? '-',
  ].join('\n');
}
