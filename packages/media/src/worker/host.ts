/**
 * The main thread's end of a worker: starts it, numbers questions, hands out its ports. A port is known here to be
 * bound and free before a call asks, so opening a leg waits for nobody.
 */
import { Worker } from 'node:worker_threads';
import type { Doors } from '@samar/doors';
import { createCore } from './core.ts';
import { afterReading, createOutbox } from './outbox.ts';
import { createPorts, type Ports } from './ports.ts';
import type { Answer, Command, Question, Report, WorkerSettings, WorkerStatistics } from './protocol.ts';

/** `Omit` over each member of the union. */
type Asked<T> = T extends { question: number } ? Omit<T, 'question'> : never;

export interface Host {
  tell(command: Command): void;
  /** Rejects when the worker refuses, crashes or is gone. */
  ask(question: Asked<Question>): Promise<Answer>;
  readonly ports: Ports;
  /** Event-loop delay, milliseconds, 99th percentile of the last 10 s. */
  readonly lag: number;
  /** The same, median of the last second: how late it usually is now. */
  readonly usualLag: number;
  readonly alive: boolean;
  stop(): Promise<void>;
}

export interface HostEvents {
  /** Everything but answers. */
  report(report: Report): void;
  /** The worker is gone, with every call in it. */
  crashed(): void;
}

export interface HostOptions {
  readonly doors: Doors;
  readonly settings: WorkerSettings;
  /** Even port numbers that are this worker's to use. */
  readonly range: readonly number[];
  readonly mostPorts: number;
  readonly inThisThread: boolean;
}

interface Link {
  readonly send: (commands: readonly Command[]) => void;
  readonly end: () => Promise<void>;
}

export function createHost(options: HostOptions, events: HostEvents): Host {
  const questions = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  let asked = 0;
  let lag = 0;
  let usualLag = 0;
  let alive = true;

  function hear(report: Report): void {
    switch (report.kind) {
      case 'answer':
        questions.get(report.question)?.resolve(report.answer);
        questions.delete(report.question);
        return;
      case 'refusal':
        questions.get(report.question)?.reject(new Error(report.reason));
        questions.delete(report.question);
        return;
      case 'bound':
        ports.bound(report);
        return;
      case 'lag':
        lag = report.milliseconds;
        usualLag = report.usual;
        return;
      default:
        events.report(report);
    }
  }

  function gone(crashed: boolean): void {
    if (!alive) return;
    alive = false;
    for (const question of questions.values()) question.reject(new Error('the media worker is gone'));
    questions.clear();
    ports.close();
    if (crashed) events.crashed();
  }

  const link = options.inThisThread
    ? linkHere(options, hear)
    : linkThread(options.settings, hear, () => gone(true));
  const tell = createOutbox<Command>(
    (commands) => {
      if (alive) link.send(commands);
    },
    options.inThisThread ? {} : afterReading,
  );
  const ports = createPorts(options.doors, options.range, options.mostPorts, (wanted) =>
    tell({ kind: 'bind', ports: wanted }),
  );

  function ask(question: Asked<Question>): Promise<Answer> {
    if (!alive) return Promise.reject(new Error('the media worker is gone'));
    return new Promise((resolve, reject) => {
      asked++;
      questions.set(asked, { resolve, reject });
      tell({ ...question, question: asked } as Question);
    });
  }

  return {
    tell,
    ask,
    ports,
    get lag() {
      return lag;
    },
    get usualLag() {
      return usualLag;
    },
    get alive() {
      return alive;
    },
    async stop() {
      if (alive) await ask({ kind: 'shut' }).catch(() => undefined);
      gone(false);
      await link.end();
    },
  };
}

function linkThread(settings: WorkerSettings, hear: (report: Report) => void, crashed: () => void): Link {
  const worker = new Worker(new URL('./main.ts', import.meta.url), { workerData: settings, name: 'media' });
  worker.on('message', (reports: readonly Report[]) => reports.forEach(hear));
  // An uncaught error ends the thread: 'exit' follows, and is where its end is dealt with.
  worker.on('error', () => {});
  worker.on('exit', crashed);
  return {
    send: (commands) => worker.postMessage(commands, moved(commands)),
    end: async () => void (await worker.terminate()),
  };
}

/** Samples change threads without being copied. */
function moved(commands: readonly Command[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const command of commands) {
    if (command.kind !== 'play' || command.what.kind !== 'samples') continue;
    const { buffer } = command.what.samples;
    if (buffer instanceof ArrayBuffer) buffers.push(buffer);
  }
  return buffers;
}

/** The same core without a thread, on doors that a test holds. */
function linkHere(options: HostOptions, hear: (report: Report) => void): Link {
  const report = createOutbox<Report>((reports) => reports.forEach(hear));
  const core = createCore(options.doors, options.settings, report);
  return {
    send: (commands) => {
      for (const command of commands) core.handle(command);
    },
    end: async () => {},
  };
}

export function isStatistics(answer: Answer): answer is WorkerStatistics {
  return answer !== undefined && 'portsBound' in answer;
}
