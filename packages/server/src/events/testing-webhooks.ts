/** Webhooks over a real database, with receivers by name: for tests. */
import { tmpdir } from 'node:os';
import { nodeDoors } from '@samar/doors';
import { testDatabase } from '../store/testing.ts';
import { createVault } from '../vault/index.ts';
import type { DeliveryOptions } from './delivery.ts';
import { namesOf } from './testing.ts';
import { type AskRequest, type AskTransport, nodeTransport } from './transport.ts';
import { webhookRules } from './webhook-url.ts';
import { createWebhooks } from './webhooks.ts';

export const tenant = 'default';
const publicAddress = '93.184.215.14';

/** Answers like the receiver of this host; undefined: as the network does. */
export type Receiver = (request: AskRequest) => ReturnType<AskTransport>;

export async function testWebhooks(
  receivers: Readonly<Record<string, Receiver>> = {},
  more: Pick<DeliveryOptions, 'concurrency'> = {},
) {
  const test = await testDatabase();
  const vault = await createVault({
    database: test.database,
    masterKey: '07'.repeat(32),
    dataDir: tmpdir(),
  });
  /** What hosts stand for; a test may change its mind. */
  const names: Record<string, readonly string[]> = Object.fromEntries(
    Object.keys(receivers).map((host) => [host, [publicAddress]]),
  );
  const real = nodeTransport();
  const transport: AskTransport = (request) => (receivers[request.url.hostname] ?? real)(request);
  const problems: string[] = [];
  let now = 0;
  const doors = {
    ...nodeDoors(),
    clock: { ...nodeDoors().clock, now: () => Date.now() + now },
    network: { dns: namesOf(names) },
  };
  const options = {
    ...{ vault, transport, doors, ...more },
    rules: webhookRules(['127.0.0.0/8']),
    report: (task: string, error: unknown) => void problems.push(`${task}: ${String(error)}`),
  };
  const webhooks = createWebhooks({ ...options, database: test.database });
  const sql = <Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []) =>
    test.database.query<Row>('', text, values);
  return {
    ...{ test, names, options, webhooks, problems, sql },
    /** As if so many seconds had gone by: what waits for a time has waited for it. */
    async pass(seconds: number): Promise<void> {
      now += seconds * 1_000;
      await sql(
        `with d as (update webhook_deliveries set next_at = next_at - make_interval(secs => $1) where status = 'pending')
        update webhook_endpoints set held_until = held_until - make_interval(secs => $1),
          failing_since = failing_since - make_interval(secs => $1),
          previous_until = previous_until - make_interval(secs => $1),
          dead_told_at = dead_told_at - make_interval(secs => $1)`,
        [seconds],
      );
    },
    emit: (kind: string, session: string | null = null, data: object = {}) =>
      sql('select emit_event($1, $2, $3, null, $4::jsonb)', [tenant, kind, session, JSON.stringify(data)]),
    async close(): Promise<void> {
      await webhooks.stop();
      await test.drop();
    },
  };
}

export type TestWebhooks = Awaited<ReturnType<typeof testWebhooks>>;
