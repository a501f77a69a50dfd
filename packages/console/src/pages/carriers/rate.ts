/** Calls a second, from the newest calls as they are read again and again: each is counted once, by when it began. */

export const bucketSeconds = 10;
const buckets = 60;
/** Calls remembered so that none is counted twice; the oldest are forgotten first. */
const mostSeen = 5_000;

export interface Rate {
  /** Beginnings of the buckets, seconds since 1970, oldest first. */
  readonly x: readonly number[];
  readonly perSecond: readonly number[];
}

export function createRate(now: () => number) {
  const seen = new Map<string, number>();
  const openedAt = now();
  return {
    add(calls: readonly { readonly id: string; readonly startedAt: string }[]): void {
      for (const { id, startedAt } of calls) {
        const at = Date.parse(startedAt);
        if (!Number.isNaN(at) && !seen.has(id)) seen.set(id, at);
      }
      for (const id of seen.keys()) {
        if (seen.size <= mostSeen) break;
        seen.delete(id);
      }
    },
    /** The last ten minutes; the bucket that still fills is not among them. */
    read(): Rate {
      const end = Math.floor(now() / 1_000 / bucketSeconds);
      const counts = new Map<number, number>();
      for (const at of seen.values()) {
        const bucket = Math.floor(at / 1_000 / bucketSeconds);
        counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      }
      const places = Array.from({ length: buckets }, (_, index) => end - buckets + index);
      return {
        x: places.map((place) => place * bucketSeconds),
        perSecond: places.map((place) => (counts.get(place) ?? 0) / bucketSeconds),
      };
    },
    openedAt,
  };
}
