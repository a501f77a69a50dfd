import { describe, expect, it } from 'vitest';
import { type PlanInput, planAnswer, planCall, summary } from './index.ts';
import { always, input, program, someFacts, somePeople, steps } from './testing.ts';
import type { ProgramDefinition, StepDefinition } from './types.ts';

const connectAll = {
  kind: 'connect',
  place: 'default',
  targets: ['par_customer', 'par_dispatcher'],
  mode: 'hunt',
  ringSeconds: 25,
  accept: false,
  whisper: undefined,
};

describe('without a program', () => {
  it('connects the caller to the others, one by one', () => {
    expect(planCall(input({ source: { source: 'default' } }))).toEqual({
      steps: [connectAll],
      trace: {
        program: { source: 'default' },
        at: '2026-03-02T20:05:00.000Z',
        timeZone: 'Europe/Berlin',
        open: true,
        rules: [],
        forbidden: [],
        steps: [{ place: 'default', verb: 'connect', to: ['par_customer', 'par_dispatcher'] }],
      },
    });
  });

  it('refuses with `unavailable` when nobody else takes part', () => {
    expect(steps({ people: somePeople.slice(0, 1) })).toEqual([
      { kind: 'refuse', place: 'default', reason: 'unavailable', words: undefined },
    ]);
  });

  it('is what happens when no rule holds, and after a failed one', () => {
    const { steps: planned, trace } = planCall(
      input({
        program: program([
          { name: 'vip', when: 'session.metadata.vip', then: { refuse: 'closed' } },
          { when: 'now.hour < 20', then: { refuse: 'closed' } },
        ]),
      }),
    );
    expect(planned).toEqual([connectAll]);
    expect(trace.rules).toEqual([
      {
        place: '/rules/0',
        name: 'vip',
        outcome: 'error',
        error: 'a key is not there; ask for it with has() first',
      },
      { place: '/rules/1', outcome: 'false' },
    ]);
  });
});

describe('rules', () => {
  it('are tried in order; the first that holds says what happens', () => {
    const { steps: planned, trace } = planCall(
      input({
        program: program([
          { when: 'caller.role == "customer"', then: { connect: 'agent' } },
          { name: 'night', when: 'now.hour >= 21', then: [{ announce: 'goodbye' }, { forward: 'support' }] },
          { then: { connect: 'customer' } },
        ]),
      }),
    );
    expect(planned).toMatchObject([
      { kind: 'announce', place: '/rules/1/then/0', words: [{ kind: 'prompt', name: 'goodbye' }] },
      {
        kind: 'forward',
        place: '/rules/1/then/1',
        destination: 'support',
        phone: '',
        callerId: '',
        number: '',
        carrier: '',
        ringSeconds: 25,
      },
    ]);
    expect(trace.rules).toEqual([
      { place: '/rules/0', outcome: 'false' },
      { place: '/rules/1', name: 'night', outcome: 'fired' },
    ]);
  });

  it('see `now` in the program’s zone, else the schedule’s, else the tenant’s, else UTC', () => {
    const asked = (zone: string) =>
      program([{ when: `now.timeZone == "${zone}"`, then: { refuse: 'closed' } }]);
    const schedule = { timeZone: 'Asia/Kathmandu', windows: [{ from: '00:00', to: '24:00' }] };
    const fired = (change: Partial<PlanInput>) => planCall(input(change)).trace.rules[0]?.outcome === 'fired';
    expect(fired({ program: { ...asked('Asia/Tokyo'), timeZone: 'Asia/Tokyo' }, rules: { schedule } })).toBe(
      true,
    );
    expect(fired({ program: asked('Asia/Kathmandu'), rules: { schedule } })).toBe(true);
    expect(fired({ program: asked('Europe/Berlin') })).toBe(true);
    expect(fired({ program: asked('UTC'), timeZone: 'Nowhere/Land' })).toBe(true);
  });

  it('a saved condition that is understood no more counts as false', () => {
    const old: ProgramDefinition = { rules: [{ when: 'caller.shoeSize > 40', then: { refuse: 'closed' } }] };
    const { steps: planned, trace } = planCall(input({ program: old }));
    expect(planned).toEqual([connectAll]);
    expect(trace.rules[0]).toMatchObject({ outcome: 'error' });
  });

  it('share one budget of work', () => {
    const when = 'session.metadata.l.exists(x, x.a == 1)';
    const metadata = { l: Array.from({ length: 300 }, () => ({ b: 1 })) };
    const costly = program(Array.from({ length: 5 }, () => ({ when, then: { refuse: 'closed' } })));
    const { trace } = planCall(input({ program: costly, facts: someFacts({ session: { metadata } }) }));
    const errors = trace.rules.map(({ error }) => error);
    expect(errors[0]).toContain('a key is not there');
    expect(errors[4]).toContain('take too long');
  });
});

