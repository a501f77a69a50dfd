import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../ids.ts';
import { phone } from '../testing.ts';
import { codeCandidates, codeDigest, codeOf, dialWithCode } from './codes.ts';
import { type Stage, testStage } from './testing-stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await testStage();
});
afterAll(() => stage.close());

const withCode = (number?: string) => stage.code(number);
const takePin = (number: string, session: string, participant: string) =>
  stage.takePin(number, session, participant);

interface Tried {
  readonly outcome: string;
  readonly session: string | null;
  readonly participant: string | null;
}

/** `days` from now. */
async function tryPin(
  number: string,
  code: string,
  { caller = null as string | null, days = 0 } = {},
): Promise<Tried> {
  const [row] = await stage.sql<Tried>(
    `select outcome, session, participant
      from try_pin('default', $1, $2, $3, false, platform_now() + make_interval(days => $4))`,
    [number, codeDigest(stage.keys, code), caller, days],
  );
  return row ?? { outcome: 'nothing', session: null, participant: null };
}

const refused = (outcome: string): Tried => ({ outcome, session: null, participant: null });

async function wrongOf(subject: string): Promise<number> {
  const [row] = await stage.sql<{ readonly wrong: number }>(
    'select coalesce(sum(wrong), 0)::integer as wrong from pin_failures where subject = $1',
    [subject],
  );
  return row?.wrong ?? 0;
}

