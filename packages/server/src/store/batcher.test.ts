import type { Timers } from '@samar/doors';
import { expect, test } from 'vitest';
import { BatcherFull, createBatcher } from './batcher.ts';

/** Each batch waits until it is let go. */
function gated(options: { maximum: number; inFlight?: number; maxWaiting?: number }) {
  const batches: { items: readonly number[]; finish: (results: readonly (number | Error)[]) => void }[] = [];
  const batcher = createBatcher<number, number>({
    ...options,
    run: (items) => new Promise((finish) => batches.push({ items, finish })),
  });
  return {
    batcher,
    batches,
    finish: (at: number) => batches[at]?.finish(batches[at].items.map((item) => item * 10)),
  };
}

const turn = () => new Promise((done) => setImmediate(done));

test('what arrives during a batch goes together in the next one', async () => {
  const { batcher, batches, finish } = gated({ maximum: 3, inFlight: 1 });
  const results = [1, 2, 3, 4, 5].map((item) => batcher.add(item));
  expect(batches.map(({ items }) => items)).toEqual([[1]]);
  finish(0);
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
  finish(1);
  await turn();
  finish(2);
  expect(await Promise.all(results)).toEqual([10, 20, 30, 40, 50]);
  expect(batcher.stats()).toEqual({ waiting: 0, inFlight: 0 });
});

test('no more batches are at work at once than allowed', async () => {
  const { batcher, batches } = gated({ maximum: 10, inFlight: 2 });
  for (let item = 0; item < 9; item += 1) void batcher.add(item);
  expect(batches).toHaveLength(2);
  expect(batcher.stats()).toEqual({ waiting: 7, inFlight: 2 });
});

test('too many waiting are refused, and room is given again', async () => {
  const { batcher, finish } = gated({ maximum: 1, inFlight: 1, maxWaiting: 2 });
  const accepted = [1, 2, 3].map((item) => batcher.add(item));
  await expect(batcher.add(4)).rejects.toThrow(BatcherFull);
  finish(0);
  await turn();
  accepted.push(batcher.add(5));
  for (let at = 1; at < 4; at += 1) {
    finish(at);
    await turn();
  }
  expect(await Promise.all(accepted)).toEqual([10, 20, 30, 50]);
});

test('an error among the results is that item’s alone', async () => {
  const { batcher, batches, finish } = gated({ maximum: 5, inFlight: 1 });
  const results = [1, 2, 3].map((item) => batcher.add(item));
  const settled = Promise.allSettled(results);
  finish(0);
  await turn();
  batches[1]?.finish([20, new Error('bad three')]);
  expect(
    (await settled).map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message)),
  ).toEqual([10, 20, 'bad three']);
});

function failing(mayRetry: boolean) {
  const runs: (readonly number[])[] = [];
  const batcher = createBatcher<number, number>({
    maximum: 10,
    inFlight: 1,
    mayRetry: () => mayRetry,
    async run(items) {
      runs.push(items);
      await turn();
      if (items.includes(3)) throw new Error('three');
      return items;
    },
  });
  return { runs, settled: Promise.allSettled([1, 2, 3, 4].map((item) => batcher.add(item))) };
}

test('a batch that fails is tried item by item, once', async () => {
  const { runs, settled } = failing(true);
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(runs).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
});

test('a batch that may have taken effect is not tried again', async () => {
  const { runs, settled } = failing(false);
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'rejected',
  ]);
  expect(runs).toEqual([[1], [2, 3, 4]]);
});

test('too few results are an error, not somebody else’s result', async () => {
  const batcher = createBatcher<number, number>({ maximum: 10, run: async () => [] });
  await expect(batcher.add(1)).rejects.toThrow(RangeError);
});

test('paced: a lone item goes at once, what comes within the pause goes together after it', async () => {
  const due: (() => void)[] = [];
  const timers: Timers = {
    after(_, action) {
      due.push(action);
      return { cancel() {} };
    },
  };
  const batches: (readonly number[])[] = [];
  const batcher = createBatcher<number, number>({
    maximum: 10,
    inFlight: 2,
    pace: { milliseconds: 4, timers },
    async run(items) {
      batches.push(items);
      return items;
    },
  });
  await batcher.add(1);
  const later = [batcher.add(2), batcher.add(3)];
  await turn();
  expect(batches).toEqual([[1]]);
  due.shift()?.();
  expect(await Promise.all(later)).toEqual([2, 3]);
  expect(batches).toEqual([[1], [2, 3]]);
  due.shift()?.();
  await batcher.add(4);
  expect(batches).toHaveLength(3);
});

test('paced above a rate: who comes alone never waits, a rush is taken together', async () => {
  let now = 0;
  const due: (() => void)[] = [];
  const sizes: number[] = [];
  const batcher = createBatcher<number, number>({
    maximum: 100,
    pace: {
      milliseconds: 4,
      timers: {
        after(_, action) {
          due.push(action);
          return { cancel: () => {} };
        },
      },
      above: { itemsPerSecond: 1_000, clock: { monotonic: () => now } },
    },
    async run(items) {
      sizes.push(items.length);
      return items;
    },
  });
  const come = async (count: number, apart: number) => {
    for (let item = 0; item < count; item += 1) {
      now += apart;
      void batcher.add(item);
      await turn();
    }
  };
  await come(100, 1.5);
  expect(due).toEqual([]);
  expect(new Set(sizes)).toEqual(new Set([1]));
  sizes.length = 0;
  await come(60, 0.5);
  expect(due).toHaveLength(1);
  due.shift()?.();
  await turn();
  expect(sizes.at(-1)).toBeGreaterThan(10);
  // The rush is over: no pause any more.
  due.shift()?.();
  sizes.length = 0;
  await come(40, 1.5);
  for (const action of due.splice(0)) action();
  await come(40, 1.5);
  expect(due).toEqual([]);
  expect(sizes.slice(-40)).toEqual(Array(40).fill(1));
});
