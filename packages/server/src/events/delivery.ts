/**
 * From the outbox to receivers, on every node at once: one of them gives events their place and makes deliveries of
 * them; each takes what is due, under a lease, and tries it. What a node held when it died is due again after the lease.
 */

import { type Context, withKeys } from '../masking/context.ts';
import { createBatcher } from '../store/batcher.ts';
import * as queries from '../store/queries/webhooks.ts';
import type { LookupDoors } from './addresses.ts';
import { createAttempter, type Outcome } from './attempt.ts';
import { openKeys, signersOf } from './endpoint-keys.ts';
import { createLoop, type Loop } from './loop.ts';
import { payloadOf } from './payload.ts';
import { mostHoldSeconds, nextDelay } from './schedule.ts';
import type { AskTransport } from './transport.ts';
import type { WebhookRules } from './webhook-url.ts';

export interface DeliveryOptions extends Context {
  readonly doors: Context['doors'] & LookupDoors;
  readonly transport: AskTransport;
  readonly rules: WebhookRules;
  /** Attempts in the air at once on this node: at one endpoint (default 8) and at all (default 64). */
  readonly concurrency?: { readonly endpoint?: number; readonly node?: number };
  /** Background work that failed; it is tried again by itself. */
  readonly report?: (task: string, error: unknown) => void;
}

/** Longer than an attempt takes, by a database's bad moment. */
export const leaseSeconds = 45;
const batch = 500;
/** Batches a turn, so that one task never keeps the database to itself. */
const mostBatches = 20;
const publishMilliseconds = 250;
const pollMilliseconds = 1_000;
const tidyMilliseconds = 60_000;
/** What is in the air when we stop gets this long. */
const stopMilliseconds = 5_000;

export function createDelivery(options: DeliveryOptions) {
  const { database, doors, report = () => {} } = options;
  const { endpoint: each = 8, node: most = 64 } = options.concurrency ?? {};
  const attempt = createAttempter({ ...options, lookups: { tenant: most, all: 4 * most } });
  const running = new Map<string, number>();
  const attempts = new Set<Promise<void>>();
  const stopping = new AbortController();
  let loops: readonly Loop[] = [];
  let listening: { close(): Promise<void> } | undefined;
  const finished = createBatcher<queries.FinishedDelivery, undefined>({
    maximum: 256,
    inFlight: 1,
    run: async (items) => {
      await queries.finishDeliveries(database, items);
      return items.map(() => undefined);
    },
  });

  /** Tries it; what came of it. Rejects when we stop meanwhile. */
  async function tryOne(row: queries.ClaimedRow): Promise<Outcome> {
    const { tenant, endpoint, url, event: id } = row;
    const signers = await withKeys(options, tenant, (keys) =>
      signersOf(openKeys(keys, endpoint, row.keys), row.previous),
    );
    return attempt({ tenant, url, id, body: payloadOf(row), signers, signal: stopping.signal });
  }

  async function deliver(row: queries.ClaimedRow): Promise<void> {
    const { tenant, endpoint, event } = row;
    const outcome = await tryOne(row);
    const { delivered, answer, retryAfterSeconds } = outcome;
    const gone = answer === '410';
    const delay =
      delivered || gone ? undefined : nextDelay(doors.random, row.attempts + 1, retryAfterSeconds);
    const hold = retryAfterSeconds === undefined ? undefined : Math.min(retryAfterSeconds, mostHoldSeconds);
    await finished.add({ tenant, endpoint, event, delivered, answer, delay, hold, gone });
  }

  function start(row: queries.ClaimedRow): void {
    const { endpoint } = row;
    running.set(endpoint, (running.get(endpoint) ?? 0) + 1);
    const work = deliver(row)
      // The lease runs out, and it is tried again.
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) report('webhook attempt', error);
      })
      .finally(() => {
        attempts.delete(work);
        const left = (running.get(endpoint) ?? 1) - 1;
        if (left === 0) running.delete(endpoint);
        else running.set(endpoint, left);
        deliveries?.wake();
      });
    attempts.add(work);
  }

  async function takeDue(): Promise<void> {
    const room = most - attempts.size;
    if (room <= 0) return;
    const busy = [...running].map(([endpoint, count]) => ({ endpoint, free: Math.max(0, each - count) }));
    const rows = await queries.claimDeliveries(database, { busy, each, limit: room, leaseSeconds });
    for (const row of rows) start(row);
  }

  async function publish(): Promise<void> {
    for (let turn = 0; turn < mostBatches; turn++) {
      const count = await queries.publishEvents(database, batch);
      if (count > 0) deliveries?.wake();
      if (count < batch) return;
    }
    publishing?.wake();
  }

  async function tidy(): Promise<void> {
    for (const work of [queries.buryDeliveries, queries.forgetEndpoints]) {
      for (let turn = 0; turn < mostBatches && (await work(database, batch)) === batch; turn++);
    }
  }

  let publishing: Loop | undefined;
  let deliveries: Loop | undefined;

  return {
    tryOne,
    wake: () => deliveries?.wake(),
    async start(): Promise<void> {
      const loop = (task: string, milliseconds: number, work: () => Promise<unknown>) =>
        createLoop(doors.timers, milliseconds, work, (error) => report(task, error));
      publishing = loop('events', publishMilliseconds, publish);
      deliveries = loop('webhooks', pollMilliseconds, takeDue);
      loops = [publishing, deliveries, loop('webhook clean-up', tidyMilliseconds, tidy)];
      listening = await database.listen('samar_events', () => deliveries?.wake());
    },
    /** Nothing new is begun; what is in the air gets a moment, and what is left goes to another node after its lease. */
    async stop(): Promise<void> {
      await listening?.close();
      await Promise.all(loops.map((one) => one.stop()));
      loops = [];
      const timer = doors.timers.after(stopMilliseconds, () => stopping.abort());
      await Promise.all(attempts);
      timer.cancel();
      stopping.abort();
    },
    tidy,
  };
}
