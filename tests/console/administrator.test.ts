/** What an administrator does: people, keys, webhooks, rules, numbers and programs. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserInstalled, expectAccessible, picture, type Visitor } from '../support/browser.ts';
import { deadEndpoint, type Stage, startStage } from '../support/console-stage.ts';

describe.skipIf(!browserInstalled)('an administrator', () => {
  let stage: Stage;
  let admin: Visitor;
  let page: Page;
  let endpoint: string;
  beforeAll(async () => {
    stage = await startStage();
    endpoint = await deadEndpoint(stage);
    admin = await stage.enter('admin');
    page = admin.page;
  });
  afterAll(async () => {
    await stage?.stop();
  });
  const go = (path: string) => page.goto(`${stage.origin}/console${path}`);
  const dialog = () => page.getByRole('dialog');

  test('invites somebody, who comes in by the link with the role', async () => {
    await go('/users');
    await page.getByRole('button', { name: 'Invite' }).press('Enter');
    await dialog().getByLabel('Name').fill('Putri');
    await dialog().getByLabel('E-mail address').fill('putri@jalan.example');
    await dialog().getByLabel('Role').selectOption('operator');
    await dialog().getByRole('button', { name: 'Make the link' }).press('Enter');
    const link = page.getByRole('dialog', { name: 'Link for the console' });
    const url = new URL(await link.getByLabel('Link', { exact: true }).inputValue());
    await link.getByRole('button', { name: 'Done' }).click();
    const putri = await stage.browser.visitor();
    await putri.page.goto(`${stage.origin}/console/invitation${url.hash}`);
    await putri.page.getByLabel('New password').fill('langit biru di atas');
    await putri.page.keyboard.press('Enter');
    await putri.page.getByRole('navigation', { name: 'Pages' }).waitFor();
    expect(await putri.page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
    expect(putri.errors).toEqual([]);
    await putri.close();
  });

  test('makes a key for a system, and revokes it', async () => {
    await go('/keys');
    await page.getByRole('button', { name: 'New key' }).press('Enter');
    await dialog().getByLabel('Name').fill('checkout');
    await dialog().getByLabel('sessions:read').check();
    await dialog().getByRole('button', { name: 'Make the key' }).press('Enter');
    const key = await dialog().getByLabel('Key', { exact: true }).inputValue();
    const status = async () =>
      (await stage.scene.call('GET', '/v1/sessions', undefined, { authorization: `Bearer ${key}` })).status;
    expect(await status()).toBe(200);
    await dialog().getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('button', { name: 'Revoke: checkout' }).click();
    await dialog().getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('Revoked').first().waitFor();
    await expect.poll(status, { timeout: 5_000 }).toBe(401);
  });

  test('adds a webhook, and sends again what an old one had given up', async () => {
    await go('/webhooks');
    await page.getByRole('button', { name: 'New endpoint' }).press('Enter');
    await dialog().getByLabel('URL').fill('http://192.168.1.1/admin');
    await dialog().getByRole('button', { name: 'Save' }).press('Enter');
    await dialog().locator('.fault, .error-box').first().waitFor();
    await dialog().getByLabel('URL').fill(stage.receiver.url);
    await dialog().getByLabel('Kinds of events').fill('session.*');
    await dialog().getByRole('button', { name: 'Save' }).press('Enter');
    await page.getByText('session.*').first().waitFor();

    await go(`/webhooks/${endpoint}`);
    await page.getByText('Turned off: it answered 410 Gone.').waitFor();
    await page.getByRole('button', { name: 'Turn on' }).click();
    await page.getByRole('button', { name: 'Turn off' }).waitFor();
    const before = stage.receiver.got.length;
    await page.getByRole('button', { name: 'Send again all that was given up' }).press('Enter');
    await expect.poll(() => stage.receiver.got.length, { timeout: 20_000 }).toBeGreaterThan(before);
    await page.getByRole('table', { name: 'Deliveries' }).getByText('Delivered').first().waitFor();
    await expect
      .poll(async () => (await stage.scene.call('GET', `/v1/webhooks/${endpoint}`)).body.dead, {
        timeout: 20_000,
      })
      .toBe(0);
    await expectAccessible(page);
  });

  test('makes recording stricter for a country', async () => {
    await go('/settings');
    const form = page.locator('form').filter({ hasText: 'By country of a participant’s number' });
    await form.getByRole('button', { name: 'Add a country' }).click();
    await form.getByLabel('Country').last().fill('id');
    await form.getByLabel('Rule: ID').selectOption('consent');
    await form.getByRole('button', { name: 'Save' }).press('Enter');
    await page.getByText('The settings are saved.').waitFor();
    const { body } = await stage.scene.call('GET', '/v1/settings');
    expect(body.recordingPolicy.countries).toEqual({ ID: 'consent' });
    await expectAccessible(page);
  });

  test('imports numbers, and sees which lines were refused and why', async () => {
    await go('/numbers?tab=import');
    const good = Array.from({ length: 1_200 }, (_, place) => `+6221600${String(place).padStart(5, '0')}`);
    const csv = ['number,pool', ...good.map((number) => `${number},jakarta`), '12,jakarta', ',jakarta'].join(
      '\n',
    );
    const buffer = Buffer.from(csv);
    await page.getByLabel('CSV file').setInputFiles({ name: 'numbers.csv', mimeType: 'text/csv', buffer });
    await page.getByRole('button', { name: 'Import 1,202 numbers' }).press('Enter');
    await page.getByText('1,200 added, 0 were there already, 2 refused.').waitFor({ timeout: 60_000 });
    const progress = page.locator('progress');
    expect(await progress.getAttribute('value')).toBe(await progress.getAttribute('max'));
    await page.getByLabel('Show only refused lines').check();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
    await expectAccessible(page);
    await go('/numbers');
    await page.getByRole('heading', { name: 'jakarta' }).waitFor();
  });

  test('writes a program, is told what is wrong at its line, and tries what it does', async () => {
    await go('/programs/new');
    await page.getByLabel('Name').fill('evenings');
    const editor = page.getByLabel('Definition (JSON)');
    await editor.fill('{\n  "rules": [\n    { "then": { "connct": {} } }\n  ]\n}');
    await page.getByRole('button', { name: 'Check' }).press('Enter');
    await page.getByRole('list', { name: 'What is wrong' }).getByText('Line 3').waitFor();
    await expectAccessible(page);
    await picture(page, 'program-wrong');
    await editor.fill(
      JSON.stringify({
        rules: [
          { name: 'evening', when: 'now.hour >= 21', then: { refuse: 'closed' } },
          { name: 'day', then: { connect: { to: 'agent' } } },
        ],
      }),
    );
    await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
    await page.getByRole('heading', { level: 1, name: 'evenings' }).waitFor();
    // At 22:00 and at 10:00 of the business's day, which is the browser's.
    for (const [at, rule] of [
      ['2026-03-02T22:00', 'evening'],
      ['2026-03-02T10:00', 'day'],
    ] as const) {
      await page.getByLabel('When').fill(at);
      await page.getByRole('button', { name: 'Try', exact: true }).press('Enter');
      const fired = page.getByRole('row').filter({ hasText: 'Fired' });
      await fired.filter({ hasText: rule }).waitFor();
      expect(await fired.count()).toBe(1);
    }
    await expectAccessible(page);
    await picture(page, 'program-tried', true);
    expect(admin.errors).toEqual([]);
  });
});
