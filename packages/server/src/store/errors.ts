/**
 * What goes wrong with the database, typed by what a caller can do about it. None of these carries a value that was
 * sent to the database: PostgreSQL's own messages and details quote them (`Key (e164)=(…) already exists`).
 */

/** A statement was refused. `code` is the SQLSTATE; `constraint`, `table` and `column` are names from our schema. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: string;
  readonly statement: string;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;

  constructor(error: {
    readonly code: string;
    readonly statement: string;
    readonly constraint?: string | undefined;
    readonly table?: string | undefined;
    readonly column?: string | undefined;
    /** Only words that cannot hold a value. */
    readonly words?: string | undefined;
  }) {
    const where = error.constraint === undefined ? '' : `, constraint ${error.constraint}`;
    super(
      `statement ${error.statement || '(unnamed)'} was refused with SQLSTATE ${error.code}${where}${error.words === undefined ? '' : `: ${error.words}`}`,
    );
    this.code = error.code;
    this.statement = error.statement;
    this.constraint = error.constraint;
    this.table = error.table;
    this.column = error.column;
  }
}

/**
 * closed      `close()` was called
 * queue-full  as many callers wait for a connection as are allowed to
 * timeout     no connection came free, or could be made, in time
 * rejected    the server does not want us: wrong password, no such database, TLS refused
 * lost        the connection broke while the statement was under way
 */
export type UnavailableReason = 'closed' | 'queue-full' | 'timeout' | 'rejected' | 'lost';

/** The database cannot be reached, or not now. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  readonly reason: UnavailableReason;
  /** True when the statement was sent and may have taken effect: only then a retry can do it twice. */
  readonly maybeDone: boolean;

  constructor(reason: UnavailableReason, words: string, maybeDone = false) {
    super(words);
    this.reason = reason;
    this.maybeDone = maybeDone;
  }
}

/** What kept the embedded server from starting. */
export type EmbeddedFailure =
  | 'locked'
  | 'disk-full'
  | 'permission'
  | 'no-account'
  | 'no-binaries'
  | 'version-mismatch'
  | 'damaged'
  | 'start-failed';

/** The embedded PostgreSQL cannot run here; the message says what to do. */
export class EmbeddedServerError extends Error {
  override readonly name = 'EmbeddedServerError';
  readonly kind: EmbeddedFailure;

  constructor(kind: EmbeddedFailure, words: string) {
    super(words);
    this.kind = kind;
  }
}

/**
 * changed  a migration that was applied is not the file we have
 * unknown  the database knows a migration that we don't: it belongs to a newer version
 * missing  a number is missing or used twice among our own files
 * failed   a migration was refused by the database; nothing of it remains
 */
export type MigrationFailure = 'changed' | 'unknown' | 'missing' | 'failed';

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly kind: MigrationFailure;

  constructor(kind: MigrationFailure, words: string) {
    super(words);
    this.kind = kind;
  }
}
