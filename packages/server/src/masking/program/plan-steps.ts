/** From steps as they are written to steps as one call takes them: blocks in their places, roles as participants. */
import type { RefusalReason, Spoken } from '../types.ts';
import { inQuietHours, isTimeZone } from './schedule.ts';
import { isRecord, within } from './shapes.ts';
import type {
  ConnectDefinition,
  PlannedStep,
  ProgramDefinition,
  ProgramFacts,
  ProgramPerson,
  SessionRules,
  SpokenDefinition,
  StepDefinition,
} from './types.ts';

export type StepsDefinition = StepDefinition | readonly StepDefinition[];

export interface StepsInput {
  readonly program: ProgramDefinition | undefined;
  readonly rules: SessionRules;
  readonly facts: ProgramFacts;
  readonly at: Date;
  /** The tenant's. */
  readonly timeZone: string;
  /** False: before the session opens, when nobody is connected. */
  readonly opened: boolean;
  /** Those who take part, in order; the caller among them. */
  readonly people: readonly ProgramPerson[];
  /** A participant id. */
  readonly caller: string;
  /** Whom the caller may reach at all; undefined: everybody. */
  readonly allowed: ReadonlySet<string> | undefined;
  readonly defaults: { readonly ringSeconds: number; readonly accept: boolean };
}

/** One plan in the making. */
export interface Planner {
  /** Never empty: with nothing left, a refusal that says why. */
  plan(steps: StepsDefinition, place: string): readonly PlannedStep[];
  /** What was left out and why, in words of our own. */
  readonly forbidden: readonly string[];
}

const mostSteps = 500;
const mostNotes = 100;
/** Letters and digits of a reference that are read out to the callee: enough to tell jobs apart, short enough to hear. */
const spokenCharacters = 6;
/** Deeper than any program that was checked; for one that was not. */
const deepest = 60;

/** What is used up and noted while one plan is made. */
interface Planning {
  readonly input: StepsInput;
  readonly others: readonly ProgramPerson[];
  readonly ask: boolean;
  readonly forbidden: string[];
  /** Steps that may still be planned. */
  left: number;
  /** Callees left out for their quiet hours. */
  quiet: number;
}

/** `ask`: false where the tenant's system has been asked already; its fallback stands in for every further question. */
export function createPlanner(input: StepsInput, ask: boolean): Planner {
  const others = input.people.filter(({ participant }) => participant !== input.caller);
  const planning: Planning = { input, others, ask, forbidden: [], left: mostSteps, quiet: 0 };
  return {
    plan: (steps, place) => neverEmpty(planning, steps, place, 0),
    forbidden: planning.forbidden,
  };
}

function note({ forbidden }: Planning, words: string): void {
  if (forbidden.length < mostNotes) forbidden.push(words);
}

function neverEmpty(
  planning: Planning,
  steps: StepsDefinition,
  place: string,
  depth: number,
): readonly PlannedStep[] {
  const quietBefore = planning.quiet;
  const planned = sequence(planning, steps, place, depth);
  if (planned.length > 0) return planned;
  const reason = whyNothing(planning, planning.quiet > quietBefore);
  return [{ kind: 'refuse', place, reason, words: undefined }];
}

function whyNothing(planning: Planning, becauseQuiet: boolean): RefusalReason {
  if (!planning.input.opened) return 'closed';
  return becauseQuiet ? 'quiet-hours' : 'unavailable';
}

function sequence(
  planning: Planning,
  steps: StepsDefinition,
  place: string,
  depth: number,
): readonly PlannedStep[] {
  if (depth > deepest) return [];
  if (!isList(steps)) return one(planning, steps, place, depth);
  const planned: PlannedStep[] = [];
  for (const [index, step] of steps.entries()) {
    planned.push(...one(planning, step, within(place, index), depth));
    // Nothing comes after a refusal.
    if (planned.at(-1)?.kind === 'refuse') break;
  }
  return planned;
}

