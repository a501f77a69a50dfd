import type { Call, Carrier } from '../../types.ts';

/** Fewer say nothing. */
const leastLegs = 5;

/**
 * How a carrier does, by the outgoing legs of the newest calls: one that rang or was answered was carried; a refusal by
 * the network itself (5xx, 408) was not. Busy or declined is the person's doing.
 */
export function healthOf(
  carrier: Pick<Carrier, 'id' | 'enabled'>,
  calls: readonly Call[],
): { readonly health: 'good' | 'bad' | 'quiet' | 'off'; readonly reached: number; readonly legs: number } {
  const legs = calls.flatMap((call) =>
    call.legs.filter(
      (leg) => leg.direction === 'out' && leg.carrier === carrier.id && leg.endedAt !== undefined,
    ),
  );
  const failed = legs.filter(
    ({ answeredAt, sipStatus }) =>
      answeredAt === undefined &&
      (sipStatus === 408 || (sipStatus !== undefined && sipStatus >= 500 && sipStatus < 600)),
  );
  const reached = legs.length - failed.length;
  const health = !carrier.enabled
    ? 'off'
    : legs.length === 0
      ? 'quiet'
      : legs.length >= leastLegs && failed.length * 2 > legs.length
        ? 'bad'
        : 'good';
  return { health, reached, legs: legs.length };
}
