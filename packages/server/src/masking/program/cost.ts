/**
 * How much work an expression is at most, found without running it. Each node of the tree gets a bound on its own work
 * and on the size of its value, made of sums and products of sizes only.
 *
 * A loop over a value of n items costs n × (its body on nothing) + (its body on the whole value − its body on nothing):
 * with sums and products alone, the parts of a value together never cost more than the whole. So a loop over the
 * elements' own lists stays linear, and one over the same list again is quadratic, as they are.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import type { Size } from './facts.ts';
import { compilePattern } from './patterns.ts';

/** `work`: steps of about 0.1 µs. `sure`: it can't fail at run time. */
export interface Bound extends Size {
  readonly work: number;
  readonly sure: boolean;
}
export interface Sizes {
  sizeOf(path: readonly string[]): Size;
}

interface Scope {
  readonly sizes: Sizes;
  /** Of loops. */
  readonly variables: ReadonlyMap<string, Size & { readonly sure: boolean }>;
}

export const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/** A failure caught within an expression (`||`, `exists`): an exception made and caught. */
const failure = 100;
/** Of one value with another, within lists and maps. */
const comparison = 4;
/** Texts are compared and copied many characters at a step. */
const charsAtOnce = 16;
const none = { items: 1, chars: 0 };

/** Finding the bound is work too: about one step for each node that is looked at. */
export function bound(ast: ASTNode, sizes: Sizes): Bound {
  return boundOf(ast, { sizes, variables: new Map() });
}

/** Nodes that `bound` looks at: bodies of loops twice. */
export function visits(node: ASTNode): number {
  const inner = children(node).map(visits);
  const all = inner.reduce((sum, one) => sum + one, 1);
  return node.op === 'rcall' && loops.has(node.args[0]) ? 2 * all - (inner[0] ?? 0) : all;
}

