import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewParticipant } from '../service.ts';
import { phone, type TestMasking, testMasking } from '../testing.ts';

describe('a refused session leaves nothing', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
    // The pool's numbers stand far behind in the order: a way that is noted.
    await heart.stock({ count: 100, first: 1, pool: 'before' });
    await heart.stock({ count: 2, first: 200 });
  });
  afterAll(() => heart.close());

  const tables = [
    'parties',
    'party_keys',
    'party_pools',
    'participants',
    'bindings',
    'pins',
    'idempotency_keys',
  ];
  async function rows(): Promise<unknown> {
    const counts = tables.map((table) => `(select count(*)::integer from ${table}) as ${table}`);
    const listed = '(select count(open_session)::integer from numbers) as listings';
    const found = await heart.test.database.query('', `select ${[...counts, listed].join(', ')}`, []);
    return found[0];
  }
  const agent = { role: 'agent', phones: [phone(1), phone(2)], name: 'Wayan' };

  it.each<[string, string, NewParticipant, object]>([
    ['number-not-available', 'an open side without a number', { role: 'buyer', phones: [], open: true }, {}],
    ['no-display-number', 'an app without one', { role: 'rider', phones: [phone(3)], reach: 'app' }, {}],
    [
      'pin-unavailable',
      'no place for codes',
      { role: 'rider', phones: [phone(3)], name: 'Made' },
      { pin: true },
    ],
    ['blocked', 'a block', { role: 'rider', phones: [phone(9)] }, {}],
  ])('%s: %s', async (code, _, other, terms) => {
    const { masking, test } = heart;
    const block =
      code === 'blocked'
        ? await masking.createBlock('default', { phone: phone(9), reason: 'rude' }, 'api')
        : undefined;
    if (code === 'pin-unavailable') {
      await test.database.query(
        '',
        `insert into pins (tenant, number, digest, session, participant, place)
          select n.tenant, n.number, sha256(i::text::bytea), 'ses_x', 'par_x', i from numbers n, generate_series(1, 10) i
          where n.ordinal = (select max(ordinal) from numbers)`,
        [],
      );
      await test.database.query(
        '',
        `insert into pins (tenant, number, digest, session, participant, place)
          select n.tenant, n.number, sha256(i::text::bytea), 'ses_x', 'par_x', i from numbers n, generate_series(1, 9) i
          where n.ordinal = (select max(ordinal) - 1 from numbers)`,
        [],
      );
    }
    const before = await rows();
    const opening = () =>
      masking.createSession(
        'default',
        { participants: [agent, other], ...terms },
        { key: 'once', digest: Buffer.alloc(32, 1) },
      );
    await expect(opening()).rejects.toMatchObject({ code });
    expect(await rows()).toEqual(before);
    if (block !== undefined) await masking.liftBlock('default', block.id);
  });
});
