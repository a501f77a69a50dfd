import { describe, expect, it } from 'vitest';
import { checkProgram } from './index.ts';
import { faultOf } from './testing.ts';

const known = {
  roles: new Set(['agent', 'customer']),
  destinations: new Set(['support']),
  prompts: new Set(['closed', 'unavailable', 'goodbye', 'voicemail', 'call-about', 'char-1']),
};

function refused(definition: unknown) {
  return faultOf(() => checkProgram(definition, known));
}
const connect = { connect: 'customer' };
/** A program of one rule with these steps. */
const rule = (steps: unknown, more: object = {}) => ({ rules: [{ then: steps }], ...more });

describe('a program that is right', () => {
  it('may use everything there is', () => {
    const program = {
      timeZone: 'Asia/Jakarta',
      rules: [
        { name: 'night', when: 'now.hour >= 22', then: { use: 'support' } },
        {
          when: 'caller.role == "customer"',
          then: [
            { announce: 'goodbye' },
            { announce: { prompt: [{ prompt: 'call-about' }, { characters: 'A1' }, 'goodbye'] } },
            {
              connect: {
                to: ['agent', 'par_0123456789abcdef0123456789abcdef'],
                mode: 'all',
                ringSeconds: 30,
                accept: true,
                whisper: 'call-about',
              },
            },
            { connect: {} },
            {
              menu: {
                prompt: 'goodbye',
                choices: { '1': connect, '*': [{ refuse: 'closed' }], '#': { voicemail: true } },
                timeoutSeconds: 5,
                attempts: 3,
                otherwise: { refuse: {} },
              },
            },
            { voicemail: { for: 'agent', maxSeconds: 60, greeting: 'voicemail' } },
          ],
        },
        {
          then: {
            ask: {
              url: 'https://example.com/decide',
              timeoutMilliseconds: 1_000,
              fallback: { use: 'support' },
            },
          },
        },
      ],
      closed: [{ announce: 'closed' }, { forward: 'support' }],
      blocks: {
        support: [{ forward: { to: 'support', ringSeconds: 20 } }, { refuse: { prompt: 'closed' } }],
      },
    };
    expect(checkProgram(program, known)).toEqual(program);
  });

  it('may name any role when it is saved for all sessions', () => {
    const { destinations, prompts } = known;
    expect(() => checkProgram(rule({ connect: 'inspector' }), { destinations, prompts })).not.toThrow();
    expect(refused(rule({ connect: 'inspector' })).words).toContain('the roles are agent, customer');
  });

  it('is what JSON carries: nothing else comes through', () => {
    const checked = checkProgram({ rules: [{ then: connect, name: undefined }] }, known);
    expect(Object.hasOwn(checked.rules[0] ?? {}, 'name')).toBe(false);
  });
});

