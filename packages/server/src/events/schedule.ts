/** When a delivery that failed is tried again: the table of Standard Webhooks 1.0.0, ten attempts in three days. */
import type { Doors } from '@samar/doors';

const minute = 60;
const hour = 3_600;
/** Seconds after the first, second, … failed attempt. */
export const retrySeconds: readonly number[] = [
  ...[5, 5 * minute, 30 * minute],
  ...[2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour],
];
/** Up to this much of a delay is added by chance, so that what failed together doesn't come back together. */
const jitter = 0.1;
/** A receiver may ask for this much patience with one delivery, and for this much with all of its deliveries. */
const mostRetryAfterSeconds = 24 * hour;
export const mostHoldSeconds = hour;

/** Seconds until the next attempt; undefined after the last. `failed`: attempts so far. */
export function nextDelay(
  random: Doors['random'],
  failed: number,
  retryAfterSeconds: number | undefined,
): number | undefined {
  const delay = retrySeconds[failed - 1];
  if (delay === undefined) return undefined;
  const asked = Math.min(retryAfterSeconds ?? 0, mostRetryAfterSeconds);
  return Math.max(delay, asked) * (1 + (jitter * random.integer(1_000)) / 1_000);
}

/** RFC 9110, section 10.2.3: seconds or a date. Undefined for anything else. */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^[A-Za-z]{3}, \d{2} [A-Za-z]{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - now) / 1_000);
}
