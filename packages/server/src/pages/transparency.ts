/**
 * The participant's page at /t/{token}: no log-in, no script, one request. The token in the path is the secret: whoever
 * knows it is the participant. Forms carry a digest that only who knows the token can make, so that another site, which
 * doesn't, can't make one; all of them may be sent twice. A token that never was, was taken back or has expired gets one
 * and the same answer. Neither tokens nor what is written here reach the log: it has the route's pattern only.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { MaskingError } from '../masking/service.ts';
import { mostStatement } from '../trust/disputes/disputes.ts';
import type { Dispute, Transparency } from '../trust/service.ts';
import { type Place, problemPage } from './transparency/frame.ts';
import { acceptedLanguages, chooseLanguage, type Language } from './transparency/languages.ts';
import { actionPage, callsAPage, mainPage } from './transparency/page.ts';
import { policy } from './transparency/style.ts';
import { type Action, actions, categories, type Words } from './transparency/words.ts';

export interface TransparencyPageOptions {
  /** Something unexpected, which the person only sees as "try later". */
  readonly failed: (request: FastifyRequest, error: unknown) => void;
  /** A minute. Many phones share one address of their carrier or of a proxy, so that one is large. */
  readonly limits?: { readonly address: number; readonly token: number };
}

/** A statement of 4,000 characters in Devanagari, percent-encoded, is 36 kB. */
const formBytes = 65_536;
const mostPages = 1_000;

type Links = { readonly token: string; readonly action?: string };
type Query = Readonly<Record<string, unknown>>;
type Request = FastifyRequest<{ Params: Links; Querystring: Query }>;

export async function transparencyPages(
  app: FastifyInstance,
  service: Transparency,
  options: TransparencyPageOptions,
): Promise<void> {
  const pages: FastifyPluginAsync = async (scope) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: formBytes },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    limitRequests(scope, options.limits ?? { address: 6_000, token: 60 });
    scope.setErrorHandler((error, request, reply) => {
      const kind = problemOf(error);
      if (kind === 'later') options.failed(request, error);
      return answer(reply, statusOf(kind), problemPage(languageOf(request), kind));
    });
    viewRoutes(scope, service);
    actionRoute(scope, service);
  };
  await app.register(pages);
}

/** Bounded: the least recently seen address and token is forgotten first (see `registerAuthentication`). */
function limitRequests(
  scope: FastifyInstance,
  limits: { readonly address: number; readonly token: number },
): void {
  const minute = { timeWindow: 60_000 };
  const byAddress = scope.createRateLimit({ ...minute, max: limits.address });
  const byToken = scope.createRateLimit({
    ...minute,
    max: limits.token,
    keyGenerator: (request) => `t ${digestOf((request.params as Links).token)}`,
  });
  scope.addHook('preHandler', async (request, reply) => {
    for (const limit of [byAddress, byToken]) {
      const count = await limit(request);
      if (count.isAllowed || !count.isExceeded) continue;
      reply.header('retry-after', String(Math.max(1, count.ttlInSeconds)));
      return answer(reply, 429, problemPage(languageOf(request), 'busy'));
    }
  });
}

const config = { policy };
const schema = { hide: true } as object;

function viewRoutes(scope: FastifyInstance, service: Transparency): void {
  scope.get<{ Params: Links; Querystring: Query }>(
    '/t/:token',
    { config, schema },
    async (request, reply) => {
      const view = await service.view(request.params.token);
      if (view === undefined) return missing(request, reply);
      const place = placeOf(request, view.locale);
      const last = Math.max(1, Math.ceil(view.calls.length / callsAPage));
      const page = Math.min(pageOf(request.query), last);
      return answer(reply, 200, mainPage(place, view, { page, done: actionOf(request.query['done']) }));
    },
  );

  scope.get<{ Params: Links; Querystring: Query }>(
    '/t/:token/:action',
    { config, schema },
    async (request, reply) => {
      const { token } = request.params;
      const view = await service.view(token);
      const action = actionOf(request.params.action);
      if (view === undefined || action === undefined) return missing(request, reply);
      const place = placeOf(request, view.locale);
      return answer(reply, 200, actionPage(place, view, action, formToken(token, action), mostStatement));
    },
  );
}

function actionRoute(scope: FastifyInstance, service: Transparency): void {
  scope.post<{ Params: Links; Querystring: Query }>(
    '/t/:token/:action',
    { config, schema },
    async (request, reply) => {
      const { token } = request.params;
      const action = actionOf(request.params.action);
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
      const language = languageOf(request);
      if (action === undefined) return missing(request, reply);
      if (!isFormToken(token, action, form.get('form') ?? '') || isFromElsewhere(request)) {
        return answer(reply, 400, problemPage(language, 'stale'));
      }
      if (action === 'report') return report(service, request, reply, form);
      if ((await doIt(service, token, action)) === undefined) return missing(request, reply);
      return done(request, reply, action);
    },
  );
}

