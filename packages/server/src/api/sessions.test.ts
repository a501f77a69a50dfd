import { afterAll, beforeAll, expect, test } from 'vitest';
import { phone, shows, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
let numbers: readonly string[];
beforeAll(async () => {
  api = await testApi();
  numbers = await api.stock(8);
});
afterAll(() => api.close());

test('opening a session gives everybody their own virtual number and link, and shows no real number', async () => {
  const before = Date.now();
  const answer = await api.call('POST', '/v1/sessions', {
    body: {
      reference: 'order-1',
      participants: [
        { role: 'agent', phone: phone(100), name: 'Budi', locale: 'id' },
        { role: 'customer', phones: [phone(101), phone(102)] },
      ],
      ttlSeconds: 7200,
      idleSeconds: 600,
      recording: 'announce',
      metadata: { order: 'A', nested: { list: [1, null, 'x'] } },
    },
  });
  expect(answer.status).toBe(201);
  const { body } = answer;
  expect(answer.headers['location']).toBe(`/v1/sessions/${body.id}`);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(body).toMatchObject({
    id: expect.stringMatching(/^ses_/),
    status: 'open',
    reference: 'order-1',
    pool: 'default',
    recording: 'announce',
    sharedNumber: false,
    idleSeconds: 600,
    metadata: { order: 'A', nested: { list: [1, null, 'x'] } },
  });
  expect(Date.parse(body.expiresAt)).toBeGreaterThan(before + 7_190_000);
  expect(Date.parse(body.expiresAt)).toBeLessThan(Date.now() + 7_210_000);
  expect(body.expiresAt).toMatch(/Z$/);
  const [agent, customer] = body.participants;
  expect(agent).toMatchObject({ role: 'agent', locale: 'id', phone: '+62•••••••0100' });
  expect(customer.phones).toEqual(['+62•••••••0101', '+62•••••••0102']);
  expect(numbers).toContain(agent.dial);
  expect(numbers).toContain(customer.dial);
  expect(agent.transparencyUrl).toMatch(/^https:\/\/masking\.example\/t\/[\w.-]{20,}$/);
  expect(agent.transparencyUrl).not.toBe(customer.transparencyUrl);
  for (const n of [100, 101, 102]) expect(shows(answer.text, phone(n))).toBe(false);
  expect(answer.text).not.toContain('Budi');
});

test('a session lives 24 hours when nothing is said', async () => {
  const { body } = await api.call('POST', '/v1/sessions', { body: twoPeople(10) });
  const hours = (Date.parse(body.expiresAt) - Date.parse(body.createdAt)) / 3_600_000;
  expect(hours).toBeCloseTo(24, 1);
});

test('reading, extending and changing a session', async () => {
  const { body: opened } = await api.call('POST', '/v1/sessions', {
    body: twoPeople(11, { idleSeconds: 60 }),
  });
  const read = await api.call('GET', `/v1/sessions/${opened.id}`);
  expect(read.status).toBe(200);
  expect(read.text).not.toContain('transparencyUrl');
  const expiresAt = new Date(Date.now() + 10 * 86_400_000).toISOString();
  const changed = await api.call('PATCH', `/v1/sessions/${opened.id}`, {
    body: { expiresAt, idleSeconds: null, reference: 'other', metadata: { a: 1 } },
  });
  expect(changed.body).toMatchObject({ expiresAt, reference: 'other', metadata: { a: 1 } });
  expect(changed.body).not.toHaveProperty('idleSeconds');
  expect(changed.body.participants.map((one: { dial: string }) => one.dial)).toEqual(
    opened.participants.map((one: { dial: string }) => one.dial),
  );
});

test('closing ends it once, and a closed session cannot be changed', async () => {
  const { body: opened } = await api.call('POST', '/v1/sessions', { body: twoPeople(12) });
  const path = `/v1/sessions/${opened.id}`;
  const closed = await api.call('POST', `${path}/close`, {
    body: { reason: 'resolved', ongoingCalls: 'hangup' },
  });
  expect(closed.status).toBe(200);
  expect(closed.body).toMatchObject({ status: 'closed', closeReason: 'resolved' });
  const again = await api.call('POST', `${path}/close`, { body: { reason: 'cancelled' } });
  expect(again.body).toEqual(closed.body);
  const change = await api.call('PATCH', path, { body: { ttlSeconds: 60 } });
  expect(change.status).toBe(409);
  expect(change.body.type).toBe('/problems/session-closed');
});

test('finding sessions by reference, status, virtual number, time and, in a body, by phone', async () => {
  const { body: opened } = await api.call('POST', '/v1/sessions', {
    body: twoPeople(13, { reference: 'find-me' }),
  });
  await api.call('POST', '/v1/sessions', { body: twoPeople(14, { reference: 'not-me' }) });
  const find = async (query: string) => {
    const answer = await api.call('GET', `/v1/sessions?${query}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.body.items.map((one: { id: string }) => one.id) as string[];
  };
  expect(await find('reference=find-me')).toEqual([opened.id]);
  expect(await find('reference=find-me&status=closed')).toEqual([]);
  expect(await find('reference=find-me&status=open')).toEqual([opened.id]);
  const dial = encodeURIComponent(opened.participants[0].dial);
  expect(await find(`number=${dial}&limit=200`)).toContain(opened.id);
  expect(await find(`reference=find-me&createdAfter=${opened.createdAt}`)).toEqual([opened.id]);
  expect(await find(`reference=find-me&createdBefore=2020-01-01T00:00:00Z`)).toEqual([]);
  const search = await api.call('POST', '/v1/sessions/search', { body: { phone: phone(26) } });
  expect(search.status).toBe(200);
  expect(search.body.items.map((one: { id: string }) => one.id)).toEqual([opened.id]);
  expect(shows(search.text, phone(26))).toBe(false);
  const nobody = await api.call('POST', '/v1/sessions/search', { body: { phone: phone(999) } });
  expect(nobody.body).toEqual({ items: [] });
});

test('pages follow one another without gap or repetition', async () => {
  for (let n = 0; n < 5; n++) {
    await api.call('POST', '/v1/sessions', { body: twoPeople(20 + n, { reference: 'paged' }) });
  }
  const seen: string[] = [];
  let after = '';
  for (let page = 0; page < 10; page++) {
    const { body } = await api.call('GET', `/v1/sessions?reference=paged&limit=2${after}`);
    seen.push(...body.items.map((one: { id: string }) => one.id));
    if (body.next === undefined) break;
    after = `&after=${body.next}`;
  }
  expect(seen).toHaveLength(5);
  expect(new Set(seen).size).toBe(5);
});

test('a real number is shown to who may see it and says why, and the ledger has it', async () => {
  const { body: opened } = await api.call('POST', '/v1/sessions', { body: twoPeople(30) });
  const key = await api.key(['pii:reveal']);
  const path = `/v1/sessions/${opened.id}/participants/${opened.participants[0].id}/reveal`;
  const short = await api.call('POST', path, { key, body: { reason: '   ' } });
  expect(short.status).toBe(422);
  const headers = { 'idempotency-key': 'reveal-1' };
  for (const _time of [1, 2]) {
    const shown = await api.call('POST', path, { key, headers, body: { reason: 'lost phone, ticket 4' } });
    expect(shown.status).toBe(200);
    expect(shown.body).toEqual({ participant: opened.participants[0].id, phones: [phone(60)] });
  }
  const entries = await api.database.database.query<{ details: unknown }>(
    'test-ledger',
    `select details from ledger where session = $1 and actor like 'key_%'`,
    [opened.id],
  );
  expect(entries.filter((entry) => JSON.stringify(entry.details).includes('ticket 4'))).toHaveLength(2);
});
