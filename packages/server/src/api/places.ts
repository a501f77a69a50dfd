/**
 * Places that are held for long (a stream, a recording that is heard) and of which there are few: one tenant gets most
 * of them at the most, and one person or key of it less, so that nobody keeps everybody else out.
 */
import type { Principal } from '../masking/service.ts';
import { Problem } from './problem.ts';

export interface Places {
  /** Takes one; call what is answered to give it back, once or more. Throws `unavailable`. */
  take(principal: Principal): () => void;
}

export function createPlaces(
  most: { readonly all: number; readonly tenant: number; readonly actor: number },
  detail: string,
): Places {
  const taken = new Map<string, number>();
  return {
    take({ tenant, actor }) {
      const shares = [
        ['', most.all],
        [tenant, most.tenant],
        [`${tenant} ${actor}`, most.actor],
      ] as const;
      if (shares.some(([name, limit]) => (taken.get(name) ?? 0) >= limit)) {
        throw new Problem('unavailable', detail, { retryAfterSeconds: 5 });
      }
      for (const [name] of shares) taken.set(name, (taken.get(name) ?? 0) + 1);
      let given = false;
      return () => {
        if (given) return;
        given = true;
        for (const [name] of shares) {
          const left = (taken.get(name) ?? 1) - 1;
          if (left === 0) taken.delete(name);
          else taken.set(name, left);
        }
      };
    },
  };
}
