import type {
  ConnectOptions,
  DatagramHandler,
  Dns,
  Doors,
  Endpoint,
  NaptrRecord,
  Network,
  Random,
  ServiceRecord,
  StreamConnection,
  StreamListener,
  UdpSocket,
} from './types.ts';

/**
 * A world driven by one seed: time stands still until `advance` moves it, datagrams take simulated time
 * and may be lost, late or doubled, and everything happens in one order that the seed decides.
 */
export interface SimulatedDoors extends Doors {
  /** Moves time forward, running every timer and delivery that falls due, in order. Settles promises between them. */
  advance(milliseconds: number): Promise<void>;
  /** Timers and deliveries that are waiting: 0 means that nothing was left behind. */
  readonly pending: number;
  /** What the network does to datagrams; changes hold from the next datagram on. */
  readonly faults: NetworkFaults;
  /** Answers for DNS look-ups; a name without an entry is `ENOTFOUND`. */
  readonly records: {
    readonly a: Map<string, readonly string[]>;
    readonly aaaa: Map<string, readonly string[]>;
    readonly srv: Map<string, readonly ServiceRecord[]>;
    readonly naptr: Map<string, readonly NaptrRecord[]>;
  };
}

export interface NetworkFaults {
  /** Probability in [0, 1] that a datagram vanishes. */
  loss: number;
  /** Probability in [0, 1] that a datagram arrives twice. */
  duplication: number;
  /** One-way delay in milliseconds: uniform in [minimum, maximum]. */
  minimumDelay: number;
  maximumDelay: number;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** `seed` is any 32-bit integer; the wall clock starts at `startsAt` (milliseconds since 1970). */
export function simulatedDoors(seed: number, startsAt = Date.UTC(2026, 0, 1)): SimulatedDoors {
  const random = seededRandom(seed);
  const faults: NetworkFaults = { loss: 0, duplication: 0, minimumDelay: 0, maximumDelay: 0 };
  const records: SimulatedDoors['records'] = {
    a: new Map(),
    aaaa: new Map(),
    srv: new Map(),
    naptr: new Map(),
  };
  const queue = new Set<Due>();
  let elapsed = 0;
  let orders = 0;

  function schedule(milliseconds: number, action: () => void): { cancel(): void } {
    const due: Due = { at: elapsed + Math.max(0, milliseconds), order: orders++, action };
    queue.add(due);
    return { cancel: () => void queue.delete(due) };
  }

  function next(until: number): Due | undefined {
    let first: Due | undefined;
    for (const due of queue) {
      if (due.at > until) continue;
      if (!first || due.at < first.at || (due.at === first.at && due.order < first.order)) first = due;
    }
    return first;
  }

  return {
    clock: { now: () => startsAt + Math.floor(elapsed), monotonic: () => elapsed },
    timers: { after: schedule },
    random,
    network: simulatedNetwork(random, faults, records, schedule),
    faults,
    records,
    get pending() {
      return queue.size;
    },
    async advance(milliseconds) {
      const until = elapsed + milliseconds;
      await settle();
      for (let due = next(until); due; due = next(until)) {
        queue.delete(due);
        elapsed = due.at;
        due.action();
        await settle();
      }
      elapsed = until;
    },
  };
}

/** Lets promise chains started by the last action run to their end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** SplitMix32: small, fast, and good enough to choose faults and identifiers in tests. Not for secrets. */
function seededRandom(seed: number): Random {
  let state = seed | 0;
  function word(): number {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
  return {
    bytes(length) {
      const bytes = Buffer.alloc(length);
      for (let index = 0; index < length; index++) bytes[index] = word() & 0xff;
      return bytes;
    },
    integer: (limit) => Math.floor(((word() * 0x10000 + (word() & 0xffff)) / 0x1000000000000) * limit),
  };
}

function simulatedNetwork(
  random: Random,
  faults: NetworkFaults,
  records: SimulatedDoors['records'],
  schedule: (milliseconds: number, action: () => void) => unknown,
): Network {
  const sockets = new Map<string, DatagramHandler>();
  const listeners = new Map<string, (connection: StreamConnection) => void>();
  let nextPort = 32_768;

  const keyOf = (address: string, port: number) => `${address}|${port}`;
  const chance = (probability: number) =>
    probability > 0 && random.integer(1_000_000) < probability * 1_000_000;
  const delay = () =>
    faults.minimumDelay +
    random.integer(Math.max(1, Math.round(faults.maximumDelay - faults.minimumDelay) + 1));

  async function udp(options: { address: string; port: number }): Promise<UdpSocket> {
    const local: Endpoint = { address: options.address, port: options.port || nextPort++ };
    const key = keyOf(local.address, local.port);
    if (sockets.has(key)) throw systemError('EADDRINUSE', `bind ${key}`);
    sockets.set(key, () => {});
    return {
      local,
      send(data, port, address) {
        const copies = chance(faults.loss) ? 0 : chance(faults.duplication) ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) {
          const bytes = Buffer.from(data);
          schedule(delay(), () => sockets.get(keyOf(address, port))?.(bytes, local.address, local.port));
        }
      },
      onDatagram: (handler) => void sockets.set(key, handler),
      onError: () => {},
      close: async () => void sockets.delete(key),
    };
  }

  async function listen(
    options: { address: string; port: number },
    accept: (connection: StreamConnection) => void,
  ): Promise<StreamListener> {
    const local: Endpoint = { address: options.address, port: options.port || nextPort++ };
    const key = keyOf(local.address, local.port);
    if (listeners.has(key)) throw systemError('EADDRINUSE', `listen ${key}`);
    listeners.set(key, accept);
    return { local, close: async () => void listeners.delete(key) };
  }

  async function connect(options: ConnectOptions, encrypted: boolean): Promise<StreamConnection> {
    const accept = listeners.get(keyOf(options.address, options.port));
    if (!accept) throw systemError('ECONNREFUSED', `connect ${options.address}:${options.port}`);
    const here: Endpoint = { address: options.localAddress ?? '127.0.0.1', port: nextPort++ };
    const there: Endpoint = { address: options.address, port: options.port };
    const [near, far] = pipe(here, there, encrypted, schedule);
    accept(far);
    return near;
  }

  return {
    udp,
    listenTcp: listen,
    listenTls: listen,
    connectTcp: (options) => connect(options, false),
    connectTls: (options) => connect(options, true),
    dns: simulatedDns(records),
  };
}

function simulatedDns(records: SimulatedDoors['records']): Dns {
  async function answer<T>(map: Map<string, readonly T[]>, name: string): Promise<readonly T[]> {
    const found = map.get(name);
    if (!found) throw systemError('ENOTFOUND', `query ${name}`);
    return found;
  }
  return {
    a: (name) => answer(records.a, name),
    aaaa: (name) => answer(records.aaaa, name),
    srv: (name) => answer(records.srv, name),
    naptr: (name) => answer(records.naptr, name),
  };
}

function pipe(
  here: Endpoint,
  there: Endpoint,
  encrypted: boolean,
  schedule: (milliseconds: number, action: () => void) => unknown,
): [StreamConnection, StreamConnection] {
  const state = { closed: false };
  const ends = [end(here, there), end(there, here)] as const;
  function end(local: Endpoint, remote: Endpoint) {
    const waiting: Buffer[] = [];
    let onData: ((data: Buffer) => void) | undefined;
    const onClose: ((error: Error | undefined) => void)[] = [];
    return {
      deliver(data: Buffer) {
        if (onData) onData(data);
        else waiting.push(data);
      },
      closed: () => {
        for (const handler of onClose) handler(undefined);
      },
      face: (peer: () => { deliver(data: Buffer): void }, close: () => void): StreamConnection => ({
        local,
        remote,
        encrypted,
        pendingBytes: 0,
        write(data) {
          if (state.closed) return false;
          const bytes = Buffer.from(data);
          schedule(0, () => peer().deliver(bytes));
          return true;
        },
        onData(handler) {
          onData = handler;
          for (const data of waiting.splice(0)) handler(data);
        },
        onClose: (handler) => void onClose.push(handler),
        end: close,
        destroy: close,
      }),
    };
  }
  function close() {
    if (state.closed) return;
    state.closed = true;
    schedule(0, () => {
      ends[0].closed();
      ends[1].closed();
    });
  }
  return [ends[0].face(() => ends[1], close), ends[1].face(() => ends[0], close)];
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${what}: ${code}`), { code });
}
