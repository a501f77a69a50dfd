/** The participant's page in a real browser, on a phone's viewport: without scripts, in light and dark, for everybody. */
import type { AddressInfo } from 'node:net';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shows, type TestApi, tenant, testApi } from '../packages/server/src/api/testing.ts';
import { talk, type Visited, visited } from '../packages/server/src/api/transparency.testing.ts';
import { type Browser, browserInstalled, phoneViewport, startBrowser } from './support/browser.ts';

describe.skipIf(!browserInstalled)('the participant’s page on a phone', () => {
  let api: TestApi;
  let browser: Browser;
  let origin: string;
  let people: Visited;
  beforeAll(async () => {
    api = await testApi();
    await api.stock(10);
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    origin = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
    browser = await startBrowser();
    people = await visited(api, 1, { reference: 'RIDE-7' });
    const call = await talk(api, people.session, people.people[0]);
    await api.masking.openRecording(tenant, call, { actor: 'usr_1', reason: 'ticket 4411' });
  });
  afterAll(async () => {
    await browser?.stop();
    await api?.close();
  });

  /** Everything that the page asked the network for. */
  async function opened(
    path: string,
    look: (page: Page) => Promise<void>,
    options: { readonly scripts?: boolean; readonly colorScheme?: 'light' | 'dark' } = {},
  ): Promise<readonly string[]> {
    const { scripts = false, colorScheme = 'light' } = options;
    const visitor = await browser.visitor({
      viewport: phoneViewport,
      javaScriptEnabled: scripts,
      colorScheme,
    });
    const { page } = visitor;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${origin}${path}`);
    await look(page);
    await visitor.close();
    return asked.filter((url) => !url.endsWith('/favicon.ico'));
  }

  it('has no serious accessibility fault, and is never wider than the phone', async () => {
    const [agent] = people.people;
    const pages = [
      ...['', '/end', '/report', '/nothing'].map((below) => ['light', 'en', below] as const),
      ...['', '/report'].map((below) => ['dark', 'hi', below] as const),
      ['dark', 'id', ''] as const,
    ];
    for (const [colorScheme, language, below] of pages) {
      const path = `${agent.path}${below}?lang=${language}`;
      const look = async (page: Page) => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(
          violations.map(({ id, impact }) => `${impact} ${id}`),
          path,
        ).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      };
      expect(await opened(path, look, { scripts: true, colorScheme })).toHaveLength(1);
    }
  });

  it('is told of, reported from and ended without a script, and shows nobody’s number', async () => {
    const [agent, customer] = people.people;
    await opened(`${customer.path}?lang=id`, async (page) => {
      expect(await page.textContent('h1')).toBe('Siapa yang dapat menghubungi Anda');
      for (const one of people.people) expect(shows(await page.content(), one.phone)).toBe(false);
      await page.getByRole('link', { name: 'Laporkan masalah' }).click();
      await page.getByLabel('Tentang apa?').selectOption('harassment');
      await page.getByLabel('Apa yang terjadi?').fill('Dia mengancam saya <b>lagi</b>.');
      await page.getByRole('button', { name: 'Kirim laporan' }).click();
      expect(await page.getByRole('status').textContent()).toContain('Laporan Anda sudah diterima.');
      await page.reload();
      await page.getByRole('link', { name: 'Akhiri kontak' }).click();
      await page.getByRole('button', { name: 'Akhiri kontak sekarang' }).click();
      expect(await page.getByRole('status').textContent()).toContain('Kontak sudah berakhir.');
      expect(new URL(page.url()).searchParams.get('lang')).toBe('id');
    });
    const { items } = await api.rooms.trust.disputes.list(tenant, { session: people.session }, { limit: 5 });
    expect(items).toMatchObject([{ against: agent.id, statement: 'Dia mengancam saya <b>lagi</b>.' }]);
    expect((await api.masking.getSession(tenant, people.session)).closeReason).toBe('ended-by-participant');
  });
});
