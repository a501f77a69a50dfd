/** What holds for the whole business: its settings, and its own numbers that programs forward to. */
import { Type } from 'typebox';
import type { Destination, Masking, Settings } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { type Api, checkName, notFound, words } from '../route.ts';
import {
  decisionSecretSchema,
  destinationInSchema,
  destinationList,
  destinationParams,
  destinationSchema,
  settingsChangeSchema,
  settingsSchema,
} from '../schemas/settings.ts';

export function settingsRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/settings',
    {
      config: { scope: 'settings:read' },
      schema: { ...words('Settings', 'getSettings', 'Read the settings'), response: { 200: settingsSchema } },
    },
    async (request) => renderSettings(await masking.getSettings(principalOf(request).tenant)),
  );

  app.patch(
    '/v1/settings',
    {
      config: { scope: 'settings:write' },
      schema: {
        ...words('Settings', 'updateSettings', 'Change settings', 'They hold from the next call on.'),
        body: settingsChangeSchema,
        response: { 200: settingsSchema },
      },
    },
    async (request) =>
      renderSettings(await masking.updateSettings(principalOf(request).tenant, request.body)),
  );

  app.get(
    '/v1/settings/decision-secret',
    {
      config: { scope: 'settings:write' },
      schema: {
        ...words(
          'Settings',
          'getDecisionSecret',
          'Show the secret that `ask` steps are signed with',
          'Check with it that a question came from here (Standard Webhooks).',
        ),
        response: { 200: decisionSecretSchema },
      },
    },
    async (request) => ({ secret: await masking.decisionSecret(principalOf(request).tenant) }),
  );
}

export function destinationRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/destinations',
    {
      config: { scope: 'programs:read' },
      schema: {
        ...words('Destinations', 'listDestinations', 'List destinations'),
        response: { 200: destinationList },
      },
    },
    async (request) => {
      const destinations = await masking.listDestinations(principalOf(request).tenant);
      return { items: destinations.map(renderDestination) };
    },
  );

  app.get(
    '/v1/destinations/:name',
    {
      config: { scope: 'programs:read', problems: ['not-found'] },
      schema: {
        ...words('Destinations', 'getDestination', 'Read a destination'),
        params: destinationParams,
        response: { 200: destinationSchema },
      },
    },
    async (request) => {
      const destinations = await masking.listDestinations(principalOf(request).tenant);
      const found = destinations.find(({ name }) => name === request.params.name);
      if (!found) throw notFound();
      return renderDestination(found);
    },
  );

  app.put(
    '/v1/destinations/:name',
    {
      config: {
        scope: 'settings:write',
        problems: [
          'invalid-number',
          'number-without-country',
          'number-not-allowed',
          'virtual-number-as-participant',
        ],
      },
      schema: {
        ...words(
          'Destinations',
          'setDestination',
          'Set one of your own numbers as a destination',
          'Only these can be forwarded to: programs name them, and never hold a number.',
        ),
        params: destinationParams,
        body: destinationInSchema,
        response: { 200: destinationSchema },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { phone } = request.body;
      return renderDestination(await masking.setDestination(principalOf(request).tenant, name, phone));
    },
  );

  app.delete(
    '/v1/destinations/:name',
    {
      config: { scope: 'settings:write', problems: ['not-found', 'destination-in-use'] },
      schema: {
        ...words('Destinations', 'deleteDestination', 'Delete a destination that no saved program names'),
        params: destinationParams,
        response: { 204: Type.Null({ description: 'Deleted.' }) },
      },
    },
    async (request, reply) => {
      await masking.deleteDestination(principalOf(request).tenant, checkName(request.params.name));
      return reply.code(204).send(null);
    },
  );
}

function renderDestination({ name, phone }: Destination) {
  return { name, phone };
}

function renderSettings(settings: Settings) {
  const { businessName, timeZone, ringSeconds, maxSeconds, accept, abuseThreshold } = settings;
  const { recordingPolicy, retention, downloadApproval, reportAfterCall } = settings;
  return {
    ...{ businessName, timeZone, ringSeconds, maxSeconds, accept, abuseThreshold },
    ...{ recordingPolicy, retention, downloadApproval, reportAfterCall },
  };
}