describe('a code', () => {
  it('is six digits, the same every time, and another for everybody else', () => {
    const participant = newId(stage.context.doors, 'par');
    const code = codeOf(stage.keys, participant, 0);
    expect(code).toMatch(/^\d{6}$/);
    expect(codeOf(stage.keys, participant, 0)).toBe(code);
    expect(
      new Set(Array.from({ length: 8 }, (_, index) => codeOf(stage.keys, participant, index))).size,
    ).toBe(8);
    expect(dialWithCode('+622150001', code)).toBe(`+622150001,,${code}#`);
    expect(codeDigest(stage.keys, code).toString('latin1')).not.toContain(code);
  });

  it('is spread evenly over all of them, without those that everybody tries first', () => {
    const counts = new Array<number>(1000).fill(0);
    const total = 60_000;
    for (let index = 0; index < total; index++) {
      const code = codeOf(stage.keys, `par_${index}`, index % 8);
      expect(
        /^(\d)\1{5}$|^(012345|123456|234567|345678|456789|567890|098765|987654|876543|765432|654321|543210)$/.test(
          code,
        ),
      ).toBe(false);
      const bucket = Math.floor(Number(code) / 1000);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const expected = total / counts.length;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 999 degrees of freedom: mean 999, standard deviation 45; six of them.
    expect(chiSquare).toBeGreaterThan(999 - 270);
    expect(chiSquare).toBeLessThan(999 + 270);
  });

  it('passes over a trivial one the same way each time', () => {
    // The third candidate that the key gives is the first that is not trivial.
    const answers = [111_111, 123_456, 7];
    const keys = {
      ...stage.keys,
      token: (_: string, of: string | Buffer) => {
        const bytes = Buffer.alloc(32);
        bytes.writeUIntBE(answers[Number(String(of).split(' ').at(-1))] ?? 0, 0, 6);
        return bytes;
      },
    };
    expect(codeOf(keys, 'par_x', 0)).toBe('000007');
  });
});

describe('codes on a number', () => {
  it('are told apart: the second of two equal ones is the next candidate', async () => {
    const number = (await stage.number()).id;
    const digests = [1, 2, 3].map((index) => codeDigest(stage.keys, `00001${index}`));
    const take = async (session: string, from = digests) =>
      (
        await stage.sql<{ readonly index: number | null }>(
          `select take_pin('default', $1, $2, $2, $3::bytea[], $4::smallint[], platform_now()) as index`,
          [number, session, from, from.map((_, index) => index + 5)],
        )
      )[0]?.index;
    expect(await take('ses_a')).toBe(5);
    expect(await take('ses_b')).toBe(6);
    expect(await take('ses_c', digests.slice(0, 2))).toBe(null);
    await stage.sql(`select drop_pins('default', 'ses_a')`);
    expect(await take('ses_c', digests.slice(0, 2))).toBe(5);
  });

  it('are never more than ten, however many come at once', async () => {
    const number = (await stage.number()).id;
    const taken = await Promise.all(
      Array.from({ length: 32 }, (_, index) => takePin(number, `ses_${index}`, `par_many_${index}`)),
    );
    expect(taken.filter((index) => index !== null)).toHaveLength(10);
    const rows = await stage.sql<{ readonly place: number }>(
      'select place from pins where number = $1 order by place',
      [number],
    );
    expect(rows.map((row) => row.place)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await takePin(number, 'ses_late', 'par_late')).toBe(null);
    await stage.sql(`select drop_pins('default', $1)`, [`ses_${taken.findIndex((index) => index !== null)}`]);
    expect(await takePin(number, 'ses_late', 'par_late')).toBe(0);
  });

  it('wait for nobody: sessions that open on the same two numbers in either order never stand in a circle', async () => {
    const [one, two] = [(await stage.number()).id, (await stage.number()).id];
    const open = (session: string, numbers: readonly string[]) =>
      stage.test.database.transaction(async (queries) => {
        for (const number of numbers) {
          const choice = codeCandidates(stage.keys, `${session} ${number}`);
          await queries.query(
            '',
            `select take_pin('default', $1, $2, $3, $4::bytea[], $5::smallint[], platform_now()), pg_sleep(0.005)`,
            [number, session, session, choice.map((each) => each.digest), choice.map((each) => each.index)],
          );
        }
      });
    for (let round = 0; round < 4; round++) {
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          open(`ses_cross_${index}`, index % 2 === 0 ? [one, two] : [two, one]),
        ),
      );
      const rows = await stage.sql('select 1 from pins where number = any ($1)', [[one, two]]);
      expect(rows.length).toBe(16);
      for (let index = 0; index < 8; index++) {
        await stage.sql(`select drop_pins('default', $1)`, [`ses_cross_${index}`]);
      }
    }
  });

  it('go with their participants to another number, all of them or none', async () => {
    const { number, code, session, participant } = await withCode();
    const second = codeDigest(stage.keys, '271828');
    await stage.sql(
      `select take_pin('default', $1, $2, $3, array[$4::bytea], array[0::smallint], platform_now())`,
      [number, session, participant, second],
    );
    const other = (await stage.number()).id;
    const move = async (from: string, to: string) =>
      (
        await stage.sql<{ readonly moved: boolean }>(
          `select move_pins('default', $1, array[$2::text], $3, $4, platform_now()) as moved`,
          [session, participant, from, to],
        )
      )[0]?.moved;
    const codesOn = async (on: string) =>
      (await stage.sql('select 1 from pins where number = $1', [on])).length;
    expect(await move(number, other)).toBe(true);
    await stage.sql('update participants set number = $2 where participant = $1', [participant, other]);
    expect(await tryPin(number, code)).toEqual(refused('wrong'));
    expect(await tryPin(other, code)).toMatchObject({ outcome: 'accepted', participant });

    const nearlyFull = (await stage.number()).id;
    for (let index = 0; index < 9; index++)
      await takePin(nearlyFull, `ses_full_${index}`, `par_full_${index}`);
    const taken = (await stage.number()).id;
    await stage.sql(
      `select take_pin('default', $1, 'ses_taken', 'par_taken', array[$2::bytea], array[0::smallint], platform_now())`,
      [taken, second],
    );
    for (const [to, before] of [
      [nearlyFull, 9],
      [taken, 1],
    ] as const) {
      expect(await move(other, to)).toBe(false);
      expect([await codesOn(other), await codesOn(to)]).toEqual([2, before]);
    }
    expect(await tryPin(other, code)).toMatchObject({ outcome: 'accepted', participant });
  });
});

