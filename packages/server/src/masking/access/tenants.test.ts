import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { phone, type TestMasking, testMasking } from '../testing.ts';

describe('two tenants', () => {
  let heart: TestMasking;
  let carrier: string;
  beforeAll(async () => {
    heart = await testMasking();
    await heart.masking.createTenant({ tenant: 'other', name: 'Other' });
    await heart.masking.createTenant({ tenant: 'other', name: 'Other' });
    carrier = (await heart.stock({ count: 2 })).carrier;
    await heart.stock({ tenant: 'other', count: 2, first: 100 });
  });
  afterAll(() => heart.close());

  const people = [
    { role: 'agent', phones: [phone(1)] },
    { role: 'customer', phones: [phone(2)] },
  ];

  it('cannot see or change anything of one another', async () => {
    const { masking } = heart;
    const session = await masking.createSession('default', { participants: people });
    const { call } = await heart.dial(phone(1), session.participants[0]?.dial ?? '');
    const [number] = (await masking.listNumbers('default', {}, { limit: 1 })).items;
    const key = await masking.createApiKey('default', { name: 'one', scopes: ['sessions:read'] });
    const id = number?.id ?? '';
    const access = { actor: 'x', reason: 'curious' };
    const foreign = [
      () => masking.getSession('other', session.id),
      () => masking.updateSession('other', session.id, { ttlSeconds: 1 }),
      () => masking.closeSession('other', session.id, { reason: 'mine' }),
      () => masking.getCall('other', call),
      () => masking.getNumber('other', id),
      () => masking.updateNumber('other', id, { enabled: false }),
      () => masking.deleteNumber('other', id),
      () => masking.getCarrier('other', carrier),
      () => masking.updateCarrier('other', carrier, { enabled: false }),
      () => masking.deleteCarrier('other', carrier),
      () => masking.revokeApiKey('other', key.id),
      () => masking.revealPhone('other', session.id, session.participants[0]?.id ?? '', access),
      () => masking.updatePool('other', 'nowhere', { exhaustion: 'refuse' }),
    ];
    for (const one of foreign) await expect(one()).rejects.toMatchObject({ code: 'not-found' });
    await expect(masking.openRecording('other', call, access)).rejects.toMatchObject({
      code: 'no-recording',
    });
    await expect(
      masking.addNumbers('other', {
        numbers: [phone(70)],
        pool: 'default',
        carrier,
        capabilities: ['voice'],
      }),
    ).rejects.toMatchObject({ code: 'unknown-carrier' });
    expect((await masking.listSessions('other', {}, { limit: 10 })).items).toEqual([]);
    expect((await masking.listCalls('other', {}, { limit: 10 })).items).toEqual([]);
    expect((await masking.listSessions('other', { phone: phone(1) }, { limit: 10 })).items).toEqual([]);
    expect(await masking.getSession('default', session.id)).toMatchObject({ status: 'open' });
    expect(await masking.authenticate(key.secret.replace('sk_default_', 'sk_other_'))).toBeUndefined();
  });

  it('never share a virtual number, and none is anybody’s own phone', async () => {
    const { masking } = heart;
    const taken = { pool: 'default', carrier: 'trunk', capabilities: ['voice'] };
    const before = (await masking.listNumbers('other', {}, { limit: 200 })).items.length;
    await expect(
      masking.addNumbers('other', { ...taken, numbers: ['+62215000500', '+62215000001'] }),
    ).rejects.toMatchObject({ code: 'number-taken', pointer: '/numbers/1' });
    expect((await masking.listNumbers('other', {}, { limit: 200 })).items).toHaveLength(before);
    for (const tenant of ['default', 'other']) {
      const ask = {
        participants: [
          people[0] ?? { role: '', phones: [] },
          { role: 'customer', phones: [phone(3), '+62215000001'] },
        ],
      };
      await expect(masking.createSession(tenant, ask)).rejects.toMatchObject({
        code: 'virtual-number-as-participant',
        pointer: '/participants/1/phones/1',
      });
    }
  });

  it('are reached only through their own carriers', async () => {
    const session = await heart.masking.createSession('default', { participants: people });
    const dial = session.participants[0]?.dial ?? '';
    const foreign = { tenant: 'other', carrier: 'car_x' };
    expect(await heart.dial(phone(1), dial, foreign)).toMatchObject({
      kind: 'refuse',
      reason: 'unknown-number',
      tenant: undefined,
    });
    expect(await heart.dial(phone(1), dial)).toMatchObject({ kind: 'run' });
    expect(await heart.dial(undefined, dial)).toMatchObject({ reason: 'not-connected', tenant: 'default' });
    expect(await heart.dial(phone(1), '+62215999999')).toMatchObject({ reason: 'unknown-number' });
  });
});
