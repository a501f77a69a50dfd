import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const question =
  'sessionsPerHour=500&durationSeconds=2400&durationLongSeconds=5400&agents=600&customers=40000&busiestAgentPerDay=30';
const demand = {
  sessionsPerHour: 500,
  duration: { meanSeconds: 2_400, longSeconds: 5_400 },
  roles: [
    { role: 'agent', parties: 600, busiestPerDay: 30 },
    { role: 'customer', parties: 40_000 },
  ],
};
const csv = [
  'opened_at,closed_at,agent,customer',
  '2026-01-31T09:00:00Z,2026-01-31T09:30:00Z,+6281100000001,+6281200000001',
  '2026-01-31T10:00:00Z,2026-01-31T10:30:00Z,+6281100000001,+6281200000002',
  '2026-01-31T11:00:00Z,2026-01-31T11:30:00Z,+6281100000001,+6281200000003',
  '',
].join('\n');
const asCsv = { 'content-type': 'text/csv' };

describe('a demand', () => {
  test('GET and POST answer the same', async () => {
    const asked = await api.call('GET', `/v1/plan?${question}&pricePerNumber=1.5`);
    expect(asked.status, asked.text).toBe(200);
    const posted = await api.call('POST', '/v1/plan', { body: { ...demand, pricePerNumber: 1.5 } });
    expect(posted.body).toEqual(asked.body);
    expect(asked.body).toMatchObject({
      basis: 'demand',
      decidedBy: 'agent',
      roles: [{ role: 'agent', cooldownSeconds: 86_400 }, { role: 'customer' }],
    });
    expect(asked.body.lowerBound).toBeLessThan(asked.body.recommended);
    expect(asked.body.monthlyCost).toBeCloseTo(asked.body.recommended * 1.5);
    expect(asked.body.alternatives[0]).toMatchObject({ change: 'agent on app' });
  });

  test('with agents on app only customers hold numbers', async () => {
    const { body } = await api.call('GET', `/v1/plan?${question}&agentReach=app`);
    expect(body).toMatchObject({ decidedBy: 'customer', displayNumbers: 1, roles: [{ recommended: 0 }, {}] });
  });

  test.each([
    [`${question}&busiestCustomerPerDay=0.01`, 'busiestCustomerPerDay'],
    [`${question}&failureProbability=0.9`, 'failureProbability'],
    [question.replace('5400', '2'), 'durationLongSeconds'],
    [question.replace('5400', '99999'), 'durationLongSeconds'],
    [question.replace('agents=600&', ''), 'agents'],
    [`${question}&agents=-1`, 'agents'],
    [`${question}&horizonDays=many`, 'horizonDays'],
  ])('%s is refused at its parameter', async (query, parameter) => {
    const { status, body } = await api.call('GET', `/v1/plan?${query}`);
    expect(status).toBe(422);
    expect(body.errors[0].parameter).toBe(parameter);
  });

  test.each([
    [{ ...demand, roles: [{ role: 'agent', parties: 600, busiestPerDay: 1 }] }, '/roles/0/busiestPerDay'],
    [{ ...demand, roles: [{ role: 'agent', parties: 6, busiestPerDay: 3_000, zipf: 1 }] }, '/roles/0/zipf'],
    [{ ...demand, roles: [demand.roles[0], demand.roles[0]] }, '/roles'],
    [{ ...demand, dailyProfile: new Array(24).fill(0) }, '/dailyProfile'],
    [{ ...demand, duration: { meanSeconds: 60, distribution: 'lognormal' } }, '/duration/longSeconds'],
    [{ ...demand, colour: 'red' }, '/colour'],
  ])('%j is refused at its place', async (body, pointer) => {
    const answer = await api.call('POST', '/v1/plan', { body });
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });
});

describe('past jobs', () => {
  test('are counted exactly, and no id comes back', async () => {
    const answer = await api.call('POST', '/v1/plan?growth=2&cooldowns=customer=3600', {
      body: csv,
      headers: asCsv,
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      basis: 'jobs',
      lowerBound: 3,
      jobs: { sessions: 3, growth: 2 },
      roles: [
        { role: 'agent', lowerBound: 3 },
        { role: 'customer', lowerBound: 1, cooldownSeconds: 3_600 },
      ],
    });
    expect(answer.text).not.toMatch(/811000|812000/);
  });

  test('bad rows are named by line, and never repeated', async () => {
    const bad = `${csv}yesterday,,+6281100000001,\n2026-02-01,2026-01-01,+6281100000001,\n`;
    const answer = await api.call('POST', '/v1/plan', { body: bad, headers: asCsv });
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toMatch(/^The CSV, line 5: opened_at is no time .* \(and 1 more\)\.$/);
    expect(answer.text).not.toMatch(/811000|yesterday/);
    const skipped = await api.call('POST', '/v1/plan?skipBadRows=true', { body: bad, headers: asCsv });
    expect(skipped.body).toMatchObject({ jobs: { sessions: 3 } });
  });

  test('wrong parameters are named', async () => {
    const of = (query: string) => api.call('POST', `/v1/plan?${query}`, { body: csv, headers: asCsv });
    expect((await of('growth=0')).body.errors[0].parameter).toBe('growth');
    expect((await of('cooldowns=agent')).body.errors[0].parameter).toBe('cooldowns');
    expect((await of('cooldowns=nobody=3')).body.errors[0].parameter).toBe('cooldowns');
    expect((await of('app=nobody')).body.errors[0].parameter).toBe('app');
    const demanded = await api.call('POST', '/v1/plan?growth=2', { body: demand });
    expect(demanded.body.errors[0].parameter).toBe('growth');
  });

  test('a file of some megabytes is taken; one that is too large is refused with where to go', async () => {
    const fine = await api.call('POST', '/v1/plan', {
      body: csv + '\n'.repeat(2 * 1_048_576),
      headers: asCsv,
    });
    expect(fine.body).toMatchObject({ jobs: { sessions: 3 } });
    const large = await api.call('POST', '/v1/plan', {
      body: csv + '\n'.repeat(8 * 1_048_576),
      headers: asCsv,
    });
    expect(large.status).toBe(413);
    expect(large.body.detail).toContain('samar plan');
    const json = await api.call('POST', '/v1/plan', { body: `${' '.repeat(2 * 1_048_576)}{}` });
    expect(json.status).toBe(413);
    expect(json.body.detail).toContain('1 MB');
  });
});

test('other kinds of body, and keys without the scope, are refused', async () => {
  const xml = await api.call('POST', '/v1/plan', { body: '<a/>', headers: { 'content-type': 'text/xml' } });
  expect(xml.status).toBe(415);
  const key = await api.key(['sessions:read']);
  expect((await api.call('GET', `/v1/plan?${question}`, { key })).status).toBe(403);
});

test('an Idempotency-Key holds the question, of either kind', async () => {
  const post = (body: unknown, headers: Record<string, string>) =>
    api.call('POST', '/v1/plan', { body, headers });
  const first = await post(csv, { ...asCsv, 'idempotency-key': 'plan-1' });
  const again = await post(csv, { ...asCsv, 'idempotency-key': 'plan-1' });
  expect([first.status, again.status]).toEqual([200, 200]);
  expect(again.body).toEqual(first.body);
  expect((await post(demand, { 'idempotency-key': 'plan-1' })).status).toBe(409);
});
