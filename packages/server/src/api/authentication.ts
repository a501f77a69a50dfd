/**
 * Who is asking, and may they. Every /v1 route names the one scope that it needs in its `config`.
 */
import { createHash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { actAs } from '../masking/actor.ts';
import { type Masking, namedScopes, type Principal, type Scope } from '../masking/service.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that the route needs. Routes without one are open. */
    readonly scope?: Scope;
  }
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

/** Longer ones are no key of ours; hashing them would only cost time. */
const maxBearerLength = 512;
/** Addresses and keys that are counted at once; the least recently seen is forgotten first. */
const trackedKeys = 20_000;
/** Keys that were right within this time pass although their address has tried many wrong ones. */
const rememberedForMilliseconds = 60_000;
const maxRemembered = 10_000;

/** Scopes that `admin` does not include: they are always named on their own. */
const namedOnly: ReadonlySet<Scope> = new Set(namedScopes);

export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || (principal.scopes.has('admin') && !namedOnly.has(scope));
}

/** The authenticated principal of a route that has a scope. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Problem('unauthorized', 'An API key is needed.');
  return request.principal;
}

export async function registerAuthentication(
  app: FastifyInstance,
  masking: Masking,
  limits: { readonly requestsPerSecond: number; readonly wrongKeysPerMinute: number },
): Promise<void> {
  await app.register(rateLimit, { global: false, cache: trackedKeys });
  app.decorateRequest('principal', undefined);
  const requests = app.createRateLimit({
    max: limits.requestsPerSecond,
    timeWindow: 1000,
    keyGenerator: (request) => `${request.principal?.tenant} ${request.principal?.actor}`,
  });
  const failures = app.createRateLimit({
    max: limits.wrongKeysPerMinute,
    timeWindow: 60_000,
  });
  const good = rememberedKeys();
  registerActor(app);

  async function refuseTooManyFailures(request: FastifyRequest): Promise<void> {
    const count = await failures(request, { increment: false });
    if (count.isAllowed || count.remaining > 0) return;
    throw new Problem('rate-limited', 'Too many wrong API keys came from this address.', {
      retryAfterSeconds: Math.max(1, count.ttlInSeconds),
    });
  }

  async function limitRequests(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const count = await requests(request);
    if (count.isAllowed) return;
    reply.header('ratelimit-limit', String(count.max));
    reply.header('ratelimit-remaining', String(count.remaining));
    reply.header('ratelimit-reset', String(count.ttlInSeconds));
    if (!count.isExceeded) return;
    throw new Problem('rate-limited', `An API key may make ${count.max} requests in a second.`, {
      retryAfterSeconds: Math.max(1, count.ttlInSeconds),
    });
  }

  app.addHook('onRequest', async (request, reply) => {
    const scope = request.routeOptions.config.scope;
    if (scope === undefined) return;
    const bearer = bearerOf(request.headers.authorization);
    if (bearer === undefined) throw unauthorized('Send the header Authorization: Bearer <key>.', false);
    const digest = createHash('sha256').update(bearer).digest('base64');
    if (!good.has(digest)) await refuseTooManyFailures(request);
    const principal = await masking.authenticate(bearer);
    if (!principal) {
      good.forget(digest);
      await failures(request);
      throw unauthorized('The API key is unknown, expired or revoked.', true);
    }
    good.remember(digest);
    request.principal = principal;
    await limitRequests(request, reply);
    if (!hasScope(principal, scope)) {
      throw new Problem('forbidden', `The API key needs the scope ${scope} for this.`, {
        headers: { 'www-authenticate': `Bearer realm="samar", error="insufficient_scope", scope="${scope}"` },
      });
    }
  });
}

/** From here on the ledger names who asks as the actor of whatever is done. */
function registerActor(app: FastifyInstance): void {
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.principal) actAs(request.principal.actor, done);
    else done();
  });
}

function unauthorized(detail: string, wrong: boolean): Problem {
  const challenge = wrong ? 'Bearer realm="samar", error="invalid_token"' : 'Bearer realm="samar"';
  return new Problem('unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}

/** RFC 6750 section 2.1; the scheme is case-insensitive (RFC 9110 section 11.1). */
function bearerOf(header: string | undefined): string | undefined {
  const match = /^bearer +([\x21-\x7e]+) *$/i.exec(header ?? '');
  const bearer = match?.[1];
  return bearer !== undefined && bearer.length <= maxBearerLength ? bearer : undefined;
}

/**
 * Behind a proxy all clients may share one address: somebody's guessing must not lock out those whose key was right
 * a moment ago. The keys themselves are not kept, only their digests.
 */
function rememberedKeys() {
  const seen = new Map<string, number>();
  return {
    has(digest: string): boolean {
      const at = seen.get(digest);
      return at !== undefined && performance.now() - at < rememberedForMilliseconds;
    },
    remember(digest: string): void {
      seen.delete(digest);
      seen.set(digest, performance.now());
      if (seen.size > maxRemembered) {
        for (const oldest of seen.keys()) {
          seen.delete(oldest);
          break;
        }
      }
    },
    forget(digest: string): void {
      seen.delete(digest);
    },
  };
}
