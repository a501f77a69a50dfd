/** Scheduled opening, closing, reopening. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAnHour, openSession, type TestApi, testApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(12);
});
afterAll(() => api.close());

const open = (seed: number, more: Readonly<Record<string, unknown>> = {}) => openSession(api, seed, more);

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
