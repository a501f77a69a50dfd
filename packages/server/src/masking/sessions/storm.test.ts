/**
 * Three hearts on one database, and everything at once: the laws hold at every moment, nobody waits in a circle, and
 * whoever is refused hears why in words. STORM_SECONDS and STORM_SEED make it longer, or again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenDatabase, openDatabase } from '../../store/database.ts';
import { sealLedger } from '../../store/queries/ledger.ts';
import { createMasking } from '../masking.ts';
import { type TestMasking, testMasking } from '../testing.ts';
import { pools, type Storm, seededRandom, storm } from './storm.testing.ts';

const seconds = Number(process.env['STORM_SECONDS'] ?? 12);
const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000);
const clients = 32;

const live = `(s.after_until > platform_now()
  or (s.status = 'open' and least(s.expires_at, s.idle_expires_at) > platform_now()))`;

/** At every moment: a number means one session to a party, or the pool's way of telling several apart. */
const always: Readonly<Record<string, string>> = {
  'law 1: live twice on a number, neither of them by choice': `select b.party, b.number from bindings b
    where b.released_at is null group by b.party, b.number having count(*) filter (where not b.shared) > 1`,
  'a live binding of a session that is over': `select b.session from bindings b
    join sessions s on s.tenant = b.tenant and s.session = b.session
    where b.released_at is null and s.status <> 'open' and s.after_until is null`,
  'a live binding of somebody who left': `select b.session from bindings b
    join participants p on p.tenant = b.tenant and p.session = b.session and p.participant = b.participant
    where b.released_at is null and (p.left_at is not null or p.number <> b.number)`,
  'somebody in a live session without a binding': `select p.participant from participants p
    join sessions s on s.tenant = p.tenant and s.session = p.session
    join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
    where ${live} and p.left_at is null and not p.is_open and not exists (select from bindings b
      where b.tenant = p.tenant and b.party = h.party and b.number = p.number and b.session = p.session
        and b.participant = p.participant and b.released_at is null)`,
  'one number, two listings': `select p.number from participants p
    join sessions s on s.tenant = p.tenant and s.session = p.session
    where s.status = 'open' and p.is_open and p.left_at is null group by p.number having count(*) > 1`,
  'a number kept by a listing that is over': `select n.number from numbers n
    where n.open_session is not null and not exists (select from participants p
      join sessions s on s.tenant = p.tenant and s.session = p.session
      where p.tenant = n.tenant and p.session = n.open_session and p.number = n.number and p.is_open
        and p.left_at is null and s.status = 'open')`,
  'a listing without its number': `select p.number from participants p
    join sessions s on s.tenant = p.tenant and s.session = p.session
    join numbers n on n.tenant = p.tenant and n.number = p.number
    where s.status = 'open' and p.is_open and p.left_at is null and n.open_session is distinct from s.session`,
  'a code of somebody who is gone': `select k.session from pins k
    left join sessions s on s.tenant = k.tenant and s.session = k.session
    left join participants p on p.tenant = k.tenant and p.session = k.session and p.participant = k.participant
    where k.kind = 'session' and (p.participant is null or p.left_at is not null or p.number <> k.number
      or (s.status <> 'open' and s.after_until is null))`,
  'somebody in a live session whose code is gone': `select p.participant from participants p
    join sessions s on s.tenant = p.tenant and s.session = p.session
    where ${live} and p.left_at is null and p.pin_index is not null and not exists (select from pins k
      where k.tenant = p.tenant and k.session = p.session and k.participant = p.participant
        and k.number = p.number and k.kind = 'session')`,
  'a shared number in two': `select p.session from participants p
    join sessions s on s.tenant = p.tenant and s.session = p.session
    where ${live} and s.shared_number and p.left_at is null and p.reach = 'number' and not p.is_open
    group by p.session having count(distinct p.number) > 1`,
  'a key of nobody': `select k.party from party_keys k
    where not exists (select from parties y where y.tenant = k.tenant and y.party = k.party)
      or (not exists (select from parties y where y.tenant = k.tenant and y.phone_key = k.party_key)
        and not exists (select from participants p where p.tenant = k.tenant and p.name_key = k.party_key))`,
  'a party without its key': `select y.party from parties y
    where not exists (select from party_keys k where k.tenant = y.tenant and k.party = y.party
      and k.party_key = y.phone_key)`,
  'a party of a refused session': `select y.party from parties y
    where not exists (select from participant_phones h where h.tenant = y.tenant and h.party = y.party)
      and not exists (select from blocks b where b.tenant = y.tenant and y.party in (b.party, b.counterpart))`,
  'a note of nobody': `select w.party from party_pools w
    where not exists (select from parties y where y.tenant = w.tenant and y.party = w.party)`,
  'an idempotency key of a refused session': `select k.session from idempotency_keys k
    where k.session is not null and not exists (select from sessions s
      where s.tenant = k.tenant and s.session = k.session)`,
};

