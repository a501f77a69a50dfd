/**
 * The installation's signature on what leaves the house as proof: daily roots of ledgers, receipts of erasures. One
 * Ed25519 key (RFC 8032), made from the installation's token key, so that every node has the same and none stores it.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { installation } from '../masking/context.ts';
import type { Vault } from '../vault/types.ts';

export interface Signer {
  /** First 16 hexadecimal digits of the SHA-256 of the public key (SPKI, DER). */
  readonly keyId: string;
  /** PEM, SPKI. */
  readonly publicKey: string;
  /** Base64. */
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
}

/** RFC 8410 section 7: PKCS #8 of an Ed25519 key is this and its 32 bytes. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export async function createSigner(vault: Vault): Promise<Signer> {
  const keys = await vault.unlock(installation);
  const seed = keys.token('signing', 'ed25519').subarray(0, 32);
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
  const publicKey: KeyObject = createPublicKey(key);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    keyId: createHash('sha256').update(spki).digest('hex').slice(0, 16),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
    verify: (text, signature) => verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64')),
  };
}
