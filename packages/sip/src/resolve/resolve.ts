/**
 * Targets to addresses (RFC 3263): IP literals at once, names by SRV and A/AAAA, cached briefly and within bounds.
 *
 * NAPTR is not asked: trunks name their transport in the contract, and SRV alone already tells host, port and
 * priority. IPv4 addresses are tried before IPv6 ones when a name has both.
 */
import type { Clock, Dns, Random, ServiceRecord } from '@samar/doors';
import type { Hop } from '../transport/hop.ts';
import { defaultPort } from '../transport/reply.ts';
import type { Target, TransportName } from '../types.ts';

/** The door does not tell how long an answer may live; half a minute follows a move of a trunk soon enough. */
const KEEP = 30_000;
/** Names that do not exist and resolvers that do not answer are asked again after this long. */
const KEEP_FAILURE = 5_000;
const NAMES = 1_000;
/** Addresses tried for one request; each may take 64 × T1. */
const HOPS = 4;
/** A hop that failed comes last for this long. */
const AVOID = 30_000;
const AVOIDED = 1_000;

export interface Resolver {
  /** Synchronous when the host is an IP literal: the usual case on the hot path. Empty: nothing is reachable. */
  resolve(target: Target): readonly Hop[] | Promise<readonly Hop[]>;
  /** The hop did not answer: others of its target come before it for a while. */
  avoid(hop: Hop): void;
}

export interface ResolverOptions {
  readonly dns: Dns;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether a transport and address family has a socket of ours. */
  readonly reaches: (transport: TransportName, address: string) => boolean;
}

interface Kept {
  readonly until: number;
  readonly answer: Promise<readonly unknown[]>;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** The address in canonical text without brackets, or undefined for a name. */
export function addressLiteral(host: string): string | undefined {
  if (host.startsWith('[') && host.endsWith(']')) return host.slice(1, -1).toLowerCase();
  if (host.includes(':')) return host.toLowerCase();
  return IPV4.test(host) ? host : undefined;
}

export function createResolver(options: ResolverOptions): Resolver {
  const { dns, clock, random, reaches } = options;
  const kept = new Map<string, Kept>();
  const avoided = new Map<string, number>();

  function ask<T>(key: string, look: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const found = kept.get(key);
    if (found && found.until > clock.monotonic()) return found.answer as Promise<readonly T[]>;
    const keep = (milliseconds: number) => {
      kept.delete(key);
      if (kept.size >= NAMES) kept.delete(kept.keys().next().value as string);
      kept.set(key, { until: clock.monotonic() + milliseconds, answer });
    };
    const answer: Promise<readonly T[]> = look().then(
      (records) => {
        keep(records.length === 0 ? KEEP_FAILURE : KEEP);
        return records;
      },
      () => {
        keep(KEEP_FAILURE);
        return [];
      },
    );
    // While it is under way, everybody waits for the same question.
    keep(KEEP_FAILURE);
    return answer;
  }

  async function addresses(name: string): Promise<readonly string[]> {
    const [four, six] = await Promise.all([
      ask(`a ${name}`, () => dns.a(name)),
      ask(`aaaa ${name}`, () => dns.aaaa(name)),
    ]);
    return [...four, ...six];
  }

  function order(hops: readonly Hop[]): readonly Hop[] {
    const usable = hops.filter((hop) => reaches(hop.transport, hop.address));
    const now = clock.monotonic();
    const late = (hop: Hop) => ((avoided.get(hopKey(hop)) ?? 0) > now ? 1 : 0);
    return usable.sort((left, right) => late(left) - late(right)).slice(0, HOPS);
  }

  async function byService(name: string, transport: TransportName): Promise<readonly Hop[]> {
    const service = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' }[transport];
    const records = await ask(`srv ${service}.${name}`, () => dns.srv(`${service}.${name}`));
    const hops: Hop[] = [];
    for (const record of arrange(records, random)) {
      // A single "." says that the service is decidedly not there (RFC 2782).
      if (record.name === '' || record.name === '.') continue;
      for (const address of await addresses(record.name)) {
        hops.push({ transport, address, port: record.port, serverName: name });
      }
      if (hops.length >= HOPS) break;
    }
    return hops;
  }

  async function byName(target: Target): Promise<readonly Hop[]> {
    const name = target.host.toLowerCase();
    const direct = async (transport: TransportName, port: number) =>
      (await addresses(name)).map((address): Hop => ({ transport, address, port, serverName: name }));
    if (target.port !== undefined) return order(await direct(target.transport ?? 'udp', target.port));
    const transports: readonly TransportName[] = target.transport
      ? [target.transport]
      : ['udp', 'tcp', 'tls'];
    for (const transport of transports) {
      const hops = await byService(name, transport);
      if (hops.length > 0) return order(hops);
    }
    const transport = target.transport ?? 'udp';
    return order(await direct(transport, defaultPort(transport)));
  }

  return {
    resolve(target) {
      const address = addressLiteral(target.host);
      if (address === undefined) return byName(target);
      const transport = target.transport ?? 'udp';
      if (!reaches(transport, address)) return [];
      return [{ transport, address, port: target.port ?? defaultPort(transport) }];
    },
    avoid(hop) {
      const key = hopKey(hop);
      avoided.delete(key);
      if (avoided.size >= AVOIDED) avoided.delete(avoided.keys().next().value as string);
      avoided.set(key, clock.monotonic() + AVOID);
    },
  };
}

function hopKey(hop: Hop): string {
  return `${hop.transport}|${hop.address}|${hop.port}`;
}

/** RFC 2782: lowest priority first; within one priority, drawn by weight. */
export function arrange(records: readonly ServiceRecord[], random: Random): readonly ServiceRecord[] {
  const left = [...records].sort((one, other) => one.priority - other.priority || one.weight - other.weight);
  const arranged: ServiceRecord[] = [];
  while (left.length > 0) {
    const priority = left[0]?.priority;
    let group = 0;
    let total = 0;
    while (left[group]?.priority === priority) total += left[group++]?.weight ?? 0;
    let draw = random.integer(total + 1);
    let chosen = 0;
    while (chosen < group - 1 && draw > (left[chosen]?.weight ?? 0)) draw -= left[chosen++]?.weight ?? 0;
    arranged.push(...left.splice(chosen, 1));
  }
  return arranged;
}
