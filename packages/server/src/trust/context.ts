import type { Context } from '../masking/context.ts';
import type { Masking } from '../masking/service.ts';
import type { ObjectStore } from './custody/object-store.ts';
import type { Signer } from './signing.ts';

/** What every room of trust stands on. */
export interface TrustContext extends Context {
  readonly masking: Masking;
  readonly signer: Signer;
  /** Directory below which the recordings' files are, while they are on this machine. */
  readonly recordings: string;
  /** Directory for copies of the ledgers' roots outside the database; undefined: none are kept. */
  readonly anchors?: string;
  /** Where they are kept once they are finished; absent: on this machine. */
  readonly objects?: ObjectStore;
  /** Of files that were fetched from there to be listened to. Default 1 GiB. */
  readonly cacheBytes?: number;
  /** Background work that failed; it is tried again by itself. */
  readonly report: (task: string, error: unknown) => void;
}
