import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { shows, type TestApi, testApi } from './testing.ts';
import { browserOf, cookieOf, invite, login, password, person, tokenOf } from './users.testing.ts';

const counted = vi.hoisted(() => ({ verifications: 0 }));
vi.mock('@node-rs/argon2', async (original) => {
  const real = await original<typeof import('@node-rs/argon2')>();
  const verify: typeof real.verify = (...all) => {
    counted.verifications += 1;
    return real.verify(...all);
  };
  return { ...real, verify };
});

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const sql = (text: string, values: readonly unknown[] = []) =>
  api.database.database.query<Record<string, unknown>>('', text, values);
const ledger = async (subject: string) =>
  (await sql('select kind, actor, details from ledger where subject = $1 order by entry', [subject])).map(
    (row) => row,
  );
/** Addresses are locked too: tests that are wrong on purpose come from one of their own. */
const forgetLocks = () => sql('delete from login_attempts');

test('an invitation sets the password, logs in, and works once', async () => {
  const made = await api.call('POST', '/v1/users', {
    body: { email: ' Sari@Marketplace.Example', name: 'Sari', role: 'operator', locale: 'id' },
  });
  expect(made.status).toBe(201);
  expect(made.body.user).toMatchObject({ email: 'sari@marketplace.example', status: 'invited', totp: false });
  expect(made.body.invitationUrl).toMatch(
    /^https:\/\/masking\.example\/console\/invitation#default\.[\w-]{43}$/,
  );
  const inDays = (Date.parse(made.body.expiresAt) - Date.now()) / 3_600_000;
  expect(inDays).toBeGreaterThan(71.9);
  expect(inDays).toBeLessThan(72.1);

  const token = tokenOf(made.body.invitationUrl);
  const read = await api.call('GET', '/v1/auth/invitation', {
    key: null,
    headers: { 'x-invitation': token },
  });
  expect(read.body).toEqual({ email: 'sari@marketplace.example', name: 'Sari' });
  const weak = await api.call('POST', '/v1/auth/invitation', {
    key: null,
    body: { token, password: 'short' },
  });
  expect(weak.status).toBe(422);
  expect(weak.body).toMatchObject({ type: '/problems/weak-password', errors: [{ pointer: '/password' }] });

  const body = { token, password };
  const accepted = await api.call('POST', '/v1/auth/invitation', { key: null, body });
  expect(accepted.status).toBe(200);
  expect(accepted.headers['set-cookie']).toMatch(
    /^__Host-samar=default\.[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$/,
  );
  expect(accepted.headers['cache-control']).toBe('no-store');
  const browser = browserOf(api, accepted);
  const me = await browser.call('GET', '/v1/auth/me');
  expect(me.body).toMatchObject({
    user: { email: 'sari@marketplace.example', status: 'active', locale: 'id' },
    tenant: { id: 'default', name: 'Default' },
    role: 'operator',
    csrf: browser.csrf,
  });
  expect(me.body.scopes).toContain('sessions:write');
  expect(me.body.scopes).not.toContain('ledger:read');
  expect((await api.call('POST', '/v1/auth/invitation', { key: null, body })).status).toBe(404);
  expect((await ledger(browser.user)).map((row) => [row['kind'], row['actor']])).toEqual([
    ['user.invited', expect.stringMatching(/^key_/)],
    ['password.changed', browser.user],
    ['login.succeeded', browser.user],
  ]);
});

test('links that were used, ran out, were replaced or never were look the same', async () => {
  const used = await person(api, 'used@a.example');
  const expired = await invite(api, 'expired@a.example');
  const replaced = await invite(api, 'replaced@a.example');
  const again = await api.call('POST', `/v1/users/${replaced.id}/invitation`, { body: {} });
  expect(again.status).toBe(201);
  await sql(`update user_invitations set expires_at = now() - interval '1 second' where usr = $1`, [
    expired.id,
  ]);
  expect(used.user).toMatch(/^usr_/);
  const tokens = [
    ...[expired.token, replaced.token, `default.${'x'.repeat(43)}`, `nobody.${'x'.repeat(43)}`, 'x'],
    ...['', `default.${expired.token}`, 'x'.repeat(200)],
  ];
  const answers = [];
  for (const token of tokens) {
    const read = await api.call('GET', '/v1/auth/invitation', {
      key: null,
      headers: { 'x-invitation': token },
    });
    answers.push({ ...read.body, instance: '' });
    if (token === '') continue;
    const accept = await api.call('POST', '/v1/auth/invitation', { key: null, body: { token, password } });
    answers.push({ ...accept.body, instance: '' });
  }
  for (const one of answers) expect(one).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ type: '/problems/link-invalid', status: 404 });
});

