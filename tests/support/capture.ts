/**
 * What really went over the wire: tcpdump on the loopback interface, and a reader of its file. Legs are told apart by
 * address, not by trust in what a message says. The caller's side is 127.0.0.1, since a program that doesn't bind its
 * sockets (baresip's RTP) sends from there.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from '@samar/media';

/** The platform must be started with `sipHost: addresses.platform`; `stranger` is nobody that it knows. */
export const addresses = {
  platform: '127.0.0.2',
  caller: '127.0.0.1',
  callee: '127.0.0.3',
  stranger: '127.0.0.4',
} as const;
export type Side = Exclude<keyof typeof addresses, 'platform'>;

export interface Packet {
  readonly transport: 'udp' | 'tcp';
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  /** TCP: the place of the first byte in its stream; UDP: 0. */
  readonly sequence: number;
  readonly payload: Buffer;
}

export interface Capture {
  /** Ends the capture and reads it. Rejects when the kernel had to drop packets: such a capture proves nothing. */
  stop(): Promise<readonly Packet[]>;
}

/** Captures everything between the four addresses, whatever the port. Resolves once packets are caught. */
export async function startCapture(): Promise<Capture> {
  const folder = await mkdtemp(join(tmpdir(), 'samar-capture-'));
  const file = join(folder, 'packets.pcap');
  const filter = `net 127.0.0.0/29 and not (src ${addresses.caller} and dst ${addresses.caller})`;
  const options = [
    '-i',
    platform() === 'linux' ? 'lo' : 'lo0',
    '-n',
    '-s',
    '65535',
    '-B',
    '65536',
    '-U',
    // Else the last second may be missing: the kernel hands packets over in blocks.
    '--immediate-mode',
    '-w',
    file,
  ];
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  // `-Z root`: else Debian's tcpdump becomes a user who may not write into our folder.
  const [program = '', ...args] = [...asRoot, 'tcpdump', ...options, '-Z', 'root', filter];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const end = () => {
    // Nobody but root may end what sudo runs; sudo hands the signal on.
    if (asRoot.length === 0) child.kill('SIGINT');
    else spawnSync('sudo', ['-n', 'kill', '-INT', String(child.pid)]);
  };
  // A test that failed half-way leaves nothing running.
  process.once('exit', end);
  let said = '';
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('listening on')) resolve();
    });
    child.once('error', reject);
    void exited.then(() => reject(new Error(`tcpdump did not start: ${said}`)));
  });
  return {
    async stop() {
      // What was sent last must come out of the kernel's buffer first.
      await new Promise((resolve) => setTimeout(resolve, 300));
      process.off('exit', end);
      end();
      await exited;
      const bytes = await readFile(file);
      await rm(folder, { recursive: true, force: true });
      const dropped = /(\d+) packets? dropped by kernel/.exec(said)?.[1];
      if (dropped !== '0') throw new Error(`the capture is not complete: ${said}`);
      return readPackets(bytes);
    },
  };
}

const ethernet = 1;
const bsdLoopback = 0;

/** UDP and TCP payloads of a pcap file (little or big endian) of IPv4 packets, in their order. */
export function readPackets(file: Buffer): readonly Packet[] {
  const magic = file.readUInt32LE(0);
  const little = magic === 0xa1b2c3d4 || magic === 0xa1b23c4d;
  const u32 = (at: number) => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  if (!little && u32(0) !== 0xa1b2c3d4) throw new Error('not a pcap file');
  const link = u32(20) & 0xffff;
  if (link !== ethernet && link !== bsdLoopback) throw new Error(`link type ${link} is not known`);
  const packets: Packet[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = u32(at + 8);
    const frame = file.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (link === ethernet && frame.readUInt16BE(12) !== 0x0800) continue;
    const packet = readIpv4(frame.subarray(link === ethernet ? 14 : 4));
    if (packet && packet.payload.length > 0) packets.push(packet);
  }
  return packets;
}

function readIpv4(ip: Buffer): Packet | undefined {
  const protocol = ip[9];
  if ((ip[0] ?? 0) >> 4 !== 4 || (protocol !== 17 && protocol !== 6)) return undefined;
  const transport = protocol === 17 ? 'udp' : 'tcp';
  if ((ip.readUInt16BE(6) & 0x1fff) !== 0 || (ip.readUInt16BE(6) & 0x2000) !== 0) {
    throw new Error('a fragment: the loopback should not make any');
  }
  const segment = ip.subarray(((ip[0] ?? 0) & 15) * 4, ip.readUInt16BE(2) || ip.length);
  const header = transport === 'udp' ? 8 : ((segment[12] ?? 0) >> 4) * 4;
  return {
    transport,
    from: { address: [...ip.subarray(12, 16)].join('.'), port: segment.readUInt16BE(0) },
    to: { address: [...ip.subarray(16, 20)].join('.'), port: segment.readUInt16BE(2) },
    sequence: transport === 'udp' ? 0 : segment.readUInt32BE(4),
    payload: Buffer.from(segment.subarray(header)),
  };
}

