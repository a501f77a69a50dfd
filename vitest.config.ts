import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { findPeer, peers } from './scripts/peers.ts';

// Which programs of others the tests may use; see scripts/peers.ts.
process.env['SAMAR_PEERS'] ??= peers
  .filter((peer) => findPeer(peer) !== undefined)
  .map((peer) => peer.name)
  .join(',');

const peerTests = ['packages/**/*.peer.test.ts', 'tests/**/*.test.ts'];

/** Minutes of work: begun first, so that nothing is waited for at the end with one core idle. */
const long = /(?:many-deliveries|erase-many|laws\.property|storm|webhooks)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [
      ...sorted.filter(({ moduleId }) => long.test(moduleId)),
      ...sorted.filter(({ moduleId }) => !long.test(moduleId)),
    ];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    // One database server for all test files; it ends by itself when nobody used it for a while.
    globalSetup: ['packages/server/src/store/testing-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,scripts,prompts,bench}/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...peerTests],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          // Whole servers and real peers, one file at a time: they share ports, cores and the loopback's patience.
          name: 'peers',
          include: peerTests,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