test('one link that two people open at once sets one password', async () => {
  const { token } = await invite(api, 'twice@a.example');
  const accept = (word: string) =>
    api.call('POST', '/v1/auth/invitation', { key: null, body: { token, password: word } });
  const answers = await Promise.all([accept('gunung api tinggi'), accept('pantai pasir putih')]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 404]);
});

describe('a wrong log-in', () => {
  test('is the same whatever was wrong, with as much work', async () => {
    await forgetLocks();
    await person(api, 'known@a.example');
    const off = await person(api, 'off@a.example');
    await invite(api, 'new@a.example');
    await api.call('PATCH', `/v1/users/${off.user}`, { body: { disabled: true } });
    const tries = [
      ['known@a.example', 'not the password'],
      ['nobody@a.example', password],
      ['off@a.example', password],
      ['new@a.example', password],
      ['no address', password],
    ] as const;
    const answers = [];
    for (const [email, word] of tries) {
      const before = counted.verifications;
      const answer = await login(api, email, word);
      expect(counted.verifications - before, email).toBe(1);
      expect(answer.headers['set-cookie'], email).toBeUndefined();
      answers.push({ ...answer.body, instance: '' });
    }
    for (const one of answers) expect(one).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ type: '/problems/wrong-credentials', status: 401 });
  });

  test('is in the ledger without the address', async () => {
    await forgetLocks();
    const { user } = await person(api, 'watched@a.example');
    await login(api, 'watched@a.example', 'not the password');
    await login(api, 'nobody-at-all@a.example', 'not the password');
    expect((await ledger(user)).at(-1)).toEqual({
      kind: 'login.failed',
      actor: 'login',
      details: { method: 'password' },
    });
    const all = JSON.stringify(await sql('select * from ledger'));
    expect(all).not.toContain('a.example');
    expect(JSON.stringify(api.lines)).not.toContain('a.example');
  });
});