export function children(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

/** Keys from a variable on, `session.metadata["a b"].c`, if there is nothing else in it. */
export function pathOf(node: ASTNode): readonly string[] | undefined {
  switch (node.op) {
    case 'id':
      return [node.args];
    case '.': {
      const path = pathOf(node.args[0]);
      return path === undefined ? undefined : [...path, node.args[1]];
    }
    case '[]': {
      const [from, key] = node.args;
      const path = pathOf(from);
      if (path === undefined || key.op !== 'value' || typeof key.args !== 'string') return undefined;
      return [...path, key.args];
    }
    default:
      return undefined;
  }
}

function boundOf(node: ASTNode, scope: Scope): Bound {
  switch (node.op) {
    case 'value':
      return { work: 1, items: 1, chars: typeof node.args === 'string' ? node.args.length : 0, sure: true };
    case 'id':
    case '.':
    case '[]':
      return access(node, scope);
    case '.?':
    case '[?]':
      throw new Error('Optional values are not enabled.');
    case 'call':
      return called(node.args[0], node.args[1], scope);
    case 'rcall': {
      const [name, receiver, args] = node.args;
      if (loops.has(name)) return loop(name, boundOf(receiver, scope), args, scope);
      return called(name, [receiver, ...args], scope);
    }
    case 'list':
      return sum(node.args, scope);
    case 'map':
      return sum(node.args.flat(), scope);
    case '?:':
      return sum(node.args, scope);
    case '&&':
    case '||': {
      const left = boundOf(node.args[0], scope);
      const right = boundOf(node.args[1], scope);
      const failures = (left.sure ? 0 : failure) + (right.sure ? 0 : failure);
      return { work: left.work + right.work + 1 + failures, ...none, sure: left.sure && right.sure };
    }
    case '!_': {
      const inner = boundOf(node.args, scope);
      return { work: inner.work + 1, ...none, sure: inner.sure };
    }
    case '-_':
      return { work: boundOf(node.args, scope).work + 1, ...none, sure: false };
    default:
      return binary(node.op, boundOf(node.args[0], scope), boundOf(node.args[1], scope));
  }
}

function access(node: ASTNode & { op: 'id' | '.' | '[]' }, scope: Scope): Bound {
  const path = pathOf(node);
  if (path !== undefined) {
    const [first = ''] = path;
    const variable = scope.variables.get(first);
    if (variable !== undefined) {
      return { ...variable, work: path.length, sure: variable.sure && path.length === 1 };
    }
    // What tenants put in metadata may be missing or of another kind.
    return { ...scope.sizes.sizeOf(path), work: path.length, sure: path.length <= 2 };
  }
  if (node.op === 'id') return { ...none, work: 1, sure: true };
  const from = boundOf(node.args[0], scope);
  if (node.op === '.') return { ...from, work: from.work + 1, sure: false };
  const key = boundOf(node.args[1], scope);
  // A key that is not there is repeated in the failure's own words.
  const work = from.work + key.work + 1 + key.chars / charsAtOnce;
  return { ...from, work, sure: false };
}

function sum(nodes: readonly ASTNode[], scope: Scope): Bound {
  return nodes
    .map((one) => boundOf(one, scope))
    .reduce(
      (all, one) => ({
        work: all.work + one.work + 1,
        items: all.items + one.items,
        chars: all.chars + one.chars,
        sure: all.sure && one.sure,
      }),
      { work: 1, ...none, sure: true },
    );
}

function binary(op: string, left: Bound, right: Bound): Bound {
  const work = left.work + right.work + 1;
  const items = left.items + right.items;
  const chars = left.chars + right.chars;
  const sure = left.sure && right.sure;
  switch (op) {
    case '+':
      return { work: work + items + chars / charsAtOnce, items, chars, sure: false };
    case 'in': {
      const once = 1 + left.items * comparison + left.chars / charsAtOnce;
      return { work: work + right.items * once + right.chars / charsAtOnce, ...none, sure };
    }
    case '-':
    case '*':
    case '/':
    case '%':
      return { work: work + 1, ...none, sure: false };
    default:
      return { work: work + items * comparison + chars / charsAtOnce, ...none, sure };
  }
}

function loop(name: string, range: Bound, args: readonly ASTNode[], scope: Scope): Bound {
  const [variable, ...bodies] = args;
  if (variable?.op !== 'id') throw new Error('A loop has a variable.');
  const element = (size: Size): Bound =>
    sum(bodies, {
      sizes: scope.sizes,
      variables: new Map(scope.variables).set(variable.args, { ...size, sure: range.sure }),
    });
  const least = element({ items: 0, chars: 0 });
  const whole = element(range);
  const times = (of: (one: Bound) => number): number => range.items * of(least) + of(whole) - of(least);
  const work = range.work + 5 + times((one) => one.work) + range.items * (5 + (whole.sure ? 0 : failure));
  const sure = range.sure && whole.sure;
  switch (name) {
    case 'map':
      return { work, items: 1 + times((one) => one.items), chars: times((one) => one.chars), sure };
    case 'filter':
      return { work, items: range.items, chars: range.chars, sure };
    default:
      return { work, ...none, sure };
  }
}

/** Receivers of methods come first. */
function called(name: string, nodes: readonly ASTNode[], scope: Scope): Bound {
  const args = nodes.map((one) => boundOf(one, scope));
  const [first = { work: 0, ...none, sure: true }, second = { work: 0, ...none, sure: true }] = args;
  const work = args.reduce((all, one) => all + one.work, 5);
  const chars = args.reduce((all, one) => all + one.chars, 0);
  const sure = args.every((one) => one.sure);
  switch (name) {
    case 'has': {
      const [root = '', ...keys] = (nodes[0] === undefined ? undefined : pathOf(nodes[0])) ?? [];
      return { work, ...none, sure: !scope.variables.has(root) && keys.length <= 2 };
    }
    case 'size':
      return { work: work + first.items + chars, ...none, sure };
    case 'startsWith':
    case 'endsWith':
      return { work: work + chars / charsAtOnce, ...none, sure };
    case 'contains':
    case 'indexOf':
      return { work: work + search(first, second), ...none, sure: sure && name === 'contains' };
    case 'matches':
      return { work: work + first.chars * patternWork(nodes[1]), ...none, sure };
    case 'lowerAscii':
    case 'upperAscii':
    case 'trim':
    case 'substring':
      // Some characters become three in the other case.
      return { work: work + chars, items: 1, chars: first.chars * 3, sure: false };
    case 'split':
      return {
        work: work + first.chars * 2 + search(first, second),
        items: 2 + first.chars,
        chars: first.chars,
        sure,
      };
    case 'join':
      return {
        work: work + first.items * (2 + second.chars / charsAtOnce) + first.chars,
        items: 1,
        chars: first.chars + first.items * second.chars,
        sure: false,
      };
    case 'string':
      return { work: work + chars, items: 1, chars: chars + 40, sure: false };
    default:
      // Numbers, moments and durations out of something else.
      return { work: work + 20 + chars, items: first.items, chars: first.chars, sure: false };
  }
}

/** Searches compare, at worst, all of what is sought at every place; they are quick at it. */
function search(text: Size, sought: Size): number {
  return (text.chars * sought.chars) / 256 + (text.chars + sought.chars) / charsAtOnce;
}

/** Steps a character. */
function patternWork(pattern: ASTNode | undefined): number {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string')
    throw new Error('A pattern is a literal text.');
  return (compilePattern(pattern.args).states + 8) * 2;
}
