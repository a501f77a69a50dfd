/**
 * A worker's sockets. Each pair (RTP, and RTCP on the next port) is bound once and kept: opening a leg costs no
 * system call. While a pair belongs to no leg, what comes to it is read and thrown away, so nothing waits there
 * for the next call.
 */
import type { Network, UdpSocket } from '@samar/doors';
import type { Counters } from '../rtp/counters.ts';
import type { Leg, LegSockets } from '../rtp/leg.ts';

/** Room for a second of audio when the thread is busy; the system may give less. */
const RECEIVE_BUFFER = 256 * 1024;

export interface Pair extends LegSockets {
  readonly port: number;
  /** Whose datagrams they are now. */
  leg: Leg | undefined;
}

export interface Sockets {
  bind(ports: readonly number[]): Promise<Bound>;
  /** Undefined when the port isn't bound here. */
  pair(port: number): Pair | undefined;
  readonly bound: number;
  close(): Promise<void>;
}

export interface Bound {
  readonly ports: readonly number[];
  readonly failed: readonly number[];
  readonly exhausted: boolean;
}

export function createSockets(network: Network, address: string, counters: Counters): Sockets {
  const pairs = new Map<number, Pair>();
  const open: UdpSocket[] = [];

  async function bindPair(port: number): Promise<void> {
    const rtp = await network.udp({ address, port, receiveBuffer: RECEIVE_BUFFER });
    let rtcp: UdpSocket;
    try {
      rtcp = await network.udp({ address, port: port + 1 });
    } catch (error) {
      await rtp.close();
      throw error;
    }
    const pair: Pair = { port, rtp, rtcp, leg: undefined };
    rtp.onDatagram((data, from, fromPort) => {
      if (pair.leg === undefined) counters.dropped['free-port']++;
      else pair.leg.receive(data, from, fromPort);
    });
    rtcp.onDatagram((data, from) => {
      if (pair.leg === undefined) counters.dropped['free-port']++;
      else pair.leg.receiveControl(data, from);
    });
    open.push(rtp, rtcp);
    pairs.set(port, pair);
  }

  return {
    async bind(ports) {
      const bound: number[] = [];
      const failed: number[] = [];
      let exhausted = false;
      for (const port of ports) {
        try {
          if (exhausted) failed.push(port);
          else {
            await bindPair(port);
            bound.push(port);
          }
        } catch (error) {
          failed.push(port);
          const code = (error as NodeJS.ErrnoException).code;
          exhausted = code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS';
        }
      }
      return { ports: bound, failed, exhausted };
    },
    pair: (port) => pairs.get(port),
    get bound() {
      return pairs.size;
    },
    async close() {
      pairs.clear();
      await Promise.all(open.splice(0).map((socket) => socket.close()));
    },
  };
}
