/**
 * What choosing and binding numbers costs: one round trip that chooses a number for an agent and one for a customer and
 * binds both, on a pool of 5,000 numbers with 1,000,000 past bindings (200 agents, each has seen all but ten of the
 * numbers or all of them), on a server that waits for the disk. Beside the time that passed stands the CPU time that the
 * server spent on it (Linux), which says the same on a busy machine. Then the sample of what the pool needs.
 *
 *   npx node bench/number-choice.ts [openings per case, default 500]
 *
 * A cluster of its own is made in the temporary directory and removed at the end.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenDatabase, openDatabase } from '../packages/server/src/store/index.ts';

const openings = Number(process.argv[2] ?? 500);
const numbers = 5_000;
const agents = 200;
/** Agents 0 to 99 have never seen the last ten. */
const seenByMost = 4_990;

interface Case {
  readonly name: string;
  readonly agent: (turn: number) => string;
  readonly pool?: Readonly<Record<string, unknown>>;
  readonly shared?: boolean;
}
const plain = { exhaustion: 'refuse', match: 'any', spread: false, loadLimit: null };
const cases: readonly Case[] = [
  { name: 'new people', agent: (turn) => `new_${turn}` },
  { name: 'new people, spread', agent: (turn) => `new_s${turn}`, pool: { spread: true } },
  { name: 'new people, area', agent: (turn) => `new_m${turn}`, pool: { match: 'area' } },
  {
    name: 'new people, spread, prefer-area',
    agent: (turn) => `new_n${turn}`,
    pool: { spread: true, match: 'prefer-area' },
  },
  { name: 'new people, load limit 20', agent: (turn) => `new_l${turn}`, pool: { loadLimit: 20 } },
  { name: 'agents with 10 of 5,000 unseen', agent: (turn) => `deep_${turn % 100}` },
  { name: 'the same, spread', agent: (turn) => `deep_${turn % 100}`, pool: { spread: true } },
  { name: 'the same, prefer-area', agent: (turn) => `deep_${turn % 100}`, pool: { match: 'prefer-area' } },
  { name: 'agents who have seen all', agent: (turn) => `deep_${100 + (turn % 100)}` },
  {
    name: 'the same, prefer-area',
    agent: (turn) => `deep_${100 + (turn % 100)}`,
    pool: { match: 'prefer-area' },
  },
  { name: 'the same, shared number', agent: (turn) => `deep_${100 + (turn % 100)}`, shared: true },
];

