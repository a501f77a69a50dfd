/**
 * Where a tenant may make us connect to: the public internet by https, and the networks that the operator has named
 * (SAMAR_WEBHOOK_ALLOW). Asked twice: of the URL as it is written, and of every address that its name stands for at
 * the moment of connecting, so that a name which changes its mind in between gains nothing.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type AddressKind = 'public' | 'allowed' | 'refused';

export interface WebhookRules {
  /** What an IP address in text is to us; whatever is no address is `refused`. */
  kindOf(address: string): AddressKind;
  /** Whether the operator has named any network: only then http, other ports and bare names make sense. */
  readonly onPremises: boolean;
}

export interface WebhookTarget {
  readonly url: URL;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isAddress: boolean;
}

const longest = 2_048;
const publicPorts: ReadonlySet<number> = new Set([443, 8_443]);
/** RFC 4291, section 2.4: all of today's global unicast. Everything that embeds or stands in for IPv4 lies outside. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** `allow`: networks in CIDR, or addresses. Throws an Error whose message completes "NAME …" for anything else. */
export function webhookRules(allow: readonly string[] = []): WebhookRules {
  const networks = allow.map(readNetwork);
  return {
    onPremises: networks.length > 0,
    kindOf(text) {
      // A zone (`fe80::1%eth0`) names an interface of this machine.
      if (isIP(text) === 0 || text.includes('%')) return 'refused';
      const address = ipaddr.process(text);
      if (networks.some((network) => contains(network, address))) return 'allowed';
      return isPublic(address) ? 'public' : 'refused';
    },
  };
}

const publicOnly = webhookRules();

/** Why a program must not be saved with this URL, as a sentence; undefined: it may be. */
export function checkWebhookUrl(url: string, rules: WebhookRules = publicOnly): string | undefined {
  const read = readWebhookUrl(url, rules);
  return 'problem' in read ? read.problem : undefined;
}

export function readWebhookUrl(
  text: string,
  rules: WebhookRules,
): WebhookTarget | { readonly problem: string } {
  if (text.length > longest)
    return { problem: `The URL has at most ${longest.toLocaleString('en')} characters.` };
  // The parser below would drop some of these silently: what is shown must be what is asked.
  if (/[\s\p{Cc}\\]/u.test(text))
    return { problem: 'The URL has no spaces, backslashes or control characters.' };
  const url = URL.parse(text);
  if (url === null) return { problem: 'This is not a URL.' };
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.onPremises)) {
    return { problem: 'The URL begins with https://.' };
  }
  if (url.username !== '' || url.password !== '')
    return { problem: 'The URL holds no user name or password.' };
  if (url.hash !== '') return { problem: 'The URL has no fragment.' };
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const target: WebhookTarget = { url, host, port, isAddress: isIP(host) !== 0 };
  if (target.isAddress ? rules.kindOf(host) === 'refused' : !isUsableName(host, rules)) {
    return { problem: 'The URL leads to a host of the public internet.' };
  }
  // What a name stands for is not known yet: with networks of the operator's own, it is left to the connection.
  const perhapsAllowed = target.isAddress ? rules.kindOf(host) === 'allowed' : rules.onPremises;
  if (!perhapsAllowed && !isPublicTarget(target)) return { problem: 'The port is 443 or 8443.' };
  return target;
}

/** True when these are addresses that this URL may be asked at. Every single one must be. */
export function admits(rules: WebhookRules, target: WebhookTarget, addresses: readonly string[]): boolean {
  if (addresses.length === 0) return false;
  return addresses.every((address) => {
    const kind = rules.kindOf(address);
    switch (kind) {
      case 'allowed':
        return true;
      case 'public':
        return isPublicTarget(target);
      case 'refused':
        return false;
      default:
        kind satisfies never;
        return false;
    }
  });
}

function isPublicTarget({ url, port }: WebhookTarget): boolean {
  return url.protocol === 'https:' && publicPorts.has(port);
}

/** An early word to whoever writes a program; the connection is what decides. */
function isUsableName(host: string, rules: WebhookRules): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  if (host.length > 253 || labels.some((label) => !/^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)))
    return false;
  if (rules.onPremises) return true;
  const top = labels.at(-1) ?? '';
  // RFC 6761 and 6762, and the name that was set aside for networks of one's own.
  return (
    labels.length > 1 &&
    !['localhost', 'local', 'internal', 'invalid', 'test', 'example', 'onion', 'arpa'].includes(top)
  );
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv4') return true;
  const { parts } = address as ipaddr.IPv6;
  // RFC 5214: an interface identifier that holds an IPv4 address, private ones too.
  const isatap = ((parts[4] ?? 0) & 0xfdff) === 0 && parts[5] === 0x5efe;
  return !isatap && address.match(globalUnicast);
}

function contains([network, bits]: Network, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match([network, bits] as [ipaddr.IPv4, number]);
}

type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

function readNetwork(text: string): Network {
  const [address = '', bits, ...rest] = text.split('/');
  const parsed = isIP(address) !== 0 && !address.includes('%') ? ipaddr.process(address) : undefined;
  const most = parsed?.kind() === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? most : Number(bits);
  if (
    parsed === undefined ||
    rest.length > 0 ||
    (bits !== undefined && !/^\d{1,3}$/.test(bits)) ||
    length > most ||
    // `::ffff:10.0.0.0/104` would be an IPv4 network of 104 bits.
    (isIP(address) === 6 && parsed.kind() === 'ipv4' && bits !== undefined)
  ) {
    throw new Error('must be IP addresses or networks such as 10.0.0.0/8');
  }
  return [parsed, length];
}
