/**
 * What a program comes to for one call. Limits first, then the schedule, then the rules in order; the first that holds
 * says what happens. Pure: the same input gives the same plan, which is finite, never empty, connects nobody who
 * doesn't take part, and never the caller.
 */
import { MaskingError } from '../service.ts';
import type { Trace } from '../types.ts';
import { checkSteps, mostPlanned, type StepsContext } from './check-steps.ts';
import {
  compileExpression,
  ExpressionError,
  evaluateExpression,
  type Outcome,
  programWork,
} from './expressions.ts';
import { prepareFacts } from './facts.ts';
import { createPlanner, firstZone, type StepsDefinition, type StepsInput } from './plan-steps.ts';
import { isOpen, nowFacts } from './schedule.ts';
import { fault, plainJson } from './shapes.ts';
import type { Plan, PlannedStep, ProgramFacts, RuleDefinition, SessionRules } from './types.ts';

export interface PlanInput extends StepsInput {
  /** Where the program comes from, for the trace. */
  readonly source: Trace['program'];
}

export function planCall(input: PlanInput): Plan {
  const { rules, program, at } = input;
  const open = input.opened && (rules.schedule === undefined || isOpen(rules.schedule, at));
  // `now` of the conditions.
  const timeZone = firstZone(program?.timeZone, rules.schedule?.timeZone, input.timeZone);
  const limit = reachedLimit(rules, input.facts);
  const planner = createPlanner(input, true);
  const tried: Trace['rules'][number][] = [];

  function decide(): readonly PlannedStep[] {
    if (limit !== undefined) return [{ kind: 'refuse', place: 'limits', reason: 'limit', words: undefined }];
    if (!open) {
      if (program?.closed !== undefined) return planner.plan(program.closed, '/closed');
      return [{ kind: 'refuse', place: 'closed', reason: 'closed', words: undefined }];
    }
    const fired = firstRule(input, timeZone, tried);
    return fired === undefined
      ? planner.plan({ connect: {} }, 'default')
      : planner.plan(fired.steps, fired.place);
  }

  const steps = decide();
  return {
    steps,
    trace: {
      program: input.source,
      at: at.toISOString(),
      timeZone,
      open,
      rules: tried,
      forbidden: [...(limit === undefined ? [] : [limit]), ...planner.forbidden],
      steps: flattened(steps),
    },
  };
}

/**
 * Steps that a decision webhook answered (the value of `then`), or, with `fallback`, those of an `ask` step (its place).
 * Undefined: not usable: no steps, an `ask`, a role or participant that is not there, a block that is not there.
 */
export function planAnswer(
  then: unknown,
  input: StepsInput & {
    /** Absent: whatever is named, since what isn't there is found out when the call comes to it. */
    readonly known?: { readonly destinations: ReadonlySet<string>; readonly prompts: ReadonlySet<string> };
  },
  fallback?: { readonly place: string },
): readonly PlannedStep[] | undefined {
  if (fallback !== undefined) {
    return createPlanner(input, false).plan(then as StepsDefinition, `${fallback.place}/ask/fallback`);
  }
  try {
    const json = plainJson(then, '', 'An answer', 65_536);
    checkSteps(json, '', answerContext(input), false);
    return createPlanner(input, false).plan(json as StepsDefinition, 'answer');
  } catch (error) {
    if (error instanceof MaskingError) return undefined;
    throw error;
  }
}

function answerContext({ people, program, known }: Parameters<typeof planAnswer>[1]): StepsContext {
  let steps = 0;
  return {
    known: {
      roles: new Set(people.map(({ role }) => role)),
      participants: new Set(people.map(({ participant }) => participant)),
      ...known,
    },
    count(pointer) {
      steps++;
      if (steps > mostPlanned) fault(pointer, `An answer has at most ${mostPlanned} steps.`);
    },
    useBlock(name, pointer) {
      if (!Object.hasOwn(program?.blocks ?? {}, name)) fault(pointer, 'There is no such block.');
      return { steps: 1, menus: 0 };
    },
  };
}

/** In words for the trace. */
function reachedLimit({ limits }: SessionRules, { attempt }: ProgramFacts): string | undefined {
  if (limits?.calls !== undefined && attempt.connected >= limits.calls) return 'limit: calls of the session';
  if (limits?.minutes !== undefined && attempt.minutes >= limits.minutes)
    return 'limit: minutes of the session';
  if (limits?.attempts !== undefined && attempt.recent >= limits.attempts.calls) {
    return 'limit: attempts of this caller';
  }
  return undefined;
}

function firstRule(
  input: PlanInput,
  timeZone: string,
  tried: Trace['rules'][number][],
): { readonly steps: StepsDefinition; readonly place: string } | undefined {
  if (input.program === undefined) return undefined;
  const facts = prepareFacts(input.facts, nowFacts(input.at, timeZone));
  let left = programWork;
  const holds = ({ when }: RuleDefinition): Outcome => {
    if (when === undefined) return { value: true };
    const expression = compiled(when);
    if (expression === undefined) return { value: false, error: 'the condition can’t be used' };
    const { outcome, work } = evaluateExpression(expression, facts, left);
    left -= work;
    return outcome;
  };
  for (const [index, rule] of input.program.rules.entries()) {
    const place = `/rules/${index}`;
    const { value, error } = holds(rule);
    const named = rule.name === undefined ? { place } : { place, name: rule.name };
    if (value) {
      tried.push({ ...named, outcome: 'fired' });
      return { steps: rule.then, place: `${place}/then` };
    }
    tried.push(error === undefined ? { ...named, outcome: 'false' } : { ...named, outcome: 'error', error });
  }
  return undefined;
}

/** Undefined for what was saved when another version accepted it. */
function compiled(when: string) {
  try {
    return compileExpression(when);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

function flattened(steps: readonly PlannedStep[]): Trace['steps'] {
  return steps.flatMap(traced);
}

function traced(step: PlannedStep): Trace['steps'] {
  const { place, kind: verb } = step;
  switch (step.kind) {
    case 'connect':
      return [{ place, verb, to: step.targets }];
    case 'voicemail':
      return [{ place, verb, to: step.addressees }];
    case 'forward':
      return [{ place, verb, to: [step.destination] }];
    case 'menu':
      return [{ place, verb }, ...flattened([...step.choices.values(), step.otherwise].flat())];
    case 'announce':
    case 'refuse':
    case 'ask':
    case 'messages':
      return [{ place, verb }];
  }
}
