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

export class Latch {
  #sdpAddress = '';
  #sdpPort = 0;
  #allowed: BlockList | undefined;
  #address = '';
  #port = 0;
  #ssrc = 0;
  #locked = false;
  #generation = 0;
  /** Who is being proven: the packets of one source in a row so far. */
  #candidateAddress = '';
  #candidatePort = 0;
  #candidateSsrc = 0;
  #candidateSequence = 0;
  #candidatePackets = 0;

  /** Forgets the locked source: the peer told a new description. `networks` are CIDR; malformed ones throw. */
  open(address: string, port: number, networks: readonly string[]): void {
    this.#allowed = networks.length === 0 ? undefined : networkList(networks);
    // As the system will write the source's address: IPv6 has many spellings.
    this.#sdpAddress = isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
    this.#sdpPort = port;
    this.#address = this.#sdpAddress;
    this.#port = port;
    this.#locked = false;
    this.#candidatePackets = 0;
  }

  admit(address: string, port: number, packet: RtpPacket): Verdict {
    if (this.#locked) {
      if (port !== this.#port || address !== this.#address) return 'stranger';
      if (packet.ssrc !== this.#ssrc)
        return this.#prove(address, port, packet, CONSISTENT_SSRC, 'wrong-ssrc');
      this.#candidatePackets = 0;
      return 'pass';
    }
    if (this.#sdpAddress === '') return 'unlatched';
    if (address === this.#sdpAddress) {
      if (port === this.#sdpPort) return this.#lock(address, port, packet);
    } else if (!this.#allowed?.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return 'stranger';
    return this.#prove(address, port, packet, CONSISTENT, 'unlatched');
  }

  /** May RTCP from this address be read? True for the locked source's address, before that for the SDP's. */
  trusts(address: string): boolean {
    return this.#address !== '' && address === this.#address;
  }

  /** Where RTP goes: the locked source, before that the SDP's address and port. */
  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  get locked(): boolean {
    return this.#locked;
  }

  /** Changes whenever another source or SSRC is taken: what is relayed from here on has a new time base. */
  get generation(): number {
    return this.#generation;
  }

  #lock(address: string, port: number, packet: RtpPacket): Verdict {
    this.#address = address;
    this.#port = port;
    this.#ssrc = packet.ssrc;
    this.#locked = true;
    this.#generation++;
    this.#candidatePackets = 0;
    return 'pass';
  }

  /** Counts packets of one source in a row, and takes it at the `needed`th; `otherwise` until then. */
  #prove(address: string, port: number, packet: RtpPacket, needed: number, otherwise: Verdict): Verdict {
    const follows =
      this.#candidatePackets > 0 &&
      this.#candidateSsrc === packet.ssrc &&
      this.#candidatePort === port &&
      this.#candidateAddress === address &&
      isNext(sequenceDistance(this.#candidateSequence, packet.sequence));
    this.#candidateAddress = address;
    this.#candidatePort = port;
    this.#candidateSsrc = packet.ssrc;
    this.#candidateSequence = packet.sequence;
    this.#candidatePackets = follows ? this.#candidatePackets + 1 : 1;
    return this.#candidatePackets >= needed ? this.#lock(address, port, packet) : otherwise;
  }
}

/** Up to four packets may be lost or swapped among those that prove a source. */
function isNext(distance: number): boolean {
  return distance > 0 && distance <= 5;
}

/** Every call of a carrier has the same networks; past the bound the memory is emptied. */
const remembered = new Map<string, BlockList>();
const mostRemembered = 256;

function networkList(networks: readonly string[]): BlockList {
  const key = networks.join(' ');
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const list = makeList(networks);
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(key, list);
  return list;
}

function makeList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
