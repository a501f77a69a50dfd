import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from './api.ts';
import { problemKinds } from './problem-kinds.ts';
import { phone, shows, type TestApi, testApi, twoPeople } from './testing.ts';

let api: TestApi;
let sip: string | undefined;
beforeAll(async () => {
  api = await testApi({
    checks: {
      database: async () => undefined,
      sip: async () => sip,
      hanging: () => (sip === 'hang' ? new Promise(() => {}) : Promise.resolve(undefined)),
      throwing: async () => {
        if (sip === 'throw') throw new Error(phone(1));
        return undefined;
      },
    },
  });
  await api.stock(3);
});
afterAll(() => api.close());

test('health and readiness need no key and say why not', async () => {
  sip = undefined;
  expect((await api.call('GET', '/healthz', { key: null })).body).toEqual({ status: 'ok' });
  expect((await api.call('GET', '/readyz', { key: null })).body).toEqual({ status: 'ready' });
  sip = 'not listening';
  const answer = await api.call('GET', '/readyz', { key: null });
  expect(answer.status).toBe(503);
  expect(answer.body.reasons).toEqual([{ part: 'sip', reason: 'not listening' }]);
  sip = 'throw';
  const thrown = await api.call('GET', '/readyz', { key: null });
  expect(thrown.body.reasons).toContainEqual({ part: 'throwing', reason: 'failed' });
  expect(shows(thrown.text, phone(1))).toBe(false);
  sip = 'hang';
  const hanging = await api.call('GET', '/readyz', { key: null });
  expect(hanging.body.reasons).toContainEqual({ part: 'hanging', reason: 'no answer in time' });
});

test('metrics count by the route’s pattern, and show nothing of anybody', async () => {
  await api.call('POST', '/v1/sessions', { body: twoPeople(1) });
  await api.call('GET', `/v1/sessions/${encodeURIComponent(phone(5))}`);
  await api.call('GET', `/nowhere/${encodeURIComponent(phone(5))}`);
  const { text, headers } = await api.call('GET', '/metrics', { key: null });
  expect(headers['content-type']).toMatch(/^text\/plain/);
  expect(text).toMatch(
    /samar_http_requests_total\{method="POST",route="\/v1\/sessions",status="201"\} [1-9]/,
  );
  expect(text).toMatch(/samar_http_requests_total\{method="GET",route="unknown",status="404"\} 1/);
  expect(text).toContain('samar_http_request_seconds_bucket');
  for (const n of [2, 3, 5]) expect(shows(text, phone(n))).toBe(false);
});

test('the log has method, route, status, time, key and request id, and nothing else', async () => {
  api.lines.length = 0;
  const opened = await api.call('POST', '/v1/sessions?x=1', { body: twoPeople(2) });
  await api.call(
    'GET',
    `/v1/sessions/${encodeURIComponent(phone(4))}?reference=${encodeURIComponent(phone(4))}`,
  );
  await api.call('GET', '/v1/sessions', { key: 'no-key' });
  expect(api.lines).toHaveLength(3);
  const fields = ['key', 'message', 'method', 'milliseconds', 'request', 'route', 'status'];
  for (const line of api.lines) expect(Object.keys(line).sort()).toEqual(fields);
  expect(api.lines[0]).toMatchObject({
    ...{ method: 'POST', route: '/v1/sessions', request: opened.headers['x-request-id'] },
    key: expect.stringMatching(/^key_/),
  });
  expect(shows(JSON.stringify(api.lines), phone(4))).toBe(false);
});

test('every kind of problem has a page', async () => {
  const index = await api.call('GET', '/problems', { key: null });
  for (const code of Object.keys(problemKinds)) {
    expect(index.text).toContain(`/problems/${code}"`);
    const page = await api.call('GET', `/problems/${code}`, { key: null });
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
  }
  expect((await api.call('GET', '/problems/none', { key: null })).status).toBe(404);
});

test('answers carry the headers that keep browsers from doing harm', async () => {
  const { headers } = await api.call('GET', '/v1/pools');
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(headers).not.toHaveProperty('server');
  const again = await api.call('GET', '/v1/pools', { headers: { 'x-request-id': phone(1) } });
  expect(again.headers['x-request-id']).toMatch(/^req_[\w-]{22}$/);
  expect(again.headers['x-request-id']).not.toBe(headers['x-request-id']);
});

test('bytes that are no HTTP get a problem document that does not repeat them', async () => {
  const url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }));
  const exchange = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(url.port), url.hostname, () => socket.write(bytes));
      socket.on('data', (data) => {
        text += data.toString();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
  for (const bytes of [
    `${phone(1)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${phone(1)}\r\n\r\n`,
    'GET / HTTP/9.9\r\n\r\n',
  ]) {
    const answer = await exchange(bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      type: '/problems/malformed-request',
    });
    expect(shows(answer, phone(1))).toBe(false);
  }
});

test('an unexpected failure is 500 and tells nobody what it was about', async () => {
  const lines: object[] = [];
  const app = createApi({
    ...api.rooms,
    masking: {
      ...api.masking,
      listPools: () => Promise.reject(new TypeError(`cannot read ${phone(1)}`)),
    },
    ...{ registry: new Registry(), checks: {} },
    log: { info: () => {}, error: (message, details) => void lines.push({ message, ...details }) },
  });
  const answer = await app.inject({ url: '/v1/pools', headers: { authorization: `Bearer ${api.adminKey}` } });
  expect(answer.statusCode).toBe(500);
  expect(answer.json()).toMatchObject({
    type: '/problems/internal',
    instance: answer.headers['x-request-id'],
  });
  expect(lines).toEqual([
    expect.objectContaining({
      error: 'TypeError',
      route: '/v1/pools',
      frames: expect.stringContaining('at '),
    }),
  ]);
  expect(shows(answer.body + JSON.stringify(lines), phone(1))).toBe(false);
  await app.close();
});

test('when the database is gone, 503 says when to come again', async () => {
  const lost = await testApi();
  try {
    await lost.call('GET', '/v1/pools');
    await lost.database.database.close();
    const answer = await lost.call('POST', '/v1/sessions', { body: twoPeople(1) });
    expect(answer.status).toBe(503);
    expect(answer.body.type).toBe('/problems/database-unavailable');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(shows(answer.text, phone(2))).toBe(false);
  } finally {
    await lost.app.close();
    await lost.masking.stop().catch(() => {});
    await lost.database.drop().catch(() => {});
  }
});

test('closing answers what is running and takes nothing new', async () => {
  let release: (value: undefined) => void = () => {};
  const waiting = new Promise<undefined>((resolve) => {
    release = resolve;
  });
  let asked = () => {};
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const app = createApi({
    ...api.rooms,
    masking: api.masking,
    registry: new Registry(),
    checks: {
      slow: () => {
        asked();
        return waiting;
      },
    },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const running = fetch(`${url}/readyz`);
  await begun;
  const closed = app.close();
  await expect
    .poll(
      () =>
        fetch(`${url}/healthz`).then(
          () => 'open',
          () => 'closed',
        ),
      { timeout: 5000 },
    )
    .toBe('closed');
  release(undefined);
  expect((await running).status).toBe(200);
  await closed;
});