const directory = mkdtempSync(join(tmpdir(), 'samar-bench-'));
try {
  const database = await openDatabase({ dataDir: directory, maxConnections: 1 });
  try {
    await run(database);
  } finally {
    await database.close();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function run(database: OpenDatabase): Promise<void> {
  await fill(database);
  console.log(
    `PostgreSQL ${database.embedded?.version}, fsync on, ${openings} openings a case, one at a time`,
  );
  console.log(`${'case'.padEnd(36)}  p50 ms   p99 ms   CPU: first      p50      p99    worst`);
  for (const one of cases) await measure(database, one);
  await sample(database);
}

async function fill(database: OpenDatabase): Promise<void> {
  const run = (text: string, values: readonly unknown[] = []) => database.query('', text, values);
  await run(`insert into carriers (tenant, carrier, name, kind, host, transport, allowed_sources)
    values ('default', 'car_1', 'bench', 'sip', '192.0.2.1', 'udp', '{}')`);
  await run(`insert into pools (tenant, pool) values ('default', 'deep')`);
  await run(
    `insert into numbers (tenant, number, e164, pool, carrier, country, area)
      select 'default', 'num_' || lpad(to_hex(i), 32, '0'), '+6221' || (5000000 + i), 'deep', 'car_1',
          case when i % 10 = 0 then 'SG' else 'ID' end, case when i % 10 > 0 then (20 + i % 9)::text end
        from generate_series(1, $1::integer) i`,
    [numbers],
  );
  for (let from = 0; from < agents; from += 10) {
    await run(
      `insert into bindings (tenant, party, number, session, participant, bound_at, released_at, free_at)
        select 'default', 'deep_' || i, n.number, 'ses_past', 'par_past', t.at, t.at, t.at
          from generate_series($1::integer, $1 + 9) i
          cross join (select number, ordinal, row_number() over (order by ordinal) as rank
            from numbers where pool = 'deep') n
          cross join lateral (select now() - interval '1 second'
            * (1 + (hashtext(i || n.number) & 2147483647) % 1000003) as at) t
          where n.rank <= case when i < 100 then $2::integer else $3::integer end`,
      [from, seenByMost, numbers],
    );
  }
  await run(`create function bench_open(p_turn text, p_agent text, p_customer text, p_shared boolean) returns integer
    language plpgsql as $$
    declare
      v_pool pools%rowtype;
      a record;
      c record;
    begin
      select o.* into v_pool from pools o where o.tenant = 'default' and o.pool = 'deep';
      if p_shared then
        a := choose_number('default', v_pool, array[p_agent, p_customer], '{}', platform_now(), 'ID', '21', null, true);
        c := a;
      else
        a := choose_number('default', v_pool, array[p_agent], array[p_customer], platform_now(), 'ID', '21', null, true);
        c := choose_number('default', v_pool, array[p_customer], array[p_agent], platform_now(), 'ID', '21', null, true);
      end if;
      return bind_numbers('default', 'ses_' || p_turn, array[p_agent, p_customer], array['par_1', 'par_2'],
        array[a.number, c.number], array[a.how, c.how], platform_now());
    end $$`);
  await run('vacuum analyze');
}

/** Milliseconds that the server has worked for our connection so far. */
function worked(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

async function backend(database: OpenDatabase): Promise<number> {
  const [row] = await database.query<{ readonly pid: number }>('', 'select pg_backend_pid() as pid', []);
  return row?.pid ?? 0;
}

async function measure(database: OpenDatabase, one: Case): Promise<void> {
  await database.query('', `select update_pool('default', 'deep', $1::jsonb, 'bench')`, [
    JSON.stringify({ ...plain, ...one.pool }),
  ]);
  const pid = await backend(database);
  const times: number[] = [];
  const work: number[] = [];
  for (let turn = 0; turn < openings; turn++) {
    const session = `${one.name} ${turn}`;
    const start = performance.now();
    const before = worked(pid);
    const [row] = await database.query<{ readonly bound: number }>(
      'bench_open',
      'select bench_open($1, $2, $3, $4) as bound',
      [session, one.agent(turn), `customer ${session}`, one.shared === true],
    );
    times.push(performance.now() - start);
    work.push(worked(pid) - before);
    if (row?.bound !== 2) throw new Error(`${session}: ${row?.bound} bound`);
    await database.query(
      'bench_close',
      'update bindings set released_at = now(), free_at = now() where tenant = $1 and party = any ($2) and session = $3',
      ['default', [one.agent(turn), `customer ${session}`], `ses_${session}`],
    );
  }
  const [first] = work;
  const at = (sorted: readonly number[], share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const sort = (values: readonly number[]) => [...values].sort((a, b) => a - b);
  const [passed, spent] = [sort(times), sort(work)];
  const columns = [at(passed, 0.5), at(passed, 0.99), first, at(spent, 0.5), at(spent, 0.99), at(spent, 1)];
  console.log(one.name.padEnd(36) + columns.map((value) => (value ?? 0).toFixed(2).padStart(9)).join(''));
}

async function sample(database: OpenDatabase): Promise<void> {
  for (let agent = 0; agent < agents; agent += 20) {
    await database.query(
      '',
      `update bindings set free_at = now() + interval '1 day'
        where tenant = 'default' and party = any ($1) and hashtext(number) % 3 = 0`,
      [Array.from({ length: 20 }, (_, index) => `deep_${agent + index}`)],
    );
  }
  const pid = await backend(database);
  const work: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    await database.query('', 'delete from pool_samples', []);
    const before = worked(pid);
    await database.query('', 'select sample_pools(1000)', []);
    work.push(worked(pid) - before);
  }
  const [row] = await database.query<{ readonly needed: number }>('', 'select needed from pool_samples', []);
  work.sort((a, b) => a - b);
  console.log(
    `sample_pools, a third of the bindings cooling: ${work[2]?.toFixed(0)} ms CPU (needed ${row?.needed})`,
  );
}
