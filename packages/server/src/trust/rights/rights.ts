import { unbuilt } from '../../masking/unbuilt.ts';
import type { TrustContext } from '../context.ts';
import type { Custody, Ledger, Rights } from '../service.ts';

export function createRights(
  _context: TrustContext,
  _rooms: { readonly ledger: Ledger; readonly custody: Custody },
): Rights & { start(): Promise<void>; stop(): Promise<void> } {
  return unbuilt('rights');
}
