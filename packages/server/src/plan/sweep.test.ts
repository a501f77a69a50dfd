import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Jobs } from './jobs-csv.ts';
import { rowsByParty, sweep } from './sweep.ts';

interface Job {
  readonly party: number;
  readonly opened: number;
  readonly length: number;
}
const PARTIES = 4;
const job = fc.record({
  party: fc.integer({ min: 0, max: PARTIES }),
  opened: fc.integer({ min: 0, max: 60 }),
  length: fc.integer({ min: 0, max: 20 }),
});

function jobsOf(jobs: readonly Job[]): Jobs {
  return {
    sessions: jobs.length,
    opened: Float64Array.from(jobs, (one) => one.opened),
    closed: Float64Array.from(jobs, (one) => one.opened + one.length),
    stillOpen: 0,
    roles: [{ role: 'agent', parties: PARTIES, party: Uint32Array.from(jobs, (one) => one.party) }],
  };
}

/** At every opening, whoever of the party's jobs is open or cooling just then. */
function naive(
  jobs: readonly Job[],
  cooldown: number,
  within: (time: number) => boolean = () => true,
): number {
  let most = 0;
  for (let party = 1; party <= PARTIES; party++) {
    const own = jobs.filter((one) => one.party === party);
    for (const { opened: now } of own) {
      if (!within(now)) continue;
      const held = own.filter(
        (one) => one.opened <= now && (one.opened + one.length + cooldown > now || one.opened === now),
      );
      most = Math.max(most, held.length);
    }
  }
  return most;
}

test('counts what a naive count counts, whatever the order of rows', () => {
  fc.assert(
    fc.property(fc.array(job, { maxLength: 40 }), fc.integer({ min: 0, max: 30 }), (jobs, cooldown) => {
      const columns = jobsOf(jobs);
      const rows = rowsByParty(columns.roles[0]?.party ?? new Uint32Array(0), PARTIES);
      expect(sweep(columns, rows, cooldown).peak).toBe(naive(jobs, cooldown));
    }),
    { numRuns: 2_000 },
  );
});

test('its bins hold the most within each, and their highest is the peak', () => {
  fc.assert(
    fc.property(
      fc.array(job, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 30 }),
      (jobs, cooldown) => {
        const columns = jobsOf(jobs);
        const rows = rowsByParty(columns.roles[0]?.party ?? new Uint32Array(0), PARTIES);
        const { peak, bins } = sweep(columns, rows, cooldown, { count: 10, from: 0, to: 100 });
        expect(Math.max(...bins)).toBe(peak);
        bins.forEach((most, bin) => {
          const inside = (time: number) => Math.floor(time / 10) === bin;
          expect(most).toBeGreaterThanOrEqual(naive(jobs, cooldown, inside));
        });
      },
    ),
    { numRuns: 500 },
  );
});
