/**
 * 100,000 events to receivers of every temper, with a node that dies in the middle: each is delivered at least once or
 * among the dead, in order within its session where it is delivered at once, and twice only because of the death.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openDatabase } from '../store/database.ts';
import { httpServer } from './testing.ts';
import { type Receiver, tenant, testWebhooks } from './testing-webhooks.ts';
import type { AskTransport } from './transport.ts';
import { createWebhooks } from './webhooks.ts';

const events = 100_000;
const sessions = 20_000;

it('100,000 events are each delivered at least once, or dead', { timeout: 600_000 }, async () => {
  const got = new Map<string, Map<string, number>>();
  const orders = new Map<string, number[]>();

  /** Takes it, as a system of the tenant's would. */
  function take(name: string, id: string, body: string): void {
    const mine = got.get(name) ?? new Map<string, number>();
    got.set(name, mine);
    const before = mine.get(id) ?? 0;
    mine.set(id, before + 1);
    const { session, order } = JSON.parse(body).data as { session: string; order: number };
    const seen = orders.get(`${name} ${session}`) ?? [];
    orders.set(`${name} ${session}`, [...seen, order]);
  }
  const taking =
    (name: string, status: (id: string, body: string) => number, retryAfter?: string): Receiver =>
    async ({ headers, body }) => {
      const id = headers['webhook-id'] ?? '';
      const answer = status(id, body);
      if (answer < 300) take(name, id, body);
      return { status: answer, body: undefined, ...(retryAfter === undefined ? {} : { retryAfter }) };
    };
  const tries = new Map<string, number>();
  const tried = (id: string) => tries.set(id, (tries.get(id) ?? 0) + 1).get(id) ?? 0;
  const hang: AskTransport = ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  let hangs = 0;
  const receivers: Readonly<Record<string, Receiver>> = {
    'good.example.com': taking('good', () => 200),
    // Every third one at the first attempt only.
    'moody.example.com': taking('moody', (id) => (tried(id) === 1 && /[0-5]$/.test(id) ? 500 : 204)),
    'limited.example.com': taking('limited', (id) => (tried(id) === 1 && /00$/.test(id) ? 429 : 200), '1'),
    'never.example.com': async () => ({ status: 302, body: undefined }),
    'gone.example.com': async () => ({ status: 410, body: undefined }),
    // Takes it, and then nobody hears of that.
    'lying.example.com': async (request) => {
      const id = request.headers['webhook-id'] ?? '';
      if (tried(id) > 1) return taking('lying', () => 200)(request);
      throw new Error('reset');
    },
    'hanging.example.com': (request) =>
      ++hangs <= 3 ? hang(request) : taking('hanging', () => 200)(request),
  };
  const on = await testWebhooks(receivers, { concurrency: { endpoint: 32, node: 128 } });
  const real = await httpServer((request, response, body) => {
    take('real', String(request.headers['webhook-id']), body);
    response.end('ok');
  });
  const shares: Readonly<Record<string, number>> = {
    ...{
      good: 60_000,
      moody: 12_000,
      limited: 12_000,
      never: 600,
      gone: 8_000,
      lying: 4_000,
      hanging: 2_400,
    },
    real: 1_000,
  };
  const endpoints = new Map<string, string>();
  for (const name of Object.keys(shares)) {
    const url = name === 'real' ? `http://127.0.0.1:${real.port}/` : `https://${name}.example.com/`;
    endpoints.set(name, (await on.webhooks.create(tenant, { url, kinds: [`kind.${name}`] })).id);
  }
  let end = 0;
  const ends = Object.values(shares).map((share) => {
    end += share;
    return end;
  });
  for (let from = 0; from < events; from += 10_000) {
    await on.sql(
      `insert into events (tenant, event, at, kind, session, data)
        select 'default', new_id('evt_'), now(), 'kind.' || x.name, 'ses_' || (i % $3), '{}'
          from generate_series($4::int, $4 + 9999) i
          join lateral (
            select u.name from unnest($1::text[], $2::int[]) as u(name, until) where i < u.until order by u.until limit 1
          ) x on true`,
      [Object.keys(shares), ends, sessions, from],
    );
  }

  // The first node dies in the middle: its connection goes, and what it was doing is never written.
  const dying = await openDatabase({ url: on.test.url, migrations: false });
  const first = createWebhooks({ ...on.options, database: dying, report: () => {} });
  await first.start();
  while ((got.get('good')?.size ?? 0) < 10_000) await sleep(20);
  await dying.close();
  const [dead] = await on.sql<{ node: string }>('select distinct node from webhook_holds');
  const second = createWebhooks({ ...on.options, database: on.test.database });
  await second.start();
  await on.webhooks.start();

  // What the dead one held is nobody's until its lease is over.
  while ((got.get('good')?.size ?? 0) < 40_000) await sleep(20);
  await on.sql(`update webhook_holds set until = now() where node = $1`, [dead?.node]);

  // Time passes: what can only wait has waited.
  for (;;) {
    await sleep(100);
    const [left] = await on.sql<{ due: boolean; pending: boolean }>(
      `select exists (select from webhook_deliveries d join webhook_endpoints w using (tenant, endpoint)
          where d.status = 'pending' and d.next_at <= now() and w.enabled
            and (w.held_until is null or w.held_until <= now())) or exists (select from events where sequence is null) as due,
        exists (select from webhook_deliveries d join webhook_endpoints w using (tenant, endpoint)
          where d.status = 'pending' and w.enabled) as pending`,
    );
    if (left?.due === false && !left.pending) break;
    if (left?.due === false) await on.pass(30_000);
  }
  // What waits for the one that is gone is buried by a turn that comes each minute.
  await on.sql('select bury_deliveries(100000)');

  const rows = await on.sql<{ endpoint: string; status: string; count: number }>(
    'select endpoint, status, count(*)::int as count from webhook_deliveries group by endpoint, status',
  );
  const counts = (name: string) =>
    Object.fromEntries(
      rows.filter((row) => row.endpoint === endpoints.get(name)).map((row) => [row.status, row.count]),
    );
  for (const [name, share] of Object.entries(shares)) {
    const lost = name === 'never' || name === 'gone';
    expect([name, counts(name)]).toEqual([name, lost ? { dead: share } : { delivered: share }]);
    if (!lost) expect([name, got.get(name)?.size]).toEqual([name, share]);
  }
  const twice = [...got.values()].flatMap((mine) => [...mine.values()]).filter((count) => count > 1).length;
  expect(twice).toBeLessThanOrEqual(128);
  const numbers = await on.sql(
    `select x.session from (
        select e.session, e.session_order, row_number() over (partition by e.session order by e.written) as place
          from events e where e.session is not null
      ) x where x.session_order is distinct from x.place limit 5`,
  );
  expect(numbers).toEqual([]);
  // In order, too, where nothing failed: also what was in the hands of the dead node.
  for (const name of ['good', 'real']) {
    const wrong = [...orders].filter(
      ([key, seen]) =>
        key.startsWith(`${name} `) && seen.some((order, index) => order < (seen[index - 1] ?? 0)),
    );
    expect([name, wrong.length]).toEqual([name, 0]);
  }
  expect(on.problems).toEqual([]);
  await Promise.all([first.stop().catch(() => {}), second.stop(), real.close()]);
  await on.close();
});
