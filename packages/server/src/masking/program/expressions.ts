/**
 * Conditions of rules: CEL, typed, and bounded before it runs (docs/decisions/0011-cel.md).
 * A fault found when a program is saved is an `ExpressionError`; one found during a call counts as false, is named in
 * the trace by its kind, and never repeats a value: metadata may hold anything.
 */
import {
  type ASTNode,
  Environment,
  EvaluationError,
  ParseError,
  TypeError as TypeFault,
} from '@marcbachmann/cel-js';
import { createBounded } from './bounded.ts';
import { bound, children, loops, pathOf, type Sizes, visits } from './cost.ts';
import { ceiling, type Prepared, schemas } from './facts.ts';
import { compilePattern } from './patterns.ts';
import { PatternError } from './patterns-syntax.ts';

/** `message` says in plain words what is wrong, and at which character. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

export interface Expression {
  readonly ast: ASTNode;
  /** Steps with the largest facts that sessions may have. */
  readonly mostWork: number;
  /** Steps that finding out about smaller ones takes. */
  readonly visits: number;
  run(context: Readonly<Record<string, unknown>>): unknown;
}
export type Outcome =
  | { readonly value: boolean; readonly error?: undefined }
  | { readonly value: false; readonly error: string };

/**
 * Steps of all expressions of a program together, in one decision: at most 0.3 µs each where it was measured, so that a
 * program takes less than 50 ms whatever it says and whatever the metadata holds.
 */
export const programWork = 150_000;
/** What a program is checked with when it is saved: fuller metadata than most have, since nobody knows it yet. */
const usualMetadata = { items: 128, chars: 2_048 };
const usualField = { items: 32, chars: 256 };
const usualRoles = { items: 11, chars: 110 };
const usualText = { items: 1, chars: 64 };
/** Conditions of so few steps need no closer look. */
const trifle = 1_000;

const longest = 2_000;
const deepestLoop = 3;

/** Beside the loops. What is left out is rarely needed in a condition and hard to bound. */
const functions: ReadonlySet<string> = new Set([
  'has',
  'size',
  'string',
  'int',
  'double',
  'bool',
  'timestamp',
  'duration',
  'dyn',
  'type',
]);
const methods: ReadonlySet<string> = new Set([
  'size',
  'contains',
  'startsWith',
  'endsWith',
  'matches',
  'lowerAscii',
  'upperAscii',
  'trim',
  'substring',
  'indexOf',
  'split',
  'join',
]);
const variables: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(schemas).map(([name, fields]) => [name, new Set(Object.keys(fields))]),
);
/** Takes the place of the library's own `matches`, which tracks back. */
const linearMatches = 'matchesInLinearTime';

const limits = [
  { name: 'maxAstNodes', most: 250, words: 'parts' },
  { name: 'maxDepth', most: 32, words: 'levels of nesting' },
  { name: 'maxListElements', most: 100, words: 'elements in a list' },
  { name: 'maxMapEntries', most: 50, words: 'entries in a map' },
  { name: 'maxCallArguments', most: 4, words: 'arguments of a function' },
] as const;
const environment = createEnvironment();
/** Parts of all expressions that are kept: about 30 MB at most, thousands of ordinary ones. */
const cached = createBounded<Expression>(60_000, ({ visits: parts }) => parts);

function createEnvironment(): Environment {
  const made = new Environment({
    limits: Object.fromEntries(limits.map(({ name, most }) => [name, most])),
  });
  for (const [name, schema] of Object.entries(schemas))
    made.registerVariable({ name, schema: { ...schema } });
  return made.registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) =>
    compilePattern(pattern).test(text),
  );
}

/** Parsed and checked once while it is in use. Throws `ExpressionError`. */
export function compileExpression(source: string): Expression {
  return cached(source, compile);
}

