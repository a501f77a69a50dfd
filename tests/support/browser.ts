/**
 * A real Chromium for tests of what people see. Every page that a test looks at is also checked for accessibility and
 * kept as a picture.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { findPeer, peers } from '../../scripts/peers.ts';

const root = join(import.meta.dirname, '..', '..');
const pictures = join(root, process.env['SAMAR_SCREENSHOTS'] ? 'docs' : 'tmp', 'screenshots');

export interface Browser {
  /** A visitor of their own: nothing is shared with the others. Every page error and console error is kept. */
  visitor(options?: BrowserContextOptions): Promise<Visitor>;
  stop(): Promise<void>;
}

export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page: errors of scripts, refused by the page's policy, failed requests of its own files. */
  readonly errors: readonly string[];
  /** Every answer's body and headers that the page got as text, with its URL. */
  readonly answers: readonly { readonly url: string; readonly status: number; readonly text: string }[];
  close(): Promise<void>;
}

/**
 * Whether Chromium is there: tests with it are left out by name elsewhere (`describe.skipIf(!browserInstalled)`), and
 * `scripts/test.ts` makes that a failure in CI.
 */
export const browserInstalled = process.env['SAMAR_PEERS']?.split(',').includes('chromium') ?? false;

export const phoneViewport = { width: 360, height: 740 } as const;

export async function startBrowser(): Promise<Browser> {
  const peer = peers.find(({ name }) => name === 'chromium');
  const executablePath = peer && findPeer(peer);
  if (executablePath === undefined) throw new Error('chromium is not installed');
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // A synthetic microphone that beeps, and sound without a click.
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
  return {
    async visitor(options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1_280, height: 800 },
        locale: 'en',
        timezoneId: 'Asia/Jakarta',
        reducedMotion: 'reduce',
        ...options,
      });
      const page = await context.newPage();
      const errors: string[] = [];
      const answers: { url: string; status: number; text: string }[] = [];
      page.on('pageerror', (error) => errors.push(`${error.name}: ${error.message}`));
      page.on('console', (message) => {
        // Chromium itself reports refused requests so; a test that expects one looks at the answer.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          errors.push(message.text());
      });
      page.on('response', (response) => {
        const type = response.headers()['content-type'] ?? '';
        if (!/json|html|csv|svg|javascript|text\/plain/.test(type)) return;
        void response
          .text()
          .then((text) => answers.push({ url: response.url(), status: response.status(), text }))
          .catch(() => {});
      });
      return { context, page, errors, answers, close: () => context.close() };
    },
    async stop() {
      await browser.close();
    },
  };
}

/** No fault that axe calls serious or critical; what it found otherwise is named. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ target }) => target.join(' '))
          .slice(0, 3)
          .join(', ')}`,
    );
  expect(found, page.url()).toEqual([]);
}

/**
 * The picture that the documentation shows: written to `tmp/screenshots`, and with SAMAR_SCREENSHOTS set to
 * `docs/screenshots`, for times and ids in it differ from run to run.
 */
export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  await mkdir(pictures, { recursive: true });
  // What sticks to the top of the window does so in the picture.
  if (fullPage) await page.evaluate('scrollTo(0, 0)');
  const bytes = await page.screenshot({ path: join(pictures, `${name}.png`), fullPage });
  expect(bytes.length).toBeGreaterThan(4_000);
}
