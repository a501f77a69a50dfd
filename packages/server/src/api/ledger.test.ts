import { nodeDoors } from '@samar/doors';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { newId } from '../masking/ids.ts';
import type { Masking } from '../masking/service.ts';
import { targetsOf } from '../masking/testing.ts';
import { sealLedger } from '../store/queries/ledger.ts';
import { openSession, phone, shows, type TestApi, tenant, testApi } from './testing.ts';

let api: TestApi;
let auditor: string;
beforeAll(async () => {
  api = await testApi();
  await api.stock(20);
  auditor = await api.key(['ledger:read']);
});
afterAll(() => api.close());

// biome-ignore lint/suspicious/noExplicitAny: as `Answer.body`
type Entry = any;
async function entries(query: string): Promise<readonly Entry[]> {
  const answer = await api.call('GET', `/v1/ledger${query}`, { key: auditor });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.items;
}
async function find(body: object): Promise<readonly Entry[]> {
  const answer = await api.call('POST', '/v1/ledger/search', { key: auditor, body });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.items;
}
async function actorOf(key: string): Promise<string> {
  return (await api.masking.authenticate(key))?.actor ?? '';
}

describe('the actor of a change', () => {
  let key: string;
  let actor: string;
  beforeAll(async () => {
    key = await api.key(['admin', 'pii:reveal', 'recordings:listen']);
    actor = await actorOf(key);
  });
  async function ask(
    method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    url: string,
    body?: unknown,
  ): Promise<Entry> {
    const answer = await api.call(method, url, { key, ...(body === undefined ? {} : { body }) });
    expect(answer.status, `${method} ${url} ${answer.text}`).toBeLessThan(300);
    return answer.body;
  }
  /** The newest entry that the key made: what and about what. */
  async function newest(): Promise<Entry> {
    return (await entries(`?actor=${actor}&limit=1`))[0];
  }

  it('is the key, whatever it changes', async () => {
    const carrier = await ask('POST', '/v1/carriers', {
      ...{ name: 'second', kind: 'sip', host: '203.0.113.9', transport: 'udp' },
    });
    expect(await newest()).toMatchObject({ kind: 'carrier.created', subject: carrier.id });
    await ask('PATCH', `/v1/carriers/${carrier.id}`, {
      ...{ host: '203.0.113.10', enabled: true, auth: { username: 'u', password: 'secret word' } },
    });
    expect(await newest()).toMatchObject({
      kind: 'carrier.changed',
      details: { fields: ['host', 'allowedSources', 'auth'] },
    });
    const added = await ask('POST', '/v1/numbers', {
      ...{ numbers: ['+6221999000001', '+6221999000002'], pool: 'second', carrier: 'second' },
      capabilities: ['voice'],
    });
    expect(await newest()).toMatchObject({ kind: 'numbers.added', subject: 'second', details: { count: 2 } });
    const number = added.numbers[0].id;
    await ask('PATCH', `/v1/numbers/${number}`, { enabled: false });
    expect(await newest()).toMatchObject({
      kind: 'number.changed',
      subject: number,
      details: { enabled: false },
    });
    await ask('POST', `/v1/numbers/${number}/replace`, { reason: 'spam' });
    expect(await newest()).toMatchObject({ kind: 'number.quarantined', subject: number });
    await ask('DELETE', `/v1/numbers/${number}`);
    expect(await newest()).toMatchObject({ kind: 'number.deleted', subject: number });
    await ask('DELETE', `/v1/numbers/${added.numbers[1].id}`);
    await ask('PATCH', '/v1/pools/second', { exhaustion: 'pin' });
    expect(await newest()).toMatchObject({ kind: 'pool.changed', details: { exhaustion: 'pin' } });
    await ask('DELETE', `/v1/carriers/${carrier.id}`);
    expect(await newest()).toMatchObject({ kind: 'carrier.deleted', subject: carrier.id });

    const other = await ask('POST', '/v1/keys', { name: 'other', scopes: ['sessions:read'] });
    expect(await newest()).toMatchObject({
      kind: 'key.created',
      subject: other.id,
      details: { scopes: ['sessions:read'] },
    });
    await ask('DELETE', `/v1/keys/${other.id}`);
    expect(await newest()).toMatchObject({ kind: 'key.revoked', subject: other.id });
    await ask('PATCH', '/v1/settings', { ringSeconds: 33 });
    expect(await newest()).toMatchObject({ kind: 'settings.changed', details: { fields: ['ringSeconds'] } });

    await ask('PUT', '/v1/destinations/support', { phone: '+622129999999' });
    expect(await newest()).toMatchObject({ kind: 'destination.changed', details: { change: 'added' } });
    await ask('DELETE', '/v1/destinations/support');
    const definition = { rules: [{ then: { connect: {} } }] };
    const program = await ask('POST', '/v1/programs', { name: 'p', definition });
    expect(await newest()).toMatchObject({
      kind: 'program.saved',
      subject: program.id,
      details: { version: 1 },
    });
    await ask('PATCH', `/v1/programs/${program.id}`, { name: 'q' });
    expect(await newest()).toMatchObject({ kind: 'program.saved', details: { fields: ['name'] } });
    await ask('DELETE', `/v1/programs/${program.id}`);
    expect(await newest()).toMatchObject({ kind: 'program.deleted', subject: program.id });
  });

  it('is the key, whatever it does with sessions and people', async () => {
    const session = await ask('POST', '/v1/sessions', {
      participants: [
        { role: 'agent', phone: phone(900) },
        { role: 'customer', phone: phone(901) },
      ],
    });
    expect(await newest()).toMatchObject({ kind: 'session.opened', session: session.id });
    await ask('PATCH', `/v1/sessions/${session.id}`, { idleSeconds: 600 });
    expect(await newest()).toMatchObject({ kind: 'session.changed', details: { fields: ['idleSeconds'] } });
    const customer = session.participants[1].id;
    await ask('POST', `/v1/sessions/${session.id}/participants/${customer}/claims`);
    expect(await newest()).toMatchObject({ session: session.id, subject: customer });
    await ask('POST', `/v1/sessions/${session.id}/participants/${customer}/reveal`, { reason: 'lost item' });
    const revealed = await newest();
    expect(revealed).toMatchObject({
      ...{ kind: 'phone.revealed', session: session.id, subject: customer, details: { reason: 'lost item' } },
      party: expect.stringMatching(/^pty_/),
    });
    await ask('POST', `/v1/sessions/${session.id}/close`, { reason: 'resolved' });
    expect(await newest()).toMatchObject({ kind: 'session.closed', details: { reason: 'resolved' } });
    await ask('POST', `/v1/sessions/${session.id}/reopen`, {});
    expect(await newest()).toMatchObject({ kind: 'session.reopened', session: session.id });
    const block = await ask('POST', '/v1/blocks', { participant: customer, reason: 'threats' });
    expect(await newest()).toMatchObject({ kind: 'party.blocked', subject: block.id, party: revealed.party });
    await ask('DELETE', `/v1/blocks/${block.id}`);
    expect(await newest()).toMatchObject({ kind: 'block.lifted', subject: block.id });
  });

  it('is never the API itself, and no entry shows a number', async () => {
    const all = await api.database.database.query<{ readonly text: string; readonly actor: string }>(
      '',
      'select l::text as text, actor from ledger l',
      [],
    );
    expect(all.length).toBeGreaterThan(25);
    expect(all.filter((one) => one.actor === 'api')).toEqual([]);
    for (const e164 of [phone(900), phone(901), '+622129999999', '+6221999000001', 'secret word']) {
      for (const { text } of all) expect(text).not.toContain(e164.replace('+62', ''));
    }
  });
});