describe('connect', () => {
  const connect = (
    definition: Extract<StepDefinition, { connect: unknown }>['connect'],
    change: Partial<PlanInput> = {},
  ) => planCall(input({ program: always({ connect: definition }), ...change }));
  const targets = (plan: ReturnType<typeof planCall>) =>
    plan.steps.flatMap((step) => (step.kind === 'connect' ? step.targets : [step.kind]));

  it('takes roles and participants in the order in which they are named, each once', () => {
    expect(targets(connect({ to: ['dispatcher', 'par_customer', 'customer'] }))).toEqual([
      'par_dispatcher',
      'par_customer',
    ]);
  });

  it('takes all who have a role, but not the caller', () => {
    const people = [...somePeople, { participant: 'par_agent2', role: 'agent', timeZone: undefined }];
    expect(targets(connect('agent', { people }))).toEqual(['par_agent2']);
    expect(targets(connect('par_agent', { people }))).toEqual(['refuse']);
  });

  it('takes nobody whom the caller may not reach, and says so', () => {
    const plan = connect({}, { allowed: new Set(['par_dispatcher', 'par_stranger']) });
    expect(targets(plan)).toEqual(['par_dispatcher']);
    expect(plan.trace.forbidden).toEqual(['/rules/0/then: par_customer may not be reached by this caller']);
  });

  it('is left out with nobody to connect; the next step is taken', () => {
    const people = somePeople.slice(0, 2);
    const plan = planCall(
      input({ people, program: always([{ connect: 'dispatcher' }, { connect: 'customer' }]) }),
    );
    expect(plan.steps).toMatchObject([{ place: '/rules/0/then/1', targets: ['par_customer'] }]);
    expect(plan.trace.forbidden).toEqual(['/rules/0/then/0: nobody is left to connect']);
  });

  it('takes its own words first, then the session’s, then the tenant’s', () => {
    const own = connect(
      { ringSeconds: 40, mode: 'all', accept: false, whisper: 'goodbye' },
      { rules: { accept: true, whisper: 'closed' } },
    );
    expect(own.steps).toMatchObject([
      { ringSeconds: 40, mode: 'all', accept: false, whisper: [{ kind: 'prompt', name: 'goodbye' }] },
    ]);
    expect(connect('customer', { rules: { accept: true, whisper: 'closed' } }).steps).toMatchObject([
      { ringSeconds: 25, mode: 'hunt', accept: true, whisper: [{ kind: 'prompt', name: 'closed' }] },
    ]);
    expect(connect('customer', { defaults: { ringSeconds: 30, accept: true } }).steps).toMatchObject([
      { ringSeconds: 30, accept: true },
    ]);
  });

  it('whispers the end of the reference', () => {
    expect(connect('customer', { rules: { whisper: true } }).steps).toMatchObject([
      {
        whisper: [
          { kind: 'prompt', name: 'call-about' },
          { kind: 'characters', text: '104711' },
        ],
      },
    ]);
    const facts = someFacts({ session: { reference: '—' } });
    expect(connect('customer', { rules: { whisper: true }, facts }).steps).toMatchObject([
      { whisper: undefined },
    ]);
  });
});