describe('a fault names its place and what would be right', () => {
  const nested = (depth: number): unknown =>
    depth === 0 ? connect : { menu: { prompt: 'goodbye', choices: { '1': nested(depth - 1) } } };
  const many = (count: number) => Array.from({ length: count }, () => connect);

  it.each<[string, unknown, string, string]>([
    ['no object', [], '', 'A program is an object'],
    ['nothing', undefined, '', 'A program is JSON'],
    [
      'a typo',
      { rules: [{ then: connect }], close: connect },
      '/close',
      'it has rules, closed, blocks, timeZone',
    ],
    ['no rules', {}, '/rules', 'are a list'],
    ['empty rules', { rules: [] }, '/rules', 'at least 1'],
    [
      'too many rules',
      { rules: Array.from({ length: 51 }, () => ({ when: 'now.hour == 1', then: connect })) },
      '/rules',
      'at most 50',
    ],
    ['a rule without steps', { rules: [{ when: 'now.hour == 1' }] }, '/rules/0/then', 'has `then`'],
    [
      'a typo in a rule',
      { rules: [{ if: 'true', then: connect }] },
      '/rules/0/if',
      'it has name, when, then',
    ],
    ['an empty name', { rules: [{ name: '', then: connect }] }, '/rules/0/name', '1 to 100'],
    [
      'an unreachable rule',
      { rules: [{ then: connect }, { then: connect }] },
      '/rules/1',
      'never reached: /rules/0 always holds',
    ],
    [
      'an unreachable rule after `true`',
      { rules: [{ when: ' true ', then: connect }, { then: connect }] },
      '/rules/1',
      'never reached',
    ],
    ['empty steps', rule([]), '/rules/0/then', 'at least 1'],
    ['no verb', rule([{}]), '/rules/0/then/0', 'exactly one verb; this one has none'],
    [
      'two verbs',
      rule({ connect: 'agent', refuse: 'closed' }),
      '/rules/0/then',
      'this one has `connect`, `refuse`',
    ],
    [
      'an unknown verb',
      rule({ dial: 'agent' }),
      '/rules/0/then/dial',
      'is no verb of steps; there are connect, announce',
    ],
    ['a step that is a word', rule(['connect']), '/rules/0/then/0', 'A step is an object'],
    [
      'an unknown role',
      rule({ connect: { to: ['agent', 'driver'] } }),
      '/rules/0/then/connect/to/1',
      'the roles are agent, customer',
    ],
    ['a role that is none', rule({ connect: 'Agent!' }), '/rules/0/then/connect', 'neither a role'],
    ['somebody twice', rule({ connect: { to: ['agent', 'agent'] } }), '/rules/0/then/connect/to', 'twice'],
    [
      'an unknown mode',
      rule({ connect: { mode: 'both' } }),
      '/rules/0/then/connect/mode',
      '`hunt` (one by one) or `all`',
    ],
    [
      'ringing too short',
      rule({ connect: { ringSeconds: 4 } }),
      '/rules/0/then/connect/ringSeconds',
      'from 5 to 120',
    ],
    [
      'ringing by halves',
      rule({ connect: { ringSeconds: 20.5 } }),
      '/rules/0/then/connect/ringSeconds',
      'whole number',
    ],
    [
      'an accept that is a word',
      rule({ connect: { accept: 'yes' } }),
      '/rules/0/then/connect/accept',
      'true or false',
    ],
    [
      'a typo in connect',
      rule({ connect: { role: 'agent' } }),
      '/rules/0/then/connect/role',
      'it has to, mode',
    ],
    [
      'an unknown prompt',
      rule({ announce: 'hello' }),
      '/rules/0/then/announce',
      'There is no prompt `hello`',
    ],
    ['an announcement of nothing', rule({ announce: {} }), '/rules/0/then/announce', 'has a `prompt`'],
    [
      'an unknown prompt in parts',
      rule({ refuse: { prompt: ['closed', { prompt: 'x' }] } }),
      '/rules/0/then/refuse/prompt/1/prompt',
      'no prompt',
    ],
    [
      'a part of both',
      rule({ refuse: [{ prompt: 'closed', characters: '1' }] }),
      '/rules/0/then/refuse/0',
      'either a `prompt` or `characters`',
    ],
    [
      'characters that cannot be read',
      rule({ refuse: [{ characters: '—' }] }),
      '/rules/0/then/refuse/0/characters',
      'letter or digit',
    ],
    [
      'an unknown destination',
      rule({ forward: 'sales' }),
      '/rules/0/then/forward',
      'There is no destination `sales`; there are `support`',
    ],
    [
      'a number as destination',
      rule({ forward: { to: '+62215550001' } }),
      '/rules/0/then/forward/to',
      'no destination `+…`',
    ],
    [
      'an unknown block',
      rule({ use: 'night' }),
      '/rules/0/then/use',
      'There is no block `night`; there are none',
    ],
    ['a block’s name', rule(connect, { blocks: { 'a b': connect } }), '/blocks/a b', 'a word of at most 40'],
    [
      'a block that uses itself',
      rule(connect, { blocks: { a: [connect, { use: 'a' }] } }),
      '/blocks/a/1/use',
      'An endless loop: `a` uses `a`',
    ],
    [
      'blocks in a circle',
      rule(connect, {
        blocks: {
          a: { use: 'b' },
          b: nested(0),
          c: { menu: { prompt: 'goodbye', choices: { '1': { use: 'd' } } } },
          d: { use: 'c' },
        },
      }),
      '/blocks/d/use',
      'An endless loop: `c` uses `d` uses `c`',
    ],
    ['menus too deep', rule(nested(6)), '/rules/0/then/menu', 'at most 5 deep'],
    [
      'menus too deep through blocks',
      rule({ menu: { prompt: 'goodbye', choices: { '1': { use: 'm' } } } }, { blocks: { m: nested(5) } }),
      '/rules/0/then/menu',
      'at most 5 deep',
    ],
    [
      'a menu without choices',
      rule({ menu: { prompt: 'goodbye', choices: {} } }),
      '/rules/0/then/menu/choices',
      'at least one',
    ],
    [
      'a key that is none',
      rule({ menu: { prompt: 'goodbye', choices: { '12': connect } } }),
      '/rules/0/then/menu/choices/12',
      '0 to 9, * and #',
    ],
    [
      'a menu without words',
      rule({ menu: { choices: { '1': connect } } }),
      '/rules/0/then/menu/prompt',
      'name of a prompt',
    ],
    [
      'too many attempts',
      rule({ menu: { prompt: 'goodbye', attempts: 4, choices: { '1': connect } } }),
      '/rules/0/then/menu/attempts',
      'from 1 to 3',
    ],
    [
      'a long silence',
      rule({ menu: { prompt: 'goodbye', timeoutSeconds: 31, choices: { '1': connect } } }),
      '/rules/0/then/menu/timeoutSeconds',
      'from 1 to 30',
    ],
    [
      'an ask without fallback',
      rule({ ask: { url: 'https://example.com' } }),
      '/rules/0/then/ask/fallback',
      'has a `fallback`',
    ],
    [
      'an ask over http',
      rule({ ask: { url: 'http://example.com', fallback: connect } }),
      '/rules/0/then/ask/url',
      'https',
    ],
    [
      'an ask with a password',
      rule({ ask: { url: 'https://a:b@example.com', fallback: connect } }),
      '/rules/0/then/ask/url',
      'without user name',
    ],
    [
      'an ask that waits',
      rule({ ask: { url: 'https://example.com', timeoutMilliseconds: 9_000, fallback: connect } }),
      '/rules/0/then/ask/timeoutMilliseconds',
      'from 100 to 5000',
    ],
    [
      'an ask within an ask',
      rule({
        ask: {
          url: 'https://example.com',
          fallback: { ask: { url: 'https://example.com', fallback: connect } },
        },
      }),
      '/rules/0/then/ask/fallback/ask',
      'no `ask` within an `ask`',
    ],
    [
      'a voicemail for ever',
      rule({ voicemail: { maxSeconds: 301 } }),
      '/rules/0/then/voicemail/maxSeconds',
      'from 5 to 300',
    ],
    ['a voicemail: false', rule({ voicemail: false }), '/rules/0/then/voicemail', 'is true or'],
    [
      'too many steps',
      { rules: [{ when: 'now.hour == 1', then: many(150) }, { then: many(51) }] },
      '/rules/1/then/50',
      'at most 200 steps',
    ],
    [
      'too many steps through blocks',
      rule({ use: 'a' }, { blocks: { a: many(6).map(() => ({ use: 'b' })), b: many(90) } }),
      '/blocks/a',
      'more than 500 steps',
    ],
    [
      'too much',
      rule(connect, { rules: [{ name: 'x'.repeat(70_000), then: connect }] }),
      '',
      'at most 64 KiB',
    ],
    ['a NUL', { rules: [{ name: 'a\0', then: connect }] }, '', 'no NUL'],
    ['half a character', { rules: [{ name: 'a\ud83d', then: connect }] }, '', 'halves of characters'],
    [
      'an unknown time zone',
      rule(connect, { timeZone: 'Europe/Atlantis' }),
      '/timeZone',
      '`Europe/Atlantis` is no time zone',
    ],
    [
      'a condition that doesn’t parse',
      { rules: [{ when: 'caller.role ==', then: connect }] },
      '/rules/0/when',
      'unexpected token',
    ],
    [
      'a condition with an unknown name',
      { rules: [{ when: 'role == "a"', then: connect }] },
      '/rules/0/when',
      'unknown variable: role',
    ],
    [
      'a condition with an unknown field',
      { rules: [{ when: 'caller.phone == "a"', then: connect }] },
      '/rules/0/when',
      'has no field `phone`',
    ],
    [
      'a condition that is a number',
      { rules: [{ when: 'now.hour', then: connect }] },
      '/rules/0/when',
      'of type int',
    ],
    ['a condition that is true', { rules: [{ when: true, then: connect }] }, '/rules/0/when', 'as a text'],
    [
      'a costly condition',
      {
        rules: [
          {
            when: 'session.metadata.l.all(x, session.metadata.l.all(y, session.metadata.l.all(z, x + y == z)))',
            then: connect,
          },
        ],
      },
      '/rules/0/when',
      'too costly',
    ],
    [
      'conditions that are costly together',
      {
        rules: Array.from({ length: 45 }, (_, n) => ({
          when: `session.metadata.l.exists(x, x.a == ${n})`,
          then: connect,
        })),
      },
      '/rules/39/when',
      'too costly',
    ],
    [
      'an odd key',
      JSON.parse('{"rules": [{"then": {"connect": "agent"}}], "__proto__": {"a": 1}}'),
      '/__proto__',
      'has no `__proto__`',
    ],
  ])('%s', (_, definition, pointer, words) => {
    const fault = refused(definition);
    expect(fault).toMatchObject({ code: 'program-invalid', pointer });
    expect(fault.words).toContain(words);
  });

  it('stands below the pointer that it is given, and is escaped', () => {
    const fault = faultOf(() => checkProgram(rule({ 'a/b~': 1 }), known, '/program'));
    expect(fault.pointer).toBe('/program/rules/0/then/a~1b~0');
  });

  it('never repeats a number', () => {
    for (const place of [
      rule({ connect: '+62 21 555 0001' }),
      rule({ forward: '062215550001' }),
      rule({ '+62-21-555-0001': 1 }),
      rule(connect, { blocks: { '+62215550001': connect } }),
      rule({ announce: '(021) 5550001' }),
      { rules: [{ when: 'caller.role == +62215550001x', then: connect }] },
    ]) {
      expect(refused(place).words).not.toMatch(/555.?0001/);
    }
  });
});
