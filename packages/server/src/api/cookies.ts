/**
 * The console's cookie, and what keeps other sites from using it: SameSite=Strict, the Fetch Metadata of the browser,
 * and for whatever changes something a token that only our own page can read.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { fastifyCookie } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

export interface Cookies {
  /** Undefined when there is none, or one that can't be ours. */
  read(request: FastifyRequest): string | undefined;
  /** Set-Cookie with the token of a session. */
  set(token: string, expires: Date): string;
  cleared(): string;
}

const longestToken = 200;

/** `__Host-` binds it to this very host over TLS; browsers refuse such a name without. */
export function createCookies(publicUrl: () => string): Cookies {
  const secure = () => publicUrl().startsWith('https:');
  const name = () => (secure() ? '__Host-samar' : 'samar');
  const options = () => ({ httpOnly: true, sameSite: 'strict', path: '/', secure: secure() }) as const;
  return {
    read(request) {
      const { cookie } = request.headers;
      const token = cookie === undefined ? undefined : fastifyCookie.parse(cookie)[name()];
      return token === undefined || token === '' ? undefined : token.slice(0, longestToken);
    },
    set: (token, expires) => fastifyCookie.serialize(name(), token, { ...options(), expires }),
    cleared: () => fastifyCookie.serialize(name(), '', { ...options(), maxAge: 0 }),
  };
}

/** `csrf`: the session's; undefined where nobody is logged in yet. */
export function refuseForgery(request: FastifyRequest, csrf: string | undefined): void {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Problem('forbidden', 'The request comes from a page of another site.');
  }
  if (csrf === undefined || request.method === 'GET' || request.method === 'HEAD') return;
  const given = request.headers['x-csrf-token'];
  if (typeof given !== 'string' || !timingSafeEqual(sha256(given), sha256(csrf))) {
    throw new Problem('forbidden', 'The header X-CSRF-Token is missing or wrong. GET /v1/auth/me gives it.');
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