describe('quiet hours', () => {
  const rules = { limits: { quietHours: { from: '22:00', to: '07:00' } } };
  const people = [
    { participant: 'par_agent', role: 'agent', timeZone: undefined },
    { participant: 'par_tokyo', role: 'customer', timeZone: 'Asia/Tokyo' },
    { participant: 'par_berlin', role: 'customer', timeZone: undefined },
  ];

  it('leave out whose own night it is', () => {
    // 21:05 in Berlin, 05:05 in Tokyo.
    const plan = planCall(input({ rules, people }));
    expect(plan.steps).toMatchObject([{ targets: ['par_berlin'] }]);
    expect(plan.trace.forbidden).toEqual(['default: par_tokyo has quiet hours']);
  });

  it('are the reason when nobody is left', () => {
    const at = new Date('2026-03-02T21:30:00Z');
    expect(steps({ rules, people, at, timeZone: 'Europe/Berlin' })).toEqual([
      { kind: 'refuse', place: 'default', reason: 'quiet-hours', words: undefined },
    ]);
  });

  it('go by the session’s zone before the tenant’s', () => {
    const schedule = { timeZone: 'America/New_York', windows: [{ from: '00:00', to: '24:00' }] };
    const at = new Date('2026-03-02T21:30:00Z');
    expect(steps({ rules: { ...rules, schedule }, people: people.slice(0, 3), at })).toMatchObject([
      { targets: ['par_berlin'] },
    ]);
  });

  it('leave announcements, forwards and messages alone', () => {
    const at = new Date('2026-03-02T21:30:00Z');
    const own = always([{ connect: {} }, { voicemail: { maxSeconds: 60 } }]);
    expect(steps({ rules, people, at, program: own })).toEqual([
      {
        kind: 'voicemail',
        place: '/rules/0/then/1',
        addressees: ['par_tokyo', 'par_berlin'],
        greeting: [{ kind: 'prompt', name: 'voicemail' }],
        maxSeconds: 60,
      },
    ]);
  });
});

describe('limits', () => {
  it.each([
    [{ calls: 3 }, { connected: 3 }, 'limit: calls of the session'],
    [{ minutes: 10 }, { minutes: 10 }, 'limit: minutes of the session'],
    [{ attempts: { calls: 5 } }, { recent: 5 }, 'limit: attempts of this caller'],
  ])('%j refuse at %j, before any rule', (limits, attempt, words) => {
    const own = always({ connect: 'customer' });
    const plan = planCall(input({ program: own, rules: { limits }, facts: someFacts({ attempt }) }));
    expect(plan.steps).toEqual([{ kind: 'refuse', place: 'limits', reason: 'limit', words: undefined }]);
    expect(plan.trace).toMatchObject({ rules: [], forbidden: [words] });
    const [[name, value]] = Object.entries(attempt) as [[string, number]];
    const below = someFacts({ attempt: { [name]: value - 1 } });
    expect(steps({ program: own, rules: { limits }, facts: below })).toMatchObject([{ kind: 'connect' }]);
  });
});

describe('outside the schedule', () => {
  const schedule = { timeZone: 'Europe/Berlin', windows: [{ from: '08:00', to: '18:00' }] };
  const closed = [{ announce: 'closed' }, { connect: 'dispatcher' }, { forward: 'support' }] as const;

  it('the program’s `closed` steps are taken, or the caller is refused', () => {
    expect(steps({ rules: { schedule }, program: always({ connect: {} }, { closed }) })).toMatchObject([
      { kind: 'announce', place: '/closed/0' },
      { kind: 'connect', targets: ['par_dispatcher'] },
      { kind: 'forward', place: '/closed/2' },
    ]);
    const plan = planCall(input({ rules: { schedule } }));
    expect(plan.steps).toEqual([{ kind: 'refuse', place: 'closed', reason: 'closed', words: undefined }]);
    expect(plan.trace).toMatchObject({ open: false, rules: [] });
    expect(steps({ rules: { schedule }, at: new Date('2026-03-02T08:00:00Z') })).toMatchObject([
      { kind: 'connect' },
    ]);
  });

  it('nobody is connected before the session opens, whatever the program says', () => {
    const plan = planCall(input({ opened: false, program: always({ connect: {} }, { closed }) }));
    expect(plan.steps.map(({ kind }) => kind)).toEqual(['announce', 'forward']);
    expect(plan.trace.forbidden).toContain('/closed/1: nobody is connected before the session opens');
    expect(
      steps({ opened: false, program: always({ connect: {} }, { closed: { connect: 'dispatcher' } }) }),
    ).toEqual([{ kind: 'refuse', place: '/closed', reason: 'closed', words: undefined }]);
    expect(planAnswer({ connect: 'customer' }, input({ opened: false }))).toMatchObject([
      { kind: 'refuse', reason: 'closed' },
    ]);
  });
});

