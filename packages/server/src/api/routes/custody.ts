/** Custody of recordings: taking one out of the house, deleting it, marks on it; and holds, which keep it. */
import { Type } from 'typebox';
import type { Download, Hold, Mark, Trust } from '../../trust/service.ts';
import { principalOf } from '../authentication.ts';
import type { ApiLog } from '../options.ts';
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
import { idParams } from '../schemas/common.ts';
import {
  downloadPage,
  downloadQuery,
  downloadSchema,
  holdPage,
  holdQuery,
  holdSchema,
  markList,
  markParams,
  markSchema,
  newDownloadSchema,
  newHoldSchema,
  newMarkSchema,
} from '../schemas/custody.ts';
import { audio, reasonOf, sendRecording } from './recordings.ts';

export function custodyRoutes(app: Api, trust: Trust, log: ApiLog): void {
  downloadRoutes(app, trust, log);
  recordingRoutes(app, trust);
  holdRoutes(app, trust);
}

function downloadRoutes(app: Api, trust: Trust, log: ApiLog): void {
  const { custody } = trust;
  app.post(
    '/v1/calls/:id/recording/downloads',
    {
      config: {
        scope: 'recordings:download',
        problems: ['not-found', 'no-recording', 'subject-restricted'],
      },
      schema: {
        ...words(
          'Custody',
          'requestDownload',
          'Ask to take a recording out of the house',
          'Approved at once, unless the setting `downloadApproval` asks for a second person. Asking again while it waits, or can be fetched, answers the same.',
        ),
        params: idParams('call', 'call'),
        body: newDownloadSchema,
        response: { 201: downloadSchema },
      },
    },
    async (request, reply) => {
      const { tenant } = principalOf(request);
      const call = checkId('call', request.params.id);
      return reply
        .code(201)
        .send(renderDownload(await custody.requestDownload(tenant, call, request.body.reason)));
    },
  );

  app.get(
    '/v1/downloads',
    {
      config: { scope: 'calls:read', problems: ['invalid'] },
      schema: {
        ...words('Custody', 'listDownloads', 'List requests for downloads'),
        querystring: downloadQuery,
        response: { 200: downloadPage },
      },
    },
    async (request) => {
      const { status } = request.query;
      const page = pageOfQuery(request.query, 'dwn');
      const { tenant } = principalOf(request);
      return renderPage(await custody.listDownloads(tenant, present({ status }), page), renderDownload);
    },
  );

  for (const [verb, approve] of [
    ['approve', true],
    ['refuse', false],
  ] as const) {
    app.post(
      `/v1/downloads/:id/${verb}`,
      {
        config: { scope: 'recordings:approve', problems: ['not-found', 'own-request', 'already-decided'] },
        schema: {
          ...words(
            'Custody',
            `${verb}Download`,
            approve ? 'Approve a download' : 'Refuse a download',
            'By somebody else than who asked. An approved one can be fetched for 24 hours.',
          ),
          params: idParams('dwn', 'request'),
          response: { 200: downloadSchema },
        },
      },
      async (request) => {
        refuseBody(request.body);
        const download = checkId('dwn', (request.params as { id: string }).id);
        return renderDownload(await custody.decideDownload(principalOf(request).tenant, download, approve));
      },
    );
  }

  app.get(
    '/v1/downloads/:id/file',
    {
      config: {
        scope: 'recordings:download',
        problems: [
          ...(['not-found', 'download-not-approved', 'no-recording', 'recording-unreadable'] as const),
          ...(['subject-restricted', 'unavailable'] as const),
        ],
      },
      schema: {
        ...words(
          'Custody',
          'fetchDownload',
          'Fetch an approved download',
          'WAV, 8 kHz, stereo, µ-law: the caller left, the other right. For who asked; each time is in the ledger.',
        ),
        params: idParams('dwn', 'request'),
        produces: ['audio/wav'],
        response: { 200: { description: 'The recording.', content: { 'audio/wav': { schema: audio } } } },
      },
    },
    async (request, reply) => {
      const { tenant } = principalOf(request);
      const download = checkId('dwn', request.params.id);
      return sendRecording(request, reply, trust, log, {
        open: () => custody.openDownload(tenant, download),
        encoding: 'mu-law',
        disposition: 'attachment',
      });
    },
  );
}

