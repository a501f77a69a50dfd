/** The participant's page, as a phone without scripts sees it. */
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { transparencyPages } from '../pages/index.ts';
import { languages } from '../pages/transparency/languages.ts';
import { actions, categories } from '../pages/transparency/words.ts';
import { createApi } from './api.ts';
import { phone, shows, type TestApi, tenant, testApi } from './testing.ts';
import { names, press, reaches, send, talk, type Visited, visit, visited } from './transparency.testing.ts';

let api: TestApi;
let seed = 0;
beforeAll(async () => {
  api = await testApi();
  await api.stock(60);
});
afterAll(() => api.close());

const open = (more: object = {}): Promise<Visited> => visited(api, ++seed, more);
const sql = <Row>(text: string, values: readonly unknown[]) =>
  api.database.database.query<Row>('', text, values);
const token = (path: string) => path.replace('/t/', '');

describe('the page', () => {
  it('is one small document that loads nothing, is kept by nobody, and names nobody', async () => {
    const { session, people } = await open();
    const [agent, customer] = people;
    for (let n = 0; n < 3; n++) await talk(api, session, agent);
    const page = await visit(api, customer.path);
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-robots-tag': expect.stringContaining('noindex'),
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/style-src 'sha256-[\w+/]+=*'/);
    expect(policy).not.toContain('script-src');
    expect(page.text).not.toMatch(/<script|<link|<img|src=|@import|url\(|https?:/);
    expect(page.text).toContain('<meta name="robots" content="noindex');
    expect(Buffer.byteLength(page.text)).toBeLessThan(25_000);
    expect(page.text).toContain(customer.dial);
    for (const text of [page.text, JSON.stringify(page.headers)]) {
      for (const one of [agent.phone, customer.phone]) expect(shows(text, one)).toBe(false);
      for (const name of names.flatMap((all) => all.split(' '))) expect(text).not.toContain(name);
      for (const { id } of people) expect(text).not.toContain(id);
    }
  });

  it('stays small with as many calls as a page shows, and the others are behind a link', async () => {
    const { session, people } = await open();
    await talk(api, session, people[0]);
    await sql(
      `insert into calls (tenant, call, session, participant, callee, number, node, boot, status, outcome, started_at,
          answered_at, ended_at)
        select c.tenant, 'call_' || lpad(to_hex(n), 32, '0'), c.session, c.participant, c.callee, c.number, c.node, c.boot,
            c.status, c.outcome, c.started_at - n * interval '1 hour', c.answered_at - n * interval '1 hour',
            c.ended_at - n * interval '1 hour'
          from calls c, generate_series(1, 30) n where c.tenant = $1 and c.session = $2`,
      [tenant, session],
    );
    for (const lang of ['en', 'id', 'hi']) {
      const first = await visit(api, `${people[1].path}?lang=${lang}`);
      expect(Buffer.byteLength(first.text), lang).toBeLessThan(25_000);
      expect(first.text.match(/<li><strong>/g)).toHaveLength(25);
      const second = await visit(api, `${people[1].path}?lang=${lang}&page=2`);
      expect(second.text.match(/<li><strong>/g)).toHaveLength(6);
    }
  });

  it('tells who reached them, who listened and why, with numbers left out and markup as text', async () => {
    const { session, people } = await open({ reference: 'Ride <b>7</b>' });
    const [agent, customer] = people;
    const call = await talk(api, session, agent, 65);
    const reason = 'ticket 4411 <script>alert(1)</script>: caller +62 812-3400 0001 says "hi"';
    await api.masking.openRecording(tenant, call, { actor: 'usr_7', reason: 'ticket 4411' });
    // As an entry of a time when reasons could hold numbers.
    await sql(
      `update ledger set details = jsonb_set(details, '{reason}', to_jsonb($3::text))
        where tenant = $1 and session = $2 and kind = 'recording.listened'`,
      [tenant, session, reason],
    );
    await api.masking.revealPhone(tenant, session, customer.id, { actor: 'key_7', reason: 'lost item' });
    await api.masking.revealPhone(tenant, session, agent.id, { actor: 'key_7', reason: 'about the agent' });
    const { text } = await visit(api, customer.path);
    expect(text).toContain('You were called');
    expect(text).toContain('talked for 1 min 5 s');
    expect(text).toMatch(/<time datetime="\d{4}-[^"]+Z">/);
    expect(text).toContain('a member of the company’s team');
    expect(text).toContain('ticket 4411 &lt;script&gt;alert(1)&lt;/script&gt;: caller … says &quot;hi&quot;');
    expect(text).toContain('Your phone number was shown');
    expect(text).toContain('lost item');
    expect(text).not.toContain('about the agent');
    expect(text).not.toContain('usr_7');
    expect(text).toContain('Ride &lt;b&gt;7&lt;/b&gt;');
    const other = await visit(api, agent.path);
    expect(other.text).toContain('You called');
    expect(other.text).toContain('about the agent');
    expect(other.text).not.toContain('lost item');
  });

  it('says how calls are recorded and for how long recordings are kept by the tenant’s rules', async () => {
    const set = (settings: object) =>
      sql('update tenants set settings = $2 where tenant = $1', [tenant, JSON.stringify(settings)]);
    const { people } = await open();
    const says = async () => (await visit(api, people[0].path)).text;
    expect(await says()).toMatch(/Calls are recorded\.[\s\S]*for 30 days/);
    await set({ retention: { recordingDays: 10, countries: { ID: 90 }, legalFloorDays: 0 } });
    expect(await says()).toContain('for 90 days');
    await set({ retention: { recordingDays: 10, countries: { ID: 5 }, legalFloorDays: 0 } });
    expect(await says()).toContain('for 5 days');
    await set({ recordingPolicy: { default: 'session', countries: { ID: 'consent' } } });
    expect(await says()).toContain('only when both sides agree');
    await set({ recordingPolicy: { default: 'consent', countries: { ID: 'off' } } });
    expect(await says()).toContain('Calls are not recorded.');
    await set({ recordingPolicy: { default: 'off', countries: {} } });
    expect(await says()).toContain('Calls are not recorded.');
    await set({});
  });

  it('names the business as its settings do', async () => {
    const { people } = await open();
    const named = (businessName: string) => api.call('PATCH', '/v1/settings', { body: { businessName } });
    expect((await visit(api, people[0].path)).text).toContain('Default');
    expect((await named('Jalan <i>Express</i>')).status).toBe(200);
    expect((await visit(api, people[0].path)).text).toContain('Jalan &lt;i&gt;Express&lt;/i&gt;');
    for (const wrong of [' Jalan', 'x'.repeat(81), 'a\u0000b']) expect((await named(wrong)).status).toBe(422);
    await named('');
  });

  it('doesn’t show a call that never reached them', async () => {
    const { session, people } = await open();
    await api.masking.closeSession(tenant, session, { reason: 'resolved' });
    expect(await reaches(api, people[0])).toBe(false);
    expect((await visit(api, people[1].path)).text).toContain('There were no calls.');
  });

  it('speaks the participant’s language, the chosen one, the browser’s', async () => {
    const { session, people } = await open();
    const language = async (query = '', headers = {}, path = people[0].path) =>
      /<html lang="(\w+)"/.exec((await visit(api, path + query, headers)).text)?.[1];
    expect(await language('', { 'accept-language': 'hi' })).toBe('en');
    expect(await language('?lang=hi')).toBe('hi');
    await sql('update participants set locale = $1 where session = $2', ['id-ID', session]);
    expect(await language()).toBe('id');
    expect(await language('?lang=xx')).toBe('id');
    const nowhere = '/t/default.nothing';
    expect(await language('', { 'accept-language': 'fr, hi-IN;q=0.8, en;q=0.3' }, nowhere)).toBe('hi');
    expect(await language('', { 'accept-language': ';;q=, \u00e9' }, nowhere)).toBe('en');
    expect(await language('?lang=en', { 'accept-language': 'id' }, nowhere)).toBe('en');
  });

  it('says who may still call after the end, and in which hours it can’t promise', async () => {
    const afterClose = { seconds: 7_200, allow: [{ from: 'agent', to: 'customer' }] };
    const schedule = { timeZone: 'Asia/Jakarta', windows: [{ days: ['mon'], from: '08:00', to: '20:00' }] };
    const { session, people } = await open({ afterClose, schedule });
    const before = (await visit(api, people[1].path)).text;
    expect(before).toContain('After the end, these may still call you for 2 h: Agent.');
    expect(before).toContain('certain hours');
    await api.masking.closeSession(tenant, session, { reason: 'resolved' });
    expect((await visit(api, people[1].path)).text).toContain('Agent: can call you');
    expect((await visit(api, people[0].path)).text).toContain('Nobody can reach you through this number.');
  });
});

