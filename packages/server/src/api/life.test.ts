// biome-ignore-all lint/suspicious/noThenProperty: the language's own word; nothing here is ever awaited
/** The life of a session after its opening: terms, hand-overs, reopening, codes and calls from the business's app. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MaskingError } from '../masking/service.ts';
import type { Telephone } from './options.ts';
import { phone, shows, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
let asked: unknown[] = [];
let telephone: Telephone['call'] = async () => '';
beforeAll(async () => {
  api = await testApi({
    telephone: {
      call(request) {
        asked.push(request);
        return telephone(request);
      },
    },
  });
  await api.stock(12);
});
afterAll(() => api.close());

const open = async (seed: number, more: Readonly<Record<string, unknown>> = {}) => {
  const answer = await api.call('POST', '/v1/sessions', { body: twoPeople(seed, more) });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
};
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

const terms = {
  schedule: {
    timeZone: 'Asia/Jakarta',
    windows: [{ days: ['mon', 'tue'], from: '08:00', to: '20:00' }],
    exceptions: [
      { date: '2026-12-25', closed: true },
      { date: '2026-12-31', windows: [{ from: '08:00', to: '12:00' }] },
    ],
  },
  limits: {
    callSeconds: 600,
    calls: 20,
    minutes: 60,
    attempts: { calls: 5, perMinutes: 10 },
    quietHours: { from: '22:00', to: '07:00' },
  },
  ongoingCalls: 'warn',
  afterClose: { seconds: 86_400, allow: [{ from: 'customer', to: 'agent' }], reasons: ['resolved'] },
  whisper: true,
  accept: true,
  survey: { of: 'customer', prompt: 'survey', keys: '12345' },
  program: { rules: [{ when: "caller.role == 'agent'", then: { connect: 'customer' } }] },
};

describe('terms', () => {
  test('are given back as they were declared, and taken away by null', async () => {
    const session = await open(1, terms);
    expect(session).toMatchObject(terms);
    const path = `/v1/sessions/${session.id}`;
    expect((await api.call('GET', path)).body).toMatchObject(terms);
    const names = Object.keys(terms).filter((name) => name !== 'ongoingCalls');
    const gone = Object.fromEntries(names.map((name) => [name, null]));
    const { body: bare, status, text } = await api.call('PATCH', path, { body: gone });
    expect(status, text).toBe(200);
    for (const name of names) expect(bare).not.toHaveProperty(name);
    expect(bare.ongoingCalls).toBe('warn');
    const again = await api.call('PATCH', path, { body: { limits: { calls: 3 }, whisper: ['ended'] } });
    expect(again.body).toMatchObject({ limits: { calls: 3 }, whisper: ['ended'] });
    expect(again.body).not.toHaveProperty('survey');
  });

  test('of the people: time zones, one-way masks, codes', async () => {
    const [agent, customer] = twoPeople(2).participants;
    const { body } = await api.call('POST', '/v1/sessions', {
      body: {
        participants: [
          { ...agent, timeZone: 'Asia/Jakarta', mayStart: true },
          { ...customer, mayStart: false },
        ],
      },
    });
    expect(body.participants[0]).toMatchObject({ timeZone: 'Asia/Jakarta', mayStart: true, open: false });
    expect(body.participants[1]).toMatchObject({ mayStart: false, reach: 'number' });
    expect(body.participants[1].number).toBe(body.participants[1].dial);
    expect(body.participants[0].joinedAt).toMatch(/Z$/);
  });

  test('a code stands behind the number, so that a phone dials both in one tap', async () => {
    const session = await open(3, { pin: true });
    for (const one of session.participants) {
      expect(one.pin).toMatch(/^\d{6}$/);
      expect(one.dial).toBe(`${one.number},,${one.pin}#`);
    }
  });

  test('a program of the session, one that is saved, and one version of it', async () => {
    const definition = { rules: [{ then: { connect: {} } }] };
    await api.call('POST', '/v1/programs', { body: { name: 'saved', definition } });
    const named = await open(4, { program: 'saved' });
    expect(named.program).toBe('saved');
    const pinned = await open(5, { program: { name: 'saved', version: 1 } });
    expect(pinned.program).toEqual({ name: 'saved', version: 1 });
    const inline = await open(6, { program: definition });
    expect(inline.program).toEqual(definition);
    for (const program of ['nothing', { name: 'saved', version: 7 }]) {
      const answer = await api.call('POST', '/v1/sessions', { body: twoPeople(7, { program }) });
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.type).toBe('/problems/unknown-program');
      expect(answer.body.errors[0].pointer).toMatch(/^\/program/);
    }
  });

  const window = { from: '08:00', to: '12:00' };
  test.each([
    ['a program that is a number', { program: 5 }, '/program'],
    ['a program that is a list', { program: [] }, '/program'],
    ['an empty name', { program: '' }, '/program'],
    ['a version that is text', { program: { name: 'x', version: '1' } }, '/program/version'],
    ['a version without a name', { program: { version: 1 } }, '/program/name'],
    ['a version and more', { program: { name: 'x', version: 1, z: 1 } }, '/program/z'],
    ['a schedule without a zone', { schedule: { windows: [window] } }, '/schedule/timeZone'],
    [
      'a zone that cannot be one',
      { schedule: { timeZone: '+07:00', windows: [window] } },
      '/schedule/timeZone',
    ],
    [
      'a zone that there is not',
      { schedule: { timeZone: 'Asia/Nowhere', windows: [window] } },
      '/schedule/timeZone',
    ],
    ['no windows', { schedule: { timeZone: 'UTC', windows: [] } }, '/schedule/windows'],
    [
      'half past a quarter',
      { schedule: { timeZone: 'UTC', windows: [{ from: '8:00', to: '24:01' }] } },
      '/schedule/windows/0/from',
    ],
    [
      'a day that is none',
      { schedule: { timeZone: 'UTC', windows: [{ ...window, days: ['monday'] }] } },
      '/schedule/windows/0/days/0',
    ],
    [
      'an exception that says nothing',
      { schedule: { timeZone: 'UTC', windows: [window], exceptions: [{ date: '2026-12-25' }] } },
      '/schedule/exceptions/0',
    ],
    [
      'an exception that says both',
      {
        schedule: {
          timeZone: 'UTC',
          windows: [window],
          exceptions: [{ date: '2026-12-25', closed: true, windows: [window] }],
        },
      },
      '/schedule/exceptions/0',
    ],
    ['too short a call', { limits: { callSeconds: 9 } }, '/limits/callSeconds'],
    ['an unknown limit', { limits: { call: 9 } }, '/limits/call'],
    ['a call without an end', { ongoingCalls: 'continue' }, '/ongoingCalls'],
    ['after the close for a year', { afterClose: { seconds: 31_536_000, allow: [] } }, '/afterClose/seconds'],
    ['after the close for nobody', { afterClose: { seconds: 3600, allow: [] } }, '/afterClose/allow'],
    [
      'after the close by phone',
      { afterClose: { seconds: 3600, allow: [{ from: phone(1), to: 'agent' }] } },
      '/afterClose/allow/0/from',
    ],
    ['a whisper that is none', { whisper: false }, '/whisper'],
    ['a whisper of nothing', { whisper: [] }, '/whisper'],
    ['a flag as text', { accept: 'yes' }, '/accept'],
    ['a survey of nobody', { survey: {} }, '/survey/of'],
    ['a survey with letters', { survey: { of: 'agent', keys: 'AB' } }, '/survey/keys'],
    ['a day that is none to open on', { opensAt: '2030-02-30T00:00:00Z' }, '/opensAt'],
  ])('%s is refused, at opening and later', async (_name, more, pointer) => {
    const opening = await api.call('POST', '/v1/sessions', { body: twoPeople(8, more) });
    const session = await once('terms', () => open(9));
    const changing = await api.call('PATCH', `/v1/sessions/${session.id}`, { body: more });
    for (const answer of [opening, changing]) {
      expect(answer.status, answer.text).toBe(422);
      const pointers = answer.body.errors.map((error: { pointer: string }) => error.pointer);
      expect(pointers, answer.text).toContain(pointer);
      expect(shows(answer.text, phone(1))).toBe(false);
    }
  });

  test.each(['recording', 'ongoingCalls', 'metadata', 'expiresAt', 'ttlSeconds', 'participants'])(
    '%s is always there: it can be changed, not taken away',
    async (name) => {
      const session = await once('terms', () => open(9));
      const answer = await api.call('PATCH', `/v1/sessions/${session.id}`, { body: { [name]: null } });
      expect(answer.status).toBe(422);
      expect(answer.body.errors[0].pointer).toBe(`/${name}`);
    },
  );

  test.each([
    ['sticky', { sticky: true }],
    ['pin', { pin: true }],
    ['pool', { pool: 'default' }],
    ['sharedNumber', { sharedNumber: true }],
  ])('%s is said at opening only', async (name, body) => {
    const session = await once('terms', () => open(9));
    const answer = await api.call('PATCH', `/v1/sessions/${session.id}`, { body });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([{ pointer: `/${name}`, detail: 'unknown field' }]);
  });
});

const made = new Map<string, Promise<{ id: string; participants: { id: string }[] }>>();
function once(name: string, make: () => Promise<{ id: string; participants: { id: string }[] }>) {
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}

describe('hand-over', () => {
  test('the new one takes the place, the other keeps the number, and who left stands last', async () => {
    const before = await open(20);
    const path = `/v1/sessions/${before.id}`;
    const successor = { role: 'agent', phone: phone(500), name: 'Siti' };
    const { status, body, text } = await api.call('PATCH', path, {
      body: { participants: { replace: [{ participant: 'agent', with: successor }] } },
    });
    expect(status, text).toBe(200);
    expect(body.participants).toHaveLength(3);
    const left = body.participants[2];
    const [agent, customer] = ['agent', 'customer'].map((role) =>
      body.participants.slice(0, 2).find((one: { role: string }) => one.role === role),
    );
    expect(agent.phone).toMatch(/0500$/);
    expect(agent.id).not.toBe(before.participants[0].id);
    expect(customer).toMatchObject({
      id: before.participants[1].id,
      dial: before.participants[1].dial,
    });
    expect(left).toMatchObject({
      id: before.participants[0].id,
      leaveReason: 'replaced',
      leftAt: expect.stringMatching(/Z$/),
    });
    expect(shows(text, phone(500))).toBe(false);
    expect(text).not.toContain('Siti');
  });

  test('a repetition of the opening still answers as the first time', async () => {
    const headers = { 'idempotency-key': 'open-21' };
    const body = twoPeople(21, { ...terms, ttlSeconds: 600, reference: 'first' });
    const first = await api.call('POST', '/v1/sessions', { headers, body });
    expect(first.status, first.text).toBe(201);
    const path = `/v1/sessions/${first.body.id}`;
    const changed = await api.call('PATCH', path, {
      body: {
        ...{ limits: null, whisper: null, program: null, ongoingCalls: 'hangup', reference: null },
        participants: {
          replace: [{ participant: 'agent', with: { role: 'agent', phone: phone(501) } }],
        },
      },
    });
    expect(changed.status, changed.text).toBe(200);
    await api.call('POST', `${path}/close`, { body: { reason: 'resolved' } });
    const second = await api.call('POST', '/v1/sessions', { headers, body });
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.text).toBe(first.text);
  });

  test('so does one that names a program, which may have been changed since', async () => {
    const definition = { rules: [{ then: { connect: {} } }] };
    await api.call('POST', '/v1/programs', { body: { name: 'replayed', definition } });
    for (const [index, program] of ['replayed', { name: 'replayed', version: 1 }].entries()) {
      const headers = { 'idempotency-key': `open-named-${index}` };
      const body = twoPeople(24 + index, { program, opensAt: inAnHour(), pin: true });
      const first = await api.call('POST', '/v1/sessions', { headers, body });
      expect(first.status, first.text).toBe(201);
      await api.call('PATCH', '/v1/programs/replayed', {
        body: { definition: { rules: [{ then: { refuse: 'closed' } }] } },
      });
      const second = await api.call('POST', '/v1/sessions', { headers, body });
      expect(second.text).toBe(first.text);
    }
  });

  const wrong = phone(1).slice(0, 6);
  test.each([
    ['nothing', { participants: {} }, '/participants'],
    ['nobody', { participants: { remove: [] } }, '/participants/remove'],
    ['a phone', { participants: { remove: [phone(1)] } }, '/participants/remove/0'],
    ['by nobody', { participants: { replace: [{ participant: 'agent' }] } }, '/participants/replace/0/with'],
    [
      'by somebody without a phone',
      { participants: { replace: [{ participant: 'agent', with: { role: 'agent' } }] } },
      '/participants/replace/0/with',
    ],
    [
      'by a number that is none',
      { participants: { replace: [{ participant: 'agent', with: { role: 'agent', phone: wrong } }] } },
      '/participants/replace/0/with/phone',
    ],
    [
      'a stranger',
      {
        participants: {
          replace: [{ participant: 'stranger', with: { role: 'agent', phone: phone(502) } }],
        },
      },
      '/participants/replace/0/participant',
    ],
    [
      'one with two kinds of phones',
      { participants: { add: [{ role: 'x', phone: phone(3), phones: [phone(4)] }] } },
      '/participants/add/0',
    ],
    ['an unknown way', { participants: { swap: [] } }, '/participants/swap'],
    ['a list', { participants: [] }, '/participants'],
  ])('of %s is refused', async (_name, body, pointer) => {
    const session = await once('hand-over', () => open(22));
    const answer = await api.call('PATCH', `/v1/sessions/${session.id}`, { body });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect(answer.text).not.toContain(wrong.slice(3));
  });

  test('people come and go', async () => {
    const session = await open(23);
    const path = `/v1/sessions/${session.id}`;
    const added = await api.call('PATCH', path, {
      body: { participants: { add: [{ role: 'helper', phone: phone(503) }] } },
    });
    expect(added.status, added.text).toBe(200);
    expect(added.body.participants).toHaveLength(3);
    const removed = await api.call('PATCH', path, { body: { participants: { remove: ['helper'] } } });
    expect(removed.body.participants[2]).toMatchObject({ role: 'helper', leaveReason: 'removed' });
    const twice = await api.call('PATCH', path, {
      body: { participants: { add: [{ role: 'helper', phone: phone(46) }] } },
    });
    expect(twice.status, twice.text).toBe(409);
    expect(twice.body).toMatchObject({
      type: '/problems/participant-taken',
      errors: [{ pointer: expect.stringMatching(/^\/participants\/add\/0/) }],
    });
    const two = await api.call('PATCH', path, { body: { participants: { remove: ['customer'] } } });
    expect([409, 422], two.text).toContain(two.status);
  });
});

describe('open sides', () => {
  test('a listing has a reserved number for whoever calls, and no phone', async () => {
    await api.stock(1, 'listings');
    const { body: numbers } = await api.call('GET', '/v1/numbers?pool=listings');
    await api.call('PATCH', `/v1/numbers/${numbers.items[0].id}`, { body: { use: 'reserved' } });
    await api.stock(1, 'listings');
    const { status, body, text } = await api.call('POST', '/v1/sessions', {
      body: {
        pool: 'listings',
        participants: [
          { role: 'seller', phone: phone(600) },
          { role: 'buyer', open: true },
        ],
      },
    });
    expect(status, text).toBe(201);
    const [, buyer] = body.participants;
    expect(buyer).toMatchObject({ role: 'buyer', open: true, phone: '', phones: [] });
    expect(buyer.number).toBe(numbers.items[0].number);
    const children = await api.call('GET', `/v1/sessions?parent=${body.id}`);
    expect(children.body).toEqual({ items: [] });
  });

  test('whoever is open has no phone, and who is not has one', async () => {
    for (const [more, index] of [
      [{ open: true, phone: phone(601) }, 1],
      [{ open: true, phones: [phone(601)] }, 1],
      [{ open: false }, 1],
    ] as const) {
      const participants = [
        { role: 'seller', phone: phone(602) },
        { role: 'buyer', ...more },
      ];
      const answer = await api.call('POST', '/v1/sessions', { body: { participants } });
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.errors[0].pointer).toBe(`/participants/${index}`);
    }
  });

  test.each(['ses_1', 'par_0', encodeURIComponent(phone(1))])('the parent %s is refused', async (parent) => {
    const answer = await api.call('GET', `/v1/sessions?parent=${parent}`);
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].parameter).toBe('parent');
    const search = await api.call('POST', '/v1/sessions/search', { body: { parent: 'x' } });
    expect(search.body.errors[0].pointer).toBe('/parent');
  });
});

describe('opening, closing, reopening', () => {
  test('a session that opens later is scheduled, and found so', async () => {
    const opensAt = inAnHour();
    const session = await open(30, { opensAt, reference: 'later' });
    expect(session).toMatchObject({ status: 'scheduled', opensAt });
    const found = await api.call('GET', '/v1/sessions?status=scheduled&reference=later');
    expect(found.body.items).toHaveLength(1);
    const now = await api.call('PATCH', `/v1/sessions/${session.id}`, { body: { opensAt: null } });
    expect(now.body.status).toBe('open');
    expect(now.body).not.toHaveProperty('opensAt');
    expect((await api.call('GET', '/v1/sessions?status=scheduled&reference=later')).body.items).toEqual([]);
  });

  test('a close says what becomes of running calls and of what comes after', async () => {
    const afterClose = { seconds: 3600, allow: [{ from: 'customer', to: 'agent' }] };
    const kept = await open(31, { afterClose });
    const closed = await api.call('POST', `/v1/sessions/${kept.id}/close`, {
      body: { reason: 'resolved', ongoingCalls: 'warn' },
    });
    expect(closed.body).toMatchObject({ status: 'closed', afterClose });
    expect(Date.parse(closed.body.afterCloseUntil)).toBeGreaterThan(Date.now() + 3_000_000);
    const ended = await open(32, { afterClose });
    const finally_ = await api.call('POST', `/v1/sessions/${ended.id}/close`, {
      body: { reason: 'resolved', afterClose: false },
    });
    expect(finally_.body).not.toHaveProperty('afterCloseUntil');
    for (const wrong of [{ afterClose: {} }, { afterClose: 'no' }, { ongoingCalls: 'cut' }]) {
      const answer = await api.call('POST', `/v1/sessions/${kept.id}/close`, {
        body: { reason: 'resolved', ...wrong },
      });
      expect(answer.status).toBe(422);
    }
  });

  test('a closed session lives again, an open one is not reopened', async () => {
    const session = await open(33);
    const path = `/v1/sessions/${session.id}`;
    const early = await api.call('POST', `${path}/reopen`, { body: { ttlSeconds: 60 } });
    expect(early.status).toBe(409);
    expect(early.body.type).toBe('/problems/session-open');
    await api.call('POST', `${path}/close`, { body: { reason: 'resolved' } });
    const headers = { 'idempotency-key': 'reopen-33' };
    const again = await api.call('POST', `${path}/reopen`, { body: { ttlSeconds: 3600 }, headers });
    expect(again.status, again.text).toBe(200);
    expect(again.body.status).toBe('open');
    expect(again.body).not.toHaveProperty('closedAt');
    expect(again.body.participants.map((one: { dial: string }) => one.dial)).toEqual(
      session.participants.map((one: { dial: string }) => one.dial),
    );
    const replayed = await api.call('POST', `${path}/reopen`, { body: { ttlSeconds: 3600 }, headers });
    expect(replayed.text).toBe(again.text);
    for (const [body, pointer] of [
      [{ ttlSeconds: 60, expiresAt: inAnHour() }, '/expiresAt'],
      [{ expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
      [{ ttlSeconds: 0 }, '/ttlSeconds'],
      [{ ttlSeconds: null }, '/ttlSeconds'],
      [{ reason: 'x' }, '/reason'],
    ] as const) {
      const answer = await api.call('POST', `${path}/reopen`, { body });
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.errors[0].pointer).toBe(pointer);
    }
  });
});

describe('claims', () => {
  test('a participant gets a code, by which they add a phone', async () => {
    const session = await open(40);
    const [agent] = session.participants;
    const path = `/v1/sessions/${session.id}/participants/${agent.id}/claims`;
    const answer = await api.call('POST', path, { headers: { 'idempotency-key': 'claim-40' } });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body).toEqual({
      code: expect.stringMatching(/^\d{6}$/),
      dial: expect.stringMatching(/^\+62/),
      expiresAt: expect.stringMatching(/Z$/),
    });
    const again = await api.call('POST', path, { headers: { 'idempotency-key': 'claim-40' } });
    expect(again.text).toBe(answer.text);
    expect((await api.call('POST', path, { body: {} })).status).toBe(201);
    for (const body of [{ phone: phone(1) }, [1], '"x"']) {
      const refused = await api.call('POST', path, { body });
      expect(refused.status).toBe(422);
      expect(shows(refused.text, phone(1))).toBe(false);
    }
    await api.call('POST', `/v1/sessions/${session.id}/close`, { body: { reason: 'resolved' } });
    const late = await api.call('POST', path);
    expect(late.status).toBe(409);
    expect(late.body.type).toBe('/problems/session-closed');
  });

  test('nobody’s code', async () => {
    const session = await once('claims', () => open(41));
    const other = await once('claims-other', () => open(42));
    for (const [of, participant] of [
      [session.id, `par_${'0'.repeat(32)}`],
      [session.id, other.participants[0]?.id],
      [session.id, 'agent'],
      [`ses_${'0'.repeat(32)}`, session.participants[0]?.id],
    ]) {
      const answer = await api.call('POST', `/v1/sessions/${of}/participants/${participant}/claims`);
      expect(answer.status, answer.text).toBe(404);
    }
  });
});

describe('click-to-call', () => {
  /** As the switch does it, without ringing anybody. */
  async function recorded(session: string): Promise<string> {
    const { body } = await api.call('GET', `/v1/sessions/${session}`);
    const { items } = await api.masking.listCarriers('default', { limit: 1 });
    const call = `call_${'0'.repeat(16)}${Date.now().toString(16).padStart(16, '0')}`;
    const at = { tenant: 'default', carrier: items[0]?.id ?? '' };
    await api.masking.decide({
      ...{ kind: 'call', carriers: [at], called: body.participants[0].dial, caller: phone(100), call },
    });
    return call;
  }

  test('asks the switch once, and answers with the call', async () => {
    const session = await open(50);
    telephone = () => recorded(session.id);
    asked = [];
    const send = (key: string) =>
      api.call('POST', `/v1/sessions/${session.id}/calls`, {
        body: { from: 'agent', to: session.participants[1].id },
        headers: { 'idempotency-key': key },
      });
    const answer = await send('call-50');
    expect(answer.status, answer.text).toBe(202);
    expect(answer.body).toMatchObject({ id: expect.stringMatching(/^call_/), session: session.id });
    expect(answer.headers['location']).toBe(`/v1/calls/${answer.body.id}`);
    expect((await send('call-50')).text).toBe(answer.text);
    expect(asked).toEqual([
      { tenant: 'default', session: session.id, from: 'agent', to: session.participants[1].id },
    ]);
  });

  test('what the switch refuses is a problem with its place', async () => {
    const session = await once('calls', () => open(51));
    const path = `/v1/sessions/${session.id}/calls`;
    for (const [error, status, type] of [
      [new MaskingError('unknown-participant', 'There is none.', '/from'), 422, 'unknown-participant'],
      [new MaskingError('session-closed', 'It has ended.'), 409, 'session-closed'],
      [new MaskingError('blocked', 'They may not.'), 409, 'blocked'],
      [new MaskingError('participant-unreachable', 'Nobody.'), 409, 'participant-unreachable'],
      [new MaskingError('no-display-number', 'None.'), 409, 'no-display-number'],
      [Object.assign(new Error('draining'), { name: 'TelephoneUnavailable' }), 503, 'unavailable'],
      [new Error(`no route to ${phone(1)}`), 500, 'internal'],
    ] as const) {
      telephone = () => Promise.reject(error);
      const answer = await api.call('POST', path, { body: { from: 'agent' } });
      expect(answer.status).toBe(status);
      expect(answer.body.type).toBe(`/problems/${type}`);
      expect(shows(answer.text, phone(1))).toBe(false);
    }
  });

  test.each([
    ['nobody', {}, '/from'],
    ['a phone', { from: phone(1) }, '/from'],
    ['to a phone', { from: 'agent', to: phone(1) }, '/to'],
    ['to oneself', { from: 'agent', to: 'agent' }, '/to'],
    ['two at once', { from: ['agent'] }, '/from'],
    ['more', { from: 'agent', phone: phone(1) }, '/phone'],
  ])('from %s is refused, and nobody is rung', async (_name, body, pointer) => {
    const session = await once('calls', () => open(51));
    asked = [];
    const answer = await api.call('POST', `/v1/sessions/${session.id}/calls`, { body });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect(shows(answer.text, phone(1))).toBe(false);
    expect(asked).toEqual([]);
  });

  test('an installation without a switch says so', async () => {
    const bare = await testApi();
    try {
      const answer = await bare.call('POST', `/v1/sessions/ses_${'0'.repeat(32)}/calls`, {
        body: { from: 'agent' },
      });
      expect(answer.status).toBe(503);
      expect(answer.body.type).toBe('/problems/unavailable');
    } finally {
      await bare.close();
    }
  });
});

