/** Via (RFC 3261 section 20.42, received and rport of RFC 3581, IPv6 of RFC 5118). */
import { isToken, readNumber, skipSpace } from './chars.ts';
import { type HostPort, parseHostPort } from './host.ts';
import { parseParameters } from './parameters.ts';

export interface Via extends HostPort {
  /** In upper case: `UDP`, `TCP`, `TLS`, or what a peer invents. */
  readonly transport: string;
  /** Empty when absent (RFC 2543 peers). */
  readonly branch: string;
  /** An address, without brackets. */
  readonly received: string | undefined;
  /** `true`: asked for and not yet filled in. */
  readonly rport: number | true | undefined;
  readonly maddr: string | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

/** One Via value. Undefined when malformed or not SIP/2.0. */
export const parseVia = (text: string): Via | undefined => {
  const transportAt = afterProtocol(text);
  if (transportAt < 0) return undefined;
  let transportEnd = transportAt;
  while (transportEnd < text.length && text.charCodeAt(transportEnd) > 32) transportEnd++;
  if (!isToken(text, transportAt, transportEnd)) return undefined;

  const hostAt = skipSpace(text, transportEnd);
  const semicolon = text.indexOf(';', hostAt);
  let hostEnd = semicolon < 0 ? text.length : semicolon;
  while (hostEnd > hostAt && text.charCodeAt(hostEnd - 1) <= 32) hostEnd--;
  const sentBy = parseHostPort(text, hostAt, hostEnd, true);
  if (sentBy === undefined) return undefined;

  const parameters = parseParameters(text, semicolon < 0 ? text.length : semicolon);
  if (parameters === undefined) return undefined;
  const rport = parameters.get('rport');
  const rportNumber =
    rport === undefined || rport === '' ? undefined : readNumber(rport, 0, rport.length, 65_535);
  if (rportNumber !== undefined && rportNumber < 1) return undefined;
  return {
    transport: text.substring(transportAt, transportEnd).toUpperCase(),
    host: sentBy.host,
    port: sentBy.port,
    branch: parameters.get('branch') ?? '',
    received: parameters.get('received')?.replace(/^\[|\]$/g, ''),
    rport: rport === '' ? true : rportNumber,
    maddr: parameters.get('maddr'),
    parameters,
  };
};

/** The index of the transport after `SIP / 2.0 /`, or -1. */
const afterProtocol = (text: string): number => {
  if (text.startsWith('SIP/2.0/')) return skipSpace(text, 8);
  const match = /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*/i.exec(text);
  return match === null ? -1 : match[0].length;
};
