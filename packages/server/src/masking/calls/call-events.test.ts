import { afterAll, beforeAll, expect, it } from 'vitest';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

let heart: TestMasking;
beforeAll(async () => {
  heart = await testMasking();
  await heart.stock({ count: 4 });
});
afterAll(() => heart.close());

async function told(session: string) {
  const rows = await heart.test.database.query<{ readonly event: Record<string, unknown> }>(
    '',
    `select jsonb_build_object('kind', kind, 'subject', subject, 'data', data) as event from events
      where session = $1 and kind like 'call.%' order by written`,
    [session],
  );
  return rows.map((row) => row.event);
}

function end(call: string, outcome: 'connected' | 'busy' | 'refused', endedAt = Date.now()) {
  return heart.masking.ended({
    ...{ tenant: 'default', call, outcome, endedAt, legs: [] },
    hangupBy: 'caller',
    hangupCause: 'bye',
  });
}

it('a call tells when it is answered and when it has ended, of participants and never of numbers', async () => {
  const session = await heart.masking.createSession('default', {
    participants: [
      { role: 'agent', phones: [phone(1)] },
      { role: 'customer', phones: [phone(2)] },
    ],
  });
  const [agent, customer] = session.participants.map((one) => one.id);
  const dial = session.participants[0]?.dial ?? '';
  const decision = await heart.dial(phone(1), dial);
  const [target] = targetsOf(decision);
  const { call } = decision;
  const answer = { tenant: 'default', call, session: session.id, participant: target?.participant ?? '' };
  expect(await heart.masking.answered(answer)).toBe(true);
  await end(call, 'connected', Date.now() + 61_500);
  await end(call, 'busy');
  const events = await told(session.id);
  const participants = [agent, customer];
  expect(events).toEqual([
    { kind: 'call.answered', subject: call, data: { call, participants } },
    {
      kind: 'call.ended',
      subject: call,
      data: { call, outcome: 'connected', participants, milliseconds: expect.any(Number) },
    },
  ]);
  const [, ended] = events as { readonly data: { readonly milliseconds: number } }[];
  expect(Math.abs((ended?.data.milliseconds ?? 0) - 61_500)).toBeLessThan(1_000);
  expect(JSON.stringify(events)).not.toContain(phone(1).slice(3));
});

it('one that nobody answered has lasted for nothing; a stranger’s tells nothing', async () => {
  const session = await heart.masking.createSession('default', {
    participants: [
      { role: 'agent', phones: [phone(3)] },
      { role: 'customer', phones: [phone(4)] },
    ],
  });
  const dial = session.participants[1]?.dial ?? '';
  const { call } = await heart.dial(phone(4), dial);
  await end(call, 'busy');
  const customer = session.participants[1]?.id;
  expect(await told(session.id)).toEqual([
    {
      kind: 'call.ended',
      subject: call,
      data: { call, outcome: 'busy', participants: [customer], milliseconds: 0 },
    },
  ]);
  const stranger = await heart.dial(phone(99), dial);
  await end(stranger.call, 'refused');
  const rows = await heart.test.database.query('', 'select 1 from events where subject = $1', [
    stranger.call,
  ]);
  expect(rows).toEqual([]);
});

it('one that a dead process left behind tells that it was interrupted', async () => {
  const session = await heart.masking.createSession('default', {
    participants: [
      { role: 'agent', phones: [phone(5)] },
      { role: 'customer', phones: [phone(6)] },
    ],
  });
  const { call } = await heart.dial(phone(5), session.participants[0]?.dial ?? '');
  await heart.test.database.query(
    '',
    `select interrupt_calls(node, 'another', 30, 100) from calls where call = $1`,
    [call],
  );
  expect(await told(session.id)).toMatchObject([
    { kind: 'call.ended', data: { call, outcome: 'interrupted' } },
  ]);
});
