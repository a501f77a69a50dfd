/** Facts, people and faults for tests of programs. */
import { MaskingError } from '../service.ts';
import { checkProgram, type PlanInput, planCall } from './index.ts';
import type {
  NowFacts,
  PlannedStep,
  ProgramDefinition,
  ProgramFacts,
  ProgramPerson,
  RuleDefinition,
} from './types.ts';

export function someFacts(
  change: { readonly [Name in keyof ProgramFacts]?: Partial<ProgramFacts[Name]> } = {},
): ProgramFacts {
  return {
    call: { kind: 'inbound', number: 'num_1', country: 'DE', pool: 'default', ...change.call },
    caller: {
      role: 'agent',
      participant: 'par_agent',
      locale: 'de',
      country: 'DE',
      trusted: true,
      ...change.caller,
    },
    session: {
      id: 'ses_1',
      reference: 'Order 10-4711',
      metadata: {},
      age: 600,
      remaining: 3_000,
      recording: 'off',
      roles: ['agent', 'customer'],
      closed: false,
      ...change.session,
    },
    attempt: {
      calls: 0,
      answered: 0,
      connected: 0,
      minutes: 0,
      sinceLast: -1,
      recent: 0,
      ...change.attempt,
    },
  };
}

export const someNow: NowFacts = {
  year: 2026,
  month: 3,
  day: 2,
  hour: 21,
  minute: 5,
  weekday: 'mon',
  date: '2026-03-02',
  time: '21:05',
  timeZone: 'Europe/Berlin',
  epoch: 1_772_481_900,
};

export const somePeople: readonly ProgramPerson[] = [
  { participant: 'par_agent', role: 'agent', timeZone: undefined },
  { participant: 'par_customer', role: 'customer', timeZone: undefined },
  { participant: 'par_dispatcher', role: 'dispatcher', timeZone: undefined },
];

/** What a check found; throws when it found nothing. */
export function faultOf(check: () => unknown): { pointer: string | undefined; words: string; code: string } {
  try {
    check();
  } catch (error) {
    if (error instanceof MaskingError)
      return { pointer: error.pointer, words: error.message, code: error.code };
    throw error;
  }
  throw new Error('it was accepted');
}

export const prompts = new Set([
  'closed',
  'goodbye',
  'voicemail',
  'call-about',
  'choose',
  'not-allowed',
  'quiet-hours',
]);

/** Checked as a tenant's would be. */
export function program(
  rules: readonly RuleDefinition[],
  more: Partial<ProgramDefinition> = {},
): ProgramDefinition {
  return checkProgram({ rules, ...more }, { destinations: new Set(['support']), prompts });
}
export function always(
  then: RuleDefinition['then'],
  more: Partial<ProgramDefinition> = {},
): ProgramDefinition {
  return program([{ then }], more);
}
export function input(change: Partial<PlanInput> = {}): PlanInput {
  return {
    program: undefined,
    source: { source: 'inline' },
    rules: {},
    facts: someFacts(),
    // Monday, 21:05 in Berlin.
    at: new Date('2026-03-02T20:05:00Z'),
    timeZone: 'Europe/Berlin',
    opened: true,
    people: somePeople,
    caller: 'par_agent',
    allowed: undefined,
    defaults: { ringSeconds: 25, accept: false },
    ...change,
  };
}
export function steps(change: Partial<PlanInput>): readonly PlannedStep[] {
  return planCall(input(change)).steps;
}
