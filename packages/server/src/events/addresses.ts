/** What the names in tenants' URLs stand for, at the moment of connecting. */
import type { Doors } from '@samar/doors';
import type { WebhookTarget } from './webhook-url.ts';

export type LookupDoors = Pick<Doors, 'timers'> & { readonly network: Pick<Doors['network'], 'dns'> };

/** RFC 8305, section 3, says 50: how long IPv6 addresses are waited for when IPv4 ones are there. */
const secondFamilyMilliseconds = 50;
const mostAddresses = 16;

/**
 * By DNS itself, not by `getaddrinfo`: that one holds one of the process's few worker threads for as long as a name's
 * servers are silent, and a handful of dead names would stop files and keys for every call. (/etc/hosts is therefore
 * not read.) One name is asked for once at a time, whoever waits for it. A look-up outlives its question when nobody
 * answers, so look-ups have the same bounds of their own.
 */
export function createLookups(
  doors: LookupDoors,
  most: { readonly tenant: number; readonly all: number },
): (tenant: string, target: WebhookTarget) => Promise<readonly string[] | 'busy'> {
  const { dns } = doors.network;
  const lookups = new Map<string, { readonly tenant: string; readonly found: Promise<readonly string[]> }>();

  return async (tenant, { host, isAddress }) => {
    if (isAddress) return [host];
    const known = lookups.get(host);
    if (known !== undefined) return known.found;
    const mine = [...lookups.values()].filter((one) => one.tenant === tenant).length;
    if (lookups.size >= most.all || mine >= most.tenant) return 'busy';
    const families = [dns.a(host), dns.aaaa(host)].map((family) => family.catch(() => []));
    const found = resolve(families);
    lookups.set(host, { tenant, found });
    // Only when both are there: until then the name is being asked for.
    void Promise.all(families).finally(() => lookups.delete(host));
    return found;
  };

  /** Both families, or one with addresses when the other lets wait. */
  async function resolve(families: readonly Promise<readonly string[]>[]): Promise<readonly string[]> {
    const found: (readonly string[])[] = [];
    const each = families.map(async (family, index) => {
      const addresses = await family;
      found[index] = addresses;
      return addresses;
    });
    const first = await Promise.race(each);
    const both = Promise.all(each);
    await (first.length === 0
      ? both
      : Promise.race([
          both,
          new Promise<void>((done) => doors.timers.after(secondFamilyMilliseconds, done)),
        ]));
    return found.flat().slice(0, mostAddresses);
  }
}
