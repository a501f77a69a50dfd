import { unbuilt } from '../../masking/unbuilt.ts';
import type { TrustContext } from '../context.ts';
import type { Custody } from '../service.ts';

export function createCustody(
  _context: TrustContext,
): Custody & { start(): Promise<void>; stop(): Promise<void> } {
  return unbuilt('custody');
}
