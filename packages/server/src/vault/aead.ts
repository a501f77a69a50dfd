import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Random } from '@samar/doors';
import { Tampered } from './errors.ts';

/**
 * AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces, and the two derivations everything else is made of.
 *
 * box: header | nonce (12) | ciphertext | tag (16). The header is the caller's and is authenticated too.
 */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;

export function box(
  key: KeyObject,
  random: Random,
  header: Buffer,
  plain: Buffer | string,
  additional: string,
): Buffer {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(header, additional));
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
  // GCM is a stream: `final` adds no bytes.
  cipher.final();
  return Buffer.concat([header, nonce, body, cipher.getAuthTag()]);
}

/** Throws `Tampered`. */
export function unbox(key: KeyObject, headerBytes: number, sealed: Buffer, additional: string): Buffer {
  const bodyAt = headerBytes + NONCE_BYTES;
  const tagAt = sealed.length - TAG_BYTES;
  if (tagAt < bodyAt) throw new Tampered('a ciphertext is too short');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(headerBytes, bodyAt), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalData(sealed.subarray(0, headerBytes), additional));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(bodyAt, tagAt));
  try {
    decipher.final();
  } catch {
    plain.fill(0);
    throw new Tampered('a ciphertext was changed, moved, or made with another key');
  }
  return plain;
}

function additionalData(header: Buffer, additional: string): Buffer {
  return Buffer.concat([header, Buffer.from(additional, 'utf8')]);
}

/** Joins texts so that no two different lists give the same result: each is preceded by its length in bytes. */
export function unambiguous(...parts: readonly string[]): string {
  let joined = '';
  for (const part of parts) joined += `${Buffer.byteLength(part)}:${part}`;
  return joined;
}

/**
 * HKDF-Expand (RFC 5869 section 2.3) with SHA-256 to 32 bytes. The extract step is left out, as section 3.3 allows:
 * our keys are uniformly random already.
 */
export function expand(key: KeyObject, purpose: string): KeyObject {
  return asKey(createHmac('sha256', key).update(purpose, 'utf8').update(Buffer.of(1)).digest());
}

/** Takes the bytes over: they are wiped. */
export function asKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}
