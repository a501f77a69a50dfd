/**
 * rights: what people may ask of the business about themselves (a copy, destruction, to be left alone) and what the
 * business must be able to say when something went wrong. `export.ts` collects, `erase.ts` destroys and proves,
 * `work.ts` runs what takes longer than an answer, `breach.ts` reads the ledger. Decision 0018, docs/privacy-rights.md.
 */
import { currentActor } from '../../masking/actor.ts';
import { checkPage, invalid, notFound, toPage, withKeys } from '../../masking/context.ts';
import { isId, newId } from '../../masking/ids.ts';
import { openPhone } from '../../masking/parties/party-keys.ts';
import { maskPhoneNumber } from '../../masking/parties/phone-numbers.ts';
import { MaskingError } from '../../masking/service.ts';
import * as queries from '../../store/queries/rights.ts';
import type { TenantVault } from '../../vault/types.ts';
import type { TrustContext } from '../context.ts';
import type { Custody, ErasureReceipt, Ledger, Rights, RightsRequest } from '../service.ts';
import { createBreachReport } from './breach.ts';
import { erased, partiesOf } from './subject.ts';
import { createWork, type Work } from './work.ts';

export function createRights(
  context: TrustContext,
  rooms: { readonly ledger: Ledger; readonly custody: Custody },
): Rights & Pick<Work, 'start' | 'stop' | 'tidy' | 'retain'> {
  const { database, vault } = context;
  const work = createWork(context, rooms.custody);

  async function ask(
    tenant: string,
    kind: queries.RightsKind,
    status: 'asked' | 'running' | 'done',
    parties: readonly string[],
    reason: string,
  ): Promise<RightsRequest> {
    const keys = await vault.unlock(tenant);
    const rows = parties.map((party) => {
      const request = newId(context.doors, 'prv');
      return {
        request,
        party,
        reason: sealText(keys, 'reason', request, reason),
        block: newId(context.doors, 'blk'),
      };
    });
    const { request, failure } = await queries.openRequest(database, {
      tenant,
      kind,
      status,
      rows,
      actor: currentActor(),
    });
    if (failure !== null || request === null) throw erased();
    if (status === 'running') work.kick();
    return get(tenant, request);
  }

  async function get(tenant: string, request: string): Promise<RightsRequest> {
    const row = await read(tenant, request);
    return withKeys(context, tenant, (keys) => toRequest(keys, row));
  }

  async function read(tenant: string, request: string): Promise<queries.RightsRow> {
    const row = isId(request, 'prv') ? await queries.readRequest(database, tenant, request) : undefined;
    if (row === undefined) throw notFound('request');
    return row;
  }

  return {
    async requestExport(tenant, subject, reason) {
      checkReason(reason);
      return ask(tenant, 'export', 'running', await partiesOf(context, tenant, subject), reason);
    },

    async readExport(tenant, request) {
      const row = await read(tenant, request);
      if (row.kind !== 'export') throw notFound('export');
      if (row.erased) throw erased();
      if (row.status === 'running') {
        throw new MaskingError('request-not-ready', 'The export is still being made; ask again in a moment.');
      }
      const kept = await queries.readExport(database, tenant, request, currentActor());
      if (kept === undefined) throw notFound('export');
      const { party, party_key: partyKey, wrapped, tenant_key_version: tenantKeyVersion } = kept;
      if (partyKey === null || wrapped === null || tenantKeyVersion === null) throw erased();
      const text = await withKeys(context, tenant, (keys) =>
        keys
          .openPartyKey(party, { partyKey, wrapped, tenantKeyVersion })
          .decrypt(kept.content, { tenant, table: 'rights_exports', column: 'content', row: request }),
      );
      return JSON.parse(text) as Readonly<Record<string, unknown>>;
    },

    async requestErasure(tenant, subject, reason) {
      checkReason(reason);
      return ask(tenant, 'erase', 'running', await partiesOf(context, tenant, subject), reason);
    },

    async askErasure(tenant, participant) {
      const parties = await partiesOf(context, tenant, { participant });
      return ask(tenant, 'erase', 'asked', parties, 'Asked for on the own page.');
    },

    async decideAsked(tenant, request, grant, reason) {
      checkReason(reason);
      await read(tenant, request);
      const keys = await vault.unlock(tenant);
      const before = await queries.decideAsked(database, {
        tenant,
        request,
        grant,
        reason: sealText(keys, 'decision', request, reason),
        actor: currentActor(),
      });
      if (before !== 'asked') {
        throw new MaskingError('already-decided', 'This request does not wait for a decision.');
      }
      if (grant) work.kick();
      return get(tenant, request);
    },

    async restrict(tenant, subject, reason) {
      checkReason(reason);
      return ask(tenant, 'restrict', 'done', await partiesOf(context, tenant, subject), reason);
    },

    async liftRestriction(tenant, request) {
      const known = isId(request, 'prv')
        ? await queries.liftRestriction(database, tenant, request, currentActor())
        : undefined;
      if (known === undefined) throw notFound('restriction');
      return get(tenant, request);
    },

    async list(tenant, { kind, status }, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listRequests(database, { tenant, kind, status, after, limit: limit + 1 });
      return withKeys(context, tenant, (keys) =>
        toPage(
          rows,
          limit,
          (row) => row.request,
          (row) => toRequest(keys, row),
        ),
      );
    },

    get,
    ...createBreachReport(context),
    start: () => work.start(),
    stop: () => work.stop(),
    tidy: () => work.tidy(),
    retain: () => work.retain(),
  };
}