function recordingRoutes(app: Api, { custody }: Trust): void {
  app.delete(
    '/v1/calls/:id/recording',
    {
      config: {
        scope: 'recordings:approve',
        problems: ['not-found', 'no-recording', 'on-hold', 'reason-required'],
      },
      schema: {
        ...words(
          'Custody',
          'deleteRecording',
          'Delete a recording',
          'Its key is destroyed at once, so no copy of the file can be read any more. Its hash stays, in the ledger.',
        ),
        params: idParams('call', 'call'),
        headers: Type.Object({
          'x-access-reason': Type.Optional(
            Type.String({
              description: 'Why, 3 to 500 characters.',
              examples: ['asked for by the customer'],
            }),
          ),
        }),
        response: { 204: Type.Null({ description: 'Deleted.' }) },
      },
    },
    async (request, reply) => {
      const reason = reasonOf(request, undefined);
      const call = checkId('call', request.params.id);
      await custody.deleteRecording(principalOf(request).tenant, call, reason);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/calls/:id/marks',
    {
      config: { scope: 'recordings:listen', problems: ['not-found', 'no-recording'] },
      schema: {
        ...words('Custody', 'listMarks', 'List the marks on a recording', 'In the order of the talk.'),
        params: idParams('call', 'call'),
        response: { 200: markList },
      },
    },
    async (request) => {
      const call = checkId('call', request.params.id);
      return { items: (await custody.listMarks(principalOf(request).tenant, call)).map(renderMark) };
    },
  );

  app.post(
    '/v1/calls/:id/marks',
    {
      config: { scope: 'recordings:listen', problems: ['not-found', 'no-recording'] },
      schema: {
        ...words('Custody', 'addMark', 'Mark a moment of a recording', 'At most 200; they go with it.'),
        params: idParams('call', 'call'),
        body: newMarkSchema,
        response: { 201: markSchema },
      },
    },
    async (request, reply) => {
      const call = checkId('call', request.params.id);
      const mark = await custody.addMark(principalOf(request).tenant, call, request.body);
      return reply.code(201).send(renderMark(mark));
    },
  );

  app.delete(
    '/v1/calls/:id/marks/:mark',
    {
      config: { scope: 'recordings:listen', problems: ['not-found', 'no-recording'] },
      schema: {
        ...words('Custody', 'removeMark', 'Remove a mark'),
        params: markParams,
        response: { 204: Type.Null({ description: 'Removed.' }) },
      },
    },
    async (request, reply) => {
      const call = checkId('call', request.params.id);
      const mark = checkId('mrk', request.params.mark);
      await custody.removeMark(principalOf(request).tenant, call, mark);
      return reply.code(204).send(null);
    },
  );
}

function holdRoutes(app: Api, { custody }: Trust): void {
  app.post(
    '/v1/holds',
    {
      config: { scope: 'disputes:write', problems: ['not-found'] },
      schema: {
        ...words(
          'Custody',
          'placeHold',
          'Keep a session from being deleted',
          'From now on no recording of it is deleted, by hand or by retention, until the hold is released.',
        ),
        body: newHoldSchema,
        response: { 201: holdSchema },
      },
    },
    async (request, reply) => {
      const { session, reason } = request.body;
      const hold = await custody.placeHold(principalOf(request).tenant, { session, reason });
      return reply.code(201).send(renderHold(hold));
    },
  );

  app.get(
    '/v1/holds',
    {
      config: { scope: 'disputes:read', problems: ['invalid'] },
      schema: {
        ...words('Custody', 'listHolds', 'List holds'),
        querystring: holdQuery,
        response: { 200: holdPage },
      },
    },
    async (request) => {
      const { session, active } = request.query;
      checkIdParameter('session', 'ses', session, 'a session');
      const page = pageOfQuery(request.query, 'hld');
      const filter = present({ session, active: active === undefined ? undefined : active === 'true' });
      return renderPage(await custody.listHolds(principalOf(request).tenant, filter, page), renderHold);
    },
  );

  app.post(
    '/v1/holds/:id/release',
    {
      config: { scope: 'disputes:write', problems: ['not-found'] },
      schema: {
        ...words('Custody', 'releaseHold', 'Release a hold', 'One that was released before stays as it was.'),
        params: idParams('hld', 'hold'),
        response: { 200: holdSchema },
      },
    },
    async (request) => {
      refuseBody(request.body);
      const hold = checkId('hld', request.params.id);
      return renderHold(await custody.releaseHold(principalOf(request).tenant, hold));
    },
  );
}

function renderDownload(download: Download) {
  const { id, call, reason, status, requestedBy, requestedAt, decidedBy } = download;
  return {
    ...{ id, call, reason, status, requestedBy },
    requestedAt: requestedAt.toISOString(),
    ...present({
      decidedBy,
      decidedAt: download.decidedAt?.toISOString(),
      expiresAt: download.expiresAt?.toISOString(),
    }),
  };
}

function renderMark({ id, milliseconds, note, by, at }: Mark) {
  return { id, milliseconds, note, by, at: at.toISOString() };
}

function renderHold(hold: Hold) {
  const { id, session, reason, placedBy, placedAt } = hold;
  return {
    ...{ id, session, reason, placedBy },
    placedAt: placedAt.toISOString(),
    ...present({ dispute: hold.dispute, releasedAt: hold.releasedAt?.toISOString() }),
  };
}
