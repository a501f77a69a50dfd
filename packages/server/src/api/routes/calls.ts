import type { Call, Masking } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { invalidParameter } from '../input.ts';
import { type Api, checkId, pageOfQuery, present, renderPage, words } from '../route.ts';
import { callPage, callQuery, callSchema } from '../schemas/calls.ts';
import { idParams } from '../schemas/common.ts';

export function callRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/calls',
    {
      config: { scope: 'calls:read', problems: ['invalid'] },
      schema: {
        ...words('Calls', 'listCalls', 'List calls, newest first'),
        querystring: callQuery,
        response: { 200: callPage },
      },
    },
    async (request) => {
      const { session } = request.query;
      if (session !== undefined && !/^ses_[0-9a-f]{32}$/.test(session)) {
        throw invalidParameter('session', 'must be the id of a session');
      }
      const page = pageOfQuery(request.query, 'call');
      const calls = await masking.listCalls(principalOf(request).tenant, present({ session }), page);
      return renderPage(calls, renderCall);
    },
  );

  app.get(
    '/v1/calls/:id',
    {
      config: { scope: 'calls:read', problems: ['not-found'] },
      schema: {
        ...words('Calls', 'getCall', 'Read a call'),
        params: idParams('call', 'call'),
        response: { 200: callSchema },
      },
    },
    async (request) =>
      renderCall(await masking.getCall(principalOf(request).tenant, checkId('call', request.params.id))),
  );
}

function renderCall(call: Call) {
  return {
    id: call.id,
    number: call.number,
    status: call.status,
    startedAt: call.startedAt.toISOString(),
    legs: call.legs.map(renderLeg),
    ...present({
      session: call.session,
      participant: call.participant,
      outcome: call.outcome,
      refusal: call.refusal,
      hangupBy: call.hangupBy,
      hangupCause: call.hangupCause,
      answeredAt: call.answeredAt?.toISOString(),
      endedAt: call.endedAt?.toISOString(),
      recording: call.recording,
    }),
  };
}

function renderLeg(leg: Call['legs'][number]) {
  return {
    number: leg.number,
    carrier: leg.carrier,
    direction: leg.direction,
    startedAt: leg.startedAt.toISOString(),
    ...present({
      participant: leg.participant,
      sipStatus: leg.sipStatus,
      answeredAt: leg.answeredAt?.toISOString(),
      endedAt: leg.endedAt?.toISOString(),
      quality: leg.quality,
    }),
  };
}
