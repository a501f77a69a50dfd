/** Holds: while something is investigated nothing of its session is deleted. */
import { currentActor } from '../../masking/actor.ts';
import { checkPage, notFound, toPage } from '../../masking/context.ts';
import { isId, newId } from '../../masking/ids.ts';
import * as queries from '../../store/queries/custody.ts';
import type { TrustContext } from '../context.ts';
import type { Custody, Hold } from '../service.ts';
import { checkText, sealing } from './text.ts';

export function createHolds(context: TrustContext): Pick<Custody, 'placeHold' | 'listHolds' | 'releaseHold'> {
  const { database, doors } = context;
  const reasons = sealing(context, 'legal_holds', 'reason');

  function toHold(row: queries.HoldRow, open: (sealed: Buffer, row: string) => string): Hold {
    return {
      ...{ id: row.hold, session: row.session, reason: open(row.reason, row.hold) },
      ...{ placedBy: row.placed_by, placedAt: row.placed_at },
      ...(row.dispute === null ? {} : { dispute: row.dispute }),
      ...(row.released_at === null ? {} : { releasedAt: row.released_at }),
    };
  }

  return {
    async placeHold(tenant, { session, reason, dispute }) {
      checkText(reason, 3, 2_000, '/reason');
      const hold = newId(doors, 'hld');
      const sealed = await reasons.seal(tenant, reason, hold);
      const actor = currentActor();
      const row = isId(session, 'ses')
        ? await database.transaction(async (inside) => {
            await queries.lockCustody(inside, tenant);
            return queries.placeHold(inside, {
              ...{ tenant, hold, session, dispute, actor },
              reason: sealed,
            });
          })
        : undefined;
      if (row === undefined) throw notFound('session');
      return toHold(row, await reasons.opener(tenant));
    },

    async listHolds(tenant, { session, active }, page) {
      const { limit, after } = checkPage(page);
      if (session !== undefined && !isId(session, 'ses')) return { items: [] };
      const rows = await queries.listHolds(database, { tenant, session, active, after, limit: limit + 1 });
      const open = await reasons.opener(tenant);
      return toPage(
        rows,
        limit,
        (row) => row.hold,
        (row) => toHold(row, open),
      );
    },

    async releaseHold(tenant, hold) {
      const actor = currentActor();
      const row = isId(hold, 'hld')
        ? await queries.releaseHold(database, { tenant, hold, actor })
        : undefined;
      if (row === undefined) throw notFound('hold');
      return toHold(row, await reasons.opener(tenant));
    },
  };
}
