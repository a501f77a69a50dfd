/**
 * What a program would do, without a call: a session as it is (its rules, people and history), or people made up of
 * roles, and a moment. And what it did: the explanation that a call left behind.
 */

import { listDestinations } from '../../store/queries/destinations.ts';
import * as queries from '../../store/queries/explanations.ts';
import { readSettings } from '../../store/queries/tenants.ts';
import { defaultSettings, settingsOf } from '../access/settings.ts';
import { type Context, invalid, notFound } from '../context.ts';
import { isId } from '../ids.ts';
import { checkProgram, planCall, summary } from '../program/index.ts';
import type { ProgramDefinition, ProgramFacts, ProgramPerson, SessionRules } from '../program/types.ts';
import { type AfterClose, type Masking, MaskingError, type ProgramTest, type Settings } from '../service.ts';
import type { CallExplanation, RefusalReason, Trace } from '../types.ts';
import { type ProgramOptions, readProgram } from './programs.ts';

/** What a session in which nothing ever happened says of its history. */
const noAttempts: ProgramFacts['attempt'] = {
  calls: 0,
  answered: 0,
  connected: 0,
  minutes: 0,
  sinceLast: -1,
  recent: 0,
};
/** Of a session that is only imagined: it was opened an hour ago and lives for a day. */
const imaginedAge = 3_600;
const imaginedRemaining = 82_800;
const usualRoles = ['agent', 'customer'];

/** Who could be calling, and in what. */
interface Scene {
  readonly rules: SessionRules;
  readonly people: readonly (ProgramPerson & { readonly locale: string; readonly country: string })[];
  readonly caller: Scene['people'][number];
  readonly call: Omit<ProgramFacts['call'], 'kind'>;
  readonly session: Omit<ProgramFacts['session'], 'roles'>;
  readonly attempt: ProgramFacts['attempt'];
  /** False: its opening lies ahead. */
  readonly opened: boolean;
  /** Whom the caller may reach, where a block or the session's close leaves not everybody. */
  readonly allowed: ReadonlySet<string> | undefined;
  /** The call would be refused for this, whatever the program says. */
  readonly refused: Refused | undefined;
}

export function createRehearsal(
  context: Context,
  options: ProgramOptions & { readonly settings?: Settings },
): Pick<Masking, 'testProgram' | 'explainCall'> {
  const { database, doors } = context;

  return {
    async testProgram(tenant, program, test) {
      const at = test.at ?? new Date(doors.clock.now());
      if (Number.isNaN(at.getTime())) throw invalid('`at` is a moment in RFC 3339.', '/at');
      const stored = await readSettings(database, tenant);
      if (stored === undefined) throw notFound('tenant');
      const settings = settingsOf(stored, options.settings ?? defaultSettings);
      const scene = await (test.session === undefined
        ? imaginedScene(test)
        : sessionScene(context, tenant, test.session, test, at));
      const called =
        test.number === undefined ? undefined : await queries.readOwnNumber(database, tenant, test.number);
      if (test.number !== undefined && called === undefined) {
        throw invalid('This is none of your virtual numbers.', '/number');
      }
      const found = await findProgram(context, tenant, program, scene, options);
      const plan = planCall({
        program: found.definition,
        source: found.source,
        rules: scene.rules,
        facts: factsOf(scene, called ?? scene.call, test),
        at,
        timeZone: settings.timeZone,
        opened: scene.opened,
        people: scene.people,
        caller: scene.caller.participant,
        allowed: scene.allowed,
        defaults: { ringSeconds: settings.ringSeconds, accept: settings.accept },
      });
      return scene.refused === undefined
        ? { trace: plan.trace, summary: summary(plan.steps, scene.people) }
        : refusedBefore(plan.trace, scene.refused);
    },

    async explainCall(tenant, call) {
      const row = isId(call, 'call') ? await queries.readExplanation(database, tenant, call) : undefined;
      if (row === undefined) throw notFound('call');
      if (row.explanation === null) {
        throw new MaskingError(
          'no-explanation',
          'No program took part in this call, or it has not ended yet.',
        );
      }
      return row.explanation as CallExplanation;
    },
  };
}

