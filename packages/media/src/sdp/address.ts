import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** Old-style hold (RFC 3264 section 8.4): the peer wants nothing sent. */
const HOLD_ADDRESS = '0.0.0.0';

function usableIPv4(address: string): boolean {
  const first = Number(address.slice(0, address.indexOf('.')));
  // 0/8 is "this network", 224/4 multicast, 240/4 reserved, with 255.255.255.255 as its end.
  return first !== 0 && first < 224;
}

function usableIPv6(canonical: string): boolean {
  // Multicast; unspecified; IPv4 in disguise, which would pass an allow-list written for IPv6.
  return !/^ff/.test(canonical) && canonical !== '::' && !canonical.startsWith('::ffff:');
}

/**
 * Canonical text of the IP literal of a `c=` line; undefined for anything RTP can't be sent to: a host name,
 * multicast, broadcast, unspecified, a zone. `0.0.0.0` passes, as hold.
 */
export function connectionAddress(type: string, text: string): string | undefined {
  if (type === 'IP4') {
    if (!isIPv4(text)) return undefined;
    return text === HOLD_ADDRESS || usableIPv4(text) ? text : undefined;
  }
  if (type !== 'IP6' || !isIPv6(text) || text.includes('%')) return undefined;
  const canonical = new SocketAddress({ address: text, family: 'ipv6' }).address;
  return usableIPv6(canonical) ? canonical : undefined;
}