describe('a link', () => {
  it('that never was, was revoked, was renewed or has expired gets one answer with one and the same look-up', async () => {
    const { session, people } = await open();
    const [agent, customer] = people;
    const at = (one: string) => `/v1/sessions/${session}/participants/${one}/transparency`;
    expect((await api.call('DELETE', at(agent.id))).status).toBe(204);
    const renewed = await api.call('POST', at(customer.id));
    expect(renewed.status).toBe(201);
    const path = new URL(renewed.body.transparencyUrl).pathname;
    expect((await visit(api, path)).status).toBe(200);
    const over = await open();
    await api.masking.closeSession(tenant, over.session, { reason: 'resolved' });
    expect((await visit(api, over.people[0].path)).status).toBe(200);
    await sql(`update sessions set closed_at = closed_at - interval '91 days' where session = $1`, [
      over.session,
    ]);

    const query = vi.spyOn(api.database.database, 'query');
    const wrong = [
      ...[agent.path, customer.path, over.people[0].path, `/t/default.${'A'.repeat(43)}`],
      ...['/t/x', '/t/default.', `/t/nobody.${'A'.repeat(43)}`, '/t/%00', '/t/default.%F0%9F%98%80'],
    ];
    const answers = new Set<string>();
    try {
      for (const one of wrong) {
        for (const below of ['', '/end', '/report', '/nothing']) {
          query.mockClear();
          const { status, headers, text } = await visit(api, `${one}${below}`);
          expect(status, one + below).toBe(404);
          const { date: _, 'x-request-id': __, ...same } = headers;
          answers.add(JSON.stringify([text, same]));
          expect(
            query.mock.calls.map(([name]) => name),
            one + below,
          ).toEqual(['find_transparency']);
        }
      }
    } finally {
      query.mockRestore();
    }
    expect(answers.size).toBe(1);
  });

  it('is renewed and revoked again and again, by many at once, and only the last one works', async () => {
    const { session, people } = await open();
    const at = `/v1/sessions/${session}/participants/${people[0].id}/transparency`;
    const made = await Promise.all(Array.from({ length: 4 }, () => api.call('POST', at)));
    const paths = made.map(({ body }) => new URL(body.transparencyUrl).pathname);
    expect(new Set(paths).size).toBe(4);
    const statuses = await Promise.all(paths.map(async (path) => (await visit(api, path)).status));
    expect(statuses.sort()).toEqual([200, 404, 404, 404]);
    await api.call('DELETE', at);
    for (const path of [...paths, people[0].path]) expect((await visit(api, path)).status).toBe(404);
    // Who is known by id only is still found.
    const block = await api.call('POST', '/v1/blocks', {
      body: { participant: people[0].id, counterpartParticipant: people[1].id, reason: 'report 1' },
    });
    expect(block.status, block.text).toBe(201);
    const kinds = await sql<{ readonly kind: string }>(
      `select distinct kind from ledger where subject = $1 and kind like 'link.%' order by kind`,
      [people[0].id],
    );
    expect(kinds.map((row) => row.kind)).toEqual(['link.renewed', 'link.revoked']);
    const foreign = await api.call(
      'POST',
      `/v1/sessions/ses_${'0'.repeat(32)}/participants/${people[0].id}/transparency`,
    );
    expect(foreign.status).toBe(404);
  });

  it('is in no log line, whatever comes of it', async () => {
    const { people } = await open();
    await visit(api, people[0].path);
    await press(api, `${people[0].path}/end`);
    await visit(api, '/t/default.abc');
    const said = JSON.stringify(api.lines);
    expect(said).toContain('/t/:token');
    expect(said).not.toContain(token(people[0].path));
    expect(said).not.toContain('default.abc');
  });

  it('of who was replaced shows their own time only, and ends nobody else’s', async () => {
    const { session, people } = await open();
    const successor = { role: 'agent', phone: phone(9_000 + seed) };
    const changed = await api.call('PATCH', `/v1/sessions/${session}`, {
      body: { participants: { replace: [{ participant: 'agent', with: successor }] } },
    });
    expect(changed.status, changed.text).toBe(200);
    expect((await visit(api, people[0].path)).text).toContain('Contact has ended.');
    await press(api, `${people[0].path}/end`);
    expect((await send(api, `${people[0].path}/end`, {})).status).toBe(400);
    expect((await api.masking.getSession(tenant, session)).status).toBe('open');
  });
});

