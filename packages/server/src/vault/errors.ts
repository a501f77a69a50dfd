/** The key that would open this is gone for good: the party was erased. */
export class KeyDestroyed extends Error {
  override readonly name = 'KeyDestroyed';
}

/** Not what was sealed, not where it was sealed, or not with this key. */
export class Tampered extends Error {
  override readonly name = 'Tampered';
}

/**
 * Made with a tenant key that this process has not heard of yet: another node rotated keys a moment ago. The next
 * `unlock` reads them again; call it and try once more.
 */
export class UnknownKeyVersion extends Error {
  override readonly name = 'UnknownKeyVersion';
}

/** The master key we were given does not open this database's tenant keys. */
export class WrongMasterKey extends Error {
  override readonly name = 'WrongMasterKey';
}

/** The master key cannot be read or is not one; the message says what to do. */
export class MasterKeyProblem extends Error {
  override readonly name = 'MasterKeyProblem';
}

export class UnknownTenant extends Error {
  override readonly name = 'UnknownTenant';
}
