import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession, phone, shows, type TestApi, testApi } from './testing.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await testApi();
  await api.stock(6);
  key = await api.key(['privacy:write']);
});
afterAll(async () => {
  await api.rooms.trust.rights.get('default', 'prv_x').catch(() => {});
  await api.close();
});

const post = (path: string, body: unknown, with_ = key) =>
  api.call('POST', `/v1/privacy/${path}`, { body, key: with_ });
const get = (path: string, with_ = key) => api.call('GET', `/v1/privacy/${path}`, { key: with_ });
async function finished(id: string) {
  for (let turn = 0; turn < 500; turn++) {
    const answer = await get(`requests/${id}`);
    if (answer.body.status !== 'running') return answer;
    await sleep(20);
  }
  throw new Error('still running');
}

describe('privacy', () => {
  it('gives a copy as JSON, page and table', async () => {
    const session = await openSession(api, 1);
    const asked = await post('export', { participant: session.participants[1].id, reason: 'a letter' });
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ kind: 'export', phone: expect.stringMatching(/^\+62•+\d{4}$/) });
    expect((await finished(asked.body.id)).body).toMatchObject({ status: 'done', reason: 'a letter' });
    const json = await get(`requests/${asked.body.id}/export`);
    expect(json.headers['content-type']).toMatch(/^application\/json/);
    expect(json.headers['cache-control']).toBe('no-store');
    expect(json.body).toMatchObject({ format: 'samar-export/1', person: { phones: [{ number: phone(3) }] } });
    const html = await get(`requests/${asked.body.id}/export?format=html`);
    expect(html.headers['content-type']).toMatch(/^text\/html/);
    expect(html.headers['content-disposition']).toMatch(/^attachment/);
    expect(html.headers['content-security-policy']).toMatch(/default-src 'none'/);
    const csv = await get(`requests/${asked.body.id}/export?format=csv`);
    expect(csv.headers['content-type']).toMatch(/^text\/csv/);
    for (const answer of [json, html, csv]) expect(shows(answer.text, phone(2))).toBe(false);
    expect((await get(`requests/${asked.body.id}/export?format=xml`)).status).toBe(422);
  });

  it('erases, restricts and lifts, and lists what was asked', async () => {
    await openSession(api, 2);
    const restricted = await post('restrict', { phone: phone(4), reason: 'contested' });
    expect(restricted).toMatchObject({ status: 202, body: { kind: 'restrict', status: 'done' } });
    const refused = await api.call('POST', '/v1/sessions', {
      body: {
        participants: [
          { role: 'agent', phone: phone(4) },
          { role: 'customer', phone: phone(900) },
        ],
      },
    });
    expect(refused).toMatchObject({ status: 409, body: { type: '/problems/subject-restricted' } });
    expect(refused.body.errors[0].pointer).toBe('/participants/0/phone');
    expect(shows(refused.text, phone(4))).toBe(false);
    expect((await post(`requests/${restricted.body.id}/lift`, {})).body.status).toBe('lifted');
    const asked = await post('erase', { phone: phone(4), reason: 'a letter' });
    expect(asked.status).toBe(202);
    const done = await finished(asked.body.id);
    expect(done.body).toMatchObject({ status: 'done', receipt: { bindingsCut: 1, recordingsHeld: 0 } });
    expect(done.body.phone).toBeUndefined();
    expect((await get('requests?kind=erase&status=done')).body.items).toMatchObject([{ id: asked.body.id }]);
    const first = await get('requests?limit=1');
    expect(first.body.items).toHaveLength(1);
    const rest = await get(`requests?after=${first.body.next}`);
    expect(rest.body.items.length).toBeGreaterThan(0);
    expect((await post('erase', { phone: phone(4), reason: 'a letter' })).status).toBe(404);
  });

  it('decides what was asked on the page', async () => {
    const session = await openSession(api, 3);
    const asked = await api.rooms.trust.rights.askErasure('default', session.participants[0].id);
    const refused = await post(`requests/${asked.id}/decide`, { grant: false, reason: 'a dispute' });
    expect(refused).toMatchObject({
      status: 200,
      body: { status: 'refused', decision: { reason: 'a dispute' } },
    });
    expect(await post(`requests/${asked.id}/decide`, { grant: true, reason: 'after all' })).toMatchObject({
      status: 409,
      body: { type: '/problems/already-decided' },
    });
  });

  it('reports who was affected, as a table, too', async () => {
    const session = await openSession(api, 4);
    const reveal = await api.key(['pii:reveal']);
    const path = `/v1/sessions/${session.id}/participants/${session.participants[0].id}/reveal`;
    expect((await api.call('POST', path, { key: reveal, body: { reason: 'wrong address' } })).status).toBe(
      200,
    );
    const question = {
      from: new Date(Date.now() - 60_000).toISOString(),
      to: new Date(Date.now() + 60_000).toISOString(),
      kinds: ['phone.revealed'],
    };
    const report = await post('breach-report', question);
    expect(report).toMatchObject({
      status: 200,
      body: { entries: 1, cut: false, people: [{ sessions: 1, kinds: ['phone.revealed'] }] },
    });
    expect(shows(report.text, phone(8))).toBe(false);
    const csv = await post('breach-report?format=csv', question);
    expect(csv.headers['content-type']).toMatch(/^text\/csv/);
    expect(csv.text).toMatch(/^party,phone,sessions,first,last,kinds\r\npty_\w+,'\+62•/);
  });

  it.each([
    ['nobody', 'export', { reason: 'a letter' }, 422],
    ['two', 'erase', { phone: phone(1), participant: `par_${'0'.repeat(32)}`, reason: 'a letter' }, 422],
    ['no reason', 'erase', { phone: phone(1) }, 422],
    ['an empty reason', 'restrict', { phone: phone(1), reason: '     ' }, 422],
    ['an endless reason', 'restrict', { phone: phone(1), reason: 'x'.repeat(501) }, 422],
    ['no number', 'export', { phone: '123', reason: 'a letter' }, 422],
    ['somebody unknown', 'export', { phone: phone(77_777), reason: 'a letter' }, 404],
    ['an unknown participant', 'erase', { participant: `par_${'0'.repeat(32)}`, reason: 'a letter' }, 404],
    ['more than it takes', 'erase', { phone: phone(1), reason: 'a letter', now: true }, 422],
    ['a request that is none', `requests/prv_${'0'.repeat(32)}/lift`, {}, 404],
    ['a decision of nothing', `requests/prv_${'0'.repeat(32)}/decide`, { grant: true, reason: 'yes' }, 404],
    [
      'a time the wrong way round',
      'breach-report',
      { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      422,
    ],
    [
      'a kind that is none',
      'breach-report',
      { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', kinds: ["'"] },
      422,
    ],
  ])('refuses %s', async (_, path, body, status) => {
    const answer = await post(path, body);
    expect(answer.status, answer.text).toBe(status);
    for (const index of [1, 77_777]) expect(shows(answer.text, phone(index))).toBe(false);
  });

  it('is another business’s no more than another scope’s', async () => {
    const session = await openSession(api, 5);
    const asked = await post('export', { phone: phone(10), reason: 'a letter' });
    await finished(asked.body.id);
    await api.masking.createTenant({ tenant: 'other', name: 'Other' });
    const stranger = await api.key(['privacy:write'], 'other');
    expect((await get(`requests/${asked.body.id}`, stranger)).status).toBe(404);
    expect((await get(`requests/${asked.body.id}/export`, stranger)).status).toBe(404);
    expect((await post('erase', { phone: phone(10), reason: 'a letter' }, stranger)).status).toBe(404);
    expect(
      (await post('erase', { participant: session.participants[0].id, reason: 'a letter' }, stranger)).status,
    ).toBe(404);
    expect((await post('erase', { phone: phone(10), reason: 'a letter' }, api.adminKey)).status).toBe(403);
  });
});
