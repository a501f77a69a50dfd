/**
 * The TCP and TLS connections of a stack: reused by remote address, bounded in number, opened when needed.
 */
import type { Network, StreamConnection } from '@samar/doors';
import type { Wheel } from '../transaction/wheel.ts';
import type { StackLimits, TransportName } from '../types.ts';
import { Channel, type ChannelUser } from './channel.ts';
import type { Hop } from './hop.ts';

/** Milliseconds; well under timer B, so that the next address of the target still gets its chance. */
const CONNECT_TIMEOUT = 5_000;
/** Messages that wait for one connection to open. */
const WAITING = 1_000;

interface Opening {
  readonly waiting: { readonly bytes: Buffer; readonly failed: () => void }[];
}

export interface Connector {
  readonly count: number;
  accept(connection: StreamConnection, transport: TransportName): void;
  /** `failed` is called once when the message certainly was not sent. */
  send(hop: Hop, bytes: Buffer, failed: () => void): void;
  remove(channel: Channel): void;
  close(): void;
}

export function connector(
  network: Network,
  certificateAuthority: string | Buffer | undefined,
  localAddress: (hop: Hop) => string | undefined,
  user: ChannelUser,
  wheel: Wheel,
  limits: StackLimits,
  onEvent: (event: string) => void,
): Connector {
  const channels = new Set<Channel>();
  const byRemote = new Map<string, Channel>();
  const opening = new Map<string, Opening>();
  let closed = false;

  const keyOf = (transport: TransportName, address: string, port: number) =>
    `${transport}|${address}|${port}`;
  const full = () => channels.size + opening.size >= limits.connections;

  function adopt(connection: StreamConnection, transport: TransportName, outgoing: boolean): Channel {
    const channel = new Channel(connection, transport, outgoing, user, wheel, limits);
    if (!channel.open) return channel;
    channels.add(channel);
    byRemote.set(keyOf(transport, channel.remote.address, channel.remote.port), channel);
    return channel;
  }

  async function open(hop: Hop, key: string, entry: Opening): Promise<void> {
    const from = localAddress(hop);
    const options = {
      address: hop.address,
      port: hop.port,
      timeoutMilliseconds: CONNECT_TIMEOUT,
      // Peers filter by source: connections leave from the address that datagrams leave from.
      ...(from === undefined ? {} : { localAddress: from }),
    };
    try {
      const connection =
        hop.transport === 'tls'
          ? await network.connectTls({
              ...options,
              ...(hop.serverName === undefined ? {} : { serverName: hop.serverName }),
              ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
            })
          : await network.connectTcp(options);
      opening.delete(key);
      if (closed) {
        connection.destroy();
        return;
      }
      const channel = adopt(connection, hop.transport, true);
      for (const { bytes, failed } of entry.waiting) if (!channel.write(bytes)) failed();
    } catch {
      // Refused, timed out, bad certificate: to whoever sends, all the same. The next hop is tried.
      opening.delete(key);
      if (closed) return;
      onEvent('connect-failed');
      for (const { failed } of entry.waiting) failed();
    }
  }

  return {
    get count() {
      return channels.size;
    },
    accept(connection, transport) {
      if (closed || full()) {
        onEvent('connection-limit');
        connection.destroy();
      } else adopt(connection, transport, false);
    },
    send(hop, bytes, failed) {
      if (closed) return;
      const key = keyOf(hop.transport, hop.address, hop.port);
      const channel = byRemote.get(key);
      if (channel?.write(bytes)) return;
      const entry = opening.get(key);
      if (entry) {
        if (entry.waiting.length < WAITING) entry.waiting.push({ bytes, failed });
        else failed();
      } else if (full()) {
        onEvent('connection-limit');
        failed();
      } else {
        const fresh: Opening = { waiting: [{ bytes, failed }] };
        opening.set(key, fresh);
        void open(hop, key, fresh);
      }
    },
    remove(channel) {
      channels.delete(channel);
      const key = keyOf(channel.transport, channel.remote.address, channel.remote.port);
      if (byRemote.get(key) === channel) byRemote.delete(key);
    },
    close() {
      closed = true;
      for (const channel of [...channels]) channel.destroy();
      opening.clear();
    },
  };
}
