/**
 * What relaying costs: calls of G.711 at 50 packets a second both ways over loopback. The relay and the generator
 * are processes of their own; delays are measured beside packets that the generator sends itself directly.
 *
 *   node bench/media-relay.ts [--calls 100,300] [--seconds 10] [--kinds bare,relayed,recorded,transcoded]
 *
 * `bare` is the least that a Node process can do, sockets that pass on what comes. Prints for each: CPU of the relay process per relayed packet, loss, and the delay it adds.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeDoors } from '../packages/doors/src/index.ts';
import { createMediaEngine, type MediaCall, type RemoteLeg } from '../packages/media/src/index.ts';

const doors = nodeDoors();
const HEADER = 12;
const AUDIO = 160;
/** V8 compiles the way of a packet well only after some 50,000 of them. */
const WARM_UP = 6000;

interface Job {
  readonly calls: number;
  readonly seconds: number;
  readonly recorded: boolean;
  readonly transcoded: boolean;
  /** Not our engine but the least that Node can do. */
  readonly bare: boolean;
}

/** A leg: the engine's port, and which of the generator's two sockets speaks to it. */
type Ports = readonly { readonly left: number; readonly right: number }[];

type Word =
  | { readonly kind: 'ports'; readonly ports: Ports }
  | { readonly kind: 'sockets'; readonly left: number; readonly right: number }
  | { readonly kind: 'mark' }
  | { readonly kind: 'cpu'; readonly micros: number; readonly relayed: number; readonly dropped: unknown }
  | { readonly kind: 'delays'; readonly result: Result };

interface Result {
  readonly sent: number;
  readonly received: number;
  readonly relayed: Delays;
  readonly direct: Delays;
}

