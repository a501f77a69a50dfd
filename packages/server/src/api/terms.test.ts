// biome-ignore-all lint/suspicious/noThenProperty: the language's own word; nothing here is ever awaited
/** What a session declares of its life and its calls: given back, changed, taken away, and what is wrong in it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSession, phone, shows, type TestApi, allTerms as terms, testApi, twoPeople } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(12);
});
afterAll(() => api.close());

const open = (seed: number, more: Readonly<Record<string, unknown>> = {}) => openSession(api, seed, more);
const made = new Map<string, Promise<{ id: string; participants: { id: string }[] }>>();
function once(name: string, make: () => Promise<{ id: string; participants: { id: string }[] }>) {
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}

describe('terms', () => {
  test('are given back as they were declared, and taken away by null', async () => {
    const session = await open(1, terms);
    expect(session).toMatchObject(terms);
    const path = `/v1/sessions/${session.id}`;
    expect((await api.call('GET', path)).body).toMatchObject(terms);
    const names = Object.keys(terms).filter((name) => name !== 'ongoingCalls');
    const gone = Object.fromEntries(names.map((name) => [name, null]));
    const { body: bare, status, text } = await api.call('PATCH', path, { body: gone });
    expect(status, text).toBe(200);
    for (const name of names) expect(bare).not.toHaveProperty(name);
    expect(bare.ongoingCalls).toBe('warn');
    const again = await api.call('PATCH', path, { body: { limits: { calls: 3 }, whisper: ['ended'] } });
    expect(again.body).toMatchObject({ limits: { calls: 3 }, whisper: ['ended'] });
    expect(again.body).not.toHaveProperty('survey');
  });

  test('of the people: time zones, one-way masks, codes', async () => {
    const [agent, customer] = twoPeople(2).participants;
    const { body } = await api.call('POST', '/v1/sessions', {
      body: {
        participants: [
          { ...agent, timeZone: 'Asia/Jakarta', mayStart: true },
          { ...customer, mayStart: false },
        ],
      },
    });
    expect(body.participants[0]).toMatchObject({ timeZone: 'Asia/Jakarta', mayStart: true, open: false });
    expect(body.participants[1]).toMatchObject({ mayStart: false, reach: 'number' });
    expect(body.participants[1].number).toBe(body.participants[1].dial);
    expect(body.participants[0].joinedAt).toMatch(/Z$/);
  });

  test('a code stands behind the number, so that a phone dials both in one tap', async () => {
    const session = await open(3, { pin: true });
    for (const one of session.participants) {
      expect(one.pin).toMatch(/^\d{6}$/);
      expect(one.dial).toBe(`${one.number},,${one.pin}#`);
    }
  });

  test('a program of the session, one that is saved, and one version of it', async () => {
    const definition = { rules: [{ then: { connect: {} } }] };
    await api.call('POST', '/v1/programs', { body: { name: 'saved', definition } });
    const named = await open(4, { program: 'saved' });
    expect(named.program).toBe('saved');
    const pinned = await open(5, { program: { name: 'saved', version: 1 } });
    expect(pinned.program).toEqual({ name: 'saved', version: 1 });
    const inline = await open(6, { program: definition });
    expect(inline.program).toEqual(definition);
    for (const program of ['nothing', { name: 'saved', version: 7 }]) {
      const answer = await api.call('POST', '/v1/sessions', { body: twoPeople(7, { program }) });
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.type).toBe('/problems/unknown-program');
      expect(answer.body.errors[0].pointer).toMatch(/^\/program/);
    }
  });

  const window = { from: '08:00', to: '12:00' };
  test.each([
    ['a program that is a number', { program: 5 }, '/program'],
    ['a program that is a list', { program: [] }, '/program'],
    ['an empty name', { program: '' }, '/program'],
    ['a version that is text', { program: { name: 'x', version: '1' } }, '/program/version'],
    ['a version without a name', { program: { version: 1 } }, '/program/name'],
    ['a version and more', { program: { name: 'x', version: 1, z: 1 } }, '/program/z'],
    ['a schedule without a zone', { schedule: { windows: [window] } }, '/schedule/timeZone'],
    [
      'a zone that cannot be one',
      { schedule: { timeZone: '+07:00', windows: [window] } },
      '/schedule/timeZone',
    ],
    [
      'a zone that there is not',
      { schedule: { timeZone: 'Asia/Nowhere', windows: [window] } },
      '/schedule/timeZone',
    ],
    ['no windows', { schedule: { timeZone: 'UTC', windows: [] } }, '/schedule/windows'],
    [
      'half past a quarter',
      { schedule: { timeZone: 'UTC', windows: [{ from: '8:00', to: '24:01' }] } },
      '/schedule/windows/0/from',
    ],
    [
      'a day that is none',
      { schedule: { timeZone: 'UTC', windows: [{ ...window, days: ['monday'] }] } },
      '/schedule/windows/0/days/0',
    ],
    [
      'an exception that says nothing',
      { schedule: { timeZone: 'UTC', windows: [window], exceptions: [{ date: '2026-12-25' }] } },
      '/schedule/exceptions/0',
    ],
    [
      'an exception that says both',
      {
        schedule: {
          timeZone: 'UTC',
          windows: [window],
          exceptions: [{ date: '2026-12-25', closed: true, windows: [window] }],
        },
      },
      '/schedule/exceptions/0',
    ],
    ['too short a call', { limits: { callSeconds: 9 } }, '/limits/callSeconds'],
    ['an unknown limit', { limits: { call: 9 } }, '/limits/call'],
    ['a call without an end', { ongoingCalls: 'continue' }, '/ongoingCalls'],
    ['after the close for a year', { afterClose: { seconds: 31_536_000, allow: [] } }, '/afterClose/seconds'],
    ['after the close for nobody', { afterClose: { seconds: 3600, allow: [] } }, '/afterClose/allow'],
    [
      'after the close by phone',
      { afterClose: { seconds: 3600, allow: [{ from: phone(1), to: 'agent' }] } },
      '/afterClose/allow/0/from',
    ],
    ['a whisper that is none', { whisper: false }, '/whisper'],
    ['a whisper of nothing', { whisper: [] }, '/whisper'],
    ['a flag as text', { accept: 'yes' }, '/accept'],
    ['a survey of nobody', { survey: {} }, '/survey/of'],
    ['a survey with letters', { survey: { of: 'agent', keys: 'AB' } }, '/survey/keys'],
    ['a day that is none to open on', { opensAt: '2030-02-30T00:00:00Z' }, '/opensAt'],
  ])('%s is refused, at opening and later', async (_name, more, pointer) => {
    const opening = await api.call('POST', '/v1/sessions', { body: twoPeople(8, more) });
    const session = await once('terms', () => open(9));
    const changing = await api.call('PATCH', `/v1/sessions/${session.id}`, { body: more });
    for (const answer of [opening, changing]) {
      expect(answer.status, answer.text).toBe(422);
      const pointers = answer.body.errors.map((error: { pointer: string }) => error.pointer);
      expect(pointers, answer.text).toContain(pointer);
      expect(shows(answer.text, phone(1))).toBe(false);
    }
  });

  test.each(['recording', 'ongoingCalls', 'metadata', 'expiresAt', 'ttlSeconds', 'participants'])(
    '%s is always there: it can be changed, not taken away',
    async (name) => {
      const session = await once('terms', () => open(9));
      const answer = await api.call('PATCH', `/v1/sessions/${session.id}`, { body: { [name]: null } });
      expect(answer.status).toBe(422);
      expect(answer.body.errors[0].pointer).toBe(`/${name}`);
    },
  );

  test.each([
    ['sticky', { sticky: true }],
    ['pin', { pin: true }],
    ['pool', { pool: 'default' }],
    ['sharedNumber', { sharedNumber: true }],
  ])('%s is said at opening only', async (name, body) => {
    const session = await once('terms', () => open(9));
    const answer = await api.call('PATCH', `/v1/sessions/${session.id}`, { body });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([{ pointer: `/${name}`, detail: 'unknown field' }]);
  });
});
