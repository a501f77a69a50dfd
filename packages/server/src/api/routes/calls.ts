import type { Call, Masking } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { invalidParameter } from '../input.ts';
import {
  type Api,
  checkId,
  checkIdParameter,
  pageOfQuery,
  present,
  refuseBody,
  renderPage,
  words,
} from '../route.ts';
import {
  callPage,
  callQuery,
  callSchema,
  callSummaryQuery,
  callSummarySchema,
  explanationSchema,
} from '../schemas/calls.ts';
import { idParams } from '../schemas/common.ts';
import { renderExplanation } from './programs.ts';

const params = idParams('call', 'call');

export function callRoutes(app: Api, masking: Masking): void {
  readRoutes(app, masking);
  explanationRoute(app, masking);
  hangUpRoute(app, masking);
}

function readRoutes(app: Api, masking: Masking): void {
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
      const { session, status } = request.query;
      checkIdParameter('session', 'ses', session, 'a session');
      const filter = present({ session, status, ...periodOf(request.query) });
      const page = pageOfQuery(request.query, 'call');
      return renderPage(await masking.listCalls(principalOf(request).tenant, filter, page), renderCall);
    },
  );

  app.get(
    '/v1/calls/summary',
    {
      config: { scope: 'calls:read', problems: ['invalid'] },
      schema: {
        ...words('Calls', 'summarizeCalls', 'Count calls by what became of them'),
        querystring: callSummaryQuery,
        response: { 200: callSummarySchema },
      },
    },
    async (request) => {
      const count = await masking.countCalls(principalOf(request).tenant, periodOf(request.query));
      return { ...count, outcomes: { ...count.outcomes } };
    },
  );

  app.get(
    '/v1/calls/:id',
    {
      config: { scope: 'calls:read', problems: ['not-found'] },
      schema: {
        ...words('Calls', 'getCall', 'Read a call'),
        params,
        response: { 200: callSchema },
      },
    },
    async (request) =>
      renderCall(await masking.getCall(principalOf(request).tenant, checkId('call', request.params.id))),
  );
}

function periodOf(query: { readonly from?: string; readonly to?: string }) {
  const time = (name: 'from' | 'to'): Date | undefined => {
    const text = query[name];
    if (text === undefined) return undefined;
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw invalidParameter(name, 'is no time of the calendar');
    return date;
  };
  const [from, to] = [time('from'), time('to')];
  if (from && to && from >= to) throw invalidParameter('from', 'must lie before to');
  return present({ from, to });
}

function explanationRoute(app: Api, masking: Masking): void {
  app.get(
    '/v1/calls/:id/explanation',
    {
      config: { scope: 'calls:read', problems: ['not-found', 'no-explanation'] },
      schema: {
        ...words(
          'Calls',
          'explainCall',
          'Say why a call went as it did',
          'Which program, which rules were tried and which fired, what was planned, and what came of each step.',
        ),
        params,
        response: { 200: explanationSchema },
      },
    },
    async (request) => {
      const id = checkId('call', request.params.id);
      return renderExplanation(await masking.explainCall(principalOf(request).tenant, id));
    },
  );
}

function hangUpRoute(app: Api, masking: Masking): void {
  app.post(
    '/v1/calls/:id/hangup',
    {
      config: { scope: 'calls:write', problems: ['invalid', 'not-found', 'call-ended'] },
      schema: {
        ...words(
          'Calls',
          'hangUpCall',
          'Hang up',
          'The call ends within a second, on whichever node it is; the answer is the call as it stands now.',
        ),
        params,
        response: { 200: callSchema },
      },
    },
    async (request) => {
      refuseBody(request.body);
      const id = checkId('call', request.params.id);
      return renderCall(await masking.hangUpCall(principalOf(request).tenant, id));
    },
  );
}

export function renderCall(call: Call) {
  return {
    id: call.id,
    kind: call.kind,
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
      survey: call.survey,
      voicemail: call.voicemail && renderVoicemail(call.voicemail),
      recording: call.recording,
    }),
  };
}

function renderVoicemail({ id, milliseconds, heardAt }: NonNullable<Call['voicemail']>) {
  return { id, ...present({ milliseconds, heardAt: heardAt?.toISOString() }) };
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
