import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../ids.ts';
import type { NewSession } from '../service.ts';
import { phone, type TestMasking, testMasking } from '../testing.ts';

describe('click-to-call and hanging up', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
    await heart.stock({ count: 6 });
    await heart.masking.start({ node: 'one', boot: '1' });
  });
  afterAll(() => heart.close());

  let people = 100;
  async function open(more: Partial<NewSession> = {}) {
    const agent = phone(people++);
    const customer = phone(people++);
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [agent] },
        { role: 'customer', phones: [customer] },
      ],
      ...more,
    });
    return { session, agent, customer };
  }
  const originate = (session: string, from: string, to?: string, call = newId(heart.doors, 'call')) =>
    heart.masking.originate({ tenant: 'default', session, from, to, call });

  it('rings one, then the other, each from their own number', async () => {
    const { session, agent, customer } = await open();
    const call = newId(heart.doors, 'call');
    const { near, run } = await originate(session.id, 'agent', 'customer', call);
    expect(near).toMatchObject({ phone: agent, callerId: session.participants[0]?.number });
    expect(run.steps).toMatchObject([
      { kind: 'connect', targets: [{ phone: customer, callerId: session.participants[1]?.number }] },
    ]);
    expect(await heart.masking.getCall('default', call)).toMatchObject({
      kind: 'click-to-call',
      status: 'ringing',
      session: session.id,
      participant: session.participants[0]?.id,
    });
    const gate = {
      tenant: 'default',
      call,
      session: session.id,
      participant: session.participants[1]?.id ?? '',
    };
    expect(await heart.masking.answered(gate)).toBe(true);
  });

  it('refuses whom it can not connect, and rings nobody', async () => {
    const { session } = await open();
    await expect(originate(session.id, 'pilot')).rejects.toMatchObject({ pointer: '/from' });
    await expect(originate(session.id, 'agent', 'pilot')).rejects.toMatchObject({ pointer: '/to' });
    await expect(originate(session.id, 'agent', 'agent')).rejects.toMatchObject({ pointer: '/to' });
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    await expect(originate(session.id, 'agent')).rejects.toMatchObject({ code: 'session-closed' });
    await expect(originate(`ses_${'0'.repeat(32)}`, 'agent')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('a program that refuses refuses before anybody is rung, and the record says why', async () => {
    const { session } = await open({ program: { rules: [{ then: { refuse: 'closed' } }] } });
    const call = newId(heart.doors, 'call');
    await expect(originate(session.id, 'agent', undefined, call)).rejects.toMatchObject({
      code: 'participant-unreachable',
    });
    expect(await heart.masking.getCall('default', call)).toMatchObject({
      status: 'ended',
      outcome: 'refused',
      refusal: 'program',
    });
  });

  it('whoever may not start a call is not made to, either', async () => {
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [phone(people++)] },
        { role: 'customer', phones: [phone(people++)], mayStart: false },
      ],
    });
    await expect(originate(session.id, 'customer')).rejects.toMatchObject({
      code: 'participant-unreachable',
    });
    expect((await originate(session.id, 'agent')).run.steps).toHaveLength(1);
    const [, customer] = session.participants;
    const tried = await heart.dial(phone(people - 1), customer?.dial ?? '');
    expect(tried).toMatchObject({ kind: 'run', steps: [{ kind: 'refuse', reason: 'not-allowed' }] });
  });

  it('a hang-up reaches the node of the call, by notice and by record', async () => {
    const { session, agent } = await open();
    const asked: string[] = [];
    heart.masking.onHangUp(({ call }) => void asked.push(call));
    const { call } = await heart.dial(agent, session.participants[0]?.dial ?? '');
    await heart.masking.hangUpCall('default', call);
    await expect.poll(() => asked).toContain(call);
    expect(await heart.masking.callsToEnd()).toContainEqual({
      tenant: 'default',
      call,
      ongoingCalls: 'hangup',
    });
    const gate = {
      tenant: 'default',
      call,
      session: session.id,
      participant: session.participants[1]?.id ?? '',
    };
    expect(await heart.masking.answered(gate)).toBe(false);
    await heart.masking.ended({
      ...{ tenant: 'default', call, outcome: 'failed', hangupBy: 'platform', hangupCause: 'requested' },
      endedAt: Date.now(),
      legs: [],
      explanation: { steps: [{ place: 'default', verb: 'connect', outcome: 'requested' }] },
    });
    await expect(heart.masking.hangUpCall('default', call)).rejects.toMatchObject({ code: 'call-ended' });
    await expect(heart.masking.hangUpCall('default', `call_${'0'.repeat(32)}`)).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await heart.masking.explainCall('default', call)).toMatchObject({
      steps: [{ outcome: 'requested' }],
    });
  });
});
