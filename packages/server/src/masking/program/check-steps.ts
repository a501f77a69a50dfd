/** Steps as a tenant writes them, in rules, blocks, menus, fallbacks and the answers of decision webhooks. */
import { checkSpoken } from './check-terms.ts';
import {
  boolean,
  fault,
  fields,
  integer,
  isRecord,
  list,
  listed,
  optional,
  quoted,
  record,
  within,
} from './shapes.ts';

export interface Known {
  /** Absent: any role may be named. */
  readonly roles?: ReadonlySet<string>;
  /** Absent: any participant id may be named. */
  readonly participants?: ReadonlySet<string>;
  /** Absent: any destination, any prompt may be named. */
  readonly destinations?: ReadonlySet<string>;
  readonly prompts?: ReadonlySet<string>;
  /** Why a decision webhook can't be at this URL. Absent: any https URL. */
  readonly webhookProblem?: (url: string) => string | undefined;
}

/** What steps come to once blocks stand where they are used: how many, and how deep menus are in menus. */
export interface Extent {
  readonly steps: number;
  readonly menus: number;
}

export interface StepsContext {
  readonly known: Known;
  /** Checks a block that is used at `pointer`. */
  useBlock(name: string, pointer: string): Extent;
  /** Called for every step that is written down. */
  count(pointer: string): void;
}

const verbs = ['connect', 'announce', 'menu', 'forward', 'refuse', 'ask', 'voicemail', 'use'] as const;
type Verb = (typeof verbs)[number];

export const mostSteps = 200;
/** Of one rule, with its blocks in their places. */
export const mostPlanned = 500;
const deepestMenu = 5;
const single: Extent = { steps: 1, menus: 0 };

/** One step or several. `ask`: may the tenant's system be asked here? Throws `MaskingError` (`program-invalid`). */
export function checkSteps(value: unknown, pointer: string, context: StepsContext, ask: boolean): Extent {
  if (!Array.isArray(value)) return checkStep(value, pointer, context, ask);
  const steps = list(value, pointer, 'Steps', 1, mostSteps);
  return together(steps.map((step, index) => checkStep(step, within(pointer, index), context, ask)));
}

function together(extents: readonly Extent[]): Extent {
  return {
    steps: extents.reduce((sum, one) => Math.min(sum + one.steps, 1_000_000), 0),
    menus: Math.max(0, ...extents.map(({ menus }) => menus)),
  };
}

function checkStep(value: unknown, pointer: string, context: StepsContext, ask: boolean): Extent {
  context.count(pointer);
  const step = record(value, pointer, 'A step');
  const names = Object.keys(step);
  const [name = ''] = names;
  if (names.length !== 1) {
    const given = names.length === 0 ? 'this one has none' : `this one has ${listed(names.map(quoted))}`;
    fault(pointer, `A step has exactly one verb; ${given}. There are ${listed(verbs)}.`);
  }
  const verb = verbs.find((one) => one === name);
  if (verb === undefined) {
    fault(within(pointer, name), `${quoted(name)} is no verb of steps; there are ${listed(verbs)}.`);
  }
  return checkVerb(verb, step[verb], within(pointer, verb), context, ask);
}

function checkVerb(verb: Verb, value: unknown, pointer: string, context: StepsContext, ask: boolean): Extent {
  const { known } = context;
  switch (verb) {
    case 'connect':
      checkConnect(value, pointer, known);
      return single;
    case 'announce':
      checkWords(value, pointer, 'An announcement', known, true);
      return single;
    case 'refuse':
      checkWords(value, pointer, 'A refusal', known, false);
      return single;
    case 'forward':
      checkForward(value, pointer, known);
      return single;
    case 'voicemail':
      checkVoicemail(value, pointer, known);
      return single;
    case 'use':
      if (typeof value !== 'string') fault(pointer, '`use` is the name of a block.');
      return together([single, context.useBlock(value, pointer)]);
    case 'menu':
      return checkMenu(value, pointer, context, ask);
    case 'ask':
      if (!ask)
        fault(pointer, 'There is no `ask` within an `ask`: its fallback must need no further question.');
      return checkAsk(value, pointer, context);
  }
}

function checkConnect(value: unknown, pointer: string, known: Known): void {
  if (typeof value === 'string') {
    checkTarget(value, pointer, known);
    return;
  }
  const names = ['to', 'mode', 'ringSeconds', 'accept', 'whisper'] as const;
  const connect = fields(value, pointer, '`connect`', names);
  optional(connect.to, (to) => checkTargets(to, within(pointer, 'to'), known));
  optional(connect.mode, (mode) => {
    if (mode !== 'hunt' && mode !== 'all') {
      fault(within(pointer, 'mode'), 'The mode is `hunt` (one by one) or `all` (all at once).');
    }
  });
  checkRing(connect.ringSeconds, pointer);
  optional(connect.accept, (accept) => boolean(accept, within(pointer, 'accept'), '`accept`'));
  optional(connect.whisper, (words) => checkSpoken(words, within(pointer, 'whisper'), known.prompts));
}

function checkTargets(value: unknown, pointer: string, known: Known): void {
  if (typeof value === 'string') {
    checkTarget(value, pointer, known);
    return;
  }
  const targets = list(value, pointer, 'Those to be reached', 1, 10);
  targets.forEach((target, index) => void checkTarget(target, within(pointer, index), known));
  if (new Set(targets).size < targets.length) fault(pointer, 'Somebody stands here twice.');
}

