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
