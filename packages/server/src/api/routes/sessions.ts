import type { CreatedSession, Masking, NewSession, Session } from '../../masking/service.ts';
import { MaskingError } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { idempotencyOf } from '../idempotency.ts';
import { invalid, invalidParameter } from '../input.ts';
import { fromMasking } from '../problem.ts';
import { type Api, checkId, pageOfQuery, present, readTime, renderPage, words } from '../route.ts';
import { idParams, type Json, maxMetadataBytes } from '../schemas/common.ts';
import {
  closeSchema,
  newSessionSchema,
  participantParams,
  revealedSchema,
  revealSchema,
  sessionChangeSchema,
  sessionPage,
  sessionQuery,
  sessionSchema,
  sessionSearchSchema,
} from '../schemas/sessions.ts';

const params = idParams('ses', 'session');
const maxLifeMilliseconds = 31_536_000_000;
/** The heart's default: a day covers a delivery and most visits. */
const defaultTtlSeconds = 86_400;

export function sessionRoutes(app: Api, masking: Masking, publicUrl: () => string): void {
  openRoute(app, masking, publicUrl);
  findRoutes(app, masking);
  changeRoutes(app, masking);
  revealRoute(app, masking);
}

function openRoute(app: Api, masking: Masking, publicUrl: () => string): void {
  app.post(
    '/v1/sessions',
    {
      config: {
        scope: 'sessions:write',
        idempotency: 'own',
        problems: [
          'not-yet-supported',
          'invalid-number',
          'number-without-country',
          'number-not-allowed',
          'virtual-number-as-participant',
          'duplicate-number',
          'unknown-pool',
          'empty-pool',
          'pool-exhausted',
        ],
      },
      schema: {
        ...words(
          'Sessions',
          'openSession',
          'Open a session',
          'Links the participants for one job and gives each their own virtual number.',
        ),
        body: newSessionSchema,
        response: { 201: sessionSchema },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const session = {
        ...present({
          reference: body.reference,
          pool: body.pool,
          idleSeconds: body.idleSeconds,
          recording: body.recording,
          sharedNumber: body.sharedNumber,
        }),
        ...readMetadata(body.metadata),
        ...readLife(body),
        participants: readParticipants(body.participants),
      };
      const idempotency = idempotencyOf(request);
      try {
        const created = await masking.createSession(principalOf(request).tenant, session, idempotency);
        if (created.replayed) reply.header('idempotent-replayed', 'true');
        reply.code(201).header('location', `/v1/sessions/${created.id}`);
        const shown = created.replayed ? asOpened(created, session) : created;
        return reply.send(renderCreated(shown, publicUrl()));
      } catch (error) {
        if (!(error instanceof MaskingError)) throw error;
        throw fromMasking(error, (pointer) => asWritten(pointer, body.participants));
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

function changeRoutes(app: Api, masking: Masking): void {
  app.patch(
    '/v1/sessions/:id',
    {
      config: { scope: 'sessions:write', problems: ['not-found', 'not-yet-supported', 'session-closed'] },
      schema: {
        ...words('Sessions', 'updateSession', 'Extend or change a session'),
        params,
        body: sessionChangeSchema,
        response: { 200: sessionSchema },
      },
    },
    async (request) => {
      const { body } = request;
      const change = {
        ...present({
          reference: body.reference,
          recording: body.recording,
          idleSeconds: body.idleSeconds,
        }),
        ...readMetadata(body.metadata),
        ...readLife(body),
      };
      const id = checkId('ses', request.params.id);
      return renderSession(await masking.updateSession(principalOf(request).tenant, id, change));
    },
  );

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
}

function revealRoute(app: Api, masking: Masking): void {
  app.post(
    '/v1/sessions/:id/participants/:participant/reveal',
    {
      config: { scope: 'pii:reveal', idempotency: 'repeat', problems: ['not-found'] },
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

function readParticipants(participants: Json<typeof newSessionSchema>['participants']) {
  const errors = participants.flatMap((participant, index) =>
    (participant.phone === undefined) === (participant.phones === undefined)
      ? [{ pointer: `/participants/${index}`, detail: 'must have exactly one of phone and phones' }]
      : [],
  );
  if (errors.length > 0) throw invalid(errors);
  return participants.map(({ role, phone, phones, name, locale }) => ({
    role,
    phones: phones ?? (phone === undefined ? [] : [phone]),
    ...present({ name, locale }),
  }));
}

/** The heart knows a list of phones; who wrote `phone` is pointed to that. */
function asWritten(pointer: string, participants: Json<typeof newSessionSchema>['participants']): string {
  const match = /^\/participants\/(\d+)\/phones(?:\/0)?$/.exec(pointer);
  const single = match && participants[Number(match[1])]?.phone !== undefined;
  return single ? `/participants/${match[1]}/phone` : pointer;
}

function readLife(body: { readonly ttlSeconds?: number; readonly expiresAt?: string }): {
  readonly ttlSeconds?: number;
  readonly expiresAt?: Date;
} {
  const { ttlSeconds, expiresAt } = body;
  if (ttlSeconds !== undefined && expiresAt !== undefined) {
    throw invalid([
      { pointer: '/expiresAt', detail: 'cannot stand together with ttlSeconds; give one of them' },
    ]);
  }
  if (ttlSeconds !== undefined) return { ttlSeconds };
  if (expiresAt === undefined) return {};
  const date = readTime(expiresAt, '/expiresAt');
  const left = date.getTime() - Date.now();
  if (left <= 0) throw invalid([{ pointer: '/expiresAt', detail: 'must lie in the future' }]);
  if (left > maxLifeMilliseconds) {
    throw invalid([{ pointer: '/expiresAt', detail: 'must be at most 365 days from now' }]);
  }
  return { expiresAt: date };
}

function readMetadata(metadata: Readonly<Record<string, unknown>> | undefined): {
  readonly metadata?: Readonly<Record<string, unknown>>;
} {
  if (metadata === undefined) return {};
  if (Buffer.byteLength(JSON.stringify(metadata)) > maxMetadataBytes) {
    throw invalid([{ pointer: '/metadata', detail: `must take at most ${maxMetadataBytes} bytes of JSON` }]);
  }
  return { metadata };
}

function readFilter(query: Json<typeof sessionQuery>, refuse: (name: string, detail: string) => Error) {
  const time = (name: 'createdAfter' | 'createdBefore') => {
    const text = query[name];
    if (text === undefined) return undefined;
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw refuse(name, 'is no time of the calendar');
    return date;
  };
  return present({
    reference: query.reference,
    status: query.status,
    number: query.number,
    createdAfter: time('createdAfter'),
    createdBefore: time('createdBefore'),
  });
}

function renderSession(session: Session) {
  const { id, pool, status, recording, sharedNumber } = session;
  return {
    ...{ id, status },
    ...present({ reference: session.reference }),
    ...{ pool, recording, sharedNumber },
    createdAt: session.createdAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    ...present({
      idleSeconds: session.idleSeconds,
      closedAt: session.closedAt?.toISOString(),
      closeReason: session.closeReason,
    }),
    metadata: { ...session.metadata },
    participants: session.participants.map((participant) => ({
      id: participant.id,
      role: participant.role,
      dial: participant.dial,
      phone: participant.phone,
      phones: [...participant.phones],
      ...present({ locale: participant.locale }),
    })),
  };
}

/**
 * A repetition is answered as the first time, though the session may have been changed or closed since: what can
 * change is taken from the request, which is the same.
 */
function asOpened(created: CreatedSession, asked: NewSession): CreatedSession {
  const life = (asked.ttlSeconds ?? defaultTtlSeconds) * 1000;
  const { id, pool, sharedNumber, createdAt, participants, transparencyTokens, replayed } = created;
  return {
    ...{ id, pool, sharedNumber, createdAt, participants, transparencyTokens, replayed },
    ...present({ reference: asked.reference, idleSeconds: asked.idleSeconds }),
    status: 'open',
    recording: asked.recording ?? 'off',
    expiresAt: asked.expiresAt ?? new Date(createdAt.getTime() + life),
    metadata: asked.metadata ?? {},
  };
}

function renderCreated(created: CreatedSession, publicUrl: string) {
  const session = renderSession(created);
  return {
    ...session,
    participants: session.participants.map((participant) => {
      const token = created.transparencyTokens.get(participant.id);
      return {
        ...participant,
        ...(token === undefined ? {} : { transparencyUrl: `${publicUrl}/t/${token}` }),
      };
    }),
  };
}