describe('the buttons', () => {
  it('end contact, once, as the participant', async () => {
    const { session, people } = await open({
      afterClose: { seconds: 3_600, allow: [{ from: 'agent', to: 'customer' }] },
    });
    expect((await visit(api, `${people[1].path}/end`)).text).toContain('End contact now');
    expect(await reaches(api, people[0])).toBe(true);
    for (let n = 0; n < 2; n++) {
      const form = n === 0 ? await press(api, `${people[1].path}/end`) : await resend(people[1].path, 'end');
      expect(form.status).toBe(303);
      const result = await visit(api, String(form.headers['location']));
      expect(result.text).toContain('role="status">✓ Contact has ended.');
    }
    for (const one of people) expect(await reaches(api, one)).toBe(false);
    const entries = await sql(
      `select actor, details from ledger where session = $1 and kind = 'session.closed'`,
      [session],
    );
    expect(entries).toEqual([
      { actor: people[1].id, details: { status: 'closed', reason: 'ended-by-participant' } },
    ]);
  });

  it('block the others for good, once, and the others don’t learn of it', async () => {
    const { session, people } = await open();
    const [agent, customer] = people;
    const before = await visit(api, agent.path);
    const results = await Promise.all(Array.from({ length: 3 }, () => press(api, `${customer.path}/block`)));
    expect(results.map((one) => one.status)).toEqual([303, 303, 303]);
    expect((await resend(customer.path, 'block')).status).toBe(303);
    const blocks = await sql(`select actor from blocks where actor = $1`, [customer.id]);
    expect(blocks).toHaveLength(1);
    const { text } = await visit(api, customer.path);
    expect(text).toContain('You have blocked the others.');
    expect(text).toContain('Nobody can reach you through this number.');
    expect((await visit(api, agent.path)).text).toBe(before.text);
    for (const one of people) expect(await reaches(api, one)).toBe(false);
    const [entry] = await sql(
      `select actor, session from ledger where kind = 'party.blocked' and actor = $1`,
      [customer.id],
    );
    expect(entry).toEqual({ actor: customer.id, session });
    const later = await api.call('POST', '/v1/sessions', {
      body: {
        participants: people.map((one, at) => ({ role: at === 0 ? 'agent' : 'customer', phone: one.phone })),
      },
    });
    expect(later.body.type).toBe('/problems/blocked');
  });

  it('report: from the page to a verdict with a block, after which neither reaches the other', async () => {
    const { session, people } = await open();
    const [agent, customer] = people;
    const call = await talk(api, session, agent);
    const statement = '<img src=x onerror=alert(1)>\r\nउसने मुझे धमकी दी।';
    const fields = { category: 'harassment', call, statement };
    for (let n = 0; n < 2; n++) {
      const sent = await press(api, `${customer.path}/report`, fields);
      expect(sent.status, sent.text).toBe(303);
      expect((await visit(api, String(sent.headers['location']))).text).toContain(
        'Your report has been received.',
      );
    }
    const listed = await api.call('GET', `/v1/disputes?session=${session}&status=open`);
    expect(listed.body.items).toHaveLength(1);
    const [dispute] = listed.body.items;
    expect(dispute).toMatchObject({
      ...{ call, against: agent.id, category: 'harassment', version: 1 },
      openedBy: { kind: 'participant', id: customer.id },
      statement: '<img src=x onerror=alert(1)>\nउसने मुझे धमकी दी।',
    });
    const file = await api.call('GET', `/v1/disputes/${dispute.id}`);
    expect(file.body).toMatchObject({ calls: [call], hold: expect.stringMatching(/^hld_/), notes: [] });
    expect(file.body.history).toMatchObject([{ kind: 'dispute.opened', actor: customer.id }]);
    for (const text of [listed.text, file.text]) {
      for (const one of people) expect(shows(text, one.phone)).toBe(false);
    }
    expect((await visit(api, agent.path)).text).not.toContain('report has been received');
    const verdict = await api.call('POST', `/v1/disputes/${dispute.id}/verdict`, {
      body: { version: 1, verdict: 'upheld', text: 'Threat at 0:42.', block: { towards: 'others' } },
    });
    expect(verdict.status, verdict.text).toBe(200);
    expect(verdict.body).toMatchObject({
      status: 'resolved',
      verdict: { block: expect.stringMatching(/^blk_/) },
    });
    for (const one of people) expect(await reaches(api, one)).toBe(false);
    // Whoever is blocked sees what they saw before.
    expect((await visit(api, agent.path)).text).toContain('Contact is open.');
  });

  it('report takes back what can’t be taken, with the words still there', async () => {
    const { people } = await open();
    const path = `${people[0].path}/report`;
    const huge = 'अ'.repeat(4_001);
    for (const fields of [
      { category: 'fraud', statement: huge },
      { category: 'fraud', statement: '  ' },
      { category: 'fraud', statement: 'a\u0007b' },
      { category: 'nonsense', statement: '"><script>' },
      { category: 'fraud', statement: 'x', call: `call_${'0'.repeat(32)}` },
      { statement: 'x' },
    ]) {
      const sent = await press(api, path, fields);
      expect(sent.status).toBe(422);
      expect(sent.text).toContain('role="alert"');
      expect(sent.text).not.toContain('<script>');
    }
    expect((await press(api, path, { category: 'fraud', statement: huge })).text).toContain(huge);
    expect((await press(api, path, { category: 'fraud', statement: 'x'.repeat(70_000) })).status).toBe(400);
    const { body } = await api.call('GET', '/v1/disputes');
    expect(
      body.items.filter((one: { openedBy: { id: string } }) => one.openedBy.id === people[0].id),
    ).toEqual([]);
    expect((await press(api, path, { category: 'fraud', statement: 'अ'.repeat(4_000) })).status).toBe(303);
  });

  it('are pressed on the page itself only', async () => {
    const { session, people } = await open();
    const [one, other] = people.map(({ path }) => path) as [string, string];
    const formOf = async (path: string) =>
      /name="form" value="([^"]+)"/.exec((await visit(api, path)).text)?.[1] ?? '';
    const wrong = ['', 'x', await formOf(`${one}/block`), await formOf(`${other}/end`)];
    for (const form of wrong) {
      const sent = await send(api, `${one}/end`, { form });
      expect(sent.status, form).toBe(400);
      expect(sent.text).toContain('Nothing was changed.');
    }
    const form = await formOf(`${one}/end`);
    expect((await send(api, `${one}/end`, { form }, { 'sec-fetch-site': 'cross-site' })).status).toBe(400);
    const json = await api.app.inject({ method: 'POST', url: `${one}/end`, payload: { form } });
    expect(json.statusCode).toBe(400);
    const plain = { 'content-type': 'text/plain' };
    expect((await send(api, `${one}/end`, { form }, plain)).status).toBe(400);
    expect((await visit(api, `${one}/end`)).status).toBe(200);
    expect((await api.masking.getSession(tenant, session)).status).toBe('open');
    expect((await send(api, `${one}/end`, { form }, { 'sec-fetch-site': 'same-origin' })).status).toBe(303);
  });
});

