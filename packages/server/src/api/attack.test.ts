/** What a hostile outsider, colleague, tenant or participant tries over HTTP, and what they get. */
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mostToldAgain } from '../trust/disputes/disputes.ts';
import { openSession, type TestApi, testApi } from './testing.ts';
import { press, talk, visited } from './transparency.testing.ts';
import { type Browser, login, password, person } from './users.testing.ts';

let api: TestApi;
let admin: Browser;
beforeAll(async () => {
  api = await testApi();
  await api.stock(12);
  admin = await person(api, 'admin@attack.example', 'admin');
});
afterAll(() => api.close());

const sql = (text: string, values: readonly unknown[] = []) =>
  api.database.database.query<Record<string, unknown>>('', text, values);

describe('a log-in', () => {
  test('with the old password that is being checked while it is changed does not outlive the change', async () => {
    const email = 'changing@attack.example';
    const browser = await person(api, email);
    const next = 'gunung api tinggi sekali';
    // Some of them read the hash before the change and are done with it after.
    const changing = browser.call('POST', '/v1/auth/password', { present: password, next });
    const old = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await sleep(n * 25);
        return login(api, email, password);
      }),
    );
    expect((await changing).status).toBe(204);
    await sql('delete from login_attempts');
    for (const answer of old.filter(({ status }) => status === 200)) {
      const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
      const me = await api.call('GET', '/v1/auth/me', { key: null, headers: { cookie } });
      expect(me.status).toBe(401);
    }
    expect((await login(api, email, next)).status).toBe(200);
  });

  test('that only watches is not used', async () => {
    const browser = await person(api, 'watches@attack.example');
    await sql(`update user_sessions set seen_at = seen_at - interval '50 minutes' where usr = $1`, [
      browser.user,
    ]);
    const token = browser.cookie.split('=')[1] ?? '';
    const seen = async () =>
      (await sql('select seen_at from user_sessions where usr = $1', [browser.user]))[0]?.['seen_at'];
    const before = await seen();
    expect(await api.rooms.users.authenticate(token, 'watching')).toBeDefined();
    expect(await seen()).toEqual(before);
    expect(await api.rooms.users.authenticate(token)).toBeDefined();
    expect(await seen()).not.toEqual(before);
  });
});

describe('an Idempotency-Key of somebody else', () => {
  test('brings no answer that they were given', async () => {
    const body = { name: 'deputy', scopes: ['pii:reveal'] };
    const headers = { 'idempotency-key': 'weekly-rotation' };
    const made = await api.call('POST', '/v1/keys', { body, headers });
    expect(made.status).toBe(201);
    const lesser = await api.key(['keys:write']);
    expect((await api.call('POST', '/v1/keys', { body, key: lesser })).status).toBe(403);
    const stolen = await api.call('POST', '/v1/keys', { body, key: lesser, headers });
    expect(stolen.status).toBe(409);
    expect(stolen.text).not.toContain('sk_');
    expect((await api.call('POST', '/v1/keys', { body, headers })).text).toBe(made.text);
  });
});

describe('whoever made a key', () => {
  test('is no second person beside it', async () => {
    await api.call('PATCH', '/v1/settings', { body: { downloadApproval: true } });
    const scopes = ['recordings:download', 'recordings:approve'];
    const [one, other] = await Promise.all(
      ['one', 'other'].map((name) => admin.call('POST', '/v1/keys', { name, scopes })),
    );
    const colleague = await person(api, 'second@attack.example', 'investigator');
    const { session, people } = await visited(api, 90);
    const call = await talk(api, session, people[0]);
    const asked = await api.call('POST', `/v1/calls/${call}/recording/downloads`, {
      key: one?.body.secret,
      body: { reason: 'for myself' },
    });
    expect(asked.body.status, asked.text).toBe('pending');
    const path = `/v1/downloads/${asked.body.id}/approve`;
    const bySelf = await admin.call('POST', path);
    expect([bySelf.status, bySelf.body.type]).toEqual([403, '/problems/own-request']);
    const bySibling = await api.call('POST', path, { key: other?.body.secret });
    expect([bySibling.status, bySibling.body.type]).toEqual([403, '/problems/own-request']);
    const bySecond = await colleague.call('POST', path);
    expect(bySecond.status, bySecond.text).toBe(200);
    await api.call('PATCH', '/v1/settings', { body: { downloadApproval: false } });
  });
});

