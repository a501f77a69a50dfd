/** A program takes less than 50 ms of CPU, whatever it says and whatever the metadata holds. */
import { describe, expect, it } from 'vitest';
import { bound } from './cost.ts';
import { compileExpression, evaluateExpression, programWork, usualWork } from './expressions.ts';
import { prepareFacts } from './facts.ts';
import { checkProgram, planCall } from './index.ts';
import { someFacts, someNow, somePeople } from './testing.ts';

function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

describe('the bound on work', () => {
  const ones = (count: number) => Array.from({ length: count }, () => 1);
  const objects = (count: number) => Array.from({ length: count }, () => ({ a: 1 }));
  /** Each with metadata that grows until the bound refuses it: the dearest that is still run. */
  const dear: readonly (readonly [string, (size: number) => Record<string, unknown>])[] = [
    ['session.metadata.l.all(x, session.metadata.l.all(y, x == y))', (n) => ({ l: ones(n) })],
    [
      'session.metadata.l.all(x, session.metadata.l.all(y, session.metadata.l.all(z, x + y + z == 3)))',
      (n) => ({ l: ones(n) }),
    ],
    ['session.metadata.l.exists(x, x.zz == 1)', (n) => ({ l: objects(n) })],
    ['session.metadata.l.exists(x, x.z == 1 || x.y == 2 || x + 1 == 2)', (n) => ({ l: objects(n) })],
    ['session.metadata.l.all(x, x in session.metadata.l)', (n) => ({ l: ones(n).map((_, i) => i) })],
    ['session.metadata.l.map(x, session.metadata.l.map(y, x + y)).size() > 3', (n) => ({ l: ones(n) })],
    ['session.metadata.l.map(x, session.metadata.l) == [[1]]', (n) => ({ l: ones(n) })],
    [
      'session.metadata.l.exists(x, session.metadata[session.metadata.s] == x)',
      (n) => ({ l: ones(n), s: 'k'.repeat(n * 10) }),
    ],
    [
      'session.metadata.l.map(x, session.metadata.s + session.metadata.s).join().contains("b")',
      (n) => ({ l: ones(n), s: 'a'.repeat(n) }),
    ],
    [
      'session.metadata.s.contains(session.metadata.t)',
      (n) => ({ s: 'a'.repeat(2 * n), t: `b${'a'.repeat(n)}` }),
    ],
    ['session.metadata.s.matches("(.*a.{9}b|.*b.{10}c|[ab].{11}c)*$")', (n) => ({ s: 'abbab'.repeat(n) })],
    ['session.metadata.s.matches("(?i)(?:[^qé]?){60}z")', (n) => ({ s: 'é'.repeat(n) })],
    ['session.metadata.s.split("").exists(c, timestamp(c) > timestamp(1))', (n) => ({ s: 'a'.repeat(n) })],
    [
      'session.metadata.l.exists(c, duration(c) > duration("99h"))',
      (n) => ({ l: ones(n).map(() => '1h2m3s') }),
    ],
    ['session.metadata.l.all(c, {"a": c, "b": c} == {"a": c, "b": c})', (n) => ({ l: ones(n) })],
    ['session.metadata.l == session.metadata.m', (n) => ({ l: objects(n), m: objects(n) })],
  ];

  it.each(dear)('%s takes at most 50 ms of CPU at its dearest, the first time', (source, metadata) => {
    const expression = compileExpression(source);
    const prepared = (size: number) =>
      prepareFacts(someFacts({ session: { metadata: metadata(size) } }), someNow);
    const workOf = (size: number) => expression.visits + bound(expression.ast, prepared(size)).work;
    // Nothing has run yet: what is measured is run for the first time, before it is made fast.
    let size = 1;
    while (workOf(Math.ceil(size * 1.1)) <= programWork) size = Math.ceil(size * 1.1);
    expect(workOf(size)).toBeGreaterThan(programWork / 3);
    const facts = prepared(size);
    const before = process.threadCpuUsage();
    const { outcome } = evaluateExpression(expression, facts, programWork);
    expect(millisecondsSince(before)).toBeLessThan(50);
    expect(outcome.error ?? '').not.toContain('take too long');
  });

  it('is said before anything runs', () => {
    const facts = prepareFacts(someFacts({ session: { metadata: { l: ones(4_000) } } }), someNow);
    const costly = compileExpression('session.metadata.l.all(x, session.metadata.l.all(y, x == y))');
    const before = process.threadCpuUsage();
    const { outcome: refused } = evaluateExpression(costly, facts, programWork);
    expect(millisecondsSince(before)).toBeLessThan(5);
    expect(refused).toEqual({ value: false, error: 'it would take too long with metadata of this size' });
  });

  it('tells a loop over the elements from a loop over the same list again', () => {
    const inner = usualWork(compileExpression('session.metadata.l.exists(x, x.m.exists(y, y == 1))'));
    const again = usualWork(
      compileExpression('session.metadata.l.exists(x, session.metadata.l.exists(y, y == 1))'),
    );
    expect(inner).toBeLessThan(programWork / 3);
    expect(again).toBeGreaterThan(inner * 5);
  });

  it('leaves programs as businesses write them far below', () => {
    const one = usualWork(compileExpression('caller.role == "agent" && (now.hour >= 20 || now.hour < 7)'));
    expect(one * 50).toBeLessThan(programWork / 10);
  });
});

