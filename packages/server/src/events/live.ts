/**
 * Live events: one reader on each node follows the positions that the publisher gives, and hands events on to whoever
 * watches. NOTIFY says that there is something; a turn each second makes up for one that was lost.
 */
import { toEvent } from '../masking/access/events.ts';
import type { Context } from '../masking/context.ts';
import * as queries from '../store/queries/events.ts';
import { createLoop, type Loop } from './loop.ts';
import type { LiveEvents } from './service.ts';

type Listener = Parameters<LiveEvents['subscribe']>[2];

interface Subscriber {
  readonly listener: Listener;
  /** What it has been told last. */
  position: bigint;
}

/** Those of one tenant, and up to where its events have been read for them. */
interface Watched {
  readonly subscribers: Set<Subscriber>;
  position: bigint;
}

/** As many watch on this node as may. */
export class TooManyListeners extends Error {
  override readonly name = 'TooManyListeners';
}

const mostListeners = 200;
/** What is told to one who comes back; more, and it reads everything anew. */
const mostMissed = 1_000;
const batch = 500;
const pollMilliseconds = 1_000;

export function createLiveEvents(
  context: Context & { readonly report?: (task: string, error: unknown) => void },
): LiveEvents {
  const { database, doors, report = () => {} } = context;
  const watched = new Map<string, Watched>();
  /** Those who are still being told what they missed count, too. */
  let listeners = 0;
  let loop: Loop | undefined;
  let listening: { close(): Promise<void> } | undefined;

  async function follow(): Promise<void> {
    while (watched.size > 0) {
      const from = new Map([...watched].map(([tenant, { position }]) => [tenant, String(position)]));
      const rows = await queries.publishedAfter(database, from, batch);
      for (const row of rows) tell(row);
      // Somebody who came meanwhile may have set a position back; the next turn is already asked for then.
      for (const [tenant, last] of new Map(rows.map((row) => [row.tenant, row.sequence]))) {
        const one = watched.get(tenant);
        if (one !== undefined && String(one.position) === from.get(tenant)) one.position = BigInt(last);
      }
      if (rows.length < batch) return;
    }
  }

  function tell(row: queries.PublishedEventRow): void {
    const sequence = BigInt(row.sequence);
    const event = toEvent(row);
    for (const one of watched.get(row.tenant)?.subscribers ?? []) {
      if (sequence <= one.position) continue;
      one.position = sequence;
      one.listener.event(event);
    }
  }

  /** Tells what came since `after`; the position up to which everything is told. */
  async function catchUp(tenant: string, after: string | undefined, listener: Listener): Promise<bigint> {
    if (after === undefined) return BigInt(await queries.lastPosition(database, tenant));
    const from = await queries.positionOf(database, tenant, after);
    if (from !== undefined) {
      const missed = await queries.publishedAfter(database, new Map([[tenant, from]]), mostMissed + 1);
      if (missed.length <= mostMissed) {
        for (const row of missed) listener.event(toEvent(row));
        return BigInt(missed.at(-1)?.sequence ?? from);
      }
    }
    const last = BigInt(await queries.lastPosition(database, tenant));
    listener.gap();
    return last;
  }

  function add(tenant: string, subscriber: Subscriber): void {
    const { position } = subscriber;
    const one = watched.get(tenant) ?? { subscribers: new Set(), position };
    watched.set(tenant, one);
    one.subscribers.add(subscriber);
    if (position < one.position) one.position = position;
    loop?.wake();
  }

  function remove(tenant: string, subscriber: Subscriber): void {
    const one = watched.get(tenant);
    if (!one?.subscribers.delete(subscriber)) return;
    listeners -= 1;
    if (one.subscribers.size === 0) watched.delete(tenant);
  }

  return {
    async subscribe(tenant, after, listener) {
      if (listeners >= mostListeners) throw new TooManyListeners('too many watch already');
      listeners += 1;
      try {
        const subscriber = { listener, position: await catchUp(tenant, after, listener) };
        add(tenant, subscriber);
        return { close: () => remove(tenant, subscriber) };
      } catch (error) {
        listeners -= 1;
        throw error;
      }
    },
    async start() {
      loop = createLoop(doors.timers, pollMilliseconds, follow, (error) => report('live events', error));
      listening = await database.listen('samar_events', () => loop?.wake());
    },
    async stop() {
      await listening?.close();
      await loop?.stop();
      watched.clear();
    },
  };
}