describe('entering a code', () => {
  it('says whose it is, again and again, and only on its own number', async () => {
    const { number, code, session, participant } = await withCode();
    expect(await tryPin(number, code)).toEqual({ outcome: 'accepted', session, participant });
    expect(await tryPin(number, code)).toEqual({ outcome: 'accepted', session, participant });
    const other = await withCode();
    expect(await tryPin(other.number, code)).toEqual(refused('wrong'));
    expect(await wrongOf(number)).toBe(0);
    expect(await wrongOf(other.number)).toBe(1);
  });

  it('is refused when its session or its participant is gone, with the words of a wrong one', async () => {
    const ended = await withCode();
    await stage.sql(`update sessions set status = 'closed', closed_at = now() where session = $1`, [
      ended.session,
    ]);
    expect(await tryPin(ended.number, ended.code)).toEqual(refused('wrong'));
    await stage.sql(`update sessions set after_until = now() + interval '1 hour' where session = $1`, [
      ended.session,
    ]);
    expect(await tryPin(ended.number, ended.code)).toMatchObject({ outcome: 'accepted' });
    await stage.sql(`update sessions set after_until = now() - interval '1 second' where session = $1`, [
      ended.session,
    ]);
    expect(await tryPin(ended.number, ended.code)).toEqual(refused('wrong'));

    const expired = await withCode();
    await stage.sql('update sessions set expires_at = now() where session = $1', [expired.session]);
    expect(await tryPin(expired.number, expired.code)).toEqual(refused('wrong'));

    const idle = await withCode();
    await stage.sql('update sessions set idle_expires_at = now() where session = $1', [idle.session]);
    expect(await tryPin(idle.number, idle.code)).toEqual(refused('wrong'));

    const left = await withCode();
    await stage.sql('update participants set left_at = now() where participant = $1', [left.participant]);
    expect(await tryPin(left.number, left.code)).toEqual(refused('wrong'));
    for (const one of [ended, expired, idle, left]) expect(await wrongOf(one.number)).toBeGreaterThan(0);
  });

  it('locks a number after exactly ten wrong ones, however many are keyed at once, and says so once', async () => {
    const { number, code } = await withCode();
    const outcomes = await Promise.all(
      Array.from({ length: 32 }, (_, index) => tryPin(number, String(index).padStart(6, '9'))),
    );
    const counted = (outcome: string) => outcomes.filter((one) => one.outcome === outcome).length;
    expect({ wrong: counted('wrong'), locked: counted('locked') }).toEqual({ wrong: 10, locked: 22 });
    expect(await wrongOf(number)).toBe(10);
    // The right one is answered as any other is.
    expect(await tryPin(number, code)).toEqual(refused('locked'));
    expect(await tryPin(number, '918273')).toEqual(refused('locked'));
    const events = await stage.sql(
      `select session, data from events where kind = 'pin.locked' and subject = $1`,
      [number],
    );
    expect(events).toEqual([{ session: null, data: { wrong: 10 } }]);
    await stage.sql(`update sessions set expires_at = 'infinity'`);
    expect(await tryPin(number, code, { days: 1 })).toMatchObject({ outcome: 'accepted' });
  });

  it('locks a caller, on every number, and nobody else there', async () => {
    const numbers = [await withCode(), await withCode(), await withCode()];
    const caller = 'feed01';
    for (let turn = 0; turn < 10; turn++) {
      const { number } = numbers[turn % 2] ?? { number: '' };
      expect(await tryPin(number, `9000${10 + turn}`, { caller })).toEqual(refused('wrong'));
    }
    for (const { number, code } of numbers) {
      expect(await tryPin(number, code, { caller })).toEqual(refused('locked'));
      expect(await tryPin(number, code, { caller: 'feed02' })).toMatchObject({ outcome: 'accepted' });
      expect(await tryPin(number, code)).toMatchObject({ outcome: 'accepted' });
    }
  });

  it('is exact for a caller who tries many numbers at once', async () => {
    const numbers = await Promise.all(Array.from({ length: 8 }, () => stage.number()));
    const outcomes = await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        tryPin(numbers[index % 8]?.id ?? '', '918273', { caller: 'feed03' }),
      ),
    );
    expect(outcomes.filter((one) => one.outcome === 'wrong')).toHaveLength(10);
    expect(await wrongOf('feed03')).toBe(10);
  });

  it('forgets counters of days before yesterday', async () => {
    await stage.sql(`insert into pin_failures values ('default', 'num_old', current_date - 3, 7)`);
    await stage.sql('select forget_codes(100, platform_now())');
    expect(await wrongOf('num_old')).toBe(0);
    const [today] = await stage.sql<{ readonly count: number }>(
      `select count(*)::integer as count from pin_failures where day = (now() at time zone 'UTC')::date`,
    );
    expect(today?.count).toBeGreaterThan(0);
  });
});

