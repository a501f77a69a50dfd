/**
 * Restricted latching (RFC 7362 section 5): decides whose RTP a leg takes and where its own goes.
 *
 * - Only the address of the peer's SDP, or a network that the carrier's configuration allows, can be a source.
 * - A source at the very address and port of the SDP is taken at its first packet: that is where we send anyway.
 *   Any other port or address needs `CONSISTENT` packets of one SSRC with sequence numbers in a row.
 * - Then the address, port and SSRC are locked. Only `open` (a new SDP of the peer) lets another source in.
 * - A new SSRC from the locked address and port (a gateway that switched from an announcement to a person) is
 *   taken after `CONSISTENT_SSRC` packets in a row without one of the old SSRC between them.
 */
import { BlockList, isIPv6, SocketAddress } from 'node:net';
import { type RtpPacket, sequenceDistance } from './packet.ts';

const CONSISTENT = 3;
const CONSISTENT_SSRC = 5;

export type Verdict = 'pass' | 'stranger' | 'unlatched' | 'wrong-ssrc';

export interface Latch {
  /** Forgets the locked source: the peer told a new description. `networks` are CIDR; malformed ones throw. */
  open(address: string, port: number, networks: readonly string[]): void;
  admit(address: string, port: number, packet: RtpPacket): Verdict;
  /** May RTCP from this address be read? True for the locked source's address, before that for the SDP's. */
  trusts(address: string): boolean;
  /** Where RTP goes: the locked source, before that the SDP's address and port. */
  readonly address: string;
  readonly port: number;
  readonly locked: boolean;
  /** Changes whenever another source or SSRC is taken: what is relayed from here on has a new time base. */
  readonly generation: number;
}

interface Candidate {
  address: string;
  port: number;
  ssrc: number;
  sequence: number;
  packets: number;
}

export function createLatch(): Latch {
  let sdpAddress = '';
  let sdpPort = 0;
  let allowed: BlockList | undefined;
  let address = '';
  let port = 0;
  let ssrc = 0;
  let locked = false;
  let generation = 0;
  const candidate: Candidate = { address: '', port: 0, ssrc: 0, sequence: 0, packets: 0 };

  function lock(fromAddress: string, fromPort: number, packet: RtpPacket): Verdict {
    address = fromAddress;
    port = fromPort;
    ssrc = packet.ssrc;
    locked = true;
    generation++;
    candidate.packets = 0;
    return 'pass';
  }

  /** Counts packets of one source in a row; true at the `needed`th. */
  function consistent(fromAddress: string, fromPort: number, packet: RtpPacket, needed: number): boolean {
    const follows =
      candidate.packets > 0 &&
      candidate.ssrc === packet.ssrc &&
      candidate.port === fromPort &&
      candidate.address === fromAddress &&
      isNext(sequenceDistance(candidate.sequence, packet.sequence));
    candidate.address = fromAddress;
    candidate.port = fromPort;
    candidate.ssrc = packet.ssrc;
    candidate.sequence = packet.sequence;
    candidate.packets = follows ? candidate.packets + 1 : 1;
    return candidate.packets >= needed;
  }

  function admitLocked(fromAddress: string, fromPort: number, packet: RtpPacket): Verdict {
    if (fromPort !== port || fromAddress !== address) return 'stranger';
    if (packet.ssrc === ssrc) {
      candidate.packets = 0;
      return 'pass';
    }
    return consistent(fromAddress, fromPort, packet, CONSISTENT_SSRC)
      ? lock(fromAddress, fromPort, packet)
      : 'wrong-ssrc';
  }

  return {
    open(toAddress, toPort, networks) {
      allowed = networks.length === 0 ? undefined : networkList(networks);
      // As the system will write the source's address: IPv6 has many spellings.
      sdpAddress = isIPv6(toAddress)
        ? new SocketAddress({ address: toAddress, family: 'ipv6' }).address
        : toAddress;
      sdpPort = toPort;
      address = sdpAddress;
      port = toPort;
      locked = false;
      candidate.packets = 0;
    },
    admit(fromAddress, fromPort, packet) {
      if (locked) return admitLocked(fromAddress, fromPort, packet);
      if (sdpAddress === '') return 'unlatched';
      if (fromAddress === sdpAddress) {
        if (fromPort === sdpPort) return lock(fromAddress, fromPort, packet);
      } else if (!allowed?.check(fromAddress, isIPv6(fromAddress) ? 'ipv6' : 'ipv4')) return 'stranger';
      return consistent(fromAddress, fromPort, packet, CONSISTENT)
        ? lock(fromAddress, fromPort, packet)
        : 'unlatched';
    },
    trusts: (fromAddress) => address !== '' && fromAddress === address,
    get address() {
      return address;
    },
    get port() {
      return port;
    },
    get locked() {
      return locked;
    },
    get generation() {
      return generation;
    },
  };
}

/** Up to four packets may be lost or swapped among those that prove a source. */
function isNext(distance: number): boolean {
  return distance > 0 && distance <= 5;
}

function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
