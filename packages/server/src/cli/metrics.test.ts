import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../store/testing.ts';
import { backlogMetrics, failureMetrics } from './metrics.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test('what waits is counted, and goes when it is done', async () => {
  const registry = new Registry();
  backlogMetrics(registry, database.database);
  const shown = async () =>
    (await registry.metrics()).match(/^samar_backlog\{of="ledger_entries"\} (\d+)$/m)?.[1];
  expect(await shown()).toBe('0');
  await database.database.query(
    '',
    `insert into ledger (tenant, entry, kind, actor) select 'default', new_id('led_'), 'login.failed', 'platform' from generate_series(1, 7)`,
    [],
  );
  expect(await shown()).toBe('7');
  for (const of of ['events', 'webhook_deliveries', 'webhook_dead_letters', 'rights_requests']) {
    expect(await registry.metrics()).toContain(`samar_backlog{of="${of}"} 0`);
  }
});

test('a database that is away leaves the figures out, not the others', async () => {
  const registry = new Registry();
  const away = { ...database.database, query: () => Promise.reject(new Error('away')) };
  backlogMetrics(registry, away);
  failureMetrics(registry)('retention');
  const text = await registry.metrics();
  expect(text).not.toMatch(/^samar_backlog\{/m);
  expect(text).toContain('samar_background_failures_total{task="retention"} 1');
});
