import type { Queries } from '../types.ts';

/** Does nothing when it is there already. */
export async function insertTenant(queries: Queries, tenant: string, name: string): Promise<void> {
  await queries.query(
    'insert_tenant',
    `with made as (insert into tenants (tenant, name) values ($1, $2) on conflict (tenant) do nothing returning tenant),
      told as (insert into ledger (tenant, entry, kind, actor) select tenant, new_id('led_'), 'tenant.created', 'installation' from made)
      select tenant from made`,
    [tenant, name],
  );
}

export interface ApiKeyRow {
  readonly api_key: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

const columns = 'k.api_key, k.name, k.scopes, k.created_at, k.expires_at, k.revoked_at';

export async function insertApiKey(
  queries: Queries,
  key: {
    readonly tenant: string;
    readonly apiKey: string;
    readonly name: string;
    readonly secretHash: Buffer;
    readonly scopes: readonly string[];
    readonly expiresAt: Date | undefined;
    readonly actor: string;
  },
): Promise<ApiKeyRow> {
  const [row] = await queries.query<ApiKeyRow>(
    'insert_api_key',
    `with k as (
        insert into api_keys (tenant, api_key, name, secret_hash, scopes, expires_at) values ($1, $2, $3, $4, $5, $6)
          returning *
      ), told as (
        insert into ledger (tenant, entry, kind, actor, subject, details)
          select $1, new_id('led_'), 'key.created', $7, $2,
              jsonb_strip_nulls(jsonb_build_object('scopes', $5::text[], 'expiresAt', $6::timestamptz))
      )
      select ${columns} from k`,
    [key.tenant, key.apiKey, key.name, key.secretHash, key.scopes, key.expiresAt ?? null, key.actor],
  );
  if (row === undefined) throw new Error('insert_api_key answered nothing');
  return row;
}

/** Oldest first. */
export function listApiKeys(
  queries: Queries,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<readonly ApiKeyRow[]> {
  return queries.query<ApiKeyRow>(
    'list_api_keys',
    `select ${columns} from api_keys k where k.tenant = $1 and k.api_key > $2 order by k.api_key limit $3`,
    [tenant, after ?? '', limit],
  );
}

/** Revoking a second time changes nothing. */
export async function revokeApiKey(
  queries: Queries,
  tenant: string,
  apiKey: string,
  actor: string,
): Promise<ApiKeyRow | undefined> {
  const rows = await queries.query<ApiKeyRow>(
    'revoke_api_key',
    `with k as (
        update api_keys set revoked_at = now() where tenant = $1 and api_key = $2 and revoked_at is null returning *
      ), told as (
        insert into ledger (tenant, entry, kind, actor, subject)
          select $1, new_id('led_'), 'key.revoked', $3, k.api_key from k
      )
      select ${columns} from k
      union all
      select ${columns} from api_keys k where k.tenant = $1 and k.api_key = $2 and k.revoked_at is not null`,
    [tenant, apiKey, actor],
  );
  return rows[0];
}

/** Only of a live key. Notes its use, once a minute. */
export async function readLiveApiKey(
  queries: Queries,
  tenant: string,
  apiKey: string,
): Promise<{ readonly secret_hash: Buffer; readonly scopes: readonly string[] } | undefined> {
  const rows = await queries.query<{ readonly secret_hash: Buffer; readonly scopes: readonly string[] }>(
    'read_live_api_key',
    `select k.secret_hash, k.scopes from api_keys k
      where k.tenant = $1 and k.api_key = $2 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`,
    [tenant, apiKey],
  );
  return rows[0];
}

export async function noteApiKeyUse(queries: Queries, tenant: string, apiKey: string): Promise<void> {
  await queries.query(
    'note_api_key_use',
    `update api_keys set last_used_at = now() where tenant = $1 and api_key = $2
      and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [tenant, apiKey],
  );
}

// ---------------------------------------------------------------- idempotency

/** True: the key is ours to work under. It was free, a day old, or left behind at work for 30 s. */
export async function beginIdempotent(
  queries: Queries,
  tenant: string,
  key: string,
  digest: Buffer,
): Promise<boolean> {
  const rows = await queries.query(
    'begin_idempotent',
    `insert into idempotency_keys as k (tenant, idempotency_key, request_digest, created_at)
        values ($1, $2, $3, clock_timestamp())
      on conflict (tenant, idempotency_key) do update
        set request_digest = excluded.request_digest, created_at = excluded.created_at,
            status = null, answer = null, session = null
        where k.created_at < clock_timestamp() - interval '24 hours'
          or (k.status is null and k.session is null and k.request_digest = excluded.request_digest
            and k.created_at < clock_timestamp() - interval '30 seconds')
      returning k.idempotency_key`,
    [tenant, key, digest],
  );
  return rows.length > 0;
}

export interface IdempotencyRow {
  readonly request_digest: Buffer;
  readonly status: number | null;
  readonly answer: Buffer | null;
}

export async function readIdempotent(
  queries: Queries,
  tenant: string,
  key: string,
): Promise<IdempotencyRow | undefined> {
  const rows = await queries.query<IdempotencyRow>(
    'read_idempotent',
    'select request_digest, status, answer from idempotency_keys where tenant = $1 and idempotency_key = $2',
    [tenant, key],
  );
  return rows[0];
}

export async function finishIdempotent(
  queries: Queries,
  tenant: string,
  key: string,
  status: number,
  answer: Buffer,
): Promise<void> {
  await queries.query(
    'finish_idempotent',
    `update idempotency_keys set status = $3, answer = $4
      where tenant = $1 and idempotency_key = $2 and status is null and session is null`,
    [tenant, key, status, answer],
  );
}

export async function abandonIdempotent(queries: Queries, tenant: string, key: string): Promise<void> {
  await queries.query(
    'abandon_idempotent',
    'delete from idempotency_keys where tenant = $1 and idempotency_key = $2 and status is null and session is null',
    [tenant, key],
  );
}

/** Of every tenant, older than a day. How many were removed. */
export async function forgetIdempotent(queries: Queries, limit: number): Promise<number> {
  const rows = await queries.query(
    'forget_idempotent',
    `delete from idempotency_keys k using (
        select tenant, idempotency_key from idempotency_keys where created_at < now() - interval '24 hours'
          order by created_at limit $1 for update skip locked
      ) old where k.tenant = old.tenant and k.idempotency_key = old.idempotency_key returning 1`,
    [limit],
  );
  return rows.length;
}
