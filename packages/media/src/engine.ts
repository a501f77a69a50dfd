/**
 * The engine on the main thread: thin handles that speak to the workers. No packet passes here.
 */
import { availableParallelism } from 'node:os';
import { type Doors, nodeDoors } from '@samar/doors';
import { type CallHandle, createCallHandle } from './call.ts';
import { encode } from './codec/index.ts';
import type { EngineOptions, EngineStatistics, MediaCall, MediaEngine } from './types.ts';
import { mostPairs } from './worker/descriptors.ts';
import { createHost, type Host, isStatistics } from './worker/host.ts';
import type { EncodedPrompt, Report, WorkerSettings } from './worker/protocol.ts';

const CALLS_PER_WORKER = 400;
const SILENCE_MILLISECONDS = 30_000;
const LAG_LIMIT = 10;
/** A worker with fewer calls than this isn't the reason of its lag; refusing calls would not help. */
const CALLS_THAT_LAG = 16;
/** A worker that crashed is replaced; after this many within a minute only when the minute is over. */
const RESTARTS_PER_MINUTE = 5;
const MINUTE = 60_000;

export type MediaBusyReason = 'calls' | 'ports' | 'lag' | 'samples';

/** No new call (or leg, or message to play) now: answer 503 and let the caller try elsewhere. */
export class MediaBusy extends Error {
  readonly reason: MediaBusyReason;
  constructor(reason: MediaBusyReason) {
    super(`media is busy: ${reason}`);
    this.name = 'MediaBusy';
    this.reason = reason;
  }
}

export interface MediaEngineOptions extends EngineOptions {
  /** Clock, timers and randomness of the main thread; the workers use Node's own. Default: Node's. */
  readonly doors?: Doors;
  /** Milliseconds of event-loop delay (median of the last second) at which a worker takes no new call; default 10. */
  readonly lagLimit?: number;
  /** For tests: no threads, everything runs here and its sockets come from `doors`. */
  readonly inThisThread?: boolean;
}

/** Rejects with a RangeError when the options make no sense, and with an Error when no port can be bound. */
export async function createMediaEngine(options: MediaEngineOptions): Promise<MediaEngine> {
  const doors = options.doors ?? nodeDoors();
  const workers = options.inThisThread ? 1 : (options.workers ?? Math.max(1, availableParallelism() - 1));
  const callsPerWorker = options.callsPerWorker ?? CALLS_PER_WORKER;
  const lagLimit = options.lagLimit ?? LAG_LIMIT;
  const pairs = evenPorts(options.ports.from, options.ports.to);
  if (pairs.length < workers)
    throw new RangeError('media: the port range is smaller than the number of workers');
  const settings: WorkerSettings = {
    address: options.address,
    silence: options.silence ?? SILENCE_MILLISECONDS,
    prompts: encodePrompts(options.prompts),
  };
  const mostPorts = Math.floor(mostPairs() / workers);
  const seats: Seat[] = [];
  let ids = 0;
  let closed = false;
  let restarts: number[] = [];

  function start(range: readonly number[]): Seat {
    const calls = new Map<number, CallHandle>();
    const legs = new Map<number, CallHandle>();
    const seat: Seat = {
      range,
      calls,
      legs,
      samples: { bytes: 0 },
      host: createHost(
        { doors, settings, range, mostPorts, inThisThread: options.inThisThread ?? false },
        {
          report: (report) => deliver(seat, report),
          crashed: () => crashed(seat),
        },
      ),
    };
    return seat;
  }

  function deliver(seat: Seat, report: Report): void {
    switch (report.kind) {
      case 'digit':
      case 'silent':
      case 'freed':
      case 'played':
        seat.legs.get(report.leg)?.hear(report);
        return;
      case 'recording-failed':
        seat.calls.get(report.call)?.hear(report);
        return;
      default:
        return;
    }
  }

  function crashed(seat: Seat): void {
    for (const call of [...seat.calls.values()]) call.lost();
    replace(seat);
  }

  function replace(seat: Seat): void {
    if (closed) return;
    const now = doors.clock.monotonic();
    restarts = restarts.filter((at) => at > now - MINUTE);
    if (restarts.length >= RESTARTS_PER_MINUTE) {
      doors.timers.after(MINUTE, () => replace(seat));
      return;
    }
    restarts.push(now);
    const next = start(seat.range);
    seats[seats.indexOf(seat)] = next;
    // If it can't bind a port it has none free, and calls are refused for that.
    firstPort(next.host).catch(() => {});
  }

  /** The worker with the fewest calls, among those that have room. */
  function choose(): Seat {
    let best: Seat | undefined;
    let reason: MediaBusyReason = 'calls';
    for (const seat of seats) {
      if (!seat.host.alive || seat.calls.size >= callsPerWorker) continue;
      if (seat.host.usualLag > lagLimit && seat.calls.size >= CALLS_THAT_LAG) reason = 'lag';
      else if (seat.host.ports.free === 0) reason = 'ports';
      else if (best === undefined || seat.calls.size < best.calls.size) best = seat;
    }
    if (best === undefined) throw new MediaBusy(reason);
    return best;
  }

  for (let index = 0; index < workers; index++) {
    seats.push(start(pairs.filter((_, at) => at % workers === index)));
  }
  await Promise.all(seats.map((seat) => firstPort(seat.host)));

  return {
    async openCall(): Promise<MediaCall> {
      if (closed) throw new MediaBusy('calls');
      const seat = choose();
      return createCallHandle({
        address: options.address,
        host: seat.host,
        knownPrompts: settings.prompts,
        calls: seat.calls,
        legs: seat.legs,
        nextId: () => ++ids,
        samples: seat.samples,
        busy: (reason) => new MediaBusy(reason),
      });
    },
    counts: {
      get calls() {
        return sum(seats, (seat) => seat.calls.size);
      },
      get legs() {
        return sum(seats, (seat) => seat.legs.size);
      },
      get portsFree() {
        return sum(seats, (seat) => seat.host.ports.free);
      },
    },
    statistics: () => statistics(seats),
    async close() {
      closed = true;
      await Promise.all(
        seats.map(async (seat) => {
          const open = [...seat.calls.values()];
          await Promise.all(open.map((call) => call.call.release()));
          await seat.host.stop();
        }),
      );
    },
  };
}

