/** What happened, for the tenant's own systems. Written where it happens, in the same transaction; kept for 30 days. */
import * as queries from '../../store/queries/events.ts';
import { type Context, checkPage, invalid, toPage } from '../context.ts';
import { isId } from '../ids.ts';
import type { Event, Masking } from '../service.ts';

/** `session.opened`, `participant.replaced`, … */
const kindShape = /^[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*$/;

export function createEvents(context: Context): Pick<Masking, 'listEvents'> {
  return {
    async listEvents(tenant, { session, kind }, page) {
      const { limit, after } = checkPage(page);
      if (kind !== undefined && (kind.length > 64 || !kindShape.test(kind))) {
        throw invalid('A kind is two words with a dot between them, such as `session.closed`.', '/kind');
      }
      if (session !== undefined && !isId(session, 'ses')) return { items: [] };
      const rows = await queries.listEvents(context.database, {
        tenant,
        session,
        kind,
        after,
        limit: limit + 1,
      });
      return toPage(rows, limit, (row) => row.event, toEvent);
    },
  };
}

export function toEvent(row: queries.EventRow): Event {
  return {
    id: row.event,
    kind: row.kind,
    at: row.at,
    ...(row.session === null ? {} : { session: row.session }),
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.session_order === null ? {} : { order: row.session_order }),
    data: row.data,
  };
}
