import { isIP } from 'node:net';
import { Type } from 'typebox';
import type { Carrier, Masking } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import { type Api, checkId, pageOfQuery, present, renderPage, words } from '../route.ts';
import { carrierChangeSchema, carrierPage, carrierSchema, newCarrierSchema } from '../schemas/carriers.ts';
import { idParams, pageQuery } from '../schemas/common.ts';

const params = idParams('car', 'carrier');

export function carrierRoutes(app: Api, masking: Masking): void {
  app.post(
    '/v1/carriers',
    {
      config: { scope: 'carriers:write', problems: ['carrier-taken'] },
      schema: {
        ...words('Carriers', 'createCarrier', 'Connect a SIP trunk'),
        body: newCarrierSchema,
        response: { 201: carrierSchema },
      },
    },
    async (request, reply) => {
      checkSources(request.body.allowedSources);
      const carrier = await masking.createCarrier(principalOf(request).tenant, {
        transport: 'udp',
        ...request.body,
      });
      return reply.code(201).header('location', `/v1/carriers/${carrier.id}`).send(renderCarrier(carrier));
    },
  );

  app.get(
    '/v1/carriers',
    {
      config: { scope: 'carriers:read', problems: ['invalid'] },
      schema: {
        ...words('Carriers', 'listCarriers', 'List carriers'),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: carrierPage },
      },
    },
    async (request) => {
      const page = pageOfQuery(request.query, 'car');
      return renderPage(await masking.listCarriers(principalOf(request).tenant, page), renderCarrier);
    },
  );

  app.get(
    '/v1/carriers/:id',
    {
      config: { scope: 'carriers:read', problems: ['not-found'] },
      schema: {
        ...words('Carriers', 'getCarrier', 'Read a carrier'),
        params,
        response: { 200: carrierSchema },
      },
    },
    async (request) =>
      renderCarrier(await masking.getCarrier(principalOf(request).tenant, checkId('car', request.params.id))),
  );

  app.patch(
    '/v1/carriers/:id',
    {
      config: { scope: 'carriers:write', problems: ['not-found', 'carrier-taken'] },
      schema: {
        ...words('Carriers', 'updateCarrier', 'Change, enable or disable a carrier'),
        params,
        body: carrierChangeSchema,
        response: { 200: carrierSchema },
      },
    },
    async (request) => {
      checkSources(request.body.allowedSources);
      const id = checkId('car', request.params.id);
      return renderCarrier(await masking.updateCarrier(principalOf(request).tenant, id, request.body));
    },
  );

  app.delete(
    '/v1/carriers/:id',
    {
      config: { scope: 'carriers:write', problems: ['not-found', 'carrier-in-use'] },
      schema: {
        ...words('Carriers', 'deleteCarrier', 'Delete a carrier that has no numbers'),
        params,
        response: { 204: Type.Null({ description: 'Deleted.' }) },
      },
    },
    async (request, reply) => {
      await masking.deleteCarrier(principalOf(request).tenant, checkId('car', request.params.id));
      return reply.code(204).send(null);
    },
  );
}

/** Addresses or CIDR networks; their exact reading (host bits, ranges) is the heart's. */
function checkSources(sources: readonly string[] | undefined): void {
  const errors = (sources ?? []).flatMap((source, index) =>
    isNetwork(source)
      ? []
      : [
          {
            pointer: `/allowedSources/${index}`,
            detail: 'must be an IP address or a network in CIDR notation',
          },
        ],
  );
  if (errors.length > 0) throw invalid(errors.slice(0, 20));
}

function isNetwork(source: string): boolean {
  const match = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(source);
  const kind = isIP(match?.[1] ?? '');
  const bits = match?.[2];
  return kind !== 0 && (bits === undefined || Number(bits) <= (kind === 4 ? 32 : 128));
}

function renderCarrier(carrier: Carrier) {
  const { id, name, kind, host, transport, allowedSources, hasAuth, enabled, createdAt } = carrier;
  return {
    ...{ id, name, kind, host, transport, hasAuth, enabled },
    allowedSources: [...allowedSources],
    callerTrust: carrier.callerTrust ?? ('trusted' as const),
    createdAt: createdAt.toISOString(),
    ...present({ port: carrier.port, numberFormat: carrier.numberFormat }),
  };
}
