/**
 * One party's end of a call: what comes to its port is checked, latched, measured and handed to whoever listens;
 * what it sends is written anew. Driven by datagrams and by `tend`, which its worker calls several times a second.
 */
import type { Clock, Random, Timers, UdpSocket } from '@samar/doors';
import { transcodingTable } from '../codec/index.ts';
import type { Codec, Digit, Direction, LegQuality, RemoteLeg } from '../types.ts';
import { createControl } from './control.ts';
import type { Counters } from './counters.ts';
import { createDigitReceiver } from './digits.ts';
import { createLatch } from './latch.ts';
import { emptyPacket, LONGEST_AUDIO, type RtpPacket, readRtp, readWord } from './packet.ts';
import { createReception, SAMPLES_PER_MILLISECOND } from './reception.ts';
import { createWriter, type Fill, type Writer } from './writer.ts';

const COMFORT_NOISE = 13;

export interface LegDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

export interface LegEvents {
  digit(digit: Digit, milliseconds: number): void;
  silent(): void;
}

/** Takes what a leg hears while it is bridged: the recorder. It mutes what digits cover. */
export interface Tap {
  audio(data: Uint8Array, packet: RtpPacket, codec: Codec, now: number): void;
  /** `duration` in timestamp units, from the packet's timestamp on. */
  digit(packet: RtpPacket, duration: number, now: number): void;
}

export interface Leg {
  setRemote(remote: RemoteLeg): void;
  /** Datagrams of the leg's two sockets. */
  receive(data: Uint8Array, address: string, port: number): void;
  receiveControl(data: Uint8Array, address: string, port: number): void;
  /** Joins the leg to another's writer, or with undefined to nobody. */
  feed(other: Leg | undefined): void;
  tap(tap: Tap | undefined): void;
  /** While held, what the bridge brings isn't sent: something is played. */
  hold(held: boolean): void;
  /** Sends one frame of what is played. `waiting`: no description yet; `lost`: the peer is on hold. */
  play(fill: Fill, source: number): 'sent' | 'waiting' | 'lost';
  /** Reports and silence. */
  tend(now: number): void;
  quality(): LegQuality;
  /** Says BYE and falls silent for ever. */
  close(): void;
  /** For the other leg of a bridge. */
  readonly codec: Codec | undefined;
  readonly writer: Writer;
  readonly held: boolean;
}

export interface LegSockets {
  readonly rtp: Pick<UdpSocket, 'send'>;
  readonly rtcp: Pick<UdpSocket, 'send'>;
}

let sources = 0;
/** Numbers that name what feeds a writer, never the same twice in a worker. */
export function nextSource(): number {
  sources = (sources + 1) % Number.MAX_SAFE_INTEGER;
  return sources;
}

