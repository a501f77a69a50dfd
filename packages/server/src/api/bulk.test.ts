import { afterAll, beforeAll, expect, test } from 'vitest';
import { phone, shows, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(8);
});
afterAll(() => api.close());

const bulk = (items: unknown, headers: Readonly<Record<string, string>> = {}) =>
  api.call('POST', '/v1/sessions/bulk', { body: { items }, headers });

test('opens, changes and closes in one request: one result an item, in order, as of single requests', async () => {
  const { body: first } = await api.call('POST', '/v1/sessions', { body: twoPeople(1) });
  const { body: second } = await api.call('POST', '/v1/sessions', { body: twoPeople(2) });
  const answer = await bulk([
    { action: 'close', id: first.id, close: { reason: 'resolved' } },
    { action: 'open', session: twoPeople(3, { reference: 'bulk-3' }) },
    { action: 'change', id: second.id, change: { reference: 'bulk-2' } },
  ]);
  expect(answer.status, answer.text).toBe(200);
  const { results } = answer.body;
  expect(results.map((one: { status: number }) => one.status)).toEqual([200, 201, 200]);
  expect(results[0].session).toMatchObject({ id: first.id, status: 'closed', closeReason: 'resolved' });
  expect(results[1].session).toMatchObject({ reference: 'bulk-3', status: 'open' });
  expect(results[1].session.participants[0].transparencyUrl).toMatch(/^https:\/\/masking\.example\/t\//);
  expect(results[2].session).toMatchObject({ id: second.id, reference: 'bulk-2' });
  expect(results[2].session.participants[0]).not.toHaveProperty('transparencyUrl');
  for (const n of [2, 3, 4, 5, 6, 7]) expect(shows(answer.text, phone(n))).toBe(false);
  const { body: read } = await api.call('GET', `/v1/sessions/${results[1].session.id}`);
  expect(read.reference).toBe('bulk-3');
});

test('what fails keeps nothing else from happening, and its place is told within the item', async () => {
  const { body: open } = await api.call('POST', '/v1/sessions', { body: twoPeople(10) });
  const unknown = `ses_${'0'.repeat(32)}`;
  const cases = [
    // What the schema refuses.
    [null, 422, 'invalid', '/action'],
    ['close', 422, 'invalid', '/action'],
    [{ action: 'delete', id: open.id }, 422, 'invalid', '/action'],
    [{ action: 'open' }, 422, 'invalid', '/session'],
    [{ action: 'open', session: twoPeople(11), id: open.id }, 422, 'invalid', '/id'],
    [{ action: 'open', session: { participants: [] } }, 422, 'invalid', '/session/participants'],
    [{ action: 'change', id: phone(1), change: { ttlSeconds: 60 } }, 422, 'invalid', '/id'],
    [{ action: 'change', id: open.id, change: {} }, 422, 'invalid', '/change'],
    [
      { action: 'change', id: open.id, change: { limits: { calls: 0 } } },
      422,
      'invalid',
      '/change/limits/calls',
    ],
    [{ action: 'close', id: open.id, close: {} }, 422, 'invalid', '/close/reason'],
    // What we refuse after it.
    [
      { action: 'open', session: { participants: [{ role: 'a' }, { role: 'b', phone: phone(1) }] } },
      422,
      'invalid',
      '/session/participants/0',
    ],
    [
      { action: 'change', id: open.id, change: { expiresAt: '2020-01-01T00:00:00Z' } },
      422,
      'invalid',
      '/change/expiresAt',
    ],
    // What the heart refuses.
    [
      {
        action: 'open',
        session: {
          participants: [
            { role: 'a', phone: phone(1).slice(0, 6) },
            { role: 'b', phone: phone(2) },
          ],
        },
      },
      422,
      'invalid-number',
      '/session/participants/0/phone',
    ],
    [{ action: 'open', session: twoPeople(12, { pool: 'nowhere' }) }, 422, 'unknown-pool', '/session/pool'],
    [
      { action: 'open', session: twoPeople(13, { program: 'none' }) },
      422,
      'unknown-program',
      '/session/program',
    ],
    [{ action: 'change', id: unknown, change: { ttlSeconds: 60 } }, 404, 'not-found', undefined],
    [{ action: 'close', id: unknown, close: { reason: 'resolved' } }, 404, 'not-found', undefined],
  ] as const;
  const items = cases.flatMap(([item], index) => [
    item,
    { action: 'open', session: twoPeople(100 + index, { reference: 'beside' }) },
  ]);
  const answer = await bulk(items);
  expect(answer.status, answer.text).toBe(200);
  const { results } = answer.body;
  expect(results).toHaveLength(items.length);
  for (const [index, [, status, type, pointer]] of cases.entries()) {
    const result = results[2 * index];
    expect(result, `${index}`).toMatchObject({
      status,
      problem: { type: `/problems/${type}`, status, instance: answer.headers['x-request-id'] },
    });
    expect(result, `${index}`).not.toHaveProperty('session');
    expect(result.problem.errors?.[0]?.pointer, `${index}`).toBe(pointer);
    expect(results[2 * index + 1], `${index}`).toMatchObject({
      status: 201,
      session: { reference: 'beside' },
    });
  }
  expect(shows(answer.text, phone(1))).toBe(false);
  const { body: all } = await api.call('GET', '/v1/sessions?reference=beside&limit=200');
  expect(all.items).toHaveLength(cases.length);
});

test('the same key does it once', async () => {
  const items = [{ action: 'open', session: twoPeople(20, { reference: 'bulk-once' }) }];
  const first = await bulk(items, { 'idempotency-key': 'bulk-1' });
  const second = await bulk(items, { 'idempotency-key': 'bulk-1' });
  expect(second.text).toBe(first.text);
  expect(second.headers['idempotent-replayed']).toBe('true');
  const { body } = await api.call('GET', '/v1/sessions?reference=bulk-once');
  expect(body.items).toHaveLength(1);
});

test.each([
  ['no items', [], '/items'],
  ['too many', Array.from({ length: 501 }, () => ({ action: 'close' })), '/items'],
  ['items that are no list', {}, '/items'],
])('%s is refused as a whole', async (_name, items, pointer) => {
  const answer = await bulk(items);
  expect(answer.status).toBe(422);
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('another business’s sessions are as unknown as any', async () => {
  const { body: ours } = await api.call('POST', '/v1/sessions', { body: twoPeople(30) });
  await api.masking.createTenant({ tenant: 'other', name: 'Other' });
  const key = await api.key(['sessions:write'], 'other');
  const { body } = await api.call('POST', '/v1/sessions/bulk', {
    key,
    body: {
      items: [
        { action: 'change', id: ours.id, change: { ttlSeconds: 60 } },
        { action: 'close', id: ours.id, close: { reason: 'resolved' } },
      ],
    },
  });
  expect(body.results.map((one: { status: number }) => one.status)).toEqual([404, 404]);
  expect((await api.call('GET', `/v1/sessions/${ours.id}`)).body.status).toBe('open');
});
