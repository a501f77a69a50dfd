/**
 * From what the database knows of a call to what is done with it: the program comes to a plan (program/), and the plan's
 * participants become phones. Plain sessions, nearly all, take a short way without a program.
 */
import type { DecidedRow, SessionInfoRow } from '../../store/queries/calls.ts';
import type { TenantVault } from '../../vault/types.ts';
import type { Context } from '../context.ts';
import { openPhone } from '../parties/party-keys.ts';
import { type PlanInput, planAnswer, planCall, spoken } from '../program/index.ts';
import type { Plan, PlannedStep, ProgramFacts, SessionRules } from '../program/types.ts';
import type { ProgramCache } from '../saved-programs/program-cache.ts';
import type {
  DecisionTarget,
  ForwardStep,
  MessagesStep,
  Refuse,
  Run,
  Spoken,
  Step,
  Survey,
  Trace,
} from '../types.ts';
import type { RecordingModes } from './recording-modes.ts';

export interface Telephony {
  /** Seconds that each target rings; a tenant's setting `ringSeconds` (5 to 120) goes before. */
  readonly ringSeconds: number;
  /** Seconds after which a call is ended; a tenant's setting `maxSeconds` (10 to 86,400) goes before. */
  readonly maxSeconds: number;
  /** Language of what is said to callers of numbers that are none of ours. */
  readonly locale: string;
}

export interface PlanningOptions {
  readonly telephony: Telephony;
  readonly programs: ProgramCache;
  /** The number behind a destination's name; undefined when there is none any more. */
  readonly destination: (tenant: string, name: string) => Promise<string | undefined>;
  /** Files and keys of waiting messages; those that can't be opened are left out. */
  readonly voicemails: (tenant: string, recordings: readonly string[]) => Promise<MessagesStep['messages']>;
  /** How a call of these parties is recorded, by its session and the tenant's policy. */
  readonly recordingMode: RecordingModes;
}

/** The number through which the call came: what a forwarded call shows. */
export interface CalledNumber {
  readonly number: string;
  readonly e164: string;
  readonly carrier: string;
}

export interface Planning {
  /** `rows`: of one call whose verdict is `connect`. `kind`: click-to-call may ask for one target only. */
  run(
    keys: TenantVault,
    rows: readonly [DecidedRow, ...DecidedRow[]],
    called: CalledNumber,
    call: { readonly kind: 'inbound' | 'click-to-call'; readonly trusted: boolean; readonly to?: string },
  ): Promise<Run | Refuse>;
  /**
   * What a tenant's system says is to be done; undefined: it makes no sense. With `fallback`, what an `ask` step at
   * this place says itself.
   */
  answer(
    keys: TenantVault,
    then: unknown,
    about: AboutCall,
    targets: ReadonlyMap<string, readonly DecisionTarget[]>,
    called: CalledNumber,
    fallback?: { readonly place: string },
  ): Promise<readonly Step[] | undefined>;
  /** What `ask` tells the tenant's system. */
  facts(about: AboutCall): ProgramFacts;
}

/** Whom a call is about, wherever the rows came from. */
export interface AboutCall {
  readonly tenant: string;
  readonly session: string;
  readonly participant: string;
  readonly locale: string;
  readonly recording: Run['recording'];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly info: SessionInfoRow;
  readonly kind: 'inbound' | 'click-to-call';
  readonly trusted: boolean;
  readonly number: string;
}

/** Before the end of a call that a session's limit cuts; half of short ones. Seconds. */
const warning = 60;

