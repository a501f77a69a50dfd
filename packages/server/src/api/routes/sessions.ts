import type { Masking } from '../../masking/service.ts';
import { MaskingError } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { idempotencyOf } from '../idempotency.ts';
import { invalid, invalidParameter } from '../input.ts';
import { fromMasking } from '../problem.ts';
import type { ProblemCode } from '../problem-kinds.ts';
import { type Api, checkId, isId, pageOfQuery, present, renderPage, words } from '../route.ts';
import { idParams, type Json } from '../schemas/common.ts';
import {
  closeSchema,
  newSessionSchema,
  reopenSchema,
  sessionChangeSchema,
  sessionPage,
  sessionQuery,
  sessionSchema,
  sessionSearchSchema,
} from '../schemas/sessions.ts';
import { asWritten, readChange, readLife, readSession } from './session-input.ts';
import { asOpened, renderCreated, renderSession } from './session-view.ts';

const params = idParams('ses', 'session');

/** What can be wrong with people and their numbers, whenever they come into a session. */
const peopleProblems: readonly ProblemCode[] = [
  'invalid-number',
  'number-without-country',
  'number-not-allowed',
  'virtual-number-as-participant',
  'duplicate-number',
  'participant-taken',
  'blocked',
  'subject-restricted',
  'empty-pool',
  'pool-exhausted',
  'number-not-available',
  'no-display-number',
  'pin-unavailable',
];
/** What can be wrong with the terms of a session. */
const termProblems: readonly ProblemCode[] = ['program-invalid', 'unknown-program', 'unknown-destination'];

export function sessionRoutes(app: Api, masking: Masking, publicUrl: () => string): void {
  openRoute(app, masking, publicUrl);
  findRoutes(app, masking);
  changeRoute(app, masking);
  endRoutes(app, masking);
}

function openRoute(app: Api, masking: Masking, publicUrl: () => string): void {
  app.post(
    '/v1/sessions',
    {
      config: {
        scope: 'sessions:write',
        idempotency: 'own',
        problems: [...peopleProblems, ...termProblems, 'unknown-pool'],
      },
      schema: {
        ...words(
          'Sessions',
          'openSession',
          'Open a session',
          'Links the participants for one job and gives each their own virtual number. Without a program everybody else is connected.',
        ),
        body: newSessionSchema,
        response: { 201: sessionSchema },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const session = readSession(body);
      const idempotency = idempotencyOf(request);
      try {
        const created = await masking.createSession(principalOf(request).tenant, session, idempotency);
        if (created.replayed) reply.header('idempotent-replayed', 'true');
        reply.code(201).header('location', `/v1/sessions/${created.id}`);
        const shown = created.replayed ? asOpened(created, session) : created;
        return reply.send(renderCreated(shown, publicUrl()));
      } catch (error) {
        if (!(error instanceof MaskingError)) throw error;
        throw fromMasking(error, (pointer) => asWritten(pointer, body));
      }
    },
  );
}

function findRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/sessions',
    {
      config: { scope: 'sessions:read', problems: ['invalid'] },
      schema: {
        ...words('Sessions', 'listSessions', 'List sessions, newest first'),
        querystring: sessionQuery,
        response: { 200: sessionPage },
      },
    },
    async (request) => {
      const filter = readFilter(request.query, (name, detail) => invalidParameter(name, detail));
      const page = pageOfQuery(request.query, 'ses');
      return renderPage(await masking.listSessions(principalOf(request).tenant, filter, page), renderSession);
    },
  );

  app.post(
    '/v1/sessions/search',
    {
      config: { scope: 'sessions:read', idempotency: 'repeat', problems: ['invalid-number'] },
      schema: {
        ...words('Sessions', 'searchSessions', 'Find sessions, also by a real phone number'),
        body: sessionSearchSchema,
        response: { 200: sessionPage },
      },
    },
    async (request) => {
      const { body } = request;
      const filter = {
        ...readFilter(body, (name, detail) => invalid([{ pointer: `/${name}`, detail }])),
        ...present({ phone: body.phone }),
      };
      const page = pageOfQuery(body, 'ses', true);
      return renderPage(await masking.listSessions(principalOf(request).tenant, filter, page), renderSession);
    },
  );

  app.get(
    '/v1/sessions/:id',
    {
      config: { scope: 'sessions:read', problems: ['not-found'] },
      schema: {
        ...words('Sessions', 'getSession', 'Read a session'),
        params,
        response: { 200: sessionSchema },
      },
    },
    async (request) =>
      renderSession(await masking.getSession(principalOf(request).tenant, checkId('ses', request.params.id))),
  );
}

function changeRoute(app: Api, masking: Masking): void {
  app.patch(
    '/v1/sessions/:id',
    {
      config: {
        scope: 'sessions:write',
        problems: [
          'not-found',
          'session-closed',
          ...peopleProblems,
          ...termProblems,
          'unknown-participant',
          'participant-unreachable',
        ],
      },
      schema: {
        ...words(
          'Sessions',
          'updateSession',
          'Extend or change a session',
          'Null takes a term away. A participant is replaced in place: the new one gets the job, the others keep their numbers, and whoever left is cut off at once.',
        ),
        params,
        body: sessionChangeSchema,
        response: { 200: sessionSchema },
      },
    },
    async (request) => {
      const id = checkId('ses', request.params.id);
      const change = readChange(request.body);
      try {
        return renderSession(await masking.updateSession(principalOf(request).tenant, id, change));
      } catch (error) {
        if (!(error instanceof MaskingError)) throw error;
        throw fromMasking(error, (pointer) => asWritten(pointer, request.body));
      }
    },
  );
}

function endRoutes(app: Api, masking: Masking): void {
  app.post(
    '/v1/sessions/:id/close',
    {
      config: { scope: 'sessions:write', problems: ['not-found'] },
      schema: {
        ...words(
          'Sessions',
          'closeSession',
          'Close a session',
          'When this is answered, nothing connects any more. Closing a closed session answers as it is.',
        ),
        params,
        body: closeSchema,
        response: { 200: sessionSchema },
      },
    },
    async (request) => {
      const id = checkId('ses', request.params.id);
      return renderSession(await masking.closeSession(principalOf(request).tenant, id, request.body));
    },
  );

  app.post(
    '/v1/sessions/:id/reopen',
    {
      config: {
        scope: 'sessions:write',
        problems: [
          'not-found',
          'session-open',
          'blocked',
          'subject-restricted',
          'pool-exhausted',
          'no-display-number',
          'number-not-available',
          'pin-unavailable',
        ],
      },
      schema: {
        ...words(
          'Sessions',
          'reopenSession',
          'Reopen a session',
          'A closed or expired session lives again, with the same numbers where they are still free.',
        ),
        params,
        body: reopenSchema,
        response: { 200: sessionSchema },
      },
    },
    async (request) => {
      const id = checkId('ses', request.params.id);
      const again = readLife(request.body);
      return renderSession(await masking.reopenSession(principalOf(request).tenant, id, again));
    },
  );
}

function readFilter(query: Json<typeof sessionQuery>, refuse: (name: string, detail: string) => Error) {
  const time = (name: 'createdAfter' | 'createdBefore') => {
    const text = query[name];
    if (text === undefined) return undefined;
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw refuse(name, 'is no time of the calendar');
    return date;
  };
  if (query.parent !== undefined && !isId('ses', query.parent)) {
    throw refuse('parent', 'must be the id of a session');
  }
  return present({
    reference: query.reference,
    status: query.status,
    number: query.number,
    parent: query.parent,
    createdAfter: time('createdAfter'),
    createdBefore: time('createdBefore'),
  });
}
