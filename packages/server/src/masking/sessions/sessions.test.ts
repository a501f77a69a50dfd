import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

describe('a session', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
    await heart.stock();
  });
  afterAll(() => heart.close());

  const people = (a: number, b: number) => [
    { role: 'agent', phones: [phone(a)], name: 'Made' },
    { role: 'customer', phones: [phone(b)], locale: 'id' },
  ];

  it('connects its participants through their own numbers and nobody after its close', async () => {
    const { masking } = heart;
    const session = await masking.createSession('default', {
      participants: people(1, 2),
      reference: 'job-1',
    });
    const [agent, customer] = session.participants;
    expect(session.status).toBe('open');
    expect(agent?.phone).toBe('+62•••••••0001');

    const there = await heart.dial(phone(1), agent?.dial ?? '');
    expect(there).toMatchObject({
      kind: 'run',
      session: session.id,
      recording: 'off',
      steps: [{ kind: 'connect', ringSeconds: 25 }],
    });
    expect(targetsOf(there)).toMatchObject([
      { phone: phone(2), callerId: customer?.dial, locale: 'id', participant: customer?.id },
    ]);
    const back = await heart.dial(phone(2), customer?.dial ?? '');
    expect(targetsOf(back)[0]?.phone).toBe(phone(1));
    expect(await heart.dial(phone(3), agent?.dial ?? '')).toMatchObject({
      kind: 'refuse',
      reason: 'not-connected',
    });

    const joined = {
      tenant: 'default',
      call: there.call,
      session: session.id,
      participant: customer?.id ?? '',
    };
    expect(await masking.answered(joined)).toBe(true);
    await masking.ended({
      tenant: 'default',
      call: there.call,
      outcome: 'connected',
      hangupBy: 'caller',
      hangupCause: 'bye',
      endedAt: Date.now() + 1000,
      legs: [
        {
          participant: agent?.id,
          number: 'num',
          carrier: 'car',
          direction: 'in',
          sipStatus: 200,
          startedAt: Date.now(),
          answeredAt: Date.now(),
          endedAt: Date.now(),
          quality: { loss: 0 },
        },
      ],
    });
    expect(await masking.getCall('default', there.call)).toMatchObject({
      status: 'ended',
      outcome: 'connected',
      legs: [{ direction: 'in', sipStatus: 200, quality: { loss: 0 } }],
    });

    const closed = await masking.closeSession('default', session.id, { reason: 'resolved' });
    expect(closed).toMatchObject({ status: 'closed', closeReason: 'resolved' });
    expect(await masking.closeSession('default', session.id, { reason: 'again' })).toMatchObject({
      closeReason: 'resolved',
    });
    expect(await heart.dial(phone(1), agent?.dial ?? '')).toMatchObject({ kind: 'refuse', reason: 'ended' });
    expect(await masking.answered({ ...joined, call: back.call })).toBe(false);
  });
});
