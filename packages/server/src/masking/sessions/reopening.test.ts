import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedSession, NewSession } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

describe('sessions that open later, and again', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
    await heart.stock({ count: 2, cooldown: { '*': 3_600 } });
  });
  afterAll(() => heart.close());

  let people = 100;
  async function open(more: Partial<NewSession> = {}, driver = phone(people++), customer = phone(people++)) {
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'driver', phones: [driver] },
        { role: 'customer', phones: [customer] },
      ],
      ...more,
    });
    return { session, driver, customer };
  }
  const dialOf = (session: Pick<CreatedSession, 'participants'>, index: number) =>
    session.participants[index]?.dial ?? '';

  it('nothing connects before it opens; its numbers are known already', async () => {
    const opensAt = new Date(Date.now() + 3_600_000);
    const { session, driver } = await open({ opensAt, ttlSeconds: 7_200 });
    expect(session).toMatchObject({ status: 'scheduled', opensAt });
    const early = await heart.dial(driver, dialOf(session, 0));
    expect(early).toMatchObject({ kind: 'run', steps: [{ kind: 'refuse', reason: 'closed' }] });
    await heart.masking.updateSession('default', session.id, { opensAt: null });
    expect((await heart.masking.getSession('default', session.id)).status).toBe('open');
    expect(targetsOf(await heart.dial(driver, dialOf(session, 0)))).toHaveLength(1);
  });

  it('refuses an opening after the end, and in the past', async () => {
    await expect(
      open({ opensAt: new Date(Date.now() + 7_200_000), ttlSeconds: 3_600 }),
    ).rejects.toMatchObject({
      pointer: '/opensAt',
    });
    await expect(open({ opensAt: new Date(Date.now() - 1_000) })).rejects.toMatchObject({
      pointer: '/opensAt',
    });
  });

  it('lives again with the numbers of before', async () => {
    const { session, driver, customer } = await open();
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    expect(await heart.dial(driver, dialOf(session, 0))).toMatchObject({ reason: 'ended' });
    const again = await heart.masking.reopenSession('default', session.id, { ttlSeconds: 600 });
    expect(again.status).toBe('open');
    expect(again.participants.map((one) => one.dial)).toEqual(session.participants.map((one) => one.dial));
    expect(targetsOf(await heart.dial(driver, dialOf(again, 0))).map((one) => one.phone)).toEqual([customer]);
    expect(again.closedAt).toBeUndefined();
  });

  it('takes another number where the one of before is with somebody else', async () => {
    const { session, driver } = await open();
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    // The driver's two numbers: one cools, the other is taken, then the first becomes free and is taken as well.
    const second = await open({}, driver);
    expect(dialOf(second.session, 0)).not.toBe(dialOf(session, 0));
    await heart.test.database.query(
      '',
      `update bindings set free_at = now() - interval '1 second' where session = $1`,
      [session.id],
    );
    const third = await open({}, driver);
    expect(dialOf(third.session, 0)).toBe(dialOf(session, 0));
    await expect(
      heart.masking.reopenSession('default', session.id, { ttlSeconds: 600 }),
    ).rejects.toMatchObject({ code: 'pool-exhausted' });
    expect((await heart.masking.getSession('default', session.id)).status).toBe('closed');
    await heart.masking.closeSession('default', second.session.id, { reason: 'resolved' });
    await heart.test.database.query(
      '',
      `update bindings set free_at = now() - interval '1 second' where session = $1`,
      [second.session.id],
    );
    const again = await heart.masking.reopenSession('default', session.id, { ttlSeconds: 600 });
    expect(dialOf(again, 0)).toBe(dialOf(second.session, 0));
  });

  it('everybody of a shared number moves to the same other one', async () => {
    await heart.stock({ count: 3, first: 50, pool: 'shared', cooldown: { '*': 0 } });
    const { session, driver } = await open({ pool: 'shared', sharedNumber: true });
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    // Only the driver's is taken.
    const second = await open({
      pool: 'shared',
      participants: [
        { role: 'driver', phones: [driver], number: dialOf(session, 0) },
        { role: 'customer', phones: [phone(people++)] },
      ],
    });
    expect(dialOf(second.session, 0)).toBe(dialOf(session, 0));
    const again = await heart.masking.reopenSession('default', session.id, {});
    expect(new Set(again.participants.map((one) => one.dial)).size).toBe(1);
    expect(dialOf(again, 0)).not.toBe(dialOf(session, 0));
    expect(targetsOf(await heart.dial(driver, dialOf(again, 0)))).toHaveLength(1);
  });

  it('not while a block keeps its people apart', async () => {
    await heart.stock({ count: 2, first: 60, pool: 'blocked' });
    const { session, driver, customer } = await open({ pool: 'blocked' });
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    const block = await heart.masking.createBlock(
      'default',
      { phone: driver, counterpartPhone: customer, reason: 'rude' },
      'api',
    );
    await expect(heart.masking.reopenSession('default', session.id, {})).rejects.toMatchObject({
      code: 'blocked',
    });
    expect((await heart.masking.getSession('default', session.id)).status).toBe('closed');
    await heart.masking.liftBlock('default', block.id);
    expect((await heart.masking.reopenSession('default', session.id, {})).status).toBe('open');
  });

  it('who is reached by app sees a number that is still shown', async () => {
    await heart.stock({ count: 4, first: 70, pool: 'app' });
    const { items } = await heart.masking.listNumbers('default', { pool: 'app' }, { limit: 10 });
    const [one, two] = items;
    for (const shown of [one, two]) {
      await heart.masking.updateNumber('default', shown?.id ?? '', { use: 'display' });
    }
    const { session } = await open({
      pool: 'app',
      participants: [
        { role: 'driver', phones: [phone(people++)] },
        { role: 'customer', phones: [phone(people++)], reach: 'app' },
      ],
    });
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    const shown = [one, two].find((item) => item?.number === session.participants[1]?.number);
    await heart.masking.deleteNumber('default', shown?.id ?? '');
    const again = await heart.masking.reopenSession('default', session.id, {});
    expect(again.participants[1]?.number).toBe([one, two].find((item) => item !== shown)?.number);
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    const other = items.find((item) => item.number === again.participants[1]?.number);
    await heart.masking.updateNumber('default', other?.id ?? '', { enabled: false });
    await expect(heart.masking.reopenSession('default', session.id, {})).rejects.toMatchObject({
      code: 'no-display-number',
    });
  });

  it('a conversation of a listing keeps the listing’s number', async () => {
    await heart.stock({ count: 4, first: 80, pool: 'listing' });
    const { items } = await heart.masking.listNumbers('default', { pool: 'listing' }, { limit: 10 });
    await heart.masking.updateNumber('default', items[0]?.id ?? '', { use: 'reserved' });
    const { session } = await open({
      pool: 'listing',
      participants: [
        { role: 'seller', phones: [phone(people++)] },
        { role: 'buyer', phones: [], open: true },
      ],
    });
    const buyer = phone(people++);
    const call = await heart.dial(buyer, dialOf(session, 1));
    const child = call.kind === 'run' ? call.session : '';
    await heart.masking.closeSession('default', child, { reason: 'resolved' });
    const again = await heart.masking.reopenSession('default', child, {});
    expect(dialOf(again, 0)).toBe(dialOf(session, 1));
  });

  it('an open session is extended, not reopened; an unknown one is not found', async () => {
    const { session } = await open();
    await expect(heart.masking.reopenSession('default', session.id, {})).rejects.toMatchObject({
      code: 'session-open',
    });
    await expect(heart.masking.reopenSession('default', `ses_${'0'.repeat(32)}`, {})).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('twenty at once: one result each, what fails keeps nothing else from happening', async () => {
    const { session } = await open();
    const results = await heart.masking.bulk('default', [
      { action: 'close', id: session.id, close: { reason: 'resolved' } },
      { action: 'close', id: `ses_${'0'.repeat(32)}`, close: { reason: 'resolved' } },
      {
        action: 'open',
        session: {
          participants: [
            { role: 'driver', phones: ['+1'] },
            { role: 'customer', phones: [phone(1)] },
          ],
        },
      },
      ...Array.from({ length: 17 }, () => ({
        action: 'open' as const,
        session: {
          participants: [
            { role: 'driver', phones: [phone(people++)] },
            { role: 'customer', phones: [phone(people++)] },
          ],
        },
      })),
    ]);
    expect(results.map((one) => one.ok)).toEqual([true, false, false, ...Array(17).fill(true)]);
    expect(results[1]).toMatchObject({ error: { code: 'not-found' } });
    expect(results[2]).toMatchObject({ error: { pointer: '/participants/0/phones/0' } });
    await expect(heart.masking.bulk('default', [])).rejects.toMatchObject({ pointer: '/items' });
  });
});
