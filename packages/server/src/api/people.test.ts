// biome-ignore-all lint/suspicious/noThenProperty: the language's own word; nothing here is ever awaited
/** Who takes part in a session: hand-overs, open sides, phones that are claimed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  inAnHour,
  openSession,
  phone,
  shows,
  type TestApi,
  allTerms as terms,
  testApi,
  twoPeople,
} from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(12);
});
afterAll(() => api.close());

const open = (seed: number, more: Readonly<Record<string, unknown>> = {}) => openSession(api, seed, more);
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
