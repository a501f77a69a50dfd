import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedSession, NewSession } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

/** The lost item: for a while after the close the customer may still reach the driver, and not the other way round. */
describe('after the close', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
    await heart.stock({ count: 4, cooldown: { '*': 3_600 } });
  });
  afterAll(() => heart.close());

  let people = 100;
  async function open(more: Partial<NewSession> = {}) {
    const driver = phone(people++);
    const customer = phone(people++);
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'driver', phones: [driver] },
        { role: 'customer', phones: [customer] },
      ],
      afterClose: { seconds: 86_400, allow: [{ from: 'customer', to: 'driver' }], reasons: ['resolved'] },
      ...more,
    });
    return { session, driver, customer };
  }
  const dialOf = (session: CreatedSession, index: number) => session.participants[index]?.dial ?? '';
  const idOf = (session: CreatedSession, index: number) => session.participants[index]?.id ?? '';
  async function overdue(session: string): Promise<void> {
    await heart.test.database.query(
      '',
      `update sessions set after_until = now() - interval '1 second' where session = $1`,
      [session],
    );
  }

  it('connects in the direction that was declared, and in no other', async () => {
    const { session, driver, customer } = await open();
    const closed = await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    expect(closed).toMatchObject({ status: 'closed', afterCloseUntil: expect.any(Date) });
    const call = await heart.dial(customer, dialOf(session, 1));
    expect(targetsOf(call).map((one) => one.phone)).toEqual([driver]);
    expect(await heart.dial(driver, dialOf(session, 0))).toMatchObject({ kind: 'refuse', reason: 'ended' });
    const gate = { tenant: 'default', session: session.id };
    expect(await heart.masking.answered({ ...gate, call: call.call, participant: idOf(session, 0) })).toBe(
      true,
    );
  });

  it('a call that was ringing at the close is joined only in that direction', async () => {
    const { session, driver, customer } = await open();
    const there = await heart.dial(driver, dialOf(session, 0));
    const back = await heart.dial(customer, dialOf(session, 1));
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    const gate = { tenant: 'default', session: session.id };
    expect(await heart.masking.answered({ ...gate, call: there.call, participant: idOf(session, 1) })).toBe(
      false,
    );
    expect(await heart.masking.answered({ ...gate, call: back.call, participant: idOf(session, 0) })).toBe(
      true,
    );
  });

  it.each([
    ['another reason', { reason: 'cancelled' }],
    ['a close that says so', { reason: 'resolved', afterClose: false }],
  ])('%s ends everything at once', async (_, close) => {
    const { session, driver, customer } = await open();
    const closed = await heart.masking.closeSession('default', session.id, close);
    expect(closed.afterCloseUntil).toBeUndefined();
    expect(await heart.dial(customer, dialOf(session, 1))).toMatchObject({ kind: 'refuse', reason: 'ended' });
    expect(await heart.dial(driver, dialOf(session, 0))).toMatchObject({ kind: 'refuse', reason: 'ended' });
  });

  it('can be ended early by closing again', async () => {
    const { session, customer } = await open();
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    const call = await heart.dial(customer, dialOf(session, 1));
    await heart.masking.closeSession('default', session.id, { reason: 'harassment', afterClose: false });
    expect(await heart.dial(customer, dialOf(session, 1))).toMatchObject({ kind: 'refuse', reason: 'ended' });
    const gate = { tenant: 'default', session: session.id, call: call.call, participant: idOf(session, 0) };
    expect(await heart.masking.answered(gate)).toBe(false);
  });

  it('ends by itself, even before it is swept, and only then do the numbers cool', async () => {
    const { session, customer } = await open();
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    const held = () =>
      heart.test.database.query<{ readonly held: number }>(
        '',
        'select count(*)::integer as held from bindings where session = $1 and released_at is null',
        [session.id],
      );
    expect(await held()).toEqual([{ held: 2 }]);
    await overdue(session.id);
    expect(await heart.dial(customer, dialOf(session, 1))).toMatchObject({ kind: 'refuse', reason: 'ended' });
    const [swept] = await heart.test.database.query<{ readonly count: number }>(
      '',
      'select expire_sessions(100) as count',
      [],
    );
    expect(swept?.count).toBe(1);
    expect(await held()).toEqual([{ held: 0 }]);
    const kinds = (await heart.masking.listEvents('default', { session: session.id }, { limit: 10 })).items;
    expect(kinds.map((one) => one.kind)).toContain('session.after-close-ended');
  });

  it('an expiry is no close: nothing follows it', async () => {
    const { session, customer } = await open({ ttlSeconds: 1 });
    await expect
      .poll(async () => (await heart.masking.getSession('default', session.id)).status, { timeout: 5_000 })
      .toBe('expired');
    expect(await heart.dial(customer, dialOf(session, 1))).toMatchObject({ kind: 'refuse', reason: 'ended' });
  });

  it('refuses roles that nobody has, and times that make no sense', async () => {
    await expect(
      open({ afterClose: { seconds: 3_600, allow: [{ from: 'customer', to: 'pilot' }] } }),
    ).rejects.toMatchObject({ code: 'invalid', pointer: '/afterClose/allow/0/to' });
    await expect(open({ afterClose: { seconds: 5, allow: [] } })).rejects.toMatchObject({
      pointer: '/afterClose/seconds',
    });
  });
});
