import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestApi, testApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

test('without the pretend network the page says how to turn it on, and nothing else is there', async () => {
  for (const path of ['/try', '/try/']) {
    const page = await api.call('GET', path, { key: null });
    expect(page.status).toBe(404);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.text).toContain('SAMAR_PRETEND_NETWORK=true');
    expect(page.text).not.toContain('<script');
  }
  expect((await api.call('GET', '/try/try.css', { key: null })).status).toBe(200);
  for (const path of ['/try/try.js', '/try/phones', '/try/phones/driver']) {
    expect((await api.call('GET', path, { key: null })).status).toBe(404);
  }
  expect((await api.call('POST', '/try/session', { key: null, body: {} })).status).toBe(404);
});

test('the page is no part of the API', async () => {
  const document = await api.call('GET', '/openapi.json', { key: null });
  expect(document.text).not.toContain('/try');
});
