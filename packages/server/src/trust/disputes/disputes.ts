import { unbuilt } from '../../masking/unbuilt.ts';
import type { TrustContext } from '../context.ts';
import type { Custody, Disputes, Ledger } from '../service.ts';

export function createDisputes(
  _context: TrustContext,
  _rooms: { readonly ledger: Ledger; readonly custody: Custody },
): Disputes & { start(): Promise<void>; stop(): Promise<void> } {
  return unbuilt('disputes');
}
