import type { PartyClass } from './need.ts';
import { PlanError, type Spread } from './types.ts';

/** Parties that are looked at one by one; those after them in groups that differ by at most so much in rank. */
const SINGLE = 64;
const GROWTH = 1.05;

/** The parties of a role, from the busiest down. `perHour`: sessions of all of them together. Throws `PlanError`. */
export function partyClasses(
  spread: Spread,
  parties: number,
  perHour: number,
  pointer: string,
): readonly PartyClass[] {
  switch (spread.kind) {
    case 'even':
      return [{ parties, perHour: perHour / parties }];
    case 'zipf':
      if (!(spread.exponent >= 0 && spread.exponent <= 10)) {
        throw new PlanError(`${pointer}/exponent`, 'The exponent lies between 0 (even) and 10.');
      }
      return zipfClasses(parties, perHour, spread.exponent);
    case 'busiest':
      return zipfClasses(parties, perHour, exponentFor(spread.sessionsPerDay, parties, perHour, pointer));
    case 'groups':
      return [...spread.groups]
        .sort((one, other) => other.share - one.share)
        .map((group) => ({ parties: group.parties, perHour: group.share * perHour }));
  }
}

/** The exponent by which the busiest party has so many sessions a day. */
function exponentFor(sessionsPerDay: number, parties: number, perHour: number, pointer: string): number {
  const share = sessionsPerDay / (perHour * 24);
  // A day's figures are rounded by whoever gives them.
  if (!(share * parties >= 0.99)) {
    throw new PlanError(
      `${pointer}/sessionsPerDay`,
      `The busiest party cannot have fewer sessions than the average (${plain((perHour * 24) / parties)} a day).`,
    );
  }
  if (share >= 1 && parties > 1) {
    throw new PlanError(
      `${pointer}/sessionsPerDay`,
      `The busiest party has fewer sessions than all together (${plain(perHour * 24)} a day).`,
    );
  }
  let low = 0;
  let high = 50;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (1 / weightsTo(parties, middle) < share) low = middle;
    else high = middle;
  }
  return low;
}

function zipfClasses(parties: number, perHour: number, exponent: number): readonly PartyClass[] {
  const total = weightsTo(parties, exponent);
  const classes: PartyClass[] = [];
  for (let rank = 1; rank <= parties; ) {
    const end = rank < SINGLE ? rank : Math.min(parties, Math.max(rank, Math.floor(rank * GROWTH)));
    const weight = rank === end ? rank ** -exponent : weightsBetween(rank, end, exponent) / (end - rank + 1);
    classes.push({ parties: end - rank + 1, perHour: (perHour * weight) / total });
    rank = end + 1;
  }
  return classes;
}

/** Σ 1/k^exponent for k from 1 to n. */
function weightsTo(n: number, exponent: number): number {
  return weightsBetween(1, n, exponent);
}

function weightsBetween(from: number, to: number, exponent: number): number {
  let sum = 0;
  const direct = Math.min(to, Math.max(from, 1_000));
  for (let k = from; k <= direct; k++) sum += k ** -exponent;
  if (to <= direct) return sum;
  // Euler and Maclaurin; the next term is below 1e-9 of the sum from 1,000 on.
  const integral = (k: number) => (exponent === 1 ? Math.log(k) : k ** (1 - exponent) / (1 - exponent));
  return sum + integral(to) - integral(direct) + (to ** -exponent - direct ** -exponent) / 2;
}

function plain(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}