describe('after ten wrong ones', () => {
  const wrong = (email: string, address: string) =>
    api.app.inject({
      method: 'POST',
      url: '/v1/auth/login',
      remoteAddress: address,
      payload: { email, password: 'not the password' },
    });

  test('the account waits, whoever asks, and is as locked when there is none', async () => {
    await forgetLocks();
    const { user } = await person(api, 'target@a.example');
    for (const email of ['target@a.example', 'phantom@a.example']) {
      for (let n = 0; n < 10; n++)
        expect((await wrong(email, `198.51.100.${n}`)).statusCode, email).toBe(401);
      const answer = await wrong(email, '203.0.113.1');
      expect(answer.statusCode).toBe(429);
      expect(answer.json().type).toBe('/problems/locked-out');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(890);
      expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(900);
    }
    const right = await login(api, 'TARGET@a.example', password);
    expect(right.status).toBe(429);
    expect((await ledger(user)).filter((row) => row['kind'] === 'login.locked')).toHaveLength(1);
    // A quarter of an hour later.
    await sql(`update login_attempts set at = array(select t - interval '15 minutes' from unnest(at) t)`);
    expect((await login(api, 'target@a.example', password)).status).toBe(200);
  });

  test('the network address waits, and others do not', async () => {
    await forgetLocks();
    for (let n = 0; n < 10; n++) {
      expect((await wrong(`spray${n}@a.example`, `2001:db8:0:7::${n + 1}`)).statusCode).toBe(401);
    }
    expect((await wrong('spray@a.example', '2001:db8:0:7:ffff::1')).statusCode).toBe(429);
    expect((await wrong('spray@a.example', '2001:db8:0:8::1')).statusCode).toBe(401);
  });

  test('guessing all at once gains nothing', async () => {
    await forgetLocks();
    await person(api, 'burst@a.example');
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, n) => wrong('burst@a.example', `198.51.100.${n + 20}`)),
    );
    const statuses = all.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(20);
  });

  test('a new invitation opens the account again', async () => {
    await forgetLocks();
    const { user } = await person(api, 'stuck@a.example');
    for (let n = 0; n < 10; n++) await wrong('stuck@a.example', `198.51.100.${n}`);
    expect((await login(api, 'stuck@a.example', password)).status).toBe(429);
    const { body } = await api.call('POST', `/v1/users/${user}/invitation`, { body: {} });
    expect(body.user.status).toBe('active');
    expect((await login(api, 'stuck@a.example', password)).status).toBe(200);
  });

  test('who is right in between starts anew', async () => {
    await forgetLocks();
    await person(api, 'clumsy@a.example');
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 9; n++) await wrong('clumsy@a.example', `198.51.100.${n}`);
      expect((await login(api, 'clumsy@a.example', password)).status).toBe(200);
    }
  });
});

test('more passwords at once than the machine checks are 503, and no wrong attempts', async () => {
  await forgetLocks();
  await person(api, 'crowd@a.example');
  const all = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      api.app.inject({
        method: 'POST',
        url: '/v1/auth/login',
        remoteAddress: `198.51.100.${n}`,
        payload: { email: `crowd${n}@a.example`, password },
      }),
    ),
  );
  const busy = all.filter(({ statusCode }) => statusCode === 503);
  expect(busy.length).toBeGreaterThan(0);
  for (const one of busy) expect(one.headers['retry-after']).toBe('2');
  const counts = await sql('select sum(cardinality(at))::integer as wrong from login_attempts');
  expect(counts[0]?.['wrong']).toBe(2 * (60 - busy.length));
});

