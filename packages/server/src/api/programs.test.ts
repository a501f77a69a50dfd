// biome-ignore-all lint/suspicious/noThenProperty: the language's own word; nothing here is ever awaited
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programLanguage } from './schemas/programs.ts';
import { phone, shows, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(6);
});
afterAll(() => api.close());

const definition = {
  rules: [
    { name: 'late', when: 'now.hour >= 22', then: { refuse: 'closed' } },
    { then: [{ connect: { ringSeconds: 25 } }, { voicemail: true }] },
  ],
};
const simple = { rules: [{ then: { connect: {} } }] };

test('a program is saved, read by id and by name, and given back as it was written', async () => {
  const made = await api.call('POST', '/v1/programs', { body: { name: 'deliveries', definition } });
  expect(made.status, made.text).toBe(201);
  expect(made.headers['location']).toBe(`/v1/programs/${made.body.id}`);
  expect(made.body).toMatchObject({
    ...{ id: expect.stringMatching(/^prg_[0-9a-f]{32}$/), name: 'deliveries', version: 1, default: false },
    definition,
    createdAt: expect.stringMatching(/Z$/),
  });
  expect((await api.call('GET', `/v1/programs/${made.body.id}`)).body).toEqual(made.body);
  expect((await api.call('GET', '/v1/programs/deliveries')).body).toEqual(made.body);
  const list = await api.call('GET', '/v1/programs?limit=200');
  expect(list.body.items).toContainEqual(made.body);
});

test('each change of the definition is a version of its own, and older ones can be read', async () => {
  const { body: first } = await api.call('POST', '/v1/programs', { body: { name: 'versions', definition } });
  const put = await api.call('PUT', `/v1/programs/${first.id}`, {
    body: { name: 'versions', definition: simple },
  });
  expect(put.body).toMatchObject({ id: first.id, version: 2, definition: simple });
  const patched = await api.call('PATCH', '/v1/programs/versions', { body: { definition } });
  expect(patched.body).toMatchObject({ version: 3, definition });
  const renamed = await api.call('PATCH', `/v1/programs/${first.id}`, { body: { name: 'renamed' } });
  expect(renamed.body).toMatchObject({ name: 'renamed', version: 3 });
  expect((await api.call('GET', '/v1/programs/renamed?version=2')).body.definition).toEqual(simple);
  expect((await api.call('GET', '/v1/programs/renamed?version=9')).status).toBe(404);
  expect((await api.call('GET', '/v1/programs/versions')).status).toBe(404);
});

test('only one program is the default', async () => {
  const make = (name: string) =>
    api.call('POST', '/v1/programs', { body: { name, definition: simple, default: true } });
  await make('default-1');
  await make('default-2');
  expect((await api.call('GET', '/v1/programs/default-1')).body.default).toBe(false);
  expect((await api.call('GET', '/v1/programs/default-2')).body.default).toBe(true);
  await api.call('PATCH', '/v1/programs/default-2', { body: { default: false } });
  expect((await api.call('GET', '/v1/programs/default-2')).body.default).toBe(false);
});

test('a name is its own, and a program that a live session names stays', async () => {
  await api.call('POST', '/v1/programs', { body: { name: 'taken', definition: simple } });
  const again = await api.call('POST', '/v1/programs', { body: { name: 'taken', definition: simple } });
  expect(again.status).toBe(409);
  expect(again.body.type).toBe('/problems/program-taken');
  const { body: session } = await api.call('POST', '/v1/sessions', {
    body: twoPeople(1, { program: 'taken' }),
  });
  const kept = await api.call('DELETE', '/v1/programs/taken');
  expect(kept.status).toBe(409);
  expect(kept.body.type).toBe('/problems/program-in-use');
  await api.call('PATCH', `/v1/sessions/${session.id}`, { body: { program: null } });
  expect((await api.call('DELETE', '/v1/programs/taken')).status).toBe(204);
  expect((await api.call('GET', '/v1/programs/taken')).status).toBe(404);
});

test('the same key saves one program', async () => {
  const send = () =>
    api.call('POST', '/v1/programs', {
      body: { name: 'once', definition: simple },
      headers: { 'idempotency-key': 'program-once' },
    });
  const first = await send();
  const second = await send();
  expect(first.status).toBe(201);
  expect(second.text).toBe(first.text);
  expect(second.headers['idempotent-replayed']).toBe('true');
});

