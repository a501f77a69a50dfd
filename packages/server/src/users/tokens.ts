/**
 * Tokens that users hold: `<tenant>.<256 random bits>`. The tenant stands in the token, so that no look-up crosses
 * tenants; at rest there is only the SHA-256 digest of the random part (nothing to guess, so no slow hash is needed).
 */
import { createHash, randomBytes } from 'node:crypto';
import { installation, isTenantName } from '../masking/context.ts';

export interface Token {
  readonly tenant: string;
  readonly digest: Buffer;
}

export function newToken(tenant: string): Token & { readonly text: string } {
  const secret = randomBytes(32).toString('base64url');
  return { text: `${tenant}.${secret}`, tenant, digest: sha256(secret) };
}

const shape = /^([a-z0-9-]{1,63})\.([A-Za-z0-9_-]{43})$/;

/** A malformed token becomes one that there is not: it takes the same way as a wrong one. */
export function readToken(text: string): Token {
  const [, tenant = '', secret = ''] = (text.length <= 107 && shape.exec(text)) || [];
  const known = isTenantName(tenant) || tenant === installation;
  return {
    tenant: known ? tenant : installation,
    digest: sha256(known ? secret : `not ${text.slice(0, 107)}`),
  };
}

export function sha256(text: string | Buffer): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Under which an address stands in the directory of log-ins. */
export function emailName(email: string): Buffer {
  return sha256(`email:${email}`);
}

export function credentialName(credential: Buffer): Buffer {
  return sha256(Buffer.concat([Buffer.from('passkey:'), credential]));
}
