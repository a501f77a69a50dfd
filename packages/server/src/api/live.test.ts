import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSession, type TestApi, testApi } from './testing.ts';

let api: TestApi;
let base: string;
beforeAll(async () => {
  api = await testApi();
  await api.stock(4);
  await api.rooms.live.start();
  await api.rooms.webhooks.start();
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await api.rooms.webhooks.stop();
  await api.rooms.live.stop();
  await api.close();
});

interface Told {
  readonly id: string | undefined;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  readonly data: any;
}

/** Reads a stream as a browser does. */
async function watch(headers: Record<string, string> = {}, key = api.adminKey) {
  const controller = new AbortController();
  const answer = await fetch(`${base}/v1/live`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
    signal: controller.signal,
  });
  const told: Told[] = [];
  let ended = false;
  const read = (async () => {
    let text = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const event = field('event');
        if (event !== undefined) told.push({ id: field('id'), event, data: JSON.parse(field('data') ?? '') });
      }
    }
  })()
    .catch(() => {})
    .finally(() => {
      ended = true;
    });
  return {
    answer,
    told,
    ended: () => ended,
    async close() {
      controller.abort();
      await read;
    },
  };
}
const kinds = (told: readonly Told[]) => told.map((one) => one.event);

describe('GET /v1/live', () => {
  test('tells what happens from now on, and after an id what was missed, each once and in order', async () => {
    const early = await openSession(api, 1);
    await expect
      .poll(async () => (await api.call('GET', '/v1/events')).body.items[0].order, { timeout: 5_000 })
      .toBe(1);
    const first = await watch();
    expect(first.answer.status).toBe(200);
    expect(first.answer.headers.get('content-type')).toBe('text/event-stream');
    expect(first.answer.headers.get('cache-control')).toBe('no-store');
    const { id } = await openSession(api, 2);
    await expect.poll(() => kinds(first.told), { timeout: 5_000 }).toEqual(['session.opened']);
    await api.call('PATCH', `/v1/sessions/${id}`, { body: { ttlSeconds: 900 } });
    await api.call('POST', `/v1/sessions/${id}/close`, { body: { reason: 'resolved' } });
    await expect.poll(() => first.told.length, { timeout: 5_000 }).toBe(3);
    expect(first.told.map(({ event, data }) => [event, data.session, data.order])).toEqual([
      ['session.opened', id, 1],
      ['session.changed', id, 2],
      ['session.closed', id, 3],
    ]);
    const [opened] = first.told;
    const { body: listed } = await api.call('GET', `/v1/events?session=${id}&kind=session.opened`);
    expect(listed.items).toEqual([opened?.data]);
    await first.close();

    await api.call('POST', `/v1/sessions/${early.id}/close`, { body: { reason: 'resolved' } });
    const second = await watch({ 'last-event-id': opened?.id ?? '' });
    await expect
      .poll(() => second.told.map(({ data }) => [data.kind, data.session]), { timeout: 5_000 })
      .toEqual([
        ['session.changed', id],
        ['session.closed', id],
        ['session.closed', early.id],
      ]);
    await openSession(api, 3);
    await expect.poll(() => second.told.length, { timeout: 5_000 }).toBe(4);
    await second.close();
  });

  test('says that too much was missed: after an unknown id, and after more than 1,000', async () => {
    const unknown = await watch({ 'last-event-id': `evt_${'0'.repeat(32)}` });
    const nonsense = await watch({ 'last-event-id': 'x' });
    await expect.poll(() => [...kinds(unknown.told), ...kinds(nonsense.told)]).toEqual(['gap', 'gap']);
    const last = (await api.call('GET', '/v1/events?limit=1')).body.items[0].id;
    await api.database.database.query(
      '',
      `select emit_event('default', 'session.changed', 'ses_many', null, null) from generate_series(1, 1001)`,
      [],
    );
    await expect.poll(() => unknown.told.length, { timeout: 15_000 }).toBe(1_002);
    const late = await watch({ 'last-event-id': last });
    await expect.poll(() => kinds(late.told)).toEqual(['gap']);
    await Promise.all([unknown, nonsense, late].map((one) => one.close()));
  });

  test('is of one tenant, for 160 of it at once and for 32 of one key', async () => {
    await api.database.database.query('', `insert into tenants (tenant, name) values ('other', 'Other')`, []);
    const theirs = await watch({}, await api.key(['events:read'], 'other'));
    const keys = await Promise.all(Array.from({ length: 6 }, () => api.key(['events:read'])));
    const ours = await Promise.all(
      Array.from({ length: 160 }, (_, n) => watch({}, keys[Math.floor(n / 32)])),
    );
    expect(new Set(ours.map(({ answer }) => answer.status))).toEqual(new Set([200]));
    for (const key of [keys[0], keys[5]]) {
      const refused = await watch({}, key);
      expect(refused.answer.status).toBe(503);
      expect(refused.answer.headers.get('retry-after')).toBe('5');
    }
    // Nobody of one tenant keeps those of another out.
    const more = await watch({}, await api.key(['events:read'], 'other'));
    expect(more.answer.status).toBe(200);
    await more.close();
    await api.database.database.query(
      '',
      `select emit_event('default', 'number.removed', null, null, null)`,
      [],
    );
    await expect
      .poll(() => ours.every((one) => kinds(one.told).includes('number.removed')), { timeout: 10_000 })
      .toBe(true);
    expect(theirs.told).toEqual([]);
    await Promise.all([theirs, ...ours].map((one) => one.close()));
    await expect
      .poll(
        async () => {
          const again = await watch();
          await again.close();
          return again.answer.status;
        },
        { timeout: 15_000 },
      )
      .toBe(200);
  });

  test('needs events:read, and ends when we stop', async () => {
    const none = await watch({}, await api.key(['sessions:read']));
    expect(none.answer.status).toBe(403);
    const mine = await watch();
    expect(mine.answer.status).toBe(200);
    const closing = performance.now();
    await api.app.close();
    await expect.poll(() => mine.ended(), { timeout: 2_000 }).toBe(true);
    expect(performance.now() - closing).toBeLessThan(5_000);
  });
});