function doIt(service: Transparency, token: string, action: Exclude<Action, 'report'>) {
  switch (action) {
    case 'end':
      return service.end(token);
    case 'block':
      return service.block(token);
    case 'erase':
      return service.askErasure(token);
    default:
      action satisfies never;
      throw new Error('an action without work');
  }
}

async function report(
  service: Transparency,
  request: Request,
  reply: FastifyReply,
  form: URLSearchParams,
): Promise<FastifyReply> {
  const { token } = request.params;
  const call = form.get('call') ?? '';
  const statement = form.get('statement') ?? '';
  const category = categories.find((one) => one === form.get('category'));
  const words = { statement, ...(call === '' ? {} : { call }) };
  const taken = await tryReport(service, token, category, words);
  if (taken === undefined) return missing(request, reply);
  if (taken) return done(request, reply, 'report');
  const view = await service.view(token);
  if (view === undefined) return missing(request, reply);
  const draft = { category: category ?? '', call, statement, wrong: true };
  const again = actionPage(
    placeOf(request, view.locale),
    view,
    'report',
    formToken(token, 'report'),
    mostStatement,
    draft,
  );
  return answer(reply, 422, again);
}

/** False: it can't be taken as it is. */
async function tryReport(
  service: Transparency,
  token: string,
  category: Dispute['category'] | undefined,
  words: { readonly statement: string; readonly call?: string },
): Promise<boolean | undefined> {
  if (category === undefined) return false;
  try {
    return await service.report(token, { category, ...words });
  } catch (error) {
    if (error instanceof MaskingError && error.code === 'invalid') return false;
    throw error;
  }
}

/** 303: the browser looks at the result, and going back or loading again sends nothing twice. */
function done(request: Request, reply: FastifyReply, action: Action): FastifyReply {
  const { token } = request.params;
  const lang = typeof request.query['lang'] === 'string' ? `&lang=${languageOf(request)}` : '';
  return headers(reply).redirect(`/t/${encodeURIComponent(token)}?done=${action}${lang}`, 303);
}

function missing(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answer(reply, 404, problemPage(languageOf(request), 'missing'));
}

function headers(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'cache-control': 'no-store',
    'x-robots-tag': 'noindex, nofollow, noarchive',
    'cross-origin-opener-policy': 'same-origin',
    vary: 'accept-language',
  });
}

function answer(reply: FastifyReply, status: number, page: string): FastifyReply {
  return headers(reply).code(status).type('text/html; charset=utf-8').send(page);
}

/** What the person chose, else the participant's own, else the browser's. */
function languageOf(request: FastifyRequest, own?: string): Language {
  const { lang } = request.query as Query;
  const chosen = typeof lang === 'string' ? lang.slice(0, 20) : undefined;
  return chooseLanguage(chosen, own, ...acceptedLanguages(request.headers['accept-language']));
}

function placeOf(request: Request, own: string): Place {
  return { language: languageOf(request, own), path: `/t/${encodeURIComponent(request.params.token)}` };
}

function pageOf(query: Query): number {
  const page = Number(query['page']);
  return Number.isInteger(page) && page >= 1 && page <= mostPages ? page : 1;
}

function actionOf(value: unknown): Action | undefined {
  return actions.find((one) => one === value);
}

/** The key is the link's own token: it is the only secret that the page and its form share, and it is never in the form. */
function formToken(token: string, action: Action): string {
  return createHmac('sha256', token).update(`samar form ${action}`).digest('base64url');
}

function isFormToken(token: string, action: Action, given: string): boolean {
  const wanted = Buffer.from(formToken(token, action));
  const shown = Buffer.from(given);
  return wanted.length === shown.length && timingSafeEqual(wanted, shown);
}

/** Browsers that say where a form comes from say so of ours as well. */
function isFromElsewhere({ headers: { 'sec-fetch-site': site } }: FastifyRequest): boolean {
  return site === 'cross-site' || site === 'same-site';
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

function problemOf(error: unknown): keyof Words['problem'] {
  if (error instanceof MaskingError && error.code === 'participant-unreachable') return 'unreachable';
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? 'stale' : 'later';
}

function statusOf(kind: keyof Words['problem']): number {
  switch (kind) {
    case 'missing':
      return 404;
    case 'busy':
      return 429;
    case 'stale':
      return 400;
    case 'unreachable':
      return 409;
    case 'later':
      return 503;
    default:
      kind satisfies never;
      return 500;
  }
}