describe('what is wrong in a program is told with its place', () => {
  const agents = { when: "caller.role == 'agent'", then: { connect: {} } };
  const unreadable = { rules: [agents, { when: '(', then: { connect: {} } }] };
  test.each([
    [1, 'without rules', {}, '/rules'],
    [2, 'an expression that cannot be read', unreadable, '/rules/1/when'],
    [3, 'a rule without steps', { rules: [{ when: 'true' }] }, '/rules/0/then'],
  ])('%i: %s', async (seed, _name, wrong, place) => {
    const { body: program } = await api.call('POST', '/v1/programs', {
      body: { name: `right-${seed}`, definition: simple },
    });
    const { body: session } = await api.call('POST', '/v1/sessions', { body: twoPeople(1 + seed) });
    const answers = [
      [await api.call('POST', '/v1/programs', { body: { name: 'wrong', definition: wrong } }), '/definition'],
      [
        await api.call('PUT', `/v1/programs/${program.id}`, {
          body: { name: program.name, definition: wrong },
        }),
        '/definition',
      ],
      [await api.call('PATCH', `/v1/programs/${program.id}`, { body: { definition: wrong } }), '/definition'],
      [
        await api.call('POST', '/v1/programs/test', {
          body: { definition: wrong, roles: ['a', 'b'], caller: 'a' },
        }),
        '/definition',
      ],
      [await api.call('POST', '/v1/sessions', { body: twoPeople(50, { program: wrong }) }), '/program'],
      [await api.call('PATCH', `/v1/sessions/${session.id}`, { body: { program: wrong } }), '/program'],
    ] as const;
    for (const [answer, prefix] of answers) {
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.type).toBe('/problems/program-invalid');
      expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(
        `${prefix}${place}`,
      );
    }
    expect((await api.call('GET', '/v1/programs/wrong')).status).toBe(404);
  });

  test('and a number in the place of a name is not repeated', async () => {
    const secret = '+6281234567890';
    const wrong = [
      { rules: [{ then: { use: secret } }], blocks: { [secret]: { connect: { [secret]: 1 } } } },
      { rules: [{ then: { connect: { to: secret } } }] },
      { rules: [{ then: { forward: secret } }] },
      { rules: [{ name: secret, when: `caller.role == ${secret}`, then: { [secret]: 1 } }] },
      { rules: [{ then: { menu: { prompt: secret, choices: { [secret]: { connect: {} } } } } }] },
      { [secret]: 1, rules: [] },
    ];
    for (const one of wrong) {
      for (const [path, body] of [
        ['/v1/programs', { name: 'secret', definition: one }],
        ['/v1/programs/test', { definition: one, roles: ['a', 'b'], caller: 'a' }],
        ['/v1/sessions', twoPeople(60, { program: one })],
      ] as const) {
        const answer = await api.call('POST', path, { body });
        expect(answer.status, answer.text).toBe(422);
        expect(shows(answer.text, secret), answer.text).toBe(false);
      }
    }
  });
});

test.each([
  ['no name', { definition: simple }, '/name'],
  ['no definition', { name: 'x' }, '/definition'],
  ['a name with a slash', { name: 'a/b', definition: simple }, '/name'],
  ['too long a name', { name: 'x'.repeat(64), definition: simple }, '/name'],
  ['a definition that is text', { name: 'x', definition: 'rules' }, '/definition'],
  ['a definition that is a list', { name: 'x', definition: [] }, '/definition'],
  ['a flag as text', { name: 'x', definition: simple, default: 'yes' }, '/default'],
  ['an unknown field', { name: 'x', definition: simple, version: 2 }, '/version'],
])('%s is refused', async (_name, body, pointer) => {
  for (const [method, url] of [
    ['POST', '/v1/programs'],
    ['PUT', '/v1/programs/x'],
  ] as const) {
    const answer = await api.call(method, url, { body });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.type).toBe('/problems/invalid');
    expect(answer.body.errors[0].pointer).toBe(pointer);
  }
});

test('a change of nothing, a version that is none, ids that cannot be any', async () => {
  expect((await api.call('PATCH', '/v1/programs/x', { body: {} })).status).toBe(422);
  for (const version of ['0', '-1', 'x', '1.5']) {
    const answer = await api.call('GET', `/v1/programs/deliveries?version=${version}`);
    expect(answer.body.errors[0].parameter, version).toBe('version');
  }
  for (const id of ['%20', 'a%20b', '..', '%2B62811', `prg_${'0'.repeat(32)}`]) {
    expect((await api.call('GET', `/v1/programs/${id}`)).status, id).toBe(404);
  }
});