/** Steps that it takes at most with usual metadata. */
export function usualWork(expression: Expression): number {
  return bound(expression.ast, usual).work;
}
const usual: Sizes = {
  sizeOf(path) {
    const [first, second] = path;
    if (first !== 'session') return usualText;
    if (second === 'roles') return usualRoles;
    if (second !== 'metadata') return usualText;
    return path.length === 2 ? usualMetadata : usualField;
  },
};
const largest: Sizes = {
  sizeOf([first, second]) {
    if (first !== 'session') return ceiling.text;
    if (second === 'roles') return ceiling.roles;
    return second === 'metadata' ? ceiling.metadata : ceiling.text;
  },
};

/** `left`: steps that the program still has. */
export function evaluateExpression(
  expression: Expression,
  facts: Prepared,
  left: number,
): { readonly outcome: Outcome; readonly work: number } {
  const simple = facts.ordinary && expression.mostWork <= trifle;
  const work = simple
    ? expression.mostWork
    : expression.visits + (expression.visits > left ? 0 : bound(expression.ast, facts).work);
  if (!(work <= left)) {
    return {
      outcome: failed('it would take too long with metadata of this size'),
      work: Math.min(left, expression.visits),
    };
  }
  // Thousands of failures may be caught within one expression (`exists` over missing keys); a stack for each triples
  // what they cost, and nobody reads it. Synchronous, so nothing else notices.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const value = expression.run(facts.context);
    if (typeof value === 'boolean') return { outcome: { value }, work };
    return { outcome: failed('it came to something else than true or false'), work };
  } catch (error) {
    return { outcome: failed(runtimeWords(error)), work };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function failed(error: string): Outcome {
  return { value: false, error };
}

const otherKind: ReadonlySet<string> = new Set([
  'no_such_overload',
  'no_matching_overload',
  'invalid_logical_operand',
  'invalid_condition_type',
  'invalid_comparison_type',
  'invalid_comprehension_range',
  'invalid_index_type',
  'invalid_list_element_type',
  'cannot_index_type',
]);

/** By kind: the library's own words repeat values. */
function runtimeWords(error: unknown): string {
  const code = error instanceof EvaluationError ? error.code : '';
  if (code === 'no_such_key') return 'a key is not there; ask for it with has() first';
  if (code === 'division_by_zero' || code === 'modulo_by_zero') return 'division by zero';
  if (code.startsWith('index_out_of')) return 'an index is out of range';
  if (otherKind.has(code)) return 'a value is of another kind than the expression needs';
  if (code === 'numeric_overflow') return 'a number is too large';
  if (code.endsWith('conversion_error') || code === 'invalid_timestamp' || code === 'invalid_duration') {
    return 'a value could not be converted';
  }
  return 'it failed with the values of this call';
}

// ---------------------------------------------------------------- when a program is saved

function compile(source: string): Expression {
  if (source.length > longest) throw new ExpressionError(`an expression has at most ${longest} characters`);
  const checked = parse(source);
  vet(checked.ast, []);
  const result = checked.check();
  if (!result.valid) throw libraryError(result.error);
  if (result.type !== 'bool' && result.type !== 'dyn') {
    throw new ExpressionError(
      `a condition must be true or false; this one is of type ${result.type ?? 'unknown'}`,
    );
  }
  const running = parse(source);
  useLinearMatches(running.ast);
  // Resolved now, so that no call waits for it.
  const again = running.check();
  if (!again.valid) throw libraryError(again.error);
  return {
    ast: checked.ast,
    mostWork: bound(checked.ast, largest).work,
    visits: visits(checked.ast),
    run: (context) => running(context) as unknown,
  };
}

function parse(source: string): ReturnType<Environment['parse']> {
  try {
    return environment.parse(source);
  } catch (error) {
    throw libraryError(error);
  }
}

/** What the library's own check lets pass. `names`: of the loops around. */
function vet(node: ASTNode, names: readonly string[]): void {
  switch (node.op) {
    case 'id':
    case '.':
    case '[]':
      vetAccess(node, names);
      return;
    case 'call': {
      const [name, args] = node.args;
      if (!functions.has(name)) {
        throw faultAt(node, `\`${name}\` is no function of conditions; there are ${listed(functions)}`);
      }
      for (const arg of args) vet(arg, names);
      return;
    }
    case 'rcall':
      vetMethod(node, names);
      return;
    default:
      for (const child of children(node)) vet(child, names);
  }
}

function vetMethod(node: ASTNode & { op: 'rcall' }, names: readonly string[]): void {
  const [name, receiver, args] = node.args;
  if (loops.has(name)) {
    vet(receiver, names);
    const [variable, ...bodies] = args;
    if (variable?.op !== 'id') throw faultAt(node, `\`${name}\` begins with the name of its variable`);
    if (variables.has(variable.args) || names.includes(variable.args)) {
      throw faultAt(variable, `\`${variable.args}\` means something else already; choose another name`);
    }
    if (names.length >= deepestLoop) {
      throw faultAt(node, `loops (all, exists, map, filter) are nested at most ${deepestLoop} deep`);
    }
    for (const body of bodies) vet(body, [...names, variable.args]);
    return;
  }
  if (!methods.has(name)) {
    throw faultAt(
      node,
      `\`${name}\` is no method of conditions; there are ${listed(methods)} and ${listed(loops)}`,
    );
  }
  if (name === 'matches') vetPattern(args[0], node);
  for (const child of [receiver, ...args]) vet(child, names);
}

function vetPattern(pattern: ASTNode | undefined, node: ASTNode): void {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw faultAt(pattern ?? node, 'the pattern of `matches` is written out as a text, not computed');
  }
  try {
    compilePattern(pattern.args);
  } catch (error) {
    if (error instanceof PatternError) throw faultAt(pattern, error.message);
    throw error;
  }
}

