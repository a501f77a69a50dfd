/**
 * Custody of recordings: `downloads.ts` (out of the house, by two people), `holds.ts`, `marks.ts`, `deletion.ts` (by hand
 * and by retention), `files.ts` (disk, store of objects by `object-store.ts`, `cache.ts`). The rows and keys are the
 * heart's (masking/calls/recordings.ts); statements are in store/queries/custody.ts.
 */
import type { TrustContext } from '../context.ts';
import type { Custody } from '../service.ts';
import { createDeletion } from './deletion.ts';
import { createDownloads } from './downloads.ts';
import { createRecordingFiles } from './files.ts';
import { createHolds } from './holds.ts';
import { createMarks } from './marks.ts';

const hour = 3_600_000;
/** Finished recordings wait so long for their upload; doubled as often as the store of objects is away. Milliseconds. */
const tendEvery = 5_000;
const longestPause = 300_000;
/** Without a store of objects only what a crash has left behind is looked for. */
const lookEvery = 24 * hour;

export function createCustody(
  context: TrustContext,
): Custody & { start(): Promise<void>; stop(): Promise<void> } {
  const { doors, objects, report } = context;
  const files = createRecordingFiles(context);
  const deletion = createDeletion(context, files);
  const loops: Loop[] = [];
  let pause = tendEvery;

  function loop(first: number, work: () => Promise<number>, after: number): void {
    loops.push(createLoop(doors.timers, first, work, after, (error) => report('recordings', error)));
  }

  async function tend(): Promise<number> {
    const reached = await files.tend();
    if (objects === undefined) return lookEvery;
    pause = reached ? tendEvery : Math.min(longestPause, 2 * pause);
    return pause;
  }

  async function runRetention(): Promise<number> {
    const deleted = await deletion.runRetention();
    await files.sweep();
    return deleted;
  }

  return {
    ...createDownloads(context),
    ...createHolds(context),
    ...createMarks(context),
    deleteRecording: deletion.deleteRecording,
    removeFiles: deletion.removeFiles,
    runRetention,
    locate: (recording) => files.locate(recording),
    async start() {
      loop(1_000, tend, longestPause);
      // Not all nodes in the same moment.
      loop(
        60_000 + doors.random.integer(600_000),
        async () => {
          await runRetention();
          return hour;
        },
        hour,
      );
    },
    async stop() {
      // Uploads that are under way end here, and are begun again by the next start.
      objects?.close();
      await Promise.all(loops.splice(0).map((one) => one.stop()));
    },
  };
}

interface Loop {
  stop(): Promise<void>;
}

/** One turn at a time; `work` tells the pause until the next. After an error it is `pause`. */
function createLoop(
  timers: TrustContext['doors']['timers'],
  first: number,
  work: () => Promise<number>,
  pause: number,
  report: (error: unknown) => void,
): Loop {
  let stopped = false;
  let turn: Promise<void> = Promise.resolve();
  let timer = timers.after(first, run);
  function run(): void {
    turn = work()
      .catch((error: unknown) => {
        report(error);
        return pause;
      })
      .then((next) => {
        if (!stopped) timer = timers.after(next, run);
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
