import { describe, expect, it } from 'vitest';
import { planAnswer } from './index.ts';
import { always, input, prompts, steps } from './testing.ts';

describe('asking the tenant’s system', () => {
  const url = 'https://example.com/decide';
  const fallback = [{ connect: 'inspector' }, { use: 'support' }] as const;
  const own = always({ ask: { url, fallback } }, { blocks: { support: { forward: 'support' } } });

  it('carries a fallback that needs no program any more', () => {
    const [question] = steps({ program: own });
    if (question?.kind !== 'ask') throw new Error('a question');
    expect(question).toEqual({
      kind: 'ask',
      place: '/rules/0/then',
      url,
      timeoutMilliseconds: 2_000,
      fallback: [{ connect: 'inspector' }, { forward: 'support' }],
    });
    const without = input();
    expect(planAnswer(question.fallback, without, question)).toMatchObject([
      { kind: 'forward', place: '/rules/0/then/ask/fallback/1', destination: 'support' },
    ]);
  });

  it('a fallback that reaches nobody refuses: nobody is connected whom the tenant didn’t name', () => {
    expect(planAnswer([{ connect: 'inspector' }], input(), { place: '/rules/0/then' })).toMatchObject([
      { kind: 'refuse', reason: 'unavailable' },
    ]);
  });

  it('plans what was answered, like the rule of a program', () => {
    const answer = [{ announce: 'goodbye' }, { connect: { to: ['customer', 'agent'], ringSeconds: 10 } }];
    expect(planAnswer(answer, input())).toMatchObject([
      { kind: 'announce', place: 'answer/0' },
      { kind: 'connect', place: 'answer/1', targets: ['par_customer'], ringSeconds: 10 },
    ]);
    expect(planAnswer({ use: 'support' }, input({ program: own }))).toMatchObject([{ kind: 'forward' }]);
  });

  it('a fallback of one step has the place that it was written at', () => {
    const [question] = steps({ program: always({ ask: { url, fallback: { refuse: 'closed' } } }) });
    if (question?.kind !== 'ask') throw new Error('a question');
    expect(planAnswer(question.fallback, input(), question)).toMatchObject([
      { kind: 'refuse', place: '/rules/0/then/ask/fallback' },
    ]);
  });

  it('an `ask` in a block that an answer uses comes to its fallback', () => {
    const asking = always(
      { connect: {} },
      { blocks: { again: { ask: { url, fallback: { connect: 'customer' } } } } },
    );
    expect(planAnswer({ use: 'again' }, input({ program: asking }))).toMatchObject([
      { kind: 'connect', targets: ['par_customer'] },
    ]);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no steps', []],
    ['an unknown role', { connect: 'inspector' }],
    ['somebody who takes no part', { connect: 'par_stranger' }],
    ['somebody who takes no part, for a message', { voicemail: { for: ['par_stranger'] } }],
    ['a phone number', { connect: '+62215550001' }],
    ['an `ask`', { ask: { url, fallback: { refuse: {} } } }],
    [
      'an `ask` within a menu',
      { menu: { prompt: 'choose', choices: { '1': { ask: { url, fallback: { refuse: {} } } } } } },
    ],
    ['an unknown block', { use: 'nowhere' }],
    ['an unknown verb', { dial: 'customer' }],
    ['a typo', { connect: { role: 'customer' } }],
    ['too much', Array.from({ length: 201 }, () => ({ connect: 'customer' }))],
  ])('%s is no usable answer', (_, answer) => {
    expect(planAnswer(answer, input())).toBeUndefined();
  });

  it('knows prompts and destinations if it is told them', () => {
    const known = { destinations: new Set(['support']), prompts };
    expect(planAnswer({ forward: 'sales' }, input())).toBeDefined();
    expect(planAnswer({ forward: 'sales' }, { ...input(), known })).toBeUndefined();
    expect(planAnswer({ refuse: 'nope' }, { ...input(), known })).toBeUndefined();
    expect(planAnswer({ forward: 'support' }, { ...input(), known })).toBeDefined();
  });
});
