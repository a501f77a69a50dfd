import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { DatabaseUnavailable } from './errors.ts';
import type { Database } from './types.ts';

export type DatabaseEvent =
  | { readonly event: 'listener-lost' }
  | { readonly event: 'listener-failed'; readonly channel: string; readonly error: unknown };

type Handler = (payload: string | undefined) => void;

export interface Listener {
  listen: Database['listen'];
  close(): Promise<void>;
}

/** A silent break of the network is found within this time. */
const PROBE_MILLISECONDS = 15_000;
const LONGEST_RETRY_MILLISECONDS = 5000;
/** Channels are named in code; more than this means that somebody makes them up. */
const MAX_CHANNELS = 100;

/** LISTEN for all channels over one connection, made anew whenever it is lost. */
export function createListener(
  connect: () => Promise<pg.Client>,
  report: (event: DatabaseEvent) => void,
): Listener {
  const channels = new Map<string, Set<Handler>>();
  let client: Promise<pg.Client> | undefined;
  let closed = false;

  const call = (channel: string, handler: Handler, payload: string | undefined) => {
    try {
      handler(payload);
    } catch (error) {
      report({ event: 'listener-failed', channel, error });
    }
  };
  const open = async (): Promise<pg.Client> => {
    const fresh = await connect();
    let ended = false;
    const lost = () => {
      clearInterval(probe);
      if (ended || closed) return;
      ended = true;
      client = undefined;
      report({ event: 'listener-lost' });
      void reconnect();
    };
    const probe = probing(fresh);
    fresh.on('notification', ({ channel, payload }) => {
      for (const handler of channels.get(channel) ?? []) call(channel, handler, payload ?? '');
    });
    try {
      for (const channel of channels.keys()) await fresh.query(`listen "${channel}"`);
    } catch (error) {
      clearInterval(probe);
      destroy(fresh);
      throw error;
    }
    fresh.once('end', lost);
    return fresh;
  };
  const attempt = (): Promise<pg.Client> => {
    const opening = open();
    client = opening;
    opening.catch(() => {
      if (client === opening) client = undefined;
    });
    return opening;
  };
  const reconnect = async () => {
    for (
      let wait = 50;
      !closed && client === undefined;
      wait = Math.min(wait * 2, LONGEST_RETRY_MILLISECONDS)
    ) {
      try {
        await attempt();
        // Whatever happened in between went unheard.
        for (const [channel, handlers] of channels) {
          for (const handler of handlers) call(channel, handler, undefined);
        }
      } catch {
        await sleep(wait, undefined, { ref: false });
      }
    }
  };

  return {
    async listen(channel, handler) {
      if (!/^[a-z][a-z0-9_]{0,62}$/.test(channel)) throw new TypeError('a channel is a lower-case name');
      if (closed) throw new DatabaseUnavailable('closed', 'the database was closed');
      const handlers = channels.get(channel) ?? new Set<Handler>();
      if (handlers.size === 0 && channels.size >= MAX_CHANNELS) throw new RangeError('too many channels');
      channels.set(channel, handlers.add(handler));
      try {
        await (await (client ?? attempt())).query(`listen "${channel}"`);
      } catch (error) {
        handlers.delete(handler);
        if (handlers.size === 0) channels.delete(channel);
        throw error instanceof DatabaseUnavailable
          ? error
          : new DatabaseUnavailable('lost', 'the connection was lost during LISTEN');
      }
      return {
        async close() {
          handlers.delete(handler);
          if (handlers.size > 0 || channels.get(channel) !== handlers) return;
          channels.delete(channel);
          const current = await client?.catch(() => undefined);
          await current?.query(`unlisten "${channel}"`).catch(() => {});
        },
      };
    },
    async close() {
      closed = true;
      channels.clear();
      const current = await client?.catch(() => undefined);
      await current?.end().catch(() => {});
    },
  };
}

/** Asks from time to time, and cuts the connection when the last question was not answered. */
function probing(client: pg.Client): NodeJS.Timeout {
  let asked = false;
  return setInterval(() => {
    if (asked) {
      destroy(client);
      return;
    }
    asked = true;
    client.query('select 1').then(
      () => {
        asked = false;
      },
      () => {},
    );
  }, PROBE_MILLISECONDS).unref();
}

function destroy(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