async function findProgram(
  { database }: Context,
  tenant: string,
  program: string | { readonly definition: unknown },
  scene: Scene,
  options: ProgramOptions,
): Promise<{ readonly definition: ProgramDefinition; readonly source: Trace['program'] }> {
  if (typeof program === 'string') {
    const row = await readProgram(database, tenant, program);
    return {
      definition: row.definition as ProgramDefinition,
      source: { source: 'named', id: row.program, version: row.version },
    };
  }
  const destinations = await listDestinations(database, tenant);
  const definition = checkProgram(program.definition, {
    ...options,
    roles: new Set(scene.people.map((one) => one.role)),
    destinations: new Set(destinations.map((one) => one.destination)),
  });
  return { definition, source: { source: 'inline' } };
}

type Refused = Extract<RefusalReason, 'ended' | 'not-allowed' | 'not-connected'>;

const refusalWords: Readonly<Record<Refused, string>> = {
  ended: 'the session has ended',
  'not-allowed': 'this participant may not start calls',
  'not-connected': 'a block stands between this participant and everybody else',
};

/** The program's own places stay out of it: it would not have been asked. */
function refusedBefore(trace: Trace, reason: Refused): Awaited<ReturnType<Masking['testProgram']>> {
  const place = reason === 'not-allowed' ? 'one-way' : 'session';
  return {
    trace: { ...trace, rules: [], forbidden: [refusalWords[reason]], steps: [{ place, verb: 'refuse' }] },
    summary: [`refuse: ${refusalWords[reason]}`],
  };
}

function factsOf(scene: Scene, called: Scene['call'], test: ProgramTest): ProgramFacts {
  const { caller, session, people } = scene;
  return {
    call: { kind: 'inbound', number: called.number, country: called.country, pool: called.pool },
    caller: {
      role: caller.role,
      participant: caller.participant,
      locale: caller.locale,
      country: caller.country,
      trusted: true,
    },
    session: {
      ...session,
      reference: test.reference ?? session.reference,
      metadata: test.metadata ?? session.metadata,
      roles: [...new Set(people.map((one) => one.role))],
    },
    attempt: { ...scene.attempt, ...checkAttempt(test.attempt ?? {}) },
  };
}

function checkAttempt(attempt: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  for (const [name, value] of Object.entries(attempt)) {
    if (!Object.hasOwn(noAttempts, name)) {
      throw invalid(`\`attempt\` has ${Object.keys(noAttempts).join(', ')}.`, '/attempt');
    }
    const least = name === 'sinceLast' ? -1 : 0;
    if (!Number.isSafeInteger(value) || value < least) {
      throw invalid(`A whole number, ${least} or more.`, `/attempt/${name}`);
    }
  }
  return attempt;
}

function imaginedScene(test: ProgramTest): Scene {
  const roles = test.roles ?? usualRoles;
  if (roles.length < 1 || roles.length > 10) throw invalid('Give 1 to 10 roles.', '/roles');
  const people = roles.map((role, index) => {
    if (!/^[a-z][a-z0-9_-]{0,31}$/.test(role)) {
      throw invalid(
        'A role is a lower-case word of up to 32 letters, digits, hyphens and underscores.',
        `/roles/${index}`,
      );
    }
    const participant = `par_${String(index + 1).padStart(32, '0')}`;
    return { participant, role, timeZone: undefined, locale: 'en', country: '' };
  });
  return {
    rules: {},
    people,
    caller: callerAmong(people, test.caller),
    call: { number: '', country: '', pool: '' },
    session: {
      id: '',
      reference: '',
      metadata: {},
      age: imaginedAge,
      remaining: imaginedRemaining,
      recording: 'off',
      closed: false,
    },
    attempt: noAttempts,
    opened: true,
    allowed: undefined,
    refused: undefined,
  };
}

