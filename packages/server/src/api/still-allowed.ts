/** For connections that stay open: whether whoever opened one may still see what comes over it. */
import type { FastifyRequest } from 'fastify';
import type { Masking, Scope } from '../masking/service.ts';
import type { Users } from '../users/service.ts';
import { hasScope } from './authentication.ts';

/** More are no browser's of ours. */
const mostCookies = 10;

export async function stillAllowed(
  request: FastifyRequest,
  scope: Scope,
  { masking, users }: { readonly masking: Masking; readonly users: Users },
): Promise<boolean> {
  const { authorization, cookie } = request.headers;
  const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) {
    const principal = await masking.authenticate(bearer);
    return principal !== undefined && hasScope(principal, scope);
  }
  for (const pair of (cookie ?? '').split(';').slice(0, mostCookies)) {
    const token = pair.slice(pair.indexOf('=') + 1).trim();
    const login = token === '' ? undefined : await users.authenticate(token);
    if (login !== undefined) return hasScope(login.principal, scope);
  }
  return false;
}
