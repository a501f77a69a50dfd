import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roles } from '../packages/server/src/users/service.ts';
import { type Browser, startBrowser } from './support/browser.ts';
import { type Canary, canarySearch, createAviary, describeHits, findPlain } from './support/canaries.ts';
import {
  type Allowed,
  ask,
  crawl,
  type Document,
  searcherOf,
  type Told,
  wrongRequests,
} from './support/crawl.ts';
import { crawlPages, settled, unfold } from './support/crawl-pages.ts';
import { type Asker, type Crowd, pretendNumbers, type Staff, startCrowd } from './support/crowd.ts';
import { bytesOfFile, filesOf, tablesOf } from './support/kept.ts';

/**
 * No phone number in any answer but by a reveal that is in the ledger: every GET of the API as everybody, every page of
 * the console and of the participants, and everything that is kept or sent, searched for every person of a platform
 * that has been lived on.
 */
const built = existsSync(fileURLToPath(new URL('../packages/console/dist/index.html', import.meta.url)));
let crowd: Crowd;
let browser: Browser | undefined;
let document: Document;
let canaries: readonly Canary[];
let search: ReturnType<typeof searcherOf>;

const call: Crowd['scene']['call'] = (...request) => crowd.scene.platform.call(...request);
const askers = (): readonly Asker[] => [crowd.key, ...crowd.staff];
const person = (name: string) => crowd.people[name] ?? { number: '', name: '' };
const staff = (role: string) => crowd.staff.find(({ who }) => who === role) as Staff;
const leaks = (told: readonly Told[]) => told.flatMap((one) => search.search(one));
const said = (route: string, text: string): Told => ({
  ...{ route, who: 'platform', url: '', status: 0 },
  bytes: Buffer.from(text),
});

beforeAll(async () => {
  crowd = await startCrowd();
  document = (await call('GET', '/openapi.json')).body;
  const words = [...crowd.written, ...crowd.secrets];
  canaries = [
    ...crowd.canaries(),
    { where: 'control', kind: 'number', value: crowd.control.text },
    ...words.map(({ what, text }): Canary => ({ where: what, kind: 'text', value: text })),
  ];
  const { number, name } = person('customer');
  search = searcherOf(canaries, [
    ...[...words, crowd.control].map(({ text, shownBy }): Allowed => ({ where: shownBy, what: [text] })),
    // A copy is of the person themselves: their own number and name, and nobody else's.
    { where: /^GET \/v1\/privacy\/requests\/\{id\}\/export$/, what: [number, name] },
    // Both pretend phones say on the page which is their own; what they are called by is told over the socket.
    { where: /^page \/try(\/phones)?$/, what: [...pretendNumbers] },
  ]);
  browser = built ? await startBrowser().catch(() => undefined) : undefined;
}, 120_000);
afterAll(async () => {
  await browser?.stop();
  await crowd?.stop();
});

test('no answer to any GET, whoever asks, holds a number, a name or what somebody wrote elsewhere', async () => {
  for (const asker of askers()) {
    const told = await crawl(call, document, asker);
    expect(told.filter(({ status }) => status === 200).length, asker.who).toBeGreaterThan(50);
    expect(told.filter(({ status }) => status >= 500)).toEqual([]);
    expect(leaks(told)).toEqual([]);
  }
  // The control: what may be seen somewhere was found there, so the rest would have been found as well.
  const found = (text: string) => (search.expected.get(text) ?? 0) > 0;
  expect(crowd.written.filter(({ text }) => !found(text)).map(({ what }) => what)).toEqual([]);
  expect([crowd.control.text, person('customer').number, person('customer').name].map(found)).toEqual([
    true,
    true,
    true,
  ]);
});

test('nor does any POST that only reads, asked by number', async () => {
  const { main } = crowd.sessions;
  const day = 86_400_000;
  const time = {
    from: new Date(Date.now() - day).toISOString(),
    to: new Date(Date.now() + day).toISOString(),
  };
  const { items } = (await call('GET', '/v1/webhooks')).body;
  const definition = { rules: [{ then: { connect: {} } }] };
  for (const asker of askers()) {
    const told: Told[] = [];
    const post = async (path: string, body: unknown, url = path) => {
      told.push(await ask(call, asker, `POST ${path}`, url, body));
    };
    for (const { number } of Object.values(crowd.people)) {
      await post('/v1/sessions/search', { phone: number });
      await post('/v1/ledger/search', { phone: number });
    }
    await post('/v1/sessions/search', { reference: 'job-main' });
    await post('/v1/ledger/search', { participant: main.ids[0] });
    await post('/v1/ledger/verify', undefined);
    await post('/v1/programs/test', { definition, session: main.id, caller: 'customer' });
    await post('/v1/privacy/breach-report', time);
    await post('/v1/privacy/breach-report', time, '/v1/privacy/breach-report?format=csv');
    for (const { id } of items) await post('/v1/webhooks/{id}/test', {}, `/v1/webhooks/${id}/test`);
    expect(told.filter(({ status }) => status >= 500)).toEqual([]);
    expect(told.filter(({ status }) => status === 200).length, asker.who).toBeGreaterThan(0);
    expect(leaks(told)).toEqual([]);
  }
});

