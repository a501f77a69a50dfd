import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Settings } from '../service.ts';
import { type TestMasking, testMasking } from '../testing.ts';
import { createSettings, defaultSettings } from './settings.ts';

describe('settings', () => {
  let heart: TestMasking;
  let part: ReturnType<typeof createSettings>;
  const ask = <Row>(text: string, values: readonly unknown[] = []) =>
    heart.test.database.query<Row>('', text, values);
  beforeEach(async () => {
    heart = await testMasking();
    part = createSettings({ database: heart.test.database, vault: heart.vault, doors: heart.doors });
  });
  afterEach(() => heart.close());

  it("are the installation's until the tenant sets its own, one by one", async () => {
    expect(await part.getSettings('default')).toEqual(defaultSettings);
    expect(await part.updateSettings('default', { ringSeconds: 40 })).toEqual({
      ...defaultSettings,
      ringSeconds: 40,
    });
    await part.updateSettings('default', { timeZone: 'Asia/Jakarta', accept: true });
    const own = { ...defaultSettings, ringSeconds: 40, timeZone: 'Asia/Jakarta', accept: true };
    expect(await part.getSettings('default')).toEqual(own);
    const context = { database: heart.test.database, vault: heart.vault, doors: heart.doors };
    const elsewhere = createSettings(context, { ...defaultSettings, ringSeconds: 10, maxSeconds: 600 });
    expect(await elsewhere.getSettings('default')).toEqual({ ...own, maxSeconds: 600 });
    await heart.masking.createTenant({ tenant: 'other', name: 'Other' });
    expect(await part.getSettings('other')).toEqual(defaultSettings);
    await expect(part.getSettings('nobody')).rejects.toMatchObject({ code: 'not-found' });
    await expect(part.updateSettings('nobody', { accept: true })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('are refused with the place, and then nothing is changed', async () => {
    const wrong: readonly (readonly [change: Record<string, unknown>, pointer: string])[] = [
      [{ ringSeconds: 4 }, '/ringSeconds'],
      [{ ringSeconds: 121 }, '/ringSeconds'],
      [{ ringSeconds: 10.5 }, '/ringSeconds'],
      [{ ringSeconds: '25' }, '/ringSeconds'],
      [{ ringSeconds: null }, '/ringSeconds'],
      [{ maxSeconds: 9 }, '/maxSeconds'],
      [{ maxSeconds: 86_401 }, '/maxSeconds'],
      [{ maxSeconds: Number.NaN }, '/maxSeconds'],
      [{ accept: 'yes' }, '/accept'],
      [{ accept: 1 }, '/accept'],
      [{ abuseThreshold: 0 }, '/abuseThreshold'],
      [{ abuseThreshold: 1_001 }, '/abuseThreshold'],
      [{ timeZone: '' }, '/timeZone'],
      [{ timeZone: 'Asia/Atlantis' }, '/timeZone'],
      [{ timeZone: '+07:00' }, '/timeZone'],
      [{ timeZone: 'Asia/Jakarta\0' }, '/timeZone'],
      [{ timeZone: 7 }, '/timeZone'],
      [{ volume: 11 }, '/volume'],
      [{ constructor: 1 }, '/constructor'],
      [{ ringSeconds: 30, '+6281110000001': 1 }, ''],
    ];
    for (const [change, pointer] of wrong) {
      const error = await part.updateSettings('default', change as Partial<Settings>).catch((error) => error);
      expect([change, error.code, error.pointer]).toEqual([change, 'invalid', pointer]);
      expect(error.message).not.toContain('+62');
    }
    expect(await part.getSettings('default')).toEqual(defaultSettings);
    expect(await ask('select from events')).toEqual([]);
  });

  it('are told of when something changes, by the names of what did', async () => {
    await part.updateSettings('default', { ringSeconds: 40, accept: true });
    await part.updateSettings('default', { ringSeconds: 40 });
    await part.updateSettings('default', {});
    await part.updateSettings('default', { ringSeconds: 41, accept: true });
    const told = [{ fields: ['ringSeconds', 'accept'] }, { fields: ['ringSeconds'] }];
    const events = await ask<{ readonly kind: string; readonly data: unknown }>(
      'select kind, data from events order by event',
    );
    expect(events).toEqual(told.map((data) => ({ kind: 'settings.changed', data })));
    const entries = await ask<{ readonly details: unknown }>(
      `select details from ledger where kind = 'settings.changed' order by entry`,
    );
    expect(entries.map((one) => one.details)).toEqual(told);
  });

  it('of several who change at once are all kept', async () => {
    await Promise.all([
      part.updateSettings('default', { ringSeconds: 30 }),
      part.updateSettings('default', { maxSeconds: 300 }),
      part.updateSettings('default', { accept: true }),
      part.updateSettings('default', { abuseThreshold: 9 }),
      part.updateSettings('default', { timeZone: 'Asia/Kolkata' }),
    ]);
    expect(await part.getSettings('default')).toEqual({
      ...defaultSettings,
      ...{ ringSeconds: 30, maxSeconds: 300, accept: true, abuseThreshold: 9, timeZone: 'Asia/Kolkata' },
    });
  });

  it('that an older or a stranger hand wrote fall back, and others beside them stay', async () => {
    await ask(
      `update tenants set settings = '{"ringSeconds": 1000, "timeZone": "Mars", "maxSeconds": 60, "own": 1}'`,
    );
    expect(await part.getSettings('default')).toEqual({ ...defaultSettings, maxSeconds: 60 });
    await part.updateSettings('default', { accept: true });
    expect(await ask(`select settings -> 'own' as own from tenants where tenant = 'default'`)).toEqual([
      { own: 1 },
    ]);
  });

  it('give each tenant a secret for its decision webhook, made of its own key', async () => {
    await heart.masking.createTenant({ tenant: 'other', name: 'Other' });
    const secret = await part.decisionSecret('default');
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(() => new Webhook(secret)).not.toThrow();
    expect(await part.decisionSecret('other')).not.toBe(secret);
    const keys = await heart.vault.unlock('default');
    expect(secret).toBe(`whsec_${keys.token('decision-webhook', 'default').toString('base64')}`);
    await expect(part.decisionSecret('nobody')).rejects.toThrow();
  });
});
