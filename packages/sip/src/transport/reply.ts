/** Where responses go (RFC 3261 section 18.2.2, RFC 3581 section 4). */
import type { Endpoint } from '@samar/doors';
import type { Via } from '../message/index.ts';
import type { TransportName } from '../types.ts';

/**
 * For a datagram, and for a connection that is gone. `maddr` is not followed: it would let a sender aim our
 * answers at others.
 */
export function replyAddress(via: Via, source: Endpoint, transport: TransportName): Endpoint {
  if (transport === 'udp' && via.rport !== undefined) return source;
  return { address: source.address, port: via.port ?? defaultPort(transport) };
}

/** RFC 3261 section 19.1.2. */
export function defaultPort(transport: TransportName): number {
  return transport === 'tls' ? 5061 : 5060;
}

/** An address as it stands in a header: IPv6 in brackets. */
export function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
