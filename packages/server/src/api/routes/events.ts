import type { Event, Masking } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { type Api, checkIdParameter, pageOfQuery, present, renderPage, words } from '../route.ts';
import { eventPage, eventQuery } from '../schemas/events.ts';

export function eventRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/events',
    {
      config: { scope: 'events:read', problems: ['invalid'] },
      schema: {
        ...words('Events', 'listEvents', 'List what happened, newest first'),
        querystring: eventQuery,
        response: { 200: eventPage },
      },
    },
    async (request) => {
      const { session, kind } = request.query;
      checkIdParameter('session', 'ses', session, 'a session');
      const page = pageOfQuery(request.query, 'evt');
      const { tenant } = principalOf(request);
      return renderPage(await masking.listEvents(tenant, present({ session, kind }), page), renderEvent);
    },
  );
}

/** Also what is told live. */
export function renderEvent({ id, kind, at, session, subject, order, data }: Event) {
  return { id, kind, at: at.toISOString(), ...present({ session, subject, order }), data: { ...data } };
}
