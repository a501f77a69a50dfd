/** Whatever is sent, the answer says what to change and never repeats a number in any form. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, phone, shows, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
let numbers: readonly string[];
beforeAll(async () => {
  api = await testApi();
  numbers = await api.stock(3);
});
afterAll(() => api.close());

function expectProblem(answer: Answer, status: number, type: string): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({
    type: `/problems/${type}`,
    status,
    title: expect.any(String),
    detail: expect.any(String),
    instance: answer.headers['x-request-id'],
  });
}

function withPhone(text: unknown) {
  return {
    participants: [
      { role: 'agent', phone: phone(1) },
      { role: 'customer', phone: text },
    ],
  };
}

describe('numbers', () => {
  const secret = '+6281234567890';
  test.each([
    ['too short', '+62812', 'invalid-number', '62812'],
    ['too long', '+62812345678901234567', 'invalid-number', '812345678901234567'],
    ['no country code of this world', '+999123456789', 'invalid-number', '123456789'],
    ['national', '081234567890', 'invalid-number', '81234567890'],
    ['grouped', '+62 812-3456-7890', 'invalid-number', '81234567890'],
    ['percent-encoded', '%2B6281234567890', 'invalid-number', '81234567890'],
    ['full width', '＋６２８１２３４５６７８９０', 'invalid-number', '８１２３４５６７８９０'],
    ['satellite 881', '+881612345678', 'number-without-country', '612345678'],
    ['satellite 870', '+870773123456', 'number-without-country', '773123456'],
    ['international freephone', '+80012345678', 'number-without-country', '12345678'],
    ['premium rate', '+19002345678', 'number-not-allowed', '9002345678'],
    ['words', 'my number is +6281234567890', 'invalid-number', '81234567890'],
  ])('%s', async (_name, text, type, digits) => {
    const answer = await api.call('POST', '/v1/sessions', { body: withPhone(text) });
    expectProblem(answer, 422, type);
    expect(answer.body.errors).toEqual([
      { pointer: '/participants/1/phone', detail: expect.stringMatching(/\w{3}/) },
    ]);
    expect(shows(answer.text, `+62${digits}`)).toBe(false);
    expect(answer.text).not.toContain(digits);
  });

  test('a virtual number as a participant', async () => {
    const answer = await api.call('POST', '/v1/sessions', { body: withPhone(numbers[0]) });
    expectProblem(answer, 422, 'virtual-number-as-participant');
    expect(answer.body.errors[0].pointer).toBe('/participants/1/phone');
    expect(shows(answer.text, numbers[0] ?? '')).toBe(false);
  });

  test('the same number twice in one session, in whichever form of the field', async () => {
    const answer = await api.call('POST', '/v1/sessions', { body: withPhone(phone(1)) });
    expectProblem(answer, 422, 'duplicate-number');
    expect(answer.body.errors[0].pointer).toBe('/participants/1/phone');
    const listed = await api.call('POST', '/v1/sessions', {
      body: {
        participants: [
          { role: 'a', phones: [phone(3), secret, phone(3)] },
          { role: 'b', phone: phone(4) },
        ],
      },
    });
    expectProblem(listed, 422, 'duplicate-number');
    expect(listed.body.errors[0].pointer).toBe('/participants/0/phones/2');
    for (const n of [1, 3]) expect(shows(answer.text + listed.text, phone(n))).toBe(false);
  });

  test('a number in the place of a field, of its name, of an id, of a reference', async () => {
    const answers = [
      await api.call('POST', '/v1/sessions', { body: { ...twoPeople(5), [secret]: 1 } }),
      await api.call('POST', '/v1/sessions', { body: { ...twoPeople(5), 'a/812/3456/7890': 1 } }),
      await api.call('POST', '/v1/sessions', {
        body: { participants: [{ role: secret, phone: phone(1), [secret]: secret }, secret] },
      }),
      await api.call('POST', '/v1/sessions', { body: twoPeople(5, { recording: secret, pool: secret }) }),
      await api.call('POST', '/v1/sessions', {
        body: twoPeople(5, { expiresAt: secret, ttlSeconds: secret }),
      }),
      await api.call('POST', '/v1/sessions', { body: twoPeople(5, { pool: '6281234567890' }) }),
      await api.call('GET', `/v1/sessions/${encodeURIComponent(secret)}`),
      await api.call('GET', `/v1/sessions?phone=${encodeURIComponent(secret)}`),
      await api.call('GET', `/v1/sessions?after=${encodeURIComponent(secret)}`),
      await api.call('GET', `/v1/sessions?status=${encodeURIComponent(secret)}`),
      await api.call('GET', `/v1/calls?session=${encodeURIComponent(secret)}`),
      await api.call('PATCH', `/v1/pools/6281234567890`, { body: { exhaustion: 'refuse' } }),
      await api.call('GET', `/v1/${secret}`),
      await api.call('PUT', `/v1/sessions`, { body: `{"phone": "${secret}"` }),
      await api.call('POST', '/v1/sessions', { body: `{"phone": "${secret}"` }),
      await api.call('POST', '/v1/sessions', { body: secret, headers: { 'content-type': secret } }),
      await api.call('POST', '/v1/sessions', { body: secret, headers: { 'content-type': 'text/plain' } }),
      await api.call('POST', '/v1/numbers', {
        body: { numbers: [secret, secret], pool: 'p', carrier: 'trunk' },
      }),
      await api.call('POST', '/v1/numbers', {
        body: { numbers: [`${secret}999999`], pool: 'p', carrier: 'trunk' },
      }),
      await api.call('POST', '/v1/numbers', { body: { numbers: ['+6221777'], pool: 'p', carrier: secret } }),
      await api.call('POST', '/v1/carriers', { body: { name: 'x', kind: secret, host: secret } }),
      await api.call('POST', '/v1/keys', { body: { name: 'x', scopes: [secret] } }),
      await api.call('GET', '/v1/sessions', { key: secret }),
      await api.call('POST', '/v1/sessions', {
        body: twoPeople(5, { program: { name: secret, version: secret } }),
      }),
      await api.call('POST', '/v1/sessions', { body: twoPeople(5, { survey: { of: secret } }) }),
      await api.call('POST', '/v1/sessions', {
        body: twoPeople(5, { schedule: { timeZone: secret, windows: [{ from: secret, to: secret }] } }),
      }),
      await api.call('POST', '/v1/sessions', {
        body: twoPeople(5, { afterClose: { seconds: 60, allow: [{ from: secret, to: secret }] } }),
      }),
      await api.call('POST', `/v1/sessions/ses_${'0'.repeat(32)}/calls`, { body: { from: secret } }),
      await api.call('PUT', `/v1/destinations/${encodeURIComponent(secret)}`, { body: { phone: secret } }),
      await api.call('PUT', '/v1/destinations/support', { body: { phone: `${secret}999999` } }),
      await api.call('GET', `/v1/programs/${encodeURIComponent(secret)}`),
      await api.call('POST', '/v1/programs', { body: { name: secret, definition: { [secret]: secret } } }),
      await api.call('POST', '/v1/blocks', { body: { phone: `${secret}999999`, reason: secret } }),
      await api.call('POST', '/v1/blocks', { body: { participant: secret, reason: secret } }),
      await api.call('GET', `/v1/events?kind=${encodeURIComponent(secret)}`),
      await api.call('GET', `/v1/events?session=${encodeURIComponent(secret)}`),
      await api.call('PATCH', '/v1/settings', { body: { timeZone: secret } }),
      await api.call('POST', '/v1/sessions', {
        body: twoPeople(5),
        headers: { 'idempotency-key': `${secret} x` },
      }),
    ];
    for (const [index, answer] of answers.entries()) {
      expect(answer.status, `${index}`).toBeGreaterThanOrEqual(400);
      expect(answer.status, `${index}`).toBeLessThan(500);
      expect(answer.headers['content-type'], `${index}`).toMatch(/^application\/problem\+json/);
      expect(shows(answer.text + JSON.stringify(answer.headers), secret), `${index} ${answer.text}`).toBe(
        false,
      );
    }
    expect(shows(JSON.stringify(api.lines), secret)).toBe(false);
  });
});

describe('pools', () => {
  test('an unknown pool', async () => {
    const answer = await api.call('POST', '/v1/sessions', { body: twoPeople(7, { pool: 'nowhere' }) });
    expectProblem(answer, 422, 'unknown-pool');
    expect(answer.body.errors[0].pointer).toBe('/pool');
  });

  test('an empty pool', async () => {
    await api.stock(1, 'lonely');
    const { body } = await api.call('GET', '/v1/numbers?pool=lonely');
    await api.call('PATCH', `/v1/numbers/${body.items[0].id}`, { body: { enabled: false } });
    const answer = await api.call('POST', '/v1/sessions', { body: twoPeople(8, { pool: 'lonely' }) });
    expectProblem(answer, 409, 'empty-pool');
    for (const n of [16, 17]) expect(shows(answer.text, phone(n))).toBe(false);
  });

  test('an exhausted pool says so, and works again with a new number', async () => {
    await api.stock(1, 'small');
    const open = () => api.call('POST', '/v1/sessions', { body: twoPeople(9, { pool: 'small' }) });
    expect((await open()).status).toBe(201);
    const answer = await open();
    expectProblem(answer, 409, 'pool-exhausted');
    for (const n of [18, 19]) expect(shows(answer.text, phone(n))).toBe(false);
    await api.stock(1, 'small');
    expect((await open()).status).toBe(201);
  });
});

describe('fields', () => {
  test.each([
    ['no participants', { participants: [] }, '/participants'],
    ['one participant', { participants: [{ role: 'agent', phone: phone(1) }] }, '/participants'],
    [
      'neither phone nor phones',
      { participants: [{ role: 'a' }, { role: 'b', phone: phone(2) }] },
      '/participants/0',
    ],
    [
      'phone and phones',
      {
        participants: [
          { role: 'a', phone: phone(1), phones: [phone(2)] },
          { role: 'b', phone: phone(3) },
        ],
      },
      '/participants/0',
    ],
    [
      'a virtual number that is none',
      {
        participants: [
          { role: 'a', phone: phone(1), number: 5 },
          { role: 'b', phone: phone(2) },
        ],
      },
      '/participants/0/number',
    ],
    [
      'a reach that is none',
      {
        participants: [
          { role: 'a', phone: phone(1), reach: 'sms' },
          { role: 'b', phone: phone(2) },
        ],
      },
      '/participants/0/reach',
    ],
    [
      'a flag of a participant as text',
      {
        participants: [
          { role: 'a', phone: phone(1), mayStart: 'no' },
          { role: 'b', phone: phone(2) },
        ],
      },
      '/participants/0/mayStart',
    ],
    [
      'a time zone of a participant that cannot be one',
      {
        participants: [
          { role: 'a', phone: phone(1), timeZone: '7' },
          { role: 'b', phone: phone(2) },
        ],
      },
      '/participants/0/timeZone',
    ],
    [
      'a missing role',
      { participants: [{ phone: phone(1) }, { role: 'b', phone: phone(2) }] },
      '/participants/0/role',
    ],
    ['an unknown field', twoPeople(6, { ttl: 5 }), '/ttl'],
    ['a number as text', twoPeople(6, { ttlSeconds: '60' }), '/ttlSeconds'],
    ['a flag as text', twoPeople(6, { sharedNumber: 'true' }), '/sharedNumber'],
    ['a life of nothing', twoPeople(6, { ttlSeconds: 0 }), '/ttlSeconds'],
    ['a life of more than a year', twoPeople(6, { ttlSeconds: 31_536_001 }), '/ttlSeconds'],
    ['a fraction of a second', twoPeople(6, { ttlSeconds: 1.5 }), '/ttlSeconds'],
    ['too short an idle time', twoPeople(6, { idleSeconds: 9 }), '/idleSeconds'],
    ['a time in the past', twoPeople(6, { expiresAt: '2020-01-01T00:00:00Z' }), '/expiresAt'],
    ['a time too far', twoPeople(6, { expiresAt: '2099-01-01T00:00:00Z' }), '/expiresAt'],
    ['a day that is none', twoPeople(6, { expiresAt: '2030-02-30T00:00:00Z' }), '/expiresAt'],
    ['a time without a zone', twoPeople(6, { expiresAt: '2030-02-01T00:00:00' }), '/expiresAt'],
    [
      'both ways to say how long',
      twoPeople(6, { ttlSeconds: 60, expiresAt: '2030-01-01T00:00:00Z' }),
      '/expiresAt',
    ],
    ['text that cannot be stored', twoPeople(6, { reference: 'a\u0000b' }), '/reference'],
    ['half a character', twoPeople(6, { metadata: { a: '\ud800' } }), '/metadata/a'],
    ['too much metadata', twoPeople(6, { metadata: { a: 'x'.repeat(17_000) } }), '/metadata'],
    ['metadata that is a list', twoPeople(6, { metadata: [1] }), '/metadata'],
    ['a list', [1], ''],
    ['null', 'null', ''],
  ])('%s', async (_name, body, pointer) => {
    const answer = await api.call('POST', '/v1/sessions', { body });
    expectProblem(answer, 422, 'invalid');
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  test('every wrong place is named at once', async () => {
    const body = {
      participants: [
        { role: 'A', phone: 1 },
        { role: 'b', phone: phone(2), x: 1 },
      ],
      recording: 'yes',
    };
    const answer = await api.call('POST', '/v1/sessions', { body });
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      ...['/participants/0/phone', '/participants/0/role', '/participants/1/x', '/recording'],
    ]);
  });

  test('JSON that is nested beyond reason', async () => {
    const deep = `{"metadata":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;
    expectProblem(await api.call('POST', '/v1/sessions', { body: deep }), 422, 'invalid');
  });

  test('an attempt on object prototypes', async () => {
    const answer = await api.call('POST', '/v1/sessions', { body: '{"__proto__":{"x":1}}' });
    expectProblem(answer, 400, 'malformed-json');
  });
});

describe('requests', () => {
  test('malformed JSON', async () => {
    for (const body of ['{', '{"a":1,}', "{'a':1}", 'undefined']) {
      expectProblem(await api.call('POST', '/v1/sessions', { body }), 400, 'malformed-json');
    }
  });

  test('another kind of body', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await api.call('POST', '/v1/sessions', { body: 'a=1', headers });
    expectProblem(answer, 415, 'unsupported-media-type');
  });

  test('a body of more than 1 MB', async () => {
    const answer = await api.call('POST', '/v1/sessions', { body: `"${'x'.repeat(1_100_000)}"` });
    expectProblem(answer, 413, 'too-large');
  });

  test('a path that there is not, and one that does not take the method', async () => {
    expectProblem(await api.call('GET', '/v2/sessions'), 404, 'unknown-route');
    const answer = await api.call('PUT', '/v1/sessions/ses_1', { body: '{' });
    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers['allow']).toBe('GET, HEAD, PATCH');
  });

  test('a path that cannot be decoded', async () => {
    expectProblem(await api.call('GET', '/v1/sessions/%E0%A4%A'), 400, 'malformed-request');
  });

  test.each([
    'limit=0',
    'limit=201',
    'limit=1e1',
    'limit=ten',
    'limit=1&limit=2',
    'after=num_1',
    'after=',
    'x=1',
  ])('the query %s', async (query) => {
    const answer = await api.call('GET', `/v1/sessions?${query}`);
    expectProblem(answer, 422, 'invalid');
    expect(answer.body.errors[0].parameter).toBe(query.split('=')[0]);
  });

  test('a cursor of another list', async () => {
    const lists = ['sessions', 'numbers', 'carriers', 'keys', 'calls', 'programs', 'blocks', 'events'];
    for (const path of lists) {
      const answer = await api.call('GET', `/v1/${path}?after=led_${'0'.repeat(32)}`);
      expectProblem(answer, 422, 'invalid');
    }
    const search = await api.call('POST', '/v1/sessions/search', { body: { after: 'x' } });
    expect(search.body.errors[0].pointer).toBe('/after');
  });
});
