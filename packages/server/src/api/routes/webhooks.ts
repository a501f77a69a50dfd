/** Endpoints of the tenant's that hear of events. */
import { Type } from 'typebox';
import type { Delivery, Endpoint, Webhooks } from '../../events/service.ts';
import { principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import { createPlaces } from '../places.ts';
import {
  type Api,
  checkId,
  isId,
  pageOfQuery,
  present,
  readTime,
  refuseBody,
  renderPage,
  words,
} from '../route.ts';
import { idParams, type Json, pageQuery } from '../schemas/common.ts';
import {
  createdEndpointSchema,
  deliveryPage,
  deliveryQuery,
  deliverySchema,
  endpointChangeSchema,
  endpointPage,
  endpointSchema,
  endpointSecretSchema,
  newEndpointSchema,
  replayedSchema,
  replaySchema,
} from '../schemas/webhooks.ts';

/** Each waits up to 15 seconds for somebody else's server. */
const mostTests = { all: 16, tenant: 8, actor: 4 };
const params = idParams('whk', 'endpoint');
const read = { scope: 'webhooks:read', problems: ['not-found'] } as const;
const write = { scope: 'webhooks:write', problems: ['not-found'] } as const;

export function webhookRoutes(app: Api, service: Webhooks): void {
  endpointRoutes(app, service);
  secretRoutes(app, service);
  deliveryRoutes(app, service);
}

function endpointRoutes(app: Api, service: Webhooks): void {
  app.post(
    '/v1/webhooks',
    {
      config: { scope: 'webhooks:write', problems: ['webhook-refused'] },
      schema: {
        ...words(
          'Webhooks',
          'createWebhook',
          'Make an endpoint that hears of events',
          'It hears of what happens from now on. At most 20.',
        ),
        body: newEndpointSchema,
        response: { 201: createdEndpointSchema },
      },
    },
    async (request, reply) => {
      const { url, description, kinds } = request.body;
      const made = await service.create(principalOf(request).tenant, {
        url,
        ...present({ description, kinds }),
      });
      return reply.code(201).send({ ...renderEndpoint(made), secret: made.secret });
    },
  );

  app.get(
    '/v1/webhooks',
    {
      config: { scope: 'webhooks:read', problems: ['invalid'] },
      schema: {
        ...words('Webhooks', 'listWebhooks', 'List endpoints'),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: endpointPage },
      },
    },
    async (request) => {
      const page = pageOfQuery(request.query, 'whk');
      return renderPage(await service.list(principalOf(request).tenant, page), renderEndpoint);
    },
  );

  app.get(
    '/v1/webhooks/:id',
    {
      config: read,
      schema: {
        ...words('Webhooks', 'getWebhook', 'Read an endpoint'),
        params,
        response: { 200: endpointSchema },
      },
    },
    async (request) =>
      renderEndpoint(await service.get(principalOf(request).tenant, checkId('whk', request.params.id))),
  );

  app.patch(
    '/v1/webhooks/:id',
    {
      config: { scope: 'webhooks:write', problems: ['not-found', 'webhook-refused'] },
      schema: {
        ...words('Webhooks', 'updateWebhook', 'Change an endpoint, or turn it off and on'),
        params,
        body: endpointChangeSchema,
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const { url, description, kinds, enabled } = request.body;
      const change = present({ url, description, kinds, enabled });
      const id = checkId('whk', request.params.id);
      return renderEndpoint(await service.update(principalOf(request).tenant, id, change));
    },
  );

  app.delete(
    '/v1/webhooks/:id',
    {
      config: write,
      schema: {
        ...words('Webhooks', 'deleteWebhook', 'Delete an endpoint', 'With everything that waits for it.'),
        params,
        response: { 204: Type.Null({ description: 'Deleted.' }) },
      },
    },
    async (request, reply) => {
      await service.remove(principalOf(request).tenant, checkId('whk', request.params.id));
      return reply.code(204).send(null);
    },
  );
}

function secretRoutes(app: Api, service: Webhooks): void {
  app.get(
    '/v1/webhooks/:id/secret',
    {
      config: write,
      schema: {
        ...words('Webhooks', 'getWebhookSecret', 'Show the secret that deliveries are signed with'),
        params,
        response: { 200: endpointSecretSchema },
      },
    },
    async (request) => ({
      secret: await service.secret(principalOf(request).tenant, checkId('whk', request.params.id)),
    }),
  );

  app.post(
    '/v1/webhooks/:id/secret',
    {
      config: { scope: 'webhooks:write', problems: ['not-found', 'invalid'] },
      schema: {
        ...words(
          'Webhooks',
          'rotateWebhookSecret',
          'Make a new secret',
          'The one before signs beside it for 24 hours.',
        ),
        params,
        response: { 200: endpointSecretSchema },
      },
    },
    async (request) => {
      refuseBody(request.body);
      const id = checkId('whk', request.params.id);
      return { secret: await service.rotateSecret(principalOf(request).tenant, id) };
    },
  );
}

function deliveryRoutes(app: Api, service: Webhooks): void {
  const places = createPlaces(mostTests, 'Too many tests are under way.');

  app.post(
    '/v1/webhooks/:id/test',
    {
      config: { scope: 'webhooks:write', problems: ['not-found', 'invalid'] },
      schema: {
        ...words(
          'Webhooks',
          'testWebhook',
          'Send a test event now',
          'Answers when it is known what came of it, within 15 seconds. Goes to this endpoint only, also when it is off, and is not tried again.',
        ),
        params,
        response: { 200: deliverySchema },
      },
    },
    async (request) => {
      refuseBody(request.body);
      const id = checkId('whk', request.params.id);
      const leave = places.take(principalOf(request));
      try {
        return renderDelivery(await service.test(principalOf(request).tenant, id));
      } finally {
        leave();
      }
    },
  );

  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      config: { scope: 'webhooks:read', problems: ['not-found', 'invalid'] },
      schema: {
        ...words('Webhooks', 'listWebhookDeliveries', 'List deliveries to an endpoint, newest event first'),
        params,
        querystring: deliveryQuery,
        response: { 200: deliveryPage },
      },
    },
    async (request) => {
      const { status } = request.query;
      const id = checkId('whk', request.params.id);
      const page = pageOfQuery(request.query, 'dlv');
      const { tenant } = principalOf(request);
      return renderPage(await service.deliveries(tenant, id, present({ status }), page), renderDelivery);
    },
  );

  app.post(
    '/v1/webhooks/:id/replay',
    {
      config: write,
      schema: {
        ...words('Webhooks', 'replayWebhook', 'Send events (again)'),
        params,
        body: replaySchema,
        response: { 200: replayedSchema },
      },
    },
    async (request) => {
      const what = readReplay(request.body);
      const id = checkId('whk', request.params.id);
      return { queued: await service.replay(principalOf(request).tenant, id, what) };
    },
  );
}

