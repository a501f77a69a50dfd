/** What every answer has, and the answers that no route gives: unknown paths, wrong methods, failures. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logFailure } from './logging.ts';
import type { ApiLog } from './options.ts';
import { Problem, problemMediaType, sendProblem, toProblem } from './problem.ts';
import { problemKinds } from './problem-kinds.ts';
import { referencePolicy } from './reference.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Content-Security-Policy of a page; without it nothing at all may be loaded. */
    readonly policy?: string;
  }
}

export function newRequestId(): string {
  return `req_${randomBytes(16).toString('base64url')}`;
}

const nothingAllowed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function registerSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    setSecurityHeaders(request, reply);
    done();
  });
}

function setSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const { url, config } = request.routeOptions;
  reply.headers({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy':
      config.policy ?? (url?.startsWith('/reference') === true ? referencePolicy : nothingAllowed),
    'x-request-id': request.id,
  });
  if (config.scope !== undefined || config.login !== undefined) reply.header('cache-control', 'no-store');
}

/** Answers that are still on their way when we stop get this long. */
const closingMilliseconds = 10_000;
const sweepMilliseconds = 250;

/** Running requests are answered and their connections closed after it; who does not take the answer is cut off. */
export function registerClosing(app: FastifyInstance): void {
  let closing: NodeJS.Timeout | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  // Browsers and pools connect ahead of time. Node counts nobody as idle who has never asked anything.
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }: { readonly socket: Socket }) => silent.delete(socket));
  app.addHook('preClose', (done) => {
    closing = setTimeout(() => app.server.closeAllConnections(), closingMilliseconds).unref();
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
    // Those that were busy when we began to close, and are idle since.
    sweeping = setInterval(() => app.server.closeIdleConnections(), sweepMilliseconds).unref();
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onClose', (_app, done) => {
    clearTimeout(closing);
    clearInterval(sweeping);
    done();
  });
}

export function registerProblemAnswers(app: FastifyInstance, log: ApiLog): void {
  const methods = collectMethods(app);

  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.code === 'internal') logFailure(log, request, error);
    return sendProblem(request, reply, problem);
  });

  // Before the body is looked at: what is wrong with it does not matter then.
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw unknown(methods(request.url.split('?', 1)[0] ?? ''));
  });
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, unknown([])));
}

function unknown(allowed: readonly string[]): Problem {
  if (allowed.length === 0) return new Problem('unknown-route', 'There is no such path.');
  const allow = allowed.join(', ');
  return new Problem('method-not-allowed', `This path takes ${allow}.`, { headers: { allow } });
}

/** Which methods a path takes: asked only when no route was found. */
function collectMethods(app: FastifyInstance): (path: string) => readonly string[] {
  const patterns = new Map<string, { readonly matcher: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const expression = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[^A-Za-z0-9_-]/g, '\\$&')))
      .join('/');
    const entry = patterns.get(url) ?? { matcher: new RegExp(`^${expression}$`), methods: new Set() };
    for (const one of [method].flat()) entry.methods.add(one);
    patterns.set(url, entry);
  });
  return (path) => {
    const found = [...patterns.values()].filter(({ matcher }) => matcher.test(path));
    return [...new Set(found.flatMap((entry) => [...entry.methods]))].sort();
  };
}

/** For Fastify's own failures before a route is known (a path that cannot be decoded). */
export function answerFrameworkError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  setSecurityHeaders(request, reply);
  sendProblem(request, reply, toProblem(error));
}

/** Bytes that are no HTTP. They are neither logged nor repeated. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const code = late ? 'timeout' : 'malformed-request';
  const { status, title } = problemKinds[code];
  const detail = late ? 'The request took too long to arrive.' : 'The request is not valid HTTP.';
  const body = JSON.stringify({ type: `/problems/${code}`, title, status, detail, instance: newRequestId() });
  const head = [
    `HTTP/1.1 ${status} ${late ? 'Request Timeout' : 'Bad Request'}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
