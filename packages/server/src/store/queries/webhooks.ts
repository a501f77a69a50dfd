/** Endpoints that hear of events, and the deliveries to them. */
import type { Database, Queries } from '../types.ts';

export interface EndpointRow {
  readonly endpoint: string;
  readonly url: string;
  readonly description: string | null;
  readonly kinds: readonly string[];
  readonly enabled: boolean;
  readonly disabled_because: string | null;
  readonly keys: Buffer;
  readonly previous_until: Date | null;
  readonly public_key: string;
  readonly created_at: Date;
  readonly last_delivered_at: Date | null;
  readonly pending: number;
  readonly dead: number;
}

export interface DeliveryRow {
  readonly event: string;
  readonly kind: string;
  readonly session: string | null;
  readonly status: 'pending' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly next_at: Date;
  readonly last_answer: string | null;
  readonly at: Date;
}

/** What an attempt needs. */
export interface ClaimedRow {
  readonly tenant: string;
  readonly endpoint: string;
  readonly url: string;
  readonly keys: Buffer;
  readonly previous: boolean;
  readonly attempts: number;
  readonly event: string;
  readonly kind: string;
  readonly at: Date;
  readonly session: string | null;
  readonly session_order: number | null;
  readonly subject: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface HeldRow extends ClaimedRow {
  readonly sequence: string;
}

/** More are not counted: a list of endpoints must stay quick when a receiver has been down for days. */
export const mostCounted = 10_000;

const counted = (status: 'pending' | 'dead') =>
  `(select count(*)::integer from (select from webhook_deliveries d where d.tenant = w.tenant
    and d.endpoint = w.endpoint and d.status = '${status}' and d.kind <> 'webhook.test' limit ${mostCounted}) x) as ${status}`;
const columns = `w.endpoint, w.url, w.description, w.kinds, w.enabled, w.disabled_because, w.keys, w.previous_until,
  w.public_key, w.created_at, w.last_delivered_at, ${counted('pending')}, ${counted('dead')}`;

export function listEndpoints(
  queries: Queries,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<readonly EndpointRow[]> {
  return queries.query<EndpointRow>(
    'list_webhook_endpoints',
    `select ${columns} from webhook_endpoints w
      where w.tenant = $1 and w.endpoint < coalesce($2, 'whl') and w.deleted_at is null
      order by w.endpoint desc limit $3`,
    [tenant, after ?? null, limit],
  );
}

export async function readEndpoint(
  queries: Queries,
  tenant: string,
  endpoint: string,
): Promise<EndpointRow | undefined> {
  const rows = await queries.query<EndpointRow>(
    'read_webhook_endpoint',
    `select ${columns} from webhook_endpoints w
      where w.tenant = $1 and w.endpoint = $2 and w.deleted_at is null`,
    [tenant, endpoint],
  );
  return rows[0];
}

export async function countEndpoints(queries: Queries, tenant: string): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'count_webhook_endpoints',
    'select count(*)::integer as count from webhook_endpoints w where w.tenant = $1 and w.deleted_at is null',
    [tenant],
  );
  return rows[0]?.count ?? 0;
}

