/** A worker thread's start: its core on Node's doors, commands and reports in batches over the parent port. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { nodeDoors } from '@samar/doors';
import { createCore } from './core.ts';
import { createOutbox } from './outbox.ts';
import type { Command, Report, WorkerSettings } from './protocol.ts';

/** The delay monitor wakes this often; what a wake-up is late by is the delay. */
const RESOLUTION = 20;
const WINDOW_SECONDS = 10;

const port = parentPort;
if (port === null) throw new Error('worker/main.ts runs as a worker thread only');

const doors = nodeDoors();
const report = createOutbox<Report>((reports) => port.postMessage(reports));
const core = createCore(doors, workerData as WorkerSettings, report);
port.on('message', (commands: readonly Command[]) => {
  for (const command of commands) core.handle(command);
});
watchLag();

/** Tells once a second how late the event loop ran in the last ten: the 99th percentile over them. */
function watchLag(): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  let seconds = 0;
  const look = () => {
    seconds++;
    const delay = histogram.count === 0 ? 0 : histogram.percentile(99) / 1e6 - RESOLUTION;
    report({ kind: 'lag', milliseconds: Math.max(0, delay) });
    if (seconds % WINDOW_SECONDS === 0) histogram.reset();
    doors.timers.after(1000, look);
  };
  doors.timers.after(1000, look);
}
