/** A worker thread's start: its core on Node's doors, commands and reports in batches over the parent port. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { nodeDoors } from '@samar/doors';
import { createCore } from './core.ts';
import { afterReading, createOutbox } from './outbox.ts';
import type { Command, Report, WorkerSettings } from './protocol.ts';

/** The delay monitor wakes this often; what a wake-up is late by is the delay. */
const RESOLUTION = 20;
const WINDOW_SECONDS = 10;

const port = parentPort;
if (port === null) throw new Error('worker/main.ts runs as a worker thread only');

const doors = nodeDoors();
const report = createOutbox<Report>((reports) => port.postMessage(reports), afterReading);
const core = createCore(doors, workerData as WorkerSettings, report);
port.on('message', (commands: readonly Command[]) => {
  for (const command of commands) core.handle(command);
});
watchLag();

/**
 * Tells once a second how late the event loop ran: the worst of the last ten seconds for people, the usual of the last
 * one for the decision whether more calls can be taken. A thread that has too much to do is late at every turn; one
 * that the system paused now and then is not.
 */
function watchLag(): void {
  const long = monitorEventLoopDelay({ resolution: RESOLUTION });
  const short = monitorEventLoopDelay({ resolution: RESOLUTION });
  long.enable();
  short.enable();
  let seconds = 0;
  const look = () => {
    seconds++;
    report({ kind: 'lag', milliseconds: lateness(long, 99), usual: lateness(short, 50) });
    short.reset();
    if (seconds % WINDOW_SECONDS === 0) long.reset();
    doors.timers.after(1000, look);
  };
  doors.timers.after(1000, look);
}

/** Milliseconds. */
function lateness(histogram: ReturnType<typeof monitorEventLoopDelay>, percentile: number): number {
  // Nothing was counted for a whole second: it is later than can be counted.
  if (histogram.count === 0) return 1000;
  return Math.max(0, histogram.percentile(percentile) / 1e6 - RESOLUTION);
}
