/** What is done at once waits for one another, and never in a circle. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Masking } from '../service.ts';
import { phone, type TestMasking, testMasking } from '../testing.ts';

let heart: TestMasking;
let masking: Masking;
beforeEach(async () => {
  heart = await testMasking();
  ({ masking } = heart);
});
afterEach(() => heart.close());

const openFor = (first: string, second: string, more: object = {}) =>
  masking.createSession('default', {
    participants: [
      { role: 'agent', phones: [first] },
      { role: 'customer', phones: [second] },
    ],
    ...more,
  });

/** Of the whole database: one that was tried again unseen counts, too. */
async function circles(): Promise<number> {
  // Each connection keeps its counts for a while.
  await Promise.all(
    Array.from({ length: 40 }, () =>
      heart.test.database.query('', 'select pg_stat_force_next_flush(), pg_sleep(0.02)', []),
    ),
  );
  const [row] = await heart.test.database.query<{ readonly deadlocks: number }>(
    '',
    `select pg_stat_get_db_deadlocks(d.oid)::integer as deadlocks from pg_database d where datname = current_database()`,
    [],
  );
  return row?.deadlocks ?? -1;
}

describe('no circle', () => {
  it('between sessions that live again on the same numbers, in a pool that counts', async () => {
    await heart.stock({ count: 2 });
    await masking.updatePool('default', 'default', { loadLimit: 1_000 });
    const one = await openFor(phone(1), phone(2));
    // The other way round: customer's number is the other one's agent's.
    const first = await openFor(phone(3), phone(4));
    await masking.closeSession('default', first.id, { reason: 'resolved' });
    const two = await openFor(phone(3), phone(5));
    await heart.test.database.query(
      '',
      `update participants p set number = (select n.number from numbers n where n.number <> p.number) where p.participant = $1`,
      [one.participants[1]?.id],
    );
    await heart.test.database.query(
      '',
      `update bindings b set released_at = now(), free_at = now() where b.session in ($1, $2)`,
      [one.id, two.id],
    );
    const [number] = await heart.test.database.query<{ readonly one: string; readonly other: string }>(
      '',
      `select min(number) as one, max(number) as other from numbers`,
      [],
    );
    for (const [session, index, at] of [
      [one, 0, number?.one],
      [one, 1, number?.other],
      [two, 0, number?.other],
      [two, 1, number?.one],
    ] as const) {
      await heart.test.database.query('', `update participants set number = $2 where participant = $1`, [
        session.participants[index]?.id,
        at,
      ]);
    }
    for (let round = 0; round < 25; round++) {
      await Promise.all(
        [one, two].map((of) => masking.closeSession('default', of.id, { reason: 'resolved' })),
      );
      await Promise.all([one, two].map((of) => masking.reopenSession('default', of.id, {})));
    }
    expect(await circles()).toBe(0);
  });

  it('between a pool that changes and its numbers that do', async () => {
    const { numbers } = await heart.stock({ count: 6 });
    const { items } = await masking.listNumbers('default', {}, { limit: 50 });
    expect(items).toHaveLength(numbers.length);
    await heart.test.database.query(
      '',
      `insert into number_days (tenant, number, day, sessions)
        select tenant, number, (now() at time zone 'UTC')::date, 5 from numbers`,
      [],
    );
    for (let round = 0; round < 25; round++) {
      await Promise.all([
        masking.updatePool('default', 'default', { loadLimit: round % 2 === 0 ? 2 : null }),
        ...items.map(({ id }) => masking.updateNumber('default', id, { draining: round % 2 === 0 })),
      ]);
    }
    expect(await circles()).toBe(0);
  });

  it('between a sweep that ends a listing and whoever holds one of its conversations', async () => {
    await heart.stock({ count: 6 });
    const { items } = await masking.listNumbers('default', {}, { limit: 50 });
    await masking.updateNumber('default', items[0]?.id ?? '', { use: 'reserved' });
    const listing = await masking.createSession('default', {
      participants: [
        { role: 'seller', phones: [phone(1)] },
        { role: 'buyer', phones: [], open: true },
      ],
    });
    const call = await heart.dial(phone(2), listing.participants[1]?.dial ?? '');
    const conversation = call.kind === 'run' ? call.session : '';
    const plain = await openFor(phone(3), phone(4));
    await heart.test.database.query(
      '',
      `update sessions set expires_at = now() - interval '1 second' where session in ($1, $2)`,
      [listing.id, plain.id],
    );
    const lock = 'select from sessions where session = $1 for no key update';
    await heart.test.database.transaction(async (holder) => {
      // As the gate does for answers, in order.
      await holder.query('', lock, [conversation]);
      const sweep = heart.test.database.query('', 'select expire_sessions(50)', []);
      await heart.test.database.query('', 'select pg_sleep(0.3)', []);
      await holder.query('', lock, [plain.id]);
      await sweep;
    });
    await heart.test.database.query('', 'select expire_sessions(50)', []);
    expect((await masking.getSession('default', conversation)).status).toBe('closed');
    expect(await circles()).toBe(0);
  });

  it('between a block and the calls that it ends', async () => {
    await heart.stock({ count: 10 });
    const session = await openFor(phone(1), phone(2));
    const [agent, customer] = session.participants;
    for (let round = 0; round < 12; round++) {
      const calls = await Promise.all(
        Array.from({ length: 12 }, () => heart.dial(phone(1), agent?.dial ?? '')),
      );
      const backwards = calls.map((one) => one.call).sort((a, b) => (a < b ? 1 : -1));
      const blocks = await Promise.all([
        masking.createBlock(
          'default',
          { phone: phone(1), counterpartPhone: phone(2), reason: 'rude' },
          'api',
        ),
        ...backwards.map((call) =>
          heart.masking.answered({
            tenant: 'default',
            session: session.id,
            call,
            participant: customer?.id ?? '',
          }),
        ),
        ...backwards.map((call) =>
          heart.masking.ended({
            tenant: 'default',
            call,
            outcome: 'connected',
            hangupBy: 'caller',
            hangupCause: 'bye',
            endedAt: heart.doors.clock.now(),
            legs: [],
          }),
        ),
      ]);
      await masking.liftBlock('default', blocks[0].id);
    }
    expect(await circles()).toBe(0);
  });
});
