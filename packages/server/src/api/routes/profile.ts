/** What users change of their own, whatever their role. */
import { Type } from 'typebox';
import type { Users } from '../../users/service.ts';
import { loginOf } from '../authentication.ts';
import type { Cookies } from '../cookies.ts';
import { type Api, checkId, present, refuseBody, words } from '../route.ts';
import { id } from '../schemas/common.ts';
import {
  challengeSchema,
  newPasskeySchema,
  passwordChangeSchema,
  profileChangeSchema,
  recoveryCodesSchema,
  totpCodeSchema,
  totpRemovalSchema,
  totpSecretSchema,
  userSchema,
} from '../schemas/users.ts';
import { renderUser } from './user-view.ts';

export function profileRoutes(app: Api, users: Users, cookies: Cookies): void {
  app.patch(
    '/v1/auth/me',
    {
      config: { login: 'user' },
      schema: {
        ...words('Log-in', 'updateMe', 'Change your name or language'),
        body: profileChangeSchema,
        response: { 200: userSchema },
      },
    },
    async (request) => {
      const { principal, user } = loginOf(request);
      const { name, locale } = request.body;
      return renderUser(await users.update(principal.tenant, user.id, present({ name, locale })));
    },
  );

  app.post(
    '/v1/auth/password',
    {
      config: { login: 'user', problems: ['weak-password', 'wrong-credentials', 'locked-out'] },
      schema: {
        ...words(
          'Log-in',
          'changePassword',
          'Change your password',
          'Ends all of your log-ins, this one too: log in again with the new one.',
        ),
        body: passwordChangeSchema,
        response: { 204: Type.Null({ description: 'Changed; the cookie is cleared.' }) },
      },
    },
    async (request, reply) => {
      const { principal, user } = loginOf(request);
      const { present: old, next } = request.body;
      await users.changePassword(principal.tenant, user.id, old, next);
      return reply.header('set-cookie', cookies.cleared()).code(204).send(null);
    },
  );

  app.post(
    '/v1/auth/totp',
    {
      config: { login: 'user', problems: ['invalid'] },
      schema: {
        ...words(
          'Log-in',
          'beginTotp',
          'Set up an authenticator app',
          'It counts once a code of it was confirmed.',
        ),
        response: { 200: totpSecretSchema },
      },
    },
    async (request) => {
      refuseBody(request.body);
      const { principal, user } = loginOf(request);
      return users.beginTotp(principal.tenant, user.id);
    },
  );

  app.post(
    '/v1/auth/totp/confirm',
    {
      config: { login: 'user' },
      schema: {
        ...words('Log-in', 'confirmTotp', 'Confirm the app with a code of it'),
        body: totpCodeSchema,
        response: { 200: recoveryCodesSchema },
      },
    },
    async (request) => {
      const { principal, user } = loginOf(request);
      const codes = await users.confirmTotp(principal.tenant, user.id, request.body.code);
      return { recoveryCodes: [...codes] };
    },
  );

  app.delete(
    '/v1/auth/totp',
    {
      config: { login: 'user', problems: ['wrong-credentials', 'locked-out'] },
      schema: {
        ...words('Log-in', 'removeTotp', 'Remove the authenticator app', 'Its recovery codes go with it.'),
        body: totpRemovalSchema,
        response: { 204: Type.Null({ description: 'Removed.' }) },
      },
    },
    async (request, reply) => {
      const { principal, user } = loginOf(request);
      await users.removeTotp(principal.tenant, user.id, request.body.password);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/auth/passkeys/options',
    {
      config: { login: 'user' },
      schema: {
        ...words('Log-in', 'beginPasskey', 'Options for a new passkey'),
        response: { 200: challengeSchema },
      },
    },
    async (request) => {
      refuseBody(request.body);
      const { principal, user } = loginOf(request);
      const { ticket, options } = await users.passkeyRegistration(principal.tenant, user.id);
      return { ticket, options: options as Record<string, unknown> };
    },
  );

  app.post(
    '/v1/auth/passkeys',
    {
      config: { login: 'user' },
      schema: {
        ...words('Log-in', 'addPasskey', 'Add a passkey'),
        body: newPasskeySchema,
        response: { 200: userSchema },
      },
    },
    async (request) => {
      const { principal, user } = loginOf(request);
      const { ticket, name, response } = request.body;
      return renderUser(await users.addPasskey(principal.tenant, user.id, ticket, name, response));
    },
  );

  app.delete(
    '/v1/auth/passkeys/:id',
    {
      config: { login: 'user', problems: ['not-found'] },
      schema: {
        ...words('Log-in', 'removePasskey', 'Remove a passkey'),
        params: Type.Object({ id: id('psk', "The passkey's id.") }),
        response: { 200: userSchema },
      },
    },
    async (request) => {
      const { principal, user } = loginOf(request);
      const passkey = checkId('psk', request.params.id);
      return renderUser(await users.removePasskey(principal.tenant, user.id, passkey));
    },
  );
}
