/** What is shown of a call is an allow-list: whatever else the heart knows of it stays there. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Call } from '../masking/service.ts';
import type { CallExplanation } from '../masking/types.ts';
import { phone, shows, type TestApi, testApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
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
