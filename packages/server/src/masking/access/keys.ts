/**
 * API keys: `sk_<tenant>_<key>_<secret>`. The tenant stands in the token, so that no look-up crosses tenants; the
 * secret is 256 random bits, of which the SHA-256 digest is kept (nothing to guess, so no slow hash is needed).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import * as queries from '../../store/queries/access.ts';
import { currentActor } from '../actor.ts';
import { type Context, checkPage, invalid, isTenantName, notFound, toPage } from '../context.ts';
import { isId, newId } from '../ids.ts';
import { type ApiKey, type Masking, namedScopes, type Principal, type Scope, scopes } from '../service.ts';

/** Milliseconds that an answer is remembered, so that revoking works within a second everywhere. */
const cacheMilliseconds = 1_000;
const cacheEntries = 10_000;
/** What `admin` does not include. */
const named: ReadonlySet<Scope> = new Set(namedScopes);
const shape = /^sk_([a-z0-9-]{1,63})_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

export function createApiKeys(
  context: Context,
  adminKey: string | undefined,
): Pick<Masking, 'createApiKey' | 'listApiKeys' | 'revokeApiKey' | 'authenticate'> {
  const { database, doors } = context;
  const adminDigest = adminKey === undefined ? undefined : sha256(adminKey);
  const admin: Principal = { tenant: 'default', actor: 'admin', scopes: new Set(scopes) };
  const cache = new Map<string, { readonly principal: Principal | undefined; readonly until: number }>();

  async function look(bearer: string): Promise<Principal | undefined> {
    const [, tenant = '', key = '', secret = ''] = shape.exec(bearer) ?? [];
    // A malformed token takes the same way as a wrong one: the database is asked, a digest is compared.
    const id = `key_${key}`;
    const row = await queries.readLiveApiKey(database, tenant, id);
    const matches = timingSafeEqual(sha256(secret), row?.secret_hash ?? sha256(`not ${secret}`));
    if (row === undefined || !matches) return undefined;
    const known = new Set<string>(scopes);
    const held = row.scopes.filter((scope): scope is Scope => known.has(scope));
    const granted = held.includes('admin') ? [...scopes.filter((scope) => !named.has(scope)), ...held] : held;
    // Only a note; when it can't be written now, it will be another time.
    void queries.noteApiKeyUse(database, tenant, id).catch(() => {});
    return { tenant, actor: id, scopes: new Set(granted) };
  }

  return {
    async createApiKey(tenant, key) {
      checkNewKey(key, doors.clock.now());
      const id = newId(doors, 'key');
      const secret = doors.random.bytes(32).toString('base64url');
      const row = await queries.insertApiKey(database, {
        tenant,
        apiKey: id,
        name: key.name,
        secretHash: sha256(secret),
        scopes: [...new Set(key.scopes)],
        expiresAt: key.expiresAt,
        actor: currentActor(),
      });
      return { ...toApiKey(row), secret: `sk_${tenant}_${id.slice('key_'.length)}_${secret}` };
    },

    async listApiKeys(tenant, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listApiKeys(database, tenant, after, limit + 1);
      return toPage(rows, limit, (row) => row.api_key, toApiKey);
    },

    async revokeApiKey(tenant, key) {
      const row = isId(key, 'key')
        ? await queries.revokeApiKey(database, tenant, key, currentActor())
        : undefined;
      if (row === undefined) throw notFound('key');
      cache.clear();
      return toApiKey(row);
    },

    async authenticate(bearer) {
      if (bearer.length > 512) return undefined;
      const digest = sha256(bearer);
      if (adminDigest !== undefined && timingSafeEqual(digest, adminDigest)) return admin;
      const name = digest.toString('latin1');
      const now = doors.clock.monotonic();
      const known = cache.get(name);
      if (known !== undefined && known.until > now) return known.principal;
      const principal = await look(bearer);
      cache.delete(name);
      for (const oldest of cache.keys()) {
        if (cache.size < cacheEntries) break;
        cache.delete(oldest);
      }
      // Counted from the asking, not from the answer: a key revoked in between must not live longer for it.
      cache.set(name, { principal, until: now + cacheMilliseconds });
      return principal;
    },
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function checkNewKey(key: Parameters<Masking['createApiKey']>[1], now: number): void {
  if (key.name.length < 1 || key.name.length > 100 || /\p{Cc}/u.test(key.name)) {
    throw invalid('A name has 1 to 100 characters.', '/name');
  }
  if (key.scopes.length === 0) throw invalid('Give at least one scope.', '/scopes');
  const unknown = key.scopes.findIndex((scope) => !scopes.includes(scope));
  if (unknown >= 0) throw invalid(`Scopes are ${scopes.join(', ')}.`, `/scopes/${unknown}`);
  if (key.expiresAt !== undefined && !(key.expiresAt.getTime() > now)) {
    throw invalid('`expiresAt` lies in the future.', '/expiresAt');
  }
}

function toApiKey(row: queries.ApiKeyRow): ApiKey {
  return {
    id: row.api_key,
    name: row.name,
    scopes: row.scopes as readonly Scope[],
    createdAt: row.created_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
  };
}

export function createTenants(context: Context): Pick<Masking, 'createTenant'> {
  return {
    async createTenant({ tenant, name }) {
      if (!isTenantName(tenant)) {
        throw invalid('A tenant is 1 to 63 lower-case letters, digits and inner hyphens.', '/tenant');
      }
      if (name.length < 1 || name.length > 200) throw invalid('A name has 1 to 200 characters.', '/name');
      await queries.insertTenant(context.database, tenant, name);
    },
  };
}