test.skipIf(!built)(
  'the participants’ pages and the page for trying hold none, in any language',
  async () => {
    const base = `http://localhost:${crowd.scene.platform.server.http.port}`;
    const told: Told[] = [];
    const visitor = await (browser as Browser).visitor({ viewport: { width: 360, height: 740 } });
    const pageCrawl = await crawlPages(visitor, 'participant');
    for (const path of crowd.pages) {
      for (const lang of ['en', 'id', 'hi']) {
        for (const below of ['', '/end', '/block', '/report', '/erase']) {
          await visitor.page.goto(`${base}${path}${below}?lang=${lang}`);
          expect((await visitor.page.textContent('h1'))?.length).toBeGreaterThan(3);
          await pageCrawl.look('page /t');
        }
      }
    }
    await pageCrawl.network();
    await visitor.close();
    told.push(
      ...pageCrawl.told.map((one) => ({ ...one, route: one.route.replace('requests', 'page requests') })),
    );

    const trying = await (browser as Browser).visitor();
    const tryCrawl = await crawlPages(trying, 'somebody trying');
    trying.page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload === 'string') told.push(said('socket of /try', payload));
      });
    });
    await trying.page.goto(`${base}/try`);
    await trying.page.waitForSelector('#phone-driver[data-state=idle]', { timeout: 20_000 });
    await trying.page.click('#open');
    await trying.page.waitForSelector('#session p');
    await trying.page.locator('#phone-driver .call').click();
    await trying.page.waitForSelector('#phone-customer[data-state=ringing]', { timeout: 20_000 });
    await tryCrawl.look('page /try');
    await trying.page.locator('#phone-driver .hangup').click();
    await tryCrawl.network();
    await trying.close();
    told.push(...tryCrawl.told);
    expect(told.length).toBeGreaterThan(40);
    expect(leaks(told)).toEqual([]);
  },
  120_000,
);

/** A browser in which somebody of the staff is logged in. */
async function consoleOf({ who, cookie }: Staff) {
  const base = `http://localhost:${crowd.scene.platform.server.http.port}`;
  const visitor = await (browser as Browser).visitor();
  const [name = '', value = ''] = cookie.split('=');
  await visitor.context.addCookies([{ name, value, url: base, httpOnly: true, sameSite: 'Strict' }]);
  const { page } = visitor;
  const pages = await crawlPages(visitor, who);
  const go = async (path: string) => {
    await page.goto(`${base}/console/${path}`);
    await settled(page);
  };
  return { visitor, page, pages, go };
}

test.skipIf(!built).each(roles)(
  'no page of the console shows, keeps or is told one: %s',
  async (role) => {
    const { visitor, page, pages, go } = await consoleOf(staff(role));
    const { items: disputes } = (await call('GET', '/v1/disputes')).body;
    const { items: hooks } = (await call('GET', '/v1/webhooks')).body;
    const { main, group } = crowd.sessions;
    const nav = 'sessions disputes numbers carriers programs ledger privacy webhooks users keys settings';
    const paths = [
      ...[`sessions/${main.id}`, `sessions/${group.id}`, `disputes/${disputes[0].id}`],
      ...[`webhooks/${hooks[0].id}`, ...nav.split(' '), 'profile'],
    ];
    for (const path of paths) {
      await go(path);
      const look = () => pages.look(`page /console/${path}`);
      // Whoever may most, and whoever may reveal, is also offered most: their dialogs are opened, too.
      if (role === 'admin' || role === 'investigator') await unfold(page, look);
      else await look();
    }
    await pages.network();
    expect(pages.told.length).toBeGreaterThan(paths.length * 2);
    expect(leaks(pages.told)).toEqual([]);
    expect(visitor.errors).toEqual([]);
    await visitor.close();
  },
  120_000,
);