function readReplay({ dead, event, since }: Json<typeof replaySchema>): Parameters<Webhooks['replay']>[2] {
  const given = [dead, event, since].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw invalid([{ pointer: '', detail: 'must have exactly one of dead, event and since' }]);
  }
  if (event !== undefined) {
    if (!isId('evt', event)) throw invalid([{ pointer: '/event', detail: 'must be the id of an event' }]);
    return { event };
  }
  return since === undefined ? { dead: true } : { since: readTime(since, '/since') };
}

function renderEndpoint(endpoint: Endpoint) {
  const { id, url, kinds, enabled, publicKey, createdAt, pending, dead } = endpoint;
  return {
    ...{ id, url, kinds: [...kinds], enabled, publicKey, pending, dead },
    createdAt: createdAt.toISOString(),
    ...present({
      description: endpoint.description,
      disabledBecause: endpoint.disabledBecause as 'gone' | 'failing' | undefined,
      lastDeliveredAt: endpoint.lastDeliveredAt?.toISOString(),
    }),
  };
}

function renderDelivery(delivery: Delivery) {
  const { id, event, kind, status, attempts, at } = delivery;
  return {
    ...{ id, event, kind, status, attempts },
    at: at.toISOString(),
    ...present({
      session: delivery.session,
      nextAttemptAt: delivery.nextAttemptAt?.toISOString(),
      lastAnswer: delivery.lastAnswer,
    }),
  };
}
