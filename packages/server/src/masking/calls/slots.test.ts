import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewParticipant, NewSession } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';
import type { Inbound } from '../types.ts';

/** One number for several live sessions of a party: who calls must say which one, by menu or by code. */
describe('several sessions on one number', () => {
  let heart: TestMasking;
  let carrier = '';
  beforeAll(async () => {
    heart = await testMasking();
    carrier = (await heart.stock({ pool: 'menu', count: 1, exhaustion: 'disambiguate' })).carrier;
    await heart.stock({ pool: 'code', count: 1, first: 100, exhaustion: 'pin' });
    await heart.stock({ pool: 'app', count: 3, first: 200, cooldown: { '*': 3_600 } });
    await heart.stock({ count: 4, first: 300 });
    const app = await heart.masking.listNumbers('default', { pool: 'app' }, { limit: 10 });
    await heart.masking.updateNumber('default', app.items[0]?.id ?? '', { use: 'display' });
  });
  afterAll(() => heart.close());

  let people = 100;
  async function open(pool: string, agent: NewParticipant, more: Partial<NewSession> = {}) {
    const customer = phone(people++);
    const session = await heart.masking.createSession('default', {
      pool,
      participants: [agent, { role: 'customer', phones: [customer] }],
      ...more,
    });
    return {
      session,
      customer,
      dial: session.participants[0]?.dial ?? '',
      number: session.participants[0]?.number ?? '',
    };
  }
  const inbound = (caller: string | undefined, called: string, call: string): Inbound => ({
    kind: 'call',
    carriers: [{ tenant: 'default', carrier }],
    called,
    caller,
    call,
  });

  it('a menu of references, and only what is chosen is connected', async () => {
    const agent = { role: 'agent', phones: [phone(people++)] };
    const first = await open('menu', agent, { reference: 'A-1' });
    expect(targetsOf(await heart.dial(agent.phones[0], first.number)).map((one) => one.phone)).toEqual([
      first.customer,
    ]);
    const second = await open('menu', agent, { reference: 'B-2' });
    expect(second.number).toBe(first.number);
    const asked = await heart.dial(agent.phones[0], first.number);
    expect(asked).toMatchObject({
      kind: 'choose',
      options: [
        { session: second.session.id, reference: 'B-2' },
        { session: first.session.id, reference: 'A-1' },
      ],
    });
    const chosen = await heart.masking.choose({
      inbound: inbound(agent.phones[0], first.number, asked.call),
      session: first.session.id,
    });
    expect(targetsOf(chosen).map((one) => one.phone)).toEqual([first.customer]);
    expect((await heart.masking.getCall('default', asked.call)).session).toBe(first.session.id);
    // Somebody else's session can't be chosen, nor one that is over.
    const other = await open('menu', { role: 'agent', phones: [phone(people++)] });
    const foreign = await heart.masking.choose({
      inbound: inbound(agent.phones[0], first.number, asked.call),
      session: other.session.id,
    });
    expect(foreign).toMatchObject({ kind: 'refuse', reason: 'ended' });
    await heart.masking.closeSession('default', first.session.id, { reason: 'resolved' });
    expect(targetsOf(await heart.dial(agent.phones[0], first.number)).map((one) => one.phone)).toEqual([
      second.customer,
    ]);
    await heart.masking.closeSession('default', second.session.id, { reason: 'resolved' });
    expect(await heart.dial(agent.phones[0], first.number)).toMatchObject({
      kind: 'refuse',
      reason: 'ended',
    });
  });

  it('whoever calls because of one that ended lately is not put through to the other one', async () => {
    await heart.stock({
      pool: 'late',
      count: 1,
      first: 400,
      exhaustion: 'disambiguate',
      cooldown: { '*': 3_600 },
    });
    const agent = { role: 'agent', phones: [phone(people++)] };
    const first = await open('late', agent, { reference: 'A-1' });
    const second = await open('late', agent, { reference: 'B-2' });
    await heart.masking.closeSession('default', first.session.id, { reason: 'resolved' });
    expect(await heart.dial(agent.phones[0], second.number)).toMatchObject({
      kind: 'choose',
      options: [{ session: second.session.id }],
    });
    await heart.test.database.query(
      '',
      `update bindings set free_at = now() - interval '1 s' where session = $1`,
      [first.session.id],
    );
    const later = await heart.dial(agent.phones[0], second.number);
    expect(targetsOf(later).map((one) => one.phone)).toEqual([second.customer]);
  });

  it('with codes for everybody, more sessions than one number takes go to the next', async () => {
    await heart.stock({ pool: 'coded', count: 4, first: 500 });
    const numbers = new Set<string>();
    for (let count = 0; count < 12; count++) {
      const { number } = await open('coded', { role: 'agent', phones: [phone(people++)] }, { pin: true });
      numbers.add(number);
    }
    expect(numbers.size).toBeGreaterThan(1);
  });

  it('nine at most: a menu has nine keys', async () => {
    const agent = { role: 'agent', phones: [phone(people++)] };
    for (let count = 0; count < 9; count++) await open('menu', agent);
    await expect(open('menu', agent)).rejects.toMatchObject({ code: 'pool-exhausted' });
  });

  it('by code: the second session of a party is told by its code', async () => {
    const agent = { role: 'agent', phones: [phone(people++)] };
    const first = await open('code', agent);
    expect(first.session.participants[0]?.pin).toBeUndefined();
    const second = await open('code', agent);
    const { dial, number } = second;
    const { pin = '' } = second.session.participants[0] ?? {};
    expect(pin).toMatch(/^\d{6}$/);
    expect(dial).toBe(`${number},,${pin}#`);
    expect((await heart.masking.getSession('default', second.session.id)).participants[0]).toMatchObject({
      dial,
      pin,
    });
    const asked = await heart.dial(agent.phones[0], number);
    // Who keys nothing means the one that has no code.
    expect(asked).toMatchObject({ kind: 'pin', attempts: 3, codeless: first.session.id });
    const silent = await heart.masking.choose({
      inbound: inbound(agent.phones[0], number, asked.call),
      session: first.session.id,
    });
    expect(targetsOf(silent).map((one) => one.phone)).toEqual([first.customer]);
    const wrong = await heart.masking.enterPin({
      inbound: inbound(agent.phones[0], number, asked.call),
      code: pin === '271828' ? '314159' : '271828',
      attempt: 1,
    });
    expect(wrong).toEqual({ kind: 'wrong', left: 2 });
    const right = await heart.masking.enterPin({
      inbound: inbound(agent.phones[0], number, asked.call),
      code: pin,
      attempt: 2,
    });
    expect(right).toMatchObject({ kind: 'accepted', decision: { kind: 'run', session: second.session.id } });
    expect(right.kind === 'accepted' && targetsOf(right.decision).map((one) => one.phone)).toEqual([
      second.customer,
    ]);
  });

  it('with codes for everybody, a withheld number and an untrusted carrier prove themselves', async () => {
    const agent = { role: 'agent', phones: [phone(people++)] };
    const { session, number, customer } = await open('default', agent, { pin: true });
    const [seat, other] = session.participants;
    // Known and believed: no code is asked.
    expect(targetsOf(await heart.dial(agent.phones[0], number)).map((one) => one.phone)).toEqual([customer]);
    const hidden = await heart.dial(undefined, number);
    expect(hidden).toMatchObject({ kind: 'pin' });
    const entered = await heart.masking.enterPin({
      inbound: inbound(undefined, number, hidden.call),
      code: seat?.pin ?? '',
      attempt: 1,
    });
    expect(entered).toMatchObject({
      kind: 'accepted',
      decision: { kind: 'run', caller: { participant: seat?.id } },
    });
    expect((await heart.masking.getCall('default', hidden.call)).participant).toBe(seat?.id);
    const joined = {
      tenant: 'default',
      session: session.id,
      call: hidden.call,
      participant: other?.id ?? '',
    };
    expect(await heart.masking.answered(joined)).toBe(true);

    await heart.masking.updateCarrier('default', carrier, { callerTrust: 'untrusted' });
    const fresh = await testNode(heart);
    const doubted = await fresh.decide(inbound(agent.phones[0], number, `call_${'1'.repeat(32)}`));
    expect(doubted).toMatchObject({ kind: 'pin' });
    await heart.masking.updateCarrier('default', carrier, { callerTrust: 'trusted' });
    const failed = await (await testNode(heart)).decide({
      ...inbound(agent.phones[0], number, `call_${'2'.repeat(32)}`),
      unverified: true,
    });
    expect(failed).toMatchObject({ kind: 'pin' });

    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    expect(await heart.dial(undefined, number)).toMatchObject({ kind: 'refuse', reason: 'not-connected' });
    expect(
      await heart.masking.enterPin({
        inbound: inbound(undefined, number, hidden.call),
        code: seat?.pin ?? '',
        attempt: 2,
      }),
    ).toMatchObject({ kind: 'wrong' });
  });

  it('by app: no number is held, the display number is shown, and calling it offers the open sessions', async () => {
    const agent: NewParticipant = { role: 'agent', phones: [phone(people++)], reach: 'app' };
    const sessions = [];
    for (let count = 0; count < 5; count++)
      sessions.push(await open('app', agent, { reference: `R${count}` }));
    const display = sessions[0]?.number ?? '';
    expect(new Set(sessions.map((one) => one.number))).toEqual(new Set([display]));
    expect(sessions[0]?.dial).toBe('');
    const back = await heart.dial(agent.phones[0], display);
    expect(back.kind === 'choose' && back.options.map((one) => one.reference)).toEqual([
      'R4',
      'R3',
      'R2',
      'R1',
      'R0',
    ]);
    // The customer dials their own number and the agent sees the display number.
    const [first] = sessions;
    const there = targetsOf(await heart.dial(first?.customer, first?.session.participants[1]?.number ?? ''));
    expect(there.map((one) => [one.phone, one.callerId])).toEqual([[agent.phones[0], display]]);
    for (const one of sessions)
      await heart.masking.closeSession('default', one.session.id, { reason: 'resolved' });
    expect(await heart.dial(agent.phones[0], display)).toMatchObject({ kind: 'refuse', reason: 'ended' });
    // Nothing cools: the next day's sessions take the same places.
    await open('app', agent);
    await expect(open('menu', { ...agent, phones: [phone(people++)] })).rejects.toMatchObject({
      code: 'no-display-number',
      pointer: '/participants/0/reach',
    });
  });
});

/** Another node: it remembers nothing of the carrier. */
async function testNode(heart: TestMasking) {
  const { createMasking } = await import('../masking.ts');
  return createMasking({ database: heart.test.database, vault: heart.vault, doors: heart.doors });
}