describe('a whole program', () => {
  const times = (count: number, one: (index: number) => string, between: string) =>
    Array.from({ length: count }, (_, index) => one(index)).join(between);
  const shapes: readonly (readonly [string, (rule: number) => string])[] = [
    [
      'many parts',
      (rule) => `(${times(25, (k) => `session.reference != "r${k}"`, ' && ')}) && now.year == ${rule}`,
    ],
    ['many failures', (rule) => times(30, (k) => `session.metadata.k${k}x${rule} == 1`, ' || ')],
    ['loops that fail', (rule) => `session.metadata.l.exists(x, x.id == ${rule} && x.zz == 3)`],
    ['loops in loops', (rule) => `session.roles.all(a, session.roles.all(b, a + b == "x${rule}"))`],
    ['patterns', (rule) => `session.reference.matches("^(?:a|b|[a-z]*)*x${rule}[0-9]{6}$")`],
    ['membership', (rule) => `"never${rule}" in session.metadata.l`],
  ];
  const contents: readonly (readonly [string, Record<string, unknown>])[] = [
    ['no metadata', {}],
    ['much metadata', { l: Array.from({ length: 1_000 }, (_, id) => ({ id })) }],
    ['many small values', { l: Array.from({ length: 8_000 }, () => 1) }],
    ['one long text', { l: ['a'.repeat(16_000)] }],
  ];
  const known = { destinations: new Set<string>(), prompts: new Set<string>() };
  const input = {
    source: { source: 'inline' as const },
    rules: {},
    at: new Date('2026-03-02T12:00:00Z'),
    timeZone: 'Europe/Berlin',
    opened: true,
    people: somePeople,
    caller: 'par_agent',
    allowed: undefined,
    defaults: { ringSeconds: 25, accept: false },
  };
  // So that the time zone's data are loaded.
  planCall({ ...input, program: undefined, facts: someFacts() });

  for (const [what, when] of shapes) {
    // As many rules as are accepted.
    const accepted = (count: number) => {
      const rules = Array.from({ length: count }, (_, index) => ({
        when: when(index),
        then: { refuse: {} },
      }));
      try {
        return checkProgram({ rules }, known);
      } catch {
        return undefined;
      }
    };
    const counts = [50, 40, 30, 20, 14, 10, 7, 5, 3, 1];
    const program = counts.map(accepted).find((one) => one !== undefined);

    it.each(contents)(`of ${what}, with %s`, (_, metadata) => {
      if (program === undefined) throw new Error('one rule of this shape is accepted');
      const roles = Array.from({ length: 10 }, (_, index) => `role${index}`);
      const facts = someFacts({ session: { metadata, roles, reference: 'a'.repeat(200) } });
      const before = process.threadCpuUsage();
      planCall({ ...input, program, facts });
      expect(millisecondsSince(before)).toBeLessThan(50);
    });
  }
});
