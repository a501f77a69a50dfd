/**
 * Whether a chain is what it was, entry by entry, without a database: each entry is chained to the one before it when
 * it is sealed (see `store/queries/ledger.ts`), the end of the chain is kept apart (the head), and the ends of days are
 * signed (roots). So an entry that was changed, removed or moved is found by the chain, one that was cut off or
 * appended by the head, and a chain that was written anew as a whole by a root.
 */
import { chainDigest, emptyChain, type LedgerHead, type SealedEntry } from '../../store/queries/ledger.ts';
import type { LedgerCheck } from '../service.ts';

export type Fault = Extract<LedgerCheck, { readonly ok: false }>;

/** What a root says of the chain. Only those whose signature is genuine. */
export interface Witness {
  readonly sequence: number;
  readonly digest: Buffer;
}

export interface ChainCheck {
  /** The entries that come next, in the order of `sequence`. Answers the first fault. */
  read(entries: readonly SealedEntry[]): Fault | undefined;
  /** After the last entry; `head`: as it was read after that. */
  end(head: LedgerHead): Fault | undefined;
  /** The last entry that was read and found genuine. */
  last(): LedgerHead;
}

/**
 * `head`: as it was read before the first entry; what is sealed while we read stands behind it. `from`: the entry after
 * which to begin, when everything up to it is known to be genuine.
 */
export function createChainCheck(
  head: LedgerHead,
  witnesses: readonly Witness[] = [],
  from: LedgerHead = emptyChain,
): ChainCheck {
  let last = from;
  const digests = new Map<number, Buffer[]>();
  let furthest = 0;
  for (const { sequence, digest } of witnesses) {
    digests.set(sequence, [...(digests.get(sequence) ?? []), digest]);
    furthest = Math.max(furthest, sequence);
  }

  function check(entry: SealedEntry): Fault | undefined {
    const sequence = Number(entry.sequence);
    if (sequence !== last.sequence + 1) return fault('removed', last.sequence + 1);
    if (!chainDigest(entry.previous, entry).equals(entry.digest))
      return fault('changed', sequence, entry.entry);
    if (!entry.previous.equals(last.digest)) return fault('moved', sequence, entry.entry);
    if (sequence === head.sequence && !entry.digest.equals(head.digest)) {
      return fault('changed', sequence, entry.entry);
    }
    if (digests.get(sequence)?.some((digest) => !digest.equals(entry.digest)) === true) {
      return fault('root-mismatch', sequence, entry.entry);
    }
    last = { sequence, digest: entry.digest };
    return undefined;
  }

  return {
    last: () => last,
    read(entries) {
      for (const entry of entries) {
        const found = check(entry);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    end(now) {
      const known = Math.max(head.sequence, furthest);
      if (last.sequence < known) return fault('removed', last.sequence + 1);
      // Nobody but the sealer moves the head: what stands behind it was put there by somebody else.
      if (last.sequence > now.sequence) return fault('moved', now.sequence + 1);
      return undefined;
    },
  };
}

function fault(kind: Fault['fault'], sequence: number, entry?: string): Fault {
  return { ok: false, fault: kind, sequence, ...(entry === undefined ? {} : { entry }) };
}
