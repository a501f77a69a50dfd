import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, browserInstalled, picture, startBrowser, type Visitor } from './support/browser.ts';
import { type Platform, startPlatform } from './support/platform.ts';

/** The page at /try in a real browser, with a microphone that beeps. */
let platform: Platform;
let browser: Browser;

beforeAll(async () => {
  if (!browserInstalled) return;
  platform = await startPlatform({ pretendNetwork: true });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.stop();
  await platform?.stop();
});

async function openPage(): Promise<Visitor> {
  const visitor = await browser.visitor({ viewport: { width: 1_100, height: 1_400 } });
  await visitor.page.goto(`http://localhost:${platform.server.http.port}/try`);
  return visitor;
}

async function loudest(page: Page, meter: string, milliseconds: number): Promise<number> {
  let best = 0;
  const end = Date.now() + milliseconds;
  while (Date.now() < end && best < 0.5) {
    best = Math.max(
      best,
      await page.locator(meter).evaluate((one) => (one as unknown as { readonly value: number }).value),
    );
    await page.waitForTimeout(50);
  }
  return best;
}

test.skipIf(!browserInstalled)(
  'a masked call with oneself by mouse, the microphone heard at the other phone',
  async () => {
    const { page, errors } = await openPage();
    const phone = (name: string) => page.locator(`#phone-${name}`);
    const inState = (name: string, state: string) =>
      page.waitForSelector(`#phone-${name}[data-state=${state}]`, { timeout: 20_000 });
    await inState('driver', 'idle');
    const report = await new AxeBuilder({ page }).analyze();
    expect(report.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);

    await page.click('#open');
    await page.waitForSelector('#session p');
    await phone('driver').locator('.call').click();
    await inState('customer', 'ringing');
    await phone('customer').locator('.answer').click();
    await inState('driver', 'talking');
    await phone('driver').locator('input[value=microphone]').check();
    expect(await loudest(page, '#phone-driver .spoken', 10_000)).toBeGreaterThan(0.5);
    expect(await loudest(page, '#phone-customer .heard', 20_000)).toBeGreaterThan(0.5);
    await picture(page, 'try');
    await phone('driver').locator('.hangup').click();
    await inState('customer', 'idle');

    await page.click('#resolve');
    await page.locator('#notice', { hasText: 'closed' }).waitFor();
    await phone('customer').locator('.call').click();
    await inState('customer', 'dialling');
    await inState('customer', 'idle');
    expect(await phone('customer').locator('.state').textContent()).toContain('has ended');
    expect(await phone('customer').locator('.seen').textContent()).not.toMatch(/62811|62812/);

    await page.selectOption('#language', 'id');
    expect(await page.locator('h1').textContent()).toBe('Coba panggilan tersamar');
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await picture(page, 'try-phone-id');
    expect(errors).toEqual([]);
  },
);
