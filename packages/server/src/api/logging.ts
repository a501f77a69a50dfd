/**
 * What the API writes to the log: method, route pattern, status, duration, key id, request id. An allow-list: URLs,
 * queries, headers, bodies and error messages never reach it, for each of them may hold a phone number. Fastify's own
 * logger is off for the same reason.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApiLog } from './options.ts';

export function registerRequestLog(app: FastifyInstance, log: ApiLog): void {
  app.addHook('onResponse', (request, reply, done) => {
    log.info('request', {
      request: request.id,
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      key: request.principal?.actor,
    });
    done();
  });
}

/** An unexpected failure: what kind and where. Its message, which may say whom, is left out. */
export function logFailure(log: ApiLog, request: FastifyRequest, error: unknown): void {
  const route = request.routeOptions.url ?? 'unknown';
  log.error('request failed', { request: request.id, method: request.method, route, ...safeError(error) });
}

function safeError(error: unknown): Record<string, string | undefined> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code: unknown = (error as { code?: unknown }).code;
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim());
  return { error: error.name, code: typeof code === 'string' ? code : undefined, frames: frames.join(' | ') };
}