describe('calls', () => {
  test('a running call is hung up, and has an explanation; a call that there is not has neither', async () => {
    const session = await open(60);
    const [agent] = session.participants;
    const { items } = await api.masking.listCarriers('default', { limit: 1 });
    const call = `call_${'1'.repeat(32)}`;
    await api.masking.decide({
      kind: 'call',
      carriers: [{ tenant: 'default', carrier: items[0]?.id ?? '' }],
      called: agent.dial,
      caller: phone(120),
      call,
    });
    const hung = await api.call('POST', `/v1/calls/${call}/hangup`);
    expect(hung.status, hung.text).toBe(200);
    expect(hung.body).toMatchObject({ id: call, kind: 'inbound' });
    await api.masking.ended({
      ...{ tenant: 'default', call, outcome: 'failed', hangupBy: 'platform', hangupCause: 'hangup' },
      ...{ endedAt: Date.now(), legs: [] },
    });
    const ended = await api.call('POST', `/v1/calls/${call}/hangup`);
    expect(ended.status).toBe(409);
    expect(ended.body.type).toBe('/problems/call-ended');
    const explained = await api.call('GET', `/v1/calls/${call}/explanation`);
    if (explained.status === 404) expect(explained.body.type).toBe('/problems/no-explanation');
    else expect(explained.body).toMatchObject({ steps: expect.any(Array) });
    for (const id of [`call_${'0'.repeat(32)}`, 'call_1', `ses_${'0'.repeat(32)}`]) {
      expect((await api.call('POST', `/v1/calls/${id}/hangup`)).status).toBe(404);
      expect((await api.call('GET', `/v1/calls/${id}/explanation`)).status).toBe(404);
    }
  });

  test('a hang-up takes nothing', async () => {
    for (const body of [{ reason: 'x' }, [1]]) {
      const answer = await api.call('POST', `/v1/calls/call_${'0'.repeat(32)}/hangup`, { body });
      expect(answer.status).toBe(422);
    }
  });
});
