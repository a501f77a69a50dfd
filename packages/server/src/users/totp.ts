/** Codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 s, one step of tolerance) and recovery codes. */
import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Context } from '../masking/context.ts';
import type { TenantVault } from '../vault/types.ts';

const period = 30;
const tolerance = 1;
const recoveryCodes = 10;

export interface TotpUser {
  readonly tenant: string;
  readonly usr: string;
}

function totpOf(secret: Secret, email: string): TOTP {
  return new TOTP({ issuer: 'Samar', label: email, secret, algorithm: 'SHA1', digits: 6, period });
}

function field({ tenant, usr }: TotpUser) {
  return { tenant, table: 'user_totp', column: 'secret', row: usr };
}

/** `uri` is what the app reads from a QR code. */
export function newTotp(keys: TenantVault, user: TotpUser, email: string) {
  const bytes = randomBytes(20);
  const secret = new Secret({ buffer: Uint8Array.from(bytes).buffer });
  return {
    secret: secret.base32,
    uri: totpOf(secret, email).toString(),
    sealed: keys.seal(bytes, field(user)),
  };
}

/** The step of 30 seconds since 1970 whose code it is; undefined when it is none of now. */
export function stepOf(
  keys: TenantVault,
  user: TotpUser,
  sealed: Buffer,
  code: string,
  { clock }: Context['doors'],
): number | undefined {
  const digits = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(digits)) return undefined;
  const secret = new Secret({ buffer: Uint8Array.from(keys.open(sealed, field(user))).buffer });
  const delta = totpOf(secret, '').validate({ token: digits, window: tolerance, timestamp: clock.now() });
  return delta === null ? undefined : Math.floor(clock.now() / 1000 / period) + delta;
}

/** 80 random bits each, in Crockford's base 32: `k7wq-90ds-3fxm-2hbe`. */
export function newRecoveryCodes(keys: TenantVault, user: TotpUser) {
  const codes = Array.from({ length: recoveryCodes }, () => {
    const letters = [...randomBytes(16)].map((byte) => alphabet[byte % 32]).join('');
    return letters.replaceAll(/(.{4})(?=.)/g, '$1-');
  });
  return { codes, digests: codes.map((code) => recoveryDigest(keys, user, code)) };
}
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

export function recoveryDigest(keys: TenantVault, { usr }: TotpUser, code: string): Buffer {
  const plain = code.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll(/[il]/g, '1').replaceAll('o', '0');
  return keys.token('recovery code', `${usr} ${plain}`);
}
