import type { Timers } from '@samar/doors';

/** Milliseconds between tries: a restart of the database is over soon, a fail-over takes minutes. */
const pauses: readonly number[] = [200, 1_000, 5_000, 15_000, ...Array<number>(30).fill(30_000)];

/**
 * For what is written once a call is over: the database may be away for a while, and nobody waits for it any more.
 * Tries for about a quarter of an hour, then rejects with the last error.
 */
export async function patiently(timers: Timers, write: () => Promise<void>): Promise<void> {
  for (const pause of pauses) {
    try {
      return await write();
    } catch {
      await new Promise<void>((resolve) => timers.after(pause, resolve));
    }
  }
  await write();
}