function checkTarget(value: unknown, pointer: string, { roles, participants }: Known): void {
  if (typeof value !== 'string') fault(pointer, 'Those to be reached are named by role or participant id.');
  if (/^par_[A-Za-z0-9_-]{1,40}$/.test(value)) {
    if (participants?.has(value) === false) fault(pointer, `${quoted(value)} takes no part in this session.`);
    return;
  }
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(value)) {
    fault(pointer, `${quoted(value)} is neither a role (a lower-case word) nor a participant id (par_…).`);
  }
  if (roles !== undefined && !roles.has(value)) {
    fault(pointer, `Nobody has the role ${quoted(value)}; the roles are ${listed(roles)}.`);
  }
}

function checkWords(value: unknown, pointer: string, what: string, known: Known, needed: boolean): void {
  if (!isRecord(value)) {
    checkSpoken(value, pointer, known.prompts);
    return;
  }
  const { prompt } = fields(value, pointer, what, ['prompt']);
  if (prompt === undefined && needed) fault(pointer, `${what} has a \`prompt\`.`);
  optional(prompt, (words) => checkSpoken(words, within(pointer, 'prompt'), known.prompts));
}

function checkForward(value: unknown, pointer: string, known: Known): void {
  if (typeof value === 'string') {
    checkDestination(value, pointer, known);
    return;
  }
  const forward = fields(value, pointer, '`forward`', ['to', 'ringSeconds']);
  checkDestination(forward.to, within(pointer, 'to'), known);
  checkRing(forward.ringSeconds, pointer);
}

function checkDestination(value: unknown, pointer: string, { destinations }: Known): void {
  if (typeof value !== 'string') fault(pointer, '`forward` names one of your destinations.');
  if (destinations?.has(value) === false) {
    fault(
      pointer,
      `There is no destination ${quoted(value)}; there are ${listed([...destinations].map(quoted))}. Calls are forwarded only to numbers that you have saved as destinations.`,
    );
  }
}

function checkVoicemail(value: unknown, pointer: string, known: Known): void {
  if (value === true) return;
  const voicemail = fields(value, pointer, '`voicemail` is true or', ['for', 'maxSeconds', 'greeting']);
  optional(voicemail.for, (targets) => checkTargets(targets, within(pointer, 'for'), known));
  optional(voicemail.maxSeconds, (seconds) =>
    integer(seconds, within(pointer, 'maxSeconds'), '`maxSeconds`', 5, 300),
  );
  optional(voicemail.greeting, (words) => checkSpoken(words, within(pointer, 'greeting'), known.prompts));
}

function checkRing(value: unknown, pointer: string): void {
  optional(value, (seconds) => integer(seconds, within(pointer, 'ringSeconds'), '`ringSeconds`', 5, 120));
}

function checkMenu(value: unknown, pointer: string, context: StepsContext, ask: boolean): Extent {
  const names = ['prompt', 'choices', 'timeoutSeconds', 'attempts', 'otherwise'] as const;
  const menu = fields(value, pointer, 'A menu', names);
  checkSpoken(menu.prompt, within(pointer, 'prompt'), context.known.prompts);
  optional(menu.timeoutSeconds, (seconds) =>
    integer(seconds, within(pointer, 'timeoutSeconds'), '`timeoutSeconds`', 1, 30),
  );
  optional(menu.attempts, (attempts) => integer(attempts, within(pointer, 'attempts'), '`attempts`', 1, 3));
  const place = within(pointer, 'choices');
  const choices = Object.entries(record(menu.choices, place, 'The choices of a menu'));
  if (choices.length === 0) fault(place, 'A menu has at least one choice.');
  const extents = choices.map(([key, steps]) => {
    if (!/^[0-9*#]$/.test(key))
      fault(within(place, key), `${quoted(key)} is no key; there are 0 to 9, * and #.`);
    return checkSteps(steps, within(place, key), context, ask);
  });
  if (menu.otherwise !== undefined) {
    extents.push(checkSteps(menu.otherwise, within(pointer, 'otherwise'), context, ask));
  }
  const inside = together(extents);
  if (inside.menus >= deepestMenu) fault(pointer, `Menus stand within menus at most ${deepestMenu} deep.`);
  return together([single, { steps: inside.steps, menus: inside.menus + 1 }]);
}

function checkAsk(value: unknown, pointer: string, context: StepsContext): Extent {
  const ask = fields(value, pointer, '`ask`', ['url', 'timeoutMilliseconds', 'fallback']);
  checkUrl(ask.url, within(pointer, 'url'), context.known);
  optional(ask.timeoutMilliseconds, (time) =>
    integer(time, within(pointer, 'timeoutMilliseconds'), '`timeoutMilliseconds`', 100, 5_000),
  );
  const place = within(pointer, 'fallback');
  if (ask.fallback === undefined) {
    fault(place, '`ask` has a `fallback`: the steps when no usable answer comes in time.');
  }
  return together([single, checkSteps(ask.fallback, place, context, false)]);
}

function checkUrl(value: unknown, pointer: string, { webhookProblem = notHttps }: Known): void {
  const problem =
    typeof value === 'string' && value.length <= 2_048
      ? webhookProblem(value)
      : 'A URL is a text of at most 2,048 characters.';
  if (problem !== undefined) fault(pointer, problem);
}

function notHttps(text: string): string | undefined {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === ''
    ? undefined
    : 'The address is an https URL, without user name and password.';
}
