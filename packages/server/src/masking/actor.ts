/**
 * Who acts: what the ledger names for everything that is done while a piece of work runs. It follows the work like a
 * trace does (AsyncLocalStorage), so that no function of the heart can forget to hand it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const actors = new AsyncLocalStorage<string>();

/** `key_…`, `usr_…`, `par_…` (a participant on their page), `admin`, or a part of the platform such as `switch`. */
export function actAs<T>(actor: string, work: () => T): T {
  return actors.run(actor, work);
}

/** Outside of any: the platform itself (`platform`). */
export function currentActor(): string {
  return actors.getStore() ?? 'platform';
}
