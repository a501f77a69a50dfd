import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from './testing.ts';
import {
  authenticator,
  type Browser,
  browserOf,
  calmClock,
  login,
  password,
  person,
  tokenOf,
  totpCode,
} from './users.testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const sql = (text: string, values: readonly unknown[] = []) =>
  api.database.database.query<Record<string, unknown>>('', text, values);
const kinds = async (subject: string) =>
  (await sql('select kind from ledger where subject = $1 order by entry', [subject])).map(
    (row) => row['kind'],
  );
const prove = (body: Readonly<Record<string, unknown>>) =>
  api.call('POST', '/v1/auth/second-factor', { key: null, body });

async function withTotp(email: string) {
  await sql('delete from login_attempts');
  const browser = await person(api, email);
  const { body } = await browser.call('POST', '/v1/auth/totp');
  await calmClock();
  const confirmed = await browser.call('POST', '/v1/auth/totp/confirm', { code: totpCode(body.secret, -1) });
  expect(confirmed.status, confirmed.text).toBe(200);
  return { browser, secret: body.secret as string, codes: confirmed.body.recoveryCodes as string[] };
}

async function ticketOf(email: string): Promise<string> {
  const { body } = await login(api, email, password);
  expect(body.status).toBe('second-factor');
  return body.ticket;
}

async function addPasskey(browser: Browser, key = authenticator(), name = 'Laptop') {
  const { body } = await browser.call('POST', '/v1/auth/passkeys/options');
  const answer = await browser.call('POST', '/v1/auth/passkeys', {
    ticket: body.ticket,
    name,
    response: key.create(body.options),
  });
  return { key, answer };
}

async function logInWith(key: ReturnType<typeof authenticator>, ticket?: string) {
  const asked = await api.call('POST', '/v1/auth/passkey/options', {
    key: null,
    body: ticket === undefined ? {} : { ticket },
  });
  const response = key.get(asked.body.options);
  const body = { ticket: asked.body.ticket, response };
  return {
    body,
    options: asked.body.options,
    answer: await api.call('POST', '/v1/auth/passkey', { key: null, body }),
  };
}

