import { formatNameAddress } from '../message/index.ts';
import { safe } from '../transaction/compose.ts';

const none: ReadonlyMap<string, string> = new Map();

/** From and To as they are written, without a tag. Throws a `TypeError` when the URI would break out of its brackets. */
export function addressText(address: { readonly uri: string; readonly displayName?: string }): string {
  const uri = safe(address.uri, 'an address');
  if (/[<>\s"]/.test(uri)) throw new TypeError('an address that is no URI');
  if (address.displayName === undefined || address.displayName === '') return `<${uri}>`;
  return formatNameAddress({ displayName: address.displayName, uri, parameters: none });
}
