import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MaskingError } from '../service.ts';
import { checkProgram, planAnswer, planCall, summary } from './index.ts';
import { someFacts } from './testing.ts';
import type { PlannedStep, ProgramDefinition, ProgramPerson, StepDefinition } from './types.ts';

const roles = ['agent', 'customer', 'dispatcher', 'inspector'] as const;
const known = {
  destinations: new Set(['support']),
  prompts: new Set(['closed', 'goodbye', 'voicemail', 'choose', 'call-about']),
};
const blockNames = ['a', 'b', 'c'] as const;

const target = fc.constantFrom(...roles, 'par_0', 'par_1', 'par_2', 'par_9');
const targets = fc.option(fc.oneof(target, fc.uniqueArray(target, { minLength: 1, maxLength: 4 })), {
  nil: undefined,
});
const prompt = fc.constantFrom(...known.prompts);

/** Blocks may use only later ones, so that there is no circle; the last step of the alphabet uses none. */
function stepsUsing(names: readonly string[]): fc.Arbitrary<StepDefinition | readonly StepDefinition[]> {
  const { steps } = fc.letrec<{ step: StepDefinition; steps: StepDefinition | readonly StepDefinition[] }>(
    (tie) => ({
      step: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.record({
          connect: fc.oneof(
            target,
            fc.record(
              {
                to: targets,
                mode: fc.constantFrom('hunt' as const, 'all' as const),
                ringSeconds: fc.integer({ min: 5, max: 120 }),
                accept: fc.boolean(),
                whisper: prompt,
              },
              { requiredKeys: [] },
            ),
          ),
        }),
        fc.record({ announce: prompt }),
        fc.record({ refuse: fc.oneof(prompt, fc.constant({})) }),
        fc.constant({ forward: 'support' }),
        fc.record({
          voicemail: fc.oneof(fc.constant(true as const), fc.record({ for: targets }, { requiredKeys: [] })),
        }),
        names.length === 0
          ? fc.constant({ forward: 'support' })
          : fc.record({ use: fc.constantFrom(...names) }),
        fc.record({
          menu: fc.record({
            prompt,
            choices: fc.dictionary(fc.constantFrom('0', '1', '2', '*', '#'), tie('steps'), {
              minKeys: 1,
              maxKeys: 3,
            }),
          }),
        }),
      ) as fc.Arbitrary<StepDefinition>,
      steps: fc.oneof(tie('step'), fc.array(tie('step'), { minLength: 1, maxLength: 3 })),
    }),
  );
  const asking = fc.record({
    ask: fc.record({ url: fc.constant('https://example.com/decide'), fallback: steps }),
  }) as fc.Arbitrary<StepDefinition>;
  return fc.oneof({ weight: 4, arbitrary: steps }, { weight: 1, arbitrary: asking });
}
const condition = fc.constantFrom(
  'caller.role == "agent"',
  'now.hour >= 12',
  'session.metadata.vip',
  'session.metadata.items.exists(i, i > 3)',
  'attempt.calls > 1',
  'session.closed',
);
const programs: fc.Arbitrary<ProgramDefinition> = fc
  .record({
    rules: fc.array(fc.record({ when: condition, then: stepsUsing(blockNames) }), {
      minLength: 1,
      maxLength: 4,
    }),
    last: fc.option(stepsUsing(blockNames), { nil: undefined }),
    closed: stepsUsing(blockNames),
    blocks: fc.record({ a: stepsUsing(['b', 'c']), b: stepsUsing(['c']), c: stepsUsing([]) }),
  })
  .map(({ rules, last, closed, blocks }) => ({
    rules: last === undefined ? rules : [...rules, { then: last }],
    closed,
    blocks,
  }));

const people: fc.Arbitrary<readonly ProgramPerson[]> = fc
  .array(
    fc.record({
      role: fc.constantFrom(...roles),
      timeZone: fc.constantFrom(undefined, 'Asia/Tokyo', 'America/New_York'),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) => list.map((one, index) => ({ ...one, participant: `par_${index}` })));

const inputs = fc.record({
  program: fc.option(programs, { nil: undefined, freq: 10 }),
  people,
  callerIndex: fc.nat(),
  at: fc.date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true }),
  opened: fc.boolean(),
  allowed: fc.option(
    fc.subarray(['par_0', 'par_1', 'par_2', 'par_7']).map((list) => new Set<string>(list)),
    { nil: undefined },
  ),
  quiet: fc.boolean(),
  scheduled: fc.boolean(),
  connected: fc.nat({ max: 5 }),
  metadata: fc.constantFrom({}, { vip: true }, { items: [1, 5] }, { vip: 'yes', items: 'none' }),
});

