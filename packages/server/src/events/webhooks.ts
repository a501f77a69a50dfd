/** A tenant's endpoints: made, changed, tested, replayed. Changes are in the ledger, with the host of the URL only. */
import { currentActor } from '../masking/actor.ts';
import { checkPage, invalid, notFound, toPage, withKeys } from '../masking/context.ts';
import { isId, newId } from '../masking/ids.ts';
import { MaskingError } from '../masking/service.ts';
import { lockTenant } from '../store/queries/tenants.ts';
import * as queries from '../store/queries/webhooks.ts';
import { createDelivery, type DeliveryOptions, leaseSeconds } from './delivery.ts';
import { checkDescription, checkKinds } from './endpoint-input.ts';
import { newKeys, openKeys, publicKeyOf, sealKeys, withNewSecret } from './endpoint-keys.ts';
import type { Delivery, Endpoint, Webhooks } from './service.ts';
import { checkWebhookUrl } from './webhook-url.ts';

export const mostEndpoints = 20;
const keptMilliseconds = 30 * 86_400_000;
/** Events or deliveries that one statement puts into the queue. */
const replayBatch = 5_000;

export function createWebhooks(options: DeliveryOptions): Webhooks {
  const { database, vault, doors, rules } = options;
  const delivery = createDelivery(options);

  async function read(tenant: string, endpoint: string): Promise<queries.EndpointRow> {
    const row = isId(endpoint, 'whk') ? await queries.readEndpoint(database, tenant, endpoint) : undefined;
    if (row === undefined) throw notFound('endpoint');
    return row;
  }

  function checkUrl(url: string): void {
    const problem = checkWebhookUrl(url, rules);
    if (problem !== undefined) throw new MaskingError('webhook-refused', problem, '/url');
  }

  const note = (url: string, more: Readonly<Record<string, unknown>> = {}) => ({
    actor: currentActor(),
    details: { host: new URL(url).hostname, ...more },
  });

  return {
    async create(tenant, { url, description, kinds = ['*'] }) {
      checkUrl(url);
      const checked = { url, description: checkDescription(description), kinds: checkKinds(kinds) };
      const endpoint = newId(doors, 'whk');
      const keys = newKeys(doors);
      const sealed = sealKeys(await vault.unlock(tenant), endpoint, keys);
      await database.transaction(async (inside) => {
        if (!(await lockTenant(inside, tenant))) throw notFound('tenant');
        if ((await queries.countEndpoints(inside, tenant)) >= mostEndpoints) {
          throw invalid(`There are at most ${mostEndpoints} endpoints. Delete one that is not used.`);
        }
        const made = { ...checked, endpoint, keys: sealed, publicKey: publicKeyOf(keys) };
        await queries.insertEndpoint(inside, tenant, made, note(url));
      });
      return { ...toEndpoint(await read(tenant, endpoint)), secret: keys.secret };
    },

    async list(tenant, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listEndpoints(database, tenant, after, limit + 1);
      return toPage(rows, limit, (row) => row.endpoint, toEndpoint);
    },

    async get(tenant, endpoint) {
      return toEndpoint(await read(tenant, endpoint));
    },

    async update(tenant, endpoint, change) {
      const before = await read(tenant, endpoint);
      const { url, description, kinds } = change;
      if (url !== undefined) checkUrl(url);
      const checked = {
        ...change,
        ...(description === undefined ? {} : { description: checkDescription(description) ?? '' }),
        ...(kinds === undefined ? {} : { kinds: checkKinds(kinds) }),
      };
      const fields = Object.keys(change);
      if (fields.length > 0) {
        const told = note(url ?? before.url, { fields });
        if (!(await queries.updateEndpoint(database, tenant, endpoint, checked, told))) {
          throw notFound('endpoint');
        }
        await queries.wakeDelivery(database);
      }
      return toEndpoint(await read(tenant, endpoint));
    },

    async remove(tenant, endpoint) {
      const { url } = await read(tenant, endpoint);
      if (!(await queries.deleteEndpoint(database, tenant, endpoint, note(url)))) throw notFound('endpoint');
    },

    async secret(tenant, endpoint) {
      const row = await read(tenant, endpoint);
      return withKeys(options, tenant, (keys) => openKeys(keys, endpoint, row.keys).secret);
    },

    async rotateSecret(tenant, endpoint) {
      // The keys may be sealed anew, or rotated by somebody else, between reading and writing.
      for (let turn = 0; turn < 5; turn++) {
        const row = await read(tenant, endpoint);
        const changed = await withKeys(options, tenant, async (keys) => {
          const next = withNewSecret(doors, openKeys(keys, endpoint, row.keys));
          const sealed = { old: row.keys, next: sealKeys(keys, endpoint, next) };
          const done = await queries.replaceKeys(database, tenant, endpoint, sealed, note(row.url));
          return done ? next.secret : undefined;
        });
        if (changed !== undefined) return changed;
      }
      throw new Error('the keys of the endpoint are being changed all the time');
    },

    async test(tenant, endpoint) {
      await read(tenant, endpoint);
      const row = await queries.writeTest(database, tenant, endpoint, leaseSeconds);
      if (row === undefined) throw notFound('endpoint');
      await queries.finishTest(database, tenant, endpoint, row.event, await delivery.tryOne(row));
      const done = await queries.readDelivery(database, tenant, endpoint, row.event);
      if (done === undefined) throw notFound('endpoint');
      return toDelivery(done);
    },

    async deliveries(tenant, endpoint, { status }, page) {
      const { limit, after } = checkPage(page);
      await read(tenant, endpoint);
      const rows = await queries.listDeliveries(database, {
        ...{ tenant, endpoint, status, limit: limit + 1 },
        after: after?.replace(/^dlv_/, 'evt_'),
      });
      return toPage(rows, limit, (row) => idOf(row.event), toDelivery);
    },

    async replay(tenant, endpoint, what) {
      if (!(await read(tenant, endpoint)).enabled) throw invalid('The endpoint is off. Enable it first.');
      const count = await requeue(tenant, endpoint, what);
      if (count > 0) await queries.wakeDelivery(database);
      return count;
    },

    start: () => delivery.start(),
    stop: () => delivery.stop(),
  };

  async function requeue(
    tenant: string,
    endpoint: string,
    what: Parameters<Webhooks['replay']>[2],
  ): Promise<number> {
    let total = 0;
    if ('dead' in what) {
      for (;;) {
        const count = await queries.reviveDead(database, tenant, endpoint, replayBatch);
        total += count;
        if (count < replayBatch) return total;
      }
    }
    const search = {
      tenant,
      endpoint,
      event: undefined,
      since: undefined,
      after: undefined,
      limit: replayBatch,
    };
    if ('event' in what) {
      const { event } = what;
      const found = isId(event, 'evt') && (await queries.requeueEvents(database, { ...search, event }));
      if (!found) throw invalid('There is no such event, or none any more.', '/event');
      return found.queued;
    }
    const { since } = what;
    const now = doors.clock.now();
    if (since.getTime() < now - keptMilliseconds || since.getTime() > now) {
      throw invalid('The time lies within the last 30 days.', '/since');
    }
    for (let after: string | undefined; ; ) {
      const found = await queries.requeueEvents(database, { ...search, since, after });
      total += found?.queued ?? 0;
      if (found === undefined || found.seen < replayBatch) return total;
      after = found.last;
    }
  }
}

function toEndpoint(row: queries.EndpointRow): Endpoint {
  return {
    id: row.endpoint,
    url: row.url,
    ...(row.description === null || row.description === '' ? {} : { description: row.description }),
    kinds: row.kinds,
    enabled: row.enabled,
    ...(row.disabled_because === null ? {} : { disabledBecause: row.disabled_because }),
    publicKey: row.public_key,
    createdAt: row.created_at,
    ...(row.last_delivered_at === null ? {} : { lastDeliveredAt: row.last_delivered_at }),
    pending: row.pending,
    dead: row.dead,
  };
}

function toDelivery(row: queries.DeliveryRow): Delivery {
  return {
    id: idOf(row.event),
    event: row.event,
    kind: row.kind,
    ...(row.session === null ? {} : { session: row.session }),
    status: row.status,
    attempts: row.attempts,
    ...(row.status === 'pending' ? { nextAttemptAt: row.next_at } : {}),
    ...(row.last_answer === null ? {} : { lastAnswer: row.last_answer }),
    at: row.at,
  };
}

/** An endpoint gets an event once: its delivery there is known by it. */
function idOf(event: string): string {
  return event.replace(/^evt_/, 'dlv_');
}
