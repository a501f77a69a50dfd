/** What is shown of a call is an allow-list: whatever else the heart knows of it stays there. And hanging up. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Call } from '../masking/service.ts';
import type { CallExplanation } from '../masking/types.ts';
import { openSession, phone, shows, type TestApi, testApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
  await api.stock(2);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => api.close());

const id = `call_${'1'.repeat(32)}`;
const at = new Date('2026-01-31T09:30:00Z');
const secret = { phone: phone(1), name: 'Budi' };
const call: Call = {
  ...{ id, kind: 'click-to-call', number: '+622150000001', status: 'ended', startedAt: at },
  ...{ session: 'ses_1', participant: 'par_1', outcome: 'no-answer', hangupBy: 'platform', ...secret },
  legs: [
    { number: '+622150000001', carrier: 'car_1', direction: 'out', startedAt: at, endedAt: at, ...secret },
  ],
  survey: { participant: 'par_2', key: '5', ...secret },
  voicemail: { id: 'rec_1', milliseconds: 4000, heardAt: at, ...secret },
};

test('a call shows its kind, its survey and its voicemail, and nothing that is not described', async () => {
  vi.spyOn(api.masking, 'getCall').mockResolvedValue(call);
  vi.spyOn(api.masking, 'hangUpCall').mockResolvedValue(call);
  vi.spyOn(api.masking, 'listCalls').mockResolvedValue({ items: [call] });
  const read = await api.call('GET', `/v1/calls/${id}`);
  const time = '2026-01-31T09:30:00.000Z';
  expect(read.body).toEqual({
    ...{ id, kind: 'click-to-call', number: '+622150000001', status: 'ended', startedAt: time },
    ...{ session: 'ses_1', participant: 'par_1', outcome: 'no-answer', hangupBy: 'platform' },
    legs: [{ number: '+622150000001', carrier: 'car_1', direction: 'out', startedAt: time, endedAt: time }],
    survey: { participant: 'par_2', key: '5' },
    voicemail: { id: 'rec_1', milliseconds: 4000, heardAt: time },
  });
  const hung = await api.call('POST', `/v1/calls/${id}/hangup`);
  expect(hung.status).toBe(200);
  expect(hung.body).toEqual(read.body);
  const list = await api.call('GET', '/v1/calls');
  expect(list.body).toEqual({ items: [read.body] });
  for (const { text } of [read, hung, list]) {
    expect(shows(text, phone(1))).toBe(false);
    expect(text).not.toContain('Budi');
  }
});

test('an explanation shows places, words and ids, and nothing that is not described', async () => {
  const explanation: CallExplanation = {
    trace: {
      program: { source: 'named', id: 'prg_1', version: 2, ...secret },
      ...{ at: at.toISOString(), timeZone: 'Asia/Jakarta', open: true, forbidden: ['quiet-hours'] },
      rules: [
        { ...secret, place: '/rules/0', name: 'night', outcome: 'error', error: 'no such key' },
        { place: '/rules/1', outcome: 'fired' },
      ],
      steps: [{ place: '/rules/1/then', verb: 'connect', to: ['par_2'], ...secret }],
    },
    steps: [
      { place: '/rules/1/then', verb: 'connect', outcome: 'no-answer', participant: 'par_2', ...secret },
    ],
  };
  vi.spyOn(api.masking, 'explainCall').mockResolvedValue(explanation);
  const answer = await api.call('GET', `/v1/calls/${id}/explanation`);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body).toEqual({
    trace: {
      program: { source: 'named', id: 'prg_1', version: 2 },
      ...{ at: at.toISOString(), timeZone: 'Asia/Jakarta', open: true, forbidden: ['quiet-hours'] },
      rules: [
        { place: '/rules/0', name: 'night', outcome: 'error', error: 'no such key' },
        { place: '/rules/1', outcome: 'fired' },
      ],
      steps: [{ place: '/rules/1/then', verb: 'connect', to: ['par_2'] }],
    },
    steps: [{ place: '/rules/1/then', verb: 'connect', outcome: 'no-answer', participant: 'par_2' }],
  });
  expect(shows(answer.text, phone(1))).toBe(false);
});

test('a running call is hung up, and has an explanation; a call that there is not has neither', async () => {
  const session = await openSession(api, 60);
  const [agent] = session.participants;
  const { items } = await api.masking.listCarriers('default', { limit: 1 });
  const call = `call_${'1'.repeat(32)}`;
  await api.masking.decide({
    kind: 'call',
    carriers: [{ tenant: 'default', carrier: items[0]?.id ?? '' }],
    called: agent.dial,
    caller: phone(120),
    call,
  });
  const hung = await api.call('POST', `/v1/calls/${call}/hangup`);
  expect(hung.status, hung.text).toBe(200);
  expect(hung.body).toMatchObject({ id: call, kind: 'inbound' });
  await api.masking.ended({
    ...{ tenant: 'default', call, outcome: 'failed', hangupBy: 'platform', hangupCause: 'hangup' },
    ...{ endedAt: Date.now(), legs: [] },
  });
  const ended = await api.call('POST', `/v1/calls/${call}/hangup`);
  expect(ended.status).toBe(409);
  expect(ended.body.type).toBe('/problems/call-ended');
  const explained = await api.call('GET', `/v1/calls/${call}/explanation`);
  if (explained.status === 404) expect(explained.body.type).toBe('/problems/no-explanation');
  else expect(explained.body).toMatchObject({ steps: expect.any(Array) });
  for (const id of [`call_${'0'.repeat(32)}`, 'call_1', `ses_${'0'.repeat(32)}`]) {
    expect((await api.call('POST', `/v1/calls/${id}/hangup`)).status).toBe(404);
    expect((await api.call('GET', `/v1/calls/${id}/explanation`)).status).toBe(404);
  }
});

test('a hang-up takes nothing', async () => {
  for (const body of [{ reason: 'x' }, [1]]) {
    const answer = await api.call('POST', `/v1/calls/call_${'0'.repeat(32)}/hangup`, { body });
    expect(answer.status).toBe(422);
  }
});
