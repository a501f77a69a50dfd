import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as queries from '../../store/queries/numbers.ts';
import * as poolQueries from '../../store/queries/pools.ts';
import type { Masking } from '../service.ts';
import { type TestMasking, testMasking } from '../testing.ts';
import {
  createDesk,
  type Desk,
  type Opened,
  type Person,
  type PoolSetting,
} from './number-choice.testing.ts';
import { createNumbers } from './numbers.ts';
import { areasOfPool, placeOf } from './places.ts';

const day = 86_400;
let pools = 0;
let desk: Desk;
beforeAll(async () => {
  desk = await createDesk();
});
afterAll(() => desk.end());

async function stock(
  count: number,
  setting: PoolSetting = {},
  places?: Parameters<Desk['numbers']>[2],
): Promise<{ readonly pool: string; readonly numbers: readonly string[]; p(name: string): string }> {
  const pool = `care${++pools}`;
  await desk.pool(pool, setting);
  return { pool, numbers: await desk.numbers(pool, count, places), p: (name) => `pty_${pool}_${name}` };
}
const agent = (...parties: string[]): Person => ({ parties, role: 'agent' });
const customer = (...parties: string[]): Person => ({ parties, role: 'customer' });

const outcome = async (text: string, values: readonly unknown[]) =>
  (await desk.rows<{ readonly outcome: unknown }>(text, values))[0]?.outcome;
const remove = (number: string | undefined, drain: boolean) =>
  outcome(`select delete_number('default', $1, $2, 'key_1') as outcome`, [number, drain]);
const quarantine = (number: string | undefined) =>
  outcome(`select quarantine_number('default', $1, 1000, 'spam', 'api') as outcome`, [number]);
/** In batches of three, as the heart does in batches of 200. */
async function replaceAll(number: string | undefined): Promise<{ replaced: number; kept: number }> {
  const total = { replaced: 0, kept: 0 };
  let after: string | null = '';
  while (after !== null) {
    const done: queries.ReplacedRow = await desk.at((one) =>
      queries.replaceNumber(one, 'default', number ?? '', { reason: 'spam', actor: 'api' }, after ?? '', 3),
    );
    total.replaced += done.replaced;
    total.kept += done.kept;
    after = done.last;
  }
  return total;
}

describe('giving numbers back', () => {
  it('refuses while a session lives, drains on demand, and removes after the last one', async () => {
    const { pool, numbers, p } = await stock(2);
    const [first, second] = numbers;
    const opened = await desk.open(pool, [agent(p('a')), customer(p('c'))]);
    expect(await remove(first, false)).toBe('in-use');
    expect(await remove(first, true)).toBe('draining');
    expect(await remove(second, true)).toBe('deleted');
    expect(await remove(second, true)).toBe('missing');
    expect(await desk.open(pool, [agent(p('b'))])).toBeUndefined();
    expect(await outcome('select remove_idle_numbers(10) as outcome', [])).toBe(0);
    // The time after the close counts as use.
    await desk.rows(
      `update sessions set status = 'closed', after_until = platform_now() + interval '1 hour' where session = $1`,
      [opened?.session],
    );
    expect(await outcome('select remove_idle_numbers(10) as outcome', [])).toBe(0);
    desk.now += 3_700;
    expect(await outcome('select remove_idle_numbers(10) as outcome', [])).toBe(1);
    expect(
      await desk.rows(
        `select n.deleted_at is not null as gone, d.number from numbers n left join number_directory d using (number)
          where n.number = $1`,
        [first],
      ),
    ).toEqual([{ gone: true, number: null }]);
    expect(await desk.rows(`select kind, subject from events where subject = $1`, [first])).toEqual([
      { kind: 'number.removed', subject: first },
    ]);
  });

  it('stays when the drain is taken back, and goes to the end of the order', async () => {
    const { pool, numbers, p } = await stock(2);
    const opened = await desk.open(pool, [agent(p('a'))]);
    expect(await remove(numbers[0], true)).toBe('draining');
    await desk.change(numbers[0] ?? '', { draining: false });
    if (opened) await desk.close(opened);
    expect(await outcome('select remove_idle_numbers(10) as outcome', [])).toBe(0);
    expect((await desk.open(pool, [agent(p('b'))]))?.people[0]?.number).toBe(numbers[1]);
  });

  it('is not overtaken by a session that is being opened', async () => {
    const { pool, numbers, p } = await stock(1);
    const { database } = desk.test;
    await desk.open(pool, [agent(p('warm'))]);
    let removal: Promise<unknown> | undefined;
    let done = false;
    await database.transaction(async (one) => {
      await one.query('', `select enter_number_gate('default')`, []);
      const [choice] = await one.query<{ readonly number: string }>(
        '',
        `select c.number from pools o, choose_number('default', o, $2, '{}', platform_now(), null, null, null, false) c
          where o.pool = $1`,
        [pool, [p('a')]],
      );
      expect(choice?.number).toBe(numbers[0]);
      removal = database
        .query('', `select update_number('default', $1, '{"draining": true}', 'key_1')`, [numbers[0]])
        .then(() => {
          done = true;
        });
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(done).toBe(false);
    });
    await removal;
    expect(done).toBe(true);
    expect(await desk.open(pool, [agent(p('b'))])).toBeUndefined();
  });
});

