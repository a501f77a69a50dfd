import { createPublicKey, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { actAs } from '../masking/actor.ts';
import type { Delivery } from './service.ts';
import {
  forbiddenHosts,
  httpServer,
  keepIn,
  type TestHandler,
  type TestServer,
  tcpServer,
} from './testing.ts';
import { type Receiver, type TestWebhooks, tenant, testWebhooks } from './testing-webhooks.ts';
import { webhookRules } from './webhook-url.ts';
import { createWebhooks } from './webhooks.ts';

const open: { close(): Promise<void> }[] = [];
const running = keepIn(open as TestServer[]);
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function stage(receivers: Readonly<Record<string, Receiver>> = {}): Promise<TestWebhooks> {
  const made = await testWebhooks(receivers);
  open.push(made);
  return made;
}
const serve = async (handler: TestHandler) => running(await httpServer(handler));
const answering =
  (status: number, retryAfter?: string): Receiver =>
  async () => ({
    status,
    body: undefined,
    retryAfter,
  });

async function settled(on: TestWebhooks, endpoint: string, count: number): Promise<readonly Delivery[]> {
  let items: readonly Delivery[] = [];
  await expect
    .poll(
      async () => {
        ({ items } = await on.webhooks.deliveries(tenant, endpoint, {}, { limit: 200 }));
        return items.filter((each) => each.attempts > 0 || each.status !== 'pending').length;
      },
      { timeout: 10_000 },
    )
    .toBe(count);
  return items;
}

describe('a delivery', () => {
  it('is what the official library verifies, and is checked by the public key, too', async () => {
    const seen: { readonly headers: Record<string, string>; readonly body: string }[] = [];
    const server = await serve((request, response, body) => {
      seen.push({ headers: request.headers as Record<string, string>, body });
      response.end('thanks');
    });
    const on = await stage();
    const made = await on.webhooks.create(tenant, { url: server.url, description: 'orders' });
    expect(made).toMatchObject({ kinds: ['*'], enabled: true, pending: 0, dead: 0, description: 'orders' });
    await on.webhooks.start();
    await on.emit('session.closed', 'ses_1', { reason: 'resolved' });
    const [delivery] = await settled(on, made.id, 1);
    expect(delivery).toMatchObject({
      kind: 'session.closed',
      session: 'ses_1',
      status: 'delivered',
      attempts: 1,
    });
    expect(delivery?.lastAnswer).toBe('200');
    const [{ headers, body } = { headers: {}, body: '' }] = seen;
    expect(new Webhook(made.secret).verify(body, headers)).toEqual({
      type: 'session.closed',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { id: delivery?.event, session: 'ses_1', order: 1, reason: 'resolved' },
    });
    expect(headers['webhook-id']).toBe(delivery?.event);
    const x = Buffer.from(made.publicKey.slice('whpk_'.length), 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
    const [, signature = ''] = /v1a,(\S+)/.exec(headers['webhook-signature'] ?? '') ?? [];
    expect(verify(null, content, key, Buffer.from(signature, 'base64'))).toBe(true);
    expect(
      verify(null, Buffer.concat([content, Buffer.from(' ')]), key, Buffer.from(signature, 'base64')),
    ).toBe(false);
  });

  it('is signed by the old secret, too, for a day after the change', async () => {
    const signed: Record<string, string>[] = [];
    let body = '';
    const on = await stage({
      'a.example.com': async (request) => {
        signed.push({ ...request.headers });
        body = request.body;
        return { status: 204, body: undefined };
      },
    });
    const { id, secret: old } = await on.webhooks.create(tenant, { url: 'https://a.example.com/' });
    const fresh = await on.webhooks.rotateSecret(tenant, id);
    expect(fresh).not.toBe(old);
    expect(await on.webhooks.secret(tenant, id)).toBe(fresh);
    const passes = (secret: string) => {
      try {
        new Webhook(secret).verify(body, {
          ...signed.at(-1),
          'webhook-timestamp': signed.at(-1)?.['webhook-timestamp'] ?? '',
        });
        return true;
      } catch {
        return false;
      }
    };
    await on.webhooks.test(tenant, id);
    expect([passes(old), passes(fresh)]).toEqual([true, true]);
    await on.sql(`update webhook_endpoints set previous_until = previous_until - interval '25 hours'`);
    await on.webhooks.test(tenant, id);
    expect([passes(old), passes(fresh)]).toEqual([false, true]);
  });

  const tempers: Readonly<Record<string, readonly [answer: string, () => Promise<TestServer>]>> = {
    fails: ['500', () => httpServer((_request, response) => response.writeHead(500).end('x'))],
    redirects: [
      '307',
      () => httpServer((_request, response) => response.writeHead(307, { location: '/else' }).end()),
    ],
    closes: ['unreachable', () => httpServer((request) => request.socket.destroy())],
    'answers garbage': ['unreachable', () => tcpServer((socket) => void socket.end('hello\r\n\r\n'))],
    'is not modified': ['304', () => httpServer((_request, response) => response.writeHead(304).end())],
  };
  it.each(Object.entries(tempers))('is tried again by one that %s', async (_name, [answer, start]) => {
    const server = running(await start());
    const on = await stage();
    const { id } = await on.webhooks.create(tenant, { url: server.url });
    await on.webhooks.start();
    await on.emit('session.closed');
    const [delivery] = await settled(on, id, 1);
    expect(delivery).toMatchObject({ status: 'pending', attempts: 1, lastAnswer: answer });
    const wait = (delivery?.nextAttemptAt?.getTime() ?? 0) - Date.now();
    expect(wait).toBeGreaterThan(3_000);
    expect(wait).toBeLessThan(5_600);
    expect(server.connections).toBe(1);
  });

  it('is done with any 2xx, however much or little comes after it', async () => {
    const on = await stage();
    const lies: readonly TestHandler[] = [
      (_request, response) => void response.end(Buffer.alloc(5_000_000)),
      (_request, response) => void response.writeHead(299).end(),
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{', () => request.socket.destroy());
      },
    ];
    for (const handler of lies) {
      const server = await serve(handler);
      const { id } = await on.webhooks.create(tenant, { url: server.url });
      expect((await on.webhooks.test(tenant, id)).status).toBe('delivered');
    }
  });

  it('is tried ten times by the table of Standard Webhooks, then dead, said once an hour', async () => {
    const times: number[] = [];
    const on = await stage({
      'a.example.com': async (request) => {
        times.push(Number(request.headers['webhook-timestamp']));
        return { status: 500, body: undefined };
      },
    });
    const { id } = await on.webhooks.create(tenant, { url: 'https://a.example.com/', kinds: ['session.*'] });
    await on.webhooks.start();
    await on.emit('session.closed');
    await on.emit('session.opened');
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt++) {
      await expect.poll(() => times.length, { timeout: 10_000 }).toBe(2 * attempt);
      let items: readonly Delivery[] = [];
      await expect
        .poll(async () => {
          ({ items } = await on.webhooks.deliveries(tenant, id, {}, { limit: 5 }));
          return items.map((each) => each.attempts);
        })
        .toEqual([attempt, attempt]);
      const next = items.map((each) => ((each.nextAttemptAt?.getTime() ?? 0) - Date.now()) / 1_000);
      if (attempt === 10) break;
      waits.push(Math.min(...next));
      await on.pass(Math.max(...next) + 1);
      await on.sql(`select pg_notify('samar_events', '')`);
    }
    const table = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (const [index, seconds] of table.entries()) {
      expect(waits[index]).toBeGreaterThan(seconds - 4);
      expect(waits[index]).toBeLessThan(seconds * 1.1);
    }
    const { items } = await on.webhooks.deliveries(tenant, id, { status: 'dead' }, { limit: 5 });
    expect(items.map((each) => [each.attempts, each.lastAnswer])).toEqual([
      [10, '500'],
      [10, '500'],
    ]);
    expect(await on.webhooks.get(tenant, id)).toMatchObject({ dead: 2, pending: 0, enabled: true });
    const told = await on.sql(`select subject, data from events where kind = 'webhook.dead'`);
    expect(told).toEqual([{ subject: id, data: { endpoint: id, event: expect.stringMatching(/^evt_/) } }]);
    expect(on.problems).toEqual([]);
  }, 30_000);

  it('waits as long as it is asked to, within bounds, with all that go there', async () => {
    const on = await stage({
      'a.example.com': answering(429, '600'),
      'b.example.com': answering(503, '999999999'),
      'c.example.com': answering(500, '600'),
    });
    await on.webhooks.start();
    const waits: number[] = [];
    for (const host of ['a', 'b', 'c']) {
      const { id } = await on.webhooks.create(tenant, { url: `https://${host}.example.com/` });
      await on.emit('session.closed');
      const [delivery] = await settled(on, id, 1);
      waits.push(((delivery?.nextAttemptAt?.getTime() ?? 0) - Date.now()) / 1_000);
      await on.webhooks.update(tenant, id, { kinds: ['number.removed'] });
    }
    expect(waits[0]).toBeGreaterThan(595);
    expect(waits[0]).toBeLessThan(661);
    expect(waits[1]).toBeGreaterThan(86_000);
    expect(waits[1]).toBeLessThan(95_041);
    expect(waits[2]).toBeLessThan(6);
    const held = await on.sql<{ seconds: number }>(
      'select extract(epoch from held_until - now())::float8 as seconds from webhook_endpoints where held_until is not null',
    );
    expect(held.map((each) => Math.round(each.seconds / 60)).sort((a, b) => a - b)).toEqual([10, 60]);
  });
});

describe('an endpoint', () => {
  it('is never this machine or a network behind it, and at most one of twenty', async () => {
    const on = await stage({ 'a.example.com': answering(200) });
    // As installations are that have named no networks of their own.
    const strict = createWebhooks({ ...on.options, database: on.test.database, rules: webhookRules() });
    for (const host of forbiddenHosts) {
      await expect(strict.create(tenant, { url: `https://${host}/` })).rejects.toMatchObject({
        code: 'webhook-refused',
        pointer: '/url',
      });
    }
    const made = await strict.create(tenant, { url: 'https://a.example.com/' });
    const inside = { url: 'https://127.0.0.1/' };
    await expect(strict.update(tenant, made.id, inside)).rejects.toMatchObject({ code: 'webhook-refused' });
    await strict.remove(tenant, made.id);
    for (let count = 0; count < 20; count++)
      await on.webhooks.create(tenant, { url: 'https://a.example.com/' });
    await expect(on.webhooks.create(tenant, { url: 'https://a.example.com/' })).rejects.toThrow('at most 20');
    const [first] = (await on.webhooks.list(tenant, { limit: 1 })).items;
    await on.webhooks.remove(tenant, first?.id ?? '');
    await expect(on.webhooks.get(tenant, first?.id ?? '')).rejects.toMatchObject({ code: 'not-found' });
    await on.webhooks.create(tenant, { url: 'https://a.example.com/' });
  });

  it('whose name turns out to be inside is not connected to', async () => {
    let connected = 0;
    const on = await stage({
      'a.example.com': async () => {
        connected += 1;
        return { status: 200, body: undefined };
      },
    });
    const { id } = await on.webhooks.create(tenant, { url: 'https://a.example.com/' });
    expect(await on.webhooks.test(tenant, id)).toMatchObject({ status: 'delivered', lastAnswer: '200' });
    on.names['a.example.com'] = ['10.0.0.1'];
    expect(await on.webhooks.test(tenant, id)).toMatchObject({
      status: 'dead',
      lastAnswer: 'refused-address',
    });
    expect(connected).toBe(1);
  });

  it('that is gone is turned off, and what waited is dead; enabled again, it gets that', async () => {
    let status = 410;
    let got = 0;
    const on = await stage({
      'a.example.com': async () => {
        got += status === 200 ? 1 : 0;
        return { status, body: undefined };
      },
    });
    const { id } = await on.webhooks.create(tenant, { url: 'https://a.example.com/', kinds: ['session.*'] });
    for (let count = 0; count < 30; count++) await on.emit('session.changed', 'ses_1', { count });
    await on.webhooks.start();
    await expect.poll(async () => (await on.webhooks.get(tenant, id)).disabledBecause).toBe('gone');
    await on.sql('select bury_deliveries(500)');
    expect(await on.webhooks.get(tenant, id)).toMatchObject({ enabled: false, pending: 0, dead: 30 });
    await expect(on.webhooks.replay(tenant, id, { dead: true })).rejects.toThrow('Enable it first');
    expect(await on.sql(`select data from events where kind = 'webhook.disabled'`)).toEqual([
      { data: { endpoint: id, because: 'gone' } },
    ]);
    status = 200;
    const again = await on.webhooks.update(tenant, id, { enabled: true });
    expect(again.disabledBecause).toBeUndefined();
    expect(await on.webhooks.replay(tenant, id, { dead: true })).toBe(30);
    await expect.poll(() => got, { timeout: 10_000 }).toBe(30);
  });

  it('that has failed for five days is turned off', async () => {
    const on = await stage({ 'a.example.com': answering(500) });
    const { id } = await on.webhooks.create(tenant, { url: 'https://a.example.com/' });
    await on.webhooks.start();
    await on.emit('session.opened');
    await settled(on, id, 1);
    await on.pass(4.9 * 86_400);
    await on.emit('session.opened');
    await expect
      .poll(async () =>
        (await on.webhooks.deliveries(tenant, id, {}, { limit: 9 })).items.map((each) => each.attempts),
      )
      .toEqual([1, 2]);
    expect((await on.webhooks.get(tenant, id)).enabled).toBe(true);
    await on.pass(0.2 * 86_400);
    await on.emit('session.opened');
    await expect.poll(async () => (await on.webhooks.get(tenant, id)).disabledBecause).toBe('failing');
  });

  it('hears of its kinds only, of a test alone, and of its own death not at all', async () => {
    const heard: Record<string, string[]> = { a: [], b: [] };
    const hearing =
      (name: string): Receiver =>
      async (request) => {
        heard[name]?.push(JSON.parse(request.body).type);
        return { status: 200, body: undefined };
      };
    const on = await stage({ 'a.example.com': hearing('a'), 'b.example.com': hearing('b') });
    const a = await on.webhooks.create(tenant, {
      url: 'https://a.example.com/',
      kinds: ['session.*', 'call.ended'],
    });
    await on.webhooks.create(tenant, { url: 'https://b.example.com/' });
    await on.webhooks.start();
    for (const kind of ['session.opened', 'sessions.opened', 'call.ended', 'call.answered'])
      await on.emit(kind);
    expect(await on.webhooks.test(tenant, a.id)).toMatchObject({ kind: 'webhook.test', status: 'delivered' });
    await on.emit('number.removed');
    await expect.poll(() => heard['b']?.length, { timeout: 5_000 }).toBe(5);
    expect(heard['a']?.sort()).toEqual(['call.ended', 'session.opened', 'webhook.test']);
    expect(heard['b']).not.toContain('webhook.test');
    for (const kinds of [[], ['session'], ['*.*'], ['Session.closed'], ['session.closed.now']]) {
      await expect(on.webhooks.update(tenant, a.id, { kinds })).rejects.toMatchObject({ code: 'invalid' });
    }
  });

  it('gets again what is replayed, and its changes are in the ledger with its host only', async () => {
    const ids: string[] = [];
    const on = await stage({
      'a.example.com': async (request) => {
        ids.push(request.headers['webhook-id'] ?? '');
        return { status: 200, body: undefined };
      },
    });
    await on.webhooks.start();
    await on.emit('session.opened', 'ses_1');
    await expect
      .poll(async () => (await on.sql('select 1 from events where sequence is null')).length)
      .toBe(0);
    const { id } = await actAs('key_1', () =>
      on.webhooks.create(tenant, { url: 'https://a.example.com/secret-path?token=x' }),
    );
    await on.emit('session.closed', 'ses_1');
    await settled(on, id, 1);
    expect(await on.webhooks.replay(tenant, id, { since: new Date(Date.now() - 3_600_000) })).toBe(2);
    await expect.poll(() => ids.length, { timeout: 5_000 }).toBe(3);
    expect(new Set(ids).size).toBe(2);
    const event = ids[0] ?? '';
    await expect.poll(async () => (await on.webhooks.get(tenant, id)).pending).toBe(0);
    expect(await on.webhooks.replay(tenant, id, { event })).toBe(1);
    await expect.poll(() => ids.length, { timeout: 5_000 }).toBe(4);
    for (const what of [
      { event: `evt_${'0'.repeat(32)}` },
      { since: new Date(0) },
      { since: new Date(Date.now() + 9e6) },
    ]) {
      await expect(on.webhooks.replay(tenant, id, what)).rejects.toMatchObject({ code: 'invalid' });
    }
    await on.webhooks.rotateSecret(tenant, id);
    await on.webhooks.update(tenant, id, { enabled: false });
    await on.webhooks.remove(tenant, id);
    const ledger = await on.sql(`select kind, actor, details from ledger where subject = $1 order by entry`, [
      id,
    ]);
    expect(ledger).toEqual([
      { kind: 'webhook.created', actor: 'key_1', details: { host: 'a.example.com' } },
      { kind: 'webhook.secret-rotated', actor: 'platform', details: { host: 'a.example.com' } },
      { kind: 'webhook.changed', actor: 'platform', details: { host: 'a.example.com', fields: ['enabled'] } },
      { kind: 'webhook.deleted', actor: 'platform', details: { host: 'a.example.com' } },
    ]);
    await on.sql('select forget_endpoints(500), forget_endpoints(500)');
    expect(await on.sql('select endpoint from webhook_endpoints')).toEqual([]);
  });
});
