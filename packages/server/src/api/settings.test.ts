// biome-ignore-all lint/suspicious/noThenProperty: the language's own word; nothing here is ever awaited
/** What holds for the whole business: settings, destinations, blocks; and the events of all of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { phone, shows, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(4);
});
afterAll(() => api.close());

describe('settings', () => {
  test('have defaults, and are changed one by one', async () => {
    const { body: before } = await api.call('GET', '/v1/settings');
    expect(before).toMatchObject({ timeZone: 'UTC', accept: false, abuseThreshold: 5 });
    const change = { timeZone: 'Asia/Jakarta', ringSeconds: 40 };
    const changed = await api.call('PATCH', '/v1/settings', { body: change });
    expect(changed.body).toEqual({ ...before, ...change });
    expect((await api.call('GET', '/v1/settings')).body).toEqual(changed.body);
  });

  test.each([
    [{ timeZone: 'Asia/Nowhere' }, '/timeZone'],
    [{ timeZone: null }, '/timeZone'],
    [{ ringSeconds: 4 }, '/ringSeconds'],
    [{ ringSeconds: 121 }, '/ringSeconds'],
    [{ maxSeconds: 9 }, '/maxSeconds'],
    [{ maxSeconds: 86_401 }, '/maxSeconds'],
    [{ accept: 1 }, '/accept'],
    [{ abuseThreshold: 0 }, '/abuseThreshold'],
    [{ colour: 'red' }, '/colour'],
    [{}, ''],
  ])('%j is refused', async (body, pointer) => {
    const answer = await api.call('PATCH', '/v1/settings', { body });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  test('the secret of questions stays the same, is not kept anywhere, and is each business’s own', async () => {
    const first = await api.call('GET', '/v1/settings/decision-secret');
    expect(first.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
    expect(first.headers['cache-control']).toBe('no-store');
    expect((await api.call('GET', '/v1/settings/decision-secret')).body).toEqual(first.body);
    await api.masking.createTenant({ tenant: 'second', name: 'Second' });
    const key = await api.key(['settings:write'], 'second');
    const theirs = await api.call('GET', '/v1/settings/decision-secret', { key });
    expect(theirs.status).toBe(200);
    expect(theirs.body.secret).not.toBe(first.body.secret);
  });
});

describe('destinations', () => {
  test('are set by name, shown masked, replaced and deleted', async () => {
    const set = await api.call('PUT', '/v1/destinations/support', { body: { phone: phone(700) } });
    expect(set.status, set.text).toBe(200);
    expect(set.body).toEqual({ name: 'support', phone: '+62•••••••0700' });
    expect((await api.call('GET', '/v1/destinations/support')).body).toEqual(set.body);
    const other = await api.call('PUT', '/v1/destinations/support', { body: { phone: phone(701) } });
    expect(other.body.phone).toMatch(/0701$/);
    expect((await api.call('GET', '/v1/destinations')).body).toEqual({ items: [other.body] });
    expect(shows(set.text + other.text, phone(700))).toBe(false);
    expect((await api.call('DELETE', '/v1/destinations/support')).status).toBe(204);
    expect((await api.call('DELETE', '/v1/destinations/support')).status).toBe(404);
    expect((await api.call('GET', '/v1/destinations/support')).status).toBe(404);
  });

  test('stay while a saved program forwards to them', async () => {
    await api.call('PUT', '/v1/destinations/desk', { body: { phone: phone(702) } });
    const definition = { rules: [{ then: { forward: 'desk' } }] };
    const made = await api.call('POST', '/v1/programs', { body: { name: 'to-desk', definition } });
    expect(made.status, made.text).toBe(201);
    const kept = await api.call('DELETE', '/v1/destinations/desk');
    expect(kept.status, kept.text).toBe(409);
    expect(kept.body.type).toBe('/problems/destination-in-use');
    expect((await api.call('DELETE', '/v1/programs/to-desk')).status).toBe(204);
    expect((await api.call('DELETE', '/v1/destinations/desk')).status).toBe(204);
  });

  test('a program that forwards to none is refused', async () => {
    const definition = { rules: [{ then: { forward: 'nowhere' } }] };
    const made = await api.call('POST', '/v1/programs', { body: { name: 'to-nowhere', definition } });
    expect(made.status, made.text).toBe(422);
    expect(made.body.type).toMatch(/^\/problems\/(program-invalid|unknown-destination)$/);
    expect(made.body.errors[0].pointer).toMatch(/^\/definition\/rules\/0\/then/);
  });

  test.each([
    ['support', {}, '/phone'],
    ['support', { phone: 5 }, '/phone'],
    ['support', { phone: '+62812' }, '/phone'],
    ['support', { phone: '+19002345678' }, '/phone'],
    ['support', { phone: phone(1), name: 'x' }, '/name'],
    ['a%20b', { phone: phone(1) }, undefined],
    ['x'.repeat(64), { phone: phone(1) }, undefined],
  ])('%s as %j is refused', async (name, body, pointer) => {
    const answer = await api.call('PUT', `/v1/destinations/${name}`, { body });
    expect(answer.status, answer.text).toBe(422);
    if (pointer) expect(answer.body.errors[0].pointer).toBe(pointer);
    else expect(answer.body.errors[0].parameter).toBe('name');
    expect(shows(answer.text, phone(1))).toBe(false);
  });
});

describe('blocks', () => {
  test('are made by phone or by participant, shown masked, and lifted', async () => {
    const { body: session } = await api.call('POST', '/v1/sessions', { body: twoPeople(1) });
    const [agent, customer] = session.participants;
    const made = await api.call('POST', '/v1/blocks', {
      body: { participant: agent.id, counterpartParticipant: customer.id, reason: 'report 771' },
    });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^blk_[0-9a-f]{32}$/),
      ...{ phone: agent.phone, counterpart: customer.phone, reason: 'report 771' },
    });
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const headers = { 'idempotency-key': 'block-1' };
    const body = { phone: phone(710), reason: 'report 772', expiresAt };
    const byPhone = await api.call('POST', '/v1/blocks', { body, headers });
    expect(byPhone.body).toMatchObject({ phone: '+62•••••••0710', expiresAt });
    expect(byPhone.body).not.toHaveProperty('counterpart');
    expect((await api.call('POST', '/v1/blocks', { body, headers })).text).toBe(byPhone.text);
    const { body: list, text } = await api.call('GET', '/v1/blocks');
    expect(list.items).toEqual(expect.arrayContaining([made.body, byPhone.body]));
    expect(list.items).toHaveLength(2);
    for (const n of [2, 3, 710]) expect(shows(text, phone(n))).toBe(false);
    const lifted = await api.call('DELETE', `/v1/blocks/${made.body.id}`);
    expect(lifted.status).toBe(200);
    expect(lifted.body).toEqual({ ...made.body, liftedAt: expect.stringMatching(/Z$/) });
  });

  test.each([
    ['nobody', { reason: 'report' }, ''],
    ['somebody twice', { phone: phone(1), participant: `par_${'0'.repeat(32)}`, reason: 'report' }, ''],
    [
      'two counterparts',
      {
        phone: phone(1),
        counterpartPhone: phone(2),
        counterpartParticipant: `par_${'0'.repeat(32)}`,
        reason: 'report',
      },
      '',
    ],
    ['a role', { participant: 'agent', reason: 'report' }, '/participant'],
    ['without a reason', { phone: phone(1) }, '/reason'],
    ['with an empty reason', { phone: phone(1), reason: '    ' }, '/reason'],
    ['with too long a reason', { phone: phone(1), reason: 'x'.repeat(201) }, '/reason'],
    ['in the past', { phone: phone(1), reason: 'report', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    ['a number that is none', { phone: '+62812', reason: 'report' }, '/phone'],
    [
      'a participant that is none',
      { participant: `par_${'0'.repeat(32)}`, reason: 'report' },
      '/participant',
    ],
    ['an unknown field', { phone: phone(1), reason: 'report', forever: true }, '/forever'],
  ])('of %s is refused', async (_name, body, pointer) => {
    const answer = await api.call('POST', '/v1/blocks', { body });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect(shows(answer.text, phone(1))).toBe(false);
  });

  test('a block that there is not is not lifted', async () => {
    for (const id of ['x', `blk_${'0'.repeat(32)}`, `ses_${'0'.repeat(32)}`]) {
      expect((await api.call('DELETE', `/v1/blocks/${id}`)).status).toBe(404);
    }
  });
});

describe('events', () => {
  test('tell what happened, by session and by kind, with ids only', async () => {
    const { body: session } = await api.call('POST', '/v1/sessions', { body: twoPeople(5) });
    const answer = await api.call('GET', `/v1/events?session=${session.id}`);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.items).toContainEqual(
      expect.objectContaining({
        ...{ id: expect.stringMatching(/^evt_[0-9a-f]{32}$/), kind: 'session.opened', session: session.id },
        ...{ at: expect.stringMatching(/Z$/), data: expect.any(Object) },
      }),
    );
    for (const n of [10, 11]) expect(shows(answer.text, phone(n))).toBe(false);
    const opened = await api.call('GET', `/v1/events?session=${session.id}&kind=session.opened`);
    expect(opened.body.items).toHaveLength(1);
    const closed = await api.call('GET', `/v1/events?session=${session.id}&kind=session.closed`);
    expect(closed.body.items).toEqual([]);
  });

  test.each(['session=ses_1', 'session=x', 'kind=Session', 'kind=', 'phone=1', 'limit=0', 'after=ses_1'])(
    'the query %s is refused',
    async (query) => {
      const answer = await api.call('GET', `/v1/events?${query}`);
      expect(answer.status).toBe(422);
      expect(answer.body.errors[0].parameter).toBe(query.split('=')[0]);
    },
  );
});
