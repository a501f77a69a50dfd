/**
 * Requests that run by themselves: taken up by any node for some seconds at a time, so that one that a dead node left
 * behind goes on elsewhere. Beside them what goes when it is old: exports, seals, files, calls, sessions, parties.
 */

import { actAs } from '../../masking/actor.ts';
import { withKeys } from '../../masking/context.ts';
import { MaskingError } from '../../masking/service.ts';
import * as old from '../../store/queries/erasure.ts';
import * as queries from '../../store/queries/rights.ts';
import { subjectParties } from '../../store/queries/subject-data.ts';
import type { TrustContext } from '../context.ts';
import { type EraserOfFiles, eraseRequest, FilesLeft, removeRecordings } from './erase.ts';
import { buildExport } from './export.ts';
import { erased } from './subject.ts';

/** A node that died is stood in for after this; whoever works says now and then that it still does. */
const leaseSeconds = 15;
/** Whoever works says so again after this at the earliest. */
const extendMilliseconds = 2_000;
/** At once on a node: an erasure holds a connection for some milliseconds. */
const abreast = 8;
/** Then it has failed, and whoever asked must look. */
const mostAttempts = 10;
export const exportDays = 7;
const batch = 200;
/** Batches of old things a turn. */
const mostBatches = 50;

export interface Work {
  /** There is something to do, now. */
  kick(): void;
  /** Exports, seals and files whose time is up. */
  tidy(): Promise<void>;
  /** What the tenants' retention says of calls; how many rows went. */
  retain(): Promise<number>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createWork(context: TrustContext, custody: EraserOfFiles): Work {
  const { database, doors, report } = context;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let timers: readonly { cancel(): void }[] = [];

  async function drain(): Promise<void> {
    do {
      again = false;
      while (!stopped) {
        const rows = await queries.takeRequests(database, abreast, leaseSeconds);
        if (rows.length === 0) break;
        await Promise.all(rows.map((row) => runOne(row, rows.length === abreast)));
      }
    } while (again && !stopped);
  }

  function kick(): void {
    again = true;
    running ??= drain()
      .catch((error: unknown) => report('rights', error))
      .finally(() => {
        running = undefined;
      });
  }

  async function runOne(work: queries.WorkRow, busy: boolean): Promise<void> {
    const { tenant, request } = work;
    let extendedAt = doors.clock.monotonic();
    const extend = async () => {
      if (doors.clock.monotonic() - extendedAt < extendMilliseconds) return;
      extendedAt = doors.clock.monotonic();
      await queries.extendLease(database, tenant, request, leaseSeconds);
    };
    try {
      await actAs(work.requested_by, () =>
        work.kind === 'export'
          ? runExport(context, work)
          : eraseRequest(context, custody, { ...work, busy }, extend),
      );
    } catch (error) {
      const waits = error instanceof FilesLeft;
      const final = error instanceof MaskingError && error.code === 'subject-erased';
      if (!waits && !final) report('rights', error);
      if (final || (!waits && work.attempts >= mostAttempts)) await fail(work);
      else await queries.extendLease(database, tenant, request, waits ? 6 : 2 * work.attempts);
    }
  }

  async function fail({ tenant, request, requested_by: actor }: queries.WorkRow): Promise<void> {
    await queries.finishRequest(database, {
      tenant,
      request,
      status: 'failed',
      receipt: undefined,
      kind: 'privacy.failed',
      actor,
      details: {},
    });
  }

  async function tidy(): Promise<void> {
    await repeat(() => queries.forgetExports(database, batch));
    await repeat(() => old.shredSeals(database, batch));
    await removeRecordings(context, custody, null);
  }

  async function retain(): Promise<number> {
    let total = 0;
    for (const { tenant, days } of await old.tenantsWithCallDays(database)) {
      const counts = { calls: 0, sessions: 0, parties: 0 };
      for (const what of ['calls', 'sessions', 'parties'] as const) {
        let after = '';
        for (let turn = 0; turn < mostBatches && !stopped; turn++) {
          const { forgotten, last } = await old.forgetOld(database, what, tenant, days, after, batch);
          counts[what] += forgotten;
          if (last === null) break;
          after = last;
        }
      }
      const sum = counts.calls + counts.sessions + counts.parties;
      if (sum > 0) await old.noteRetention(database, tenant, counts);
      total += sum;
    }
    return total;
  }

  function every(milliseconds: number, work: () => Promise<unknown>): { cancel(): void } {
    let cancelled = false;
    let timer = doors.timers.after(milliseconds, run);
    function run(): void {
      void work()
        .catch((error: unknown) => report('rights', error))
        .finally(() => {
          if (!cancelled) timer = doors.timers.after(milliseconds, run);
        });
    }
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  return {
    kick,
    tidy,
    retain,
    async start() {
      stopped = false;
      kick();
      timers = [every(1_000, async () => kick()), every(60_000, tidy), every(600_000, retain)];
    },
    async stop() {
      stopped = true;
      for (const timer of timers) timer.cancel();
      timers = [];
      await running;
    },
  };
}

async function repeat(work: () => Promise<number>): Promise<void> {
  for (let turn = 0; turn < mostBatches; turn++) {
    if ((await work()) < batch) return;
  }
}

async function runExport(context: TrustContext, work: queries.WorkRow): Promise<void> {
  const { database } = context;
  const { tenant, request } = work;
  const parts = await queries.readParts(database, tenant, request);
  const parties = parts.map((part) => part.party);
  const content = JSON.stringify(await buildExport(context, tenant, parties));
  const rows = await subjectParties(database, tenant, parties);
  const owner = rows.find((row) => row.party_key !== null);
  // Somebody of them was erased: whatever was collected before goes with them.
  if (owner === undefined || rows.some((row) => row.party_key === null)) throw erased();
  const { party, party_key: partyKey, wrapped, tenant_key_version: tenantKeyVersion } = owner;
  if (partyKey === null || wrapped === null || tenantKeyVersion === null) throw erased();
  const sealed = await withKeys(context, tenant, (keys) =>
    keys
      .openPartyKey(party, { partyKey, wrapped, tenantKeyVersion })
      .encrypt(content, { tenant, table: 'rights_exports', column: 'content', row: request }),
  );
  await database.transaction(async (inside) => {
    const kept = await queries.keepExport(inside, {
      tenant,
      request,
      party,
      partyKey,
      content: sealed,
      days: exportDays,
    });
    if (!kept) throw erased();
    await queries.finishRequest(inside, {
      tenant,
      request,
      status: 'done',
      receipt: undefined,
      kind: 'privacy.exported',
      actor: work.requested_by,
      details: {},
    });
  });
}
