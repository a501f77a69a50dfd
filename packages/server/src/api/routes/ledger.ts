/** The record: what was done with people's data, by whom; and the proof that it is all there and as it was. */
import type { Entry, EntryFilter, LedgerCheck, Trust } from '../../trust/service.ts';
import { principalOf } from '../authentication.ts';
import { invalid, invalidParameter } from '../input.ts';
import { type Api, checkId, isId, pageOfQuery, present, refuseBody, renderPage, words } from '../route.ts';
import { idParams, type Json } from '../schemas/common.ts';
import {
  checkSchema,
  entryPage,
  entryQuery,
  entrySchema,
  entrySearchSchema,
  publicKeySchema,
  rootPage,
  rootQuery,
} from '../schemas/ledger.ts';

export function ledgerRoutes(app: Api, { ledger }: Pick<Trust, 'ledger'>): void {
  readingRoutes(app, ledger);
  entryRoute(app, ledger);
  proofRoutes(app, ledger);
}

function readingRoutes(app: Api, ledger: Trust['ledger']): void {
  app.get(
    '/v1/ledger',
    {
      config: { scope: 'ledger:read', problems: ['invalid'] },
      schema: {
        ...words(
          'Ledger',
          'listLedger',
          'List what was done with people’s data, newest first',
          'A person’s entries are found by POST /v1/ledger/search: a real number is never put in a URL.',
        ),
        querystring: entryQuery,
        response: { 200: entryPage },
      },
    },
    async (request) => {
      const filter = readFilter(request.query, invalidParameter);
      const page = pageOfQuery(request.query, 'led');
      return renderPage(await ledger.list(principalOf(request).tenant, filter, page), renderEntry);
    },
  );

  app.post(
    '/v1/ledger/search',
    {
      config: {
        scope: 'ledger:read',
        idempotency: 'repeat',
        problems: ['invalid', 'invalid-number', 'number-without-country', 'unknown-participant'],
      },
      schema: {
        ...words('Ledger', 'searchLedger', 'Find entries, also everything that concerns one person'),
        body: entrySearchSchema,
        response: { 200: entryPage },
      },
    },
    async (request) => {
      const { body } = request;
      const refuse = (name: string, detail: string) => invalid([{ pointer: `/${name}`, detail }]);
      const { phone, participant } = body;
      if (phone !== undefined && participant !== undefined) {
        throw refuse('participant', 'must not stand beside phone');
      }
      const person =
        phone !== undefined ? { phone } : participant !== undefined ? { participant } : undefined;
      const filter = { ...readFilter(body, refuse), ...present({ person }) };
      const page = pageOfQuery(body, 'led', true);
      return renderPage(await ledger.list(principalOf(request).tenant, filter, page), renderEntry);
    },
  );
}

function entryRoute(app: Api, ledger: Trust['ledger']): void {
  app.get(
    '/v1/ledger/:id',
    {
      config: { scope: 'ledger:read', problems: ['not-found'] },
      schema: {
        ...words('Ledger', 'getLedgerEntry', 'Read an entry', 'Such as one that a check of the chain names.'),
        params: idParams('led', 'entry'),
        response: { 200: entrySchema },
      },
    },
    async (request) =>
      renderEntry(await ledger.get(principalOf(request).tenant, checkId('led', request.params.id))),
  );
}

function proofRoutes(app: Api, ledger: Trust['ledger']): void {
  app.post(
    '/v1/ledger/verify',
    {
      config: { scope: 'ledger:read', idempotency: 'repeat', problems: ['invalid'] },
      schema: {
        ...words(
          'Ledger',
          'verifyLedger',
          'Check the whole chain and its signed roots',
          'Reads every entry: about ten seconds a million. A fault is an answer, not an error.',
        ),
        response: { 200: checkSchema },
      },
    },
    async (request) => {
      refuseBody(request.body);
      return renderCheck(await ledger.verify(principalOf(request).tenant));
    },
  );

  app.get(
    '/v1/ledger/roots',
    {
      config: { scope: 'ledger:read', problems: ['invalid'] },
      schema: {
        ...words('Ledger', 'listLedgerRoots', 'List the signed ends of days, newest first'),
        querystring: rootQuery,
        response: { 200: rootPage },
      },
    },
    async (request) => {
      const { limit = 50, after } = request.query;
      const page = { limit, ...present({ after }) };
      return renderPage(await ledger.roots(principalOf(request).tenant, page), (root) => ({ ...root }));
    },
  );

  app.get(
    '/v1/ledger/public-key',
    {
      config: { scope: 'ledger:read' },
      schema: {
        ...words('Ledger', 'readLedgerKey', 'The public key that checks roots and receipts'),
        response: { 200: publicKeySchema },
      },
    },
    () => ledger.publicKey(),
  );
}

type Filters = Pick<Json<typeof entryQuery>, 'session' | 'subject' | 'actor' | 'kind' | 'from' | 'to'>;

function readFilter(input: Filters, refuse: (name: string, detail: string) => Error): EntryFilter {
  const { session, subject, actor, kind } = input;
  if (session !== undefined && !isId('ses', session)) throw refuse('session', 'must be the id of a session');
  const time = (name: 'from' | 'to'): Date | undefined => {
    const text = input[name];
    if (text === undefined) return undefined;
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw refuse(name, 'is no time of the calendar');
    return date;
  };
  const from = time('from');
  const to = time('to');
  if (from && to && from >= to) throw refuse('from', 'must lie before to');
  return present({ session, subject, actor, kind, from, to });
}

export function renderEntry(entry: Entry) {
  const { id, at, kind, actor, sequence, party, session, subject, digest } = entry;
  return {
    ...{ id, at: at.toISOString(), kind, actor, details: { ...entry.details } },
    ...present({ sequence, party, session, subject, digest }),
  };
}

function renderCheck(check: LedgerCheck) {
  if (check.ok) return { ...check };
  const { fault, sequence, entry } = check;
  return { ok: false, fault, sequence, ...present({ entry }) };
}