/** A participant, or the first who has the role. */
function callerAmong<Person extends ProgramPerson>(people: readonly Person[], caller: string): Person {
  const found = people.find((one) => one.participant === caller) ?? people.find((one) => one.role === caller);
  if (found === undefined) {
    throw new MaskingError(
      'unknown-participant',
      'Nobody here is, or has the role of, this caller.',
      '/caller',
    );
  }
  return found;
}

async function sessionScene(
  { database }: Context,
  tenant: string,
  session: string,
  test: ProgramTest,
  at: Date,
): Promise<Scene> {
  const row = isId(session, 'ses')
    ? await queries.readRehearsedSession(database, tenant, session)
    : undefined;
  if (row === undefined) throw notFound('session');
  const rules = (row.rules ?? {}) as SessionRules;
  const people = row.people.map((one) => {
    const { participant, role, locale, country, time_zone: timeZone } = one;
    return { participant, role, locale, country: country ?? '', timeZone: timeZone ?? undefined };
  });
  const caller = callerAmong(people, test.caller);
  const mine = row.people.find((one) => one.participant === caller.participant);
  const history = await queries.readHistory(database, tenant, {
    session,
    participant: caller.participant,
    at,
    recentMinutes: rules.limits?.attempts?.perMinutes ?? 60,
  });
  const life = lifeAt(row, at);
  const blocked = await queries.readBlocked(database, tenant, {
    session,
    participant: caller.participant,
    at,
  });
  const allowed = allowedOf(people, caller, blocked, life === 'after' ? row.after_close : undefined);
  const opening = row.opens_at ?? row.created_at;
  return {
    rules,
    people,
    caller,
    call: {
      number: mine?.number ?? '',
      country: mine?.number_country ?? '',
      pool: mine?.number_pool ?? '',
    },
    session: {
      id: row.session,
      reference: row.reference ?? '',
      metadata: row.metadata,
      age: secondsBetween(opening, at),
      remaining: secondsBetween(at, row.expires_at),
      recording: row.recording,
      closed: life === 'after',
    },
    attempt: {
      calls: history.calls,
      answered: history.answered,
      connected: history.connected,
      minutes: history.minutes,
      sinceLast: history.since_last,
      recent: history.recent,
    },
    opened: row.opens_at === null || row.opens_at <= at,
    allowed,
    refused: refusedFor(life, mine?.may_start ?? true, allowed),
  };
}

function refusedFor(
  life: ReturnType<typeof lifeAt>,
  mayStart: boolean,
  allowed: ReadonlySet<string> | undefined,
): Refused | undefined {
  if (life === 'over') return 'ended';
  if (allowed?.size === 0) return life === 'after' ? 'ended' : 'not-connected';
  return mayStart ? undefined : 'not-allowed';
}

/**
 * At that moment, so that a call of yesterday can be gone through once more. An idle session is taken to live: who
 * asks about tomorrow takes it that somebody will have called until then.
 */
function lifeAt(row: queries.RehearsedSessionRow, at: Date): 'open' | 'after' | 'over' {
  if (row.closed_at !== null && at >= row.closed_at) {
    return row.after_until !== null && at < row.after_until ? 'after' : 'over';
  }
  return at < row.expires_at ? 'open' : 'over';
}

/** Undefined: everybody. `afterClose` is undefined while the session is open. */
function allowedOf(
  people: readonly ProgramPerson[],
  caller: ProgramPerson,
  blocked: readonly string[],
  afterClose: unknown,
): ReadonlySet<string> | undefined {
  if (blocked.length === 0 && afterClose === undefined) return undefined;
  const directions = (afterClose as AfterClose | null | undefined)?.allow ?? [];
  const reached = people.filter(
    (one) =>
      one.participant !== caller.participant &&
      !blocked.includes(one.participant) &&
      (afterClose === undefined ||
        directions.some((allow) => allow.from === caller.role && allow.to === one.role)),
  );
  return new Set(reached.map((one) => one.participant));
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, Math.floor((to.getTime() - from.getTime()) / 1_000));
}
