import { invalid } from '../context.ts';

/** Throws `MaskingError` (invalid). */
export function checkPoolName(pool: string, pointer: string): void {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/i.test(pool)) {
    throw invalid('A pool name has up to 63 letters, digits, hyphens and underscores.', pointer);
  }
}
