/** Complaints under investigation: what was said, who looks at it, what became of it. */
import type { Masking } from '../../masking/service.ts';
import type { Dispute, DisputeFile, DisputeNote, Trust } from '../../trust/service.ts';
import { principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import {
  type Api,
  checkId,
  checkIdParameter,
  pageOfQuery,
  present,
  readTime,
  renderPage,
  words,
} from '../route.ts';
import { idParams, type Json } from '../schemas/common.ts';
import {
  disputeChangeSchema,
  disputeFileSchema,
  disputePage,
  disputeQuery,
  disputeSchema,
  newDisputeSchema,
  newNoteSchema,
  noteSchema,
  verdictSchema,
} from '../schemas/disputes.ts';

const params = idParams('dsp', 'dispute');

export function disputeRoutes(app: Api, { disputes }: Trust, masking: Masking): void {
  openRoute(app, disputes, masking);
  readRoutes(app, disputes);
  changeRoutes(app, disputes);
}

function openRoute(app: Api, disputes: Trust['disputes'], masking: Masking): void {
  app.post(
    '/v1/disputes',
    {
      config: { scope: 'disputes:write', problems: ['not-found', 'unknown-participant'] },
      schema: {
        ...words(
          'Disputes',
          'openDispute',
          'Open a dispute',
          'Its session’s recordings and records are held until it is resolved. While one of yours about the same session and person stands open, that one is answered; a new statement becomes a note of it.',
        ),
        body: newDisputeSchema,
        response: { 201: disputeSchema },
      },
    },
    async (request, reply) => {
      const { tenant, actor } = principalOf(request);
      const { call, category, statement, against } = request.body;
      const session = request.body.session ?? (await sessionOf(masking, tenant, call));
      const opened = await disputes.open(tenant, {
        ...{ session, category, statement, openedBy: { kind: 'operator', id: actor } },
        ...present({ call, against }),
      });
      return reply.code(201).header('location', `/v1/disputes/${opened.id}`).send(renderDispute(opened));
    },
  );
}

async function sessionOf(masking: Masking, tenant: string, call: string | undefined): Promise<string> {
  if (call === undefined) throw invalid([{ pointer: '', detail: 'must have session or call' }]);
  const { session } = await masking.getCall(tenant, call);
  if (session === undefined) throw invalid([{ pointer: '/call', detail: 'must be a call of a session' }]);
  return session;
}

function readRoutes(app: Api, disputes: Trust['disputes']): void {
  app.get(
    '/v1/disputes',
    {
      config: { scope: 'disputes:read', problems: ['invalid'] },
      schema: {
        ...words('Disputes', 'listDisputes', 'List disputes, newest first'),
        querystring: disputeQuery,
        response: { 200: disputePage },
      },
    },
    async (request) => {
      const { status, assignee, session } = request.query;
      if (assignee !== 'none') checkIdParameter('assignee', 'usr', assignee, 'a user, or none');
      checkIdParameter('session', 'ses', session, 'a session');
      const page = pageOfQuery(request.query, 'dsp');
      const filter = present({ status, session, assignee: assignee === 'none' ? null : assignee });
      return renderPage(await disputes.list(principalOf(request).tenant, filter, page), renderDispute);
    },
  );

  app.get(
    '/v1/disputes/:id',
    {
      config: { scope: 'disputes:read', problems: ['not-found'] },
      schema: {
        ...words(
          'Disputes',
          'getDispute',
          'Read a dispute',
          'With its notes, the session’s calls, the hold, and its history in the ledger.',
        ),
        params,
        response: { 200: disputeFileSchema },
      },
    },
    async (request) =>
      renderFile(await disputes.get(principalOf(request).tenant, checkId('dsp', request.params.id))),
  );
}

function changeRoutes(app: Api, disputes: Trust['disputes']): void {
  app.patch(
    '/v1/disputes/:id',
    {
      config: {
        scope: 'disputes:write',
        problems: ['not-found', 'dispute-changed', 'dispute-resolved', 'unknown-participant'],
      },
      schema: {
        ...words(
          'Disputes',
          'changeDispute',
          'Change a dispute',
          'Only as the version that you read: who is second reads it again. A verdict that is taken back becomes a note.',
        ),
        params,
        body: disputeChangeSchema,
        response: { 200: disputeSchema },
      },
    },
    async (request) => {
      const { version, ...change } = request.body;
      const dispute = checkId('dsp', request.params.id);
      const { tenant } = principalOf(request);
      return renderDispute(await disputes.update(tenant, dispute, { version, ...present(change) }));
    },
  );

  app.post(
    '/v1/disputes/:id/notes',
    {
      config: { scope: 'disputes:write', problems: ['not-found'] },
      schema: {
        ...words(
          'Disputes',
          'addDisputeNote',
          'Add a note',
          'Notes are never changed. At most 500 a dispute.',
        ),
        params,
        body: newNoteSchema,
        response: { 201: noteSchema },
      },
    },
    async (request, reply) => {
      const dispute = checkId('dsp', request.params.id);
      const note = await disputes.addNote(principalOf(request).tenant, dispute, request.body.text);
      return reply.code(201).send(renderNote(note));
    },
  );

  app.post(
    '/v1/disputes/:id/verdict',
    {
      config: {
        scope: 'disputes:write',
        problems: ['not-found', 'dispute-changed', 'dispute-resolved', 'participant-unreachable'],
      },
      schema: {
        ...words(
          'Disputes',
          'decideDispute',
          'Decide a dispute',
          'Resolves it, lets go of its hold and, with `block`, keeps the person that it is about from reaching others: all at once.',
        ),
        params,
        body: verdictSchema,
        response: { 200: disputeSchema },
      },
    },
    async (request) => {
      const dispute = checkId('dsp', request.params.id);
      const { tenant } = principalOf(request);
      return renderDispute(await disputes.decide(tenant, dispute, readVerdict(request.body)));
    },
  );
}

function readVerdict({ version, verdict, text, block }: Json<typeof verdictSchema>) {
  if (block === undefined) return { version, verdict, text };
  const { towards, expiresAt } = block;
  const until = expiresAt === undefined ? undefined : readTime(expiresAt, '/block/expiresAt');
  return { version, verdict, text, block: { towards, ...present({ expiresAt: until }) } };
}

function renderDispute(dispute: Dispute) {
  const { id, session, category, status, version, openedBy, statement, verdict } = dispute;
  return {
    ...{ id, session, category, status, version, statement },
    openedBy: { kind: openedBy.kind, id: openedBy.id },
    openedAt: dispute.openedAt.toISOString(),
    updatedAt: dispute.updatedAt.toISOString(),
    ...present({
      call: dispute.call,
      against: dispute.against,
      assignee: dispute.assignee,
      redactedAt: dispute.redactedAt?.toISOString(),
      verdict: verdict && { ...verdict, at: verdict.at.toISOString() },
    }),
  };
}

function renderNote({ id, by, at, text }: DisputeNote) {
  return { id, by, at: at.toISOString(), text };
}

function renderFile(file: DisputeFile) {
  return {
    ...renderDispute(file),
    notes: file.notes.map(renderNote),
    calls: [...file.calls],
    ...present({ hold: file.hold }),
    history: file.history.map((entry) => ({
      ...entry,
      at: entry.at.toISOString(),
      details: { ...entry.details },
    })),
  };
}
