import { isIPv4, isIPv6 } from 'node:net';
import { isDigit, isHostText, readNumber, skipSpace } from './chars.ts';

export interface HostPort {
  /** In lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * `host[:port]` between two indexes, with white space around the colon where `spaces` is allowed (Via's
 * sent-by). Undefined when it is neither a name nor an address, or the port is not 1 to 65,535.
 */
export const parseHostPort = (
  text: string,
  start: number,
  end: number,
  spaces = false,
): HostPort | undefined => {
  let hostEnd: number;
  let host: string;
  if (text.charCodeAt(start) === 91) {
    const close = text.indexOf(']', start);
    if (close < 0 || close >= end) return undefined;
    host = withoutThirdColon(text.substring(start + 1, close).toLowerCase());
    if (host.includes('%') || !isIPv6(host)) return undefined;
    hostEnd = close + 1;
  } else {
    hostEnd = start;
    while (hostEnd < end) {
      const code = text.charCodeAt(hostEnd);
      if (code === 58 || code === 32 || code === 9) break;
      hostEnd++;
    }
    host = text.substring(start, hostEnd).toLowerCase();
    if (!isHost(host)) return undefined;
  }
  if (hostEnd === end) return { host, port: undefined };
  let at = spaces ? skipSpace(text, hostEnd) : hostEnd;
  if (text.charCodeAt(at) !== 58) return undefined;
  at = spaces ? skipSpace(text, at + 1) : at + 1;
  const port = readNumber(text, at, end, 65_535);
  return port < 1 ? undefined : { host, port };
};

/**
 * RFC 3261's grammar, read to the letter, writes `:::` before an embedded IPv4 address; RFC 5118 section 4.10
 * wants it taken as `::`. Nowhere else.
 */
const withoutThirdColon = (host: string): string =>
  host.includes(':::') ? host.replace(/:::(?=\d+\.\d+\.\d+\.\d+$)/, '::') : host;

/** A host name or IPv4 address (RFC 3261 section 25.1). A name that ends in a numeric label is neither. */
const isHost = (host: string): boolean => {
  if (host.length > 255 || !isHostText(host)) return false;
  const end = host.endsWith('.') ? host.length - 1 : host.length;
  const first = host.charCodeAt(host.lastIndexOf('.', end - 1) + 1);
  if (isDigit(first)) return isIPv4(host);
  let labelStart = 0;
  for (let at = 0; at <= end; at++) {
    if (at < end && host.charCodeAt(at) !== 46) continue;
    if (at === labelStart || at - labelStart > 63) return false;
    if (host.charCodeAt(labelStart) === 45 || host.charCodeAt(at - 1) === 45) return false;
    labelStart = at + 1;
  }
  return true;
};

/** An IPv6 address gets its brackets back. */
const formatHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export const formatHostPort = (host: string, port: number | undefined): string =>
  port === undefined ? formatHost(host) : `${formatHost(host)}:${port}`;
