// biome-ignore-all lint/suspicious/noThenProperty: the language's own word; nothing here is ever awaited
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scopes } from '../masking/service.ts';
import { phone, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(4);
});
afterAll(() => api.close());

test.each([
  ['no header', null, undefined],
  ['another scheme', null, 'Basic YTpi'],
  ['an unknown key', 'unknown-key', undefined],
  ['an endless key', 'x'.repeat(5000), undefined],
])('%s is 401 with a challenge', async (_name, key, authorization) => {
  const headers = authorization === undefined ? {} : { authorization };
  const answer = await api.call('GET', '/v1/sessions', { key, headers });
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="samar"/);
  expect(answer.body.type).toBe('/problems/unauthorized');
});

test('an expired and a revoked key are refused', async () => {
  const { id, secret } = await api.masking.createApiKey('default', { name: 'old', scopes: ['admin'] });
  expect((await api.call('GET', '/v1/pools', { key: secret })).status).toBe(200);
  expect((await api.call('DELETE', `/v1/keys/${id}`)).status).toBe(200);
  expect((await api.call('GET', '/v1/pools', { key: secret })).status).toBe(401);
  const soon = new Date(Date.now() + 40);
  const short = await api.masking.createApiKey('default', {
    name: 'short',
    scopes: ['admin'],
    expiresAt: soon,
  });
  await expect
    .poll(async () => (await api.call('GET', '/v1/pools', { key: short.secret })).status, { timeout: 5000 })
    .toBe(401);
});

test('403 names the scope that is needed', async () => {
  const key = await api.key(['sessions:read']);
  const answer = await api.call('POST', '/v1/sessions', { key, body: twoPeople(1) });
  expect(answer.status).toBe(403);
  expect(answer.body.detail).toContain('sessions:write');
  expect(answer.headers['www-authenticate']).toContain('scope="sessions:write"');
});

test('every route refuses a key that has every scope but its own', async () => {
  const { body: document } = await api.call('GET', '/openapi.json', { key: null });
  const keys = new Map<string, string>();
  const named = scopes.filter((scope) => scope !== 'admin');
  for (const scope of named) keys.set(scope, await api.key(named.filter((other) => other !== scope)));
  const used = new Set<string>();
  for (const [path, methods] of Object.entries<Record<string, { description: string }>>(document.paths)) {
    for (const [method, { description }] of Object.entries(methods)) {
      const scope = /Needs the scope `([a-z:]+)`/.exec(description)?.[1];
      if (scope === undefined) continue;
      used.add(scope);
      const url = path.replaceAll(/\{\w+\}/g, 'x');
      const answer = await api.call(method.toUpperCase() as 'GET', url, { key: keys.get(scope) ?? '' });
      expect(answer.status, `${method} ${path}`).toBe(403);
      expect(answer.body.detail, `${method} ${path}`).toContain(scope);
    }
  }
  expect([...used].sort()).toEqual([...named].sort());
});

test('admin includes every scope but listening and revealing', async () => {
  expect((await api.call('GET', '/v1/carriers')).status).toBe(200);
  const recording = await api.call('GET', '/v1/calls/call_0/recording?reason=because');
  expect(recording.status).toBe(403);
  expect(recording.body.detail).toContain('recordings:listen');
  const reveal = await api.call('POST', '/v1/sessions/ses_0/participants/par_0/reveal', {
    body: { reason: 'because' },
  });
  expect(reveal.status).toBe(403);
  expect(reveal.body.detail).toContain('pii:reveal');
});

