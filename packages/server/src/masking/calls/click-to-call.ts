/** Calls that the platform makes itself: one participant is rung first, then the other, each from their own number. */
import type { DecidedRow } from '../../store/queries/calls.ts';
import { restrictedParticipants } from '../../store/queries/rights.ts';
import { currentActor } from '../actor.ts';
import { type Context, withKeys } from '../context.ts';
import { type Masking, MaskingError } from '../service.ts';
import { resolveParticipant } from '../sessions/session-changes.ts';
import type { CallMasking, Originate, RefusalReason, Run } from '../types.ts';
import type { Decisions } from './decide.ts';
import { type Planning, targetsOf } from './planning.ts';

export function createClickToCall(
  context: Context,
  planning: Planning,
  decisions: Pick<Decisions, 'ask' | 'ended' | 'numberOf'>,
  sessions: Pick<Masking, 'getSession'>,
): Pick<CallMasking, 'originate'> {
  const { doors, database } = context;

  /** The record was written with the decision: it says why nothing came of it. */
  async function refused(
    { tenant, call, session }: Parameters<CallMasking['originate']>[0],
    reason: RefusalReason,
    asked: readonly string[],
  ): Promise<MaskingError> {
    await decisions.ended({
      tenant,
      call,
      outcome: 'refused',
      hangupBy: 'platform',
      hangupCause: reason,
      endedAt: doors.clock.now(),
      legs: [],
    });
    if (reason !== 'ended' && (await restrictedParticipants(database, tenant, session, asked))) {
      return new MaskingError('subject-restricted', "The use of a participant's data is restricted.");
    }
    return reason === 'ended'
      ? new MaskingError('session-closed', 'The session is over.')
      : new MaskingError('participant-unreachable', `Nobody may be called now: ${words(reason)}.`);
  }

  return {
    async originate(request): Promise<Originate> {
      const { tenant, session, from, to, call } = request;
      const found = await sessions.getSession(tenant, session);
      const active = found.participants.filter((one) => one.leftAt === undefined && !one.open);
      const first = resolveParticipant(active, from, '/from');
      const second = to === undefined ? undefined : resolveParticipant(active, to, '/to');
      if (first === second) {
        throw new MaskingError('invalid', 'Two different participants are connected.', '/to');
      }
      const asked = second === undefined ? active.map(({ id }) => id) : [first, second];
      const seat = active.find((one) => one.id === first);
      if (found.status === 'closed' || found.status === 'expired') {
        if (found.afterCloseUntil === undefined)
          throw new MaskingError('session-closed', 'The session is over.');
      }
      const number = await decisions.numberOf(seat?.number ?? '');
      if (number === undefined) throw new MaskingError('number-not-available', 'Their number is out of use.');
      const rows = await decisions.ask({
        tenant,
        call,
        kind: 'click-to-call',
        number: number.number,
        caller: null,
        session,
        participant: first,
        requested: { by: currentActor(), to: second },
      });
      const [row, ...others] = rows;
      if (row === undefined) throw new MaskingError('number-not-available', 'Their number is out of use.');
      if (row.verdict !== 'connect') throw await refused(request, 'ended', asked);
      const { near, run } = await withKeys(context, tenant, async (keys) => ({
        near: targetsOf(keys, rows.filter(isOwn)).get(first)?.[0],
        run: await planning.run(keys, [row, ...others], number, {
          kind: 'click-to-call',
          trusted: true,
          ...(second === undefined ? {} : { to: second }),
        }),
      }));
      if (run.kind === 'refuse') throw await refused(request, run.reason, asked);
      const only = onlyRefusal(run);
      if (only !== undefined) throw await refused(request, only, asked);
      if (near === undefined) throw await refused(request, 'unavailable', asked);
      return { near, ringSeconds: ringSeconds(run), run };
    },
  };
}

function isOwn(row: DecidedRow): boolean {
  return row.own;
}

/** Nobody's phone rings only to hear that nothing can be done. */
function onlyRefusal(run: Run): RefusalReason | undefined {
  const [first] = run.steps;
  return run.steps.length === 1 && first?.kind === 'refuse' ? first.reason : undefined;
}

function ringSeconds(run: Run): number {
  const connect = run.steps.find((step) => step.kind === 'connect');
  return connect?.kind === 'connect' ? connect.ringSeconds : 25;
}

function words(reason: RefusalReason): string {
  switch (reason) {
    case 'closed':
      return 'it is outside the times of the session';
    case 'quiet-hours':
      return 'it is quiet hours there';
    case 'limit':
      return 'the session has used up its calls';
    case 'not-allowed':
      return 'this participant may not start calls';
    case 'program':
      return "the session's program refuses";
    case 'ended':
    case 'not-connected':
    case 'unknown-number':
    case 'unavailable':
      return 'the other side has no phone that can be rung';
  }
}
