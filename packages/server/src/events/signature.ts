/**
 * Standard Webhooks 1.0.0 over `id.timestamp.body`, in base64. Symmetric: `v1,` and the HMAC-SHA-256. Asymmetric:
 * `v1a,` and the ed25519 signature.
 */
import { createHmac, type KeyObject, sign } from 'node:crypto';

const prefix = 'whsec_';

export interface Signers {
  /** Each `whsec_` and base64 of a key; at least one. */
  readonly secrets: readonly string[];
  /** An ed25519 key. */
  readonly privateKey?: KeyObject;
}

/** `timestamp`: seconds since 1970. `id` has no dot. */
export function signedHeaders(
  { secrets, privateKey }: Signers,
  id: string,
  timestamp: number,
  body: string,
): Readonly<Record<string, string>> {
  const content = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', readSecret(secret)).update(content).digest('base64')}`,
  );
  if (privateKey !== undefined) {
    signatures.push(`v1a,${sign(null, Buffer.from(content), privateKey).toString('base64')}`);
  }
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}

/** With one secret and nothing else. */
export function webhookHeaders(
  secret: string,
  id: string,
  timestamp: number,
  body: string,
): Readonly<Record<string, string>> {
  return signedHeaders({ secrets: [secret] }, id, timestamp, body);
}

function readSecret(secret: string): Buffer {
  if (!secret.startsWith(prefix)) throw new Error('the secret is not one of Standard Webhooks');
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  if (key.length < 24) throw new Error('the secret is too short');
  return key;
}
