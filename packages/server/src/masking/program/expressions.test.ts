import { describe, expect, it } from 'vitest';
import { compileExpression, ExpressionError, evaluateExpression, programWork } from './expressions.ts';
import { prepareFacts } from './facts.ts';
import { someFacts, someNow } from './testing.ts';

function outcome(source: string, metadata: Record<string, unknown> = {}) {
  const facts = prepareFacts(someFacts({ session: { metadata } }), someNow);
  return evaluateExpression(compileExpression(source), facts, programWork).outcome;
}

describe('conditions', () => {
  it.each([
    'caller.role == "agent"',
    'caller.trusted && call.kind == "inbound" && call.country == "DE"',
    '(now.hour >= 20 || now.hour < 7) && now.weekday in ["mon", "tue"]',
    'now.date == "2026-03-02" && now.time >= "21:00" && now.timeZone == "Europe/Berlin"',
    'now.epoch - 60 < 1772481900',
    'attempt.sinceLast == -1 && attempt.calls + 1 == 1 && attempt.minutes < 1.5',
    'session.reference.startsWith("Order") && session.reference.matches("^Order [0-9-]+$")',
    'session.reference.split(" ").size() == 2 && session.reference.lowerAscii().contains("order")',
    '"customer" in session.roles && session.roles.exists(r, r.endsWith("omer"))',
    'session.age > 60 && session.remaining > 60 && !session.closed && session.recording == "off"',
    'session.metadata.vip',
    'has(session.metadata.vip) && session.metadata.vip == true',
    '!has(session.metadata.missing)',
    'session.metadata.priority > 2 && session.metadata.priority + 1 == 4 && session.metadata.price > 9.5',
    'session.metadata["zone code"] == "N1"',
    'session.metadata.stops.all(s, s.done || s.tries < 3)',
    'session.metadata.stops.filter(s, s.done).size() == 1',
    'session.metadata.stops.map(s, s.tries).exists_one(t, t == 2)',
    'timestamp(session.metadata.due) > timestamp(now.epoch) && duration("90m") > duration("1h")',
    'size(session.metadata) > 3 ? true : session.metadata.nothing',
    'session.metadata.missing == 1 || caller.role == "agent"',
  ])('%s holds', (source) => {
    const metadata = {
      vip: true,
      priority: 3,
      price: 9.75,
      'zone code': 'N1',
      due: '2026-04-01T00:00:00Z',
      stops: [
        { done: true, tries: 1 },
        { done: false, tries: 2 },
      ],
    };
    expect(outcome(source, metadata)).toEqual({ value: true });
  });

  it.each([
    ['caller.role ==', 'unexpected token'],
    ['caller.role = "agent"', 'at character'],
    ['', 'unexpected token'],
    ['role == "agent"', 'unknown variable: role (at character 1)'],
    ['caller.rolle == "agent"', 'has no field `rolle`; it has role, participant'],
    ['has(session.metadatas)', 'has no field `metadatas`'],
    ['caller.phone == "x"', 'has no field `phone`'],
    ['session["age"] > 1', 'write session.age'],
    ['session["metadata"].x == 1', 'write session.metadata'],
    ['session == session', 'used by its fields'],
    ['caller.role', 'of type string'],
    ['now.hour', 'of type int'],
    ['now.hour == "20"', 'int == string'],
    ['caller.role.reverse() == "x"', 'no method of conditions'],
    ['uuid() == "x"', 'no function of conditions'],
    ['cel.bind(x, 1, x == 1)', 'no method of conditions'],
    ['timestamp(1).getHours("Europe/Berlin") == 1', 'no method of conditions'],
    ['session.roles.exists(session, session == "x")', 'means something else already'],
    ['session.roles.all(r, session.roles.exists(r, r == "x"))', 'means something else already'],
    ['session.reference.matches("(?=x)")', 'only `(?:` is known'],
    ['session.reference.matches("(a|b")', 'closing parenthesis'],
    ['session.reference.matches(caller.role)', 'written out as a text'],
    ['session.reference.matchesInLinearTime("(a")', 'no method of conditions'],
    [`${'('.repeat(40)}true${')'.repeat(40)}`, 'more than 32 levels'],
    [Array.from({ length: 140 }, () => '1 < 2').join(' && '), 'more than 250 parts'],
    [`caller.role == "${'x'.repeat(2_000)}"`, 'at most 2000 characters'],
    [
      'session.roles.all(a, session.roles.all(b, session.roles.all(c, session.roles.all(d, a == d))))',
      'nested at most 3 deep',
    ],
  ])('%j is refused with its reason', (source, words) => {
    expect(() => compileExpression(source)).toThrow(ExpressionError);
    expect(() => compileExpression(source)).toThrow(words);
  });

  it('never repeats a number that stands in an expression', () => {
    expect.assertions(1);
    try {
      compileExpression('caller.role == +62215550001 x');
    } catch (error) {
      expect(String(error)).not.toContain('62215550001');
    }
  });

  it.each([
    ['session.metadata.missing == 1', 'not there'],
    ['session.metadata.secret > 5', 'another kind'],
    ['session.metadata.secret', 'something else than true or false'],
    ['session.metadata.secret && true', 'another kind'],
    ['bool(session.metadata.secret)', 'converted'],
    ['int(session.metadata.secret) == 1', 'converted'],
    ['timestamp(session.metadata.secret) == timestamp(1)', 'converted'],
    ['duration(session.metadata.secret) == duration("1s")', 'converted'],
    ['session.metadata[session.metadata.secret] == 1', 'not there'],
    ['session.metadata.list[3] == 1', 'out of range'],
    ['attempt.calls / attempt.recent == 1', 'division by zero'],
    ['9223372036854775807 + now.hour > 0', 'too large'],
    ['session.metadata.list.exists(x, x.y == 1)', 'not there'],
  ])('%s fails at run time: false, with its kind and no value', (source, words) => {
    const result = outcome(source, { secret: '+62 215550001', list: [1] });
    expect(result.value).toBe(false);
    expect(result.error).toContain(words);
    expect(result.error).not.toContain('21555');
  });

  it('sees metadata as data: no key has a meaning of its own', () => {
    const odd = JSON.parse('{"__proto__": {"vip": true}, "constructor": 1, "deep": [[[[[[[[[[1]]]]]]]]]]}');
    expect(outcome('has(session.metadata.vip)', odd)).toEqual({ value: false });
    expect(outcome('has(session.metadata.toString)', odd)).toEqual({ value: false });
    expect(outcome('session.metadata.constructor == 1', odd)).toEqual({ value: true });
    // Eight levels down there is null.
    expect(outcome('session.metadata.deep[0][0][0][0][0][0][0] == null', odd)).toEqual({ value: true });
    expect(outcome('session.metadata.deep[0][0][0][0][0][0] == null', odd)).toEqual({ value: false });
  });

  it('uses the linear `matches`: what the library would take for ever takes nothing', () => {
    const started = performance.now();
    expect(outcome('session.metadata.text.matches("(a+)+$")', { text: `${'a'.repeat(2_000)}!` })).toEqual({
      value: false,
    });
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
