import { simulatedDoors } from '@samar/doors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMasking } from '../masking.ts';
import { type TestMasking, testMasking } from '../testing.ts';

describe('access', () => {
  let heart: TestMasking;
  const adminKey = 'an installation key of some length';
  beforeAll(async () => {
    heart = await testMasking({ adminKey });
  });
  afterAll(() => heart.close());

  it('is given by keys that are kept as digests', async () => {
    const { masking } = heart;
    const key = await masking.createApiKey('default', {
      name: 'shop',
      scopes: ['sessions:write', 'sessions:read'],
    });
    expect(key.secret).toMatch(/^sk_default_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
    const principal = await masking.authenticate(key.secret);
    expect(principal).toEqual({
      tenant: 'default',
      actor: key.id,
      scopes: new Set(['sessions:write', 'sessions:read']),
    });
    const stored = await heart.test.database.query<{ readonly row: string }>(
      '',
      'select k::text as row from api_keys k',
      [],
    );
    expect(JSON.stringify(stored)).not.toContain(key.secret.slice(-43));
    const wrong = [
      '',
      'sk_default',
      `${key.secret}x`,
      `${key.secret.slice(0, -1)}${key.secret.endsWith('A') ? 'B' : 'A'}`,
      key.secret.replace(/_[0-9a-f]{32}_/, `_${'0'.repeat(32)}_`),
      'x'.repeat(100_000),
    ];
    for (const one of wrong) expect(await masking.authenticate(one)).toBeUndefined();
    const all = await masking.createApiKey('default', { name: 'all', scopes: ['admin'] });
    const scopes = (await masking.authenticate(all.secret))?.scopes;
    expect(scopes?.has('keys:write')).toBe(true);
    expect(scopes?.has('recordings:listen')).toBe(false);
    expect(scopes?.has('pii:reveal')).toBe(false);
    expect(await masking.authenticate(adminKey)).toMatchObject({ tenant: 'default', actor: 'admin' });
    expect((await masking.authenticate(adminKey))?.scopes.has('recordings:listen')).toBe(true);
    expect(await masking.authenticate(`${adminKey} `)).toBeUndefined();
  });

  it('ends with the key: at once here, within a second elsewhere', async () => {
    const { masking, test, vault } = heart;
    const world = simulatedDoors(1);
    const elsewhere = createMasking({ database: test.database, vault, doors: world });
    const key = await masking.createApiKey('default', { name: 'short', scopes: ['admin'] });
    expect(await elsewhere.authenticate(key.secret)).toBeDefined();
    expect(await masking.authenticate(key.secret)).toBeDefined();
    expect((await masking.revokeApiKey('default', key.id)).revokedAt).toBeInstanceOf(Date);
    expect(await masking.authenticate(key.secret)).toBeUndefined();
    expect(await elsewhere.authenticate(key.secret)).toBeDefined();
    await world.advance(1_000);
    expect(await elsewhere.authenticate(key.secret)).toBeUndefined();
    await masking.revokeApiKey('default', key.id);

    const expiring = await masking.createApiKey('default', {
      name: 'expiring',
      scopes: ['admin'],
      expiresAt: new Date(Date.now() + 3_600_000),
    });
    expect(await masking.authenticate(expiring.secret)).toBeDefined();
    await test.database.query('', `update api_keys set expires_at = now() where api_key = $1`, [expiring.id]);
    expect(await elsewhere.authenticate(expiring.secret)).toBeUndefined();
    expect((await masking.listApiKeys('default', { limit: 200 })).items.map((one) => one.name)).toEqual(
      expect.arrayContaining(['short', 'expiring']),
    );
  });

  it('repeats an answer under an idempotency key, and works once', async () => {
    const { idempotency } = heart.masking;
    const digest = Buffer.from('one body');
    const begin = () => idempotency.begin('default', 'key 1', digest);
    const kinds = (await Promise.all(Array.from({ length: 8 }, begin))).map((one) => one.kind);
    expect(kinds.filter((kind) => kind === 'work')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'busy')).toHaveLength(7);
    await idempotency.finish('default', 'key 1', 201, '{"phone":"+62•••"}');
    expect(await begin()).toEqual({ kind: 'replay', status: 201, body: '{"phone":"+62•••"}' });
    expect(await idempotency.begin('default', 'key 1', Buffer.from('other'))).toEqual({ kind: 'mismatch' });
    await idempotency.abandon('default', 'key 1');
    expect(await begin()).toMatchObject({ kind: 'replay' });

    const second = () => idempotency.begin('default', 'key 2', digest);
    expect(await second()).toEqual({ kind: 'work' });
    await idempotency.abandon('default', 'key 2');
    expect(await second()).toEqual({ kind: 'work' });
    const age = (text: string) =>
      heart.test.database.query('', `update idempotency_keys set created_at = now() - $1::interval`, [text]);
    await age('31 seconds');
    expect(await second()).toEqual({ kind: 'work' });
    expect(await second()).toEqual({ kind: 'busy' });
    expect(await begin()).toMatchObject({ kind: 'replay' });
    await age('25 hours');
    expect(await begin()).toEqual({ kind: 'work' });
    const rows = await heart.test.database.query<{ readonly row: string }>(
      '',
      'select k::text as row from idempotency_keys k',
      [],
    );
    expect(JSON.stringify(rows)).not.toContain('key 1');
  });
});
