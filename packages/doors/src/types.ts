/**
 * clock      what time it is
 * timer      something that happens later, once, unless cancelled
 * random     unpredictable bytes (cryptographic in production)
 * network    UDP sockets, TCP and TLS connections, DNS
 */
export interface Doors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly network: Network;
}

export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01 UTC. May jump when the host's clock is set. */
  now(): number;
  /** Milliseconds (with fractions) since an arbitrary origin; never goes back. Use it for durations. */
  monotonic(): number;
}

export interface Timers {
  /** Runs `action` once, `milliseconds` (>= 0) from now. A pending timer does not keep the process alive. */
  after(milliseconds: number, action: () => void): Timer;
}

export interface Timer {
  /** Does nothing when the timer has fired or was cancelled before. */
  cancel(): void;
}

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Buffer;
  /** A uniform integer in [0, limit); 1 <= limit <= 2^48. */
  integer(limit: number): number;
}

/** An IP address in canonical text (no brackets, no zone) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Network {
  /** Binds a UDP socket. Port 0 lets the system choose. Rejects with the system's error (`EADDRINUSE`, …). */
  udp(options: UdpOptions): Promise<UdpSocket>;
  /** Accepts TCP connections. */
  listenTcp(options: ListenOptions, accept: (connection: StreamConnection) => void): Promise<StreamListener>;
  /** Accepts TLS connections; the handshake is finished when `accept` is called. */
  listenTls(
    options: ListenOptions & TlsServerOptions,
    accept: (connection: StreamConnection) => void,
  ): Promise<StreamListener>;
  /** Rejects when not connected within `timeoutMilliseconds`. */
  connectTcp(options: ConnectOptions): Promise<StreamConnection>;
  connectTls(options: ConnectOptions & TlsClientOptions): Promise<StreamConnection>;
  readonly dns: Dns;
}

export interface UdpOptions {
  readonly address: string;
  readonly port: number;
  /** Receive buffer asked of the system, in bytes. */
  readonly receiveBuffer?: number;
}

/** `data` is valid only during the call: the receiver copies what it keeps. */
export type DatagramHandler = (data: Buffer, address: string, port: number) => void;

export interface UdpSocket {
  readonly local: Endpoint;
  /** Sends one datagram; loss and unreachable hosts are silent, as UDP is. `address` is an IP literal. */
  send(data: Uint8Array, port: number, address: string): void;
  /** At most one handler; it replaces the one before it. */
  onDatagram(handler: DatagramHandler): void;
  /** Called for errors of the socket itself. */
  onError(handler: (error: Error) => void): void;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly address: string;
  readonly port: number;
  /** Connections past this many are closed at once. */
  readonly maxConnections?: number;
}

export interface TlsServerOptions {
  /** PEM. */
  readonly key: string | Buffer;
  /** PEM, leaf first. */
  readonly certificate: string | Buffer;
}

export interface TlsClientOptions {
  readonly serverName?: string;
  /** PEM; the system's trust store when absent. */
  readonly certificateAuthority?: string | Buffer;
}

export interface ConnectOptions {
  readonly address: string;
  readonly port: number;
  /** Source address to bind. */
  readonly localAddress?: string;
  readonly timeoutMilliseconds: number;
}

export interface StreamListener {
  readonly local: Endpoint;
  close(): Promise<void>;
}

export interface StreamConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly encrypted: boolean;
  /** Queues bytes; returns false when more than the system's buffer is waiting. */
  write(data: Uint8Array): boolean;
  /** Bytes accepted by `write` and not yet handed to the system. */
  readonly pendingBytes: number;
  onData(handler: (data: Buffer) => void): void;
  /** Called exactly once, after the last data. */
  onClose(handler: (error: Error | undefined) => void): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

export interface Dns {
  /** Each rejects with the resolver's error (`ENOTFOUND`, `ENODATA`, `ETIMEOUT`, …). */
  a(name: string): Promise<readonly string[]>;
  aaaa(name: string): Promise<readonly string[]>;
  srv(name: string): Promise<readonly ServiceRecord[]>;
  naptr(name: string): Promise<readonly NaptrRecord[]>;
}

export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface NaptrRecord {
  readonly flags: string;
  readonly service: string;
  readonly regexp: string;
  readonly replacement: string;
  readonly order: number;
  readonly preference: number;
}
