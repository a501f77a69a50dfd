/**
 * Every socket of a stack: UDP, TCP and TLS, both ways.
 *
 * In: socket → admission → parser → `TransportUser`. Out: a hop (requests) or the way a request came (responses).
 * Imports message/ and the timer wheel; knows nothing of transactions.
 */
import type { Doors, Endpoint, StreamListener, UdpSocket } from '@samar/doors';
import { parseMessage } from '../message/index.ts';
import type { Wheel } from '../transaction/wheel.ts';
import type {
  ListenOn,
  ParseFailure,
  SipMessage,
  SipRequest,
  SipResponse,
  StackLimits,
  TransportName,
} from '../types.ts';
import type { Channel, ChannelUser } from './channel.ts';
import { connector } from './connector.ts';
import type { Hop } from './hop.ts';
import { hostText } from './reply.ts';

/** Asked of the system; a burst of a thousand calls fits. Bytes. */
const RECEIVE_BUFFER = 4 * 1_048_576;

/** The way a message came, which is the way its responses go back. */
export interface Flow {
  readonly transport: TransportName;
  readonly source: Endpoint;
  readonly socket: UdpSocket | undefined;
  readonly channel: Channel | undefined;
}

export interface TransportUser {
  onRequest(request: SipRequest, flow: Flow): void;
  onResponse(response: SipResponse, flow: Flow): void;
  /** Bytes from an admitted source that are no valid message. */
  onMalformed(failure: ParseFailure, flow: Flow): void;
  onEvent(event: string): void;
  /** Something the user's code threw. */
  onFault(error: unknown): void;
}

export interface TransportOptions {
  readonly doors: Doors;
  readonly listen: readonly ListenOn[];
  readonly publicHost: string | undefined;
  readonly admit: (source: Endpoint, transport: TransportName) => boolean;
  readonly certificateAuthority: string | Buffer | undefined;
}

export interface Transport {
  readonly bound: readonly (Endpoint & { readonly transport: TransportName })[];
  readonly connections: number;
  /** `host:port` of ours, as it stands in Via and Contact of messages that go to this hop. */
  localHost(transport: TransportName, address: string): string;
  /** Whether a request can be sent over this transport and address family at all. */
  reaches(transport: TransportName, address: string): boolean;
  /** Sends a request. `failed` is called, at once or later, when it certainly did not leave. */
  send(hop: Hop, bytes: Buffer, failed: () => void): void;
  /** Sends a response the way its request came; to `address` (see `replyAddress`) for UDP and when that connection is gone. */
  reply(flow: Flow, address: Endpoint, bytes: Buffer): void;
  close(): Promise<void>;
}

interface Bound {
  readonly transport: TransportName;
  readonly local: Endpoint;
  readonly host: string;
  readonly socket: UdpSocket | undefined;
  readonly listener: StreamListener | undefined;
}

const FAMILIES = ['v4', 'v6'] as const;
type Family = (typeof FAMILIES)[number];
const familyOf = (address: string): Family => (address.includes(':') ? 'v6' : 'v4');

