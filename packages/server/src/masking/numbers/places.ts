/**
 * Where a phone number is: its country, and the area that a pool has numbers for. Areas are what tenants say they are:
 * the digits after the country code that people nearby share.
 */
import { type CountryCode, getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { readPoolPlaces } from '../../store/queries/pools.ts';
import type { Context } from '../context.ts';

export interface Place {
  /** ISO 3166-1 alpha-2; undefined for what is no phone number. */
  readonly country: string | undefined;
  readonly area: string | undefined;
}

/** `US212`: country and area together, as `areasOfPool` gives them. The longest area that fits counts. */
export function placeOf(e164: string, areas: ReadonlySet<string>): Place {
  const phone = parsePhoneNumberFromString(e164);
  const country = phone?.country ?? phone?.getPossibleCountries()[0];
  if (phone === undefined || country === undefined) return { country: undefined, area: undefined };
  const digits = e164.slice(1 + phone.countryCallingCode.length);
  for (let length = 8; length > 0; length--) {
    const area = digits.slice(0, length);
    if (area.length === length && areas.has(country + area)) return { country, area };
  }
  return { country, area: undefined };
}

/** What a number's area is when nobody says: North America's numbers begin with it; elsewhere its length varies. */
export function defaultArea(e164: string, country: string): string | undefined {
  const isNorthAmerican = getCountryCallingCode(country as CountryCode) === '1';
  return isNorthAmerican ? e164.slice(2, 5) : undefined;
}

const freshMilliseconds = 10_000;
const mostPools = 1_000;
/** North America has about 400 area codes. */
const mostAreas = 5_000;

interface Remembered {
  readonly until: number;
  readonly areas: Promise<ReadonlySet<string>>;
}
/** One memory a heart; it goes with it. */
const memories = new WeakMap<object, Map<string, Remembered>>();

/** The areas that a pool matches by; none when it doesn't. At most ten seconds old. */
export function areasOfPool(
  context: Pick<Context, 'database' | 'doors'>,
  tenant: string,
  pool: string,
): Promise<ReadonlySet<string>> {
  const { database, doors } = context;
  const memory = memories.get(database) ?? new Map<string, Remembered>();
  memories.set(database, memory);
  const key = `${tenant} ${pool}`;
  const now = doors.clock.monotonic();
  const known = memory.get(key);
  if (known !== undefined && known.until > now) return known.areas;
  const areas = readPoolPlaces(database, tenant, pool, mostAreas).then((places) => new Set(places));
  memory.delete(key);
  const oldest = memory.size >= mostPools ? memory.keys().next().value : undefined;
  if (oldest !== undefined) memory.delete(oldest);
  const entry = { until: now + freshMilliseconds, areas };
  memory.set(key, entry);
  areas.catch(() => {
    if (memory.get(key) === entry) memory.delete(key);
  });
  return areas;
}
