import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from './testing.ts';
import { invite, login, password, person } from './users.testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const change = (id: string, body: unknown, key?: string) =>
  api.call('PATCH', `/v1/users/${id}`, { body, ...(key === undefined ? {} : { key }) });

test('an address is one, however it is written, in the whole installation', async () => {
  await invite(api, 'one@u.example');
  const again = { email: ' ONE@U.Example ', name: 'Another', role: 'operator' };
  const answer = await api.call('POST', '/v1/users', { body: again });
  expect(answer.status).toBe(409);
  expect(answer.body.type).toBe('/problems/user-taken');
  await api.masking.createTenant({ tenant: 'branch', name: 'Branch' });
  const key = await api.key(['admin'], 'branch');
  expect((await api.call('POST', '/v1/users', { body: again, key })).status).toBe(409);
});

test.each([
  [{ email: 'no address' }, '/email'],
  [{ email: 'a@b@c' }, '/email'],
  [{ email: `${'x'.repeat(65)}@u.example` }, '/email'],
  [{ name: '   ' }, '/name'],
  [{ name: 'a\u0007b' }, '/name'],
  [{ role: 'owner' }, '/role'],
  [{ locale: 'fr' }, '/locale'],
])('%j is refused at its place', async (wrong, pointer) => {
  const body = { email: 'fine@u.example', name: 'Fine', role: 'operator', ...wrong };
  const answer = await api.call('POST', '/v1/users', { body });
  expect(answer.status).toBe(422);
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('a list in pages, and one of them', async () => {
  for (let n = 0; n < 3; n++) await invite(api, `page${n}@u.example`);
  const first = await api.call('GET', '/v1/users?limit=2');
  expect(first.body.items).toHaveLength(2);
  const rest = await api.call('GET', `/v1/users?limit=200&after=${first.body.next}`);
  const all = [...first.body.items, ...rest.body.items].map(({ id }) => id);
  expect(all).toEqual([...new Set(all)].sort());
  expect((await api.call('GET', `/v1/users/${all[0]}`)).body).toEqual(first.body.items[0]);
  expect((await api.call('GET', `/v1/users/usr_${'0'.repeat(32)}`)).status).toBe(404);
  expect((await api.call('GET', '/v1/users?after=x')).status).toBe(422);
});

test('of another business are unknown', async () => {
  await api.masking.createTenant({ tenant: 'other', name: 'Other' });
  const key = await api.key(['admin'], 'other');
  const { id } = await invite(api, 'ours@u.example');
  expect((await api.call('GET', `/v1/users/${id}`, { key })).status).toBe(404);
  expect((await change(id, { disabled: true }, key)).status).toBe(404);
  expect((await api.call('POST', `/v1/users/${id}/invitation`, { key, body: {} })).status).toBe(404);
  expect((await api.call('GET', '/v1/users', { key })).body.items).toEqual([]);
});

describe('the last administrator', () => {
  test('can neither be disabled nor become something else', async () => {
    const key = await api.key(['admin'], 'other');
    const made = { email: 'boss@u.example', name: 'Boss', role: 'admin' };
    const { body } = await api.call('POST', '/v1/users', { body: made, key });
    const { id } = body.user;
    const token = body.invitationUrl.split('#')[1];
    await api.call('POST', '/v1/auth/invitation', { key: null, body: { token, password } });
    // Invited, but has never come: nobody to rely on.
    await api.call('POST', '/v1/users', { body: { ...made, email: 'deputy@u.example' }, key });
    for (const wanted of [{ disabled: true }, { role: 'auditor' }]) {
      const answer = await change(id, wanted, key);
      expect(answer.status).toBe(409);
      expect(answer.body.type).toBe('/problems/last-admin');
    }
    expect((await change(id, { name: 'Chief' }, key)).body.name).toBe('Chief');
  });

  test('is kept when two disable each other at once', async () => {
    const one = await person(api, 'left@u.example', 'admin');
    const two = await person(api, 'right@u.example', 'admin');
    const answers = await Promise.all([
      one.call('PATCH', `/v1/users/${two.user}`, { disabled: true }),
      two.call('PATCH', `/v1/users/${one.user}`, { disabled: true }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const { body } = await api.call('GET', '/v1/users?limit=200');
    const admins = body.items.filter((user: { role: string; status: string }) => user.role === 'admin');
    expect(admins.filter((user: { status: string }) => user.status === 'active')).toHaveLength(1);
  });
});

test('nobody makes, or takes over, somebody who may more than they', async () => {
  const key = await api.key(['users:write', 'users:read']);
  const admin = await person(api, 'above@u.example', 'admin');
  const body = { email: 'up@u.example', name: 'Up', role: 'admin' };
  expect((await api.call('POST', '/v1/users', { key, body })).status).toBe(403);
  const takeOver = { key, body: { secondFactor: true } };
  expect((await api.call('POST', `/v1/users/${admin.user}/invitation`, takeOver)).status).toBe(403);
  expect((await change(admin.user, { disabled: true }, key)).status).toBe(403);
  expect((await login(api, 'above@u.example', password)).status).toBe(200);
});

test('a disabled user gets no new link', async () => {
  const { id, token } = await invite(api, 'shut@u.example');
  await change(id, { disabled: true });
  expect((await api.call('POST', `/v1/users/${id}/invitation`, { body: {} })).status).toBe(422);
  const answer = await api.call('POST', '/v1/auth/invitation', { key: null, body: { token, password } });
  expect(answer.status).toBe(404);
});

test('script in a name is text', async () => {
  const name = '<script>alert(1)</script>"\'&';
  const body = { email: 'script@u.example', name, role: 'operator' };
  const answer = await api.call('POST', '/v1/users', { body });
  expect(answer.body.user.name).toBe(name);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
});

test('the link of an invitation is replayed with its Idempotency-Key, and no second user is made', async () => {
  const body = { email: 'again@u.example', name: 'Again', role: 'operator' };
  const headers = { 'idempotency-key': 'invite-again' };
  const first = await api.call('POST', '/v1/users', { body, headers });
  const second = await api.call('POST', '/v1/users', { body, headers });
  expect(second.body).toEqual(first.body);
  expect(second.headers['idempotent-replayed']).toBe('true');
});
