/** What the switch asks while calls run: decide, answered, ended. Many calls share one statement each. */
import { createBatcher } from '../../store/batcher.ts';
import { DatabaseUnavailable } from '../../store/errors.ts';
import * as queries from '../../store/queries/calls.ts';
import type { TenantVault } from '../../vault/types.ts';
import { type Context, withKeys } from '../context.ts';
import { isId } from '../ids.ts';
import { type Codes, pinAttempts } from '../parties/codes.ts';
import type { CallEnd, CallMasking, Decision, Inbound, PinOutcome, Refuse } from '../types.ts';
import type { CalledNumber, Planning, Telephony } from './planning.ts';

interface OwnNumber extends queries.OwnNumberRow {
  readonly e164: string;
  readonly until: number;
}

/** Milliseconds. Short, since a number may be given back and taken by another tenant; enough to spare a look-up a call. */
const directoryMilliseconds = 2_000;
const directoryEntries = 20_000;

/** Milliseconds between two statements of a kind. A caller who rings waits, one who is answered hardly notices. */
const askingPace = 4;
/** Calls a second from which on the pace of asking is kept: below, whoever calls alone waits for nothing. */
const askingRush = 800;
const answeringPace = 10;
const endingPace = 25;

export interface Decisions
  extends Pick<CallMasking, 'decide' | 'choose' | 'enterPin' | 'answered' | 'ended'> {
  /** For a call that the platform makes itself. */
  ask(call: queries.AskedCall): Promise<readonly queries.DecidedRow[]>;
  /** One of our numbers, E.164; undefined when it is none any more. */
  numberOf(e164: string): Promise<CalledNumber | undefined>;
}

export interface DecisionOptions {
  readonly telephony: Telephony;
  readonly node: () => { readonly node: string; readonly boot: string };
  readonly planning: Planning;
  readonly codes: Codes;
  /** A caller of an open side gets a session of their own. False: they can't. */
  readonly openConversation: (open: {
    readonly tenant: string;
    readonly session: string;
    readonly number: string;
    readonly caller: string;
  }) => Promise<boolean>;
}

export function createDecisions(context: Context, options: DecisionOptions): Decisions {
  const { telephony, node, planning, codes } = options;
  const { database, vault, doors } = context;
  const directory = new Map<string, OwnNumber>();

  const decisions = createBatcher<queries.AskedCall, readonly queries.DecidedRow[]>({
    maximum: 100,
    pace: {
      milliseconds: askingPace,
      timers: doors.timers,
      above: { itemsPerSecond: askingRush, clock: doors.clock },
    },
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
    const entry = { ...found, e164, until: now + directoryMilliseconds };
    // Oldest first out: a Map keeps the order of insertion.
    for (const oldest of directory.keys()) {
      if (directory.size < directoryEntries) break;
      directory.delete(oldest);
    }
    directory.set(e164, entry);
    return entry;
  }

  /** Undefined: none of ours, or it came through another carrier than the number's. */
  async function called(inbound: Inbound): Promise<OwnNumber | undefined> {
    const own = inbound.called === undefined ? undefined : await ownNumber(inbound.called);
    return own !== undefined &&
      inbound.carriers.some((from) => from.tenant === own.tenant && from.carrier === own.carrier)
      ? own
      : undefined;
  }

  const unknownNumber: Refuse = {
    kind: 'refuse',
    reason: 'unknown-number',
    locale: telephony.locale,
    tenant: undefined,
  };

  /** The caller's number, if it may be believed. */
  function believed(inbound: Inbound, own: OwnNumber): string | undefined {
    return own.caller_trust === 'trusted' && inbound.unverified !== true ? inbound.caller : undefined;
  }

  async function decideAs(
    inbound: Inbound,
    own: OwnNumber,
    as: { readonly session: string | null; readonly participant: string | null },
  ): Promise<Decision> {
    const keys = await vault.unlock(own.tenant);
    const caller = believed(inbound, own);
    const asked = {
      tenant: own.tenant,
      call: inbound.call,
      kind: 'inbound' as const,
      number: own.number,
      caller: caller === undefined ? null : keys.fingerprint(caller),
      ...as,
    };
    let rows = await decisions.add(asked);
    const [first] = rows;
    if (first?.verdict === 'open' && first.session !== null && caller !== undefined) {
      const { tenant, session } = first;
      const opened = await options.openConversation({ tenant, session, number: own.number, caller });
      if (!opened) return refusal(own.tenant, first.caller_locale, 'unavailable');
      rows = await decisions.add(asked);
    }
    return withKeys(context, own.tenant, (open) => decisionOf(open, rows, own, caller !== undefined));
  }

  function refusal(tenant: string, locale: string, reason: Refuse['reason']): Refuse {
    return { kind: 'refuse', reason, locale, tenant };
  }

  async function decisionOf(
    keys: TenantVault,
    rows: readonly queries.DecidedRow[],
    own: OwnNumber,
    trusted: boolean,
  ): Promise<Decision> {
    const { tenant } = keys;
    const [first, ...others] = rows;
    // The tenant or number was removed between the look-up and the decision.
    if (first === undefined) return unknownNumber;
    const locale = first.caller_locale;
    switch (first.verdict) {
      case 'connect': {
        const number: CalledNumber = own;
        return planning.run(keys, [first, ...others], number, { kind: 'inbound', trusted });
      }
      case 'choose': {
        const choices = first.choices ?? [];
        return choices.length === 0
          ? refusal(tenant, locale, 'ended')
          : { kind: 'choose', tenant, locale, options: choices };
      }
      case 'pin':
        return {
          kind: 'pin',
          tenant,
          locale,
          attempts: pinAttempts,
          codeless: first.choices?.[0]?.session,
        };
      // The conversation that was just opened is over already, or the open side's.
      case 'open':
        return refusal(tenant, locale, 'unavailable');
      case 'ended':
      case 'not-connected':
        return refusal(tenant, locale, first.verdict);
    }
  }

  const enterPin: CallMasking['enterPin'] = async ({ inbound, code, attempt }): Promise<PinOutcome> => {
    const own = await called(inbound);
    if (own === undefined) return { kind: 'locked' };
    const outcome = await codes.tryCode({
      tenant: own.tenant,
      number: own.number,
      code,
      caller:
        inbound.caller === undefined
          ? undefined
          : { phone: inbound.caller, trusted: believed(inbound, own) !== undefined },
      attempt,
    });
    if (outcome.kind !== 'accepted') return outcome;
    const { session, participant } = outcome;
    return { kind: 'accepted', decision: await decideAs(inbound, own, { session, participant }) };
  };

  return {
    async decide(inbound) {
      const own = await called(inbound);
      return own === undefined ? unknownNumber : decideAs(inbound, own, { session: null, participant: null });
    },
    async choose({ inbound, session }) {
      const own = await called(inbound);
      if (own === undefined || !isId(session, 'ses')) return unknownNumber;
      return decideAs(inbound, own, { session, participant: null });
    },
    enterPin,
    ask: (call) => decisions.add(call),
    numberOf: ownNumber,
    answered: (answer) => answers.add(answer),
    ended: async (end) => {
      await ends.add(end);
    },
  };
}

function neverSent(error: unknown): boolean {
  return !(error instanceof DatabaseUnavailable && error.maybeDone);
}

function keyOf(call: { readonly tenant: string; readonly call: string }): string {
  return `${call.tenant} ${call.call}`;
}