describe('menus, blocks and refusals', () => {
  const menu: StepDefinition = {
    menu: { prompt: 'choose', choices: { '1': { use: 'support' }, '2': { connect: 'inspector' } } },
  };
  const blocks = { support: [{ connect: 'dispatcher' }, { forward: 'support' }] };

  it('stand in the plan with their places', () => {
    const [planned] = steps({ program: always(menu, { blocks }) });
    if (planned?.kind !== 'menu') throw new Error('a menu');
    expect(planned).toMatchObject({
      place: '/rules/0/then',
      words: [{ kind: 'prompt', name: 'choose' }],
      timeoutSeconds: 6,
      attempts: 2,
      otherwise: [{ kind: 'refuse', place: '/rules/0/then/menu/otherwise', reason: 'program' }],
    });
    expect(planned.choices.get('1')).toMatchObject([
      { kind: 'connect', place: '/blocks/support/0', targets: ['par_dispatcher'] },
      { kind: 'forward', place: '/blocks/support/1' },
    ]);
    // A branch is never empty either.
    expect(planned.choices.get('2')).toMatchObject([
      { kind: 'refuse', place: '/rules/0/then/menu/choices/2', reason: 'unavailable' },
    ]);
    expect(planned.choices.get('3')).toBeUndefined();
  });

  it('nothing comes after a refusal', () => {
    const own = always([{ refuse: 'not-allowed' }, { connect: {} }]);
    expect(steps({ program: own })).toEqual([
      {
        kind: 'refuse',
        place: '/rules/0/then/0',
        reason: 'program',
        words: [{ kind: 'prompt', name: 'not-allowed' }],
      },
    ]);
    expect(steps({ program: always({ refuse: {} }) })).toMatchObject([
      { reason: 'program', words: undefined },
    ]);
  });

  it('a program that was never checked ends as well', () => {
    const circle: ProgramDefinition = {
      rules: [{ then: [{ use: 'a' }, { use: 'nowhere' }] }],
      blocks: {
        a: [{ use: 'b' }, { use: 'b' }, menu],
        b: [{ use: 'a' }, { use: 'a' }, { connect: 'customer' }],
      },
    };
    const planned = steps({ program: circle });
    expect(planned.length).toBeGreaterThan(0);
    expect(planned.length).toBeLessThanOrEqual(500);
  });
});

describe('the summary', () => {
  it('says a plan in plain words, one line a step', () => {
    const own = always([
      { announce: 'goodbye' },
      { connect: { whisper: [{ prompt: 'call-about' }, { characters: 'A12' }], accept: true } },
      { connect: { mode: 'all', ringSeconds: 30 } },
      {
        menu: {
          prompt: 'choose',
          choices: { '1': { connect: 'customer' }, '#': [{ voicemail: true }] },
          otherwise: { refuse: 'closed' },
        },
      },
      { ask: { url: 'https://example.com', fallback: { refuse: {} } } },
      { forward: 'support' },
    ]);
    expect(summary(steps({ program: own }), somePeople)).toEqual([
      'announce “goodbye”',
      'connect customer, then dispatcher, 25 s each, who first hears “call-about” A 1 2, who must press 1',
      'connect customer and dispatcher all at once, 30 s',
      'menu “choose”, asked twice, 6 s for an answer',
      '  key 1:',
      '    connect customer, 25 s each',
      '  key #:',
      '    take a message for customer and dispatcher, 120 s at most',
      '  otherwise:',
      '    refuse with “closed”',
      'ask your system, for 2000 ms at most, else its fallback',
      'forward to your destination support, 25 s',
    ]);
    expect(summary(steps({ people: [] }))).toEqual(['refuse (unavailable)']);
  });
});
