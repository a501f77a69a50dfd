import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { consolePages } from '../pages/console.ts';
import { type TestApi, testApi } from './testing.ts';

let api: TestApi;
const directory = mkdtempSync(join(tmpdir(), 'samar-console-'));
const built = fastify();
const empty = fastify();
beforeAll(async () => {
  mkdirSync(join(directory, 'assets'));
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Console</title>');
  writeFileSync(join(directory, 'assets', 'index-4f3c2b1a.js'), 'export {};');
  writeFileSync(join(directory, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(directory, '.secret'), 'no');
  await consolePages(built, directory);
  await consolePages(empty, join(directory, 'not-there'));
  api = await testApi();
});
afterAll(async () => {
  await api.close();
  rmSync(directory, { recursive: true });
});

const get = (url: string) => built.inject({ method: 'GET', url });

test('the page is asked for anew, its assets never', async () => {
  const page = await get('/console/');
  expect(page.statusCode).toBe(200);
  expect(page.headers['content-type']).toMatch(/^text\/html/);
  expect(page.headers['cache-control']).toBe('no-cache');
  const asset = await get('/console/assets/index-4f3c2b1a.js');
  expect(asset.headers['content-type']).toMatch(/javascript/);
  expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect((await get('/console/favicon.svg')).headers['cache-control']).toBe('no-cache');
});

test.each([
  '/console/sessions',
  '/console/sessions/ses_0?tab=calls',
  '/console/invitation',
  '/console/a.b/c',
])('%s is the page’s own route', async (url) => {
  expect((await get(url)).body).toContain('<title>Console');
});

test('an asset of another version is not there, rather than the page', async () => {
  const asset = await get('/console/assets/index-00000000.js');
  expect(asset.statusCode).toBe(404);
  expect(asset.headers['cache-control']).toBe('no-cache');
});

test.each([
  '/console/../package.json',
  '/console/%2e%2e/package.json',
  '/console/.secret',
  '/console/..%2f..%2fetc',
])('%s leads nowhere', async (url) => {
  const { body } = await get(url);
  expect(body).not.toContain('no\n');
  expect(body).not.toContain('"name"');
  expect(body).not.toBe('no');
});

test('says how it is built when it is not', async () => {
  const answer = await empty.inject({ method: 'GET', url: '/console/' });
  expect(answer.statusCode).toBe(503);
  expect(answer.body).toContain('npm run prepare');
});

test('stands in the API with a policy of its own, and needs no key', async () => {
  const answer = await api.call('GET', '/', { key: null });
  expect(answer.status).toBe(302);
  expect(answer.headers['location']).toBe('/console/');
  const page = await api.call('GET', '/console/', { key: null });
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(page.headers['content-security-policy']).not.toMatch(/https?:|\*|unsafe-eval/);
  expect(page.headers['x-frame-options']).toBe('DENY');
});
