/** How people come into the console, in a real browser: by invitation, password, authenticator app and passkey. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calmClock, totpCode } from '../../packages/server/src/api/users.testing.ts';
import {
  expectAccessible as accessible,
  type Browser,
  browserInstalled,
  startBrowser,
} from '../support/browser.ts';
import { type Platform, startPlatform } from '../support/platform.ts';

const password = 'sungai batu kertas';

describe.skipIf(!browserInstalled)('the console', () => {
  let platform: Platform;
  let browser: Browser;
  let base: string;
  beforeAll(async () => {
    platform = await startPlatform();
    base = `http://localhost:${platform.server.http.port}/console`;
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.stop();
    await platform?.stop();
  });

  /** A page of its own cookies; whatever it complains of fails the test. */
  async function open(path: string): Promise<{ page: Page; faults: readonly string[] }> {
    const { page, errors } = await browser.visitor({ locale: 'en-GB' });
    await page.goto(`${base}${path}`);
    return { page, faults: errors };
  }

  async function invite(email: string, role: string, name = 'Sari'): Promise<string> {
    const { body, text } = await platform.call('POST', '/v1/users', { email, name, role });
    if (!body.invitationUrl) throw new Error(text);
    return new URL(body.invitationUrl).hash;
  }

  async function accept(email: string, role: string) {
    const opened = await open(`/invitation${await invite(email, role)}`);
    await opened.page.getByLabel('New password').fill(password);
    await opened.page.getByRole('button', { name: 'Set the password and log in' }).click();
    await opened.page.getByRole('navigation', { name: 'Pages' }).waitFor();
    return opened;
  }

  async function logIn(page: Page, email: string, word = password): Promise<void> {
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password', { exact: false }).first().fill(word);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
  }

  test('an invitation sets the password; the token does not stay in the address', async () => {
    const { page, faults } = await open(`/invitation${await invite('first@p.example', 'admin')}`);
    await page.getByText('Hello Sari').waitFor();
    expect(new URL(page.url()).hash).toBe('');
    await accessible(page);
    await page.getByLabel('New password').fill('password1234');
    await page.getByRole('button', { name: 'Set the password and log in' }).click();
    await page.getByText('too easy to guess').waitFor();
    await page.getByLabel('New password').fill(password);
    await page.getByRole('button', { name: 'Set the password and log in' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/console/');
    expect(faults).toEqual([]);
    await page.context().close();

    const again = await open('/invitation#default.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
    await again.page.getByRole('heading', { name: 'This link does not work' }).waitFor();
    await accessible(again.page);
    await again.page.context().close();
  });

  test('the log-in says what is wrong, and leads back to where one wanted to be', async () => {
    await (await accept('back@p.example', 'auditor')).page.context().close();
    const { page, faults } = await open('/users?x=1');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await accessible(page);
    await logIn(page, 'back@p.example', 'not the password');
    await page.getByText('That did not fit').waitFor();
    await logIn(page, 'back@p.example');
    await page.getByRole('heading', { name: 'Users' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/console/users');
    // An auditor reads, and is offered nothing else.
    expect(await page.getByRole('button', { name: 'Invite' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
    await accessible(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('leads nowhere outside of the console', async () => {
    await (await accept('safe@p.example', 'auditor')).page.context().close();
    for (const next of ['https://evil.example/', '//evil.example/', '/login']) {
      const { page } = await open(`/login?next=${encodeURIComponent(next)}`);
      await logIn(page, 'safe@p.example');
      await page.getByRole('navigation', { name: 'Pages' }).waitFor();
      expect(page.url()).toBe(`${base}/`);
      await page.context().close();
    }
  });

  test('an authenticator app is set up, asked for, and removed', async () => {
    const { page, faults } = await accept('app@p.example', 'operator');
    await page.goto(`${base}/profile`);
    await page.getByRole('button', { name: 'Set up' }).click();
    await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
    await accessible(page);
    const secret = (await page.locator('code.breakable').textContent()) ?? '';
    await calmClock();
    await page.getByLabel('Code of the app').fill(totpCode(secret, -1));
    await page.getByRole('button', { name: 'Confirm' }).click();
    const codes = await page
      .getByRole('dialog', { name: 'Your recovery codes' })
      .locator('pre')
      .textContent();
    expect(codes?.split('\n')).toHaveLength(10);
    await page.getByRole('button', { name: 'I have kept them' }).click();

    await page.context().clearCookies();
    await page.goto(`${base}/login`);
    await logIn(page, 'app@p.example');
    await page.getByLabel('Code of your authenticator app').waitFor();
    await accessible(page);
    await page.getByLabel('Code of your authenticator app').fill('000000');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('That did not fit').waitFor();
    await page.getByLabel('Code of your authenticator app').fill(totpCode(secret));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();

    await page.context().clearCookies();
    await page.goto(`${base}/login`);
    await logIn(page, 'app@p.example');
    await page.getByRole('button', { name: 'Use a recovery code instead' }).click();
    await page.getByLabel('Recovery code').fill(codes?.split('\n')[0] ?? '');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();

    await page.goto(`${base}/profile`);
    await page.getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Present password').fill('not the password');
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByText('This is not your password').waitFor();
    await dialog.getByLabel('Present password').fill(password);
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('button', { name: 'Set up' }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a passkey is added and logs in alone', async () => {
    const { page, faults } = await accept('key@p.example', 'operator');
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
      },
    });
    await page.goto(`${base}/profile`);
    await page.getByLabel('Name of the passkey').fill('Laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('never used').waitFor();
    await accessible(page);

    await page.context().clearCookies();
    await page.goto(`${base}/login`);
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();

    await page.context().clearCookies();
    await page.goto(`${base}/login`);
    await logIn(page, 'key@p.example');
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('an administrator invites, changes and disables', async () => {
    const { page, faults } = await accept('chief@p.example', 'admin');
    await page.goto(`${base}/users`);
    await page.getByRole('button', { name: 'Invite' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('<b>Budi</b>');
    await dialog.getByLabel('E-mail address').fill('budi@p.example');
    await dialog.getByLabel('Role').selectOption('investigator');
    await accessible(page);
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    const link = page.getByRole('dialog', { name: 'Link for the console' });
    const url = await link.getByLabel('Link', { exact: true }).inputValue();
    expect(url).toMatch(/\/console\/invitation#default\./);
    await link.getByRole('button', { name: 'Done' }).click();

    const row = page.getByRole('row').filter({ hasText: 'budi@p.example' });
    await row.getByText('Invited').waitFor();
    await row.getByRole('button', { name: '<b>Budi</b>' }).click();
    await dialog.getByLabel('Role').selectOption('operator');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row.getByText('Operator').waitFor();
    await row.getByRole('button', { name: '<b>Budi</b>' }).click();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await page
      .getByRole('dialog', { name: /Disable/ })
      .getByRole('button', { name: 'Disable' })
      .click();
    await row.getByText('Disabled').waitFor();
    await accessible(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('an API key is made, shown once, and revoked', async () => {
    const { page, faults } = await accept('keys@p.example', 'admin');
    await page.goto(`${base}/keys`);
    await page.getByRole('button', { name: 'New key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('checkout');
    await dialog.getByRole('button', { name: 'Make the key' }).click();
    await dialog.getByText('Choose at least one scope').waitFor();
    await dialog.getByLabel('sessions:read').check();
    await accessible(page);
    await dialog.getByRole('button', { name: 'Make the key' }).click();
    const shown = page.getByRole('dialog', { name: 'Your new key' });
    const key = await shown.getByLabel('Key', { exact: true }).inputValue();
    expect(
      (await platform.call('GET', '/v1/sessions', undefined, { authorization: `Bearer ${key}` })).status,
    ).toBe(200);
    await shown.getByRole('button', { name: 'I have kept it' }).click();
    const row = page.getByRole('row').filter({ hasText: 'checkout' });
    await row.getByRole('button', { name: 'Revoke: checkout' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('Revoked').waitFor();
    await accessible(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a password that is changed ends the log-in, in Indonesian too', async () => {
    const { page, faults } = await accept('bahasa@p.example', 'operator');
    await page.goto(`${base}/profile`);
    await page.getByRole('main').getByLabel('Language').selectOption('id');
    await page.getByRole('main').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Profil dan keamanan' }).waitFor();
    await page.getByLabel('Kata sandi sekarang').fill(password);
    await page.getByLabel('Kata sandi baru').fill('langit biru di atas');
    await page.getByRole('button', { name: 'Ubah kata sandi' }).click();
    await page.getByText('Kata sandi Anda telah diubah').waitFor();
    await page.getByLabel('Alamat surel').fill('bahasa@p.example');
    await page.getByLabel('Kata sandi').first().fill('langit biru di atas');
    await page.getByRole('button', { name: 'Masuk', exact: true }).click();
    await page.getByRole('navigation').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