describe('an authenticator app', () => {
  test('is asked for after the password, once it was confirmed', async () => {
    const browser = await person(api, 'app@s.example');
    const { body } = await browser.call('POST', '/v1/auth/totp');
    expect(body.uri).toMatch(/^otpauth:\/\/totp\/Samar:app%40s\.example\?/);
    expect((await login(api, 'app@s.example', password)).body.status).toBe('logged-in');
    const wrong = await browser.call('POST', '/v1/auth/totp/confirm', { code: '000000' });
    expect(wrong.status).toBe(422);
    const right = await browser.call('POST', '/v1/auth/totp/confirm', { code: totpCode(body.secret) });
    expect(right.body.recoveryCodes).toHaveLength(10);
    expect(new Set(right.body.recoveryCodes).size).toBe(10);
    const answer = await login(api, 'app@s.example', password);
    expect(answer.body).toEqual({
      status: 'second-factor',
      ticket: expect.stringMatching(/^default\.[\w-]{43}$/),
      methods: ['totp', 'recovery-code'],
    });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect((await browser.call('POST', '/v1/auth/totp')).status).toBe(422);
    expect(await kinds(browser.user)).toContain('totp.added');
  });

  test('its secret is sealed, its codes hashed', async () => {
    const { browser, secret, codes } = await withTotp('sealed@s.example');
    const [row] = await sql('select secret from user_totp where usr = $1', [browser.user]);
    expect(row?.['secret']).toHaveLength(5 + 12 + 20 + 16);
    expect(JSON.stringify(await sql('select * from user_recovery_codes'))).not.toContain(codes[0]);
    expect(JSON.stringify(await sql('select * from ledger'))).not.toContain(secret);
  });

  test('a code is taken once, whichever ticket it comes with', async () => {
    const { secret } = await withTotp('once@s.example');
    const code = totpCode(secret);
    const first = await prove({ ticket: await ticketOf('once@s.example'), totp: code });
    expect(first.body.status).toBe('logged-in');
    const again = await prove({ ticket: await ticketOf('once@s.example'), totp: code });
    expect(again.body.type).toBe('/problems/wrong-credentials');
    // Nor one from before it.
    const older = await prove({ ticket: await ticketOf('once@s.example'), totp: totpCode(secret, -1) });
    expect(older.status).toBe(401);
    const next = await prove({ ticket: await ticketOf('once@s.example'), totp: totpCode(secret, 1) });
    expect(next.status).toBe(200);
  });

  test('one code that comes twice at once logs in once', async () => {
    const { secret } = await withTotp('race@s.example');
    const tickets = [await ticketOf('race@s.example'), await ticketOf('race@s.example')];
    const totp = totpCode(secret);
    const answers = await Promise.all(tickets.map((ticket) => prove({ ticket, totp })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test('the clock may be a step off, not two', async () => {
    const { secret } = await withTotp('clock@s.example');
    expect(
      (await prove({ ticket: await ticketOf('clock@s.example'), totp: totpCode(secret, 3) })).status,
    ).toBe(401);
    expect(
      (await prove({ ticket: await ticketOf('clock@s.example'), totp: totpCode(secret, -3) })).status,
    ).toBe(401);
    expect(
      (await prove({ ticket: await ticketOf('clock@s.example'), totp: totpCode(secret, 1) })).status,
    ).toBe(200);
  });

  test('a ticket is used up, runs out, and bears few wrong codes', async () => {
    const { secret } = await withTotp('ticket@s.example');
    const used = await ticketOf('ticket@s.example');
    await prove({ ticket: used, totp: totpCode(secret) });
    expect((await prove({ ticket: used, totp: totpCode(secret, 1) })).status).toBe(401);
    const expired = await ticketOf('ticket@s.example');
    await sql(`update login_tickets set expires_at = now() - interval '1 second'`);
    expect((await prove({ ticket: expired, totp: totpCode(secret, 1) })).status).toBe(401);
    const guessed = await ticketOf('ticket@s.example');
    for (let n = 0; n < 5; n++) expect((await prove({ ticket: guessed, totp: '000000' })).status).toBe(401);
    expect((await prove({ ticket: guessed, totp: totpCode(secret, 1) })).status).toBe(401);
    expect((await prove({ ticket: 'x', totp: '000000' })).status).toBe(401);
    expect((await prove({ ticket: 'x' })).status).toBe(422);
    expect((await prove({ ticket: 'x', totp: '000000', recoveryCode: 'y' })).status).toBe(422);
  });

  test('knowing the password does not give guesses of codes without end', async () => {
    await withTotp('guess@s.example');
    let wrong = 0;
    let locked = false;
    for (let round = 0; round < 6 && !locked; round++) {
      const { status, body } = await login(api, 'guess@s.example', password);
      locked = status === 429;
      for (let n = 0; n < 4 && !locked; n++) {
        const answer = await prove({ ticket: body.ticket, totp: '000000' });
        locked = answer.status === 429;
        if (answer.status === 401) wrong += 1;
      }
    }
    expect(locked).toBe(true);
    expect(wrong).toBeLessThanOrEqual(10);
  });

  test('a recovery code logs in once, however it is typed', async () => {
    const { codes } = await withTotp('recovery@s.example');
    const [first = '', second = ''] = codes;
    const typed = first.toUpperCase().replaceAll('-', ' ');
    const recoveryCode = typed;
    expect((await prove({ ticket: await ticketOf('recovery@s.example'), recoveryCode })).status).toBe(200);
    expect((await prove({ ticket: await ticketOf('recovery@s.example'), recoveryCode: first })).status).toBe(
      401,
    );
    expect((await prove({ ticket: await ticketOf('recovery@s.example'), recoveryCode: second })).status).toBe(
      200,
    );
    expect((await prove({ ticket: await ticketOf('recovery@s.example'), recoveryCode: '' })).status).toBe(
      422,
    );
  });

  test('is removed with the password only', async () => {
    const { browser, codes } = await withTotp('remove@s.example');
    const wrong = await browser.call('DELETE', '/v1/auth/totp', { password: 'not the password' });
    expect(wrong.status).toBe(401);
    expect(wrong.headers['set-cookie']).toBeUndefined();
    expect((await browser.call('DELETE', '/v1/auth/totp', { password })).status).toBe(204);
    expect((await login(api, 'remove@s.example', password)).body.status).toBe('logged-in');
    expect(codes).toHaveLength(10);
    expect(await sql('select from user_recovery_codes where usr = $1', [browser.user])).toHaveLength(0);
    expect(await kinds(browser.user)).toContain('totp.removed');
  });
});

describe('a passkey', () => {
  test('logs in alone, without an address', async () => {
    const browser = await person(api, 'key@s.example');
    const { key, answer } = await addPasskey(browser);
    expect(answer.body.passkeys).toEqual([
      { id: expect.stringMatching(/^psk_/), name: 'Laptop', createdAt: expect.any(String) },
    ]);
    const { answer: done, options } = await logInWith(key);
    expect(options).toMatchObject({
      rpId: 'masking.example',
      userVerification: 'preferred',
      allowCredentials: [],
    });
    expect(done.status).toBe(200);
    const me = await browserOf(api, done).call('GET', '/v1/auth/me');
    expect(me.body.user.id).toBe(browser.user);
    expect(me.body.user.passkeys[0].lastUsedAt).toBeDefined();
    expect(await kinds(browser.user)).toContain('passkey.added');
  });

  test('is a second factor after the password', async () => {
    const browser = await person(api, 'second@s.example');
    const { key } = await addPasskey(browser);
    const { body } = await login(api, 'second@s.example', password);
    expect(body).toMatchObject({ status: 'second-factor', methods: ['passkey'] });
    const { answer, options } = await logInWith(key, body.ticket);
    expect(options.allowCredentials.map((one: { id: string }) => one.id)).toEqual([key.credential]);
    expect(answer.status).toBe(200);
  });

  test('of somebody else is no second factor', async () => {
    const stranger = await addPasskey(await person(api, 'stranger@s.example'));
    await addPasskey(await person(api, 'victim@s.example'));
    const { body } = await login(api, 'victim@s.example', password);
    expect((await logInWith(stranger.key, body.ticket)).answer.status).toBe(401);
  });

  test('an answer is taken once, and in time', async () => {
    await sql('delete from login_attempts');
    const { key } = await addPasskey(await person(api, 'replay@s.example'));
    const { body, answer } = await logInWith(key);
    expect(answer.status).toBe(200);
    expect((await api.call('POST', '/v1/auth/passkey', { key: null, body })).status).toBe(401);
    const asked = await api.call('POST', '/v1/auth/passkey/options', { key: null, body: {} });
    await sql(`update login_tickets set expires_at = now() - interval '1 second'`);
    const late = { ticket: asked.body.ticket, response: key.get(asked.body.options) };
    expect((await api.call('POST', '/v1/auth/passkey', { key: null, body: late })).status).toBe(401);
  });

  test('of another site, another challenge, another key or another relying party is refused', async () => {
    await sql('delete from login_attempts');
    const { key } = await addPasskey(await person(api, 'phish@s.example'));
    const other = authenticator();
    const answers = [];
    for (const make of [
      (options: { challenge: string }) =>
        key.get({ ...options, rpId: 'masking.example' }, 'https://evil.example'),
      () => key.get({ challenge: Buffer.alloc(32).toString('base64url'), rpId: 'masking.example' }),
      (options: { challenge: string }) => key.get({ ...options, rpId: 'evil.example' }),
      (options: { challenge: string }) => ({
        ...other.get({ ...options, rpId: 'masking.example' }),
        id: key.credential,
        rawId: key.credential,
      }),
      () => ({}),
      () => ({ id: key.credential, rawId: key.credential, type: 'public-key', response: {} }),
    ]) {
      const { body } = await api.call('POST', '/v1/auth/passkey/options', { key: null, body: {} });
      const response = make(body.options);
      const answer = await api.call('POST', '/v1/auth/passkey', {
        key: null,
        body: { ticket: body.ticket, response },
      });
      answers.push({ ...answer.body, instance: '' });
    }
    for (const one of answers) expect(one).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ status: 401, type: '/problems/wrong-credentials' });
  });

  test('that was copied shows by its counter', async () => {
    await sql('delete from login_attempts');
    const key = authenticator({ counts: true });
    await addPasskey(await person(api, 'copy@s.example'), key);
    expect((await logInWith(key)).answer.status).toBe(200);
    expect((await logInWith(key)).answer.status).toBe(200);
    key.counter = 0;
    expect((await logInWith(key)).answer.status).toBe(401);
  });

  test('belongs to one user, and to whoever asked for it', async () => {
    const one = await person(api, 'one@s.example');
    const two = await person(api, 'two@s.example');
    const { key } = await addPasskey(one);
    expect((await addPasskey(two, key)).answer.status).toBe(422);
    const { body } = await one.call('POST', '/v1/auth/passkeys/options');
    const response = authenticator().create(body.options);
    const stolen = await two.call('POST', '/v1/auth/passkeys', { ticket: body.ticket, name: 'x', response });
    expect(stolen.status).toBe(422);
    for (const bad of [{}, { id: 'x' }, authenticator().create(body.options, 'https://evil.example')]) {
      const { body: asked } = await one.call('POST', '/v1/auth/passkeys/options');
      const answer = await one.call('POST', '/v1/auth/passkeys', {
        ticket: asked.ticket,
        name: 'x',
        response: bad,
      });
      expect(answer.status).toBe(422);
    }
  });

  test('that is removed logs nobody in, and can be added again', async () => {
    await sql('delete from login_attempts');
    const browser = await person(api, 'gone@s.example');
    const { key, answer } = await addPasskey(browser);
    const id = answer.body.passkeys[0].id;
    const other = await person(api, 'nosy@s.example');
    expect((await other.call('DELETE', `/v1/auth/passkeys/${id}`)).status).toBe(404);
    expect((await browser.call('DELETE', `/v1/auth/passkeys/${id}`)).body.passkeys).toEqual([]);
    expect((await logInWith(key)).answer.status).toBe(401);
    expect((await addPasskey(other, key)).answer.status).toBe(200);
    expect(await kinds(browser.user)).toContain('passkey.removed');
  });

  test('of a disabled user logs nobody in', async () => {
    await sql('delete from login_attempts');
    const browser = await person(api, 'off@s.example');
    const { key } = await addPasskey(browser);
    await api.call('PATCH', `/v1/users/${browser.user}`, { body: { disabled: true } });
    expect((await logInWith(key)).answer.status).toBe(401);
  });
});

describe('an invitation of somebody who has a second factor', () => {
  const accept = (invitationUrl: string) =>
    api.call('POST', '/v1/auth/invitation', {
      key: null,
      body: { token: tokenOf(invitationUrl), password: 'gunung api tinggi' },
    });

  test('for the password alone asks for it', async () => {
    const { browser, secret } = await withTotp('lost@s.example');
    const { body } = await api.call('POST', `/v1/users/${browser.user}/invitation`, { body: {} });
    expect((await browser.call('GET', '/v1/auth/me')).status).toBe(401);
    const answer = await accept(body.invitationUrl);
    expect(answer.body.status).toBe('second-factor');
    expect(answer.headers['set-cookie']).toBeUndefined();
    const done = await prove({ ticket: answer.body.ticket, totp: totpCode(secret) });
    expect(done.body.user.totp).toBe(true);
  });

  test('for the second factor too takes it away when it is used, and not before', async () => {
    const { browser } = await withTotp('phone@s.example');
    const { key } = await addPasskey(browser);
    const again = { body: { secondFactor: true } };
    const { body } = await api.call('POST', `/v1/users/${browser.user}/invitation`, again);
    expect((await login(api, 'phone@s.example', password)).body.status).toBe('second-factor');
    const answer = await accept(body.invitationUrl);
    expect(answer.body).toMatchObject({ status: 'logged-in', user: { totp: false, passkeys: [] } });
    expect((await logInWith(key)).answer.status).toBe(401);
    expect(await kinds(browser.user)).toEqual(expect.arrayContaining(['totp.removed', 'passkey.removed']));
  });
});
