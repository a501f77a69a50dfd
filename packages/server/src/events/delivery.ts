/**
 * From the outbox to receivers, on every node at once: one of them gives events their place and makes deliveries of
 * them; each takes what is due, under a lease, and tries it (`hands.ts`: what it has taken). What a node held when it
 * died is due again after the lease.
 */

import { type Context, withKeys } from '../masking/context.ts';
import { createBatcher } from '../store/batcher.ts';
import * as queries from '../store/queries/webhooks.ts';
import type { LookupDoors } from './addresses.ts';
import { createAttempter, type Outcome } from './attempt.ts';
import { openKeys, signersOf } from './endpoint-keys.ts';
import { createHands } from './hands.ts';
import { createLoop, type Loop } from './loop.ts';
import { payloadOf } from './payload.ts';
import { mostHoldSeconds, nextDelay } from './schedule.ts';
import type { Signers } from './signature.ts';
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
/** After so many looks at nothing one a second is enough. */
const quietLooks = 40;
const quietMilliseconds = 1_000;
const pollMilliseconds = 1_000;
const tidyMilliseconds = 60_000;
/** What is in the air when we stop gets this long. */
const stopMilliseconds = 5_000;

export function createDelivery(options: DeliveryOptions) {
  const { database, doors, report = () => {} } = options;
  const { endpoint: each = 8, node: most = 64 } = options.concurrency ?? {};
  const attempt = createAttempter({ ...options, lookups: { tenant: most, all: 4 * most } });
  /** A process that starts again is another one: what it held before is not in its hands. */
  const node = doors.random.bytes(12).toString('base64url');
  const hands = createHands({ clock: doors.clock, each, most });
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

  const signersFor = (row: queries.ClaimedRow): Promise<Signers> =>
    withKeys(options, row.tenant, (keys) => signersOf(openKeys(keys, row.endpoint, row.keys), row.previous));

  /** Tries it; what came of it. Rejects when we stop meanwhile. */
  async function tryOne(row: queries.ClaimedRow, known?: Signers): Promise<Outcome> {
    const { tenant, url, event: id } = row;
    const signers = known ?? (await signersFor(row));
    return attempt({ tenant, url, id, body: payloadOf(row), signers, signal: stopping.signal });
  }

  async function tryHeld(row: queries.HeldRow): Promise<Outcome> {
    let paused = false;
    try {
      const { keys, previous } = row;
      const hand = hands.handOf(row.endpoint);
      if (hand.signers?.previous !== previous || !hand.signers.keys.equals(keys)) {
        hand.signers = { keys, previous, signers: await signersFor(row) };
      }
      const outcome = await tryOne(row, hand.signers.signers);
      paused = outcome.answer === '410' || outcome.retryAfterSeconds !== undefined;
      return outcome;
    } finally {
      hands.landed(row, paused);
      begin();
    }
  }

  async function deliver(row: queries.HeldRow): Promise<void> {
    const { tenant, endpoint, event } = row;
    const { delivered, answer, retryAfterSeconds } = await tryHeld(row);
    const gone = answer === '410';
    const delay =
      delivered || gone ? undefined : nextDelay(doors.random, row.attempts + 1, retryAfterSeconds);
    const hold = retryAfterSeconds === undefined ? undefined : Math.min(retryAfterSeconds, mostHoldSeconds);
    await finished.add({ tenant, endpoint, event, delivered, answer, delay, hold, gone });
  }

  /** As many as may be in the air. */
  function begin(): void {
    while (!stopped) {
      const row = hands.next();
      if (row === undefined) return;
      const work = deliver(row)
        // The lease runs out, and it is tried again; of more we couldn't say either what came of it.
        .catch((error: unknown) => {
          hands.dropAll();
          if (!stopping.signal.aborted) report('webhook attempt', error);
        })
        .finally(() => {
          attempts.delete(work);
          const more = hands.done(row);
          begin();
          if (more) deliveries?.wake();
        });
      attempts.add(work);
    }
  }

  async function takeDue(): Promise<void> {
    const asks = hands.asks();
    const limit = hands.room();
    if (limit <= 0) return;
    hands.take(await queries.claimDeliveries(database, { node, hands: asks, each, limit, leaseSeconds }));
    begin();
  }

  async function publish(): Promise<void> {
    for (let turn = 0; turn < mostBatches; turn++) {
      const count = await queries.publishEvents(database, batch);
      quiet = count > 0 ? 0 : quiet + 1;
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

  let quiet = 0;
  let stopped = false;
  let publishing: Loop | undefined;
  let deliveries: Loop | undefined;

  return {
    tryOne: (row: queries.ClaimedRow) => tryOne(row),
    async start(): Promise<void> {
      const loop = (task: string, milliseconds: number | (() => number), work: () => Promise<unknown>) =>
        createLoop(doors.timers, milliseconds, work, (error) => report(task, error));
      publishing = loop(
        'events',
        () => (quiet < quietLooks ? publishMilliseconds : quietMilliseconds),
        publish,
      );
      deliveries = loop('webhooks', pollMilliseconds, takeDue);
      loops = [publishing, deliveries, loop('webhook clean-up', tidyMilliseconds, tidy)];
      listening = await database.listen('samar_events', () => deliveries?.wake());
    },
    /** Nothing new is begun; what is in the air gets a moment, and what is left goes to another node after its lease. */
    async stop(): Promise<void> {
      await listening?.close();
      stopped = true;
      await Promise.all(loops.map((one) => one.stop()));
      const timer = doors.timers.after(stopMilliseconds, () => stopping.abort());
      await Promise.all(attempts);
      timer.cancel();
      stopping.abort();
      if (loops.length > 0) await queries.letGo(database, node).catch((error) => report('webhooks', error));
      loops = [];
    },
    tidy,
  };
}
