/**
 * One party's end of a call: what comes to its port is checked, latched, measured and handed to whoever listens;
 * what it sends is written anew. Driven by datagrams and by `tend`, which its worker calls several times a second.
 */
import type { Clock, Random, Timers, UdpSocket } from '@samar/doors';
import { transcodingTable } from '../codec/index.ts';
import type { Codec, Digit, Direction, LegQuality, RemoteLeg } from '../types.ts';
import { type Control, createControl } from './control.ts';
import type { Counters } from './counters.ts';
import { DigitReceiver } from './digits.ts';
import { Latch } from './latch.ts';
import { emptyPacket, LONGEST_AUDIO, type RtpPacket, readRtp, readWord } from './packet.ts';
import { Reception, SAMPLES_PER_MILLISECOND } from './reception.ts';
import { type Fill, Writer } from './writer.ts';

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

/** Takes what a leg hears while it is bridged, or always: the recorder. It mutes what digits cover. */
export interface Tap {
  audio(data: Uint8Array, packet: RtpPacket, codec: Codec, now: number): void;
  /** `duration` in timestamp units, from the packet's timestamp on. */
  digit(packet: RtpPacket, duration: number, now: number): void;
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

export class Leg {
  readonly writer: Writer;
  readonly #doors: LegDoors;
  readonly #counters: Counters;
  readonly #silence: number;
  readonly #events: LegEvents;
  readonly #latch = new Latch();
  readonly #reception = new Reception();
  readonly #digits: DigitReceiver;
  readonly #control: Control;
  /** Of the packet now being looked at. */
  readonly #packet = emptyPacket();
  #remote: RemoteLeg | undefined;
  #sends = false;
  #receives = false;
  #held = false;
  #other: Leg | undefined;
  #tap: Tap | undefined;
  /** The tap hears the leg without a bridge, too. */
  #tapsAlone = false;
  #closed = false;
  #generation = -1;
  #source = nextSource();
  #peerSsrc = 0;
  #heardAt = 0;
  #toldSilent = false;

  /** @param silence milliseconds without RTP after which `events.silent` is called */
  constructor(doors: LegDoors, sockets: LegSockets, counters: Counters, silence: number, events: LegEvents) {
    this.#doors = doors;
    this.#counters = counters;
    this.#silence = silence;
    this.#events = events;
    // One draw for all that must not be guessed or linked: SSRC, first sequence number and timestamp, name.
    const secret = doors.random.bytes(22);
    const name = secret.toString('base64', 10, 22);
    this.writer = new Writer(sockets.rtp, {
      ssrc: readWord(secret, 0),
      sequence: secret.readUInt16BE(4),
      timestamp: readWord(secret, 6),
    });
    this.#digits = new DigitReceiver(doors, (digit, milliseconds) => events.digit(digit, milliseconds));
    this.#control = createControl(doors, sockets.rtcp, name, this.writer, this.#reception, counters);
  }

  get codec(): Codec | undefined {
    return this.#remote?.codec;
  }

  /** While held, what the bridge brings isn't sent: something is played. */
  get held(): boolean {
    return this.#held;
  }

  hold(held: boolean): void {
    this.#held = held;
  }

