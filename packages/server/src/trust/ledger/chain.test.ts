import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../store/testing.ts';
import { sealLedger, verifyLedger } from './chain.ts';

describe('the ledger', () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await testDatabase();
  });
  afterEach(() => test.drop());

  async function write(tenant: string, count: number): Promise<void> {
    await test.database.query(
      '',
      `insert into ledger (tenant, entry, kind, actor, subject, details)
        select $1, new_id('led_'), 'listen', 'key_1', 'rec_' || i, jsonb_build_object('z', 1, 'a', jsonb_build_array(i, 'ü'))
          from generate_series(1, $2::integer) i`,
      [tenant, count],
    );
  }
  const change = (text: string) => test.database.query('', text, []);

  it('is chained in batches by whoever comes first, and intact', async () => {
    await write('default', 1_200);
    await write('installation', 3);
    const rounds = [await Promise.all([sealLedger(test.database), sealLedger(test.database)])];
    for (let round = 0; round < 5; round++) rounds.push([await sealLedger(test.database), 0]);
    expect(rounds.flat().reduce((sum, one) => sum + one, 0)).toBe(1_203);
    await write('default', 2);
    expect(await verifyLedger(test.database, 'default')).toMatchObject({
      kind: 'intact',
      entries: 1_200,
      unsealed: 2,
    });
    expect(await verifyLedger(test.database, 'installation')).toMatchObject({ kind: 'intact', entries: 3 });
    expect(await verifyLedger(test.database, 'nobody')).toMatchObject({ kind: 'intact', entries: 0 });
  });

  it.each([
    [
      'a changed field',
      "update ledger set actor = 'somebody' where sequence = 4",
      { kind: 'changed', sequence: 4 },
    ],
    [
      'a changed detail',
      `update ledger set details = details || '{"z": 2}' where sequence = 7`,
      { kind: 'changed', sequence: 7 },
    ],
    [
      'a changed time',
      "update ledger set at = at + interval '1 microsecond' where sequence = 2",
      { kind: 'changed', sequence: 2 },
    ],
    ['a removed entry', 'delete from ledger where sequence = 5', { kind: 'removed', sequence: 5 }],
    [
      'a removed entry with the gap closed',
      'delete from ledger where sequence = 5; update ledger set sequence = sequence - 1 where sequence > 5',
      { kind: 'moved', sequence: 5 },
    ],
    [
      'two entries changing places',
      `update ledger set sequence = null where sequence = 3; update ledger set sequence = 3 where sequence = 6;
        update ledger set sequence = 6 where sequence is null`,
      { kind: 'moved', sequence: 3 },
    ],
    ['an end cut off', 'delete from ledger where sequence > 8', { kind: 'removed', sequence: 9 }],
    ['everything gone', 'delete from ledger', { kind: 'removed', sequence: 1 }],
  ])('tells of %s', async (_what, statement, verdict) => {
    await write('default', 10);
    await sealLedger(test.database);
    expect(await verifyLedger(test.database, 'default')).toMatchObject({ kind: 'intact', entries: 10 });
    for (const one of statement.split(';')) await change(one);
    expect(await verifyLedger(test.database, 'default')).toMatchObject(verdict);
  });
});
