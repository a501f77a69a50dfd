/**
 * Identifiers that name nobody: fresh random values, the same shape on every leg of every call.
 * Nothing about the host, the time, the peer or another leg can be read from them.
 */
import type { Random } from '@samar/doors';

/** The magic cookie of RFC 3261 section 8.1.1.7. */
export const BRANCH_COOKIE = 'z9hG4bK';
/** Drawn from the door at once: a system call per identifier would cost more than a whole message. */
const POOL_BYTES = 4096;

export interface Identifiers {
  /** 128 bits, no host (RFC 3261 section 8.1.1.4 leaves the form open). */
  callId(): string;
  /** 64 bits; RFC 3261 section 19.3 asks for at least 32. */
  tag(): string;
  /** 96 bits after the cookie. */
  branch(): string;
  /** 48 bits: the user part of a Contact. */
  token(): string;
  /** A first sequence number in [1, 2^20]; RFC 3261 section 8.1.1.5 asks for less than 2^31. */
  sequence(): number;
}

export function createIdentifiers(random: Random): Identifiers {
  let pool: Buffer = Buffer.alloc(0);
  let used = 0;
  function hex(bytes: number): string {
    if (used + bytes > pool.length) {
      pool = random.bytes(POOL_BYTES);
      used = 0;
    }
    const text = pool.toString('hex', used, used + bytes);
    pool.fill(0, used, used + bytes);
    used += bytes;
    return text;
  }
  return {
    callId: () => hex(16),
    tag: () => hex(8),
    branch: () => BRANCH_COOKIE + hex(12),
    token: () => hex(6),
    sequence: () => (Number.parseInt(hex(3), 16) & 0xfffff) + 1,
  };
}
