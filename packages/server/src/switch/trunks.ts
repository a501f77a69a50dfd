import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Dns, Endpoint } from '@samar/doors';
import type { Trunk } from '../masking/service.ts';

/** The carriers as the switch needs them: by source address and by id. Replaced as a whole, never changed. */
export interface TrunkTable {
  /** Asked for every datagram before anything is parsed. */
  admits(source: Endpoint): boolean;
  /** Trunks that may send from this address. */
  from(address: string): readonly Trunk[];
  find(tenant: string, carrier: string): Trunk | undefined;
}

/** Answers of `from` that are kept; past it the memory is emptied. Strangers' addresses come and go. */
const remembered = 4_096;

/** Host names without `allowedSources` are resolved here, so that their calls are let in. */
export async function trunkTable(trunks: readonly Trunk[], dns: Dns): Promise<TrunkTable> {
  const entries = await Promise.all(
    trunks
      .filter((trunk) => trunk.enabled)
      .map(async (trunk) => ({ trunk, sources: sourceList(await sourcesOf(trunk, dns)) })),
  );
  const byId = new Map(trunks.map((trunk) => [`${trunk.tenant}/${trunk.id}`, trunk]));
  const memory = new Map<string, readonly Trunk[]>();

  function from(address: string): readonly Trunk[] {
    let found = memory.get(address);
    if (!found) {
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      found = entries.filter((entry) => entry.sources.check(address, family)).map((entry) => entry.trunk);
      if (memory.size >= remembered) memory.clear();
      memory.set(address, found);
    }
    return found;
  }

  return {
    admits: (source) => from(source.address).length > 0,
    from,
    find: (tenant, carrier) => byId.get(`${tenant}/${carrier}`),
  };
}

async function sourcesOf(trunk: Trunk, dns: Dns): Promise<readonly string[]> {
  if (trunk.allowedSources.length > 0) return trunk.allowedSources;
  const host = trunk.host.replace(/^\[|\]$/g, '');
  if (isIP(host)) return [host];
  const nothing = (): readonly string[] => [];
  const [v4, v6] = await Promise.all([dns.a(host).catch(nothing), dns.aaaa(host).catch(nothing)]);
  return [...v4, ...v6];
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
