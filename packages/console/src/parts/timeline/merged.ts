/** Two lists that come in pages, as one in the order of time. */
import type { Call, PlatformEvent } from '../../types.ts';

export type Happening =
  | { readonly kind: 'call'; readonly id: string; readonly at: string; readonly call: Call }
  | { readonly kind: 'event'; readonly id: string; readonly at: string; readonly event: PlatformEvent };

interface Some<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

/**
 * Newest first. Where one list has more that isn't loaded, what the other has of older times waits for it: else it would
 * seem that nothing else happened then. Events that only repeat a call which stands there are left out.
 */
export function merged(calls: Some<Call>, events: Some<PlatformEvent>): readonly Happening[] {
  const shown = new Set(calls.items.map(({ id }) => id));
  const all: Happening[] = [
    ...calls.items.map((call) => ({ kind: 'call', id: call.id, at: call.startedAt, call }) as const),
    ...events.items
      .filter(
        ({ kind, subject }) => !(kind.startsWith('call.') && subject !== undefined && shown.has(subject)),
      )
      .map((event) => ({ kind: 'event', id: event.id, at: event.at, event }) as const),
  ];
  const horizon = Math.max(
    calls.hasMore ? time(calls.items.at(-1)?.startedAt) : Number.NEGATIVE_INFINITY,
    events.hasMore ? time(events.items.at(-1)?.at) : Number.NEGATIVE_INFINITY,
  );
  return all
    .filter(({ at }) => time(at) >= horizon)
    .sort((one, other) => time(other.at) - time(one.at) || other.id.localeCompare(one.id));
}

function time(text: string | undefined): number {
  return text === undefined ? Number.NEGATIVE_INFINITY : new Date(text).getTime();
}