/** The same platform, with the room of rights as it answers here. */
async function withErasure(
  askErasure: (token: string) => Promise<true | undefined>,
): Promise<FastifyInstance> {
  const { trust, users, webhooks, live } = api.rooms;
  const app = createApi({
    ...{ masking: api.masking, users, webhooks, live, recordings: '/nonexistent', checks: {} },
    trust: { ...trust, transparency: { ...trust.transparency, askErasure } },
    registry: new Registry(),
  });
  await app.ready();
  return app;
}

describe('asking for erasure', () => {
  it('waits for the business, and says so; where it fails, it can be tried again', async () => {
    const { people } = await open();
    const [agent] = people;
    const asked: string[] = [];
    const working = await withErasure(async (token) => {
      asked.push(token);
      return true;
    });
    const sent = await press({ app: working }, `${agent.path}/erase`);
    expect(sent.status).toBe(303);
    expect(asked).toEqual([token(agent.path)]);
    const failing = await withErasure(async () => Promise.reject(new Error('+6281234000001')));
    const failed = await press({ app: failing }, `${agent.path}/erase?lang=id`);
    expect(failed.status).toBe(503);
    expect(failed.text).toContain('Silakan coba lagi nanti');
    expect(failed.text).not.toContain('81234');
    await sql(
      `insert into rights_requests (tenant, request, kind, status, party, reason, requested_by, requested_at)
        select h.tenant, 'prv_' || h.party, 'erase', 'asked', h.party, '', $1, now() from participant_phones h
          where h.participant = $1`,
      [agent.id],
    );
    const page = await visit(api, `${agent.path}?done=erase`);
    expect(page.text).toContain('role="status">✓ You have asked for erasure.');
    await Promise.all([working.close(), failing.close()]);
  });
});

