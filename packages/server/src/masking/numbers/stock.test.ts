import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { phone, type TestMasking, testMasking } from '../testing.ts';

describe('carriers, numbers and pools', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
  });
  afterAll(() => heart.close());

  it('keeps carriers with sealed passwords and canonical sources', async () => {
    const { masking } = heart;
    const made = await masking.createCarrier('default', {
      name: 'north',
      kind: 'sip',
      host: 'sip.example.net',
      port: 5061,
      transport: 'tls',
      allowedSources: ['192.0.2.77/24', '198.51.100.1', '2001:DB8::1'],
      auth: { username: 'samar', password: 'correct horse' },
      numberFormat: { outbound: 'e164' },
    });
    expect(made).toMatchObject({
      allowedSources: ['192.0.2.0/24', '198.51.100.1/32', '2001:db8::1/128'],
      hasAuth: true,
      enabled: true,
    });
    expect(JSON.stringify(made)).not.toContain('horse');
    expect(await masking.trunks()).toMatchObject([
      { id: made.id, tenant: 'default', auth: { username: 'samar', password: 'correct horse' } },
    ]);
    const changed = await masking.updateCarrier('default', made.id, {
      host: '203.0.113.9',
      transport: 'udp',
    });
    expect(changed).toMatchObject({
      allowedSources: ['203.0.113.9/32'],
      hasAuth: true,
      numberFormat: { outbound: 'e164' },
    });
    await expect(
      masking.createCarrier('default', { name: 'north', kind: 'sip', host: '192.0.2.1', transport: 'udp' }),
    ).rejects.toMatchObject({ code: 'carrier-taken' });
    const wrong = [
      [{ host: 'sip:192.0.2.1' }, '/host'],
      [{ host: '192.0.2.1:5060' }, '/host'],
      [{ port: 70_000 }, '/port'],
      [{ allowedSources: ['192.0.2.1', 'anywhere'] }, '/allowedSources/1'],
      [{ allowedSources: ['0x7f.1'] }, '/allowedSources/0'],
      [{ name: '' }, '/name'],
      [{ auth: { username: 'a', password: 'a\r\nb' } }, '/auth/password'],
    ] as const;
    for (const [change, pointer] of wrong) {
      await expect(masking.updateCarrier('default', made.id, change)).rejects.toMatchObject({
        code: 'invalid',
        pointer,
      });
    }
    await masking.deleteCarrier('default', made.id);
    await expect(masking.getCarrier('default', made.id)).rejects.toMatchObject({ code: 'not-found' });
    expect(await masking.trunks()).toEqual([]);
  });

  it('adds numbers once, all or none, and gives them back', async () => {
    const { masking } = heart;
    const { carrier, numbers } = await heart.stock({ count: 3, pool: 'p' });
    const add = { pool: 'p', carrier, capabilities: ['voice'] };
    expect(await masking.addNumbers('default', { ...add, numbers: [...numbers, phone(1)] })).toMatchObject({
      added: 1,
      unchanged: 3,
    });
    await expect(
      masking.addNumbers('default', { ...add, pool: 'q', numbers: [phone(2), numbers[0] ?? ''] }),
    ).rejects.toMatchObject({ code: 'number-taken', pointer: '/numbers/1' });
    await expect(
      masking.addNumbers('default', { ...add, numbers: [phone(2), phone(2)] }),
    ).rejects.toMatchObject({ code: 'duplicate-number', pointer: '/numbers/1' });
    const listed = await masking.listNumbers('default', { pool: 'p' }, { limit: 10 });
    expect(listed.items.map((one) => one.number)).toEqual([...numbers, phone(1)]);

    const [first, second] = listed.items;
    const participants = [
      { role: 'agent', phones: [phone(10)] },
      { role: 'customer', phones: [phone(11)] },
    ];
    const session = await masking.createSession('default', { pool: 'p', participants });
    expect(session.participants[0]?.dial).toBe(first?.number);
    await expect(masking.deleteNumber('default', first?.id ?? '')).rejects.toMatchObject({
      code: 'number-in-use',
    });
    await expect(masking.deleteCarrier('default', carrier)).rejects.toMatchObject({ code: 'carrier-in-use' });
    await masking.updateNumber('default', first?.id ?? '', { enabled: false });
    expect(await heart.dial(phone(10), first?.number ?? '')).toMatchObject({ reason: 'not-connected' });
    await masking.closeSession('default', session.id, { reason: 'resolved' });
    await masking.deleteNumber('default', first?.id ?? '');
    expect(await masking.getSession('default', session.id)).toMatchObject({
      participants: [{ dial: first?.number }, { dial: first?.number }],
    });
    // It can be had again, as another number, and goes to the end.
    expect(await masking.addNumbers('default', { ...add, numbers: [first?.number ?? ''] })).toMatchObject({
      added: 1,
    });
    const next = await masking.createSession('default', { pool: 'p', participants });
    expect(next.participants[0]?.dial).toBe(second?.number);
    expect(await masking.listPools('default')).toEqual([
      {
        name: 'p',
        numbers: 4,
        enabled: 4,
        cooldown: { '*': 0 },
        exhaustion: 'refuse',
        match: 'any',
        spread: false,
      },
    ]);
  });

  it('cools for a day with agents and a month with everybody else, and reuses the oldest where that is chosen', async () => {
    const { masking, test } = heart;
    const { numbers } = await heart.stock({ count: 2, first: 50, pool: 'cool', cooldown: {} });
    const participants = [
      { role: 'agent', phones: [phone(20)] },
      { role: 'customer', phones: [phone(21)] },
    ];
    const used: string[] = [];
    for (let turn = 0; turn < 2; turn++) {
      const session = await masking.createSession('default', { pool: 'cool', participants });
      used.push(session.participants[0]?.dial ?? '');
      await masking.closeSession('default', session.id, { reason: 'resolved' });
    }
    expect(used).toEqual(numbers);
    const cooling = await test.database.query<{ readonly role: string; readonly seconds: number }>(
      '',
      `select distinct p.role, extract(epoch from b.free_at - b.released_at)::integer as seconds
        from bindings b join participants p using (tenant, session, participant) join sessions s using (tenant, session)
        where s.pool = 'cool' order by p.role`,
      [],
    );
    expect(cooling).toEqual([
      { role: 'agent', seconds: 86_400 },
      { role: 'customer', seconds: 2_592_000 },
    ]);
    await expect(masking.createSession('default', { pool: 'cool', participants })).rejects.toMatchObject({
      code: 'pool-exhausted',
      pointer: '/participants/0',
      message: expect.stringContaining('2 are cooling'),
    });
    await masking.updatePool('default', 'cool', { exhaustion: 'reuse-oldest' });
    for (const expected of numbers) {
      const session = await masking.createSession('default', { pool: 'cool', participants });
      expect(session.participants.map((one) => one.dial)).toEqual([expected, expected]);
    }
    await expect(masking.createSession('default', { pool: 'cool', participants })).rejects.toMatchObject({
      code: 'pool-exhausted',
    });
    await heart.stock({ count: 1, first: 90, pool: 'text' });
    const [text] = (await masking.listNumbers('default', { pool: 'text' }, { limit: 1 })).items;
    await masking.updateNumber('default', text?.id ?? '', { capabilities: ['sms'] });
    await expect(masking.createSession('default', { pool: 'text', participants })).rejects.toMatchObject({
      code: 'empty-pool',
    });
  });

  it('takes a number from a session that has run out, though nobody has swept it yet', async () => {
    const { masking, test } = heart;
    await heart.stock({ count: 1, first: 60, pool: 'single' });
    const participants = [
      { role: 'agent', phones: [phone(40)] },
      { role: 'customer', phones: [phone(41)] },
    ];
    const before = await masking.createSession('default', { pool: 'single', participants });
    await expect(masking.createSession('default', { pool: 'single', participants })).rejects.toMatchObject({
      code: 'pool-exhausted',
    });
    await test.database.query('', 'update sessions set expires_at = now() where session = $1', [before.id]);
    const after = await masking.createSession('default', { pool: 'single', participants });
    expect(after.participants[0]?.dial).toBe(before.participants[0]?.dial);
    expect(await heart.dial(phone(40), after.participants[0]?.dial ?? '')).toMatchObject({
      session: after.id,
    });
  });

  it('does not take a number for seen that a refused session would have had', async () => {
    const { masking } = heart;
    const { numbers } = await heart.stock({ count: 2, first: 70, pool: 'refused' });
    const open = (agent: number, customer: number, sharedNumber = false) =>
      masking.createSession('default', {
        pool: 'refused',
        sharedNumber,
        participants: [
          { role: 'agent', phones: [phone(agent)] },
          { role: 'customer', phones: [phone(customer)] },
        ],
      });
    await open(50, 51);
    await open(50, 51);
    await masking.closeSession('default', (await open(52, 53)).id, { reason: 'resolved' });
    // The agent's would have been the second number; the customer has none left.
    await expect(open(52, 51)).rejects.toMatchObject({ code: 'pool-exhausted', pointer: '/participants/1' });
    expect((await open(52, 53)).participants[0]?.dial).toBe(numbers[1]);
  });

  it('goes through a pool that is larger than one note of what was seen', async () => {
    const { masking, test } = heart;
    const { numbers } = await heart.stock({ count: 200, first: 1_000, pool: 'large' });
    const participants = [
      { role: 'agent', phones: [phone(30)] },
      { role: 'customer', phones: [phone(31)] },
    ];
    const used: string[] = [];
    for (let turn = 0; turn < 205; turn++) {
      const session = await masking.createSession('default', { pool: 'large', participants });
      used.push(session.participants[0]?.dial ?? '');
      await masking.closeSession('default', session.id, { reason: 'resolved' });
    }
    expect(used).toEqual([...numbers, ...numbers.slice(0, 5)]);
    // Retention removes old bindings: their numbers are found again although the note says they were seen.
    await test.database.query('', `delete from bindings where released_at is not null`, []);
    await test.database.query('', `update party_pools set seen_through = seen_through + 1000`, []);
    const session = await masking.createSession('default', { pool: 'large', participants });
    expect(session.participants[0]?.dial).toBe(numbers[0]);
  }, 60_000);
});