  setRemote(remote: RemoteLeg): void {
    if (this.#closed) return;
    this.#latch.open(remote.address, remote.port, remote.allowedSources);
    this.#remote = remote;
    const there = remote.address !== '0.0.0.0' && remote.address !== '::';
    this.#sends = there && sendsIn(remote.direction);
    this.#receives = receivesIn(remote.direction);
    this.#heardAt = this.#doors.clock.monotonic();
    this.#toldSilent = false;
    this.#aim();
  }

  /** A datagram of the leg's RTP socket. */
  receive(data: Uint8Array, address: string, port: number): void {
    const { dropped } = this.#counters;
    this.#counters.packetsIn++;
    if (this.#closed || this.#remote === undefined) {
      dropped.unlatched++;
      return;
    }
    const packet = this.#packet;
    if (!readRtp(data, packet)) {
      dropped.malformed++;
      return;
    }
    const verdict = this.#latch.admit(address, port, packet);
    if (verdict !== 'pass') {
      dropped[verdict]++;
      return;
    }
    if (this.#latch.generation !== this.#generation) this.#latched();
    const now = this.#doors.clock.monotonic();
    this.#reception.add(packet.sequence, packet.timestamp, now);
    this.#heardAt = now;
    this.#toldSilent = false;
    const codec = this.#audioOf(data, now);
    if (codec !== undefined) this.#pass(data, codec, now);
    else this.#other?.writer.skip(packet.sequence, this.#source);
  }

  /** A datagram of the leg's RTCP socket. */
  receiveControl(data: Uint8Array, address: string): void {
    if (this.#closed || this.#remote === undefined || !this.#latch.trusts(address)) {
      this.#counters.dropped.stranger++;
      return;
    }
    this.#control.receive(data, this.#doors.clock.monotonic());
  }

  /** Joins the leg to another's writer, or with undefined to nobody. */
  feed(other: Leg | undefined): void {
    this.#other = other;
    this.#source = nextSource();
    this.#heardAt = this.#doors.clock.monotonic();
  }

  /** @param alone whether the tap hears the leg while it isn't bridged, too */
  tap(tap: Tap | undefined, alone = false): void {
    this.#tap = tap;
    this.#tapsAlone = tap !== undefined && alone;
  }

  /** Sends one frame of what is played. `waiting`: no description yet; `lost`: the peer is on hold. */
  play(fill: Fill, source: number): 'sent' | 'waiting' | 'lost' {
    if (this.#remote === undefined) return 'waiting';
    if (!this.writer.play(fill, source, this.#doors.clock.monotonic())) return 'lost';
    this.#counters.played++;
    return 'sent';
  }

  /** Sends what reports are due, and tells silence. */
  tend(now: number): void {
    if (this.#closed) return;
    this.#control.report(now, false);
    if (this.#remote === undefined || !this.#receives || this.#toldSilent) return;
    if (now - this.#heardAt < this.#silence) return;
    this.#toldSilent = true;
    this.#events.silent();
  }

  quality(): LegQuality {
    return {
      packetsSent: this.writer.packets,
      packetsReceived: this.#reception.received,
      packetsLost: this.#reception.lost,
      jitter: this.#reception.jitter / SAMPLES_PER_MILLISECOND,
      ...this.#control.quality(),
    };
  }

  /** Says BYE and falls silent for ever. */
  close(): void {
    if (this.#closed) return;
    this.#control.report(this.#doors.clock.monotonic(), true);
    this.#closed = true;
    this.#digits.close();
    this.writer.aim(undefined);
    this.#other = undefined;
    this.tap(undefined);
  }

  #aim(): void {
    const remote = this.#remote;
    if (remote === undefined) return;
    const { address, port } = this.#latch;
    this.writer.aim(this.#sends ? { address, port, payloadType: remote.payloadType } : undefined);
    this.#control.aim(address, remote.rtcpPort, this.#doors.clock.monotonic());
  }

  /** A source was latched, or the latched one changed its SSRC. */
  #latched(): void {
    const { ssrc } = this.#packet;
    if (this.#generation >= 0 && this.#peerSsrc !== ssrc) this.#reception.restart();
    this.#generation = this.#latch.generation;
    this.#peerSsrc = ssrc;
    this.#control.hear(ssrc);
    this.#source = nextSource();
    this.#aim();
  }

  /** The codec of a packet that is audio to be passed on. Everything else from the right source ends here. */
  #audioOf(data: Uint8Array, now: number): Codec | undefined {
    const { dropped } = this.#counters;
    const { payloadType, start, end } = this.#packet;
    if (payloadType === this.#remote?.telephoneEvent) {
      this.#digit(data, now);
      return undefined;
    }
    if (payloadType === COMFORT_NOISE) {
      dropped['comfort-noise']++;
      return undefined;
    }
    const codec = this.#codecOf(payloadType);
    if (codec === undefined) dropped['payload-type']++;
    else if (end - start > LONGEST_AUDIO) dropped.oversize++;
    else if (!this.#receives) dropped['on-hold']++;
    else return codec;
    return undefined;
  }

  #codecOf(payloadType: number): Codec | undefined {
    if (payloadType === this.#remote?.payloadType) return this.#remote.codec;
    // Static assignments (RFC 3551): what we offered may be sent whichever of the two the peer chose (RFC 3264).
    if (payloadType === 0) return 'PCMU';
    return payloadType === 8 ? 'PCMA' : undefined;
  }

  #digit(data: Uint8Array, now: number): void {
    const { start, end, ssrc, timestamp } = this.#packet;
    if (!this.#digits.receive(data, start, end, ssrc, timestamp)) {
      this.#counters.dropped.malformed++;
      return;
    }
    this.#counters.digitPackets++;
    if (this.#other !== undefined || this.#tapsAlone)
      this.#tap?.digit(this.#packet, readWord(data, start) & 0xffff, now);
  }

  /** Records and relays. What isn't sent on leaves no gap in the other side's sequence numbers. */
  #pass(data: Uint8Array, codec: Codec, now: number): void {
    const { dropped } = this.#counters;
    const other = this.#other;
    if (other === undefined) {
      if (this.#tapsAlone) this.#tap?.audio(data, this.#packet, codec, now);
      else dropped['no-bridge']++;
      return;
    }
    this.#tap?.audio(data, this.#packet, codec, now);
    if (this.#digits.pressed) {
      dropped.digit++;
      other.writer.skip(this.#packet.sequence, this.#source);
      return;
    }
    if (other.held) {
      dropped.held++;
      return;
    }
    const table = transcodingTable(codec, other.codec ?? codec);
    if (other.writer.relay(data, this.#packet, this.#source, table, now)) this.#counters.relayed++;
    else dropped['no-remote']++;
  }
}

function sendsIn(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function receivesIn(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}