export function createPlanning({ doors }: Pick<Context, 'doors'>, options: PlanningOptions): Planning {
  const { telephony, programs } = options;
  async function programOf(
    tenant: string,
    info: SessionInfoRow,
  ): Promise<Pick<PlanInput, 'program' | 'source'>> {
    const inline = (info.rules as SessionRules | null)?.program;
    if (info.program !== null && info.version !== null) {
      const found = await programs.get(tenant, info.program, info.version);
      if (found !== undefined) {
        return {
          program: found.definition,
          source: { source: info.programSource ?? 'named', id: found.id, version: found.version },
        };
      }
    }
    if (inline !== undefined) {
      return { program: inline, source: { source: 'inline' } };
    }
    return { program: undefined, source: { source: 'default' } };
  }

  function timeZoneOf(settings: Readonly<Record<string, unknown>>): string {
    return typeof settings['timeZone'] === 'string' ? settings['timeZone'] : 'UTC';
  }

  function defaultsOf(settings: Readonly<Record<string, unknown>>) {
    return {
      ringSeconds: setting(settings, 'ringSeconds', 5, 120) ?? telephony.ringSeconds,
      accept: settings['accept'] === true,
    };
  }

  function factsOf(about: AboutCall): ProgramFacts {
    const { info } = about;
    const now = doors.clock.now();
    const person = info.people.find((one) => one.participant === about.participant);
    return {
      call: { kind: about.kind, number: about.number, country: info.numberCountry, pool: info.pool },
      caller: {
        role: person?.role ?? '',
        participant: about.participant,
        locale: about.locale,
        country: info.callerCountry ?? '',
        trusted: about.trusted,
      },
      session: {
        id: about.session,
        reference: info.reference ?? '',
        metadata: info.metadata,
        age: Math.max(0, Math.floor((now - Date.parse(info.createdAt)) / 1_000)),
        remaining: Math.max(0, Math.floor((Date.parse(info.expiresAt) - now) / 1_000)),
        recording: about.recording,
        roles: [...new Set(info.people.map((one) => one.role))],
        closed: info.closed,
      },
      attempt: info.attempt,
    };
  }

  function inputOf(
    about: AboutCall,
    allowed: ReadonlySet<string> | undefined,
  ): Omit<PlanInput, 'program' | 'source'> {
    return {
      rules: (about.info.rules ?? {}) as SessionRules,
      facts: factsOf(about),
      at: new Date(doors.clock.now()),
      timeZone: timeZoneOf(about.settings),
      opened: about.info.opened,
      people: about.info.people.map((one) => ({
        participant: one.participant,
        role: one.role,
        timeZone: one.timeZone ?? undefined,
      })),
      caller: about.participant,
      allowed,
      defaults: defaultsOf(about.settings),
    };
  }

  /** Undefined: everybody. */
  function allowedBy(about: AboutCall, to: string | undefined): ReadonlySet<string> | undefined {
    const { info } = about;
    const blocked = new Set(info.blocked ?? []);
    const directions = info.closed ? (info.afterClose?.allow ?? []) : undefined;
    if (directions === undefined && blocked.size === 0 && to === undefined) return undefined;
    const role = info.people.find((one) => one.participant === about.participant)?.role;
    return new Set(
      info.people
        .filter(
          (one) =>
            one.participant !== about.participant &&
            !blocked.has(one.participant) &&
            (to === undefined || one.participant === to || one.role === to) &&
            (directions === undefined ||
              directions.some((allow) => allow.from === role && allow.to === one.role)),
        )
        .map((one) => one.participant),
    );
  }

  /** A plan's participants with their phones. Nobody who can't be reached stays in: an empty connect falls away. */
  async function resolve(
    keys: TenantVault,
    steps: readonly PlannedStep[],
    targets: ReadonlyMap<string, readonly DecisionTarget[]>,
    called: CalledNumber,
  ): Promise<readonly Step[]> {
    const resolved: Step[] = [];
    for (const step of steps) {
      switch (step.kind) {
        case 'connect': {
          const reached = step.targets.flatMap((participant) => targets.get(participant) ?? []);
          if (reached.length > 0) resolved.push({ ...step, targets: reached });
          break;
        }
        case 'forward': {
          const forward = await forwardTo(keys.tenant, step, called);
          if (forward !== undefined) resolved.push(forward);
          break;
        }
        case 'menu': {
          const choices = new Map<string, readonly Step[]>();
          for (const [key, then] of step.choices) {
            choices.set(key, await resolve(keys, then, targets, called));
          }
          resolved.push({
            ...step,
            choices,
            otherwise: await resolve(keys, step.otherwise, targets, called),
          });
          break;
        }
        default:
          resolved.push(step);
      }
    }
    return resolved;
  }

  async function forwardTo(
    tenant: string,
    step: ForwardStep,
    called: CalledNumber,
  ): Promise<ForwardStep | undefined> {
    const phone = await options.destination(tenant, step.destination);
    if (phone === undefined) return undefined;
    return { ...step, phone, callerId: called.e164, number: called.number, carrier: called.carrier };
  }

  const run: Planning['run'] = async (keys, rows, called, { kind, trusted, to }) => {
    const [first] = rows;
    const { session, caller_participant: participant, caller_party: party } = first;
    const { tenant } = keys;
    const refuse = (reason: Refuse['reason']): Refuse => ({
      kind: 'refuse',
      reason,
      locale: first.caller_locale,
      tenant,
    });
    if (session === null || participant === null || party === null) return refuse('unavailable');
    const targets = targetsOf(
      keys,
      rows.filter((row) => !row.own),
    );
    const maxSeconds = setting(first.settings, 'maxSeconds', 10, 86_400) ?? telephony.maxSeconds;
    const common = {
      kind: 'run' as const,
      tenant,
      session,
      caller: { participant, party, locale: first.caller_locale },
      recording: await options.recordingMode(tenant, first.recording ?? 'off', first.settings, [
        party,
        ...rows.flatMap((row) => (row.participant === null ? [] : [row.party])),
      ]),
      reportAfterCall: first.settings['reportAfterCall'] === true,
    };
    if (first.info === null) {
      const reached = [...targets.entries()]
        .filter(
          ([who]) =>
            to === undefined || who === to || rows.some((row) => row.participant === who && row.role === to),
        )
        .flatMap(([, phones]) => phones);
      if (reached.length === 0) return refuse('unavailable');
      const { ringSeconds, accept } = defaultsOf(first.settings);
      return {
        ...common,
        steps: [
          {
            kind: 'connect',
            place: 'default',
            targets: reached,
            mode: 'hunt',
            ringSeconds,
            accept,
            whisper: undefined,
          },
        ],
        maxSeconds,
        warnSeconds: 0,
        survey: undefined,
        trace: plainTrace(doors.clock.now(), timeZoneOf(first.settings)),
      };
    }
    const about: AboutCall = {
      tenant,
      session,
      participant,
      locale: first.caller_locale,
      recording: common.recording,
      settings: first.settings,
      info: first.info,
      kind,
      trusted,
      number: called.number,
    };
    const { info } = about;
    const allowed = allowedBy(about, to);
    // Nobody is left whom this caller may reach: after the close that is the end; a block sounds like a stranger's call.
    if (allowed?.size === 0 && to === undefined) {
      return refuse(
        info.closed ? 'ended' : (info.blocked ?? []).length > 0 ? 'not-connected' : 'unavailable',
      );
    }
    const plan = mayStart(info, participant) ? await planned(about, allowed) : notAllowed(about);
    const steps = await resolve(keys, plan.steps, targets, called);
    const messages =
      info.messages === null || info.closed ? [] : await options.voicemails(tenant, info.messages);
    const all: readonly Step[] = [
      ...(messages.length === 0 ? [] : [{ kind: 'messages' as const, place: 'messages', messages }]),
      ...steps,
    ];
    if (all.length === 0) return refuse('unavailable');
    const limits = limitSeconds(about, maxSeconds);
    return {
      ...common,
      steps: all,
      ...limits,
      survey: surveyOf(about, plan),
      trace: plan.trace,
    };
  };

  async function planned(about: AboutCall, allowed: ReadonlySet<string> | undefined): Promise<Plan> {
    const { program, source } = await programOf(about.tenant, about.info);
    return planCall({ ...inputOf(about, allowed), program, source });
  }

  function notAllowed(about: AboutCall): Plan {
    return {
      steps: [{ kind: 'refuse', place: 'one-way', reason: 'not-allowed', words: undefined }],
      trace: {
        ...plainTrace(doors.clock.now(), timeZoneOf(about.settings)),
        forbidden: ['this participant may not start calls'],
        steps: [{ place: 'one-way', verb: 'refuse' }],
      },
    };
  }

  return {
    run,
    facts: factsOf,
    async answer(keys, then, about, targets, called, fallback) {
      const { program } = await programOf(about.tenant, about.info);
      const steps = planAnswer(then, { ...inputOf(about, allowedBy(about, undefined)), program }, fallback);
      return steps && resolve(keys, steps, targets, called);
    },
  };
}

