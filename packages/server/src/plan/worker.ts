/** One question, answered in a thread of its own (`apart.ts`). */
import { parentPort, workerData } from 'node:worker_threads';
import { answer, type PlanTask } from './task.ts';

parentPort?.postMessage(await answer(workerData as PlanTask));
