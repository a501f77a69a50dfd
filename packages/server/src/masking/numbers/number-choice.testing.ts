/**
 * Numbers and sessions straight in the database, on a clock that the test sets: what a session's opening, its end and
 * its passing of time do to numbers, without the rest of it. Locks are taken in the platform's order.
 */

import { type TestDatabase, testDatabase } from '../../store/testing.ts';
import type { Queries } from '../../store/types.ts';

export type How = 'new' | 'seen' | 'sticky' | 'exact' | 'cooling' | 'shared' | 'pin' | 'display';

export interface PoolSetting {
  readonly exhaustion?: 'refuse' | 'reuse-oldest' | 'disambiguate' | 'pin';
  readonly match?: 'any' | 'prefer-country' | 'country' | 'prefer-area' | 'area';
  readonly spread?: boolean;
  readonly loadLimit?: number | null;
  readonly cooldown?: Readonly<Record<string, number>>;
}
export interface Person {
  readonly parties: readonly string[];
  readonly role?: string;
  readonly country?: string;
  readonly area?: string;
  readonly exact?: string;
  readonly app?: boolean;
}
export interface Opened {
  readonly session: string;
  readonly people: readonly {
    readonly participant: string;
    readonly parties: readonly string[];
    readonly number: string;
    readonly how: How;
  }[];
}

const epoch = Date.UTC(2026, 0, 5);

export interface Desk {
  readonly test: TestDatabase;
  /** Seconds since the beginning, as the database sees it in `at`. */
  now: number;
  /** Runs `work` in one transaction on the desk's clock. */
  at<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  rows<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  pool(name: string, setting?: PoolSetting): Promise<void>;
  /** Ids in the order of the pool. */
  numbers(
    pool: string,
    count: number,
    places?: readonly { readonly country?: string; readonly area?: string }[],
  ): Promise<readonly string[]>;
  /** Undefined: no number for one of them, and nothing is kept. */
  open(
    pool: string,
    people: readonly Person[],
    how?: { readonly sticky?: boolean; readonly shared?: boolean; readonly pins?: boolean },
  ): Promise<Opened | undefined>;
  /** Its numbers start cooling: `seconds` by role, default 0. */
  close(opened: Opened, cooldown?: Readonly<Record<string, number>>): Promise<void>;
  change(number: string, change: Readonly<Record<string, unknown>>): Promise<void>;
  end(): Promise<void>;
}

export async function createDesk(): Promise<Desk> {
  const test = await testDatabase();
  const { database } = test;
  let made = 0;
  const id = (prefix: string) => `${prefix}_${String(++made).padStart(32, '0')}`;
  await database.query(
    '',
    `insert into carriers (tenant, carrier, name, kind, host, transport, allowed_sources)
      values ('default', 'car_1', 'trunk', 'sip', '192.0.2.1', 'udp', '{}')`,
    [],
  );

  const desk: Desk = {
    test,
    now: 0,
    at: (work) =>
      database.transaction(async (queries) => {
        await queries.query('', `select set_config('samar.now', $1, true)`, [
          new Date(epoch + desk.now * 1_000).toISOString(),
        ]);
        return work(queries);
      }),
    rows: (text, values = []) => desk.at((queries) => queries.query('', text, values)),
    async pool(name, setting = {}) {
      await database.query(
        '',
        `insert into pools (tenant, pool) values ('default', $1) on conflict do nothing`,
        [name],
      );
      await desk.rows(`select update_pool('default', $1, $2::jsonb, 'key_1')`, [
        name,
        JSON.stringify(setting),
      ]);
    },
    async numbers(pool, count, places = [{}]) {
      const all = Array.from({ length: count }, (_, index) => ({
        number: id('num'),
        e164: `+6221${String(5_000_000 + made)}`,
        ...places[index % places.length],
      }));
      await database.query(
        '',
        `select * from add_numbers('default', $1, 'car_1', '{voice}', $2, $3, $4, $5,
          array(select sha256(x::bytea) from unnest($3::text[]) x), 'key_1')`,
        [
          pool,
          all.map((one) => one.number),
          all.map((one) => one.e164),
          all.map((one) => one.country ?? 'ID'),
          all.map((one) => one.area ?? null),
        ],
      );
      return all.map((one) => one.number);
    },
    open: (pool, people, how = {}) => desk.at((queries) => open(queries, id, pool, people, how)),
    async close(opened, cooldown = {}) {
      await desk.at(async (queries) => {
        await queries.query(
          '',
          `with ended as (
              update sessions set status = 'closed', closed_at = platform_now()
                where tenant = 'default' and session = $1 and status = 'open' returning session)
            update bindings b set released_at = platform_now(),
                free_at = platform_now() + make_interval(secs => coalesce(($2::jsonb ->> p.role)::double precision, 0))
              from participants p, ended e
              where p.tenant = 'default' and p.session = e.session and b.tenant = 'default'
                and b.session = p.session and b.participant = p.participant and b.released_at is null`,
          [opened.session, JSON.stringify(cooldown)],
        );
        await queries.query('', `delete from pins where tenant = 'default' and session = $1`, [
          opened.session,
        ]);
      });
    },
    async change(number, change) {
      await desk.rows(`select update_number('default', $1, $2::jsonb, 'key_1')`, [
        number,
        JSON.stringify(change),
      ]);
    },
    end: () => test.drop(),
  };
  return desk;
}

