/**
 * vault: keys, field encryption, fingerprints. Master key (outside the database) → tenant keys → party keys → fields.
 *
 * May import: store, doors. Imported by: masking, trust, cli.
 */
export {
  KeyDestroyed,
  MasterKeyProblem,
  Tampered,
  UnknownTenant,
  WrongMasterKey,
} from './errors.ts';
export { destroyPartyKey, type RotationProgress, rotateKeys } from './rotate.ts';
export type * from './types.ts';
export { createVault, type OpenVault } from './vault.ts';