describe('somebody who asks too often', () => {
  it('waits a minute, whether the link works or not', async () => {
    const { people } = await open();
    for (const path of [people[0].path, `/t/default.${'B'.repeat(43)}`]) {
      const statuses: number[] = [];
      for (let n = 0; n < 61; n++) statuses.push((await visit(api, path)).status);
      expect(new Set(statuses.slice(0, 60)).has(429)).toBe(false);
      const refused = await visit(api, `${path}?lang=hi`);
      expect(refused.status).toBe(429);
      expect(refused.text).toContain('एक मिनट');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await visit(api, people[1].path)).status).toBe(200);
  });

  it('from one address waits, whichever link is tried', async () => {
    const app = fastify();
    await app.register(rateLimit, { global: false });
    const limits = { address: 3, token: 60 };
    await transparencyPages(app, api.rooms.trust.transparency, { failed: () => {}, limits });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) statuses.push((await app.inject(`/t/default.${n}`)).statusCode);
    expect(statuses).toEqual([404, 404, 404, 429, 429]);
    const other = await app.inject({ url: '/t/default.1', remoteAddress: '192.0.2.9' });
    expect(other.statusCode).toBe(404);
    await app.close();
  });
});

/** The same form once more, as a browser sends it that loads the page again: the button is gone, the form is not. */
async function resend(path: string, action: string) {
  const { createHmac } = await import('node:crypto');
  const form = createHmac('sha256', token(path)).update(`samar form ${action}`).digest('base64url');
  return send(api, `${path}/${action}`, { form });
}

