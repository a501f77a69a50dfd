import type { Context } from '../masking/context.ts';
import { unbuilt } from '../masking/unbuilt.ts';
import type { Users } from './service.ts';

/** `publicUrl`: of the console; passkeys are bound to its host (WebAuthn's relying party). */
export function createUsers(_context: Context, _options: { readonly publicUrl: () => string }): Users {
  return unbuilt('users');
}
