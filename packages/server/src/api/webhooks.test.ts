import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestApi, testApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const url = 'https://nobody.example.com/hook';

test('an endpoint is made, read, changed, listed and deleted', async () => {
  const made = await api.call('POST', '/v1/webhooks', {
    body: { url, description: 'orders', kinds: ['session.*'] },
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    url,
    description: 'orders',
    kinds: ['session.*'],
    enabled: true,
    pending: 0,
    dead: 0,
  });
  expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(made.body.publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
  const { secret, ...endpoint } = made.body;
  const at = `/v1/webhooks/${endpoint.id}`;
  expect((await api.call('GET', at)).body).toEqual(endpoint);
  expect((await api.call('GET', '/v1/webhooks')).body).toEqual({ items: [endpoint] });
  expect((await api.call('GET', `${at}/secret`)).body).toEqual({ secret });
  const rotated = await api.call('POST', `${at}/secret`);
  expect(rotated.body.secret).not.toBe(secret);
  const off = await api.call('PATCH', at, { body: { enabled: false, kinds: ['*'], description: '' } });
  const { description: _description, ...rest } = endpoint;
  expect(off.body).toEqual({ ...rest, enabled: false, kinds: ['*'] });
  expect((await api.call('POST', `${at}/replay`, { body: { dead: true } })).status).toBe(422);
  await api.call('PATCH', at, { body: { enabled: true } });
  expect((await api.call('POST', `${at}/replay`, { body: { dead: true } })).body).toEqual({ queued: 0 });
  expect((await api.call('DELETE', at)).status).toBe(204);
  expect((await api.call('GET', at)).status).toBe(404);
});

test('a test tells what came of it', async () => {
  const { body } = await api.call('POST', '/v1/webhooks', {
    body: { url: 'https://nobody.invalid.example.com/' },
  });
  const tested = await api.call('POST', `/v1/webhooks/${body.id}/test`);
  expect(tested.status).toBe(200);
  expect(tested.body).toMatchObject({
    kind: 'webhook.test',
    status: 'dead',
    attempts: 1,
    lastAnswer: 'unreachable',
  });
  const { body: listed } = await api.call('GET', `/v1/webhooks/${body.id}/deliveries?status=dead`);
  expect(listed.items).toEqual([tested.body]);
  expect((await api.call('GET', `/v1/webhooks/${body.id}/deliveries?status=delivered`)).body.items).toEqual(
    [],
  );
});

test.each([
  ['a loopback address', { url: 'https://127.0.0.1/' }, '/problems/webhook-refused'],
  ['a private network', { url: 'https://10.0.0.1/' }, '/problems/webhook-refused'],
  ['the cloud behind us', { url: 'https://169.254.169.254/latest' }, '/problems/webhook-refused'],
  ['plain http', { url: 'http://example.com/' }, '/problems/webhook-refused'],
  ['a name and password', { url: 'https://a:b@example.com/' }, '/problems/webhook-refused'],
  ['no URL', { url: '+6281100000001' }, '/problems/webhook-refused'],
  ['nothing', {}, '/problems/invalid'],
  ['no kinds', { url, kinds: [] }, '/problems/invalid'],
  ['a kind that is none', { url, kinds: ['session'] }, '/problems/invalid'],
  ['a long description', { url, description: 'x'.repeat(201) }, '/problems/invalid'],
  ['a field that is not known', { url, secret: 'whsec_x' }, '/problems/invalid'],
])('%s is refused, and not repeated', async (_name, body, type) => {
  const answer = await api.call('POST', '/v1/webhooks', { body });
  expect([answer.status, answer.body.type]).toEqual([422, type]);
  expect(answer.text).not.toContain('6281100000001');
});

test.each([
  {},
  { dead: true, since: new Date().toISOString() },
  { dead: false },
  { event: 'x' },
  { since: 'soon' },
])('a replay of %j is refused', async (body) => {
  const made = await api.call('POST', '/v1/webhooks', { body: { url } });
  expect((await api.call('POST', `/v1/webhooks/${made.body.id}/replay`, { body })).status).toBe(422);
  await api.call('DELETE', `/v1/webhooks/${made.body.id}`);
});

test('another business has no part in it', async () => {
  await api.database.database.query('', `insert into tenants (tenant, name) values ('other', 'Other')`, []);
  const { body } = await api.call('POST', '/v1/webhooks', { body: { url } });
  const key = await api.key(['webhooks:read', 'webhooks:write'], 'other');
  for (const [method, path] of [
    ...([
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['GET', '/secret'],
      ['POST', '/secret'],
    ] as const),
    ...([
      ['POST', '/test'],
      ['GET', '/deliveries'],
    ] as const),
  ]) {
    const answer = await api.call(method, `/v1/webhooks/${body.id}${path}`, {
      key,
      ...(method === 'PATCH' ? { body: { enabled: false } } : {}),
    });
    expect([method, path, answer.status]).toEqual([method, path, 404]);
  }
  expect((await api.call('GET', '/v1/webhooks', { key })).body).toEqual({ items: [] });
});
