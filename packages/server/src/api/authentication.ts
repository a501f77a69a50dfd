/**
 * Who is asking, and may they. Every /v1 route names the one scope that it needs in its `config`, and is open to API
 * keys (Authorization: Bearer) and to people who are logged in (the console's cookie); those of the log-in itself say
 * `login` instead.
 */
import { createHash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { actAs } from '../masking/actor.ts';
import { type Masking, namedScopes, type Principal, type Scope } from '../masking/service.ts';
import type { Users } from '../users/service.ts';
import { type Cookies, refuseForgery } from './cookies.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that the route needs. Routes without one are open. */
    readonly scope?: Scope;
    /** `user`: only for who is logged in, whatever the role. `open`: for anybody, from our own pages. */
    readonly login?: 'user' | 'open';
  }
  interface FastifyRequest {
    principal: Principal | undefined;
    /** Who is logged in; undefined for API keys. */
    login: Login | undefined;
  }
}

export type Login = NonNullable<Awaited<ReturnType<Users['authenticate']>>> & { readonly token: string };

/** Longer ones are no key of ours; hashing them would only cost time. */
const maxBearerLength = 512;
/** Addresses and keys that are counted at once; the least recently seen is forgotten first. */
const trackedKeys = 20_000;
/** Keys that were right within this time pass although their address has tried many wrong ones. */
const rememberedForMilliseconds = 60_000;
const maxRemembered = 10_000;
/** Of the log-in's own routes, by address: each costs a password's check or a challenge. */
const openRequestsPerMinute = 300;

/** Scopes that `admin` does not include: they are always named on their own. */
const namedOnly: ReadonlySet<Scope> = new Set(namedScopes);

export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || (principal.scopes.has('admin') && !namedOnly.has(scope));
}

/** Nobody hands out more than they have; an administrator may hand out anything. */
export function mayGrant(principal: Principal, wanted: readonly Scope[]): void {
  if (principal.scopes.has('admin')) return;
  const missing = wanted.filter((scope) => !hasScope(principal, scope));
  if (missing.length > 0) {
    throw new Problem('forbidden', `What you lack yourself cannot be granted: ${missing.join(', ')}.`);
  }
}

/** The authenticated principal of a route that has a scope. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Problem('unauthorized', 'An API key is needed.');
  return request.principal;
}

/** Who is logged in, on a route for `login: 'user'`. */
export function loginOf(request: FastifyRequest): Login {
  if (!request.login) throw unauthorized('Log in first.', false);
  return request.login;
}

export async function registerAuthentication(
  app: FastifyInstance,
  masking: Masking,
  users: Users,
  cookies: Cookies,
  limits: { readonly requestsPerSecond: number; readonly wrongKeysPerMinute: number },
): Promise<void> {
  await app.register(rateLimit, { global: false, cache: trackedKeys });
  app.decorateRequest('principal', undefined);
  app.decorateRequest('login', undefined);
  const requests = app.createRateLimit({
    max: limits.requestsPerSecond,
    timeWindow: 1000,
    keyGenerator: (request) => `${request.principal?.tenant} ${request.principal?.actor}`,
  });
  const failures = app.createRateLimit({
    max: limits.wrongKeysPerMinute,
    timeWindow: 60_000,
  });
  const strangers = app.createRateLimit({ max: openRequestsPerMinute, timeWindow: 60_000 });
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
    throw new Problem(
      'rate-limited',
      `${request.login ? 'A user' : 'An API key'} may make ${count.max} requests in a second.`,
      {
        retryAfterSeconds: Math.max(1, count.ttlInSeconds),
      },
    );
  }

  async function byKey(request: FastifyRequest): Promise<Principal> {
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
    return principal;
  }

  async function byCookie(request: FastifyRequest, token: string): Promise<Principal> {
    const login = await users.authenticate(token);
    if (!login) {
      throw unauthorized('You are not logged in any more.', false, { 'set-cookie': cookies.cleared() });
    }
    refuseForgery(request, login.csrf);
    request.login = { ...login, token };
    return login.principal;
  }

  app.addHook('onRequest', async (request, reply) => {
    const { scope, login } = request.routeOptions.config;
    if (scope === undefined && login === undefined) return;
    if (login === 'open') {
      refuseForgery(request, undefined);
      await limitStrangers(request);
      return;
    }
    const token = request.headers.authorization === undefined ? cookies.read(request) : undefined;
    if (token === undefined && login === 'user') throw unauthorized('Log in first.', false);
    request.principal = token === undefined ? await byKey(request) : await byCookie(request, token);
    await limitRequests(request, reply);
    if (scope === undefined || hasScope(request.principal, scope)) return;
    const whose = request.login ? 'Your role' : 'The API key';
    const headers = {
      'www-authenticate': `Bearer realm="samar", error="insufficient_scope", scope="${scope}"`,
    };
    throw new Problem('forbidden', `${whose} needs the scope ${scope} for this.`, { headers });
  });

  async function limitStrangers(request: FastifyRequest): Promise<void> {
    const count = await strangers(request);
    if (count.isAllowed || !count.isExceeded) return;
    throw new Problem('rate-limited', 'Too many requests came from this address.', {
      retryAfterSeconds: Math.max(1, count.ttlInSeconds),
    });
  }
}

/** From here on the ledger names who asks as the actor of whatever is done. */
function registerActor(app: FastifyInstance): void {
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.principal) actAs(request.principal.actor, done);
    else done();
  });
}

function unauthorized(
  detail: string,
  wrong: boolean,
  headers: Readonly<Record<string, string>> = {},
): Problem {
  const challenge = wrong ? 'Bearer realm="samar", error="invalid_token"' : 'Bearer realm="samar"';
  return new Problem('unauthorized', detail, { headers: { 'www-authenticate': challenge, ...headers } });
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