function mayStart(info: SessionInfoRow, participant: string): boolean {
  return info.people.find((one) => one.participant === participant)?.mayStart ?? true;
}

function plainTrace(now: number, timeZone: string): Trace {
  return {
    program: { source: 'default' },
    at: new Date(now).toISOString(),
    timeZone,
    open: true,
    rules: [],
    forbidden: [],
    steps: [{ place: 'default', verb: 'connect' }],
  };
}

/** What is left of the session's minutes bounds the call, too. */
function limitSeconds(about: AboutCall, most: number): Pick<Run, 'maxSeconds' | 'warnSeconds'> {
  const { limits } = (about.info.rules ?? {}) as SessionRules;
  const left = limits?.minutes === undefined ? most : (limits.minutes - about.info.attempt.minutes) * 60;
  const maxSeconds = Math.max(1, Math.floor(Math.min(most, limits?.callSeconds ?? most, left)));
  if (limits?.callSeconds === undefined && limits?.minutes === undefined)
    return { maxSeconds, warnSeconds: 0 };
  return { maxSeconds, warnSeconds: maxSeconds >= 2 * warning ? warning : Math.floor(maxSeconds / 2) };
}

const surveyKeys = '12345';
const surveyWords: Spoken = [{ kind: 'prompt', name: 'survey' }];

function surveyOf(about: AboutCall, plan: Plan): Survey | undefined {
  const { survey } = (about.info.rules ?? {}) as SessionRules;
  if (survey === undefined || plan.steps.every((step) => step.kind === 'refuse')) return undefined;
  const person = about.info.people.find((one) => one.role === survey.of);
  if (person === undefined) return undefined;
  return {
    participant: person.participant,
    prompt: survey.prompt === undefined ? surveyWords : spoken(survey.prompt),
    keys: survey.keys ?? surveyKeys,
  };
}

/** By participant, their phones in order; those whose number was erased are left out. Throws `Tampered`. */
export function targetsOf(
  keys: TenantVault,
  rows: readonly (Pick<DecidedRow, 'participant' | 'party' | 'locale' | 'caller_id' | 'number' | 'carrier'> &
    Parameters<typeof openPhone>[1])[],
): ReadonlyMap<string, readonly DecisionTarget[]> {
  const targets = new Map<string, DecisionTarget[]>();
  for (const row of rows) {
    const { participant, party, locale, number, carrier } = row;
    if (participant === null) continue;
    const phone = openPhone(keys, row);
    if (phone === undefined) continue;
    const target = { participant, party, locale, phone, callerId: row.caller_id, number, carrier };
    const before = targets.get(participant);
    if (before === undefined) targets.set(participant, [target]);
    else before.push(target);
  }
  return targets;
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
