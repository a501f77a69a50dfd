import type { SipRequest } from '../types.ts';
import { trimSpace } from './chars.ts';
import { HeaderLines } from './headers.ts';
import { formatParameter } from './parameters.ts';
import { parseVia } from './via.ts';

/**
 * Writes into the topmost Via where the request really came from: `received` when it differs from sent-by
 * or rport was asked for, and `rport` (RFC 3261 section 18.2.1, RFC 3581 section 4). What the sender wrote
 * there itself is replaced. Call it once, before a transaction is made.
 */
export const markReceived = (request: SipRequest, address: string, port: number): void => {
  const headers = request.headers;
  const text = headers.get('via');
  const via = text === undefined ? undefined : parseVia(text);
  if (text === undefined || via === undefined || !(headers instanceof HeaderLines)) return;
  const differs = via.host !== address.toLowerCase();
  if (!differs && via.rport === undefined && via.received === undefined) return;
  const semicolon = text.indexOf(';');
  let marked = trimSpace(semicolon < 0 ? text : text.substring(0, semicolon));
  for (const [name, value] of via.parameters) {
    if (name === 'rport') marked += `;rport=${port}`;
    else if (name !== 'received') marked += formatParameter(name, value);
  }
  if (differs || via.rport !== undefined) marked += `;received=${address}`;
  headers.setFirst('Via', marked);
};