function one(planning: Planning, step: StepDefinition, place: string, depth: number): readonly PlannedStep[] {
  if (planning.left <= 0) return [];
  planning.left--;
  if ('use' in step) {
    return sequence(planning, blockOf(planning, step.use), within('/blocks', step.use), depth + 1);
  }
  if ('connect' in step) return connect(planning, step.connect, place);
  if ('announce' in step) return [{ kind: 'announce', place, words: wordsOf(step.announce) ?? [] }];
  if ('refuse' in step) return [{ kind: 'refuse', place, reason: 'program', words: wordsOf(step.refuse) }];
  if ('forward' in step) return [forward(planning, step.forward, place)];
  if ('voicemail' in step) return voicemail(planning, step.voicemail, place);
  if ('ask' in step) return question(planning, step.ask, place, depth);
  return [menu(planning, step.menu, place, depth)];
}

function blockOf(planning: Planning, name: string): StepsDefinition {
  const { blocks } = planning.input.program ?? {};
  return blocks !== undefined && Object.hasOwn(blocks, name) ? (blocks[name] ?? []) : [];
}

function connect(
  planning: Planning,
  given: string | ConnectDefinition,
  place: string,
): readonly PlannedStep[] {
  const definition = typeof given === 'string' ? { to: given } : given;
  if (!planning.input.opened) {
    note(planning, `${place}: nobody is connected before the session opens`);
    return [];
  }
  const targets = reachable(planning, definition.to, place).filter((person) => {
    if (!isQuiet(planning, person)) return true;
    planning.quiet++;
    note(planning, `${place}: ${person.participant} has quiet hours`);
    return false;
  });
  if (targets.length === 0) {
    note(planning, `${place}: nobody is left to connect`);
    return [];
  }
  return [
    {
      kind: 'connect',
      place,
      targets: targets.map(({ participant }) => participant),
      mode: definition.mode ?? 'hunt',
      ringSeconds: definition.ringSeconds ?? planning.input.defaults.ringSeconds,
      accept: definition.accept ?? planning.input.rules.accept ?? planning.input.defaults.accept,
      whisper: whisperOf(planning, definition.whisper),
    },
  ];
}

/** In the order in which they are named, each once; never the caller, nor anybody whom the caller may not reach. */
function reachable(
  planning: Planning,
  to: string | readonly string[] | undefined,
  place: string,
): readonly ProgramPerson[] {
  const names = typeof to === 'string' ? [to] : to;
  const named =
    names?.flatMap((name) =>
      planning.others.filter(({ participant, role }) => participant === name || role === name),
    ) ?? planning.others;
  return [...new Set(named)].filter(({ participant }) => {
    if (planning.input.allowed?.has(participant) ?? true) return true;
    note(planning, `${place}: ${participant} may not be reached by this caller`);
    return false;
  });
}

function isQuiet(planning: Planning, { timeZone }: ProgramPerson): boolean {
  const { limits, schedule } = planning.input.rules;
  if (limits?.quietHours === undefined) return false;
  return inQuietHours(
    limits.quietHours,
    planning.input.at,
    firstZone(timeZone, schedule?.timeZone, planning.input.timeZone),
  );
}

function whisperOf(planning: Planning, own: SpokenDefinition | undefined): Spoken | undefined {
  const given = own ?? planning.input.rules.whisper;
  if (given === undefined) return undefined;
  if (given !== true) return spoken(given);
  const text = planning.input.facts.session.reference
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(-spokenCharacters);
  if (text === '') return undefined;
  return [
    { kind: 'prompt', name: 'call-about' },
    { kind: 'characters', text },
  ];
}

function forward(
  planning: Planning,
  given: string | { readonly to: string; readonly ringSeconds?: number },
  place: string,
): PlannedStep {
  const { to, ringSeconds } = typeof given === 'string' ? { to: given, ringSeconds: undefined } : given;
  return {
    kind: 'forward',
    place,
    destination: to,
    phone: '',
    callerId: '',
    number: '',
    carrier: '',
    ringSeconds: ringSeconds ?? planning.input.defaults.ringSeconds,
  };
}

function voicemail(
  planning: Planning,
  given: Extract<StepDefinition, { voicemail: unknown }>['voicemail'],
  place: string,
): readonly PlannedStep[] {
  const definition = given === true ? {} : given;
  const addressees = reachable(planning, definition.for, place).map(({ participant }) => participant);
  if (addressees.length === 0) {
    note(planning, `${place}: there is nobody to leave a message for`);
    return [];
  }
  const greeting = spoken(definition.greeting ?? 'voicemail');
  return [{ kind: 'voicemail', place, addressees, greeting, maxSeconds: definition.maxSeconds ?? 120 }];
}

