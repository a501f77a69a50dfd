/**
 * Nonces that nobody has to remember: time, random bytes, and a MAC over both. Only the counts of nonces in
 * use are kept, and boundedly.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '@samar/doors';

export interface NonceOptions {
  readonly secret: Buffer;
  /** Goes into the MAC: a nonce of one realm is worth nothing in another. */
  readonly realm: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly lifeSeconds: number;
  /** Nonces whose count is remembered. */
  readonly remembered: number;
}

export interface Nonces {
  create(): string;
  /** `fresh`: ours, and young enough. `foreign`: never ours. */
  look(nonce: string): 'fresh' | 'stale' | 'foreign';
  /**
   * Call only for a request whose digest was right. False: this count, or a later one, was used before
   * (RFC 7616 section 3.3, nc). `count` undefined: a client without qop, whose nonce is good for one request.
   */
  use(nonce: string, count: number | undefined): boolean;
}

const timeBytes = 6;
const randomBytes = 12;
const macBytes = 16;
const plainBytes = timeBytes + randomBytes;

export const createNonces = (options: NonceOptions): Nonces => {
  const { secret, realm, random, clock, lifeSeconds, remembered } = options;
  /** Highest count by nonce, in the order of first use. */
  const counts = new Map<string, number>();
  /** Nonces made at this second or before are over: the count of one of them was dropped. */
  let floor = -1;

  const mac = (plain: Uint8Array): Buffer =>
    createHmac('sha256', secret).update(realm).update('\0').update(plain).digest().subarray(0, macBytes);
  const seconds = (): number => Math.floor(clock.now() / 1000);
  const madeAt = (bytes: Buffer): number => bytes.readUIntBE(0, timeBytes);

  /** Before an entry is dropped its nonce is made unusable, so that dropping never opens a replay. */
  const makeRoom = (): void => {
    for (const nonce of counts.keys()) {
      const made = madeAt(Buffer.from(nonce, 'base64url'));
      const over = made + lifeSeconds < seconds() || made <= floor;
      if (!over && counts.size < remembered) return;
      counts.delete(nonce);
      if (!over) floor = made;
    }
  };

  return {
    create() {
      const plain = Buffer.alloc(plainBytes);
      plain.writeUIntBE(seconds(), 0, timeBytes);
      random.bytes(randomBytes).copy(plain, timeBytes);
      return Buffer.concat([plain, mac(plain)]).toString('base64url');
    },
    look(nonce) {
      const bytes = Buffer.from(nonce, 'base64url');
      // One text only stands for one nonce: decoding is lenient and would give a replay a second name.
      if (bytes.length !== plainBytes + macBytes || bytes.toString('base64url') !== nonce) return 'foreign';
      const plain = bytes.subarray(0, plainBytes);
      if (!timingSafeEqual(mac(plain), bytes.subarray(plainBytes))) return 'foreign';
      const made = madeAt(bytes);
      const now = seconds();
      // A little ahead is a clock that was set back, or that of another node.
      return made <= floor || made > now + lifeSeconds || now > made + lifeSeconds ? 'stale' : 'fresh';
    },
    use(nonce, count) {
      const before = counts.get(nonce);
      if (before === undefined) {
        makeRoom();
        // Room for this one may have been made at its own expense.
        if (madeAt(Buffer.from(nonce, 'base64url')) <= floor) return false;
        counts.set(nonce, count ?? Number.POSITIVE_INFINITY);
        return true;
      }
      if (count === undefined || count <= before) return false;
      counts.set(nonce, count);
      return true;
    },
  };
};