describe('a sick number', () => {
  it('is replaced in every live session, each participant, code and event', async () => {
    const { pool, numbers, p } = await stock(3, { cooldown: { agent: 500, '*': 900 } });
    const [sick] = numbers;
    const sessions: Opened[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const one = await desk.open(pool, [agent(p(`a${turn}`), p(`second${turn}`)), customer(p(`c${turn}`))], {
        pins: true,
        shared: turn % 2 === 1,
      });
      expect(one?.people.map((person) => person.number)).toEqual([sick, sick]);
      if (one) sessions.push(one);
    }
    const over = sessions.pop();
    if (over) await desk.close(over, { agent: 500 });
    expect(await quarantine('num_none')).toBe(false);
    expect(await quarantine(sick)).toBe(true);
    expect(await replaceAll(sick)).toEqual({ replaced: 4, kept: 0 });
    expect(
      await desk.rows('select session from bindings where number = $1 and released_at is null', [sick]),
    ).toEqual([]);
    const moved = await desk.rows<{ readonly number: string; readonly live: number; readonly pins: number }>(
      `select p.number, (select count(*)::integer from bindings b where b.session = p.session
            and b.participant = p.participant and b.number = p.number and b.released_at is null) as live,
          (select count(*)::integer from pins i where i.participant = p.participant and i.number = p.number) as pins
        from participants p where p.session = any ($1) order by p.session, p.position`,
      [sessions.map((one) => one.session)],
    );
    expect(moved).toEqual(
      sessions.flatMap(() => [
        { number: numbers[1], live: 2, pins: 1 },
        { number: numbers[1], live: 1, pins: 1 },
      ]),
    );
    const events = await desk.rows<{ readonly data: unknown }>(
      `select data from events where kind = 'number.replaced' and session = any ($1) order by event`,
      [sessions.map((one) => one.session)],
    );
    expect(events.map((one) => one.data)).toEqual(
      expect.arrayContaining(
        sessions.flatMap((one) =>
          one.people.map(({ participant }) => ({
            participant,
            from: sick,
            to: numbers[1],
            reason: 'spam',
          })),
        ),
      ),
    );
    expect(events.length).toBe(8);
    // What was released cools as after any session: by role.
    expect(
      await desk.rows(
        `select distinct p.role, extract(epoch from b.free_at - b.released_at)::integer as seconds
          from bindings b join participants p using (tenant, session, participant)
          where b.number = $1 and p.session = any ($2) order by p.role`,
        [sick, sessions.map((one) => one.session)],
      ),
    ).toEqual([
      { role: 'agent', seconds: 500 },
      { role: 'customer', seconds: 900 },
    ]);
    expect((await desk.open(pool, [agent(p('new'))]))?.people[0]?.number).toBe(numbers[1]);
  });

  it('stays with those for whom there is no other, or whose code means somebody else there', async () => {
    const { pool, numbers, p } = await stock(2);
    const [sick, other] = numbers;
    const opened: (Opened | undefined)[] = [];
    for (const name of ['full', 'code', 'fine']) {
      opened.push(await desk.open(pool, [customer(p(name))], { pins: true }));
    }
    await desk.open(pool, [customer(p('full'))]);
    await desk.rows(
      `select take_pin('default', $1, 'ses_other', 'par_other', array[i.digest], array[0::smallint], platform_now())
        from pins i where i.session = $2`,
      [other, opened[1]?.session],
    );
    await quarantine(sick);
    expect(await replaceAll(sick)).toEqual({ replaced: 1, kept: 2 });
    expect(
      await desk.rows('select number from participants where session = any ($1) order by session', [
        opened.map((one) => one?.session),
      ]),
    ).toEqual([{ number: sick }, { number: sick }, { number: other }]);
  });

  it('gives listings another reserved number, and people reached by app another display number', async () => {
    const { pool, numbers, p } = await stock(5);
    const [plain, listing, spare, display, second] = numbers as [string, string, string, string, string];
    for (const number of [listing, spare]) await desk.change(number, { use: 'reserved' });
    for (const number of [display, second]) await desk.change(number, { use: 'display' });
    const opened = await desk.open(pool, [{ parties: [p('a')], role: 'agent', app: true }, customer(p('c'))]);
    expect(opened?.people.map((one) => one.number)).toEqual([display, plain]);
    await desk.rows(
      `with n as (update numbers set open_session = $1 where number = $2)
        insert into participants (tenant, session, participant, position, role, number, transparency_digest, is_open)
          values ('default', $1, 'par_open', 3, 'buyer', $2, 'x', true)`,
      [opened?.session, listing],
    );
    await quarantine(listing);
    await quarantine(display);
    expect(await replaceAll(listing)).toEqual({ replaced: 1, kept: 0 });
    expect(await replaceAll(display)).toEqual({ replaced: 1, kept: 0 });
    expect(
      await desk.rows('select number from participants where session = $1 order by position', [
        opened?.session,
      ]),
    ).toEqual([{ number: second }, { number: plain }, { number: spare }]);
    expect(
      await desk.rows(
        'select number, open_session from numbers where pool = $1 and open_session is not null',
        [pool],
      ),
    ).toEqual([{ number: spare, open_session: opened?.session }]);
    expect(await replaceAll(listing)).toEqual({ replaced: 0, kept: 0 });
  });

  it('can be replaced while sessions open and close on every side', async () => {
    const { pool, numbers, p } = await stock(12);
    const [sick] = numbers;
    const people = Array.from({ length: 6 }, (_, index) => p(String(index)));
    let refused = 0;
    const busy = async (offset: number) => {
      for (let turn = 0; turn < 25; turn++) {
        const [one, other] = [people[(turn + offset) % 6], people[(turn * 5 + offset + 1) % 6]];
        if (one === undefined || other === undefined || one === other) continue;
        const opened = await desk.open(pool, [agent(one), customer(other)]);
        if (opened === undefined) refused++;
        else if (turn % 3 > 0) await desk.close(opened);
      }
    };
    const replace = async () => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await quarantine(sick);
      await replaceAll(sick);
      return replaceAll(sick);
    };
    const [, , , last] = await Promise.all([busy(0), busy(2), busy(4), replace()]);
    expect(last.replaced).toBe(0);
    const [row] = await desk.rows(
      `select count(*) filter (where number = $1)::integer as sick,
          count(*) filter (where not exists (select from participants p where p.session = b.session
            and p.participant = b.participant and p.number = b.number))::integer as astray
        from bindings b where released_at is null and party = any ($2)`,
      [sick, people],
    );
    expect(row).toEqual({ sick: last.kept, astray: 0 });
    // Most were opened, or the test would show nothing.
    expect(refused).toBeLessThan(40);
  }, 60_000);
});

