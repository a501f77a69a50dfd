/** Calls by how they stand and when they began, how many had which outcome, and what a number took today. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSession, type TestApi, tenant, testApi } from './testing.ts';

let api: TestApi;
let number: string;
beforeAll(async () => {
  api = await testApi();
  await api.stock(2);
  number = (await api.call('GET', '/v1/numbers')).body.items[0].id;
});
afterAll(() => api.close());

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

/** As the switch leaves it: the id's time is the process's, the call's is the database's. */
async function record(minutes: number, status: string, outcome: string | null, skewMilliseconds = 0) {
  const at = minutesAgo(minutes);
  const made = (at.getTime() + skewMilliseconds).toString(16).padStart(12, '0');
  const call = `call_${made}${randomBytes(10).toString('hex')}`;
  await api.database.database.query(
    '',
    `insert into calls (tenant, call, number, node, boot, status, outcome, started_at, answered_at, ended_at)
      values ($1, $2, $3, 'n', 'b', $4, $5, $6::timestamptz, null, case when $5::text is not null then $6::timestamptz end)`,
    [tenant, call, number, status, outcome, at],
  );
  return call;
}
async function found(query: string): Promise<string[]> {
  const answer = await api.call('GET', `/v1/calls?${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.items.map(({ id }: { id: string }) => id);
}

describe('calls', () => {
  let ringing: string;
  let talking: string;
  let fresh: string;
  let old: string;
  beforeAll(async () => {
    old = await record(600, 'ended', 'connected');
    // The clock of the process that made its id went five minutes fast.
    fresh = await record(30, 'ended', 'busy', 300_000);
    talking = await record(20, 'answered', null);
    ringing = await record(1, 'ringing', null);
  });

  test('by how they stand', async () => {
    expect(await found('status=ringing')).toEqual([ringing]);
    expect(await found('status=answered')).toEqual([talking]);
    expect(await found('status=running')).toEqual([ringing, talking]);
    expect(await found('status=ended')).toEqual([fresh, old]);
  });

  test('by when they began, whatever the clock of the id said', async () => {
    expect(await found(`from=${minutesAgo(31).toISOString()}`)).toEqual([ringing, talking, fresh]);
    expect(await found(`from=${minutesAgo(29).toISOString()}`)).toEqual([ringing, talking]);
    expect(await found(`to=${minutesAgo(29).toISOString()}`)).toEqual([fresh, old]);
    const [from, to] = [minutesAgo(31).toISOString(), minutesAgo(10).toISOString()];
    expect(await found(`from=${from}&to=${to}&status=ended`)).toEqual([fresh]);
  });

  test('page by page', async () => {
    const first = await api.call('GET', '/v1/calls?status=ended&limit=1');
    expect(first.body.items[0].id).toBe(fresh);
    expect(await found(`status=ended&limit=1&after=${first.body.next}`)).toEqual([old]);
  });

  test('are counted by outcome', async () => {
    const all = await api.call('GET', '/v1/calls/summary');
    expect(all.body).toEqual({
      ...{ calls: 4, running: 2, outcomes: { connected: 1, busy: 1 }, complete: true },
    });
    const { body } = await api.call('GET', `/v1/calls/summary?from=${minutesAgo(60).toISOString()}`);
    expect(body).toEqual({ calls: 3, running: 2, outcomes: { busy: 1 }, complete: true });
  });

  test.each([
    ['status=gone', 'status'],
    ['from=yesterday', 'from'],
    ['from=2026-02-31T00:00:00Z', 'from'],
    ['from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z', 'from'],
    ['carrier=x', 'carrier'],
  ])('%s is refused', async (query, parameter) => {
    const answer = await api.call('GET', `/v1/calls?${query}`);
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors[0].parameter).toBe(parameter);
  });

  test('are not counted for a key without calls:read', async () => {
    const key = await api.key(['numbers:read']);
    expect((await api.call('GET', '/v1/calls/summary', { key })).status).toBe(403);
  });
});

test('a number says how many sessions it took today where its pool has a limit', async () => {
  await api.call('PATCH', '/v1/pools/default', { body: { loadLimit: 50 } });
  await openSession(api, 1);
  const { body } = await api.call('GET', '/v1/numbers');
  const counts = body.items.map(({ today }: { today?: number }) => today ?? 0);
  expect(counts.reduce((sum: number, one: number) => sum + one, 0)).toBeGreaterThan(0);
});
