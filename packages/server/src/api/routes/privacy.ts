/** What people may ask of the business about themselves, and who was affected when something went wrong. */

import { affectedCsv, callsCsv, exportPage } from '../../trust/index.ts';
import type { ErasureReceipt, RightsRequest, SubjectRef, Trust } from '../../trust/service.ts';
import { principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import { type Api, checkId, pageOfQuery, present, readTime, renderPage, words } from '../route.ts';
import { idParams, type Json } from '../schemas/common.ts';
import {
  breachQuery,
  breachQuestionSchema,
  breachReportSchema,
  decideSchema,
  exportQuery,
  exportSchema,
  liftSchema,
  privacyRequestPage,
  privacyRequestSchema,
  requestQuery,
  subjectSchema,
} from '../schemas/privacy.ts';

const subjectProblems = [
  'invalid',
  'not-found',
  'invalid-number',
  'number-without-country',
  'number-not-allowed',
  'subject-erased',
] as const;

export function privacyRoutes(app: Api, { rights }: Trust): void {
  const actions = [
    [
      'export',
      'exportPerson',
      'Collect everything held on a person',
      'Runs by itself, within a minute. Read it with `GET …/export` once the request is `done`; it is kept for 7 days.',
      rights.requestExport,
    ],
    [
      'erase',
      'erasePerson',
      'Destroy everything held on a person',
      'Runs by itself, within a minute; their calls end, their sessions close. It cannot be undone. The request then holds a signed receipt.',
      rights.requestErasure,
    ],
    [
      'restrict',
      'restrictPerson',
      'Stop using a person’s data',
      'At once: no new session, no call, no listening, until it is lifted.',
      rights.restrict,
    ],
  ] as const;
  for (const [path, operation, summary, description, act] of actions) {
    app.post(
      `/v1/privacy/${path}`,
      {
        config: { scope: 'privacy:write', problems: subjectProblems },
        schema: {
          ...words('Privacy', operation, summary, description),
          body: subjectSchema,
          response: { 202: privacyRequestSchema },
        },
      },
      async (request, reply) => {
        const { subject, reason } = readSubject(request.body);
        const made = await act(principalOf(request).tenant, subject, reason);
        return reply.code(202).send(renderRequest(made));
      },
    );
  }
  readingRoutes(app, rights);
  decisionRoutes(app, rights);
  breachRoute(app, rights);
}

function readingRoutes(app: Api, rights: Trust['rights']): void {
  app.get(
    '/v1/privacy/requests',
    {
      config: { scope: 'privacy:write', problems: ['invalid'] },
      schema: {
        ...words('Privacy', 'listPrivacyRequests', 'List requests', 'Newest first.'),
        querystring: requestQuery,
        response: { 200: privacyRequestPage },
      },
    },
    async (request) => {
      const { kind, status } = request.query;
      const page = pageOfQuery(request.query, 'prv');
      const filter = present({ kind, status });
      return renderPage(await rights.list(principalOf(request).tenant, filter, page), renderRequest);
    },
  );

  app.get(
    '/v1/privacy/requests/:id',
    {
      config: { scope: 'privacy:write', problems: ['not-found'] },
      schema: {
        ...words('Privacy', 'getPrivacyRequest', 'Read a request'),
        params: idParams('prv', 'request'),
        response: { 200: privacyRequestSchema },
      },
    },
    async (request) =>
      renderRequest(await rights.get(principalOf(request).tenant, checkId('prv', request.params.id))),
  );

  app.get(
    '/v1/privacy/requests/:id/export',
    {
      config: {
        scope: 'privacy:write',
        problems: ['invalid', 'not-found', 'request-not-ready', 'subject-erased'],
      },
      schema: {
        ...words(
          'Privacy',
          'readPersonExport',
          'Read what was collected',
          'For the person: their own number stands in it. As JSON, as a page to read, or the calls as a table. Each reading is written to the ledger.',
        ),
        params: idParams('prv', 'request'),
        querystring: exportQuery,
        produces: ['application/json', 'text/html', 'text/csv'],
        response: {
          200: {
            description: 'The export.',
            content: {
              'application/json': { schema: exportSchema },
              'text/html': { schema: textSchema },
              'text/csv': { schema: textSchema },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { tenant } = principalOf(request);
      const id = checkId('prv', request.params.id);
      const exported = await rights.readExport(tenant, id);
      reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
      const format = request.query.format ?? 'json';
      reply.header('content-disposition', `attachment; filename="${id}.${format}"`);
      switch (format) {
        case 'json':
          return reply.type('application/json; charset=utf-8').send(JSON.stringify(exported) as never);
        case 'html':
          return reply
            .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
            .type('text/html; charset=utf-8')
            .send(exportPage(exported) as never);
        case 'csv':
          return reply.type('text/csv; charset=utf-8').send(callsCsv(exported) as never);
      }
    },
  );
}

const textSchema = { type: 'string' } as const;

function decisionRoutes(app: Api, rights: Trust['rights']): void {
  app.post(
    '/v1/privacy/requests/:id/decide',
    {
      config: { scope: 'privacy:write', problems: ['invalid', 'not-found', 'already-decided'] },
      schema: {
        ...words(
          'Privacy',
          'decidePrivacyRequest',
          'Grant or refuse what a person asked for on their page',
          'Once.',
        ),
        params: idParams('prv', 'request'),
        body: decideSchema,
        response: { 200: privacyRequestSchema },
      },
    },
    async (request) => {
      const { grant, reason } = request.body;
      checkReason(reason);
      const id = checkId('prv', request.params.id);
      return renderRequest(await rights.decideAsked(principalOf(request).tenant, id, grant, reason));
    },
  );

  app.post(
    '/v1/privacy/requests/:id/lift',
    {
      config: { scope: 'privacy:write', problems: ['invalid', 'not-found'] },
      schema: {
        ...words('Privacy', 'liftRestriction', 'Lift a restriction', 'Their number may be used again.'),
        params: idParams('prv', 'request'),
        body: liftSchema,
        response: { 200: privacyRequestSchema },
      },
    },
    async (request) => {
      const id = checkId('prv', request.params.id);
      return renderRequest(await rights.liftRestriction(principalOf(request).tenant, id));
    },
  );
}

function breachRoute(app: Api, rights: Trust['rights']): void {
  app.post(
    '/v1/privacy/breach-report',
    {
      config: { scope: 'privacy:write', idempotency: 'repeat', problems: ['invalid'] },
      schema: {
        ...words(
          'Privacy',
          'reportBreach',
          'Find who was affected',
          'From the ledger: the people whom what somebody did in a time has touched. The report is a ledger entry itself.',
        ),
        querystring: breachQuery,
        body: breachQuestionSchema,
        produces: ['application/json', 'text/csv'],
        response: {
          200: {
            description: 'Who was affected.',
            content: {
              'application/json': { schema: breachReportSchema },
              'text/csv': { schema: textSchema },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { from, to, actor, kinds } = request.body;
      const report = await rights.breachReport(principalOf(request).tenant, {
        from: readTime(from, '/from'),
        to: readTime(to, '/to'),
        ...present({ actor, kinds }),
      });
      reply.header('cache-control', 'no-store');
      if (request.query.format === 'csv') {
        return reply
          .header('content-disposition', 'attachment; filename="breach-report.csv"')
          .type('text/csv; charset=utf-8')
          .send(affectedCsv(report.people) as never);
      }
      return reply.type('application/json; charset=utf-8').send({
        entries: report.entries,
        people: report.people.map((one) => ({
          ...one,
          first: one.first.toISOString(),
          last: one.last.toISOString(),
          kinds: [...one.kinds],
        })),
        cut: report.cut,
      });
    },
  );
}

function readSubject({ phone, participant, reason }: Json<typeof subjectSchema>): {
  readonly subject: SubjectRef;
  readonly reason: string;
} {
  if ((phone === undefined) === (participant === undefined)) {
    throw invalid([{ pointer: '', detail: 'must have exactly one of phone and participant' }]);
  }
  checkReason(reason);
  return { subject: phone === undefined ? { participant: participant ?? '' } : { phone }, reason };
}

function checkReason(reason: string): void {
  if (reason.trim().length < 3) {
    throw invalid([{ pointer: '/reason', detail: 'must say why, in at least 3 characters' }]);
  }
}

function renderRequest(one: RightsRequest) {
  const { id, kind, status, reason, requestedBy, receipt } = one;
  return {
    ...{ id, kind, status, reason, requestedBy },
    requestedAt: one.requestedAt.toISOString(),
    ...present({
      phone: one.phone,
      party: one.party,
      finishedAt: one.finishedAt?.toISOString(),
      decision: one.decision,
    }),
    ...(receipt === undefined ? {} : { receipt: renderReceipt(receipt) }),
  };
}

function renderReceipt({ at, keptUntil, ...facts }: ErasureReceipt) {
  return {
    ...facts,
    at: at.toISOString(),
    ...(keptUntil === undefined ? {} : { keptUntil: keptUntil.toISOString() }),
  };
}