describe('forecast', () => {
  const forecast = (pool: string) => desk.at((one) => poolQueries.forecastPool(one, 'default', pool));
  const sample = () => desk.at((one) => poolQueries.samplePools(one));
  const warnings = (pool: string) =>
    desk.rows(`select kind, data from events where subject = $1 and kind like 'pool.%' order by event`, [
      pool,
    ]);

  it('counts what the busiest party has live and cooling, and warns once a day before the pool is short', async () => {
    const { pool, numbers, p } = await stock(10);
    desk.now = 100 * day;
    await sample();
    const opened: Opened[] = [];
    const open = async (count: number) => {
      for (let turn = 0; turn < count; turn++) {
        const one = await desk.open(pool, [agent(p('a')), customer(p(`c${opened.length}`))]);
        if (one) opened.push(one);
      }
    };
    await open(7);
    const [first] = opened;
    if (first) await desk.close(first, { agent: 2 * day });
    desk.now += 600;
    expect(await sample()).toBeGreaterThan(0);
    // Not due again.
    expect(await sample()).toBe(0);
    expect(await forecast(pool)).toMatchObject({ needed: 7, numbers: 10, status: 'enough', short_at: null });
    expect(await warnings(pool)).toEqual([]);
    await open(2);
    for (let turn = 0; turn < 3; turn++) {
      desk.now += 600;
      await sample();
    }
    const low = { pool, needed: 9, numbers: 10, headroom: 1 };
    expect(await warnings(pool)).toEqual([{ kind: 'pool.low', data: low }]);
    await desk.change(numbers[9] ?? '', { draining: true });
    desk.now += 600;
    await sample();
    expect(await forecast(pool)).toMatchObject({ needed: 9, numbers: 9, status: 'short' });
    expect((await warnings(pool)).map((row) => (row as { kind: string }).kind)).toEqual([
      'pool.low',
      'pool.short',
    ]);
    desk.now += day;
    await sample();
    expect(await warnings(pool)).toHaveLength(3);
    // Its cooling over, the number is free again.
    desk.now += 2 * day;
    expect(await forecast(pool)).toMatchObject({ needed: 8 });
  });

  it('draws a line through two weeks and says when it meets the numbers', async () => {
    const { pool, p } = await stock(40);
    desk.now = 200 * day;
    for (let today = 0; today < 10; today++) {
      for (let turn = 0; turn < 3; turn++) await desk.open(pool, [agent(p('a'))]);
      await sample();
      desk.now += day;
    }
    const row = await forecast(pool);
    // 30 needed after ten days, none came today: 3 a day on the whole, a little less on this last day.
    expect(row).toMatchObject({ needed: 30, numbers: 40, status: 'low' });
    expect(row?.trend).toBeGreaterThan(2.4);
    expect(row?.trend).toBeLessThanOrEqual(3);
    const days = ((row?.short_at?.getTime() ?? 0) - Date.UTC(2026, 0, 5)) / 1_000 / day - 210;
    expect(days).toBeCloseTo(10 / (row?.trend ?? 1), 3);
    // From the day on which fewer than seven were left: one a day, all with the same end in sight.
    const told = (await warnings(pool)) as readonly {
      kind: string;
      data: { needed: number; shortAt: string };
    }[];
    expect(told.map((one) => one.data.needed)).toEqual([21, 24, 27, 30]);
    expect(new Set(told.map((one) => `${one.kind} ${one.data.shortAt}`)).size).toBe(1);
    expect(await desk.at((one) => poolQueries.forecastPool(one, 'default', 'none'))).toBeUndefined();
  });
});

