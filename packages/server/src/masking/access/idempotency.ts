/** The same POST twice does its work once. Keys and digests are kept as keyed digests, answers sealed, for 24 hours. */
import * as queries from '../../store/queries/access.ts';
import type { TenantVault } from '../../vault/types.ts';
import { type Context, withKeys } from '../context.ts';
import type { Idempotency } from '../service.ts';

export function storedKey(keys: TenantVault, key: string): string {
  return keys.token('idempotency-key', key).toString('base64url');
}

export function storedDigest(keys: TenantVault, digest: Buffer): Buffer {
  return keys.token('idempotency-digest', digest);
}

function answerField(tenant: string, key: string) {
  return { tenant, table: 'idempotency_keys', column: 'answer', row: key };
}

export function createIdempotency(context: Context): Idempotency {
  const { database, vault } = context;
  return {
    async begin(tenant, key, digest) {
      const keys = await vault.unlock(tenant);
      const stored = storedKey(keys, key);
      const request = storedDigest(keys, digest);
      if (await queries.beginIdempotent(database, tenant, stored, request)) return { kind: 'work' };
      const row = await queries.readIdempotent(database, tenant, stored);
      // Given up between the two statements: the client asks again.
      if (row === undefined) return { kind: 'busy' };
      if (!row.request_digest.equals(request)) return { kind: 'mismatch' };
      const { status, answer } = row;
      if (status === null || answer === null) return { kind: 'busy' };
      const body = await withKeys(context, tenant, (open) => open.open(answer, answerField(tenant, stored)));
      return { kind: 'replay', status, body: body.toString('utf8') };
    },
    async finish(tenant, key, status, body) {
      const keys = await vault.unlock(tenant);
      const stored = storedKey(keys, key);
      const answer = keys.seal(Buffer.from(body), answerField(tenant, stored));
      await queries.finishIdempotent(database, tenant, stored, status, answer);
    },
    async abandon(tenant, key) {
      const keys = await vault.unlock(tenant);
      await queries.abandonIdempotent(database, tenant, storedKey(keys, key));
    },
  };
}
