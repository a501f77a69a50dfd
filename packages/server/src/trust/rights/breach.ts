/** Who was affected: the people whom entries of the ledger touched in a time, for the notice within 72 hours. */
import { currentActor } from '../../masking/actor.ts';
import { invalid, withKeys } from '../../masking/context.ts';
import { openPhone } from '../../masking/parties/party-keys.ts';
import { maskPhoneNumber } from '../../masking/parties/phone-numbers.ts';
import { affectedPeople, noteBreachReport } from '../../store/queries/rights.ts';
import type { TrustContext } from '../context.ts';
import type { Rights } from '../service.ts';

const mostPeople = 10_000;
const mostKinds = 20;
/** `recording.listened`, or a family: `recording.*`. */
const kindShape = /^[a-z]+(?:-[a-z]+)*(?:\.(?:\*|[a-z]+(?:-[a-z]+)*))?$/;
const actorShape = /^[a-z][a-z0-9_-]{0,63}$/;

export function createBreachReport(
  context: Pick<TrustContext, 'database' | 'vault'>,
): Pick<Rights, 'breachReport'> {
  return {
    async breachReport(tenant, question) {
      const { from, to, actor, kinds } = question;
      check(question);
      const rows = await affectedPeople(context.database, {
        tenant,
        from,
        to,
        actor,
        kinds: kinds?.map((kind) => (kind.endsWith('.*') ? `${kind.slice(0, -1)}%` : kind)),
        limit: mostPeople + 1,
      });
      const entries = rows[0]?.entries ?? 0;
      await noteBreachReport(context.database, {
        tenant,
        actor: currentActor(),
        details: {
          from: from.toISOString(),
          to: to.toISOString(),
          ...(actor === undefined ? {} : { of: actor }),
          ...(kinds === undefined ? {} : { kinds }),
          people: Math.min(rows.length, mostPeople),
          entries,
        },
      });
      const people = await withKeys(context, tenant, (keys) =>
        rows.slice(0, mostPeople).map((row) => {
          const e164 = openPhone(keys, row);
          return {
            party: row.party,
            ...(e164 === undefined || row.country === null
              ? {}
              : { phone: maskPhoneNumber(e164, row.country) }),
            sessions: row.sessions,
            first: row.first,
            last: row.last,
            kinds: row.kinds,
          };
        }),
      );
      return { people, entries, cut: rows.length > mostPeople };
    },
  };
}

function check({ from, to, actor, kinds }: Parameters<Rights['breachReport']>[1]): void {
  if (Number.isNaN(from.getTime())) throw invalid('`from` is a time.', '/from');
  if (Number.isNaN(to.getTime())) throw invalid('`to` is a time.', '/to');
  if (from.getTime() >= to.getTime()) throw invalid('`from` lies before `to`.', '/from');
  if (to.getTime() - from.getTime() > 400 * 86_400_000)
    throw invalid('The time is at most 400 days.', '/from');
  if (actor !== undefined && !actorShape.test(actor)) {
    throw invalid('An actor is the id of a key or a user, `admin`, or a part of the platform.', '/actor');
  }
  if (kinds === undefined) return;
  if (kinds.length < 1 || kinds.length > mostKinds) throw invalid('Give 1 to 20 kinds.', '/kinds');
  kinds.forEach((kind, index) => {
    if (kind.length > 64 || !kindShape.test(kind)) {
      throw invalid(
        'A kind is one such as `recording.listened`, or a family such as `recording.*`.',
        `/kinds/${index}`,
      );
    }
  });
}
