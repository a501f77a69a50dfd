import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Clock, Dns, Endpoint } from '@samar/doors';
import type { Trunk } from '../masking/service.ts';

/** The carriers as the switch needs them: by source address and by id. Replaced as a whole, never changed. */
export interface TrunkTable {
  /** Asked for every datagram before anything is parsed. */
  admits(source: Endpoint): boolean;
  /** Trunks that may send from this address. */
  from(address: string): readonly Trunk[];
  find(tenant: string, carrier: string): Trunk | undefined;
}

/** Addresses of a host name or literal; empty when the name can't be resolved now. */
export type HostAddresses = (host: string) => Promise<readonly string[]>;

/** Answers of `from` that are kept; past it the memory is emptied. Strangers' addresses come and go. */
const remembered = 4_096;

export async function trunkTable(trunks: readonly Trunk[], addressesOf: HostAddresses): Promise<TrunkTable> {
  const entries = await Promise.all(
    trunks
      .filter((trunk) => trunk.enabled)
      .map(async (trunk) => {
        const own = await addressesOf(trunk.host);
        // Without a list of its own, a trunk calls from where it is called.
        const allowed = trunk.allowedSources.length > 0 ? trunk.allowedSources : own;
        return { trunk, sources: sourceList(allowed), host: sourceList(own) };
      }),
  );
  const byId = new Map(trunks.map((trunk) => [`${trunk.tenant}/${trunk.id}`, trunk]));
  const memory = new Map<string, { readonly admitted: boolean; readonly from: readonly Trunk[] }>();

  function look(address: string): { readonly admitted: boolean; readonly from: readonly Trunk[] } {
    let found = memory.get(address);
    if (!found) {
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      const from = entries
        .filter((entry) => entry.sources.check(address, family))
        .map((entry) => entry.trunk);
      // The host's own answers to our calls are let in even where its calls are not.
      const admitted = from.length > 0 || entries.some((entry) => entry.host.check(address, family));
      found = { admitted, from };
      if (memory.size >= remembered) memory.clear();
      memory.set(address, found);
    }
    return found;
  }

  return {
    admits: (source) => look(source.address).admitted,
    from: (address) => look(address).from,
    find: (tenant, carrier) => byId.get(`${tenant}/${carrier}`),
  };
}

/** Names that are remembered, and for how long (milliseconds). A name that fails is asked again at the next look. */
const names = 1_024;
const nameLife = 60_000;

/** A and AAAA through the doors, remembered for a minute; the last good answer stands in while the DNS is away. */
export function hostAddresses(dns: Dns, clock: Pick<Clock, 'monotonic'>): HostAddresses {
  const known = new Map<string, { readonly addresses: readonly string[]; readonly until: number }>();
  return async (named) => {
    const host = named.replace(/^\[|\]$/g, '');
    if (isIP(host)) return [host];
    const before = known.get(host);
    if (before && before.until > clock.monotonic()) return before.addresses;
    const nothing = (): readonly string[] => [];
    const [v4, v6] = await Promise.all([dns.a(host).catch(nothing), dns.aaaa(host).catch(nothing)]);
    const addresses = [...v4, ...v6];
    if (addresses.length === 0) return before?.addresses ?? [];
    if (known.size >= names) known.clear();
    known.set(host, { addresses, until: clock.monotonic() + nameLife });
    return addresses;
  };
}

function sourceList(sources: readonly string[]): BlockList {
  const list = new BlockList();
  for (const source of sources) {
    const [network = '', prefix] = source.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    if (!isIP(network)) continue;
    if (prefix === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