function vetAccess(node: ASTNode & { op: 'id' | '.' | '[]' }, names: readonly string[]): void {
  const path = pathOf(node);
  const [first = '', second] = path ?? [];
  if (path === undefined || names.includes(first)) {
    for (const child of children(node)) vet(child, names);
    return;
  }
  const fields = variables.get(first);
  // Names of types (`int`) and unknown names are the library's to judge.
  if (fields === undefined) return;
  if (second === undefined) throw faultAt(node, `\`${first}\` is used by its fields: ${listed(fields)}`);
  if (!fields.has(second)) {
    throw faultAt(node, `\`${first}\` has no field \`${second}\`; it has ${listed(fields)}`);
  }
  if (usesIndexForField(node)) throw faultAt(node, `write ${first}.${second}`);
}

/** `session["age"]` would be looked up at run time. */
function usesIndexForField(node: ASTNode): boolean {
  if (node.op !== '.' && node.op !== '[]') return false;
  const [from] = node.args;
  return from.op === 'id' ? node.op === '[]' : usesIndexForField(from);
}

function useLinearMatches(node: ASTNode): void {
  if (node.op === 'rcall' && node.args[0] === 'matches') node.args[0] = linearMatches;
  for (const child of children(node)) useLinearMatches(child);
}

function listed(names: Iterable<string>): string {
  return [...names].join(', ');
}

function faultAt(node: ASTNode, words: string): ExpressionError {
  return new ExpressionError(`${words} (at character ${node.start + 1})`);
}

function libraryError(error: unknown): ExpressionError {
  if (!(error instanceof ParseError || error instanceof TypeFault)) {
    return new ExpressionError('it is no CEL expression');
  }
  const limit = limits.find(({ name }) => error.summary.includes(name));
  if (limit !== undefined) return new ExpressionError(`it has more than ${limit.most} ${limit.words}`);
  const place = error.range === undefined ? '' : ` (at character ${error.range.start + 1})`;
  // The library quotes the expression; a phone number written into one is not repeated.
  const words = error.summary.replaceAll(/\d{5,}/g, '…');
  return new ExpressionError(`${words.charAt(0).toLowerCase()}${words.slice(1)}${place}`);
}
