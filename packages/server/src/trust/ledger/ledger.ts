import { unbuilt } from '../../masking/unbuilt.ts';
import type { TrustContext } from '../context.ts';
import type { Ledger } from '../service.ts';

export function createLedger(
  _context: TrustContext,
): Ledger & { start(): Promise<void>; stop(): Promise<void> } {
  return unbuilt('ledger');
}
