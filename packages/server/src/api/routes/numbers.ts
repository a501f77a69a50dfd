import { Type } from 'typebox';
import type { Masking, Pool, PoolForecast, VirtualNumber } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { type Api, checkId, checkName, pageOfQuery, present, readTime, renderPage, words } from '../route.ts';
import { idParams, pageQuery, poolName } from '../schemas/common.ts';
import {
  addedNumbersSchema,
  deleteNumberQuery,
  newNumbersSchema,
  numberChangeSchema,
  numberPage,
  poolChangeSchema,
  poolForecastSchema,
  poolList,
  poolParams,
  poolSchema,
  replacedNumberSchema,
  replaceNumberSchema,
  virtualNumberSchema,
} from '../schemas/numbers.ts';

const params = idParams('num', 'virtual number');

export function numberRoutes(app: Api, masking: Masking): void {
  addRoute(app, masking);
  readRoutes(app, masking);
  changeRoutes(app, masking);
  replaceRoute(app, masking);
}

function addRoute(app: Api, masking: Masking): void {
  app.post(
    '/v1/numbers',
    {
      config: {
        scope: 'numbers:write',
        problems: [
          'invalid-number',
          'number-without-country',
          'duplicate-number',
          'number-taken',
          'unknown-carrier',
        ],
      },
      schema: {
        ...words(
          'Numbers',
          'addNumbers',
          'Add virtual numbers',
          'All of them or none. At most 10,000 at once.',
        ),
        body: newNumbersSchema,
        response: { 201: addedNumbersSchema },
      },
    },
    async (request, reply) => {
      const { numbers, carrier, pool = 'default', capabilities = ['voice'], area } = request.body;
      const added = await masking.addNumbers(principalOf(request).tenant, {
        ...{ numbers, carrier, pool, capabilities },
        ...present({ area }),
      });
      return reply.code(201).send({
        numbers: added.numbers.map(renderNumber),
        added: added.added,
        unchanged: added.unchanged,
      });
    },
  );
}

function readRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/numbers',
    {
      config: { scope: 'numbers:read', problems: ['invalid'] },
      schema: {
        ...words('Numbers', 'listNumbers', 'List virtual numbers'),
        querystring: Type.Object(
          { pool: Type.Optional(poolName), ...pageQuery },
          { additionalProperties: false },
        ),
        response: { 200: numberPage },
      },
    },
    async (request) => {
      const { pool } = request.query;
      const filter = pool === undefined ? {} : { pool };
      const page = pageOfQuery(request.query, 'num');
      return renderPage(await masking.listNumbers(principalOf(request).tenant, filter, page), renderNumber);
    },
  );

  app.get(
    '/v1/numbers/:id',
    {
      config: { scope: 'numbers:read', problems: ['not-found'] },
      schema: {
        ...words('Numbers', 'getNumber', 'Read a virtual number'),
        params,
        response: { 200: virtualNumberSchema },
      },
    },
    async (request) =>
      renderNumber(await masking.getNumber(principalOf(request).tenant, checkId('num', request.params.id))),
  );
}

function changeRoutes(app: Api, masking: Masking): void {
  app.patch(
    '/v1/numbers/:id',
    {
      config: { scope: 'numbers:write', problems: ['not-found', 'number-in-use'] },
      schema: {
        ...words('Numbers', 'updateNumber', 'Enable, disable, move, reserve, drain or quarantine a number'),
        params,
        body: numberChangeSchema,
        response: { 200: virtualNumberSchema },
      },
    },
    async (request) => {
      const id = checkId('num', request.params.id);
      const { quarantinedUntil: until, ...rest } = request.body;
      const quarantinedUntil = typeof until === 'string' ? readTime(until, '/quarantinedUntil') : until;
      const change = { ...rest, ...present({ quarantinedUntil }) };
      return renderNumber(await masking.updateNumber(principalOf(request).tenant, id, change));
    },
  );

  app.delete(
    '/v1/numbers/:id',
    {
      config: { scope: 'numbers:write', problems: ['not-found', 'number-in-use', 'invalid'] },
      schema: {
        ...words(
          'Numbers',
          'deleteNumber',
          'Delete a virtual number',
          'One that a live session holds is refused, or goes after the last of them with `drain=true`.',
        ),
        params,
        querystring: deleteNumberQuery,
        response: { 202: virtualNumberSchema, 204: Type.Null({ description: 'Deleted.' }) },
      },
    },
    async (request, reply) => {
      const { tenant } = principalOf(request);
      const id = checkId('num', request.params.id);
      const drain = request.query.drain === 'true';
      if ((await masking.deleteNumber(tenant, id, { drain })) === 'deleted')
        return reply.code(204).send(null);
      return reply.code(202).send(renderNumber(await masking.getNumber(tenant, id)));
    },
  );
}

