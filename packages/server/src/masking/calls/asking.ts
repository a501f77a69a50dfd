/** `ask` steps: the tenant's own system says what happens to a call, within its time, or the fallback does. */
import { callTargets } from '../../store/queries/calls.ts';
import { type Context, withKeys } from '../context.ts';
import type { CallMasking, Step } from '../types.ts';
import { type AboutCall, type Planning, targetsOf } from './planning.ts';

/** The way to the tenant's system: never rejects, and answers within the time given. */
export type Asker = (question: {
  readonly tenant: string;
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
  readonly body: unknown;
  readonly timeoutMilliseconds: number;
}) => Promise<
  { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly reason: string }
>;

/** What a caller hears when not even the fallback makes sense any more (its role has left, say). */
const lastResort: readonly Step[] = [
  { kind: 'refuse', place: 'fallback', reason: 'unavailable', words: undefined },
];

export function createAsking(
  context: Context,
  planning: Planning,
  asker: Asker,
  decisionSecret: (tenant: string) => Promise<string>,
): Pick<CallMasking, 'ask'> {
  const { database } = context;

  const ask: CallMasking['ask'] = async ({ tenant, call, session, step, keys: pressed }) => {
    const rows = await callTargets(database, tenant, call);
    const [first] = rows;
    if (first === undefined || first.session !== session) return { steps: lastResort, outcome: 'fallback' };
    const about: AboutCall = {
      tenant,
      session,
      participant: first.caller_participant,
      locale: first.info.people.find((one) => one.participant === first.caller_participant)?.locale ?? 'en',
      recording: 'off',
      settings: first.settings,
      info: first.info,
      kind: first.kind,
      trusted: true,
      number: first.number_called,
    };
    const called = { number: first.number_called, e164: first.e164_called, carrier: first.carrier_called };
    const said = await asker({
      tenant,
      url: step.url,
      secret: await decisionSecret(tenant),
      // Ids, and what the tenant knows anyway; no number, no name.
      body: {
        type: 'call.decision',
        call,
        session,
        place: step.place,
        keys: pressed,
        facts: planning.facts(about),
      },
      timeoutMilliseconds: step.timeoutMilliseconds,
    });
    return withKeys(context, tenant, async (keys) => {
      const targets = targetsOf(keys, rows);
      const then =
        said.ok && typeof said.answer === 'object' && said.answer !== null && 'then' in said.answer
          ? said.answer.then
          : undefined;
      const steps =
        then === undefined ? undefined : await planning.answer(keys, then, about, targets, called);
      if (steps !== undefined && steps.length > 0) return { steps, outcome: 'answered' as const };
      const fallback = await planning.answer(keys, step.fallback, about, targets, called, step);
      return {
        steps: fallback === undefined || fallback.length === 0 ? lastResort : fallback,
        outcome: 'fallback' as const,
      };
    });
  };

  return {
    async ask(question) {
      try {
        return await ask(question);
      } catch {
        // The database is away, or the tenant's keys: the caller is told, the switch never waits.
        return { steps: lastResort, outcome: 'fallback' };
      }
    },
  };
}
