/** Standard Webhooks 1.0.0, symmetric: `v1,` and the HMAC-SHA-256 of `id.timestamp.body`, in base64. */
import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/** `secret`: `whsec_` and base64 of the key. `timestamp`: seconds since 1970. `id` has no dot. */
export function webhookHeaders(
  secret: string,
  id: string,
  timestamp: number,
  body: string,
): Readonly<Record<string, string>> {
  if (!secret.startsWith(prefix)) throw new Error('the secret is not one of Standard Webhooks');
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  if (key.length < 24) throw new Error('the secret is too short');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
}
