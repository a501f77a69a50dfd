import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedSession, NewSession } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';
import type { ClosedSession } from '../types.ts';

/** A new driver takes over the order: the customer keeps the number, the old driver is out at once. */
describe('who takes part in a session', () => {
  let heart: TestMasking;
  const told: ClosedSession[] = [];
  beforeAll(async () => {
    heart = await testMasking();
    await heart.stock({ count: 8, cooldown: { '*': 3_600 } });
    heart.masking.onSessionClosed((closed) => void (closed && told.push(closed)));
    await heart.masking.start({ node: 'one', boot: '1' });
  });
  afterAll(() => heart.close());

  let people = 100;
  const next = () => phone(people++);
  async function open(more: Partial<NewSession> = {}): Promise<{
    readonly session: CreatedSession;
    readonly driver: string;
    readonly customer: string;
  }> {
    const driver = next();
    const customer = next();
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'driver', phones: [driver] },
        { role: 'customer', phones: [customer] },
      ],
      ...more,
    });
    return { session, driver, customer };
  }
  const seat = (session: { readonly participants: CreatedSession['participants'] }, role: string) => {
    const found = session.participants.find((one) => one.role === role && one.leftAt === undefined);
    if (found === undefined) throw new Error(`no ${role}`);
    return found;
  };
  const events = async (session: string) =>
    (await heart.masking.listEvents('default', { session }, { limit: 50 })).items.map((one) => one.kind);

  it('a hand-over keeps the number that the customer calls, and cuts the old driver', async () => {
    const { session, driver, customer } = await open();
    const before = seat(session, 'customer');
    const old = seat(session, 'driver');
    const ringing = await heart.dial(driver, old.dial);
    const successor = next();
    const after = await heart.masking.updateSession('default', session.id, {
      participants: { replace: [{ participant: 'driver', with: { role: 'driver', phones: [successor] } }] },
    });
    expect(seat(after, 'customer')).toMatchObject({ id: before.id, dial: before.dial });
    const now = seat(after, 'driver');
    expect(now.id).not.toBe(old.id);
    expect(after.participants.at(-1)).toMatchObject({ id: old.id, leaveReason: 'replaced' });

    expect(targetsOf(await heart.dial(customer, before.dial)).map((one) => one.phone)).toEqual([successor]);
    expect(targetsOf(await heart.dial(successor, now.dial)).map((one) => one.phone)).toEqual([customer]);
    expect(await heart.dial(driver, old.dial)).toMatchObject({ kind: 'refuse', reason: 'ended' });
    // A call of the old driver that was ringing meanwhile is not joined any more, and its node is told.
    const gate = { tenant: 'default', call: ringing.call, session: session.id, participant: before.id };
    expect(await heart.masking.answered(gate)).toBe(false);
    await expect.poll(() => told.find((one) => one.participant === old.id)).toBeDefined();
    expect(await heart.masking.callsToEnd()).toContainEqual({
      tenant: 'default',
      call: ringing.call,
      ongoingCalls: 'hangup',
    });
    expect(await events(session.id)).toContain('participant.replaced');
  });

  it('with one number for all, the same phone may come back as somebody else', async () => {
    const { session, driver, customer } = await open({ sharedNumber: true });
    const dial = seat(session, 'customer').dial;
    const after = await heart.masking.updateSession('default', session.id, {
      participants: { replace: [{ participant: 'driver', with: { role: 'courier', phones: [driver] } }] },
    });
    expect(seat(after, 'courier').dial).toBe(dial);
    expect(targetsOf(await heart.dial(driver, dial)).map((one) => one.phone)).toEqual([customer]);
  });

  it('a call of the customer to a driver who has left since is not joined', async () => {
    const { session, customer } = await open();
    const call = await heart.dial(customer, seat(session, 'customer').dial);
    const old = seat(session, 'driver');
    await heart.masking.updateSession('default', session.id, {
      participants: { replace: [{ participant: old.id, with: { role: 'driver', phones: [next()] } }] },
    });
    expect(
      await heart.masking.answered({
        tenant: 'default',
        call: call.call,
        session: session.id,
        participant: old.id,
      }),
    ).toBe(false);
  });

  it('somebody joins, and leaves again', async () => {
    const { session, customer } = await open();
    const helper = next();
    const three = await heart.masking.updateSession('default', session.id, {
      participants: { add: [{ role: 'helper', phones: [helper] }] },
    });
    expect(targetsOf(await heart.dial(customer, seat(session, 'customer').dial))).toHaveLength(2);
    const joined = seat(three, 'helper');
    const two = await heart.masking.updateSession('default', session.id, {
      participants: { remove: [joined.id] },
    });
    expect(two.participants.at(-1)).toMatchObject({ id: joined.id, leaveReason: 'removed' });
    expect(await heart.dial(helper, joined.dial)).toMatchObject({ kind: 'refuse', reason: 'ended' });
    expect(targetsOf(await heart.dial(customer, seat(session, 'customer').dial))).toHaveLength(1);
    expect(await events(session.id)).toEqual(
      expect.arrayContaining(['session.opened', 'participant.added', 'participant.removed']),
    );
  });

  it('refuses what makes no sense, and leaves everything as it was', async () => {
    const { session, driver, customer } = await open();
    const change = (participants: Parameters<typeof heart.masking.updateSession>[2]['participants']) =>
      heart.masking.updateSession('default', session.id, { participants: participants ?? {} });
    const as = (phones: string) => ({ role: 'driver', phones: [phones] });
    await expect(change({ replace: [{ participant: 'driver', with: as(customer) }] })).rejects.toMatchObject({
      code: 'participant-taken',
      pointer: '/participants/replace/0/with/phones/0',
    });
    await expect(change({ add: [as(driver)] })).rejects.toMatchObject({
      code: 'participant-taken',
      pointer: '/participants/add/0/phones/0',
    });
    await expect(change({ replace: [{ participant: 'pilot', with: as(next()) }] })).rejects.toMatchObject({
      code: 'unknown-participant',
      pointer: '/participants/replace/0/participant',
    });
    await expect(change({ remove: ['customer'] })).rejects.toMatchObject({ code: 'participant-unreachable' });
    await expect(change({ add: [as(seat(session, 'customer').dial)] })).rejects.toMatchObject({
      code: 'virtual-number-as-participant',
    });
    await expect(change({ add: Array.from({ length: 9 }, () => as(next())) })).rejects.toMatchObject({
      code: 'invalid',
    });
    expect((await heart.masking.getSession('default', session.id)).participants).toEqual(
      session.participants,
    );
    expect(
      targetsOf(await heart.dial(customer, seat(session, 'customer').dial)).map((one) => one.phone),
    ).toEqual([driver]);
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    await expect(change({ add: [as(next())] })).rejects.toMatchObject({ code: 'session-closed' });
  });

  it('a phone may come back under another participant once it has left', async () => {
    const { session, driver } = await open();
    await heart.masking.updateSession('default', session.id, {
      participants: { replace: [{ participant: 'driver', with: { role: 'driver', phones: [next()] } }] },
    });
    const again = await heart.masking.updateSession('default', session.id, {
      participants: { replace: [{ participant: 'driver', with: { role: 'driver', phones: [driver] } }] },
    });
    const now = seat(again, 'driver');
    expect(await heart.dial(driver, now.dial)).toMatchObject({
      kind: 'run',
      caller: { participant: now.id },
    });
  });

  it('a shared number is shared by whoever joins', async () => {
    const { session } = await open({ sharedNumber: true });
    const more = await heart.masking.updateSession('default', session.id, {
      participants: { add: [{ role: 'helper', phones: [next()] }] },
    });
    expect(new Set(more.participants.map((one) => one.dial)).size).toBe(1);
  });

  it('two hand-overs at once: one after the other, and nobody is bound twice', async () => {
    const { session } = await open();
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () =>
        heart.masking.updateSession('default', session.id, {
          participants: {
            replace: [
              { participant: seat(session, 'driver').id, with: { role: 'driver', phones: [next()] } },
            ],
          },
        }),
      ),
    );
    expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of results) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'unknown-participant' });
    }
    const after = await heart.masking.getSession('default', session.id);
    expect(after.participants.filter((one) => one.leftAt === undefined)).toHaveLength(2);
  });

  it('terms change with the people, or not at all', async () => {
    const { session, customer } = await open({ reference: 'one' });
    await expect(
      heart.masking.updateSession('default', session.id, {
        reference: 'two',
        participants: { add: [{ role: 'helper', phones: [customer] }] },
      }),
    ).rejects.toMatchObject({ code: 'participant-taken' });
    expect((await heart.masking.getSession('default', session.id)).reference).toBe('one');
    const changed = await heart.masking.updateSession('default', session.id, {
      reference: null,
      ongoingCalls: 'warn',
      schedule: { timeZone: 'Asia/Jakarta', windows: [{ from: '08:00', to: '20:00' }] },
    });
    expect(changed).toMatchObject({ ongoingCalls: 'warn', schedule: { timeZone: 'Asia/Jakarta' } });
    expect(changed.reference).toBeUndefined();
    // Its own terms, and no fault of a program.
    for (const windows of [
      [{ from: '08:00', to: '08:00' }],
      [
        { from: '08:00', to: '20:00' },
        { from: '19:00', to: '22:00' },
      ],
    ]) {
      await expect(
        heart.masking.updateSession('default', session.id, { schedule: { timeZone: 'UTC', windows } }),
      ).rejects.toMatchObject({ code: 'invalid', pointer: expect.stringMatching(/^\/schedule\/windows\//) });
    }
    const without = await heart.masking.updateSession('default', session.id, { schedule: null });
    expect(without.schedule).toBeUndefined();
  });
});