function checkReason(reason: string): void {
  const said = reason.trim();
  if (said.length < 3 || said.length > 500 || said.includes('\0')) {
    throw invalid('Say why, in 3 to 500 characters.', '/reason');
  }
}

function fieldOf(tenant: string, column: 'reason' | 'decision', request: string) {
  return { tenant, table: 'rights_requests', column, row: request };
}

function sealText(keys: TenantVault, column: 'reason' | 'decision', request: string, text: string): Buffer {
  return keys.seal(Buffer.from(text.trim()), fieldOf(keys.tenant, column, request));
}

function toRequest(keys: TenantVault, row: queries.RightsRow): RightsRequest {
  const e164 = openPhone(keys, row);
  const open = (column: 'reason' | 'decision', sealed: Buffer) =>
    keys.open(sealed, fieldOf(keys.tenant, column, row.request)).toString('utf8');
  return {
    id: row.request,
    kind: row.kind,
    status: row.status,
    ...(e164 === undefined || row.country === null ? {} : { phone: maskPhoneNumber(e164, row.country) }),
    party: row.party,
    reason: open('reason', row.reason),
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    ...(row.decision === null || row.decided_by === null
      ? {}
      : { decision: { by: row.decided_by, reason: open('decision', row.decision) } }),
    ...(row.kind === 'erase' && row.status === 'done' && row.receipt !== null
      ? { receipt: toReceipt(row.receipt) }
      : {}),
  };
}

/** As it was signed. */
function toReceipt(stored: Readonly<Record<string, unknown>>): ErasureReceipt {
  const number = (name: string) => Number(stored[name] ?? 0);
  return {
    party: String(stored['party'] ?? ''),
    at: new Date(String(stored['at'])),
    keysDestroyed: number('keysDestroyed'),
    valuesUnreadable: number('valuesUnreadable'),
    recordingsDeleted: number('recordingsDeleted'),
    recordingsHeld: number('recordingsHeld'),
    recordingsLeft: number('recordingsLeft'),
    bindingsCut: number('bindingsCut'),
    disputesRedacted: number('disputesRedacted'),
    disputesKept: number('disputesKept'),
    ...(stored['keptUntil'] === undefined ? {} : { keptUntil: new Date(String(stored['keptUntil'])) }),
    signature: String(stored['signature'] ?? ''),
    keyId: String(stored['keyId'] ?? ''),
  };
}