describe('a guesser', () => {
  it('gets ten guesses a day at ten codes a number: at most 1e-4', async () => {
    // Exactly: ten different guesses, ten codes, all equally likely but the 22 that are never given out.
    const space = 1_000_000 - 22;
    let missed = 1;
    for (let guess = 0; guess < 10; guess++) missed *= (space - 10 - guess) / (space - guess);
    expect(1 - missed).toBeLessThanOrEqual(1e-4);

    // That it is ten at ten is measured where it shows: with a thousand codes instead of a million, a guesser who
    // keys 15 different ones a day, over 600 days, is let in on as many days as ten guesses at ten codes allow.
    const number = (await stage.number()).id;
    const { session } = await stage.session([[phone(900_001)], [phone(900_002)]], { numbers: [number] });
    await stage.sql(`update sessions set expires_at = 'infinity' where session = $1`, [session]);
    const [{ participant } = { participant: '' }] = await stage.sql<{ readonly participant: string }>(
      'select participant from participants where session = $1 and number = $2',
      [session, number],
    );
    const codes = Array.from({ length: 1000 }, (_, code) => codeDigest(stage.keys, `small ${code}`));
    const days = 600;
    const tries = 15;
    for (const digest of codes.slice(0, 10)) {
      await stage.sql(
        `select take_pin('default', $1, $2, $3, array[$4::bytea], array[0::smallint], platform_now())`,
        [number, session, participant, digest],
      );
    }
    const rows = await stage.sql<{ readonly day: number; readonly outcomes: readonly string[] }>(
      `select d.day, array_agg(t.outcome order by g.turn) as outcomes
        from generate_series(1, $3::integer) as d(day)
        cross join lateral (
          select row_number() over () as turn, x.digest
            from (select u.digest from unnest($2::bytea[]) as u(digest) where d.day > 0 order by random() limit $4) x
        ) g
        cross join lateral try_pin('default', $1, g.digest, null, false, platform_now() + make_interval(days => 10 + d.day)) t
        group by d.day`,
      [number, codes, days, tries],
    );
    expect(rows).toHaveLength(days);
    for (const { outcomes } of rows) {
      const wrong = outcomes.filter((one) => one === 'wrong').length;
      expect(wrong).toBe(10);
      // Once it is locked, nothing is let in any more.
      expect(outcomes.slice(outcomes.indexOf('locked'))).not.toContain('accepted');
    }
    const lucky = rows.filter(({ outcomes }) => outcomes.includes('accepted')).length / days;
    let unlucky = 1;
    for (let guess = 0; guess < 10; guess++) unlucky *= (990 - guess) / (1000 - guess);
    const deviation = Math.sqrt((unlucky * (1 - unlucky)) / days);
    expect(Math.abs(lucky - (1 - unlucky))).toBeLessThan(5 * deviation);
  });
});
