/** Is this a program? Checked once, when it is saved or comes with a session: what passes can be planned, and ends. */
import {
  checkSteps,
  type Extent,
  type Known,
  mostPlanned,
  mostSteps,
  type StepsContext,
} from './check-steps.ts';
import { checkTimeZone } from './check-terms.ts';
import { compileExpression, ExpressionError, programWork, usualWork } from './expressions.ts';
import { fault, fields, list, listed, optional, plainJson, quoted, record, within } from './shapes.ts';
import type { ProgramDefinition } from './types.ts';

const mostRules = 50;
const mostBlocks = 50;
const mostBytes = 65_536;

/** What a program may name. */
export interface ProgramKnown {
  readonly roles?: ReadonlySet<string>;
  readonly destinations: ReadonlySet<string>;
  readonly prompts: ReadonlySet<string>;
  readonly webhookProblem?: NonNullable<Known['webhookProblem']>;
}

/**
 * Throws `MaskingError` (`program-invalid`) with the JSON pointer of the fault below `pointer`. Without `roles` any
 * role may be named: a saved program doesn't know its sessions.
 */
export function checkProgram(definition: unknown, known: ProgramKnown, pointer = ''): ProgramDefinition {
  const json = plainJson(definition, pointer, 'A program', mostBytes);
  const program = fields(json, pointer, 'A program', ['rules', 'closed', 'blocks', 'timeZone']);
  optional(program.timeZone, (timeZone) => checkTimeZone(timeZone, within(pointer, 'timeZone')));
  const context = createContext(program.blocks, within(pointer, 'blocks'), known);
  checkRules(program.rules, within(pointer, 'rules'), context);
  optional(program.closed, (closed) => {
    checkPlanned(closed, within(pointer, 'closed'), context);
  });
  return json as ProgramDefinition;
}

function createContext(value: unknown, pointer: string, known: Known): StepsContext {
  const blocks = new Map(value === undefined ? [] : Object.entries(record(value, pointer, 'The blocks')));
  if (blocks.size > mostBlocks) fault(pointer, `Blocks are at most ${mostBlocks}.`);
  const checked = new Map<string, Extent>();
  const open: string[] = [];
  let steps = 0;
  const context: StepsContext = {
    known,
    count(at) {
      steps++;
      if (steps > mostSteps) fault(at, `A program has at most ${mostSteps} steps.`);
    },
    useBlock(name, at) {
      const before = checked.get(name);
      if (before !== undefined) return before;
      if (!blocks.has(name)) {
        fault(at, `There is no block ${quoted(name)}; there are ${listed([...blocks.keys()].map(quoted))}.`);
      }
      if (open.includes(name)) {
        const circle = [...open.slice(open.indexOf(name)), name].map(quoted);
        fault(at, `An endless loop: ${circle.join(' uses ')}.`);
      }
      open.push(name);
      const extent = checkSteps(blocks.get(name), within(pointer, name), context, true);
      open.pop();
      checked.set(name, extent);
      return extent;
    },
  };
  for (const name of blocks.keys()) {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(name)) {
      fault(
        within(pointer, name),
        'A block is named by a word of at most 40 letters, digits, hyphens and underscores.',
      );
    }
    const { steps: extent } = context.useBlock(name, within(pointer, name));
    if (extent > mostPlanned) tooMany(within(pointer, name));
  }
  return context;
}

function checkRules(value: unknown, pointer: string, context: StepsContext): void {
  let work = 0;
  let always: string | undefined;
  list(value, pointer, 'The rules of a program', 1, mostRules).forEach((given, index) => {
    const place = within(pointer, index);
    const rule = fields(given, place, 'A rule', ['name', 'when', 'then']);
    if (always !== undefined) {
      fault(
        place,
        `This rule is never reached: ${always} always holds. Give that one a \`when\`, or put it last.`,
      );
    }
    optional(rule.name, (name) => {
      if (typeof name !== 'string' || name === '' || name.length > 100) {
        fault(within(place, 'name'), 'The name of a rule has 1 to 100 characters.');
      }
    });
    if (rule.when !== undefined) work += checkCondition(rule.when, within(place, 'when'));
    if (work > programWork) {
      fault(
        within(place, 'when'),
        'The conditions are too costly: with usual metadata, they could take too long. Loop less, or over less.',
      );
    }
    if (rule.then === undefined) fault(within(place, 'then'), 'A rule has `then`: a step, or several.');
    checkPlanned(rule.then, within(place, 'then'), context);
    if (rule.when === undefined || (typeof rule.when === 'string' && rule.when.trim() === 'true'))
      always = place;
  });
}

function checkCondition(value: unknown, pointer: string): number {
  if (typeof value !== 'string') fault(pointer, 'A condition is a CEL expression, as a text.');
  try {
    return usualWork(compileExpression(value));
  } catch (error) {
    if (error instanceof ExpressionError)
      return fault(pointer, `The condition can't be used: ${error.message}.`);
    throw error;
  }
}

/** What becomes of a rule, or of `closed`, in one call. */
function checkPlanned(value: unknown, pointer: string, context: StepsContext): void {
  const { steps } = checkSteps(value, pointer, context, true);
  if (steps > mostPlanned) tooMany(pointer);
}

function tooMany(pointer: string): never {
  return fault(pointer, `With its blocks in their places, this has more than ${mostPlanned} steps.`);
}