function question(
  planning: Planning,
  definition: Extract<StepDefinition, { ask: unknown }>['ask'],
  place: string,
  depth: number,
): readonly PlannedStep[] {
  const fallbackPlace = `${place}/ask/fallback`;
  if (!planning.ask) return sequence(planning, definition.fallback, fallbackPlace, depth + 1);
  const { url, timeoutMilliseconds = 2_000 } = definition;
  const fallback = asWritten(planning, definition.fallback, depth + 1);
  return [{ kind: 'ask', place, url, timeoutMilliseconds, fallback }];
}

/** One step that stands alone stays alone: its place has no index, then as now. */
function asWritten(planning: Planning, steps: StepsDefinition, depth: number): StepsDefinition {
  const planned = withBlocks(planning, steps, depth);
  const [only] = planned;
  return !isList(steps) && only !== undefined && planned.length === 1 ? only : planned;
}

/** The same steps, with blocks in their places: whoever plans them later needs no program. */
function withBlocks(planning: Planning, steps: StepsDefinition, depth: number): readonly StepDefinition[] {
  if (depth > deepest) return [];
  const written = isList(steps) ? steps : [steps];
  return written.flatMap((step): readonly StepDefinition[] => {
    if (planning.left <= 0) return [];
    planning.left--;
    if ('use' in step) return withBlocks(planning, blockOf(planning, step.use), depth + 1);
    if ('ask' in step) return withBlocks(planning, step.ask.fallback, depth + 1);
    if (!('menu' in step)) return [step];
    const { choices, otherwise, ...menu } = step.menu;
    return [
      {
        menu: {
          ...menu,
          choices: Object.fromEntries(
            Object.entries(choices).map(([key, chosen]) => [key, asWritten(planning, chosen, depth + 1)]),
          ),
          ...(otherwise === undefined ? {} : { otherwise: asWritten(planning, otherwise, depth + 1) }),
        },
      },
    ];
  });
}

function menu(
  planning: Planning,
  definition: Extract<StepDefinition, { menu: unknown }>['menu'],
  place: string,
  depth: number,
): PlannedStep {
  const { prompt, choices, timeoutSeconds = 6, attempts = 2, otherwise } = definition;
  const at = `${place}/menu`;
  const otherwiseAt = `${at}/otherwise`;
  return {
    kind: 'menu',
    place,
    words: spoken(prompt),
    choices: new Map(
      Object.entries(choices).map(([key, steps]) => [
        key,
        neverEmpty(planning, steps, within(`${at}/choices`, key), depth + 1),
      ]),
    ),
    timeoutSeconds,
    attempts,
    otherwise:
      otherwise === undefined
        ? [{ kind: 'refuse', place: otherwiseAt, reason: 'program', words: spoken('goodbye') }]
        : neverEmpty(planning, otherwise, otherwiseAt, depth + 1),
  };
}

/** The first of these that is a time zone. */
export function firstZone(...zones: readonly (string | undefined)[]): string {
  return zones.find((zone) => zone !== undefined && isTimeZone(zone)) ?? 'UTC';
}

function isList(steps: StepsDefinition): steps is readonly StepDefinition[] {
  return Array.isArray(steps);
}

/** `announce` and `refuse` take words, or an object that has some. */
function wordsOf(given: SpokenDefinition | { readonly prompt?: SpokenDefinition }): Spoken | undefined {
  if (!isRecord(given)) return spoken(given as SpokenDefinition);
  const { prompt } = given as { readonly prompt?: SpokenDefinition };
  return prompt === undefined ? undefined : spoken(prompt);
}

export function spoken(given: SpokenDefinition): Spoken {
  const parts = typeof given === 'string' ? [given] : given;
  return parts.map((part) => {
    if (typeof part === 'string') return { kind: 'prompt', name: part };
    if ('prompt' in part) return { kind: 'prompt', name: part.prompt };
    return { kind: 'characters', text: part.characters };
  });
}
