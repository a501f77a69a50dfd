import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type Role, roleScopes, type User, type Users } from '../../users/service.ts';
import { mayGrant, principalOf } from '../authentication.ts';
import { type Api, checkId, pageOfQuery, present, renderPage, words } from '../route.ts';
import { idParams, pageQuery } from '../schemas/common.ts';
import {
  invitedSchema,
  newInvitationSchema,
  newUserSchema,
  userChangeSchema,
  userPage,
  userSchema,
} from '../schemas/users.ts';
import { renderUser } from './user-view.ts';

export function userRoutes(app: Api, users: Users, publicUrl: () => string): void {
  function renderInvited(made: Awaited<ReturnType<Users['invite']>>) {
    return {
      user: renderUser(made.user),
      // After the #: browsers send it to nobody, so that it stands in no log.
      invitationUrl: `${publicUrl()}/console/invitation#${made.invitation}`,
      expiresAt: made.expiresAt.toISOString(),
    };
  }

  /** Whoever may change a user could become them: nobody does that to one who may more. */
  async function target(request: FastifyRequest, id: string, next?: Role): Promise<User> {
    const principal = principalOf(request);
    const user = await users.get(principal.tenant, checkId('usr', id));
    mayGrant(principal, [...roleScopes[user.role], ...(next === undefined ? [] : roleScopes[next])]);
    return user;
  }

  app.post(
    '/v1/users',
    {
      config: { scope: 'users:write', problems: ['user-taken'] },
      schema: {
        ...words(
          'Users',
          'inviteUser',
          'Invite somebody to the console',
          'The link sets the password: one use, 72 hours. It is shown in this answer only, and no mail is sent.',
        ),
        body: newUserSchema,
        response: { 201: invitedSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { email, name, role, locale } = request.body;
      mayGrant(principal, roleScopes[role]);
      const made = await users.invite(principal.tenant, { email, name, role, ...present({ locale }) });
      return reply.code(201).send(renderInvited(made));
    },
  );

  app.get(
    '/v1/users',
    {
      config: { scope: 'users:read', problems: ['invalid'] },
      schema: {
        ...words('Users', 'listUsers', 'List users, oldest first'),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: userPage },
      },
    },
    async (request) => {
      const page = pageOfQuery(request.query, 'usr');
      return renderPage(await users.list(principalOf(request).tenant, page), renderUser);
    },
  );

  app.get(
    '/v1/users/:id',
    {
      config: { scope: 'users:read', problems: ['not-found'] },
      schema: {
        ...words('Users', 'getUser', 'Read a user'),
        params: idParams('usr', 'user'),
        response: { 200: userSchema },
      },
    },
    async (request) =>
      renderUser(await users.get(principalOf(request).tenant, checkId('usr', request.params.id))),
  );

  app.patch(
    '/v1/users/:id',
    {
      config: { scope: 'users:write', problems: ['not-found', 'last-admin'] },
      schema: {
        ...words(
          'Users',
          'updateUser',
          'Change a user',
          'Another role, or being disabled, ends their log-ins at once.',
        ),
        params: idParams('usr', 'user'),
        body: userChangeSchema,
        response: { 200: userSchema },
      },
    },
    async (request) => {
      const { name, role, locale, disabled } = request.body;
      const { id } = await target(request, request.params.id, role);
      const change = present({ name, role, locale, disabled });
      return renderUser(await users.update(principalOf(request).tenant, id, change));
    },
  );

  app.post(
    '/v1/users/:id/invitation',
    {
      config: { scope: 'users:write', problems: ['not-found'] },
      schema: {
        ...words(
          'Users',
          'inviteUserAgain',
          'Make a new link for a user',
          'For a password, or a second factor, that was lost. Ends their log-ins and earlier links.',
        ),
        params: idParams('usr', 'user'),
        body: newInvitationSchema,
        response: { 201: invitedSchema },
      },
    },
    async (request, reply) => {
      const { id } = await target(request, request.params.id);
      const { secondFactor = false } = request.body;
      const made = await users.inviteAgain(principalOf(request).tenant, id, { secondFactor });
      return reply.code(201).send(renderInvited(made));
    },
  );
}