async function open(
  queries: Queries,
  id: (prefix: string) => string,
  pool: string,
  people: readonly Person[],
  how: { readonly sticky?: boolean; readonly shared?: boolean; readonly pins?: boolean },
): Promise<Opened | undefined> {
  const everybody = people.flatMap((one) => one.parties);
  await queries.query(
    '',
    `insert into parties (tenant, party, fingerprint, country)
      select 'default', x, sha256(x::bytea), 'ID' from unnest($1::text[]) x order by sha256(x::bytea)
      on conflict do nothing`,
    [everybody],
  );
  await queries.query(
    '',
    `select from parties where tenant = 'default' and party = any ($1) order by fingerprint for no key update`,
    [everybody],
  );
  const session = id('ses');
  const seated: {
    participant: string;
    parties: readonly string[];
    number: string;
    how: How;
    role: string;
    app: boolean;
  }[] = [];
  for (const one of people) {
    const first = seated[0];
    const choice =
      how.shared === true && first !== undefined
        ? { number: first.number, how: first.how }
        : await choose(queries, pool, one, everybody, how);
    if (choice === undefined) return undefined;
    seated.push({
      participant: id('par'),
      parties: one.parties,
      role: one.role ?? 'customer',
      app: one.app === true,
      ...choice,
    });
  }
  await queries.query(
    '',
    `with s as (
        insert into sessions (tenant, session, pool, shared_number, created_at, expires_at)
          values ('default', $1, $2, $3, platform_now(), platform_now() + interval '100 days')
      ), p as (
        insert into participants (tenant, session, participant, position, role, number, transparency_digest, reach)
          select 'default', $1, x.participant, x.position, x.role, x.number, sha256(x.participant::bytea),
              case when x.app then 'app' else 'number' end
            from unnest($4::text[], $5::text[], $6::text[], $7::boolean[]) with ordinality
              x(participant, role, number, app, position)
      )
      insert into participant_phones (tenant, session, participant, position, party)
        select 'default', $1, x.participant, x.position, x.party
          from unnest($8::text[], $9::integer[], $10::text[]) x(participant, position, party)`,
    [
      session,
      pool,
      how.shared === true,
      seated.map((one) => one.participant),
      seated.map((one) => one.role),
      seated.map((one) => one.number),
      seated.map((one) => one.app),
      seated.flatMap((one) => one.parties.map(() => one.participant)),
      seated.flatMap((one) => one.parties.map((_, index) => index + 1)),
      seated.flatMap((one) => one.parties),
    ],
  );
  const [bound] = await queries.query<{ readonly bound: number }>(
    '',
    `select bind_numbers('default', $1, $2, $3, $4, $5, platform_now()) as bound`,
    [
      session,
      seated.flatMap((one) => one.parties),
      seated.flatMap((one) => one.parties.map(() => one.participant)),
      seated.flatMap((one) => one.parties.map(() => one.number)),
      seated.flatMap((one) => one.parties.map(() => one.how)),
    ],
  );
  if (bound?.bound !== everybody.length) throw new Error('a binding was taken in spite of the locks');
  if (how.pins === true) {
    await queries.query(
      '',
      `select take_pin('default', x.number, $1, x.participant, array[sha256(x.participant::bytea)], array[0::smallint],
          platform_now())
        from unnest($2::text[], $3::text[]) x(number, participant)`,
      [session, seated.map((one) => one.number), seated.map((one) => one.participant)],
    );
  }
  return { session, people: seated };
}

async function choose(
  queries: Queries,
  pool: string,
  person: Person,
  everybody: readonly string[],
  how: { readonly sticky?: boolean; readonly shared?: boolean },
): Promise<{ readonly number: string; readonly how: How } | undefined> {
  if (person.app === true) {
    const [row] = await queries.query<{ readonly number: string | null }>(
      '',
      `select choose_display_number('default', $1) as number`,
      [pool],
    );
    return row?.number == null ? undefined : { number: row.number, how: 'display' };
  }
  const mine = how.shared === true ? everybody : person.parties;
  await queries.query('', `select enter_number_gate('default')`, []);
  const [row] = await queries.query<{ readonly number: string | null; readonly how: How }>(
    '',
    `select c.number, c.how from pools o, choose_number('default', o, $2, $3, platform_now(), $4, $5, $6, $7) c
      where o.tenant = 'default' and o.pool = $1`,
    [
      pool,
      mine,
      everybody.filter((party) => !mine.includes(party)),
      person.country ?? 'ID',
      person.area ?? null,
      person.exact ?? null,
      how.sticky === true,
    ],
  );
  return row?.number == null ? undefined : { number: row.number, how: row.how };
}
