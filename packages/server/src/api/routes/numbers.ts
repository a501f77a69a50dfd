import { Type } from 'typebox';
import type { Masking, Pool, VirtualNumber } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { type Api, checkId, notFound, pageOfQuery, renderPage, words } from '../route.ts';
import { idParams, pageQuery, poolName } from '../schemas/common.ts';
import {
  addedNumbersSchema,
  newNumbersSchema,
  numberChangeSchema,
  numberPage,
  poolChangeSchema,
  poolList,
  poolParams,
  poolSchema,
  virtualNumberSchema,
} from '../schemas/numbers.ts';

const params = idParams('num', 'virtual number');

export function numberRoutes(app: Api, masking: Masking): void {
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
      const { numbers, carrier, pool = 'default', capabilities = ['voice'] } = request.body;
      const added = await masking.addNumbers(principalOf(request).tenant, {
        ...{ numbers, carrier, pool, capabilities },
      });
      return reply.code(201).send({
        numbers: added.numbers.map(renderNumber),
        added: added.added,
        unchanged: added.unchanged,
      });
    },
  );

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

  app.patch(
    '/v1/numbers/:id',
    {
      config: { scope: 'numbers:write', problems: ['not-found', 'number-in-use'] },
      schema: {
        ...words('Numbers', 'updateNumber', 'Enable, disable or move a virtual number'),
        params,
        body: numberChangeSchema,
        response: { 200: virtualNumberSchema },
      },
    },
    async (request) => {
      const id = checkId('num', request.params.id);
      return renderNumber(await masking.updateNumber(principalOf(request).tenant, id, request.body));
    },
  );

  app.delete(
    '/v1/numbers/:id',
    {
      config: { scope: 'numbers:write', problems: ['not-found', 'number-in-use'] },
      schema: {
        ...words('Numbers', 'deleteNumber', 'Delete a virtual number that no live session holds'),
        params,
        response: { 204: Type.Null({ description: 'Deleted.' }) },
      },
    },
    async (request, reply) => {
      await masking.deleteNumber(principalOf(request).tenant, checkId('num', request.params.id));
      return reply.code(204).send(null);
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
        ...words('Pools', 'updatePool', 'Set a pool’s cooldown and what happens when it is exhausted'),
        params: poolParams,
        body: poolChangeSchema,
        response: { 200: poolSchema },
      },
    },
    async (request) => {
      const { name } = request.params;
      if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) throw notFound();
      return renderPool(await masking.updatePool(principalOf(request).tenant, name, request.body));
    },
  );
}

function renderNumber(one: VirtualNumber) {
  const { id, number, pool, carrier, country, capabilities, enabled, createdAt } = one;
  return {
    ...{ id, number, pool, carrier, country, enabled },
    capabilities: [...capabilities],
    createdAt: createdAt.toISOString(),
  };
}

function renderPool({ name, numbers, enabled, cooldown, exhaustion }: Pool) {
  return { name, numbers, enabled, cooldown: { ...cooldown }, exhaustion };
}
