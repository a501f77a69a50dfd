/** What is done with one participant: their number shown, another phone of theirs added, a call made for them, their link. */
import { Type } from 'typebox';
import type { Masking } from '../../masking/service.ts';
import type { Trust } from '../../trust/service.ts';
import { principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import type { Telephone } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Api, asNotFound, checkId, present, refuseBody, words } from '../route.ts';
import { callSchema } from '../schemas/calls.ts';
import { idParams } from '../schemas/common.ts';
import {
  claimSchema,
  participantParams,
  revealedSchema,
  revealSchema,
  transparencyLinkSchema,
} from '../schemas/participants.ts';
import { clickToCallSchema } from '../schemas/sessions.ts';
import { renderCall } from './calls.ts';

export function participantRoutes(app: Api, masking: Masking, telephone: Telephone | undefined): void {
  revealRoute(app, masking);
  claimRoute(app, masking);
  clickToCallRoute(app, masking, telephone);
}

function revealRoute(app: Api, masking: Masking): void {
  app.post(
    '/v1/sessions/:id/participants/:participant/reveal',
    {
      config: { scope: 'pii:reveal', idempotency: 'repeat', problems: ['not-found', 'subject-restricted'] },
      schema: {
        ...words(
          'Sessions',
          'revealPhone',
          'Show a participant’s real number',
          'Each use is written to the ledger, with the key and the reason.',
        ),
        params: participantParams,
        body: revealSchema,
        response: { 200: revealedSchema },
      },
    },
    async (request) => {
      const { tenant, actor } = principalOf(request);
      const session = checkId('ses', request.params.id);
      const participant = checkId('par', request.params.participant);
      const { reason } = request.body;
      if (reason.trim().length < 3) {
        throw invalid([{ pointer: '/reason', detail: 'must say why, in at least 3 characters' }]);
      }
      const phones = await masking.revealPhone(tenant, session, participant, { actor, reason });
      return { participant, phones: [...phones] };
    },
  );
}

function claimRoute(app: Api, masking: Masking): void {
  app.post(
    '/v1/sessions/:id/participants/:participant/claims',
    {
      config: {
        scope: 'sessions:write',
        problems: ['invalid', 'not-found', 'session-closed', 'participant-unreachable', 'pin-unavailable'],
      },
      schema: {
        ...words(
          'Sessions',
          'claimPhone',
          'Let a participant add the phone they call from',
          'They call `dial` from that phone and key the code, within 15 minutes. The phone is theirs for this session.',
        ),
        params: participantParams,
        response: { 201: claimSchema },
      },
    },
    async (request, reply) => {
      refuseBody(request.body);
      const session = checkId('ses', request.params.id);
      const participant = checkId('par', request.params.participant);
      const claim = masking.createClaim(principalOf(request).tenant, session, participant);
      const { code, dial, expiresAt } = await claim.catch(asNotFound('unknown-participant'));
      return reply.code(201).send({ code, dial, expiresAt: expiresAt.toISOString() });
    },
  );
}

function clickToCallRoute(app: Api, masking: Masking, telephone: Telephone | undefined): void {
  app.post(
    '/v1/sessions/:id/calls',
    {
      config: {
        scope: 'calls:write',
        problems: [
          'not-found',
          'session-closed',
          'unknown-participant',
          'participant-unreachable',
          'blocked',
          'subject-restricted',
          'no-display-number',
          'number-not-available',
        ],
      },
      schema: {
        ...words(
          'Sessions',
          'clickToCall',
          'Call two participants together',
          'Rings `from`, then the other; both see only their virtual number. Answered as soon as it is decided: `GET /v1/calls/{id}` tells what becomes of it.',
        ),
        params: idParams('ses', 'session'),
        body: clickToCallSchema,
        response: { 202: callSchema },
      },
    },
    async (request, reply) => {
      const { tenant } = principalOf(request);
      const session = checkId('ses', request.params.id);
      const { from, to } = request.body;
      if (from === to) throw invalid([{ pointer: '/to', detail: 'must be another participant than from' }]);
      if (!telephone) {
        throw new Problem('unavailable', 'This installation makes no calls itself.', {
          retryAfterSeconds: 60,
        });
      }
      const call = await telephone.call({ tenant, session, from, ...present({ to }) });
      reply.code(202).header('location', `/v1/calls/${call}`);
      return reply.send(renderCall(await masking.getCall(tenant, call)));
    },
  );
}

/** The participant's own link to what is done with their data: made with the session, renewed and taken back here. */
export function transparencyLinkRoutes(app: Api, { transparency }: Trust, publicUrl: () => string): void {
  const path = '/v1/sessions/:id/participants/:participant/transparency';
  app.post(
    path,
    {
      config: { scope: 'sessions:write', problems: ['invalid', 'not-found'] },
      schema: {
        ...words(
          'Sessions',
          'renewTransparencyLink',
          'Give a participant a new link to their page',
          'The one before stops to work at once. Send the new one to the participant only.',
        ),
        params: participantParams,
        response: { 201: transparencyLinkSchema },
      },
    },
    async (request, reply) => {
      refuseBody(request.body);
      const session = checkId('ses', request.params.id);
      const participant = checkId('par', request.params.participant);
      const token = await transparency.renew(principalOf(request).tenant, session, participant);
      return reply.code(201).send({ transparencyUrl: `${publicUrl()}/t/${token}` });
    },
  );

  app.delete(
    path,
    {
      config: { scope: 'sessions:write', problems: ['not-found'] },
      schema: {
        ...words(
          'Sessions',
          'revokeTransparencyLink',
          'Take a participant’s link back',
          'It stops to work at once; a new one can be made later.',
        ),
        params: participantParams,
        response: { 204: Type.Null({ description: 'The link does not work any more.' }) },
      },
    },
    async (request, reply) => {
      const session = checkId('ses', request.params.id);
      const participant = checkId('par', request.params.participant);
      await transparency.revoke(principalOf(request).tenant, session, participant);
      return reply.code(204).send(null);
    },
  );
}