describe('a session', () => {
  test('ends by logging out', async () => {
    const browser = await person(api, 'leaves@a.example');
    const out = await browser.call('POST', '/v1/auth/logout');
    expect(out.status).toBe(204);
    expect(out.headers['set-cookie']).toMatch(/^__Host-samar=; Max-Age=0; Path=\//);
    const after = await browser.call('GET', '/v1/auth/me');
    expect(after.status).toBe(401);
    expect(after.headers['set-cookie']).toMatch(/^__Host-samar=; Max-Age=0/);
    expect((await ledger(browser.user)).at(-1)?.['kind']).toBe('logout');
  });

  test.each([
    ['12 hours', `expires_at = now() - interval '1 second'`],
    ['60 minutes without use', `seen_at = now() - interval '61 minutes'`],
  ])('ends after %s', async (name, change) => {
    const browser = await person(api, `${name.replaceAll(' ', '')}@a.example`);
    expect((await browser.call('GET', '/v1/auth/me')).status).toBe(200);
    await sql(`update user_sessions set ${change} where usr = $1`, [browser.user]);
    expect((await browser.call('GET', '/v1/auth/me')).status).toBe(401);
    expect((await browser.call('GET', '/v1/sessions')).status).toBe(401);
  });

  test('is kept alive by use, noted once a minute', async () => {
    const browser = await person(api, 'busy@a.example');
    const seen = async () =>
      (await sql('select seen_at from user_sessions where usr = $1', [browser.user]))[0]?.['seen_at'] as Date;
    const first = await seen();
    await browser.call('GET', '/v1/auth/me');
    expect(await seen()).toEqual(first);
    await sql(`update user_sessions set seen_at = now() - interval '59 minutes' where usr = $1`, [
      browser.user,
    ]);
    await browser.call('GET', '/v1/auth/me');
    expect((await seen()).getTime()).toBeGreaterThanOrEqual(first.getTime());
  });

  test('is one of at most twenty of a user', async () => {
    await forgetLocks();
    const first = await person(api, 'many@a.example');
    for (let n = 0; n < 20; n++) expect((await login(api, 'many@a.example', password)).status).toBe(200);
    expect((await first.call('GET', '/v1/auth/me')).status).toBe(401);
    expect(await sql('select from user_sessions where usr = $1', [first.user])).toHaveLength(20);
  });

  test('a forged cookie is nobody, and is cleared', async () => {
    const forged = [
      `default.${'A'.repeat(43)}`,
      `installation.${'A'.repeat(43)}`,
      ...["default.' or 1=1 --", '%00', 'x'.repeat(4000), '%', 'default.'],
    ];
    for (const token of forged) {
      const answer = await api.call('GET', '/v1/sessions', {
        key: null,
        headers: { cookie: `__Host-samar=${token}` },
      });
      expect(answer.status, token).toBe(401);
      expect(answer.headers['set-cookie'], token).toMatch(/Max-Age=0/);
    }
    const { cookie } = await person(api, 'other-name@a.example');
    const renamed = cookie.replace('__Host-samar', 'samar');
    expect((await api.call('GET', '/v1/auth/me', { key: null, headers: { cookie: renamed } })).status).toBe(
      401,
    );
  });

  test('at rest there is no token', async () => {
    const { cookie } = await person(api, 'rest@a.example');
    const token = cookie.split('.')[1] ?? '';
    const stored = JSON.stringify(await sql('select encode(digest, $1) as d from user_sessions', ['base64']));
    expect(token).toHaveLength(43);
    expect(stored).not.toContain(token.slice(0, 20));
  });
});

test('a password that is changed ends every log-in, and the old one', async () => {
  await forgetLocks();
  const browser = await person(api, 'change@a.example');
  const other = browserOf(api, await login(api, 'change@a.example', password));
  const change = (present: string, next: string) =>
    browser.call('POST', '/v1/auth/password', { present, next });
  expect((await change('not the password', 'langit biru di atas')).body).toMatchObject({
    type: '/problems/wrong-credentials',
    errors: [{ pointer: '/present' }],
  });
  expect((await change(password, 'change@a.example!')).body.type).toBe('/problems/weak-password');
  expect((await change(password, 'langit biru di atas')).status).toBe(204);
  expect((await browser.call('GET', '/v1/auth/me')).status).toBe(401);
  expect((await other.call('GET', '/v1/auth/me')).status).toBe(401);
  expect((await login(api, 'change@a.example', password)).status).toBe(401);
  expect((await login(api, 'change@a.example', 'langit biru di atas')).status).toBe(200);
});

test('no answer of the log-in repeats what was sent', async () => {
  const phone = '+6281234567890';
  const answers = [
    await login(api, `${phone}@a.example`, phone),
    await api.call('POST', '/v1/auth/login', { key: null, body: { email: 5, [phone]: phone } }),
    await api.call('POST', '/v1/users', { body: { email: phone, name: phone, role: 'operator' } }),
  ];
  for (const { text } of answers) expect(shows(text, phone)).toBe(false);
});

test('over plain HTTP the cookie has its plain name', async () => {
  const plain = await testApi({ publicUrl: 'http://localhost:8080' });
  try {
    const { token } = await invite(plain, 'plain@a.example');
    const answer = await plain.call('POST', '/v1/auth/invitation', { key: null, body: { token, password } });
    expect(answer.headers['set-cookie']).toMatch(
      /^samar=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    );
    const me = await plain.call('GET', '/v1/auth/me', { key: null, headers: { cookie: cookieOf(answer) } });
    expect(me.status).toBe(200);
  } finally {
    await plain.close();
  }
});
