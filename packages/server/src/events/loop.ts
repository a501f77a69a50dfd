import type { Doors } from '@samar/doors';

export interface Loop {
  /** Takes a turn at once, or one more after the one under way. */
  wake(): void;
  /** Resolves when a turn that was under way is over. */
  stop(): Promise<void>;
}

/** One turn at a time, with a pause after each (so many milliseconds) unless somebody wakes it. An error is reported, and the next turn comes. */
export function createLoop(
  timers: Doors['timers'],
  milliseconds: number | (() => number),
  work: () => Promise<unknown>,
  report: (error: unknown) => void,
): Loop {
  let stopped = false;
  let running: Promise<void> | undefined;
  let again = false;
  const pause = typeof milliseconds === 'number' ? () => milliseconds : milliseconds;
  let timer = timers.after(pause(), run);
  function run(): void {
    timer.cancel();
    if (stopped) return;
    if (running !== undefined) {
      again = true;
      return;
    }
    again = false;
    let well = true;
    running = work()
      .then(
        () => {},
        (error: unknown) => {
          well = false;
          report(error);
        },
      )
      .then(() => {
        running = undefined;
        if (stopped) return;
        // After an error never at once: what is broken would be asked as fast as it can refuse.
        if (again && well) run();
        else timer = timers.after(pause(), run);
      });
  }
  return {
    wake: run,
    async stop() {
      stopped = true;
      timer.cancel();
      await running;
    },
  };
}