describe('a storm', () => {
  let heart: TestMasking;
  let databases: readonly OpenDatabase[] = [];
  let given: Storm;
  beforeAll(async () => {
    heart = await testMasking();
    const { test, vault, doors } = heart;
    databases = await Promise.all(
      [0, 1, 2].map(() => openDatabase({ url: test.url, migrations: false, maxConnections: 11 })),
    );
    let carrier = '';
    for (const [index, pool] of pools.entries()) {
      const stocked = await heart.stock({
        count: 12,
        first: 1 + index * 100,
        pool,
        cooldown: { '*': 1 },
        exhaustion: pool,
      });
      carrier = stocked.carrier;
    }
    const { items } = await heart.masking.listNumbers('default', {}, { limit: 200 });
    const numbers = items.map(({ id, number: e164, pool }) => ({ id, e164, pool }));
    for (const [index, one] of numbers.entries()) {
      const use = ({ 0: 'display', 1: 'reserved', 2: 'reserved' } as const)[index % 12];
      if (use !== undefined) await heart.masking.updateNumber('default', one.id, { use });
    }
    const [one, two, three] = databases.map((database) => createMasking({ database, vault, doors }));
    if (one === undefined || two === undefined || three === undefined) throw new Error('no hearts');
    const { database } = test;
    given = { hearts: [one, two, three], database, doors, carrier, numbers, random: seededRandom(seed) };
  });
  afterAll(async () => {
    await Promise.all(databases.map((one) => one.close()));
    await heart.close();
  });

  async function broken(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const [what, text] of Object.entries(always)) {
      const rows = await heart.test.database.query('', text, []);
      if (rows.length > 0) found.push(`${what}: ${JSON.stringify(rows[0])} (${rows.length})`);
    }
    return found;
  }

  it(
    `breaks nothing (seed ${seed})`,
    async () => {
      const { clock } = heart.doors;
      const until = clock.monotonic() + seconds * 1_000;
      const seen = new Set<string>();
      const watch = async () => {
        while (clock.monotonic() < until) {
          for (const one of await broken()) seen.add(one);
          await heart.test.database.query('', 'select pg_sleep(0.2)', []);
        }
      };
      const [{ done, wrong }] = await Promise.all([storm(given, clients, until), watch()]);
      if (process.env['STORM_SECONDS'] !== undefined) console.info(Object.fromEntries(done));
      expect(Object.fromEntries(wrong)).toEqual({});
      expect([...seen]).toEqual([]);
      expect(await broken()).toEqual([]);
      const [statistics] = await heart.test.database.query<{ readonly deadlocks: number }>(
        '',
        'select deadlocks::integer from pg_stat_database where datname = current_database()',
        [],
      );
      expect(statistics).toEqual({ deadlocks: 0 });
      expect(done.get('open') ?? 0).toBeGreaterThan(20);
    },
    seconds * 1_000 + 60_000,
  );

  it('leaves nothing behind once all is closed', async () => {
    const { database } = heart.test;
    const open = await database.query<{ readonly session: string }>(
      '',
      `select s.session from sessions s where s.status = 'open' or s.after_until is not null order by s.session`,
      [],
    );
    for (const { session } of open) {
      await given.hearts[0].closeSession('default', session, { reason: 'over', afterClose: false });
    }
    expect(await broken()).toEqual([]);
    expect(
      await database.query(
        '',
        `select (select count(*)::integer from bindings where released_at is null) as bindings,
          (select count(*)::integer from pins where kind = 'session') as pins,
          (select count(*)::integer from numbers where open_session is not null) as listings`,
        [],
      ),
    ).toEqual([{ bindings: 0, pins: 0, listings: 0 }]);
    await sealLedger(database);
  });
});