interface Seat {
  readonly range: readonly number[];
  readonly host: Host;
  readonly calls: Map<number, CallHandle>;
  /** By leg: the call it belongs to. */
  readonly legs: Map<number, CallHandle>;
  /** See `CallContext`. */
  readonly samples: { bytes: number };
}

/** Waits until the worker runs and holds at least one pair. */
async function firstPort(host: Host): Promise<void> {
  const port = await host.ports.take();
  if (port === undefined) throw new Error('media: no port of the range can be bound');
  host.ports.give(port);
}

async function statistics(seats: readonly Seat[]): Promise<EngineStatistics> {
  const answers = await Promise.all(
    seats.map((seat) => seat.host.ask({ kind: 'statistics' }).catch(() => undefined)),
  );
  const dropped: Record<string, number> = {};
  let packetsIn = 0;
  let packetsOut = 0;
  for (const answer of answers.filter(isStatistics)) {
    packetsIn += answer.packetsIn;
    packetsOut += answer.packetsOut;
    for (const [reason, count] of Object.entries(answer.dropped)) {
      dropped[reason] = (dropped[reason] ?? 0) + count;
    }
  }
  return { packetsIn, packetsOut, dropped, lag: Math.max(...seats.map((seat) => seat.host.lag)) };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function evenPorts(from: number, to: number): number[] {
  if (!(Number.isInteger(from) && Number.isInteger(to) && from > 0 && to < 65_536)) {
    throw new RangeError('media: port range');
  }
  const ports: number[] = [];
  for (let port = from + (from % 2); port + 1 <= to; port += 2) ports.push(port);
  if (ports.length === 0) throw new RangeError('media: the port range holds no pair of ports');
  return ports;
}

/** Both codecs, once, in memory that every worker reads. */
function encodePrompts(prompts: ReadonlyMap<string, Int16Array>): ReadonlyMap<string, EncodedPrompt> {
  const encoded = new Map<string, EncodedPrompt>();
  for (const [name, samples] of prompts) {
    encoded.set(name, {
      PCMU: shared(encode(samples, 'PCMU')),
      PCMA: shared(encode(samples, 'PCMA')),
    });
  }
  return encoded;
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