/** Rejects with the system's error when an address cannot be bound; what was bound before is closed again. */
export async function openTransport(
  options: TransportOptions,
  user: TransportUser,
  wheel: Wheel,
  limits: StackLimits,
): Promise<Transport> {
  const { doors } = options;
  let closed = false;

  const onMessage = (message: SipMessage, flow: Flow) => {
    try {
      if (message.kind === 'request') user.onRequest(message, flow);
      else user.onResponse(message, flow);
    } catch (error) {
      user.onFault(error);
    }
  };
  const channelUser: ChannelUser = {
    onMessage(message, channel) {
      const { remote, transport } = channel;
      // A peer that we called may answer us; to ask something of us it must be admitted like any other.
      if (message.kind === 'request' && channel.outgoing && !options.admit(remote, transport)) {
        user.onEvent('dropped-source');
        return;
      }
      onMessage(message, { transport, source: remote, socket: undefined, channel });
    },
    onMalformed(failure, channel) {
      const flow: Flow = { transport: channel.transport, source: channel.remote, socket: undefined, channel };
      user.onMalformed(failure, flow);
    },
    onClosed: (channel) => connections.remove(channel),
    onEvent: user.onEvent,
  };
  const connections = connector(
    doors.network,
    options.certificateAuthority,
    listeningAddress,
    channelUser,
    wheel,
    limits,
    user.onEvent,
  );

  /** The address that we listen on for this transport and family; undefined where that is every address. */
  function listeningAddress({ transport, address }: Hop): string | undefined {
    return options.listen.find(
      (on) =>
        on.transport === transport &&
        familyOf(on.address) === familyOf(address) &&
        on.address !== '0.0.0.0' &&
        on.address !== '::',
    )?.address;
  }

  function receiveOn(socket: UdpSocket) {
    return (data: Buffer, address: string, port: number) => {
      const source: Endpoint = { address, port };
      if (closed) return;
      if (!options.admit(source, 'udp')) {
        user.onEvent('dropped-source');
        return;
      }
      if (isKeepAlive(data)) return;
      const parsed = parseMessage(data, limits);
      const flow: Flow = { transport: 'udp', source, socket, channel: undefined };
      if (parsed.kind === 'failure') user.onMalformed(parsed, flow);
      else onMessage(parsed, flow);
    };
  }

  const bounds: Bound[] = [];
  const closeAll = async () => {
    closed = true;
    connections.close();
    await Promise.all(bounds.map((bound) => bound.socket?.close() ?? bound.listener?.close()));
  };
  try {
    for (const on of options.listen) {
      const bound = await bind(on);
      bounds.push(bound);
    }
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function bind(on: ListenOn): Promise<Bound> {
    const at = { address: on.address, port: on.port };
    if (on.transport === 'udp') {
      const socket = await doors.network.udp({ ...at, receiveBuffer: RECEIVE_BUFFER });
      socket.onDatagram(receiveOn(socket));
      socket.onError(() => user.onEvent('socket-error'));
      return {
        transport: 'udp',
        local: socket.local,
        host: publicHost(socket.local),
        socket,
        listener: undefined,
      };
    }
    const transport = on.transport;
    const accept = (connection: Parameters<Parameters<typeof doors.network.listenTcp>[1]>[0]) => {
      if (closed || !options.admit(connection.remote, transport)) {
        user.onEvent('dropped-source');
        connection.destroy();
      } else connections.accept(connection, transport);
    };
    const bounded = { ...at, maxConnections: limits.connections };
    const listener =
      transport === 'tcp'
        ? await doors.network.listenTcp(bounded, accept)
        : await doors.network.listenTls({ ...bounded, ...tlsOf(on) }, accept);
    return {
      transport,
      local: listener.local,
      host: publicHost(listener.local),
      socket: undefined,
      listener,
    };
  }

  function publicHost(local: Endpoint): string {
    const host = options.publicHost ?? local.address;
    return `${options.publicHost ? host : hostText(host)}:${local.port}`;
  }

  const udpOf = new Map<Family, Bound>();
  const hostOf = new Map<string, string>();
  for (const bound of bounds) {
    const family = familyOf(bound.local.address);
    const key = `${bound.transport}${family}`;
    if (bound.socket && !udpOf.has(family)) udpOf.set(family, bound);
    if (!hostOf.has(key)) hostOf.set(key, bound.host);
  }
  const anyHost = bounds[0]?.host ?? 'invalid.invalid';

  return {
    bound: bounds.map(({ transport, local }) => ({ transport, address: local.address, port: local.port })),
    get connections() {
      return connections.count;
    },
    localHost: (transport, address) =>
      hostOf.get(transport + familyOf(address)) ??
      hostOf.get(`${transport}v4`) ??
      hostOf.get(`${transport}v6`) ??
      anyHost,
    reaches: (transport, address) => transport !== 'udp' || udpOf.has(familyOf(address)),
    send(hop, bytes, failed) {
      if (closed) return;
      if (hop.transport !== 'udp') {
        connections.send(hop, bytes, failed);
        return;
      }
      // Above 1,300 bytes RFC 3261 section 18.1.1 wants a congestion-controlled transport; a target that says
      // udp is obeyed all the same, for trunks are agreed by contract and IP fragments pass between them.
      const socket = udpOf.get(familyOf(hop.address))?.socket;
      if (socket) socket.send(bytes, hop.port, hop.address);
      else failed();
    },
    reply(flow, to, bytes) {
      if (closed || flow.channel?.write(bytes)) return;
      if (flow.socket) flow.socket.send(bytes, to.port, to.address);
      else
        connections.send({ transport: flow.transport, ...to }, bytes, () => user.onEvent('response-unsent'));
    },
    close: closeAll,
  };
}

function tlsOf(on: ListenOn): NonNullable<ListenOn['tls']> {
  if (!on.tls) throw new TypeError('a tls listener needs a key and a certificate');
  return on.tls;
}

/** RFC 5626 keep-alives and what NAT boxes make of them: nothing but line ends. */
function isKeepAlive(data: Buffer): boolean {
  if (data.length > 4) return false;
  for (const byte of data) if (byte !== 13 && byte !== 10 && byte !== 0) return false;
  return true;
}