describe('a participant', () => {
  test('who complains without end leaves room for those who look into it', async () => {
    const { people } = await visited(api, 91);
    const path = `${people[0].path}/report`;
    const taken: number[] = [];
    for (let n = 0; n <= mostToldAgain + 1; n++) {
      const answer = await press(api, path, { category: 'other', statement: `again and again ${n}` });
      taken.push(answer.status);
    }
    expect(taken.filter((status) => status === 303)).toHaveLength(mostToldAgain + 1);
    expect(taken.at(-1)).toBe(422);
    const { body } = await api.call('GET', '/v1/disputes?limit=1');
    const note = await api.call('POST', `/v1/disputes/${body.items[0].id}/notes`, {
      body: { text: 'Seen.' },
    });
    expect(note.status).toBe(201);
  });
});

describe('a dispute', () => {
  test('holds what is being deleted in the same moment, or it is deleted before', async () => {
    const session = await openSession(api, 92);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // A deletion that has looked for holds and has not ended yet.
    const deleting = api.database.database.transaction(async (inside) => {
      await inside.query(
        '',
        `select from shred_recordings('default', '{}', 'deleted', 'recording.deleted', 'x', null, '{}')`,
        [],
      );
      await held;
    });
    await sleep(50);
    let opened = false;
    const opening = api
      .call('POST', '/v1/disputes', {
        body: { session: session.id, category: 'safety', statement: 'He threatened me.' },
      })
      .then((answer) => {
        opened = true;
        return answer;
      });
    await sleep(200);
    expect(opened).toBe(false);
    release();
    await deleting;
    expect((await opening).status).toBe(201);
  });
});

describe('a hold', () => {
  test('that is placed while somebody is erased keeps what they are heard in', async () => {
    const { session, people } = await visited(api, 94);
    await talk(api, session, people[0]);
    const { lockCustody, placeHold } = await import('../store/queries/custody.ts');
    let erasing: Promise<unknown> = Promise.resolve();
    await api.database.database.transaction(async (inside) => {
      await lockCustody(inside, 'default');
      const hold = `hld_${'4'.repeat(32)}`;
      const made = {
        tenant: 'default',
        hold,
        session,
        reason: Buffer.from('x'),
        dispute: undefined,
        actor: 'x',
      };
      await placeHold(inside, made);
      erasing = api.call('POST', '/v1/privacy/erase', {
        key: await api.key(['privacy:write']),
        body: { participant: people[0].id, reason: 'asked by letter' },
      });
      await sleep(500);
    });
    await erasing;
    const seals = () =>
      sql(
        `select from legal_seals l join recordings r on r.tenant = l.tenant and r.recording = l.recording where r.session = $1`,
        [session],
      );
    await expect.poll(async () => (await seals()).length, { timeout: 5_000 }).toBe(1);
  });
});

describe('the number of somebody who wants to be left alone', () => {
  test('is not revealed', async () => {
    const session = await openSession(api, 93);
    const [participant] = session.participants;
    const path = `/v1/sessions/${session.id}/participants/${participant.id}/reveal`;
    const key = await api.key(['pii:reveal']);
    const body = { reason: 'police request 12' };
    expect((await api.call('POST', path, { key, body })).status).toBe(200);
    const officer = await api.key(['privacy:write']);
    const restricted = await api.call('POST', '/v1/privacy/restrict', {
      key: officer,
      body: { participant: participant.id, reason: 'asked by letter' },
    });
    expect(restricted.status, restricted.text).toBe(202);
    const refused = await api.call('POST', path, { key, body });
    expect([refused.status, refused.body.type]).toEqual([409, '/problems/subject-restricted']);
    const rows = await sql(`select from ledger where kind = 'phone.revealed' and subject = $1`, [
      participant.id,
    ]);
    expect(rows).toHaveLength(1);
  });
});

test('streams that are left while they are being opened leave their places', async () => {
  const other = await testApi();
  await other.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = other.app.server.address() as AddressInfo;
  const keys = await Promise.all(Array.from({ length: 8 }, () => other.key(['events:read'])));
  for (let n = 0; n < 260; n++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(`GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keys[n % 8]}\r\n\r\n`);
    await sleep(n % 8);
    socket.resetAndDestroy();
  }
  await expect
    .poll(
      async () => {
        const controller = new AbortController();
        const answers = await Promise.all(
          keys.map((key) =>
            fetch(`http://127.0.0.1:${port}/v1/live`, {
              headers: { authorization: `Bearer ${key}` },
              signal: controller.signal,
            }),
          ),
        );
        controller.abort();
        return answers.map(({ status }) => status);
      },
      { timeout: 5_000 },
    )
    .toEqual(Array.from({ length: 8 }, () => 200));
  await other.close();
}, 30_000);
