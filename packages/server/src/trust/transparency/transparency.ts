import { unbuilt } from '../../masking/unbuilt.ts';
import type { TrustContext } from '../context.ts';
import type { Disputes, Ledger, Rights, Transparency } from '../service.ts';

export function createTransparency(
  _context: TrustContext,
  _rooms: { readonly ledger: Ledger; readonly disputes: Disputes; readonly rights: Rights },
): Transparency & { start(): Promise<void>; stop(): Promise<void> } {
  return unbuilt('transparency');
}
