import type { Doors, Endpoint, UdpSocket } from '@samar/doors';
import { type Codec, type Digit, decode, encode, SILENCE } from '@samar/media';

/**
 * The ear and mouth of a scripted phone: plain RTP, 20 ms of G.711 a packet, everything heard is kept.
 */
export interface PhoneAudio {
  readonly local: Endpoint;
  setRemote(remote: {
    readonly address: string;
    readonly port: number;
    readonly codec: Codec;
    readonly payloadType: number;
    readonly telephoneEvent: number | undefined;
  }): void;
  /** Starts to send (silence, until something is said). */
  start(): void;
  /** Says this, after what it is saying already; 8,000 Hz. Resolves when the last of it was sent. */
  say(pcm: Int16Array): Promise<void>;
  /** Presses a key for 100 ms (RFC 4733). */
  press(digit: Digit): Promise<void>;
  /** Everything heard so far, in the order it came; at most ten minutes are kept. */
  heard(): Int16Array;
  readonly packetsReceived: number;
  close(): Promise<void>;
}

/** Sound that comes and goes while the call runs, for a person instead of a script; 8,000 Hz. */
export interface LiveSound {
  /** The next 20 ms (160 samples) to send; undefined: silence. Asked every 20 ms. */
  next(): Int16Array | undefined;
  /** What came, a packet at a time. */
  heard(pcm: Int16Array): void;
}

/** Samples of 20 ms. */
const frame = 160;
const digits = '0123456789*#ABCD';
const mostHeard = 10 * 60 * 8_000;

/** With `live`, what is heard goes there and is not kept, and what it gives is sent while nothing else is said. */
export async function createPhoneAudio(doors: Doors, address: string, live?: LiveSound): Promise<PhoneAudio> {
  const socket: UdpSocket = await doors.network.udp({ address, port: 0 });
  let remote: Parameters<PhoneAudio['setRemote']>[0] | undefined;
  let started = false;
  let closed = false;
  let sequence = doors.random.integer(65_536);
  let timestamp = doors.random.integer(2 ** 32);
  const source = doors.random.integer(2 ** 32);
  const saying: { readonly pcm: Int16Array; at: number; readonly done: () => void }[] = [];
  const pressing: {
    readonly event: number;
    readonly from: number;
    sent: number;
    readonly done: () => void;
  }[] = [];
  const heard: Int16Array[] = [];
  let heardSamples = 0;
  let packetsReceived = 0;

  socket.onDatagram((data) => {
    const payload = payloadOf(data);
    if (!payload || !remote || payload.type !== remote.payloadType) return;
    packetsReceived += 1;
    if (live) return live.heard(decode(payload.bytes, remote.codec));
    if (heardSamples >= mostHeard) return;
    const pcm = decode(payload.bytes, remote.codec);
    heard.push(pcm);
    heardSamples += pcm.length;
  });

  function send(type: number, payload: Uint8Array, at: number, marker: boolean): void {
    if (!remote) return;
    const packet = Buffer.alloc(12 + payload.length);
    packet[0] = 0x80;
    packet[1] = (marker ? 0x80 : 0) | type;
    packet.writeUInt16BE(sequence, 2);
    packet.writeUInt32BE(at, 4);
    packet.writeUInt32BE(source, 8);
    packet.set(payload, 12);
    sequence = (sequence + 1) & 0xffff;
    socket.send(packet, remote.port, remote.address);
  }

  function sendKey(key: (typeof pressing)[number], event: number): void {
    const duration = (key.sent + 1) * frame;
    const last = key.sent >= 5;
    const payload = Buffer.from([key.event, (last ? 0x80 : 0) | 10, duration >> 8, duration & 0xff]);
    // The last packet is sent three times (RFC 4733 section 2.5.1.4).
    for (let copy = 0; copy < (last ? 3 : 1); copy++) send(event, payload, key.from, key.sent === 0);
    key.sent += 1;
    if (last) {
      pressing.shift();
      key.done();
    }
  }

  function sendVoice(codec: Codec, type: number): void {
    const current = saying[0];
    if (!current) {
      const pcm = live?.next();
      const payload = pcm ? encode(pcm, codec) : new Uint8Array(frame).fill(SILENCE[codec]);
      send(type, payload, timestamp, false);
      return;
    }
    const pcm = new Int16Array(frame);
    pcm.set(current.pcm.subarray(current.at, current.at + frame));
    current.at += frame;
    send(type, encode(pcm, codec), timestamp, false);
    if (current.at >= current.pcm.length) {
      saying.shift();
      current.done();
    }
  }

  /** Every 20 ms, without drift: the next one is due by the clock, not by when this one ran. */
  function tick(due: number): void {
    if (closed) return;
    const key = pressing[0];
    if (remote) {
      if (key && remote.telephoneEvent !== undefined) sendKey(key, remote.telephoneEvent);
      else sendVoice(remote.codec, remote.payloadType);
    }
    timestamp = (timestamp + frame) >>> 0;
    const next = due + 20;
    doors.timers.after(Math.max(0, next - doors.clock.monotonic()), () => tick(next));
  }

  return {
    local: socket.local,
    setRemote(next) {
      remote = next;
    },
    start() {
      if (started) return;
      started = true;
      tick(doors.clock.monotonic());
    },
    say: (pcm) => new Promise((done) => void saying.push({ pcm, at: 0, done })),
    press: (digit) =>
      new Promise(
        (done) => void pressing.push({ event: digits.indexOf(digit), from: timestamp, sent: 0, done }),
      ),
    heard() {
      const all = new Int16Array(heardSamples);
      let at = 0;
      for (const pcm of heard) {
        all.set(pcm, at);
        at += pcm.length;
      }
      return all;
    },
    get packetsReceived() {
      return packetsReceived;
    },
    async close() {
      closed = true;
      for (const { done } of [...saying, ...pressing]) done();
      await socket.close();
    },
  };
}

function payloadOf(data: Buffer): { readonly type: number; readonly bytes: Buffer } | undefined {
  if (data.length < 13 || (data[0] ?? 0) >> 6 !== 2) return undefined;
  const sources = ((data[0] ?? 0) & 0x0f) * 4;
  return { type: (data[1] ?? 0) & 0x7f, bytes: data.subarray(12 + sources) };
}
