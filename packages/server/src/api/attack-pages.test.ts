/** What roles, other tenants, links and files give to who asks for what is not theirs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../users/service.ts';
import { openSession, type TestApi, testApi } from './testing.ts';
import { talk, visit, visited } from './transparency.testing.ts';
import { type Browser, person } from './users.testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(8);
});
afterAll(() => api.close());

const none = (prefix: string) => `${prefix}_${'0'.repeat(32)}`;

describe('what matters most', () => {
  // Written out here, so that a scope given to a role, or another scope given to a route, shows.
  const matters: readonly (readonly [string, string, readonly Role[]])[] = [
    ['GET', `/v1/calls/${none('call')}/recording?reason=dispute`, ['investigator']],
    ['POST', `/v1/calls/${none('call')}/recording/downloads`, ['investigator']],
    ['GET', `/v1/downloads/${none('dwn')}/file`, ['investigator']],
    ['POST', `/v1/downloads/${none('dwn')}/approve`, ['admin', 'investigator']],
    ['DELETE', `/v1/calls/${none('call')}/recording`, ['admin', 'investigator']],
    ['GET', `/v1/calls/${none('call')}/marks`, ['investigator']],
    ['POST', `/v1/sessions/${none('ses')}/participants/${none('par')}/reveal`, ['investigator']],
    ['POST', '/v1/privacy/export', ['admin']],
    ['GET', `/v1/privacy/requests/${none('prv')}/export`, ['admin']],
    ['POST', '/v1/privacy/erase', ['admin']],
    ['POST', '/v1/privacy/breach-report', ['admin']],
    ['GET', '/v1/ledger', ['admin', 'investigator', 'auditor']],
    ['POST', '/v1/keys', ['admin']],
    ['POST', '/v1/users', ['admin']],
    ['GET', '/v1/users', ['admin', 'auditor']],
    ['PATCH', '/v1/settings', ['admin']],
    ['GET', `/v1/webhooks/${none('whk')}/secret`, ['admin']],
    ['POST', '/v1/sessions', ['admin', 'operator']],
    ['POST', `/v1/disputes/${none('dsp')}/verdict`, ['admin', 'operator', 'investigator']],
    ['POST', `/v1/holds/${none('hld')}/release`, ['admin', 'operator', 'investigator']],
  ];

  test('is for these roles and no others', async () => {
    for (const role of ['admin', 'operator', 'investigator', 'auditor'] as const) {
      const browser: Browser = await person(api, `${role}@matters.example`, role);
      for (const [method, path, roles] of matters) {
        const { status } = await browser.call(method as 'GET', path);
        expect(status === 403, `${role}: ${method} ${path}`).toBe(!roles.includes(role));
        expect(status, `${role}: ${method} ${path}`).not.toBe(401);
      }
    }
  });
});

describe('another tenant', () => {
  test('finds nothing by ids that it knows, and changes nothing', async () => {
    await api.masking.createTenant({ tenant: 'rival', name: 'Rival' });
    const all = [
      ...(['admin', 'recordings:listen', 'recordings:download', 'recordings:approve'] as const),
      ...(['privacy:write', 'pii:reveal'] as const),
    ];
    const [ours, theirs] = [await api.key(all), await api.key(all, 'rival')];
    const mine = (method: 'POST' | 'PATCH', url: string, body?: unknown) =>
      api.call(method, url, { key: ours, ...(body === undefined ? {} : { body }) });
    const { session, people } = await visited(api, 60);
    const call = await talk(api, session, people[0]);
    const dispute = (await mine('POST', '/v1/disputes', { session, category: 'other', statement: 'Late.' }))
      .body;
    const hold = (await mine('POST', '/v1/holds', { session, reason: 'police' })).body.id;
    const mark = (await mine('POST', `/v1/calls/${call}/marks`, { milliseconds: 1, note: 'here' })).body.id;
    await mine('PATCH', '/v1/settings', { downloadApproval: true });
    const download = (await mine('POST', `/v1/calls/${call}/recording/downloads`, { reason: 'police' })).body
      .id;
    const right = (
      await mine('POST', '/v1/privacy/restrict', { participant: people[1].id, reason: 'by letter' })
    ).body.id;
    const webhook = (await mine('POST', '/v1/webhooks', { url: 'https://hooks.example.com/' })).body.id;
    const { body: invited } = await mine('POST', '/v1/users', {
      ...{ email: 'ours@tenants.example', name: 'Ours', role: 'operator' },
    });
    const user = invited.user.id;
    const { version } = dispute;
    const tries: readonly (readonly ['GET' | 'POST' | 'PATCH' | 'DELETE', string, unknown?])[] = [
      ['GET', `/v1/disputes/${dispute.id}`],
      ['PATCH', `/v1/disputes/${dispute.id}`, { version, status: 'investigating' }],
      ['POST', `/v1/disputes/${dispute.id}/notes`, { text: 'x' }],
      ['POST', `/v1/disputes/${dispute.id}/verdict`, { version, verdict: 'rejected', text: 'x' }],
      ['POST', '/v1/disputes', { session, category: 'other', statement: 'x' }],
      ['POST', '/v1/holds', { session, reason: 'for us' }],
      ['POST', `/v1/holds/${hold}/release`],
      ['GET', `/v1/calls/${call}/marks`],
      ['POST', `/v1/calls/${call}/marks`, { milliseconds: 1, note: 'x' }],
      ['DELETE', `/v1/calls/${call}/marks/${mark}`],
      ['GET', `/v1/calls/${call}/recording?reason=curious`],
      ['POST', `/v1/calls/${call}/recording/downloads`, { reason: 'curious' }],
      ['POST', `/v1/downloads/${download}/approve`],
      ['GET', `/v1/downloads/${download}/file`],
      ['GET', `/v1/privacy/requests/${right}`],
      ['POST', `/v1/privacy/requests/${right}/lift`, {}],
      ['DELETE', `/v1/calls/${call}/recording`],
      ['POST', '/v1/privacy/export', { participant: people[0].id, reason: 'curious' }],
      ['POST', '/v1/privacy/erase', { participant: people[0].id, reason: 'curious' }],
      ['POST', `/v1/sessions/${session}/participants/${people[0].id}/reveal`, { reason: 'curious' }],
      ['POST', `/v1/sessions/${session}/participants/${people[0].id}/transparency`],
      ['DELETE', `/v1/sessions/${session}/participants/${people[0].id}/transparency`],
      ['GET', `/v1/webhooks/${webhook}`],
      ['PATCH', `/v1/webhooks/${webhook}`, { url: 'https://elsewhere.example.com/' }],
      ['GET', `/v1/webhooks/${webhook}/secret`],
      ['POST', `/v1/webhooks/${webhook}/secret`],
      ['POST', `/v1/webhooks/${webhook}/replay`, { dead: true }],
      ['DELETE', `/v1/webhooks/${webhook}`],
      ['GET', `/v1/users/${user}`],
      ['PATCH', `/v1/users/${user}`, { role: 'auditor' }],
      ['POST', `/v1/users/${user}/invitation`, { secondFactor: true }],
    ];
    const count = async () =>
      (
        await api.database.database.query<{ n: string }>(
          '',
          `select count(*) as n from ledger where tenant = 'default'`,
          [],
        )
      )[0]?.n;
    const before = await count();
    for (const [method, path, body] of tries) {
      const answer = await api.call(method, path, {
        key: theirs,
        ...(body === undefined ? {} : { body }),
        headers: method === 'DELETE' ? { 'x-access-reason': 'curious' } : {},
      });
      expect(answer.status, `${method} ${path} ${answer.text}`).toBe(404);
    }
    for (const list of ['disputes', 'holds', 'downloads', 'privacy/requests', 'webhooks', 'users']) {
      const { body } = await api.call('GET', `/v1/${list}`, { key: theirs });
      expect(body.items, list).toEqual([]);
    }
    expect(await count()).toBe(before);
    // A link with the prefix of another tenant is one that never was.
    const token = people[0].path.slice('/t/default'.length);
    expect((await visit(api, `/t/rival${token}`)).status).toBe(404);
  });
});

describe('text that is markup', () => {
  const nasty = `"><script>alert(1)</script><svg onload=alert(2)>javascript:alert(3)`;

  test('is text on the participant’s page', async () => {
    const { people } = await visited(api, 61, { reference: nasty });
    const { text, headers } = await visit(api, people[0].path);
    expect(text).not.toMatch(/<script|<svg|onload=alert\(2\)>/);
    expect(text).toContain('&lt;script');
    expect(headers['content-security-policy']).toMatch(/default-src 'none'/);
    expect(headers['content-security-policy']).not.toMatch(/script-src|unsafe-eval/);
    expect(headers['x-frame-options']).toBe('DENY');
    const back = await visit(
      api,
      `${people[0].path}?lang=${encodeURIComponent(nasty)}&done=${encodeURIComponent(nasty)}`,
    );
    expect(back.text).not.toContain('<script');
  });

  test.each(['{"__proto__": {"admin": true}}', '{"constructor": {"prototype": {"x": 1}}}'])(
    'as a key of JSON is refused: %s',
    async (body) => {
      const session = await openSession(api, 62);
      const answer = await api.call('PATCH', `/v1/sessions/${session.id}`, { body });
      expect([400, 422]).toContain(answer.status);
      expect(({} as { admin?: unknown }).admin).toBeUndefined();
      await api.call('POST', `/v1/sessions/${session.id}/close`, { body: { reason: 'resolved' } });
    },
  );
});

describe('a path', () => {
  test.each([
    '/console/..%2f..%2fpackage.json',
    '/console/%2e%2e/%2e%2e/package.json',
    '/console/assets/..%2f..%2fpackage.json',
    '/console/assets/%00.js',
    '/console/index.html%00.png',
    '/console/.env',
    '/try/..%2f..%2f..%2fmain.ts',
    '/t/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    `/t/default.${'a'.repeat(2_000)}`,
    '/t/default.a%2F..%2F..',
  ])('does not lead out, and is not framed: %s', async (path) => {
    const { status, text, headers } = await visit(api, path);
    expect(status).toBeLessThan(504);
    expect(text).not.toMatch(/"devDependencies"|root:|import \{/);
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });
});
