import { randomBytes, randomFillSync, randomInt } from 'node:crypto';
import { createSocket, type Socket as NodeDatagramSocket } from 'node:dgram';
import { promises as resolver } from 'node:dns';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type {
  ConnectOptions,
  Doors,
  Endpoint,
  ListenOptions,
  Network,
  StreamConnection,
  StreamListener,
  TlsClientOptions,
  TlsServerOptions,
  UdpOptions,
  UdpSocket,
} from './types.ts';

/** The real world. */
export function nodeDoors(): Doors {
  return {
    clock: { now: Date.now, monotonic: () => performance.now() },
    timers: {
      after(milliseconds, action) {
        const timer = setTimeout(action, milliseconds).unref();
        return { cancel: () => clearTimeout(timer) };
      },
    },
    random: {
      bytes: randomness,
      integer: (limit) => (limit === 2 ** 48 ? randomness(6).readUIntBE(0, 6) : randomInt(limit)),
    },
    network: nodeNetwork,
  };
}

/** Asking the system costs the same for 8 bytes as for 4,096; a call asks for some twenty times 8. */
const reserve = Buffer.alloc(4_096);
let reserveUsed = reserve.length;

function randomness(length: number): Buffer {
  if (length > 64) return randomBytes(length);
  if (reserveUsed + length > reserve.length) {
    randomFillSync(reserve);
    reserveUsed = 0;
  }
  const bytes = Buffer.from(reserve.subarray(reserveUsed, reserveUsed + length));
  // What was given out is not kept: nobody reads a key from here later.
  reserve.fill(0, reserveUsed, reserveUsed + length);
  reserveUsed += length;
  return bytes;
}

const nodeNetwork: Network = {
  udp: bindUdp,
  listenTcp: (options, accept) => listen(net.createServer(), 'connection', options, accept),
  listenTls: (options: ListenOptions & TlsServerOptions, accept) =>
    listen(
      tls.createServer({ key: options.key, cert: options.certificate, minVersion: 'TLSv1.2' }),
      'secureConnection',
      options,
      accept,
    ),
  connectTcp: (options) => connect(net.connect(addressOf(options)), 'connect', options, false),
  connectTls: (options: ConnectOptions & TlsClientOptions) =>
    connect(
      tls.connect({
        ...addressOf(options),
        ...(options.serverName === undefined ? {} : { servername: options.serverName }),
        ...(options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority }),
        minVersion: 'TLSv1.2',
      }),
      'secureConnect',
      options,
      true,
    ),
  dns: {
    a: (name) => resolver.resolve4(name),
    aaaa: (name) => resolver.resolve6(name),
    srv: (name) => resolver.resolveSrv(name),
    naptr: (name) => resolver.resolveNaptr(name),
  },
};

function addressOf(options: ConnectOptions) {
  return {
    host: options.address,
    port: options.port,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
  };
}

function bindUdp(options: UdpOptions): Promise<UdpSocket> {
  const family = net.isIPv6(options.address) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Addresses are literals already; without this, every send goes through dns.lookup.
    lookup: (host, _options, callback) => callback(null, host, family),
    ...(options.receiveBuffer === undefined ? {} : { recvBufferSize: options.receiveBuffer }),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    // With a synchronous lookup, bind() emits 'listening' before it returns: handlers come first.
    socket.once('listening', () => {
      socket.removeListener('error', reject);
      resolve(wrapUdp(socket));
    });
    socket.bind({ address: options.address, port: options.port, exclusive: true });
  });
}

function wrapUdp(socket: NodeDatagramSocket): UdpSocket {
  const { address, port } = socket.address();
  let onDatagram: Parameters<UdpSocket['onDatagram']>[0] = () => {};
  let onError: (error: Error) => void = () => {};
  let closed = false;
  socket.on('message', (data, source) => onDatagram(data, source.address, source.port));
  socket.on('error', (error) => onError(error));
  return {
    local: { address, port },
    send(data, toPort, toAddress) {
      // An empty callback keeps per-datagram errors (ECONNREFUSED by ICMP, …) away from 'error'.
      if (!closed) socket.send(data, toPort, toAddress, ignore);
    },
    onDatagram(handler) {
      onDatagram = handler;
    },
    onError(handler) {
      onError = handler;
    },
    close() {
      if (closed) return Promise.resolve();
      closed = true;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

function ignore(): void {}

function listen(
  server: net.Server,
  event: 'connection' | 'secureConnection',
  options: ListenOptions,
  accept: (connection: StreamConnection) => void,
): Promise<StreamListener> {
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    // Before the TLS handshake is done nobody else listens for errors on the raw socket.
    socket.on('error', ignore);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', ignore);
  server.on(event, (socket: net.Socket) => accept(wrapStream(socket, event === 'secureConnection')));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.address, port: options.port, exclusive: true }, () => {
      server.removeListener('error', reject);
      server.on('error', ignore);
      const bound = server.address() as net.AddressInfo;
      resolve({
        local: { address: bound.address, port: bound.port },
        close() {
          for (const socket of sockets) socket.destroy();
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}

function connect(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  options: ConnectOptions,
  encrypted: boolean,
): Promise<StreamConnection> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${options.timeoutMilliseconds} ms`));
    }, options.timeoutMilliseconds);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      resolve(wrapStream(socket, encrypted));
    });
  });
}

function wrapStream(socket: net.Socket, encrypted: boolean): StreamConnection {
  socket.setNoDelay(true);
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  return {
    local: endpoint(socket.localAddress, socket.localPort),
    remote: endpoint(socket.remoteAddress, socket.remotePort),
    encrypted,
    write: (data) => (socket.writable ? socket.write(data) : false),
    get pendingBytes() {
      return socket.writableLength;
    },
    onData: (handler) => void socket.on('data', handler),
    onClose: (handler) => void socket.once('close', () => handler(failure)),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint {
  return { address: (address ?? '').replace(/^::ffff:(?=\d+\.)/, ''), port: port ?? 0 };
}
