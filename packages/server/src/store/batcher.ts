import type { Clock, Timers } from '@samar/doors';

/**
 * Natural batching: what arrives while a batch is at work goes together in the next one. Under no load an item goes
 * alone, at once; under load one round trip carries many.
 */
export interface Batcher<Item, Result> {
  /** Rejects with the item's own error, or with `BatcherFull` when too many wait. */
  add(item: Item): Promise<Result>;
  stats(): { readonly waiting: number; readonly inFlight: number };
}

export class BatcherFull extends Error {
  override readonly name = 'BatcherFull';
}

export interface BatcherOptions<Item, Result> {
  /** Most items in one batch. */
  readonly maximum: number;
  /** Most batches at work at once. Default 2: one is being prepared while the other is on the disk. */
  readonly inFlight?: number;
  /**
   * Least time between the starts of two batches. A transaction costs the same for one item as for ten: where a short
   * wait hurts nobody, a busy server spares most of it. Default: none. With `above`, only while more than so many items
   * a second come: who comes alone waits for nothing.
   */
  readonly pace?: {
    readonly milliseconds: number;
    readonly timers: Timers;
    readonly above?: { readonly itemsPerSecond: number; readonly clock: Pick<Clock, 'monotonic'> };
  };
  /** Most items that may wait. Default 10,000. */
  readonly maxWaiting?: number;
  /**
   * Results in the order of the items, one each; an `Error` among them is that item's alone. When it rejects, every
   * item is tried once more on its own, so that one bad item doesn't fail the others; `mayRetry` can forbid that.
   */
  readonly run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;
  /** False for an error after which the batch may have taken effect. Default: always true. */
  readonly mayRetry?: (error: unknown) => boolean;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Arrivals by which a rate is told: few enough to see a rush within milliseconds, many enough to overlook chance. */
const rateArrivals = 32;

/** Tells after each arrival whether more than so many a second come. */
function createRush(
  above: NonNullable<NonNullable<BatcherOptions<unknown, unknown>['pace']>['above']> | undefined,
): () => boolean {
  if (above === undefined) return () => true;
  const times = new Float64Array(rateArrivals).fill(Number.NEGATIVE_INFINITY);
  const shortest = (rateArrivals * 1_000) / above.itemsPerSecond;
  let next = 0;
  return () => {
    const now = above.clock.monotonic();
    const before = times[next] ?? Number.NEGATIVE_INFINITY;
    times[next] = now;
    next = (next + 1) % rateArrivals;
    return now - before < shortest;
  };
}

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { maximum, run } = options;
  const mostInFlight = options.inFlight ?? 2;
  const maxWaiting = options.maxWaiting ?? 10_000;
  const mayRetry = options.mayRetry ?? (() => true);
  let waiting: Waiting<Item, Result>[] = [];
  let inFlight = 0;
  let pausing = false;
  const arrived = createRush(options.pace?.above);
  let rush = false;

  const attempt = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    const results = await run(batch.map(({ item }) => item));
    if (results.length !== batch.length) {
      throw new RangeError(`a batch of ${batch.length} gave ${results.length} results`);
    }
    for (const [index, { resolve, reject }] of batch.entries()) {
      const result = results[index] as Result | Error;
      if (result instanceof Error) reject(result);
      else resolve(result);
    }
  };
  const work = async (batch: readonly Waiting<Item, Result>[]) => {
    try {
      await attempt(batch);
    } catch (error) {
      const alone = batch.length > 1 && mayRetry(error);
      for (const each of batch) {
        if (alone) await attempt([each]).catch(each.reject);
        else each.reject(error);
      }
    } finally {
      inFlight -= 1;
      start();
    }
  };
  const start = () => {
    while (!pausing && inFlight < mostInFlight && waiting.length > 0) {
      const batch = waiting.slice(0, maximum);
      waiting = waiting.slice(maximum);
      inFlight += 1;
      pause();
      void work(batch);
    }
  };
  const pause = () => {
    if (options.pace === undefined || !rush) return;
    pausing = true;
    options.pace.timers.after(options.pace.milliseconds, () => {
      pausing = false;
      start();
    });
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= maxWaiting) {
          reject(new BatcherFull(`${maxWaiting} items wait already`));
          return;
        }
        waiting.push({ item, resolve, reject });
        rush = arrived();
        start();
      }),
    stats: () => ({ waiting: waiting.length, inFlight }),
  };
}
