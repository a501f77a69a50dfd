/** Everything that docs/programs.md shows is right, and does what it says there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileExpression } from './expressions.ts';
import { checkLimits, checkProgram, checkSchedule, planCall, summary } from './index.ts';
import { someFacts } from './testing.ts';
import type { ProgramFacts } from './types.ts';

const guide = readFileSync(new URL('../../../../../docs/programs.md', import.meta.url), 'utf8');
const known = {
  destinations: new Set(['support']),
  prompts: new Set([
    'ended',
    'closed',
    'connecting',
    'not-reached',
    'not-allowed',
    'call-about',
    'voicemail',
    'choose-language',
  ]),
};

function fenced(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, inside = '']) => inside,
  );
}
function example(heading: string): unknown {
  const [, after = ''] = guide.split(`### ${heading}\n`);
  const [json] = fenced(after, 'json');
  if (json === undefined) throw new Error(`${heading} has no example`);
  return JSON.parse(json);
}

describe('the guide', () => {
  it('shows programs, schedules and limits that are accepted', () => {
    const shown = fenced(guide, 'json').map((text) => JSON.parse(text) as object);
    expect(shown).toHaveLength(8);
    for (const one of shown) {
      if ('rules' in one) checkProgram(one, known);
      else if ('windows' in one) checkSchedule(one, '');
      else checkLimits(one, '');
    }
  });

  it('shows conditions that are accepted', () => {
    const shown = fenced(guide, 'cel').flatMap((text) => text.trim().split('\n'));
    expect(shown).toHaveLength(7);
    for (const one of shown) compileExpression(one);
  });
});

describe('its examples', () => {
  const people = ['customer', 'agent', 'english', 'bahasa'].map((role) => ({
    participant: `par_${role}`,
    role,
    timeZone: undefined,
  }));
  function said(
    heading: string,
    caller: string,
    time: string,
    change: { readonly [Name in keyof ProgramFacts]?: Partial<ProgramFacts[Name]> } = {},
  ): readonly string[] {
    const { steps } = planCall({
      program: checkProgram(example(heading), known),
      source: { source: 'inline' },
      rules: {},
      facts: someFacts({ ...change, caller: { role: caller, participant: `par_${caller}` } }),
      at: new Date(time),
      timeZone: 'UTC',
      opened: true,
      people: heading.includes('language') ? people : people.slice(0, 2),
      caller: `par_${caller}`,
      allowed: undefined,
      defaults: { ringSeconds: 25, accept: false },
    });
    return summary(steps, people);
  }

  it('send night calls to support, by Jakarta’s night', () => {
    const heading = 'Night calls go to support';
    expect(said(heading, 'customer', '2026-03-02T15:00:00Z')).toEqual([
      'announce “connecting”',
      'forward to your destination support, 30 s',
      'take a message for agent, 120 s at most',
    ]);
    expect(said(heading, 'customer', '2026-03-02T14:59:00Z')).toEqual(['connect agent, 25 s each']);
    expect(said(heading, 'agent', '2026-03-02T15:00:00Z')).toEqual(['connect customer, 25 s each']);
  });

  it('ask for a language once', () => {
    const heading = 'A language menu for a switchboard number';
    const time = '2026-03-02T12:00:00Z';
    const anyone = ['connect english and bahasa all at once, 30 s', 'refuse with “not-reached”'];
    expect(said(heading, 'customer', time)).toEqual([
      'menu “choose-language”, asked twice, 6 s for an answer',
      '  key 1:',
      '    connect english, 25 s each',
      '  key 2:',
      '    connect bahasa, 25 s each',
      '  otherwise:',
      ...anyone.map((line) => `    ${line}`),
    ]);
    expect(said(heading, 'customer', time, { attempt: { calls: 1 } })).toEqual(anyone);
  });

  it('let the agent call until delivery only', () => {
    const heading = 'The agent may not call after delivery';
    const time = '2026-03-02T12:00:00Z';
    const delivered = { session: { metadata: { delivered: true } } };
    expect(said(heading, 'agent', time)).toEqual(['connect customer, 25 s each']);
    expect(said(heading, 'agent', time, delivered)).toEqual(['refuse with “not-allowed”']);
    expect(said(heading, 'customer', time, delivered)).toEqual(['connect agent, 25 s each']);
  });

  it('ask the tenant’s system', () => {
    expect(said('Your own system decides', 'customer', '2026-03-02T12:00:00Z')).toEqual([
      'ask your system, for 1500 ms at most, else its fallback',
    ]);
  });

  it('take a message when nobody answers', () => {
    expect(said('A message when nobody answers', 'customer', '2026-03-02T12:00:00Z')).toEqual([
      'connect agent, 20 s each, who first hears “call-about” A 1 7, who must press 1',
      'take a message for agent, 60 s at most',
    ]);
  });
});
