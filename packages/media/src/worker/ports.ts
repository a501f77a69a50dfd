/**
 * Which of a worker's ports are bound and free. The one that was free longest is taken next; the first order is
 * shuffled. As long as the oldest free port was in use within `QUARANTINE` and the range has ports that are not
 * bound yet, more are bound, so that late packets of an old call have nobody to reach.
 */
import type { Doors } from '@samar/doors';
import type { Bound } from './sockets.ts';

/** As long as a peer that missed the end of a call may go on sending, milliseconds. */
const QUARANTINE = 60_000;
const BATCH = 16;
/** While legs wait for ports. 128 sockets take a thread some 2 ms. */
const URGENT_BATCH = 64;
/** More are bound before fewer than this are free. */
const RESERVE = 128;
/** Legs that wait for a port to be bound. */
const MOST_WAITING = 256;

export interface Ports {
  /** A bound port nobody uses; undefined when there is none and none can be bound any more. */
  take(): number | Promise<number | undefined> | undefined;
  give(port: number): void;
  bound(result: Bound): void;
  /** What is free or could still be bound. */
  readonly free: number;
  close(): void;
}

export function createPorts(
  doors: Doors,
  range: readonly number[],
  most: number,
  bind: (ports: readonly number[]) => void,
): Ports {
  const unbound = shuffled(range, doors);
  /** Bound and never used: they come first, they are free the longest. */
  const fresh: number[] = [];
  /** Used before, a queue in an array: `head` moves on, and the part before it is cut off now and then. */
  let queue: { port: number; since: number }[] = [];
  let head = 0;
  let held = 0;
  let binding = 0;
  let closed = false;
  const waiting: ((port: number | undefined) => void)[] = [];

  const ready = () => fresh.length + queue.length - head;
  const canGrow = () => !closed && unbound.length > 0 && ready() + held + binding < most;

  function grow(): void {
    if (binding > 0 || !canGrow()) return;
    const size = waiting.length > 0 ? URGENT_BATCH : BATCH;
    const batch = unbound.splice(-Math.min(size, most - ready() - held));
    binding = batch.length;
    bind(batch);
  }

  function next(): number | undefined {
    const unused = fresh.pop();
    if (unused !== undefined) {
      held++;
      return unused;
    }
    const first = queue[head];
    if (first === undefined) return undefined;
    head++;
    if (head > 1024 && head * 2 > queue.length) {
      queue = queue.slice(head);
      head = 0;
    }
    held++;
    return first.port;
  }

  /** The next one to be taken was in use a short while ago. */
  function young(): boolean {
    const first = queue[head];
    return fresh.length === 0 && first !== undefined && first.since > doors.clock.monotonic() - QUARANTINE;
  }

  function serveWaiting(): void {
    while (waiting.length > 0 && ready() > 0) waiting.shift()?.(next());
    if (waiting.length === 0) return;
    grow();
    if (binding === 0) for (const resolve of waiting.splice(0)) resolve(undefined);
  }

  return {
    take() {
      if (closed) return undefined;
      if (ready() < RESERVE || young()) grow();
      const port = next();
      if (port !== undefined) return port;
      if (binding === 0 || waiting.length >= MOST_WAITING) return undefined;
      return new Promise((resolve) => waiting.push(resolve));
    },
    give(port) {
      held--;
      queue.push({ port, since: doors.clock.monotonic() });
      serveWaiting();
    },
    // A port that another process holds (`failed`) is never tried again.
    bound({ ports, exhausted }) {
      binding = 0;
      fresh.push(...ports);
      if (exhausted) unbound.length = 0;
      serveWaiting();
      if (ready() < RESERVE) grow();
    },
    get free() {
      return ready() + binding + Math.max(0, Math.min(unbound.length, most - ready() - held - binding));
    },
    close() {
      closed = true;
      for (const resolve of waiting.splice(0)) resolve(undefined);
    },
  };
}

function shuffled(range: readonly number[], doors: Doors): number[] {
  const list = [...range];
  for (let index = list.length - 1; index > 0; index--) {
    const other = doors.random.integer(index + 1);
    const swapped = list[index] as number;
    list[index] = list[other] as number;
    list[other] = swapped;
  }
  return list;
}
