/** An event as an endpoint gets it. The same bytes at every attempt, as long as the event is kept. */
import type { ClaimedRow } from '../store/queries/webhooks.ts';

export function payloadOf(
  row: Pick<ClaimedRow, 'event' | 'kind' | 'at' | 'session' | 'session_order' | 'subject' | 'data'>,
): string {
  return JSON.stringify({
    type: row.kind,
    timestamp: row.at.toISOString(),
    data: {
      ...row.data,
      id: row.event,
      ...(row.session === null ? {} : { session: row.session }),
      ...(row.session_order === null ? {} : { order: row.session_order }),
      ...(row.subject === null ? {} : { subject: row.subject }),
    },
  });
}