interface Note {
  readonly actor: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export async function insertEndpoint(
  queries: Queries,
  tenant: string,
  made: {
    readonly endpoint: string;
    readonly url: string;
    readonly description: string | undefined;
    readonly kinds: readonly string[];
    readonly keys: Buffer;
    readonly publicKey: string;
  },
  { actor, details }: Note,
): Promise<void> {
  await queries.query(
    'insert_webhook_endpoint',
    `with told as (
      insert into ledger (tenant, entry, kind, actor, subject, details)
        values ($1, new_id('led_'), 'webhook.created', $8, $2, $9::jsonb)
    )
    insert into webhook_endpoints (tenant, endpoint, url, description, kinds, keys, public_key, created_at)
      values ($1, $2, $3, $4, $5, $6, $7, platform_now())`,
    [
      tenant,
      made.endpoint,
      made.url,
      made.description ?? null,
      made.kinds,
      made.keys,
      made.publicKey,
      actor,
      JSON.stringify(details),
    ],
  );
}

/** Undefined fields stay. Enabling forgets why it was off. False: there is no such endpoint. */
export async function updateEndpoint(
  queries: Queries,
  tenant: string,
  endpoint: string,
  change: {
    readonly url?: string;
    readonly description?: string;
    readonly kinds?: readonly string[];
    readonly enabled?: boolean;
  },
  { actor, details }: Note,
): Promise<boolean> {
  const rows = await queries.query(
    'update_webhook_endpoint',
    `with changed as (
      update webhook_endpoints w
        set url = coalesce($3, w.url), description = coalesce($4, w.description), kinds = coalesce($5, w.kinds),
            enabled = coalesce($6, w.enabled),
            disabled_because = case when $6 then null else w.disabled_because end,
            failing_since = case when $6 then null else w.failing_since end,
            held_until = case when $6 then null else w.held_until end
        where w.tenant = $1 and w.endpoint = $2 and w.deleted_at is null
        returning w.endpoint
    )
    insert into ledger (tenant, entry, kind, actor, subject, details)
      select $1, new_id('led_'), 'webhook.changed', $7, c.endpoint, $8::jsonb from changed c
      returning entry`,
    [
      tenant,
      endpoint,
      change.url ?? null,
      change.description ?? null,
      change.kinds ?? null,
      change.enabled ?? null,
      actor,
      JSON.stringify(details),
    ],
  );
  return rows.length > 0;
}

/** Nothing goes out any more from here on; what it has goes later. */
export async function deleteEndpoint(
  queries: Queries,
  tenant: string,
  endpoint: string,
  { actor, details }: Note,
): Promise<boolean> {
  const rows = await queries.query(
    'delete_webhook_endpoint',
    `with deleted as (
      update webhook_endpoints w set deleted_at = platform_now(), enabled = false
        where w.tenant = $1 and w.endpoint = $2 and w.deleted_at is null
        returning w.endpoint
    )
    insert into ledger (tenant, entry, kind, actor, subject, details)
      select $1, new_id('led_'), 'webhook.deleted', $3, d.endpoint, $4::jsonb from deleted d
      returning entry`,
    [tenant, endpoint, actor, JSON.stringify(details)],
  );
  return rows.length > 0;
}

/** Only when the keys are still those that were read. The secret before signs for 24 hours more. */
export async function replaceKeys(
  queries: Queries,
  tenant: string,
  endpoint: string,
  keys: { readonly old: Buffer; readonly next: Buffer },
  { actor, details }: Note,
): Promise<boolean> {
  const rows = await queries.query(
    'replace_webhook_keys',
    `with changed as (
      update webhook_endpoints w set keys = $4, previous_until = platform_now() + interval '24 hours'
        where w.tenant = $1 and w.endpoint = $2 and w.keys = $3 and w.deleted_at is null
        returning w.endpoint
    )
    insert into ledger (tenant, entry, kind, actor, subject, details)
      select $1, new_id('led_'), 'webhook.secret-rotated', $5, c.endpoint, $6::jsonb from changed c
      returning entry`,
    [tenant, endpoint, keys.old, keys.next, actor, JSON.stringify(details)],
  );
  return rows.length > 0;
}

/** Newest event first. */
export function listDeliveries(
  queries: Queries,
  search: {
    readonly tenant: string;
    readonly endpoint: string;
    readonly status: string | undefined;
    /** Before this event. */
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly DeliveryRow[]> {
  const values: unknown[] = [search.tenant, search.endpoint, search.limit];
  let text = `select d.event, d.kind, d.session, d.status, d.attempts, d.next_at, d.last_answer, d.at
    from webhook_deliveries d where d.tenant = $1 and d.endpoint = $2`;
  let name = 'list_webhook_deliveries';
  for (const [column, value, comparison] of [
    ['status', search.status, '='],
    ['event', search.after, '<'],
  ] as const) {
    if (value === undefined) continue;
    values.push(value);
    text += ` and d.${column} ${comparison} $${values.length}`;
    name += `_${column}`;
  }
  return queries.query<DeliveryRow>(name, `${text} order by d.event desc limit $3`, values);
}

export async function readDelivery(
  queries: Queries,
  tenant: string,
  endpoint: string,
  event: string,
): Promise<DeliveryRow | undefined> {
  const rows = await queries.query<DeliveryRow>(
    'read_webhook_delivery',
    `select d.event, d.kind, d.session, d.status, d.attempts, d.next_at, d.last_answer, d.at
      from webhook_deliveries d where d.tenant = $1 and d.endpoint = $2 and d.event = $3`,
    [tenant, endpoint, event],
  );
  return rows[0];
}

/** At most `limit` dead deliveries wait again; how many. */
export async function reviveDead(
  queries: Queries,
  tenant: string,
  endpoint: string,
  limit: number,
): Promise<number> {
  const rows = await queries.query(
    'revive_dead_deliveries',
    `update webhook_deliveries d set status = 'pending', attempts = 0, next_at = platform_now()
      from (
        select x.event from webhook_deliveries x
          where x.tenant = $1 and x.endpoint = $2 and x.status = 'dead' and x.kind <> 'webhook.test'
          order by x.event limit $3 for no key update
      ) x
      where d.tenant = $1 and d.endpoint = $2 and d.event = x.event
      returning d.event`,
    [tenant, endpoint, limit],
  );
  return rows.length;
}

/**
 * Puts events into the queue (again): `event` itself, or those from `since` on that the endpoint hears, after the event
 * `after`. Gives the last one, and how many were queued; undefined when there was none.
 */
export async function requeueEvents(
  queries: Queries,
  search: {
    readonly tenant: string;
    readonly endpoint: string;
    readonly event: string | undefined;
    readonly since: Date | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<{ readonly last: string; readonly seen: number; readonly queued: number } | undefined> {
  const { tenant, endpoint, event, since, after, limit } = search;
  const which =
    event === undefined
      ? "e.at >= $4 and e.event > coalesce($5, '') and endpoint_hears(w.endpoint, w.kinds, e.kind, e.subject)"
      : 'e.event = $4 and $5::text is null';
  const rows = await queries.query<{
    readonly last: string | null;
    readonly seen: number;
    readonly queued: number;
  }>(
    event === undefined ? 'requeue_events_since' : 'requeue_event',
    `with chosen as materialized (
      select e.tenant, w.endpoint, e.event, e.kind, e.session, e.sequence
        from webhook_endpoints w join events e on e.tenant = w.tenant
        where w.tenant = $1 and w.endpoint = $2 and w.deleted_at is null and e.sequence is not null and ${which}
        order by e.event limit $3
    ), queued as (
      insert into webhook_deliveries as d (tenant, endpoint, event, kind, session, sequence, next_at, at)
        select c.tenant, c.endpoint, c.event, c.kind, c.session, c.sequence, platform_now(), platform_now() from chosen c
        on conflict (tenant, endpoint, event) do update set status = 'pending', attempts = 0, next_at = platform_now()
          where d.status <> 'pending'
        returning d.event
    )
    select (select max(c.event) from chosen c) as last, (select count(*)::integer from chosen) as seen,
      (select count(*)::integer from queued) as queued`,
    [tenant, endpoint, limit, event ?? since, after ?? null],
  );
  const [row] = rows;
  return row === undefined || row.last === null ? undefined : { ...row, last: row.last };
}

const claimed = `d.tenant, d.endpoint, w.url, w.keys, coalesce(w.previous_until > platform_now(), false) as previous,
  d.attempts, e.event, e.kind, e.at, e.session, e.session_order, e.subject, e.data`;

/** One test event, taken at once by whoever asks. Undefined: there is no such endpoint. */
export async function writeTest(
  queries: Queries,
  tenant: string,
  endpoint: string,
  leaseSeconds: number,
): Promise<ClaimedRow | undefined> {
  const rows = await queries.query<ClaimedRow>(
    'write_webhook_test',
    `with e as (
      insert into events (tenant, event, kind, subject, data, at)
        select w.tenant, new_id('evt_'), 'webhook.test', w.endpoint, jsonb_build_object('endpoint', w.endpoint), platform_now()
          from webhook_endpoints w where w.tenant = $1 and w.endpoint = $2 and w.deleted_at is null
        returning *
    ), d as (
      insert into webhook_deliveries (tenant, endpoint, event, kind, sequence, next_at, at)
        select e.tenant, e.subject, e.event, e.kind, 0, platform_now() + make_interval(secs => $3), e.at from e
        returning *
    )
    select ${claimed} from d join e on e.event = d.event
      join webhook_endpoints w on w.tenant = d.tenant and w.endpoint = d.endpoint`,
    [tenant, endpoint, leaseSeconds],
  );
  return rows[0];
}

/** A test has one try, and what became of it is nobody else's matter. */
export async function finishTest(
  queries: Queries,
  tenant: string,
  endpoint: string,
  event: string,
  outcome: { readonly delivered: boolean; readonly answer: string },
): Promise<void> {
  await queries.query(
    'finish_webhook_test',
    `update webhook_deliveries d set attempts = 1, status = case when $4 then 'delivered' else 'dead' end, last_answer = $5
      where d.tenant = $1 and d.endpoint = $2 and d.event = $3`,
    [tenant, endpoint, event, outcome.delivered, outcome.answer],
  );
}

export async function claimDeliveries(
  queries: Queries,
  claim: {
    /** Whoever takes them; a process that starts again is another one. */
    readonly node: string;
    /** Endpoints of which it has something in its hands: how many more it takes, and the sequences of what it has. */
    readonly hands: readonly {
      readonly endpoint: string;
      readonly room: number;
      readonly held: readonly string[];
    }[];
    /** How many it takes of any other. */
    readonly each: number;
    readonly limit: number;
    readonly leaseSeconds: number;
  },
): Promise<readonly HeldRow[]> {
  const { node, hands, each, limit, leaseSeconds } = claim;
  return queries.query<HeldRow>(
    'claim_deliveries',
    'select * from claim_deliveries($1, $2::jsonb, $3, $4, $5)',
    [node, JSON.stringify(hands), each, limit, leaseSeconds],
  );
}

/** What a node held is anybody's: it has seen it through, or will not. */
export async function letGo(queries: Queries, node: string): Promise<void> {
  await queries.query('let_go_deliveries', 'delete from webhook_holds h where h.node = $1', [node]);
}

export interface FinishedDelivery {
  readonly tenant: string;
  readonly endpoint: string;
  readonly event: string;
  readonly delivered: boolean;
  readonly answer: string;
  /** Seconds until the next attempt; undefined: there is none. */
  readonly delay: number | undefined;
  /** Seconds for which the endpoint wants no other delivery either. */
  readonly hold: number | undefined;
  readonly gone: boolean;
}

export async function finishDeliveries(
  queries: Queries,
  finished: readonly FinishedDelivery[],
): Promise<void> {
  await queries.query('finish_deliveries', 'select finish_deliveries($1, $2, $3, $4, $5, $6, $7, $8)', [
    finished.map((one) => one.tenant),
    finished.map((one) => one.endpoint),
    finished.map((one) => one.event),
    finished.map((one) => one.delivered),
    finished.map((one) => one.answer),
    finished.map((one) => one.delay ?? null),
    finished.map((one) => one.hold ?? null),
    finished.map((one) => one.gone),
  ]);
}

/** How many events got their place; -1 while another node is at it. */
export const publishEvents = (database: Database, limit: number) =>
  counting(database, 'publish_events', limit);
/** What waits for endpoints that the platform turned off is dead; how many. */
export const buryDeliveries = (database: Database, limit: number) =>
  counting(database, 'bury_deliveries', limit);
/** What deleted endpoints had; how many went. */
export const forgetEndpoints = (database: Database, limit: number) =>
  counting(database, 'forget_endpoints', limit);

async function counting(
  queries: Queries,
  name: 'publish_events' | 'bury_deliveries' | 'forget_endpoints',
  limit: number,
): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(name, `select ${name}($1) as count`, [limit]);
  return rows[0]?.count ?? 0;
}

/** Tells every node that there may be something to deliver. */
export async function wakeDelivery(queries: Queries): Promise<void> {
  await queries.query('wake_delivery', `select pg_notify('samar_events', '')`, []);
}