describe('the heart', () => {
  let heart: TestMasking;
  let masking: Masking;
  beforeAll(async () => {
    heart = await testMasking();
    masking = { ...heart.masking, ...createNumbers({ ...heart, database: heart.test.database }) };
  });
  afterAll(() => heart.close());

  it('adds numbers with an area, North American ones with theirs, and changes everything about them', async () => {
    const made = { name: 'trunk', kind: 'sip', host: '192.0.2.1', transport: 'udp' } as const;
    const carrier = (await masking.createCarrier('default', made)).id;
    const add = { pool: 'p', carrier, capabilities: ['voice'] };
    const { numbers } = await masking.addNumbers('default', {
      ...add,
      numbers: ['+12125550123', '+622150000001'],
    });
    expect(numbers).toMatchObject([{ area: '212', use: 'pool', draining: false }, { country: 'ID' }]);
    expect(numbers[1]).not.toHaveProperty('area');
    const given = await masking.addNumbers('default', { ...add, numbers: ['+622150000002'], area: '21' });
    expect(given.numbers[0]).toMatchObject({ area: '21' });
    const [, , third] = (await masking.listNumbers('default', { pool: 'p' }, { limit: 10 })).items;
    const id = third?.id ?? '';
    const quarantinedUntil = new Date(Date.UTC(2200, 0, 1));
    expect(
      await masking.updateNumber('default', id, {
        use: 'reserved',
        draining: true,
        quarantinedUntil,
        area: '22',
      }),
    ).toMatchObject({ use: 'reserved', draining: true, quarantinedUntil, area: '22', enabled: true });
    const back = await masking.updateNumber('default', id, { quarantinedUntil: null, area: null });
    expect(back).not.toHaveProperty('quarantinedUntil');
    expect(back).not.toHaveProperty('area');
    // A quarantine until yesterday is none.
    expect(await masking.updateNumber('default', id, { quarantinedUntil: new Date(0) })).not.toHaveProperty(
      'quarantinedUntil',
    );
    for (const [change, pointer] of [
      [{ area: '' }, '/area'],
      [{ area: '123456789' }, '/area'],
      [{ area: '2a' }, '/area'],
      [{ use: 'all' as 'pool' }, '/use'],
      [{ quarantinedUntil: new Date(Number.NaN) }, '/quarantinedUntil'],
      [{ capabilities: [] }, '/capabilities'],
    ] as const) {
      await expect(masking.updateNumber('default', id, change)).rejects.toMatchObject({
        code: 'invalid',
        pointer,
      });
    }
    expect(await masking.deleteNumber('default', id, { drain: true })).toBe('deleted');
    await expect(masking.deleteNumber('default', id)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('sets how a pool chooses, and takes nothing that it does not know', async () => {
    expect(
      await masking.updatePool('default', 'p', { match: 'prefer-area', spread: true, loadLimit: 5 }),
    ).toEqual({
      name: 'p',
      numbers: 2,
      enabled: 2,
      cooldown: {},
      exhaustion: 'refuse',
      match: 'prefer-area',
      spread: true,
      loadLimit: 5,
    });
    const plain = await masking.updatePool('default', 'p', { loadLimit: null, exhaustion: 'pin' });
    expect(plain).toMatchObject({ exhaustion: 'pin', match: 'prefer-area' });
    expect(plain).not.toHaveProperty('loadLimit');
    for (const [change, pointer] of [
      [{ loadLimit: 0 }, '/loadLimit'],
      [{ loadLimit: 1.5 }, '/loadLimit'],
      [{ match: 'near' as 'any' }, '/match'],
      [{ exhaustion: 'panic' as 'pin' }, '/exhaustion'],
      [{ cooldown: { Agent: 1 } }, '/cooldown'],
    ] as const) {
      await expect(masking.updatePool('default', 'p', change)).rejects.toMatchObject({ pointer });
    }
    await expect(masking.updatePool('default', 'none', { spread: true })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await masking.poolForecast('default', 'p')).toMatchObject({
      pool: 'p',
      needed: 0,
      numbers: 2,
      headroom: 2,
      trendPerDay: 0,
      status: 'enough',
    });
    await expect(masking.poolForecast('default', 'none')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('knows the areas of a pool for ten seconds, and where a phone is among them', async () => {
    const context = { database: heart.test.database, doors: heart.doors };
    const areas = await areasOfPool(context, 'default', 'p');
    expect([...areas]).toEqual(['US212']);
    expect(await areasOfPool(context, 'default', 'p')).toBe(areas);
    await masking.updatePool('default', 'p', { match: 'country' });
    const clock = { ...heart.doors.clock, monotonic: () => heart.doors.clock.monotonic() + 10_001 };
    expect((await areasOfPool({ ...context, doors: { ...heart.doors, clock } }, 'default', 'p')).size).toBe(
      0,
    );
    const known = new Set(['US212', 'ID2', 'ID21', 'CA416']);
    expect(placeOf('+12125550123', known)).toEqual({ country: 'US', area: '212' });
    expect(placeOf('+14165550123', known)).toEqual({ country: 'CA', area: '416' });
    expect(placeOf('+622150000001', known)).toEqual({ country: 'ID', area: '21' });
    expect(placeOf('+622250000001', known)).toEqual({ country: 'ID', area: '2' });
    expect(placeOf('+628111234567', known)).toEqual({ country: 'ID', area: undefined });
    expect(placeOf('nothing', known)).toEqual({ country: undefined, area: undefined });
  });

  it('replaces through the heart, with words for reasons only', async () => {
    const [number] = (await masking.listNumbers('default', { pool: 'p' }, { limit: 1 })).items;
    const id = number?.id ?? '';
    expect(
      await masking.replaceNumber('default', id, { reason: 'spam label', quarantineSeconds: 60 }),
    ).toEqual({
      replaced: 0,
      kept: 0,
    });
    expect((await masking.getNumber('default', id)).quarantinedUntil?.getTime()).toBeGreaterThan(
      heart.doors.clock.now(),
    );
    await expect(masking.replaceNumber('default', id, { reason: '+6281100000001' })).rejects.toMatchObject({
      pointer: '/reason',
    });
    await expect(
      masking.replaceNumber('default', id, { reason: 'x', quarantineSeconds: 0 }),
    ).rejects.toMatchObject({ pointer: '/quarantineSeconds' });
    await expect(masking.replaceNumber('default', 'num_none', { reason: 'x' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
