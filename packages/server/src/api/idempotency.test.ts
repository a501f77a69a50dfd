import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(6);
});
afterAll(() => api.close());

function post(path: string, body: unknown, key: string) {
  return api.call('POST', path, { body, headers: { 'idempotency-key': key } });
}

test('the same key and body open one session, and answer the same, whatever became of it', async () => {
  const body = twoPeople(1, {
    reference: 'once',
    ttlSeconds: 100,
    idleSeconds: 50,
    metadata: { b: 1, a: 2 },
  });
  const first = await post('/v1/sessions', body, 'k1');
  expect(first.status).toBe(201);
  expect(first.headers['idempotent-replayed']).toBeUndefined();
  await api.call('PATCH', `/v1/sessions/${first.body.id}`, {
    body: { ttlSeconds: 5000, reference: 'changed', metadata: {}, idleSeconds: null, recording: 'announce' },
  });
  await api.call('POST', `/v1/sessions/${first.body.id}/close`, { body: { reason: 'resolved' } });
  const second = await post('/v1/sessions', body, 'k1');
  expect(second.status).toBe(201);
  expect(second.headers['idempotent-replayed']).toBe('true');
  expect(second.text).toBe(first.text);
  const { body: all } = await api.call('GET', '/v1/sessions?reference=changed');
  expect(all.items).toHaveLength(1);
});

test('field order does not matter, every value does', async () => {
  const { participants } = twoPeople(2);
  const first = await post('/v1/sessions', { participants, ttlSeconds: 60 }, 'k2');
  const second = await post('/v1/sessions', { ttlSeconds: 60, participants }, 'k2');
  expect(second.text).toBe(first.text);
  const other = await post('/v1/sessions', { participants, ttlSeconds: 61 }, 'k2');
  expect(other.status).toBe(409);
  expect(other.body.type).toBe('/problems/idempotency-mismatch');
});

test('a key is one for all paths of a business, and another business has its own', async () => {
  const { body: session } = await post('/v1/sessions', twoPeople(3), 'k3');
  const elsewhere = await post(`/v1/sessions/${session.id}/close`, { reason: 'resolved' }, 'k3');
  expect(elsewhere.status).toBe(409);
  await api.masking.createTenant({ tenant: 'other', name: 'Other' });
  const stranger = await api.key(['admin'], 'other');
  const answer = await api.call('POST', '/v1/keys', {
    key: stranger,
    body: { name: 'x', scopes: ['sessions:read'] },
    headers: { 'idempotency-key': 'k3' },
  });
  expect(answer.status).toBe(201);
});

test('32 at once open one session', async () => {
  const answers = await Promise.all(
    Array.from({ length: 32 }, () => post('/v1/sessions', twoPeople(4), 'k4')),
  );
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
});

test('the other POSTs: same answer, even a secret that is shown once; a refusal is not kept', async () => {
  const body = { name: 'shop', scopes: ['sessions:read'] };
  const first = await post('/v1/keys', body, 'k5');
  const second = await post('/v1/keys', body, 'k5');
  expect(first.status).toBe(201);
  expect(second.text).toBe(first.text);
  expect(second.headers['idempotent-replayed']).toBe('true');
  expect((await post('/v1/keys', { ...body, name: 'other' }, 'k5')).status).toBe(409);
  const carrier = { name: 'later', kind: 'sip', host: '203.0.113.9' };
  const numbers = { numbers: ['+622199900001'], pool: 'p', carrier: 'later' };
  expect((await post('/v1/numbers', numbers, 'k6')).status).toBe(422);
  expect((await post('/v1/carriers', carrier, 'k7')).status).toBe(201);
  expect((await post('/v1/numbers', numbers, 'k6')).status).toBe(201);
});

test('concurrent repetitions do the work once and tell the others to come again', async () => {
  const body = { name: 'at once', scopes: ['sessions:read'] };
  const answers = await Promise.all(Array.from({ length: 8 }, () => post('/v1/keys', body, 'k8')));
  const made = answers.filter((answer) => answer.status === 201);
  expect(new Set(made.map((answer) => answer.text)).size).toBe(1);
  for (const answer of answers.filter((one) => one.status !== 201)) {
    expect(answer.status).toBe(409);
    expect(answer.body.type).toBe('/problems/idempotency-in-progress');
    expect(answer.headers['retry-after']).toBe('1');
  }
  const { body: keys } = await api.call('GET', '/v1/keys?limit=200');
  expect(keys.items.filter((key: { name: string }) => key.name === 'at once')).toHaveLength(1);
});

test.each(['', 'a b', 'x'.repeat(256), 'ä'])('the key %j is refused', async (key) => {
  for (const path of ['/v1/sessions', '/v1/keys']) {
    const body = path === '/v1/keys' ? { name: 'x', scopes: ['sessions:read'] } : twoPeople(5);
    const answer = await post(path, body, key);
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].parameter).toBe('Idempotency-Key');
  }
});
