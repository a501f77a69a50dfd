/** Every page of the console with a day's work in it: in light English, in dark Indonesian, and on a phone's viewport. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  browserInstalled,
  expectAccessible,
  phoneViewport,
  picture,
  type Visitor,
} from '../support/browser.ts';
import {
  daysWork,
  deadEndpoint,
  leftMessage,
  recordedTalk,
  type Stage,
  startStage,
  type Talk,
} from '../support/console-stage.ts';

/** Words that stand in the English console, and must not in the Indonesian one. */
const english = ['Loading', 'Search', 'Settings', 'Sessions', 'Created', 'Save', 'Cancel', 'Reason'];

/** Kept as pictures in the dark as well: the documentation needs no more. */
const darkPictures = ['sessions', 'session', 'dispute'];
/** Twenty pages, each looked through by axe. */
const patience = 400_000;

describe.skipIf(!browserInstalled)('the pages', () => {
  let stage: Stage;
  let talk: Talk;
  let work: Awaited<ReturnType<typeof daysWork>>;
  let endpoint: string;
  beforeAll(async () => {
    stage = await startStage();
    [talk, , endpoint] = await Promise.all([
      recordedTalk(stage, 'RIDE-1042'),
      leftMessage(stage, 'RIDE-1043'),
      deadEndpoint(stage),
    ]);
    work = await daysWork(stage);
  });
  afterAll(() => stage?.stop());

  /** By name of the picture. */
  const pages = (): readonly (readonly [name: string, path: string])[] => [
    ['overview', '/'],
    ['sessions', '/sessions'],
    ['session', `/sessions/${talk.session.id}`],
    ['disputes', '/disputes'],
    ['dispute', `/disputes/${work.dispute}`],
    ['numbers', '/numbers'],
    ['numbers-list', '/numbers?tab=numbers'],
    ['numbers-import', '/numbers?tab=import'],
    ['numbers-plan', '/numbers?tab=plan'],
    ['carriers', '/carriers'],
    ['programs', '/programs'],
    ['program', `/programs/${work.program}`],
    ['ledger', '/ledger'],
    ['privacy', '/privacy'],
    ['privacy-breach', '/privacy?tab=breach'],
    ['webhooks', '/webhooks'],
    ['webhook', `/webhooks/${endpoint}`],
    ['users', '/users'],
    ['keys', '/keys'],
    ['settings', '/settings'],
    ['profile', '/profile'],
    ['not-found', '/nothing/here'],
  ];

  async function settled(page: Page): Promise<void> {
    await page.locator('h1').first().waitFor();
    // Everything that the page asked for has come: live events never end, so the network is never idle.
    await expect.poll(() => page.locator('[aria-busy=true], .loading').count(), { timeout: 10_000 }).toBe(0);
  }

  async function look(visitor: Visitor, name: string, kept = true): Promise<void> {
    const { page } = visitor;
    await settled(page);
    await expectAccessible(page);
    expect(await page.locator('.error-box').allTextContents(), name).toEqual([]);
    expect(
      await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
      name,
    ).toBeLessThanOrEqual(0);
    if (kept) await picture(page, name);
  }

  async function visitAll(
    visitor: Visitor,
    suffix: string,
    also?: (name: string) => Promise<void>,
  ): Promise<void> {
    for (const [name, path] of pages()) {
      await visitor.page.goto(`${stage.origin}/console${path}`);
      await look(visitor, `${name}${suffix}`, suffix === '' || darkPictures.includes(name));
      await also?.(name);
    }
    expect(visitor.errors).toEqual([]);
  }

  test(
    'log-in, invitation and everything behind them, in light English',
    async () => {
      const visitor = await stage.browser.visitor({ colorScheme: 'light' });
      await visitor.page.goto(`${stage.origin}/console/login`);
      await look(visitor, 'login');
      const made = { email: 'new@jalan.example', name: 'Nia', role: 'operator' };
      const { invitationUrl } = await stage.make('/v1/users', made);
      await visitor.page.goto(`${stage.origin}/console/invitation${new URL(invitationUrl).hash}`);
      await visitor.page.getByText('Hello Nia').waitFor();
      await look(visitor, 'invitation');
      expect(visitor.errors).toEqual([]);
      await visitor.close();
      const admin = await stage.enter('admin', '/sessions', { colorScheme: 'light' });
      await visitAll(admin, '');
      await admin.close();
    },
    patience,
  );

  test(
    'in dark Indonesian, with no English word left',
    async () => {
      const options = { colorScheme: 'dark', locale: 'id' } as const;
      await stage.make(`/v1/users/${stage.users.admin.id}`, { locale: 'id' }, 'PATCH');
      const admin = await stage.enter('admin', '/sessions', options);
      expect(await admin.page.locator('html').getAttribute('lang')).toBe('id');
      await visitAll(admin, '-dark-id', async (name) => {
        const said = (await admin.page.locator('h1, h2, label, button, th, dt').allTextContents()).join('\n');
        const left = english.filter((word) => new RegExp(`\\b${word}\\b`).test(said));
        expect(left, name).toEqual([]);
      });
      await admin.close();
    },
    patience,
  );

  test('the participant’s page in each language on a phone', async () => {
    for (const locale of ['en', 'id', 'hi']) {
      const visitor = await stage.browser.visitor({ viewport: phoneViewport, locale });
      await visitor.page.goto(`${stage.origin}${talk.customersPage}?lang=${locale}`);
      await expectAccessible(visitor.page);
      expect(await visitor.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      expect(visitor.errors).toEqual([]);
      await picture(visitor.page, `participant-${locale}`, true);
      await visitor.close();
    }
  });

  test('the sessions on a narrow window', async () => {
    const visitor = await stage.enter('operator', '/sessions', { viewport: phoneViewport });
    await look(visitor, 'sessions-narrow');
    await visitor.page.goto(`${stage.origin}/console/sessions/${talk.session.id}`);
    await look(visitor, 'session-narrow');
    expect(visitor.errors).toEqual([]);
    await visitor.close();
  });
});