describe('what would happen', () => {
  const roles = ['agent', 'customer'];

  test('is told of a saved program and of one that is not, without a call', async () => {
    const saved = await api.call('POST', '/v1/programs/deliveries/test', {
      body: { roles, caller: 'customer', at: '2026-01-31T09:30:00Z' },
    });
    expect(saved.status, saved.text).toBe(200);
    expect(saved.body.trace.rules).toEqual([
      { place: '/rules/0', name: 'late', outcome: 'false' },
      { place: '/rules/1', outcome: 'fired' },
    ]);
    expect(saved.body.trace).toMatchObject({ timeZone: 'UTC', open: true, forbidden: [] });
    expect(saved.body.summary.length).toBeGreaterThan(0);
    const unsaved = await api.call('POST', '/v1/programs/test', {
      body: { definition, roles, caller: 'customer', at: '2026-01-31T09:30:00Z', attempt: { calls: 2 } },
    });
    expect(unsaved.status, unsaved.text).toBe(200);
    expect(unsaved.body.trace.rules).toEqual(saved.body.trace.rules);
    expect((await api.call('GET', '/v1/calls')).body.items).toEqual([]);
  });

  test.each([
    ['no caller', { roles }, '/caller'],
    ['a phone number as the caller', { roles, caller: phone(1) }, '/caller'],
    ['no roles', { roles: [], caller: 'agent' }, '/roles'],
    ['roles and a session', { roles, session: `ses_${'0'.repeat(32)}`, caller: 'agent' }, '/roles'],
    ['a session that is none', { session: 'ses_1', caller: 'agent' }, '/session'],
    ['a time that is none', { roles, caller: 'agent', at: 'now' }, '/at'],
    ['an unknown fact', { roles, caller: 'agent', attempt: { tries: 1 } }, '/attempt/tries'],
    ['less than nothing', { roles, caller: 'agent', attempt: { calls: -1 } }, '/attempt/calls'],
    ['an unknown field', { roles, caller: 'agent', phone: phone(1) }, '/phone'],
  ])('%s is refused', async (_name, body, pointer) => {
    for (const [url, sent] of [
      ['/v1/programs/deliveries/test', body],
      ['/v1/programs/test', { definition: simple, ...body }],
    ] as const) {
      const answer = await api.call('POST', url, { body: sent });
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.errors[0].pointer).toBe(pointer);
      expect(shows(answer.text, phone(1))).toBe(false);
    }
  });

  test('a caller whom there is not, and a session that there is not', async () => {
    const stranger = await api.call('POST', '/v1/programs/deliveries/test', {
      body: { roles, caller: 'stranger' },
    });
    expect(stranger.status, stranger.text).toBe(422);
    expect(stranger.body).toMatchObject({
      type: '/problems/unknown-participant',
      errors: [{ pointer: '/caller' }],
    });
    const nowhere = await api.call('POST', '/v1/programs/deliveries/test', {
      body: { session: `ses_${'0'.repeat(32)}`, caller: 'agent' },
    });
    expect(nowhere.status).toBe(404);
  });
});

describe('the language as it is described', () => {
  const check = Compile(programLanguage, programLanguage['ProgramDefinition'] ?? {});

  test.each([
    ['what the example says', definition],
    ['short forms', { rules: [{ then: [{ connect: 'agent' }, { announce: 'sorry' }, { use: 'x' }] }] }],
    [
      'menus in menus',
      {
        rules: [
          {
            then: {
              menu: {
                prompt: ['order', { characters: 'A12' }],
                choices: {
                  1: { menu: { prompt: 'which', choices: { '#': [{ forward: 'support' }] } } },
                  '*': { refuse: {} },
                },
                otherwise: { voicemail: { for: 'agent', maxSeconds: 60 } },
              },
            },
          },
        ],
        blocks: { x: [{ connect: { to: ['agent', 'customer'], mode: 'all', accept: true } }] },
        closed: { refuse: 'closed' },
        timeZone: 'Asia/Jakarta',
      },
    ],
    [
      'a question to the business',
      { rules: [{ then: { ask: { url: 'https://shop.example/decide', fallback: { refuse: 'closed' } } } }] },
    ],
  ])('takes %s', (_name, program) => {
    expect(check.Errors(program)).toEqual([]);
  });

  test.each([
    ['no rules', { rules: [] }],
    ['an unknown verb', { rules: [{ then: { dial: 'agent' } }] }],
    ['two verbs in a step', { rules: [{ then: { connect: 'agent', announce: 'x' } }] }],
    [
      'a key that no phone has',
      { rules: [{ then: { menu: { prompt: 'x', choices: { A: { use: 'b' } } } } }] },
    ],
    ['a question without a fallback', { rules: [{ then: { ask: { url: 'https://shop.example' } } }] }],
    ['an unknown field deep inside', { rules: [{ then: [{ connect: { too: 'agent' } }] }] }],
  ])('refuses %s', (_name, program) => {
    expect(check.Check(program)).toBe(false);
  });
});