describe('words', () => {
  it('are all there in each language, and each in its own', () => {
    const texts = (value: unknown, at = ''): readonly (readonly [string, string])[] => {
      if (typeof value === 'string') return [[at, value]];
      if (typeof value === 'function') return [[at, String(value('X', 'Y'))]];
      if (Array.isArray(value)) return value.flatMap((one, index) => texts(one, `${at}.${index}`));
      return Object.entries(value as object).flatMap(([name, one]) => texts(one, `${at}.${name}`));
    };
    const english = new Map(texts(languages.en));
    const same = new Set(['.seconds']);
    for (const language of ['id', 'hi'] as const) {
      const own = new Map(texts(languages[language]));
      expect([...own.keys()].sort()).toEqual([...english.keys()].sort());
      for (const [at, text] of own) {
        expect(text.trim(), at).not.toBe('');
        if (!same.has(at)) expect(text, at).not.toBe(english.get(at));
        if (language === 'hi' && !['.tag', '.seconds'].includes(at))
          expect(text, at).toMatch(/\p{Script=Devanagari}/u);
      }
    }
    for (const words of Object.values(languages)) {
      expect(actions.every((action) => words.action[action].explains.length > 0)).toBe(true);
      expect(categories.every((category) => words.report.categories[category] !== '')).toBe(true);
    }
  });
});
