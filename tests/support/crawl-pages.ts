/** The crawler of pages: what a page shows, holds, keeps, remembers and was told, as text to be searched. */
import type { Page, Request } from 'playwright-core';
import type { Visitor } from './browser.ts';
import type { Told } from './crawl.ts';

export interface PageCrawl {
  readonly told: readonly Told[];
  /** Searches what there is now: text, fields, DOM, address, history, storage; `route`: `page /console/sessions`. */
  look(route: string): Promise<void>;
  /** What came over the network so far, with the addresses that were asked. */
  network(): Promise<void>;
}

/** Runs in the page. */
const everything = `(async () => {
  const kept = [];
  for (const { name } of await indexedDB.databases()) {
    const base = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    for (const store of base.objectStoreNames) {
      const rows = base.transaction(store).objectStore(store).getAll();
      await new Promise((resolve) => { rows.onsuccess = resolve; });
      kept.push(JSON.stringify(rows.result));
    }
    base.close();
  }
  const cached = [];
  if (globalThis.caches) for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) cached.push(url);
  return JSON.stringify({
    text: document.body.innerText,
    fields: [...document.querySelectorAll('input, textarea, select')].map((one) => one.value),
    document: document.documentElement.outerHTML,
    title: document.title,
    address: location.href,
    referrer: document.referrer,
    state: history.state,
    local: { ...localStorage },
    session: { ...sessionStorage },
    cookies: document.cookie,
    kept, cached,
  });
})()`;

export async function crawlPages(visitor: Visitor, who: string): Promise<PageCrawl> {
  const { page, context, answers } = visitor;
  const told: Told[] = [];
  const requests: string[] = [];
  page.on('request', (request: Request) => {
    // What it sends in a body is its to send: the number that was typed.
    requests.push(`${request.method()} ${request.url()} ${request.headers()['referer'] ?? ''}`);
  });
  const devtools = await context.newCDPSession(page);
  let searched = 0;
  const keep = (route: string, url: string, text: string, status = 200) =>
    void told.push({ route, who, url, status, bytes: Buffer.from(text) });
  return {
    told,
    async look(route) {
      const state = String(await page.evaluate(everything));
      const past = JSON.stringify(await devtools.send('Page.getNavigationHistory'));
      keep(route, page.url(), `${state}\n${past}`);
    },
    async network() {
      for (const { url, status, text } of answers.slice(searched)) {
        keep(routeOf(url), url, text, status);
      }
      searched = answers.length;
      keep('requests', page.url(), requests.join('\n'));
    },
  };
}

/** `GET /v1/sessions/{id}` of a whole URL, as the rules name it; anything else is a page. */
function routeOf(url: string): string {
  const { pathname } = new URL(url);
  const pattern = pathname
    .replace(/(?<=\/(?:destinations|pools)\/)[^/]+/, '{name}')
    .replace(/\/(?:par|mrk)_[0-9a-f]{32}/, '/{participant}')
    .replace(/[a-z]+_[0-9a-f]{32}/, '{id}');
  return pathname.startsWith('/v1/') ? `GET ${pattern}` : `page ${pathname}`;
}

/** Until nothing on it says that it is still loading. */
export async function settled(page: Page): Promise<void> {
  await page
    .locator('main h1')
    .first()
    .waitFor({ timeout: 30_000 })
    .catch((error: unknown) => {
      throw new Error(`${page.url()} shows nothing`, { cause: error });
    });
  const loading = page.locator('.loading');
  for (let turn = 0; turn < 200 && (await loading.count()) > 0; turn++) await page.waitForTimeout(50);
}

/** Whatever can be opened on a page without changing anything: what is folded, each tab, each dialog. */
export async function unfold(page: Page, look: () => Promise<void>, mostButtons = 8): Promise<void> {
  await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
  await look();
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click({ timeout: 1_000 }).catch(() => {});
    await look();
  }
  const names = await page
    .locator('main button:enabled')
    .evaluateAll((all) => all.map((one) => (one as unknown as { readonly textContent: string }).textContent));
  const harmless =
    /^(reveal number|close|renew|revoke|new|invite|open|edit|import|place|hold|why|explain|block|call)/i;
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (!harmless.test(name.trim()) || seen.has(name) || seen.size >= mostButtons) continue;
    seen.add(name);
    const button = page.locator('main button:enabled').nth(index);
    if (!(await button.isVisible().catch(() => false))) continue;
    await button.click({ timeout: 1_000 }).catch(() => {});
    if ((await page.getByRole('dialog').count()) === 0) continue;
    await look();
    await page.keyboard.press('Escape');
    await page
      .getByRole('dialog')
      .first()
      .waitFor({ state: 'detached', timeout: 2_000 })
      .catch(() => {});
  }
}
