/** For tests: a phone that speaks and hears RTP through real sockets, and engines on free ports. */
import { type Doors, type Endpoint, nodeDoors, type SimulatedDoors, simulatedDoors } from '@samar/doors';
import { createMediaEngine, type MediaEngineOptions } from './engine.ts';
import type { RemoteLeg } from './types.ts';

const doors = nodeDoors();

export interface Heard {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
  readonly raw: Buffer;
  readonly port: number;
}

export interface Phone {
  readonly port: number;
  readonly heard: Heard[];
  readonly reports: Buffer[];
  remote(change?: Partial<RemoteLeg>): RemoteLeg;
  /** One RTP packet with the next sequence number and timestamp, unless told otherwise. */
  say(to: Endpoint, payload: Uint8Array, change?: PacketChange): void;
  /** Any bytes, from the RTP or the RTCP socket. */
  send(to: Endpoint, bytes: Uint8Array, from?: 'rtp' | 'rtcp'): void;
  close(): void;
}

export interface PacketChange {
  readonly payloadType?: number;
  readonly marker?: boolean;
  readonly ssrc?: number;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly csrc?: readonly number[];
  /** Header extension data, a multiple of four bytes. */
  readonly extension?: Uint8Array;
  readonly padding?: number;
}

export async function createPhone(
  address = '127.0.0.1',
  ssrc = 0x11223344,
  world: Doors = doors,
): Promise<Phone> {
  const rtp = await world.network.udp({ address, port: 0 });
  const rtcp = await world.network.udp({ address, port: 0 });
  const heard: Heard[] = [];
  const reports: Buffer[] = [];
  let sequence = 1000;
  let timestamp = 50_000;
  rtp.onDatagram((data, _address, port) => {
    const raw = Buffer.from(data);
    heard.push({ ...parse(raw), raw, port });
  });
  rtcp.onDatagram((data) => reports.push(Buffer.from(data)));
  return {
    port: rtp.local.port,
    heard,
    reports,
    remote: (change = {}) => ({
      address,
      port: rtp.local.port,
      rtcpPort: rtcp.local.port,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEvent: 101,
      direction: 'sendrecv',
      allowedSources: [],
      ...change,
    }),
    say(to, payload, change = {}) {
      sequence = change.sequence ?? (sequence + 1) & 0xffff;
      timestamp = change.timestamp ?? (timestamp + 160) >>> 0;
      rtp.send(compose(payload, { ssrc, ...change, sequence, timestamp }), to.port, to.address);
    },
    send(to, bytes, from = 'rtp') {
      (from === 'rtp' ? rtp : rtcp).send(bytes, to.port, to.address);
    },
    close() {
      void rtp.close();
      void rtcp.close();
    },
  };
}

export function compose(payload: Uint8Array, change: PacketChange): Buffer {
  const { payloadType = 0, marker = false, csrc = [], extension, padding = 0 } = change;
  const header = Buffer.alloc(12 + csrc.length * 4);
  header[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extension ? 0x10 : 0) | csrc.length;
  header[1] = payloadType | (marker ? 0x80 : 0);
  header.writeUInt16BE(change.sequence ?? 0, 2);
  header.writeUInt32BE(change.timestamp ?? 0, 4);
  header.writeUInt32BE(change.ssrc ?? 0, 8);
  for (const [index, source] of csrc.entries()) header.writeUInt32BE(source, 12 + index * 4);
  const parts: Uint8Array[] = [header];
  if (extension) {
    const profile = Buffer.alloc(4);
    profile.writeUInt16BE(0xbede, 0);
    profile.writeUInt16BE(extension.length / 4, 2);
    parts.push(profile, extension);
  }
  parts.push(payload);
  if (padding > 0) {
    const tail = Buffer.alloc(padding, 0x77);
    tail[padding - 1] = padding;
    parts.push(tail);
  }
  return Buffer.concat(parts);
}

/** A telephone-event payload (RFC 4733 section 2.3). */
export function eventPayload(event: number, duration: number, end: boolean): Buffer {
  return Buffer.from([event, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff]);
}

function parse(raw: Buffer) {
  return {
    payloadType: (raw[1] as number) & 0x7f,
    marker: (raw[1] as number) > 0x7f,
    sequence: raw.readUInt16BE(2),
    timestamp: raw.readUInt32BE(4),
    ssrc: raw.readUInt32BE(8),
    payload: raw.subarray(12),
  };
}

/** Each test file takes its own hundred of ports, as files run side by side. */
export function engineOn(from: number, options: Partial<MediaEngineOptions> = {}) {
  return createMediaEngine({
    address: '127.0.0.1',
    ports: { from, to: from + 99 },
    workers: 1,
    prompts: new Map(),
    lagLimit: Number.POSITIVE_INFINITY,
    ...options,
  });
}

/** Two bridged phones in a simulated world; `alice` is 192.0.2.1, `bob` 192.0.2.2, the engine 192.0.2.10. */
export async function simulatedCall(seed: number, options: Partial<MediaEngineOptions> = {}) {
  const world = simulatedDoors(seed);
  const engine = await settled(
    world,
    engineOn(30_000, { address: '192.0.2.10', doors: world, inThisThread: true, ...options }),
  );
  const call = await engine.openCall();
  const left = await settled(world, call.openLeg());
  const right = await settled(world, call.openLeg());
  const alice = await createPhone('192.0.2.1', 0x11223344, world);
  const bob = await createPhone('192.0.2.2', 0x55667788, world);
  left.setRemote(alice.remote());
  right.setRemote(bob.remote());
  call.bridge(left, right);
  await world.advance(1);
  return { world, engine, call, left, right, alice, bob };
}

/** Lets simulated time pass until the promise settles. */
export async function settled<T>(world: SimulatedDoors, promise: Promise<T>): Promise<T> {
  let done = false;
  const mark = () => {
    done = true;
  };
  promise.then(mark, mark);
  for (let turn = 0; turn < 1000 && !done; turn++) await world.advance(1);
  return promise;
}

/** Waits until `condition` holds; throws after five seconds. */
export async function until(condition: () => boolean, what = 'condition'): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return;
    await pause(10);
  }
  throw new Error(`${what}: waited too long`);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => doors.timers.after(milliseconds, resolve));
}