test.skipIf(!built)(
  'a number that is typed to find somebody is in no address, no store and no page',
  async () => {
    const { visitor, page, pages, go } = await consoleOf(staff('investigator'));
    const find = page.getByRole('main').getByRole('button', { name: 'Search', exact: true });
    const held = page.getByText('Sessions of the party whose number you typed.');
    await go('sessions');
    await page.getByLabel('Party’s number').fill(person('customer').number);
    await find.click();
    await held.waitFor();
    await settled(page);
    await pages.look('page /console/sessions');
    await page.getByRole('main').getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('searchbox').fill(person('seller').number);
    await page.getByRole('searchbox').press('Enter');
    await held.waitFor();
    await pages.look('page /console/sessions');
    // In the wrong box: shown where it was typed, and in no address.
    await go('sessions');
    await page.getByLabel('Reference', { exact: true }).fill(person('agent').number);
    await find.click();
    await settled(page);
    expect(decodeURIComponent(page.url())).not.toContain(person('agent').number.slice(3));
    await go('ledger');
    await page.getByLabel('A person’s number').fill(person('customer').number);
    await page.getByRole('button', { name: 'Search person' }).click();
    await page.getByText('Everything that concerns one person.').waitFor();
    await settled(page);
    await pages.look('page /console/ledger');
    await pages.network();
    expect(leaks(pages.told)).toEqual([]);
    await visitor.close();
  },
  120_000,
);

test('what is wrong with a request is said without its number, wherever the number stands', async () => {
  const aviary = createAviary(2);
  const { number } = aviary.plant('a request');
  const { main } = crowd.sessions;
  const known = (path: string) =>
    path
      .replace('/sessions/{id}', `/sessions/${main.id}`)
      .replace('/participants/{participant}', `/participants/${main.ids[0]}`)
      .replace('/calls/{id}', `/calls/${crowd.mainCall}`)
      .replace('{name}', 'office')
      .replace(/\{\w+\}/g, `xyz_${'0'.repeat(32)}`);
  const wrong = canarySearch(aviary.canaries, 6);
  const refused: string[] = [];
  const repeated = new Set<string>();
  for (const { route, at, url, body } of wrongRequests(document, number, known)) {
    const method = route.split(' ')[0] ?? '';
    if (route === 'GET /v1/live' || method === 'DELETE') continue;
    const told = await ask(call, crowd.key, route, url, body);
    expect(told.status, `${route} ${at}`).toBeLessThan(500);
    const hits = wrong(told.bytes);
    if (told.status >= 400) refused.push(...describeHits(hits).map((hit) => `${route} ${at}: ${hit}`));
    else if (hits.length > 0) repeated.add(`${route} ${at}`);
  }
  expect(refused).toEqual([]);
  // What the tenant and its staff name and word themselves comes back; a person's number has another field.
  expect([...repeated].sort()).toEqual([
    'GET /v1/sessions ?reference',
    'POST /v1/keys /name',
    'POST /v1/programs /definition/rules/0/name',
    'POST /v1/programs/test /definition/rules/0/name',
    'POST /v1/sessions /reference',
    'POST /v1/users /name',
  ]);
  // What people write into the ledger, or into what goes out with events, holds none.
  const { items } = (await call('GET', '/v1/numbers?limit=1')).body;
  const reasons: readonly (readonly [string, string, object])[] = [
    ['POST', `/v1/sessions/${main.id}/close`, {}],
    ['POST', `/v1/sessions/${main.id}/participants/${main.ids[0]}/reveal`, {}],
    ['POST', `/v1/calls/${crowd.mainCall}/recording/downloads`, {}],
    ['POST', `/v1/numbers/${items[0].id}/replace`, {}],
    ['POST', '/v1/blocks', { participant: main.ids[0] }],
  ];
  for (const [method, path, more] of reasons) {
    for (const reason of [number.slice(1), `call ${number.slice(1, 6)} ${number.slice(6)} back`]) {
      const { status, body } = await call(method, path, { ...more, reason }, crowd.key.headers);
      expect([status, body.errors?.[0]?.pointer], path).toEqual([422, '/reason']);
    }
  }
  for (const method of ['GET', 'DELETE']) {
    const headers = { ...crowd.key.headers, 'x-access-reason': `asked by ${number}` };
    const { status, text } = await call(method, `/v1/calls/${crowd.mainCall}/recording`, undefined, headers);
    expect([status, wrong(Buffer.from(text))], method).toEqual([422, []]);
  }
}, 120_000);

