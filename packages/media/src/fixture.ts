/** For tests: a phone that speaks and hears RTP through real sockets, and engines on free ports. */
import { nodeDoors } from '@samar/doors';
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
  say(to: { port: number }, payload: Uint8Array, change?: PacketChange): void;
  /** Any bytes, from the RTP or the RTCP socket. */
  send(to: { port: number }, bytes: Uint8Array, from?: 'rtp' | 'rtcp'): void;
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

export async function createPhone(address = '127.0.0.1', ssrc = 0x11223344): Promise<Phone> {
  const rtp = await doors.network.udp({ address, port: 0 });
  const rtcp = await doors.network.udp({ address, port: 0 });
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
      rtp.send(compose(payload, { ssrc, ...change, sequence, timestamp }), to.port, '127.0.0.1');
    },
    send(to, bytes, from = 'rtp') {
      (from === 'rtp' ? rtp : rtcp).send(bytes, to.port, '127.0.0.1');
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
