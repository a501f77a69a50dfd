/** Carriers, numbers, pools and keys: what an operator sets up before the first session. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const trunk = { name: 'main', kind: 'sip', host: 'sip.carrier.example', port: 5062, transport: 'tcp' };

test('a carrier is made, read, listed, changed and deleted; its password never comes back', async () => {
  const made = await api.call('POST', '/v1/carriers', {
    body: {
      ...trunk,
      allowedSources: ['203.0.113.0/28', '2001:db8::1'],
      auth: { username: 'samar', password: 'hunter2-secret' },
      numberFormat: { outbound: 'e164', inboundCountry: 'ID' },
    },
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    ...{ ...trunk, id: expect.stringMatching(/^car_/), hasAuth: true, enabled: true },
    numberFormat: { outbound: 'e164', inboundCountry: 'ID' },
  });
  expect(made.text).not.toContain('hunter2');
  const path = `/v1/carriers/${made.body.id}`;
  expect((await api.call('GET', path)).body).toEqual(made.body);
  expect((await api.call('GET', '/v1/carriers')).body.items).toEqual([made.body]);
  expect(made.body.callerTrust).toBe('trusted');
  const changed = await api.call('PATCH', path, {
    body: { enabled: false, port: 5070, callerTrust: 'untrusted' },
  });
  expect(changed.body).toMatchObject({
    ...{ enabled: false, port: 5070, name: 'main', hasAuth: true, callerTrust: 'untrusted' },
  });
  expect((await api.call('DELETE', path)).status).toBe(204);
  expect((await api.call('GET', path)).status).toBe(404);
});

test.each([
  ['a source that is no network', { allowedSources: ['203.0.113.0/33'] }, '/allowedSources/0'],
  ['a source that is a name', { allowedSources: ['carrier.example'] }, '/allowedSources/0'],
  ['a host with a scheme', { host: 'sip:carrier.example' }, '/host'],
  ['a port beyond ports', { port: 65_536 }, '/port'],
  ['an unknown transport', { transport: 'ws' }, '/transport'],
  ['an unknown kind', { kind: 'twilio' }, '/kind'],
  ['a trust that is none', { callerTrust: 'some' }, '/callerTrust'],
  ['a user without a password', { auth: { username: 'a' } }, '/auth/password'],
])('%s is refused', async (_name, change, pointer) => {
  const answer = await api.call('POST', '/v1/carriers', { body: { ...trunk, name: 'wrong', ...change } });
  expect(answer.status, answer.text).toBe(422);
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('a carrier’s name is its own, and one with numbers stays', async () => {
  const first = await api.call('POST', '/v1/carriers', {
    body: { name: 'one', kind: 'sip', host: '192.0.2.1' },
  });
  expect(first.status).toBe(201);
  expect(first.body.transport).toBe('udp');
  const second = await api.call('POST', '/v1/carriers', {
    body: { name: 'one', kind: 'sip', host: '192.0.2.2' },
  });
  expect(second.status).toBe(409);
  expect(second.body.type).toBe('/problems/carrier-taken');
  await api.call('POST', '/v1/numbers', {
    body: { numbers: ['+622150100001'], pool: 'held', carrier: first.body.id },
  });
  const kept = await api.call('DELETE', `/v1/carriers/${first.body.id}`);
  expect(kept.status).toBe(409);
  expect(kept.body.type).toBe('/problems/carrier-in-use');
});

test('numbers are added all or none, listed by pool, changed and deleted', async () => {
  const body = { numbers: ['+622150000001', '+622150000002', '+622150000003'], pool: 'east', carrier: 'one' };
  const added = await api.call('POST', '/v1/numbers', { body: { ...body, capabilities: ['voice', 'sms'] } });
  expect(added.status).toBe(201);
  expect(added.body).toMatchObject({ added: 3, unchanged: 0 });
  expect(added.body.numbers[0]).toMatchObject({
    ...{
      id: expect.stringMatching(/^num_/),
      number: '+622150000001',
      pool: 'east',
      country: 'ID',
      enabled: true,
    },
    capabilities: ['voice', 'sms'],
  });
  const again = await api.call('POST', '/v1/numbers', { body: { ...body, capabilities: ['voice', 'sms'] } });
  expect(again.body).toMatchObject({ added: 0, unchanged: 3 });
  const half = await api.call('POST', '/v1/numbers', {
    body: { ...body, numbers: ['+622150000004', '+622150000001'], pool: 'west' },
  });
  expect(half.status).toBe(409);
  expect(half.body.type).toBe('/problems/number-taken');
  expect((await api.call('GET', '/v1/numbers?pool=west')).body.items).toEqual([]);
  const page = await api.call('GET', '/v1/numbers?pool=east&limit=2');
  const rest = await api.call('GET', `/v1/numbers?pool=east&limit=2&after=${page.body.next}`);
  expect([...page.body.items, ...rest.body.items].map((one) => one.number)).toEqual(body.numbers);
  expect(rest.body).not.toHaveProperty('next');
  const path = `/v1/numbers/${added.body.numbers[2].id}`;
  expect((await api.call('GET', path)).body.number).toBe('+622150000003');
  expect((await api.call('PATCH', path, { body: { enabled: false } })).body.enabled).toBe(false);
  expect((await api.call('DELETE', path)).status).toBe(204);
  expect((await api.call('GET', path)).status).toBe(404);
});

test('a number of a live session cannot be deleted', async () => {
  const { body } = await api.call('POST', '/v1/sessions', { body: twoPeople(1, { pool: 'east' }) });
  const { body: numbers } = await api.call('GET', '/v1/numbers?pool=east');
  const held = numbers.items.find((one: { number: string }) => one.number === body.participants[0].dial);
  const answer = await api.call('DELETE', `/v1/numbers/${held.id}`);
  expect(answer.status).toBe(409);
  expect(answer.body.type).toBe('/problems/number-in-use');
});

test('a number that a live session holds is drained instead', async () => {
  const { body } = await api.call('GET', '/v1/numbers?pool=east');
  const { body: sessions } = await api.call('GET', '/v1/sessions');
  const dials = sessions.items[0].participants.map((one: { number: string }) => one.number);
  const held = body.items.find((one: { number: string }) => dials.includes(one.number));
  const wrong = await api.call('DELETE', `/v1/numbers/${held.id}?drain=yes`);
  expect(wrong.status).toBe(422);
  expect(wrong.body.errors[0].parameter).toBe('drain');
  expect((await api.call('DELETE', `/v1/numbers/${held.id}?drain=false`)).status).toBe(409);
  const draining = await api.call('DELETE', `/v1/numbers/${held.id}?drain=true`);
  expect(draining.status, draining.text).toBe(202);
  expect(draining.body).toMatchObject({ id: held.id, draining: true });
});

test('a number is reserved, drained, quarantined and placed', async () => {
  await api.call('POST', '/v1/numbers', {
    body: { numbers: ['+622150300001', '+622150300002'], pool: 'uses', carrier: 'one' },
  });
  const { body: numbers } = await api.call('GET', '/v1/numbers?pool=uses');
  expect(numbers.items[0]).toMatchObject({ use: 'pool', draining: false });
  const path = `/v1/numbers/${numbers.items[0].id}`;
  const quarantinedUntil = new Date(Date.now() + 86_400_000).toISOString();
  const changed = await api.call('PATCH', path, {
    body: { use: 'reserved', draining: true, quarantinedUntil, area: '21' },
  });
  expect(changed.status, changed.text).toBe(200);
  expect(changed.body).toMatchObject({ use: 'reserved', draining: true, quarantinedUntil, area: '21' });
  expect((await api.call('GET', path)).body).toEqual(changed.body);
  const back = await api.call('PATCH', path, {
    body: { use: 'display', draining: false, quarantinedUntil: null, area: null },
  });
  expect(back.body).toMatchObject({ use: 'display', draining: false });
  expect(back.body).not.toHaveProperty('quarantinedUntil');
  expect(back.body).not.toHaveProperty('area');
  for (const [body, pointer] of [
    [{ use: 'spare' }, '/use'],
    [{ draining: null }, '/draining'],
    [{ quarantinedUntil: 'tomorrow' }, '/quarantinedUntil'],
    [{ quarantinedUntil: '2030-02-30T00:00:00Z' }, '/quarantinedUntil'],
    [{ area: '' }, '/area'],
    [{ area: '+62' }, '/area'],
    [{ area: 21 }, '/area'],
    [{ area: '123456789' }, '/area'],
    [{ number: '+622150300009' }, '/number'],
    [{}, ''],
  ] as const) {
    const answer = await api.call('PATCH', path, { body });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  }
});

test('a sick number is replaced, and says for how many', async () => {
  const { body: numbers } = await api.call('GET', '/v1/numbers?pool=uses');
  const path = `/v1/numbers/${numbers.items[1].id}/replace`;
  const headers = { 'idempotency-key': 'replace-1' };
  const body = { reason: 'marked as spam', quarantineSeconds: 604_800 };
  const answer = await api.call('POST', path, { body, headers });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body).toEqual({ replaced: expect.any(Number), kept: expect.any(Number) });
  expect((await api.call('POST', path, { body, headers })).text).toBe(answer.text);
  const { body: sick } = await api.call('GET', `/v1/numbers/${numbers.items[1].id}`);
  expect(Date.parse(sick.quarantinedUntil)).toBeGreaterThan(Date.now() + 500_000_000);
  for (const [wrong, pointer] of [
    [{}, '/reason'],
    [{ reason: '' }, '/reason'],
    [{ reason: 'spam', quarantineSeconds: -1 }, '/quarantineSeconds'],
    [{ reason: 'spam', quarantineSeconds: '60' }, '/quarantineSeconds'],
    [{ reason: 'spam', number: '+622150300001' }, '/number'],
  ] as const) {
    const refused = await api.call('POST', path, { body: wrong });
    expect(refused.status, refused.text).toBe(422);
    expect(refused.body.errors[0].pointer).toBe(pointer);
  }
  const nowhere = await api.call('POST', `/v1/numbers/num_${'0'.repeat(32)}/replace`, { body });
  expect(nowhere.status).toBe(404);
});

test('an unknown carrier is pointed at', async () => {
  const body = { numbers: ['+622150200001'], pool: 'x', carrier: 'nobody' };
  const answer = await api.call('POST', '/v1/numbers', { body });
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({ type: '/problems/unknown-carrier', errors: [{ pointer: '/carrier' }] });
});

test('pools are listed with their counts, and their cooldown is set', async () => {
  const { body } = await api.call('GET', '/v1/pools');
  const east = body.items.find((pool: { name: string }) => pool.name === 'east');
  expect(east).toMatchObject({ numbers: 2, enabled: 2, exhaustion: 'refuse' });
  const changed = await api.call('PATCH', '/v1/pools/east', {
    body: { cooldown: { agent: 60, '*': 120 }, exhaustion: 'reuse-oldest' },
  });
  expect(changed.body).toMatchObject({ cooldown: { agent: 60, '*': 120 }, exhaustion: 'reuse-oldest' });
  expect((await api.call('PATCH', '/v1/pools/none', { body: { exhaustion: 'refuse' } })).status).toBe(404);
  const wrong = await api.call('PATCH', '/v1/pools/east', { body: { cooldown: { agent: -1 } } });
  expect(wrong.status).toBe(422);
  expect(wrong.body.errors[0].pointer).toBe('/cooldown/agent');
});

test('a pool says how it gives its numbers out, and how long it will last', async () => {
  const set = { match: 'prefer-area', spread: true, loadLimit: 200, exhaustion: 'disambiguate' };
  const changed = await api.call('PATCH', '/v1/pools/uses', { body: set });
  expect(changed.status, changed.text).toBe(200);
  expect(changed.body).toMatchObject(set);
  const { body: pools } = await api.call('GET', '/v1/pools');
  expect(pools.items).toContainEqual(changed.body);
  const free = await api.call('PATCH', '/v1/pools/uses', { body: { loadLimit: null, exhaustion: 'pin' } });
  expect(free.body).not.toHaveProperty('loadLimit');
  expect(free.body).toMatchObject({ match: 'prefer-area', exhaustion: 'pin' });
  for (const [body, pointer] of [
    [{ match: 'near' }, '/match'],
    [{ spread: 'yes' }, '/spread'],
    [{ loadLimit: 0 }, '/loadLimit'],
    [{ loadLimit: '5' }, '/loadLimit'],
    [{ exhaustion: 'hope' }, '/exhaustion'],
    [{ size: 5 }, '/size'],
  ] as const) {
    const answer = await api.call('PATCH', '/v1/pools/uses', { body });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  }
  const forecast = await api.call('GET', '/v1/pools/uses/forecast');
  expect(forecast.status, forecast.text).toBe(200);
  expect(forecast.body).toMatchObject({
    ...{ pool: 'uses', numbers: expect.any(Number), needed: expect.any(Number) },
    ...{ headroom: expect.any(Number), trendPerDay: expect.any(Number) },
    status: expect.stringMatching(/^(enough|low|short)$/),
  });
  for (const name of ['none', 'a%20b', '..']) {
    expect((await api.call('GET', `/v1/pools/${name}/forecast`)).status, name).toBe(404);
  }
});

test('a key’s secret is shown once, works, and stops when revoked', async () => {
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const made = await api.call('POST', '/v1/keys', {
    body: { name: 'shop', scopes: ['numbers:read'], expiresAt },
  });
  expect(made.status).toBe(201);
  const { secret, id } = made.body;
  expect(made.body).toMatchObject({ name: 'shop', scopes: ['numbers:read'], expiresAt });
  expect((await api.call('GET', '/v1/numbers', { key: secret })).status).toBe(200);
  const list = await api.call('GET', '/v1/keys');
  expect(list.text).not.toContain(secret);
  expect(list.body.items.map((key: { id: string }) => key.id)).toContain(id);
  const revoked = await api.call('DELETE', `/v1/keys/${id}`);
  expect(revoked.body).toMatchObject({ id, revokedAt: expect.stringMatching(/Z$/) });
  expect((await api.call('GET', '/v1/numbers', { key: secret })).status).toBe(401);
  const past = await api.call('POST', '/v1/keys', {
    body: { name: 'x', scopes: ['numbers:read'], expiresAt: '2020-01-01T00:00:00Z' },
  });
  expect(past.body.errors[0].pointer).toBe('/expiresAt');
});