export function createLeg(
  doors: LegDoors,
  sockets: LegSockets,
  counters: Counters,
  silence: number,
  events: LegEvents,
): Leg {
  // One draw for all that must not be guessed or linked: SSRC, first sequence number and timestamp, name.
  const secret = doors.random.bytes(22);
  const name = secret.toString('base64', 10, 22);
  const writer = createWriter(sockets.rtp, {
    ssrc: readWord(secret, 0),
    sequence: secret.readUInt16BE(4),
    timestamp: readWord(secret, 6),
  });
  const latch = createLatch();
  const reception = createReception();
  const digits = createDigitReceiver(doors, (digit, milliseconds) => events.digit(digit, milliseconds));
  const packet = emptyPacket();

  let remote: RemoteLeg | undefined;
  let sends = false;
  let receives = false;
  let held = false;
  let other: Leg | undefined;
  let tap: Tap | undefined;
  let closed = false;
  let generation = -1;
  let source = nextSource();
  let peerSsrc = 0;

  let heardAt = 0;
  let toldSilent = false;

  const control = createControl(doors, sockets.rtcp, name, writer, reception, counters);

  function aim(): void {
    writer.aim(
      remote !== undefined && sends
        ? { address: latch.address, port: latch.port, payloadType: remote.payloadType }
        : undefined,
    );
  }

  /** A source was latched, or the latched one changed its SSRC. */
  function latched(): void {
    if (generation >= 0 && peerSsrc !== packet.ssrc) reception.restart();
    generation = latch.generation;
    peerSsrc = packet.ssrc;
    control.hear(peerSsrc);
    source = nextSource();
    aim();
    if (remote !== undefined) control.aim(latch.address, remote.rtcpPort, doors.clock.monotonic());
  }

  function codecOf(payloadType: number): Codec | undefined {
    if (remote !== undefined && payloadType === remote.payloadType) return remote.codec;
    // Static assignments (RFC 3551): what we offered may be sent whichever of the two the peer chose (RFC 3264).
    if (payloadType === 0) return 'PCMU';
    return payloadType === 8 ? 'PCMA' : undefined;
  }

  /** Everything that makes a packet from the right source not audio to be passed on. */
  function audioOf(data: Uint8Array, now: number): Codec | undefined {
    if (packet.payloadType === remote?.telephoneEvent) {
      pressed(data, now);
      return undefined;
    }
    if (packet.payloadType === COMFORT_NOISE) {
      counters.dropped['comfort-noise']++;
      return undefined;
    }
    const codec = codecOf(packet.payloadType);
    if (codec === undefined) counters.dropped['payload-type']++;
    else if (packet.end - packet.start > LONGEST_AUDIO) counters.dropped.oversize++;
    else if (!receives) counters.dropped['on-hold']++;
    else return codec;
    return undefined;
  }

  function pressed(data: Uint8Array, now: number): void {
    if (!digits.receive(data, packet.start, packet.end, packet.ssrc, packet.timestamp)) {
      counters.dropped.malformed++;
      return;
    }
    counters.digitPackets++;
    if (other !== undefined) tap?.digit(packet, readWord(data, packet.start) & 0xffff, now);
  }

  /** Records and relays. What isn't sent on leaves no gap in the other side's sequence numbers. */
  function pass(data: Uint8Array, codec: Codec, now: number): void {
    if (other === undefined) {
      counters.dropped['no-bridge']++;
      return;
    }
    tap?.audio(data, packet, codec, now);
    if (digits.pressed) {
      counters.dropped.digit++;
      other.writer.skip(packet.sequence, source);
      return;
    }
    if (other.held) {
      counters.dropped.held++;
      return;
    }
    const table = transcodingTable(codec, other.codec ?? codec);
    if (other.writer.relay(data, packet, source, table, now)) counters.relayed++;
    else counters.dropped['no-remote']++;
  }

  return {
    setRemote(to) {
      if (closed) return;
      latch.open(to.address, to.port, to.allowedSources);
      remote = to;
      const there = to.address !== '0.0.0.0' && to.address !== '::';
      sends = there && sendsIn(to.direction);
      receives = receivesIn(to.direction);
      const now = doors.clock.monotonic();
      heardAt = now;
      toldSilent = false;
      aim();
      control.aim(latch.address, to.rtcpPort, now);
    },
    receive(data, address, port) {
      counters.packetsIn++;
      if (closed || remote === undefined) {
        counters.dropped.unlatched++;
        return;
      }
      if (!readRtp(data, packet)) {
        counters.dropped.malformed++;
        return;
      }
      const verdict = latch.admit(address, port, packet);
      if (verdict !== 'pass') {
        counters.dropped[verdict]++;
        return;
      }
      const now = doors.clock.monotonic();
      if (latch.generation !== generation) latched();
      reception.add(packet.sequence, packet.timestamp, now);
      heardAt = now;
      toldSilent = false;
      const codec = audioOf(data, now);
      if (codec !== undefined) pass(data, codec, now);
      else other?.writer.skip(packet.sequence, source);
    },
    receiveControl(data, address) {
      if (closed || remote === undefined || !latch.trusts(address)) {
        counters.dropped.stranger++;
        return;
      }
      control.receive(data, doors.clock.monotonic());
    },
    feed(to) {
      other = to;
      source = nextSource();
      heardAt = doors.clock.monotonic();
    },
    tap(to) {
      tap = to;
    },
    hold(on) {
      held = on;
    },
    play(fill, from) {
      if (remote === undefined) return 'waiting';
      if (!writer.play(fill, from, doors.clock.monotonic())) return 'lost';
      counters.played++;
      return 'sent';
    },
    tend(now) {
      if (closed) return;
      control.report(now, false);
      if (remote === undefined || !receives || toldSilent || now - heardAt < silence) return;
      toldSilent = true;
      events.silent();
    },
    quality() {
      return {
        packetsSent: writer.packets,
        packetsReceived: reception.received,
        packetsLost: reception.lost,
        jitter: reception.jitter / SAMPLES_PER_MILLISECOND,
        ...control.quality(),
      };
    },
    close() {
      if (closed) return;
      control.report(doors.clock.monotonic(), true);
      closed = true;
      digits.close();
      writer.aim(undefined);
      other = undefined;
      tap = undefined;
    },
    get codec() {
      return remote?.codec;
    },
    writer,
    get held() {
      return held;
    },
  };
}

function sendsIn(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function receivesIn(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}
