import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, type StagedPerson, testStage } from '../parties/testing-stage.ts';
import { phone } from '../testing.ts';

interface Late {
  readonly party: string;
  readonly number: string;
  readonly slot: number;
  readonly times: number;
}

describe('late attempts', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await testStage();
  });
  afterAll(() => stage.close());

  let people = 0;
  async function over(): Promise<{
    readonly session: string;
    readonly who: StagedPerson;
    readonly one: Late;
  }> {
    people += 2;
    const { session, people: seated } = await stage.session([[phone(people)], [phone(people + 1)]]);
    await stage.end(session, 86_400);
    const [who] = seated as [StagedPerson];
    return { session, who, one: { party: who.parties[0] ?? '', number: who.number, slot: 0, times: 1 } };
  }
  /** `days` from 12 o'clock today. */
  const note = (attempts: readonly Late[], days = 0) =>
    stage.sql(
      `select note_late_attempts($1, $2, $3, $4, $5, date_trunc('day', now(), 'UTC') + make_interval(days => $6, hours => 12))`,
      [
        attempts.map(() => 'default'),
        attempts.map((one) => one.party),
        attempts.map((one) => one.number),
        attempts.map((one) => one.slot),
        attempts.map((one) => one.times),
        days,
      ],
    );
  const attempts = async (session: string) =>
    (
      await stage.sql<{ readonly late: number }>(
        'select sum(late_attempts)::integer as late from bindings where session = $1',
        [session],
      )
    )[0]?.late;
  const said = (session: string) =>
    stage.sql('select subject, data, at from events where session = $1 and kind = $2 order by at, event', [
      session,
      'abuse.suspected',
    ]);

  it('raise the suspicion when a day’s reach the threshold, once', async () => {
    const { session, who, one } = await over();
    for (let turn = 0; turn < 4; turn++) await note([one]);
    expect(await said(session)).toEqual([]);
    for (let turn = 0; turn < 6; turn++) await note([one]);
    expect(await said(session)).toEqual([
      {
        subject: who.participant,
        data: { participant: who.participant, number: who.number, attempts: 5 },
        at: expect.any(Date),
      },
    ]);
    expect(await attempts(session)).toBe(10);
  });

  it('begin anew every day, and raise it again', async () => {
    const { session, one } = await over();
    await note([{ ...one, times: 4 }]);
    await note([{ ...one, times: 4 }], 1);
    expect(await said(session)).toEqual([]);
    await note([{ ...one, times: 1 }], 1);
    await note([{ ...one, times: 50 }], 1);
    await note([{ ...one, times: 5 }], 2);
    expect((await said(session)).map((event) => (event['data'] as { attempts: number }).attempts)).toEqual([
      5, 5,
    ]);
    expect(await attempts(session)).toBe(64);
  });

  it('belong to their binding: a new one starts with none', async () => {
    const { session, one } = await over();
    await note([{ ...one, times: 9 }]);
    const { session: next } = await stage.session([[phone(people + 1_000)], [phone(people + 1_001)]]);
    // As the allocation takes a binding over.
    await stage.sql('update bindings set late_attempts = 0, session = $2 where session = $1', [
      session,
      next,
    ]);
    await note([{ ...one, times: 4 }]);
    expect(await said(next)).toEqual([]);
    await note([one]);
    expect(await said(next)).toHaveLength(1);
  });

  it('come many in one statement, each where it belongs', async () => {
    const [first, second, third] = [await over(), await over(), await over()];
    await stage.sql(
      `insert into bindings (tenant, party, number, slot, shared, session, participant, released_at, free_at)
        select tenant, party, number, 1, true, 'ses_slot', participant, released_at, free_at from bindings where session = $1`,
      [third.session],
    );
    await note([
      first.one,
      { ...second.one, times: 2 },
      ...Array.from({ length: 6 }, () => first.one),
      { ...third.one, slot: 1, times: 5 },
      { ...third.one, slot: 7 },
      { ...third.one, party: 'pty_nobody' },
    ]);
    await note([]);
    expect(await attempts(first.session)).toBe(7);
    expect(await attempts(second.session)).toBe(2);
    expect(await attempts(third.session)).toBe(0);
    expect(await attempts('ses_slot')).toBe(5);
    expect((await said(first.session)).map((event) => event['data'])).toMatchObject([{ attempts: 7 }]);
    expect(await said(second.session)).toEqual([]);
    expect(await said('ses_slot')).toHaveLength(1);
  });

  it('follow the tenant’s own threshold, also when it changes during the day', async () => {
    const set = (threshold: number | null) =>
      stage.sql(
        `update tenants set settings = case when $1::integer is null then settings - 'abuseThreshold'
          else settings || jsonb_build_object('abuseThreshold', $1::integer) end where tenant = 'default'`,
        [threshold],
      );
    const { session, one } = await over();
    await set(2);
    await note([one]);
    await note([one]);
    expect(await said(session)).toHaveLength(1);
    await set(4);
    await note([one]);
    await note([one]);
    expect(await said(session)).toHaveLength(1);
    const other = await over();
    await set(100);
    await note([{ ...other.one, times: 20 }]);
    await set(10);
    await note([other.one]);
    expect((await said(other.session)).map((event) => event['data'])).toMatchObject([{ attempts: 21 }]);
    await set(null);
  });

  it('never wait for a row that somebody else is using', async () => {
    const [held, free] = [await over(), await over()];
    await stage.test.database.transaction(async (queries) => {
      await queries.query('', 'select 1 from bindings where session = $1 for update', [held.session]);
      await note([held.one, free.one]);
    });
    expect(await attempts(held.session)).toBe(0);
    expect(await attempts(free.session)).toBe(1);
  });

  it('are counted one by one when they come at once, but for those that met', async () => {
    const { session, one } = await over();
    await Promise.all(Array.from({ length: 24 }, () => note([one])));
    const counted = (await attempts(session)) ?? 0;
    expect(counted).toBeGreaterThan(0);
    expect(counted).toBeLessThanOrEqual(24);
    for (let turn = counted; turn < 5; turn++) await note([one]);
    expect(await said(session)).toHaveLength(1);
  });
});
