/** Calls that the business's app asks for: what the switch is asked, and what becomes of its refusals. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MaskingError } from '../masking/service.ts';
import type { Telephone } from './options.ts';
import { openSession, phone, shows, type TestApi, testApi } from './testing.ts';

let api: TestApi;
let asked: unknown[] = [];
let telephone: Telephone['call'] = async () => '';
beforeAll(async () => {
  api = await testApi({
    telephone: {
      call(request) {
        asked.push(request);
        return telephone(request);
      },
    },
  });
  await api.stock(12);
});
afterAll(() => api.close());

const open = (seed: number) => openSession(api, seed);
const made = new Map<string, Promise<{ id: string; participants: { id: string }[] }>>();
function once(name: string, make: () => Promise<{ id: string; participants: { id: string }[] }>) {
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}

/** As the switch does it, without ringing anybody. */
async function recorded(session: string): Promise<string> {
  const { body } = await api.call('GET', `/v1/sessions/${session}`);
  const { items } = await api.masking.listCarriers('default', { limit: 1 });
  const call = `call_${'0'.repeat(16)}${Date.now().toString(16).padStart(16, '0')}`;
  const at = { tenant: 'default', carrier: items[0]?.id ?? '' };
  await api.masking.decide({
    ...{ kind: 'call', carriers: [at], called: body.participants[0].dial, caller: phone(100), call },
  });
  return call;
}

test('asks the switch once, and answers with the call', async () => {
  const session = await open(50);
  telephone = () => recorded(session.id);
  asked = [];
  const send = (key: string) =>
    api.call('POST', `/v1/sessions/${session.id}/calls`, {
      body: { from: 'agent', to: session.participants[1].id },
      headers: { 'idempotency-key': key },
    });
  const answer = await send('call-50');
  expect(answer.status, answer.text).toBe(202);
  expect(answer.body).toMatchObject({ id: expect.stringMatching(/^call_/), session: session.id });
  expect(answer.headers['location']).toBe(`/v1/calls/${answer.body.id}`);
  expect((await send('call-50')).text).toBe(answer.text);
  expect(asked).toEqual([
    { tenant: 'default', session: session.id, from: 'agent', to: session.participants[1].id },
  ]);
});

test('what the switch refuses is a problem with its place', async () => {
  const session = await once('calls', () => open(51));
  const path = `/v1/sessions/${session.id}/calls`;
  for (const [error, status, type] of [
    [new MaskingError('unknown-participant', 'There is none.', '/from'), 422, 'unknown-participant'],
    [new MaskingError('session-closed', 'It has ended.'), 409, 'session-closed'],
    [new MaskingError('blocked', 'They may not.'), 409, 'blocked'],
    [new MaskingError('participant-unreachable', 'Nobody.'), 409, 'participant-unreachable'],
    [new MaskingError('no-display-number', 'None.'), 409, 'no-display-number'],
    [Object.assign(new Error('draining'), { name: 'TelephoneUnavailable' }), 503, 'unavailable'],
    [new Error(`no route to ${phone(1)}`), 500, 'internal'],
  ] as const) {
    telephone = () => Promise.reject(error);
    const answer = await api.call('POST', path, { body: { from: 'agent' } });
    expect(answer.status).toBe(status);
    expect(answer.body.type).toBe(`/problems/${type}`);
    expect(shows(answer.text, phone(1))).toBe(false);
  }
});

test.each([
  ['nobody', {}, '/from'],
  ['a phone', { from: phone(1) }, '/from'],
  ['to a phone', { from: 'agent', to: phone(1) }, '/to'],
  ['to oneself', { from: 'agent', to: 'agent' }, '/to'],
  ['two at once', { from: ['agent'] }, '/from'],
  ['more', { from: 'agent', phone: phone(1) }, '/phone'],
])('from %s is refused, and nobody is rung', async (_name, body, pointer) => {
  const session = await once('calls', () => open(51));
  asked = [];
  const answer = await api.call('POST', `/v1/sessions/${session.id}/calls`, { body });
  expect(answer.status, answer.text).toBe(422);
  expect(answer.body.errors[0].pointer).toBe(pointer);
  expect(shows(answer.text, phone(1))).toBe(false);
  expect(asked).toEqual([]);
});

test('an installation without a switch says so', async () => {
  const bare = await testApi();
  try {
    const answer = await bare.call('POST', `/v1/sessions/ses_${'0'.repeat(32)}/calls`, {
      body: { from: 'agent' },
    });
    expect(answer.status).toBe(503);
    expect(answer.body.type).toBe('/problems/unavailable');
  } finally {
    await bare.close();
  }
});
