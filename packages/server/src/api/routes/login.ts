import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { scopes } from '../../masking/service.ts';
import type { LoggedIn, LoginStep, Users } from '../../users/service.ts';
import { hasScope, loginOf } from '../authentication.ts';
import type { Cookies } from '../cookies.ts';
import { invalid } from '../input.ts';
import { Problem } from '../problem.ts';
import { type Api, refuseBody, words } from '../route.ts';
import {
  acceptInvitationSchema,
  challengeSchema,
  invitationHeader,
  invitationSchema,
  loginSchema,
  loginStepSchema,
  meSchema,
  passkeyLoginSchema,
  passkeyOptionsSchema,
  secondFactorSchema,
} from '../schemas/users.ts';
import { profileRoutes } from './profile.ts';
import { renderUser } from './user-view.ts';

/** Wrong here is always the same, in the same time. */
const refusals = ['wrong-credentials', 'locked-out'] as const;

export function loginRoutes(app: Api, users: Users, cookies: Cookies): void {
  function answer(reply: FastifyReply, step: LoginStep | LoggedIn) {
    if ('kind' in step && step.kind === 'second-factor') {
      return { status: step.kind, ticket: step.ticket, methods: [...step.methods] };
    }
    const { token, user, csrf, expiresAt } = step as LoggedIn;
    reply.header('set-cookie', cookies.set(token, expiresAt));
    const status: 'logged-in' | 'second-factor' = 'logged-in';
    return { status, user: renderUser(user), csrf, expiresAt: expiresAt.toISOString() };
  }

  app.post(
    '/v1/auth/login',
    {
      config: { login: 'open', problems: refusals },
      schema: {
        ...words(
          'Log-in',
          'logIn',
          'Log in with a password',
          'Sets the cookie of the console, or asks for a second factor. Ten wrong ones in 15 minutes lock the account, and the address that they came from.',
        ),
        body: loginSchema,
        response: { 200: loginStepSchema },
      },
    },
    async (request, reply) => {
      const { email, password } = request.body;
      return answer(reply, await users.login(email, password, { address: request.ip }));
    },
  );

  app.post(
    '/v1/auth/second-factor',
    {
      config: { login: 'open', problems: refusals },
      schema: {
        ...words('Log-in', 'proveSecondFactor', 'Go on with a code', 'Each code is taken once.'),
        body: secondFactorSchema,
        response: { 200: loginStepSchema },
      },
    },
    async (request, reply) => {
      const { ticket, totp, recoveryCode } = request.body;
      const from = { address: request.ip };
      if (totp !== undefined && recoveryCode === undefined) {
        return answer(reply, await users.secondFactor(ticket, { totp }, from));
      }
      if (recoveryCode !== undefined && totp === undefined) {
        return answer(reply, await users.secondFactor(ticket, { recoveryCode }, from));
      }
      throw invalid([{ pointer: '', detail: 'must have exactly one of totp and recoveryCode' }]);
    },
  );

  app.post(
    '/v1/auth/passkey/options',
    {
      config: { login: 'open', problems: ['wrong-credentials'] },
      schema: {
        ...words(
          'Log-in',
          'askForPasskey',
          'Options for a passkey',
          'With a ticket: as the second factor. Without: whichever passkey the browser has for this site.',
        ),
        body: passkeyOptionsSchema,
        response: { 200: challengeSchema },
      },
    },
    async (request) => renderChallenge(await users.passkeyOptions(request.body.ticket)),
  );

  app.post(
    '/v1/auth/passkey',
    {
      config: { login: 'open', problems: refusals },
      schema: {
        ...words('Log-in', 'logInWithPasskey', 'Log in with a passkey', 'It is enough alone.'),
        body: passkeyLoginSchema,
        response: { 200: loginStepSchema },
      },
    },
    async (request, reply) => {
      const { ticket, response } = request.body;
      return answer(reply, await users.passkeyLogin(ticket, response, { address: request.ip }));
    },
  );

  app.get(
    '/v1/auth/invitation',
    {
      config: { login: 'open', problems: ['link-invalid'] },
      schema: {
        ...words('Log-in', 'getInvitation', 'Whom an invitation is for'),
        headers: invitationHeader,
        response: { 200: invitationSchema },
      },
    },
    async (request) => {
      const token = request.headers['x-invitation'] ?? '';
      const found = await users.readInvitation(token);
      if (found) return found;
      throw new Problem('link-invalid', 'The link was used, has expired, or was never given out.');
    },
  );

  app.post(
    '/v1/auth/invitation',
    {
      config: { login: 'open', problems: ['link-invalid', 'weak-password'] },
      schema: {
        ...words(
          'Log-in',
          'acceptInvitation',
          'Set the password and log in',
          'Uses the link up. Whoever has a second factor still is asked for it next.',
        ),
        body: acceptInvitationSchema,
        response: { 200: loginStepSchema },
      },
    },
    async (request, reply) => {
      const { token, password } = request.body;
      return answer(reply, await users.acceptInvitation(token, password));
    },
  );

  app.get(
    '/v1/auth/me',
    {
      config: { login: 'user' },
      schema: { ...words('Log-in', 'getMe', 'Who is logged in'), response: { 200: meSchema } },
    },
    async (request) => {
      const { user, principal, csrf, tenantName, expiresAt } = loginOf(request);
      return {
        user: renderUser(user),
        tenant: { id: principal.tenant, name: tenantName },
        role: user.role,
        scopes: scopes.filter((scope) => hasScope(principal, scope)),
        csrf,
        expiresAt: expiresAt.toISOString(),
      };
    },
  );

  app.post(
    '/v1/auth/logout',
    {
      config: { login: 'user' },
      schema: {
        ...words('Log-in', 'logOut', 'Log out'),
        response: { 204: Type.Null({ description: 'Logged out.' }) },
      },
    },
    async (request, reply) => {
      refuseBody(request.body);
      await users.logout(loginOf(request).token);
      return reply.header('set-cookie', cookies.cleared()).code(204).send(null);
    },
  );

  profileRoutes(app, users, cookies);
}

function renderChallenge({ ticket, options }: { readonly ticket: string; readonly options: unknown }) {
  return { ticket, options: options as Record<string, unknown> };
}