/**
 * The platform's own TCP connections don't come from its address but from the machine's first one, as connections do
 * that nobody has bound. Caller and callee never speak to each other: what reaches the callee, the platform has sent.
 */
const isPlatform = (address: string, side: Side): boolean =>
  address === addresses.platform || (side === 'callee' && address === addresses.caller);

export const sentTo = (side: Side) => (packet: Packet) =>
  packet.to.address === addresses[side] && isPlatform(packet.from.address, side);
export const sentBy = (side: Side) => (packet: Packet) =>
  packet.from.address === addresses[side] && isPlatform(packet.to.address, side);

/** Datagrams one after the other, each stream of TCP whole: what a search must look at. */
export function bytesOf(packets: readonly Packet[]): Buffer {
  const parts: Buffer[] = [];
  const streams = new Map<string, Packet[]>();
  for (const packet of packets) {
    if (packet.transport === 'udp') parts.push(packet.payload, separator);
    else {
      const key = `${packet.from.address}:${packet.from.port} ${packet.to.address}:${packet.to.port}`;
      const stream = streams.get(key);
      if (stream) stream.push(packet);
      else streams.set(key, [packet]);
    }
  }
  for (const stream of streams.values()) parts.push(joinStream(stream), separator);
  return Buffer.concat(parts);
}

/** Between datagrams: no pattern may be found across two of them. */
const separator = Buffer.from('\r\n\0\r\n');

/** Repeated segments count once. A stream of a test is far shorter than 2^31 bytes. */
function joinStream(stream: readonly Packet[]): Buffer {
  const start = stream[0]?.sequence ?? 0;
  const ordered = stream
    .map((packet) => ({ at: (packet.sequence - start) | 0, payload: packet.payload }))
    .sort((a, b) => a.at - b.at);
  const parts: Buffer[] = [];
  let next = ordered[0]?.at ?? 0;
  for (const { at, payload } of ordered) {
    if (at + payload.length <= next) continue;
    parts.push(payload.subarray(Math.max(0, next - at)));
    next = at + payload.length;
  }
  return Buffer.concat(parts);
}

export interface RtpPacket {
  readonly to: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly contributors: number;
  readonly extension: boolean;
  readonly padding: boolean;
  readonly payload: Buffer;
}

/** RFC 3550 section 5.1; RTCP (types 192 to 223 in the second byte, RFC 5761 section 4) and everything else is left out. */
export function rtpOf(packets: readonly Packet[]): readonly RtpPacket[] {
  return packets.flatMap(({ transport, to, payload }) => {
    const second = payload[1] ?? 0;
    if (transport !== 'udp' || payload.length < 12 || (payload[0] ?? 0) >> 6 !== 2) return [];
    if (second >= 192 && second <= 223) return [];
    const first = payload[0] ?? 0;
    const contributors = first & 15;
    return [
      {
        to: to.port,
        payloadType: second & 127,
        marker: second > 127,
        sequence: payload.readUInt16BE(2),
        timestamp: payload.readUInt32BE(4),
        ssrc: payload.readUInt32BE(8),
        contributors,
        extension: (first & 0x10) !== 0,
        padding: (first & 0x20) !== 0,
        payload: payload.subarray(12 + contributors * 4),
      },
    ];
  });
}

/** Compound RTCP packets, each as it came. */
export function rtcpOf(packets: readonly Packet[]): readonly Buffer[] {
  return packets
    .filter(({ transport, payload }) => {
      const type = payload[1] ?? 0;
      return (
        transport === 'udp' &&
        payload.length >= 8 &&
        (payload[0] ?? 0) >> 6 === 2 &&
        type >= 192 &&
        type <= 223
      );
    })
    .map(({ payload }) => payload);
}

/** What the ear at the other end gets, in the order of sequence numbers: 8,000 Hz. Telephone events are left out. */
export function audioOf(packets: readonly RtpPacket[]): Int16Array {
  const pieces = packets
    .filter(({ payloadType }) => payloadType === 0 || payloadType === 8)
    .map((packet) => decode(packet.payload, packet.payloadType === 0 ? 'PCMU' : 'PCMA'));
  const samples = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return samples;
}

/** Whether these programs are installed (see scripts/peers.ts), and this machine lets us look at its loopback. */
export function peersAreHere(...names: readonly string[]): boolean {
  const installed = (process.env['SAMAR_PEERS'] ?? '').split(',');
  // Elsewhere 127.0.0.3 is no address of the machine's own.
  if (platform() !== 'linux' || !names.every((name) => installed.includes(name))) return false;
  return process.getuid?.() === 0 || spawnSync('sudo', ['-n', 'true']).status === 0;
}