describe('the ledger', () => {
  it('is filtered by what, who, when and about what, sealed or not, in pages', async () => {
    const session = await openSession(api, 700);
    const one = await entries(`?session=${session.id}`);
    expect(one).toMatchObject([{ kind: 'session.opened', session: session.id }]);
    expect(one[0].sequence).toBeUndefined();
    await sealLedger(api.database.database);
    const [opened] = await entries(`?session=${session.id}`);
    expect(opened).toMatchObject({
      sequence: expect.any(Number),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await api.call('POST', `/v1/sessions/${session.id}/close`, { body: { reason: 'resolved' } });
    const both = await entries(`?session=${session.id}`);
    expect(both.map((entry) => entry.kind)).toEqual(['session.closed', 'session.opened']);
    expect(await entries(`?session=${session.id}&kind=session.closed`)).toEqual([both[0]]);
    expect(await entries(`?session=${session.id}&kind=session.*`)).toEqual(both);
    expect(await entries(`?session=${session.id}&kind=recording.*`)).toEqual([]);
    expect(await entries(`?session=${session.id}&actor=switch`)).toEqual([]);
    expect(await entries('?subject=default&kind=numbers.added')).toHaveLength(1);
    const from = encodeURIComponent(both[0].at);
    expect((await entries(`?session=${session.id}&from=${from}`)).at(0)).toEqual(both[0]);
    expect(await entries(`?session=${session.id}&to=${encodeURIComponent(both[1].at)}`)).toEqual([]);
    expect(await entries('?from=2001-01-01T00:00:00Z&to=2002-01-01T00:00:00Z')).toEqual([]);

    const all = await entries('?limit=200');
    const paged: Entry[] = [];
    for (let after: string | undefined; ; ) {
      const query = `/v1/ledger?limit=7${after === undefined ? '' : `&after=${after}`}`;
      const { body } = await api.call('GET', query, { key: auditor });
      paged.push(...body.items);
      after = body.next;
      if (after === undefined) break;
    }
    expect(paged).toEqual(all);
    const family: Entry[] = all.filter((entry) => entry.kind.startsWith('session.'));
    expect(await entries('?kind=session.*&limit=200')).toEqual(family);
  });

  it('belongs to its tenant', async () => {
    await api.masking.createTenant({ tenant: 'other', name: 'Other' });
    const foreign = await api.key(['ledger:read'], 'other');
    const { body } = await api.call('GET', '/v1/ledger?limit=200', { key: foreign });
    expect(body.items.map((one: Entry) => one.kind)).toEqual(['key.created', 'tenant.created']);
    const session = await openSession(api, 701);
    const ask = { participant: session.participants[0].id };
    const answer = await api.call('POST', '/v1/ledger/search', { key: foreign, body: ask });
    expect(answer).toMatchObject({ status: 422, body: { type: '/problems/unknown-participant' } });
    const person = await api.call('POST', '/v1/ledger/search', {
      key: foreign,
      body: { phone: phone(1402) },
    });
    expect(person.body).toEqual({ items: [] });
  });

  it('is verified, and its roots and key can be asked for', async () => {
    await sealLedger(api.database.database);
    const check = await api.call('POST', '/v1/ledger/verify', { key: auditor });
    expect(check.body).toMatchObject({ ok: true, unsealed: 0, roots: 0, digest: expect.any(String) });
    expect(check.body.entries).toBeGreaterThan(25);
    const key = await api.call('GET', '/v1/ledger/public-key', { key: auditor });
    expect(key.body).toEqual({
      keyId: expect.stringMatching(/^[0-9a-f]{16}$/),
      pem: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----\n/),
    });
    const insert = `insert into ledger_roots (tenant, day, sequence, entries, digest, signature, key_id, signed_at)
      select '${tenant}', date '2026-01-01' + i, i, 1, 'x', 's', 'k', now() from generate_series(1, 5) i`;
    await api.database.database.query('', insert, []);
    const first = (await api.call('GET', '/v1/ledger/roots?limit=3', { key: auditor })).body;
    expect(first).toMatchObject({ items: [{ day: '2026-01-06' }, {}, {}], next: '2026-01-04' });
    const rest = (await api.call('GET', `/v1/ledger/roots?limit=3&after=${first.next}`, { key: auditor }))
      .body;
    expect(rest.items.map((one: Entry) => one.day)).toEqual(['2026-01-03', '2026-01-02']);
    const forged = await api.call('POST', '/v1/ledger/verify', { key: auditor });
    expect(forged.body).toEqual({ ok: false, fault: 'root-forged', sequence: 1 });
  });

  it('finds what concerns one person: their calls and recordings, not those of others in the session', async () => {
    const { masking } = api;
    const carrier = (await masking.listCarriers(tenant, { limit: 1 })).items[0]?.id ?? '';
    const session = await openThree(masking);
    const [driver, rider, guest] = session.participants;
    if (!driver || !rider || !guest) throw new Error('three take part');
    const call = await talk(driver.dial, phone(911), carrier, rider.id);
    await masking.openRecording(tenant, call, { actor: 'key_listener', reason: 'complaint' });
    await masking.revealPhone(tenant, session.id, rider.id, { actor: 'key_curious', reason: 'lost item' });
    await sealLedger(api.database.database);
    await masking.updateSession(tenant, session.id, { participants: { remove: [guest.id] } });
    await masking.closeSession(tenant, session.id, { reason: 'resolved' });

    const kinds = async (person: object) =>
      (await find({ ...person, session: session.id })).map((entry) => entry.kind);
    const everybody = ['session.changed', 'session.opened'];
    const talked = ['connection', 'recording.started', 'recording.listened', 'session.closed'];
    const drivers = await kinds({ phone: phone(911) });
    expect(drivers).toEqual(expect.arrayContaining([...everybody, ...talked]));
    expect(drivers).not.toContain('phone.revealed');
    const riders = await kinds({ participant: rider.id });
    expect(riders.filter((kind) => kind !== 'phone.revealed')).toEqual(drivers);
    expect(riders).toContain('phone.revealed');
    expect(await kinds({ phone: phone(913) })).toEqual(everybody);
    expect(await find({ phone: phone(999) })).toEqual([]);
    expect(await find({ phone: phone(912), kind: 'phone.*' })).toMatchObject([
      { kind: 'phone.revealed', actor: 'key_curious' },
    ]);
    expect((await find({ phone: phone(912), limit: 2 })).length).toBe(2);
  });

  async function openThree(masking: Masking) {
    const people = [
      { role: 'driver', phones: [phone(911)] },
      { role: 'rider', phones: [phone(912)] },
      { role: 'guest', phones: [phone(913)] },
    ];
    return masking.createSession(tenant, { participants: people, recording: 'announce' });
  }

  /** A recorded talk from a dialled number to a participant. */
  async function talk(dialled: string, from: string, carrier: string, callee: string): Promise<string> {
    const { masking } = api;
    const call = newId(nodeDoors(), 'call');
    const carriers = [{ tenant, carrier }];
    const decision = await masking.decide({ kind: 'call', carriers, called: dialled, caller: from, call });
    if (decision.kind !== 'run') throw new Error('not connected');
    const target = targetsOf(decision).find((one) => one.participant === callee);
    const { session } = decision;
    expect(await masking.answered({ tenant, call, session, participant: callee })).toBe(true);
    const parties = [decision.caller.party, target?.party ?? ''] as const;
    const announcement = { caller: 'en', callee: 'en', version: '1' };
    const made = await masking.recordingStarted({ tenant, call, session, parties, announcement });
    const end = { milliseconds: 1_000, bytes: 1_000, sha256: 'ab'.repeat(32) };
    await masking.recordingEnded({ tenant, recording: made.recording, status: 'complete', ...end });
    return call;
  }
});

test.each([
  ['session=nobody', 'session'],
  ['session=ses_019b', 'session'],
  [`subject=${encodeURIComponent('+6281100000001')}`, 'subject'],
  ['subject=6281100000001', 'subject'],
  ['subject=a%00b', 'subject'],
  ['actor=Robert', 'actor'],
  [`actor=${'a'.repeat(200)}`, 'actor'],
  ['kind=recording.**', 'kind'],
  ['kind=*', 'kind'],
  ["kind=a'%20or%201=1--", 'kind'],
  ['from=yesterday', 'from'],
  ['from=2026-02-30T00:00:00Z', 'from'],
  ['to=2026-13-01T00:00:00Z', 'to'],
  ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['after=evt_019b3c5e7a1048f2c6d0a4b8e1f35927', 'after'],
  ['phone=%2B6281100000001', 'phone'],
  ['participant=par_019b3c5e7a1048f2c6d0a4b8e1f35927', 'participant'],
])('GET /v1/ledger?%s is refused by the name of what is wrong', async (query, parameter) => {
  const answer = await api.call('GET', `/v1/ledger?${query}`, { key: auditor });
  expect(answer.status, answer.text).toBe(422);
  expect(answer.body.errors).toMatchObject([{ parameter }]);
  expect(shows(answer.text, '+6281100000001')).toBe(false);
});

test.each([
  [{ phone: 'nobody' }, '/phone'],
  [{ phone: '+6281100000001', participant: 'par_019b3c5e7a1048f2c6d0a4b8e1f35927' }, '/participant'],
  [{ participant: 'par_1' }, '/participant'],
  [{ participant: 'par_019b3c5e7a1048f2c6d0a4b8e1f35927' }, '/participant'],
  [{ phone: phone(1), from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, '/from'],
  [{ phone: phone(1), after: 'x' }, '/after'],
  [{ phone: phone(1), session: 'x' }, '/session'],
  [{ kind: 7 }, '/kind'],
  [{ person: 'x' }, '/person'],
])('POST /v1/ledger/search %j is refused by the place', async (body, pointer) => {
  const answer = await api.call('POST', '/v1/ledger/search', { key: auditor, body });
  expect(answer.status, answer.text).toBe(422);
  expect(answer.body.errors).toMatchObject([{ pointer }]);
  expect(shows(answer.text, '+6281100000001')).toBe(false);
});

test.each(['after=2026-1-1', 'after=evt_019b3c5e7a1048f2c6d0a4b8e1f35927', 'limit=0', 'day=2026-01-01'])(
  'GET /v1/ledger/roots?%s is refused',
  async (query) => {
    expect((await api.call('GET', `/v1/ledger/roots?${query}`, { key: auditor })).status).toBe(422);
  },
);

test('only who may read the ledger reads it', async () => {
  const key = await api.key(['sessions:read', 'events:read']);
  for (const [method, url] of [
    ['GET', '/v1/ledger'],
    ['POST', '/v1/ledger/search'],
    ['POST', '/v1/ledger/verify'],
    ['GET', '/v1/ledger/roots'],
    ['GET', '/v1/ledger/public-key'],
  ] as const) {
    expect((await api.call(method, url, { key, ...(method === 'POST' ? { body: {} } : {}) })).status).toBe(
      403,
    );
    expect((await api.call(method, url, { key: null })).status).toBe(401);
  }
});