/** Some are too large or too deep; their generator is not told of blocks' insides. */
function accepted(program: ProgramDefinition): ProgramDefinition {
  try {
    return checkProgram(program, known);
  } catch (error) {
    expect(error).toBeInstanceOf(MaskingError);
    expect(String(error)).toMatch(/at most|more than/);
    return fc.pre(false) as never;
  }
}

function all(steps: readonly PlannedStep[]): readonly PlannedStep[] {
  return steps.flatMap((step) =>
    step.kind === 'menu' ? [step, ...all([...step.choices.values(), step.otherwise].flat())] : [step],
  );
}
function lists(steps: readonly PlannedStep[]): readonly (readonly PlannedStep[])[] {
  return [
    steps,
    ...steps.flatMap((step) =>
      step.kind === 'menu' ? [...step.choices.values(), step.otherwise].flatMap(lists) : [],
    ),
  ];
}

it('whatever the program: finite, never empty, and only to people who take part and may be reached', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(inputs, ({ program, callerIndex, quiet, scheduled, connected, metadata, ...rest }) => {
      const definition = program === undefined ? undefined : accepted(program);
      const caller = rest.people[callerIndex % rest.people.length]?.participant ?? '';
      const input = {
        ...rest,
        program: definition,
        source: { source: 'inline' as const },
        caller,
        rules: {
          limits: { calls: 5, ...(quiet ? { quietHours: { from: '20:00', to: '08:00' } } : {}) },
          ...(scheduled
            ? { schedule: { timeZone: 'Europe/Berlin', windows: [{ from: '06:00', to: '18:00' }] } }
            : {}),
        },
        facts: someFacts({ attempt: { connected }, session: { metadata } }),
        timeZone: 'Europe/Berlin',
        defaults: { ringSeconds: 25, accept: false },
      };
      const plan = planCall(input);
      const reachable = new Set(
        rest.people
          .map(({ participant }) => participant)
          .filter((one) => one !== caller && (rest.allowed?.has(one) ?? true)),
      );
      const verify = (steps: readonly PlannedStep[]): void => {
        const every = all(steps);
        expect(every.length).toBeLessThanOrEqual(1_000);
        for (const list of lists(steps)) {
          expect(list.length).toBeGreaterThan(0);
          // Nothing after a refusal.
          expect(list.slice(0, -1).some(({ kind }) => kind === 'refuse')).toBe(false);
        }
        for (const step of every) {
          seen.add(step.kind);
          if (step.kind === 'connect') {
            expect(rest.opened).toBe(true);
            expect(step.targets.length).toBeGreaterThan(0);
            expect(new Set(step.targets).size).toBe(step.targets.length);
          }
          const named =
            step.kind === 'connect' ? step.targets : step.kind === 'voicemail' ? step.addressees : [];
          for (const one of named) expect(reachable.has(one)).toBe(true);
          if (step.kind === 'forward') expect(known.destinations.has(step.destination)).toBe(true);
          if (step.kind === 'ask') {
            const fallback = planAnswer(step.fallback, input, step);
            if (fallback === undefined) throw new Error('a fallback is always planned');
            expect(all(fallback).some(({ kind }) => kind === 'ask')).toBe(false);
            verify(fallback);
          }
        }
      };
      verify(plan.steps);
      expect(summary(plan.steps, rest.people).length).toBeGreaterThanOrEqual(plan.steps.length);
      expect(plan.trace.steps.map(({ place }) => place)).toEqual(all(plan.steps).map(({ place }) => place));
      // The same again: nothing but the input decides.
      expect(planCall(input)).toEqual(plan);
    }),
    { numRuns: 1_000 },
  );
  expect([...seen].toSorted()).toEqual([
    'announce',
    'ask',
    'connect',
    'forward',
    'menu',
    'refuse',
    'voicemail',
  ]);
});
