/** What the switch asks while calls run: decide, answered, ended. Many calls share one statement each. */
import { createBatcher } from '../store/batcher.ts';
import { DatabaseUnavailable } from '../store/errors.ts';
import * as queries from '../store/queries/calls.ts';
import type { TenantVault } from '../vault/types.ts';
import { type Context, withKeys } from './context.ts';
import { openPhone } from './session-view.ts';
import type { CallEnd, CallMasking, Decision, DecisionTarget, Inbound, Refuse } from './types.ts';

export interface Telephony {
  /** Seconds that each target rings; a tenant's setting `ringSeconds` (5 to 120) goes before. */
  readonly ringSeconds: number;
  /** Seconds after which a call is ended; a tenant's setting `maxSeconds` (10 to 86,400) goes before. */
  readonly maxSeconds: number;
  /** Language of what is said to callers of numbers that are none of ours. */
  readonly locale: string;
}

interface OwnNumber {
  readonly tenant: string;
  readonly number: string;
  readonly carrier: string;
  readonly until: number;
}

/** Milliseconds. Short, since a number may be given back and taken by another tenant; enough to spare a look-up a call. */
const directoryMilliseconds = 2_000;
const directoryEntries = 20_000;

/** Milliseconds between two statements of a kind. A caller who rings waits, one who is answered hardly notices. */
const askingPace = 4;
const answeringPace = 10;
const endingPace = 25;

export function createDecisions(
  context: Context,
  telephony: Telephony,
  node: () => { readonly node: string; readonly boot: string },
): Pick<CallMasking, 'decide' | 'answered' | 'ended'> {
  const { database, vault, doors } = context;
  const directory = new Map<string, OwnNumber>();

  const decisions = createBatcher<queries.AskedCall, readonly queries.DecidedRow[]>({
    maximum: 100,
    pace: { milliseconds: askingPace, timers: doors.timers },
    async run(asked) {
      const rows = await queries.decideCalls(database, node(), asked);
      const byCall = Map.groupBy(rows, (row) => keyOf(row));
      return asked.map((one) => byCall.get(keyOf(one)) ?? []);
    },
  });

  const answers = createBatcher<queries.AnsweredCall, boolean>({
    maximum: 100,
    pace: { milliseconds: answeringPace, timers: doors.timers },
    // Asked twice it would say no: the call is answered already.
    mayRetry: neverSent,
    async run(asked) {
      const joined = new Set((await queries.answerCalls(database, asked)).map(keyOf));
      return asked.map((one) => joined.has(keyOf(one)));
    },
  });

  const ends = createBatcher<CallEnd, undefined>({
    maximum: 100,
    inFlight: 1,
    pace: { milliseconds: endingPace, timers: doors.timers },
    async run(ended) {
      await queries.endCalls(database, ended);
      return ended.map(() => undefined);
    },
  });

  async function ownNumber(e164: string): Promise<OwnNumber | undefined> {
    const now = doors.clock.monotonic();
    const known = directory.get(e164);
    if (known !== undefined && known.until > now) return known;
    const found = await queries.findNumber(database, e164);
    directory.delete(e164);
    if (found === undefined) return undefined;
    const entry = { ...found, until: now + directoryMilliseconds };
    // Oldest first out: a Map keeps the order of insertion.
    for (const oldest of directory.keys()) {
      if (directory.size < directoryEntries) break;
      directory.delete(oldest);
    }
    directory.set(e164, entry);
    return entry;
  }

  async function decide(inbound: Inbound): Promise<Decision> {
    const { called, caller, call } = inbound;
    const own = called === undefined ? undefined : await ownNumber(called);
    const reachable =
      own !== undefined &&
      inbound.carriers.some((from) => from.tenant === own.tenant && from.carrier === own.carrier);
    if (!reachable) {
      return { kind: 'refuse', reason: 'unknown-number', locale: telephony.locale, tenant: undefined };
    }
    const { tenant, number } = own;
    const keys = await vault.unlock(tenant);
    const rows = await decisions.add({
      tenant,
      call,
      number,
      caller: caller === undefined ? null : keys.fingerprint(caller),
    });
    return withKeys(context, tenant, (open) => decisionOf(open, rows));
  }

  function decisionOf(keys: TenantVault, rows: readonly queries.DecidedRow[]): Decision {
    const { tenant } = keys;
    const [first] = rows;
    // The tenant or number was removed between the look-up and the decision.
    if (first === undefined) {
      return { kind: 'refuse', reason: 'unknown-number', locale: telephony.locale, tenant: undefined };
    }
    const refuse = (reason: Refuse['reason']): Refuse => ({
      kind: 'refuse',
      reason,
      locale: first.caller_locale,
      tenant,
    });
    if (first.verdict !== 'connect') return refuse(first.verdict);
    const { session, caller_participant: participant, caller_party: party, recording } = first;
    const targets = rows.flatMap((row) => targetOf(keys, row));
    if (targets.length === 0 || session === null || participant === null || party === null) {
      return refuse('unavailable');
    }
    return {
      kind: 'connect',
      tenant,
      session,
      caller: { participant, party, locale: first.caller_locale },
      targets,
      recording: recording ?? 'off',
      ringSeconds: setting(first.settings, 'ringSeconds', 5, 120) ?? telephony.ringSeconds,
      maxSeconds: setting(first.settings, 'maxSeconds', 10, 86_400) ?? telephony.maxSeconds,
    };
  }

  return {
    decide,
    answered: (answer) => answers.add(answer),
    ended: async (end) => {
      await ends.add(end);
    },
  };
}

/** None when there is no target in the row, or its number was erased. Throws `Tampered`. */
function targetOf(keys: TenantVault, row: queries.DecidedRow): readonly DecisionTarget[] {
  if (row.participant === null) return [];
  const phone = openPhone(keys, row);
  if (phone === undefined) return [];
  const { participant, party, locale, number, carrier } = row;
  return [{ participant, party, locale, phone, callerId: row.caller_id, number, carrier }];
}

function neverSent(error: unknown): boolean {
  return !(error instanceof DatabaseUnavailable && error.maybeDone);
}

function keyOf(call: { readonly tenant: string; readonly call: string }): string {
  return `${call.tenant} ${call.call}`;
}

function setting(
  settings: Readonly<Record<string, unknown>>,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const value = settings[name];
  return typeof value === 'number' && value >= least && value <= most ? value : undefined;
}