test('another business’s things are as unknown as things that do not exist', async () => {
  await api.masking.createTenant({ tenant: 'other', name: 'Other' });
  const stranger = await api.key(['admin', 'recordings:listen', 'pii:reveal'], 'other');
  const { body: session } = await api.call('POST', '/v1/sessions', { body: twoPeople(2) });
  const { body: numbers } = await api.call('GET', '/v1/numbers');
  const { body: carriers } = await api.call('GET', '/v1/carriers');
  const { body: keys } = await api.call('GET', '/v1/keys');
  const definition = { rules: [{ then: { connect: {} } }] };
  const { body: program } = await api.call('POST', '/v1/programs', { body: { name: 'ours', definition } });
  const { body: block } = await api.call('POST', '/v1/blocks', {
    body: { phone: phone(900), reason: 'report 1' },
  });
  await api.call('PUT', '/v1/destinations/support', { body: { phone: phone(901) } });
  const { body: dispute } = await api.call('POST', '/v1/disputes', {
    body: { session: session.id, category: 'other', statement: 'x' },
  });
  const pairs = [
    ['GET', '/v1/sessions/', session.id],
    ['PATCH', '/v1/sessions/', session.id, { ttlSeconds: 60 }],
    ['POST', '/v1/sessions/', `${session.id}/close`, { reason: 'resolved' }],
    [
      'POST',
      '/v1/sessions/',
      `${session.id}/participants/${session.participants[0].id}/reveal`,
      { reason: 'because' },
    ],
    ['GET', '/v1/numbers/', numbers.items[0].id],
    ['PATCH', '/v1/numbers/', numbers.items[0].id, { enabled: false }],
    ['DELETE', '/v1/numbers/', numbers.items[0].id],
    ['GET', '/v1/carriers/', carriers.items[0].id],
    ['DELETE', '/v1/carriers/', carriers.items[0].id],
    ['DELETE', '/v1/keys/', keys.items[0].id],
    ['PATCH', '/v1/pools/', 'default', { exhaustion: 'refuse' }],
    ['GET', '/v1/pools/', 'default/forecast'],
    ['POST', '/v1/sessions/', `${session.id}/reopen`, { ttlSeconds: 60 }],
    ['POST', '/v1/sessions/', `${session.id}/participants/${session.participants[0].id}/claims`],
    ['DELETE', '/v1/numbers/', `${numbers.items[0].id}?drain=true`],
    ['POST', '/v1/numbers/', `${numbers.items[0].id}/replace`, { reason: 'spam' }],
    ['GET', '/v1/programs/', program.id],
    ['GET', '/v1/programs/', 'ours'],
    ['PUT', '/v1/programs/', program.id, { name: 'theirs', definition }],
    ['PATCH', '/v1/programs/', program.id, { default: true }],
    ['POST', '/v1/programs/', `${program.id}/test`, { roles: ['agent', 'customer'], caller: 'agent' }],
    ['DELETE', '/v1/programs/', program.id],
    ['GET', '/v1/destinations/', 'support'],
    ['DELETE', '/v1/destinations/', 'support'],
    ['DELETE', '/v1/blocks/', block.id],
    ['POST', '/v1/sessions/', `${session.id}/participants/${session.participants[0].id}/transparency`],
    ['DELETE', '/v1/sessions/', `${session.id}/participants/${session.participants[0].id}/transparency`],
    ['GET', '/v1/disputes/', dispute.id],
    ['PATCH', '/v1/disputes/', dispute.id, { version: 1, status: 'investigating' }],
    ['POST', '/v1/disputes/', `${dispute.id}/notes`, { text: 'x' }],
    ['POST', '/v1/disputes/', `${dispute.id}/verdict`, { version: 1, verdict: 'upheld', text: 'x' }],
  ] as const;
  for (const [method, path, id, body] of pairs) {
    const foreign = await api.call(method, `${path}${id}`, { key: stranger, body });
    const digits = /[0-9a-f]{32}/g;
    const missing = await api.call(method, `${path}${id.replaceAll(digits, '0'.repeat(32))}`, {
      key: stranger,
      body,
    });
    expect(foreign.status, `${method} ${path}`).toBe(404);
    expect({ ...foreign.body, instance: '' }).toEqual({ ...missing.body, instance: '' });
  }
  const { body: theirs } = await api.call('GET', '/v1/sessions', { key: stranger });
  expect(theirs.items).toEqual([]);
  for (const list of [
    'programs',
    'destinations',
    'blocks',
    'events',
    'disputes',
    `events?session=${session.id}`,
  ]) {
    const { body } = await api.call('GET', `/v1/${list}`, { key: stranger });
    expect(body.items, list).toEqual([]);
  }
});

test('ids of the wrong kind or form are 404, whatever they hold', async () => {
  for (const id of ['x', 'num_1', 'ses_%00', "ses_'--", 'ses_', '%F0%9F%98%80']) {
    const answer = await api.call('GET', `/v1/sessions/${id}`);
    expect(answer.status, id).toBe(404);
  }
});

test('nobody grants more than they have', async () => {
  const key = await api.key(['keys:write', 'sessions:read']);
  const more = await api.call('POST', '/v1/keys', { key, body: { name: 'x', scopes: ['pii:reveal'] } });
  expect(more.status).toBe(403);
  const same = await api.call('POST', '/v1/keys', { key, body: { name: 'x', scopes: ['sessions:read'] } });
  expect(same.status).toBe(201);
});

test('a key that asks too often is told when to come again', async () => {
  const limited = await testApi({ rateLimit: 3 });
  try {
    const answers = [];
    for (let n = 0; n < 12; n++) answers.push(await limited.call('GET', '/v1/pools'));
    expect(answers[0]?.headers['ratelimit-limit']).toBe('3');
    const refused = answers.find((answer) => answer.status === 429);
    expect(refused?.body.type).toBe('/problems/rate-limited');
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(refused?.headers['ratelimit-remaining']).toBe('0');
  } finally {
    await limited.close();
  }
});

test('an address that guesses keys is stopped, and known keys behind it are not', async () => {
  const limited = await testApi({ wrongKeysPerMinute: 3 });
  try {
    expect((await limited.call('GET', '/v1/pools')).status).toBe(200);
    const guess = () => limited.call('GET', '/v1/pools', { key: 'guess' });
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await guess()).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect(Number((await guess()).headers['retry-after'])).toBeGreaterThan(0);
    expect((await limited.call('GET', '/v1/pools')).status).toBe(200);
  } finally {
    await limited.close();
  }
});
