import { Worker } from 'node:worker_threads';
import type { PlanAnswer, PlanTask } from './task.ts';

/**
 * Plans in a thread of its own, so that calls and requests don't wait for arithmetic: one at a time, a few waiting,
 * each for a limited time.
 */
export interface Planner {
  /** Rejects with `PlannerBusy` when too many wait, or when the answer takes too long. */
  answer(task: PlanTask): Promise<PlanAnswer>;
}

export class PlannerBusy extends Error {
  override readonly name = 'PlannerBusy';
  readonly kind: 'queue-full' | 'too-long';
  constructor(kind: PlannerBusy['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface PlannerLimits {
  /** Questions that wait while one is answered. Default 8. */
  readonly mostWaiting?: number;
  /** For one answer. Default 20,000. */
  readonly milliseconds?: number;
}

export function createPlanner(limits: PlannerLimits = {}): Planner {
  const { mostWaiting = 8, milliseconds = 20_000 } = limits;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    async answer(task) {
      if (waiting > mostWaiting) throw new PlannerBusy('queue-full', 'Too many plans are being made.');
      waiting++;
      const mine = last.then(() => inThread(task, milliseconds));
      last = mine.catch(() => {});
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
  };
}

function inThread(task: PlanTask, milliseconds: number): Promise<PlanAnswer> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: task,
    name: 'plan',
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  return new Promise<PlanAnswer>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new PlannerBusy('too-long', 'The plan takes too long: ask for less.'));
      void worker.terminate();
    }, milliseconds);
    worker.once('message', (message: PlanAnswer) => resolve(message));
    worker.once('error', reject);
    worker.once('exit', () => {
      clearTimeout(timer);
      reject(new Error('the planning thread ended without an answer'));
    });
  });
}
