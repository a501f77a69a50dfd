/** For connections that stay open: whether whoever opened one may still see what comes over it. */
import type { FastifyRequest } from 'fastify';
import type { Masking, Scope } from '../masking/service.ts';
import type { Users } from '../users/service.ts';
import { hasScope } from './authentication.ts';
import type { Cookies } from './cookies.ts';

export async function stillAllowed(
  request: FastifyRequest,
  scope: Scope,
  { masking, users }: { readonly masking: Masking; readonly users: Users },
  cookies: Cookies,
): Promise<boolean> {
  const { authorization } = request.headers;
  const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) {
    const principal = await masking.authenticate(bearer);
    return principal !== undefined && hasScope(principal, scope);
  }
  const token = cookies.read(request);
  const login = token === undefined ? undefined : await users.authenticate(token, 'watching');
  return login !== undefined && hasScope(login.principal, scope);
}
