/**
 * `Idempotency-Key` on every POST: the same key and request give the same answer for 24 hours, whatever was lost on
 * the way. Only answers of success are kept: a refusal changed nothing, so the same key may try again.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Masking } from '../masking/service.ts';
import { principalOf } from './authentication.ts';
import { invalidParameter } from './input.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * `own`: the route gives the key to the heart itself. `repeat`: the route only reads, and is done anew on a
     * repetition: a stored answer would hold personal data, and each use is to be written down.
     */
    readonly idempotency?: 'own' | 'repeat';
  }
  interface FastifyRequest {
    idempotencyWork: { readonly key: string } | undefined;
  }
}

export interface IdempotencyArgument {
  readonly key: string;
  readonly digest: Buffer;
}

export function idempotencyOf(request: FastifyRequest): IdempotencyArgument | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw invalidParameter('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  }
  return { key, digest: digestOf(request) };
}

/** Field order and white space do not matter, all else does. The heart keys it by tenant before it is stored. */
function digestOf(request: FastifyRequest): Buffer {
  const path = request.url.split('?', 1)[0];
  return createHash('sha256')
    .update(`${request.method} ${path}\n${canonical(request.body)}`)
    .digest();
}

/** An answer may hold what only who asked may see: a key, a link. For somebody else it is another request. */
function ofActor(digest: Buffer, actor: string): Buffer {
  return createHash('sha256').update(digest).update(actor).digest();
}

/** Bodies are at most 32 deep (`input.ts`), so recursion is bounded. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export function registerIdempotency(app: FastifyInstance, masking: Masking): void {
  app.decorateRequest('idempotencyWork', undefined);

  app.addHook('preHandler', async (request, reply) => {
    const { config } = request.routeOptions;
    if (request.method !== 'POST' || config.scope === undefined || config.idempotency === 'own') return;
    const given = idempotencyOf(request);
    if (!given) return;
    const argument = { key: given.key, digest: ofActor(given.digest, principalOf(request).actor) };
    const begun = await masking.idempotency.begin(principalOf(request).tenant, argument.key, argument.digest);
    switch (begun.kind) {
      case 'work':
        request.idempotencyWork = { key: argument.key };
        return;
      case 'replay':
        if (config.idempotency === 'repeat') return;
        reply
          .code(begun.status)
          .header('idempotent-replayed', 'true')
          .type('application/json; charset=utf-8');
        return reply.send(begun.body);
      case 'busy':
        throw new Problem(
          'idempotency-in-progress',
          'The first request with this Idempotency-Key is still at work.',
          { retryAfterSeconds: 1 },
        );
      case 'mismatch':
        throw new Problem(
          'idempotency-mismatch',
          'This Idempotency-Key was used for a request with another path or body, or by somebody else.',
        );
    }
  });

  // Before the answer leaves: what was acknowledged must be known when the request comes again.
  app.addHook('onSend', async (request, reply, payload) => {
    const work = request.idempotencyWork;
    if (!work) return payload;
    request.idempotencyWork = undefined;
    const { tenant } = principalOf(request);
    if (reply.statusCode >= 200 && reply.statusCode < 300) {
      const body = request.routeOptions.config.idempotency === 'repeat' ? '' : String(payload ?? '');
      await masking.idempotency.finish(tenant, work.key, reply.statusCode, body);
    } else {
      await masking.idempotency.abandon(tenant, work.key);
    }
    return payload;
  });
}