test.skipIf(!built)(
  'the console reveals one number for a while, and forgets it',
  async () => {
    const { main } = crowd.sessions;
    const { visitor, page, pages, go } = await consoleOf(staff('investigator'));
    await go(`sessions/${main.id}`);
    await page.getByRole('button', { name: 'Reveal the number of customer' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('to ask the customer back');
    await page.getByRole('dialog').getByRole('button', { name: 'Reveal number' }).click();
    const shown = page.getByTestId('revealed');
    await shown.waitFor();
    const digits = ((await shown.textContent()) ?? '').replaceAll(/\D/g, '');
    expect(digits).toContain(person('customer').number.slice(1));
    // The control: the search finds it while it is shown, and nobody else's.
    const found = leaks([said('page', digits)]);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((hit) => !/: person \d+ customer \(/.test(hit))).toEqual([]);
    await shown.getByRole('button', { name: 'Hide' }).click();
    await shown.waitFor({ state: 'detached' });
    await pages.look(`page /console/sessions/${main.id}`);
    expect(leaks(pages.told)).toEqual([]);
    await visitor.close();
  },
  60_000,
);

test('each reveal stands in the ledger once: who, whose, why', async () => {
  const { body } = await call('GET', '/v1/ledger?kind=phone.revealed&limit=200');
  const { items: users } = (await call('GET', '/v1/users')).body;
  const investigator = users.find(({ role }: { role: string }) => role === 'investigator').id;
  const { main } = crowd.sessions;
  const inConsole = { actor: 'investigator', session: main.id, participant: main.ids[1] };
  const reveals = [
    ...crowd.reveals,
    ...(built ? [{ ...inConsole, reason: 'to ask the customer back' }] : []),
  ];
  const line = (one: { actor: string; session: string; subject: string; reason: string }) =>
    [
      one.actor === investigator ? 'investigator' : one.actor.replace(/_.*/, ''),
      one.session,
      one.subject,
      one.reason,
    ].join(' ');
  expect(
    body.items
      .map((one: { actor: string; session: string; subject: string; details: { reason: string } }) =>
        line({ ...one, reason: one.details.reason }),
      )
      .sort(),
  ).toEqual(
    reveals
      .map(({ actor, session, participant, reason }) =>
        line({ actor, session, subject: participant ?? '', reason }),
      )
      .sort(),
  );
  expect((await call('POST', '/v1/ledger/verify')).body.ok).toBe(true);
});

test('nothing that was sent meanwhile holds one: webhooks, live events, log, metrics, SIP', async () => {
  expect(crowd.delivered.length).toBeGreaterThan(20);
  expect(crowd.live()).toContain('event: session.opened');
  const { log } = crowd.scene.platform;
  expect(log.length).toBeGreaterThan(50);
  const told = [
    said('webhooks', crowd.delivered.join('\n')),
    said('live', crowd.live()),
    said('log', log.join('\n')),
    said('metrics', (await call('GET', '/metrics')).text),
  ];
  expect(leaks(told)).toEqual([]);
  const { hits, planted } = await crowd.scene.leaks();
  expect(planted).toBeGreaterThan(4);
  expect(hits).toEqual([]);
});

test('nothing that is kept can be read: no row of any table, no file, no name of a file', async () => {
  const tables = await tablesOf(crowd.scene.platform);
  const filled = tables.filter(({ rows }) => rows.length > 0).map(({ table }) => table);
  expect(filled).toEqual(
    expect.arrayContaining([
      ...['disputes', 'dispute_notes', 'legal_holds', 'rights_requests', 'recording_downloads', 'ledger'],
      ...['users', 'user_totp', 'user_sessions', 'webhook_endpoints', 'events', 'idempotency_keys', 'blocks'],
    ]),
  );
  expect(leaks(tables.map(({ table, rows }) => said(`table ${table}`, rows.join('\n'))))).toEqual([]);
  const files = await filesOf(crowd.scene.platform);
  const { directory } = crowd.scene.platform;
  expect(files.some((file) => file.includes('recordings/'))).toBe(true);
  expect(leaks([said('names of files', files.join('\n').replaceAll(directory, ''))])).toEqual([]);
  // What stands in clear in a table by design stands in the database's files, too.
  const clear = new Set(
    [...crowd.written, crowd.control]
      .filter(({ shownBy }) => shownBy.source.includes('table'))
      .map(({ text }) => text),
  );
  const sealed = canaries.filter(({ value }) => !clear.has(value));
  for (const file of files) {
    expect(describeHits(findPlain(await bytesOfFile(file), sealed)), file).toEqual([]);
  }
}, 60_000);
