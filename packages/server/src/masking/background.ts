/**
 * What happens by itself on every node: sessions expire, dead nodes' calls are closed, the ledger is sealed, old
 * idempotency keys go, and nodes hear which sessions have ended.
 */

import { forgetIdempotent } from '../store/queries/access.ts';
import { callsToEnd, interruptCalls, interruptRecordings } from '../store/queries/calls.ts';
import { forgetCodes } from '../store/queries/codes.ts';
import { forgetEvents } from '../store/queries/events.ts';
import { sealLedger } from '../store/queries/ledger.ts';
import { announceNode, forgetNodes } from '../store/queries/nodes.ts';
import { endQuarantines, forgetNumberDays, removeIdleNumbers } from '../store/queries/numbers.ts';
import { samplePools } from '../store/queries/pools.ts';
import { expireSessions } from '../store/queries/sessions.ts';
import type { Context } from './context.ts';
import type { Masking } from './service.ts';
import type { CallMasking } from './types.ts';

export interface NodeName {
  readonly node: string;
  readonly boot: string;
}

export type BackgroundTask = 'expiry' | 'heartbeat' | 'ledger' | 'pools' | 'clean-up';

/** A node that has not been seen for this long is dead: six heartbeats. */
const silentSeconds = 30;
const batch = 500;
/** Batches a turn, so that one task never keeps the database to itself. */
const mostBatches = 20;

type Closed = Parameters<Parameters<CallMasking['onSessionClosed']>[0]>[0];

export function createBackground(
  context: Context,
  report: (task: BackgroundTask, error: unknown) => void,
): Pick<CallMasking, 'onSessionClosed' | 'onHangUp' | 'callsToEnd'> &
  Pick<Masking, 'start' | 'stop'> & { node(): NodeName } {
  const { database, doors } = context;
  const handlers: ((closed: Closed) => void)[] = [];
  const hangUpHandlers: Parameters<CallMasking['onHangUp']>[0][] = [];
  let self: NodeName = { node: 'unnamed', boot: 'unnamed' };
  let listening: readonly { close(): Promise<void> }[] = [];
  let loops: readonly Loop[] = [];

  function tell(closed: Closed): void {
    for (const handler of handlers) handler(closed);
  }

  async function interrupt(): Promise<number> {
    return drain(() => interruptCalls(database, self, silentSeconds, batch));
  }

  async function heartbeat(): Promise<void> {
    await announceNode(database, self);
    await interrupt();
  }

  return {
    node: () => self,

    onSessionClosed(handler) {
      handlers.push(handler);
    },

    onHangUp(handler) {
      hangUpHandlers.push(handler);
    },

    async callsToEnd() {
      const rows = await callsToEnd(database, self);
      return rows.map(({ tenant, call, ongoing_calls: ongoingCalls }) => ({ tenant, call, ongoingCalls }));
    },

    async start(node) {
      self = node;
      await announceNode(database, self);
      const interrupted = await interrupt();
      const sessions = await database.listen('samar_sessions', (payload) => tell(readNotice(payload)));
      const calls = await database.listen('samar_calls', (payload) => {
        // A notice that may have been missed is made up for by `callsToEnd`, which the switch asks every few seconds.
        if (payload === undefined) return;
        const { tenant, call } = JSON.parse(payload) as { readonly tenant: string; readonly call: string };
        for (const handler of hangUpHandlers) handler({ tenant, call });
      });
      listening = [sessions, calls];
      const loop = (task: BackgroundTask, milliseconds: number, work: () => Promise<unknown>) =>
        createLoop(doors.timers, milliseconds, work, (error) => report(task, error));
      loops = [
        loop('expiry', 1_000, () => drain(() => expireSessions(database, batch), 1)),
        loop('heartbeat', 5_000, heartbeat),
        loop('ledger', 1_000, () => sealLedger(database)),
        loop('pools', 300_000, () => samplePools(database)),
        loop('clean-up', 60_000, async () => {
          await drain(() => forgetIdempotent(database, batch));
          await drain(() => interruptRecordings(database, batch));
          await drain(() => forgetEvents(database, batch));
          await drain(() => forgetCodes(database, batch));
          await drain(() => removeIdleNumbers(database, batch));
          await drain(() => endQuarantines(database, batch));
          await drain(() => forgetNumberDays(database, batch));
          await forgetNodes(database);
        }),
      ];
      return { interrupted };
    },

    async stop() {
      await Promise.all(loops.map((one) => one.stop()));
      loops = [];
      await Promise.all(listening.map((one) => one.close()));
      listening = [];
    },
  };
}

/** Repeats until a batch was not full (less than `full`), at most `mostBatches` times. */
async function drain(work: () => Promise<number>, full = batch): Promise<number> {
  let total = 0;
  for (let turn = 0; turn < mostBatches; turn++) {
    const done = await work();
    total += done;
    if (done < full) break;
  }
  return total;
}

function readNotice(payload: string | undefined): Closed {
  if (payload === undefined) return undefined;
  return JSON.parse(payload) as Exclude<Closed, undefined>;
}

interface Loop {
  /** Resolves when a turn that was under way is over. */
  stop(): Promise<void>;
}

/** One turn at a time; the pause is counted from the end of a turn. An error is reported, and the next turn comes. */
function createLoop(
  timers: Context['doors']['timers'],
  milliseconds: number,
  work: () => Promise<unknown>,
  report: (error: unknown) => void,
): Loop {
  let stopped = false;
  let turn: Promise<void> = Promise.resolve();
  let timer = timers.after(milliseconds, run);
  function run(): void {
    turn = work()
      .then(() => {}, report)
      .then(() => {
        if (!stopped) timer = timers.after(milliseconds, run);
      });
  }
  return {
    async stop() {
      stopped = true;
      timer.cancel();
      await turn;
    },
  };
}
