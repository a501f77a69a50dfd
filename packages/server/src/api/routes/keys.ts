import { Type } from 'typebox';
import type { ApiKey, Masking } from '../../masking/service.ts';
import { mayGrant, principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import { type Api, checkId, pageOfQuery, present, readTime, renderPage, words } from '../route.ts';
import { idParams, pageQuery } from '../schemas/common.ts';
import { createdKeySchema, keyPage, keySchema, newKeySchema } from '../schemas/keys.ts';

export function keyRoutes(app: Api, masking: Masking): void {
  app.post(
    '/v1/keys',
    {
      config: { scope: 'keys:write' },
      schema: {
        ...words('API keys', 'createApiKey', 'Make an API key', 'The secret is shown in this answer only.'),
        body: newKeySchema,
        response: { 201: createdKeySchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { name, scopes, expiresAt: expires } = request.body;
      mayGrant(principal, scopes);
      const expiresAt = expires === undefined ? undefined : readTime(expires, '/expiresAt');
      if (expiresAt && expiresAt.getTime() <= Date.now()) {
        throw invalid([{ pointer: '/expiresAt', detail: 'must lie in the future' }]);
      }
      const key = await masking.createApiKey(principal.tenant, { name, scopes, ...present({ expiresAt }) });
      return reply.code(201).send({ ...renderKey(key), secret: key.secret });
    },
  );

  app.get(
    '/v1/keys',
    {
      config: { scope: 'keys:write', problems: ['invalid'] },
      schema: {
        ...words('API keys', 'listApiKeys', 'List API keys, without their secrets'),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: keyPage },
      },
    },
    async (request) => {
      const page = pageOfQuery(request.query, 'key');
      return renderPage(await masking.listApiKeys(principalOf(request).tenant, page), renderKey);
    },
  );

  app.delete(
    '/v1/keys/:id',
    {
      config: { scope: 'keys:write', problems: ['not-found'] },
      schema: {
        ...words(
          'API keys',
          'revokeApiKey',
          'Revoke an API key',
          'Works at once here, within a second elsewhere.',
        ),
        params: idParams('key', 'API key'),
        response: { 200: keySchema },
      },
    },
    async (request) =>
      renderKey(await masking.revokeApiKey(principalOf(request).tenant, checkId('key', request.params.id))),
  );
}

function renderKey(key: ApiKey) {
  return {
    id: key.id,
    name: key.name,
    scopes: [...key.scopes],
    createdAt: key.createdAt.toISOString(),
    ...present({ expiresAt: key.expiresAt?.toISOString(), revokedAt: key.revokedAt?.toISOString() }),
  };
}