function replaceRoute(app: Api, masking: Masking): void {
  app.post(
    '/v1/numbers/:id/replace',
    {
      config: { scope: 'numbers:write', problems: ['not-found'] },
      schema: {
        ...words(
          'Numbers',
          'replaceNumber',
          'Take a sick number out of use',
          'It is quarantined, and every live session on it gets another one at once; an event tells each (`number.replaced`).',
        ),
        params,
        body: replaceNumberSchema,
        response: { 200: replacedNumberSchema },
      },
    },
    async (request) => {
      const id = checkId('num', request.params.id);
      const { replaced, kept } = await masking.replaceNumber(principalOf(request).tenant, id, request.body);
      return { replaced, kept };
    },
  );
}

export function poolRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/pools',
    {
      config: { scope: 'numbers:read' },
      schema: { ...words('Pools', 'listPools', 'List pools'), response: { 200: poolList } },
    },
    async (request) => {
      const pools = await masking.listPools(principalOf(request).tenant);
      return { items: pools.map(renderPool) };
    },
  );

  app.patch(
    '/v1/pools/:name',
    {
      config: { scope: 'numbers:write', problems: ['not-found'] },
      schema: {
        ...words('Pools', 'updatePool', 'Set how a pool gives its numbers out'),
        params: poolParams,
        body: poolChangeSchema,
        response: { 200: poolSchema },
      },
    },
    async (request) => {
      const name = checkName(request.params.name);
      return renderPool(await masking.updatePool(principalOf(request).tenant, name, request.body));
    },
  );

  app.get(
    '/v1/pools/:name/forecast',
    {
      config: { scope: 'numbers:read', problems: ['not-found'] },
      schema: {
        ...words(
          'Pools',
          'forecastPool',
          'Say how long a pool will last',
          'Who needs most numbers now, and when the pool will be short if it goes on so.',
        ),
        params: poolParams,
        response: { 200: poolForecastSchema },
      },
    },
    async (request) => {
      const name = checkName(request.params.name);
      return renderForecast(await masking.poolForecast(principalOf(request).tenant, name));
    },
  );
}

function renderNumber(one: VirtualNumber) {
  const { id, number, pool, carrier, country, capabilities, enabled, use, draining, createdAt } = one;
  return {
    ...{ id, number, pool, carrier, country, enabled, use, draining },
    capabilities: [...capabilities],
    createdAt: createdAt.toISOString(),
    ...present({ today: one.today, quarantinedUntil: one.quarantinedUntil?.toISOString(), area: one.area }),
  };
}

function renderPool(pool: Pool) {
  const { name, numbers, enabled, cooldown, exhaustion, match, spread, loadLimit } = pool;
  return {
    ...{ name, numbers, enabled, cooldown: { ...cooldown }, exhaustion, match, spread },
    ...present({ loadLimit }),
  };
}

function renderForecast(forecast: PoolForecast) {
  const { pool, numbers, needed, headroom, trendPerDay, shortAt, status, days } = forecast;
  return {
    ...{ pool, numbers, needed, headroom, trendPerDay, status },
    days: days.map((day) => ({ ...day })),
    ...present({ shortAt: shortAt?.toISOString() }),
  };
}
