import type { Endpoint } from '@samar/doors';
import { trimSpace } from './chars.ts';
import { formatParameter } from './parameters.ts';
import type { Via } from './via.ts';

/**
 * A Via value, as parsed and as text, with where its request really came from: `received` when that differs
 * from sent-by or rport was asked for, and `rport` (RFC 3261 section 18.2.1, RFC 3581 section 4). What the
 * sender wrote there itself is replaced. For the topmost Via of a response.
 */
export const markedVia = (text: string, via: Via, source: Endpoint): string => {
  const differs = via.host !== source.address.toLowerCase();
  if (!differs && via.rport === undefined && via.received === undefined) return text;
  const semicolon = text.indexOf(';');
  let marked = trimSpace(semicolon < 0 ? text : text.substring(0, semicolon));
  // Rebuilt from what was parsed: editing the text would be fooled by a quoted `;received=`.
  for (const [name, value] of via.parameters) {
    if (name === 'rport') marked += `;rport=${source.port}`;
    else if (name !== 'received') marked += formatParameter(name, value);
  }
  return differs || via.rport !== undefined ? `${marked};received=${source.address}` : marked;
};