interface Delays {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

// ---------------------------------------------------------------- the relay's process

async function relay(job: Job): Promise<void> {
  const engine = await createMediaEngine({
    address: '127.0.0.1',
    ports: { from: 40_000, to: 40_000 + job.calls * 4 + 199 },
    workers: 1,
    callsPerWorker: job.calls,
    prompts: new Map(),
    lagLimit: Number.POSITIVE_INFINITY,
  });
  const directory = await mkdtemp(join(tmpdir(), 'media-relay-'));
  const calls: MediaCall[] = [];
  const usage = async () => {
    const { packetsOut, dropped } = await engine.statistics();
    const { user, system } = process.cpuUsage();
    return { micros: user + system, relayed: packetsOut, dropped };
  };
  process.on('message', async (word: Word) => {
    if (word.kind === 'sockets') say({ kind: 'ports', ports: await open(word.left, word.right) });
    else if (word.kind === 'mark') say({ kind: 'cpu', ...(await usage()) });
  });
  process.once('disconnect', async () => {
    await engine.close();
    await rm(directory, { recursive: true });
    process.exit();
  });

  async function open(left: number, right: number): Promise<Ports> {
    const ports = [];
    for (let index = 0; index < job.calls; index++) {
      const call = await engine.openCall();
      const one = await call.openLeg();
      const other = await call.openLeg();
      one.setRemote(remote(left));
      other.setRemote({ ...remote(right), ...(job.transcoded ? { codec: 'PCMA', payloadType: 8 } : {}) });
      call.bridge(one, other);
      if (job.recorded) {
        const file = join(directory, String(index));
        await call.startRecording({ file, id: 'rec', key: new Uint8Array(32), left: one, right: other });
      }
      calls.push(call);
      ports.push({ left: one.local.port, right: other.local.port });
    }
    return ports;
  }
}

/** The floor: sockets that pass on what comes, with no thought. */
async function bare(job: Job): Promise<void> {
  let packets = 0;
  process.on('message', async (word: Word) => {
    if (word.kind === 'sockets') say({ kind: 'ports', ports: await open(word.left, word.right) });
    else if (word.kind === 'mark') {
      const { user, system } = process.cpuUsage();
      say({ kind: 'cpu', micros: user + system, relayed: packets, dropped: {} });
    }
  });
  process.once('disconnect', () => process.exit());

  async function open(left: number, right: number): Promise<Ports> {
    const ports = [];
    for (let index = 0; index < job.calls; index++) {
      const [one, other] = [
        await doors.network.udp({ address: '127.0.0.1', port: 0 }),
        await doors.network.udp({ address: '127.0.0.1', port: 0 }),
      ];
      one.onDatagram((data) => {
        packets++;
        other.send(data, right, '127.0.0.1');
      });
      other.onDatagram((data) => {
        packets++;
        one.send(data, left, '127.0.0.1');
      });
      ports.push({ left: one.local.port, right: other.local.port });
    }
    return ports;
  }
}

function remote(port: number): RemoteLeg {
  return {
    address: '127.0.0.1',
    port,
    rtcpPort: 9,
    codec: 'PCMU',
    payloadType: 0,
    telephoneEvent: undefined,
    direction: 'sendrecv',
    allowedSources: [],
  };
}

// ---------------------------------------------------------------- the generator's process

/** Bytes that mean the same number after µ-law became A-law and back don't exist for all: times go in as digits. */
async function generate(job: Job): Promise<void> {
  const open = () => doors.network.udp({ address: '127.0.0.1', port: 0, receiveBuffer: 4 << 20 });
  const [left, right, direct] = [await open(), await open(), await open()];
  const relayed: number[] = [];
  const loopback: number[] = [];
  const sentAt = new Map<number, Float64Array>();
  let received = 0;
  let sent = 0;
  let counting = false;

  // A packet names its call and its number within it by its timestamp: the relay keeps distances, not values.
  const firsts = new Map<number, number>();
  const take = (data: Buffer, port: number) => {
    const now = doors.clock.monotonic();
    const timestamp = data.readUInt32BE(4);
    const first = firsts.get(port);
    if (first === undefined) firsts.set(port, timestamp);
    const index = ((timestamp - (first ?? timestamp)) | 0) / AUDIO;
    const times = sentAt.get(port) as Float64Array;
    const at = times[index];
    if (at === undefined || at === 0) return;
    if (at > 0) {
      received++;
      relayed.push(now - at);
    }
  };
  left.onDatagram((data, _address, port) => take(data, port));
  right.onDatagram((data, _address, port) => take(data, port));
  direct.onDatagram((data) => loopback.push(doors.clock.monotonic() - data.readDoubleBE(HEADER)));

  process.on('message', (word: Word) => {
    if (word.kind === 'ports') start(word.ports);
  });
  say({ kind: 'sockets', left: left.local.port, right: right.local.port });

  function start(ports: Ports): void {
    const packets = Math.ceil((WARM_UP + job.seconds * 1000) / 20);
    const streams = ports.flatMap(({ left: one, right: other }) => [
      { socket: left, to: one, from: other, payloadType: 0 },
      { socket: right, to: other, from: one, payloadType: job.transcoded ? 8 : 0 },
    ]);
    for (const { from } of streams) sentAt.set(from, new Float64Array(packets));
    const packet = streams.map(({ payloadType }, index) => {
      const buffer = Buffer.alloc(HEADER + AUDIO, 0x55);
      buffer[0] = 0x80;
      buffer[1] = payloadType;
      buffer.writeUInt32BE(index + 1, 8);
      return buffer;
    });
    const probe = Buffer.alloc(HEADER + AUDIO);
    const begun = doors.clock.monotonic();
    let next = 0;
    const total = packets * streams.length;
    const step = () => {
      const now = doors.clock.monotonic() - begun;
      // Streams are spread over the 20 ms: packet `next` is due at its share of the time.
      const due = Math.min(total, Math.floor((now / 20) * streams.length));
      if (!counting && now > WARM_UP) {
        counting = true;
        say({ kind: 'mark' });
      }
      for (; next < due; next++) {
        const { socket, to, from } = streams[next % streams.length] as (typeof streams)[number];
        const buffer = packet[next % streams.length] as Buffer;
        const number = Math.floor(next / streams.length);
        buffer.writeUInt16BE(number & 0xffff, 2);
        buffer.writeUInt32BE(number * AUDIO, 4);
        const at = doors.clock.monotonic();
        (sentAt.get(from) as Float64Array)[number] = counting ? at : -1;
        if (counting) sent++;
        socket.send(buffer, to, '127.0.0.1');
      }
      probe.writeDoubleBE(doors.clock.monotonic(), HEADER);
      direct.send(probe, direct.local.port, '127.0.0.1');
      if (next < total) doors.timers.after(1, step);
      else {
        say({ kind: 'mark' });
        doors.timers.after(500, () => {
          const result = { sent, received, relayed: spread(relayed), direct: spread(loopback) };
          say({ kind: 'delays', result });
        });
      }
    };
    step();
  }
}

function spread(values: number[]): Delays {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

function say(word: Word): void {
  process.send?.(word);
}

// ---------------------------------------------------------------- both

async function run(job: Job, profile: boolean): Promise<void> {
  const start = (role: string) =>
    fork(import.meta.filename, [role, JSON.stringify(job)], {
      execArgv:
        role !== 'generate' && profile ? ['--cpu-prof', '--cpu-prof-dir=/tmp/media-relay-profile'] : [],
    });
  const relaying = start(job.bare ? 'bare' : 'relay');
  const generator = start('generate');
  const usage: (Word & { kind: 'cpu' })[] = [];
  let done: (result: Result) => void;
  const finished = new Promise<Result>((resolve) => {
    done = resolve;
  });
  relaying.on('message', (word: Word) => {
    if (word.kind === 'cpu') usage.push(word);
    else generator.send(word);
  });
  generator.on('message', (word: Word) => {
    if (word.kind === 'delays') done(word.result);
    else relaying.send(word);
  });
  const result = await finished;
  const [before, after] = usage;
  generator.kill();
  relaying.disconnect();
  await once(relaying, 'exit');
  if (before === undefined || after === undefined) throw new Error('the relay told no usage');
  const packets = after.relayed - before.relayed;
  const micros = after.micros - before.micros;
  const { relayed, direct } = result;
  const figure = (value: number) => value.toFixed(2).padStart(7);
  console.log(
    [
      `${String(job.calls).padStart(5)} calls, ${kindOf(job).padEnd(10)}`,
      `CPU ${figure(micros / packets)} µs/packet, ${figure(micros / job.seconds / 10_000)} % of a core`,
      `lost ${result.sent - result.received} of ${result.sent}`,
      `delay ms p50 ${figure(relayed.p50)} p99 ${figure(relayed.p99)} p99.9 ${figure(relayed.p999)}`,
      `direct p50 ${figure(direct.p50)} p99 ${figure(direct.p99)}`,
      `added p50 ${figure(relayed.p50 - direct.p50)} p99 ${figure(relayed.p99 - direct.p99)}`,
    ].join(' | '),
  );
}

function kindOf(job: Job): string {
  if (job.bare) return 'bare Node';
  if (job.recorded) return 'recorded';
  return job.transcoded ? 'transcoded' : 'relayed';
}

const [role, json] = process.argv.slice(2);
if (role === 'relay') await relay(JSON.parse(json as string));
else if (role === 'bare') await bare(JSON.parse(json as string));
else if (role === 'generate') await generate(JSON.parse(json as string));
else {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '100,300' },
      seconds: { type: 'string', default: '10' },
      kinds: { type: 'string', default: 'bare,relayed,recorded' },
      profile: { type: 'boolean', default: false },
    },
  });
  console.log(
    `${availableParallelism()} cores, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
  const seconds = Number(values.seconds);
  for (const calls of values.calls.split(',').map(Number)) {
    for (const kind of values.kinds.split(',')) {
      await run(
        {
          calls,
          seconds,
          recorded: kind === 'recorded',
          transcoded: kind === 'transcoded',
          bare: kind === 'bare',
        },
        values.profile,
      );
    }
  }
}
