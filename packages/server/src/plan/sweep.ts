/** Exact counts from past jobs: how many numbers the busiest party held at once, live and cooling. */
import type { Jobs } from './jobs-csv.ts';

export interface Sweep {
  /** The most numbers that one party needed at once. */
  readonly peak: number;
  /** For each of the bins asked for, the most within it. */
  readonly bins: Uint32Array;
}

/** Rows of a role by party, made once and swept with any cooldown. */
export interface RoleRows {
  readonly parties: number;
  /** Where each party's rows begin in `rows`; one more than parties. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

export function rowsByParty(column: Uint32Array, parties: number): RoleRows {
  const starts = new Uint32Array(parties + 2);
  for (const party of column) if (party > 0) starts[party + 1] = (starts[party + 1] ?? 0) + 1;
  for (let party = 1; party <= parties + 1; party++) {
    starts[party] = (starts[party] ?? 0) + (starts[party - 1] ?? 0);
  }
  const next = starts.slice();
  const rows = new Uint32Array(starts[parties + 1] ?? 0);
  for (let row = 0; row < column.length; row++) {
    const party = column[row] ?? 0;
    if (party === 0) continue;
    const at = next[party] ?? 0;
    rows[at] = row;
    next[party] = at + 1;
  }
  return { parties, starts: starts.subarray(1), rows };
}

/**
 * A number is held from the opening to the closing and the cooldown after it; one that becomes free at the moment of
 * an opening serves it. `bins`: so many equal parts of the time from `from` to `to` (milliseconds).
 */
export function sweep(
  jobs: Jobs,
  role: RoleRows,
  cooldownMilliseconds: number,
  bins?: { readonly count: number; readonly from: number; readonly to: number },
): Sweep {
  const { count = 0, from = 0, to: end = 1 } = bins ?? {};
  const most = new Uint32Array(count);
  const perBin = (end - from) / Math.max(1, count) || 1;
  const binOf = (time: number) => Math.min(count - 1, Math.max(0, Math.floor((time - from) / perBin)));
  let largest = 1;
  for (let party = 0; party < role.parties; party++) {
    largest = Math.max(largest, (role.starts[party + 1] ?? 0) - (role.starts[party] ?? 0));
  }
  const opens = new Float64Array(largest);
  const frees = new Float64Array(largest);
  let peak = 0;
  for (let party = 0; party < role.parties; party++) {
    const start = role.starts[party] ?? 0;
    const size = (role.starts[party + 1] ?? 0) - start;
    if (size === 0) continue;
    for (let index = 0; index < size; index++) {
      const row = role.rows[start + index] ?? 0;
      opens[index] = jobs.opened[row] ?? 0;
      // A job that is closed as it is opened holds a number, too: for a microsecond.
      frees[index] = Math.max((jobs.closed[row] ?? 0) + cooldownMilliseconds, (jobs.opened[row] ?? 0) + 1e-3);
    }
    if (size > 1) {
      opens.subarray(0, size).sort();
      frees.subarray(0, size).sort();
    }
    const highest = walk(opens, frees, size, (from, to, held) => {
      if (count > 0) raise(most, binOf(from), binOf(Math.min(to, end)), held);
    });
    if (highest > peak) peak = highest;
  }
  return { peak, bins: most };
}

/** Through one party's openings and releases, both in order; `during` is told how many are held from when to when. */
function walk(
  opens: Float64Array,
  frees: Float64Array,
  size: number,
  during: (from: number, to: number, held: number) => void,
): number {
  let peak = 0;
  let opened = 0;
  let freed = 0;
  let now = opens[0] ?? 0;
  while (freed < size) {
    const open = opened < size ? (opens[opened] ?? 0) : Number.POSITIVE_INFINITY;
    const free = frees[freed] ?? 0;
    const release = free <= open;
    const next = release ? free : open;
    if (next > now) during(now, next, opened - freed);
    now = next;
    if (release) freed++;
    else opened++;
    peak = Math.max(peak, opened - freed);
  }
  return peak;
}

function raise(most: Uint32Array, first: number, last: number, held: number): void {
  for (let bin = first; bin <= last; bin++) if (held > (most[bin] ?? 0)) most[bin] = held;
}
