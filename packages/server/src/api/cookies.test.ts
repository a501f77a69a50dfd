/** The console's cookie on the API: whose it is, what each role may do with it, and what other sites can't. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Scope, scopes } from '../masking/service.ts';
import { roleScopes, roles } from '../users/service.ts';
import { type TestApi, testApi, twoPeople } from './testing.ts';
import { type Browser, login, password, person } from './users.testing.ts';

let api: TestApi;
let admin: Browser;
beforeAll(async () => {
  api = await testApi();
  await api.stock(4);
  admin = await person(api, 'admin@c.example', 'admin');
});
afterAll(() => api.close());

const sql = (text: string, values: readonly unknown[] = []) =>
  api.database.database.query<Record<string, unknown>>('', text, values);

describe('what a user does', () => {
  test('is done in their name', async () => {
    const made = await admin.call('POST', '/v1/sessions', twoPeople(1));
    expect(made.status).toBe(201);
    const block = await admin.call('POST', '/v1/blocks', { phone: '+6281234000001', reason: 'report 7' });
    expect(block.status).toBe(201);
    const rows = await sql('select actor from ledger where subject = $1', [block.body.id]);
    expect(rows.map((row) => row['actor'])).toEqual([admin.user]);
    const me = await admin.call('PATCH', '/v1/auth/me', { name: 'Rini', locale: 'id' });
    expect(me.body).toMatchObject({ name: 'Rini', locale: 'id' });
    const told = await sql(`select actor, details from ledger where kind = 'user.changed' and subject = $1`, [
      admin.user,
    ]);
    expect(told).toEqual([{ actor: admin.user, details: { name: 'changed', locale: 'id' } }]);
  });

  test('ends with the log-in of somebody who is disabled in the middle', async () => {
    const browser = await person(api, 'middle@c.example', 'operator');
    expect((await browser.call('GET', '/v1/sessions')).status).toBe(200);
    const off = await admin.call('PATCH', `/v1/users/${browser.user}`, { disabled: true });
    expect(off.body.status).toBe('disabled');
    expect((await browser.call('GET', '/v1/sessions')).status).toBe(401);
    expect((await login(api, 'middle@c.example', password)).status).toBe(401);
    await admin.call('PATCH', `/v1/users/${browser.user}`, { disabled: false });
    expect((await browser.call('GET', '/v1/sessions')).status).toBe(401);
    expect((await login(api, 'middle@c.example', password)).status).toBe(200);
  });

  test('follows their role from the moment it is changed', async () => {
    const browser = await person(api, 'moves@c.example', 'admin');
    await admin.call('PATCH', `/v1/users/${browser.user}`, { role: 'auditor' });
    expect((await browser.call('GET', '/v1/users')).status).toBe(401);
    const again = await login(api, 'moves@c.example', password);
    expect(again.body.user.role).toBe('auditor');
  });

  test('an API key beside the cookie goes first', async () => {
    const key = await api.key(['sessions:read']);
    const headers = { cookie: admin.cookie };
    expect((await api.call('GET', '/v1/sessions', { key, headers })).status).toBe(200);
    expect((await api.call('GET', '/v1/users', { key, headers })).status).toBe(403);
    expect((await api.call('GET', '/v1/users', { key: 'wrong', headers })).status).toBe(401);
    expect((await api.call('GET', '/v1/auth/me', { key, headers: {} })).status).toBe(401);
  });
});

describe('every route', () => {
  test('is open to each role by its scopes, and to nobody else', async () => {
    const { body: document } = await api.call('GET', '/openapi.json', { key: null });
    const browsers = new Map<string, Browser>();
    for (const role of roles) browsers.set(role, await person(api, `${role}@roles.example`, role));
    const named: readonly Scope[] = [
      ...(['recordings:listen', 'recordings:download', 'recordings:approve'] as const),
      ...(['privacy:write', 'pii:reveal'] as const),
    ];
    let asked = 0;
    for (const [path, methods] of Object.entries<Record<string, { description?: string }>>(document.paths)) {
      for (const [method, { description = '' }] of Object.entries(methods)) {
        const scope = scopes.find((one) => description.includes(`Needs the scope \`${one}\``));
        if (scope === undefined || path === '/v1/live') continue;
        const url = path.replaceAll(/\{\w+\}/g, 'x');
        for (const role of roles) {
          const held = roleScopes[role];
          const may = held.includes(scope) || (held.includes('admin') && !named.includes(scope));
          const where = `${role}: ${method} ${path}`;
          const answer = await browsers.get(role)?.call(method.toUpperCase() as 'GET', url);
          asked += 1;
          if (may) {
            expect([401, 403], where).not.toContain(answer?.status);
          } else {
            expect(answer?.status, where).toBe(403);
            expect(answer?.body.detail, where).toContain(scope);
          }
        }
      }
    }
    expect(asked).toBeGreaterThan(150);
  });

  test('that is only for users takes no API key', async () => {
    for (const [method, url] of [
      ['GET', '/v1/auth/me'],
      ['POST', '/v1/auth/totp'],
      ['DELETE', '/v1/auth/totp'],
      ['POST', '/v1/auth/logout'],
    ] as const) {
      expect((await api.call(method, url)).status, url).toBe(401);
      expect((await api.call(method, url, { key: null })).status, url).toBe(401);
    }
  });

  test('that hears a recording takes the cookie, with the reason in the query', async () => {
    const investigator = await person(api, 'ears@c.example', 'investigator');
    const call = `call_${'0'.repeat(32)}`;
    const without = await investigator.call('GET', `/v1/calls/${call}/recording`);
    expect(without.body.type).toBe('/problems/reason-required');
    const unknown = await investigator.call('GET', `/v1/calls/${call}/recording?reason=dispute%207`);
    expect(unknown.status).toBe(404);
    expect((await admin.call('GET', `/v1/calls/${call}/recording?reason=dispute%207`)).status).toBe(403);
  });
});

describe('another site', () => {
  const body = { name: 'x', scopes: ['sessions:read'] };
  const post = (headers: Readonly<Record<string, string>>) =>
    api.call('POST', '/v1/keys', { key: null, body, headers: { cookie: admin.cookie, ...headers } });

  test.each([
    ['without the token', {}],
    ['with an empty one', { 'x-csrf-token': '' }],
    ['with a wrong one', { 'x-csrf-token': 'A'.repeat(43) }],
  ])('%s changes nothing', async (_name, headers) => {
    const answer = await post(headers);
    expect(answer.status).toBe(403);
    expect(answer.body.detail).toContain('X-CSRF-Token');
  });

  test('with the token of another session changes nothing', async () => {
    const other = await person(api, 'other@c.example', 'admin');
    expect((await post({ 'x-csrf-token': other.csrf })).status).toBe(403);
    expect((await post({ 'x-csrf-token': admin.csrf })).status).toBe(201);
  });

  test.each(['cross-site', 'same-site'])('that is %s does not even read', async (site) => {
    const headers = { cookie: admin.cookie, 'x-csrf-token': admin.csrf, 'sec-fetch-site': site };
    expect((await post(headers)).status).toBe(403);
    expect((await api.call('GET', '/v1/sessions', { key: null, headers })).status).toBe(403);
    const logIn = await login(api, 'admin@c.example', password, { 'sec-fetch-site': site });
    expect(logIn.status).toBe(403);
    expect(logIn.headers['set-cookie']).toBeUndefined();
  });

  test('gets no permission by CORS, and its forms are not read', async () => {
    const form = { 'content-type': 'text/plain', origin: 'https://evil.example' };
    const answer = await login(api, 'admin@c.example', password, form);
    expect(answer.status).toBe(415);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('every route that changes something refuses a cookie without the token', async () => {
    const { body: document } = await api.call('GET', '/openapi.json', { key: null });
    for (const [path, methods] of Object.entries<Record<string, { description?: string }>>(document.paths)) {
      for (const [method, { description = '' }] of Object.entries(methods)) {
        if (method === 'get' || !/Needs (?:the scope|a log-in)/.test(description)) continue;
        const url = path.replaceAll(/\{\w+\}/g, 'x');
        const answer = await api.call(method.toUpperCase() as 'POST', url, {
          key: null,
          headers: { cookie: admin.cookie },
        });
        expect(answer.status, `${method} ${path}`).toBe(403);
        expect(answer.body.detail, `${method} ${path}`).toContain('X-CSRF-Token');
      }
    }
  });
});

test('a user that asks too often is told when to come again', async () => {
  const limited = await testApi({ rateLimit: 5 });
  try {
    const browser = await person(limited, 'fast@c.example');
    const answers = [];
    for (let n = 0; n < 12; n++) answers.push(await browser.call('GET', '/v1/auth/me'));
    const refused = answers.find((answer) => answer.status === 429);
    expect(refused?.body.detail).toContain('A user may make 5');
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  } finally {
    await limited.close();
  }
});
