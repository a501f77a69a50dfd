/**
 * Session creations a second: the heart (vault, phone numbers, one round trip) beside `pgbench` with the same function
 * on the same server, in one run, with 1 and with 32 clients, on a server that waits for the disk. Three states:
 *
 *   fresh   200 numbers, people who were never seen
 *   wide    5,000 numbers, 1,000,000 past bindings: 20,000 parties that have seen 50 numbers each
 *   deep    5,000 numbers, 1,000,000 past bindings: 200 parties that have seen every number
 *
 * Then decisions: 500 calls a second between the people of the sessions just opened, each found, decrypted and durably
 * recorded; the time is what a caller waits.
 *
 *   npx node bench/sessions-sql.ts [seconds per round, default 5]
 *
 * Needs pgbench. A cluster of its own is made in the temporary directory and removed at the end.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeDoors } from '@samar/doors';
import { newId } from '../packages/server/src/masking/ids.ts';
import { createMasking } from '../packages/server/src/masking/index.ts';
import type { Masking } from '../packages/server/src/masking/service.ts';
import type { CallMasking } from '../packages/server/src/masking/types.ts';
import { type OpenDatabase, openDatabase } from '../packages/server/src/store/index.ts';
import { createVault, type TenantVault } from '../packages/server/src/vault/index.ts';

const seconds = Number(process.argv[2] ?? 5);
const clientCounts = [1, 32];
const callsASecond = 500;
let newcomer = 0;
/** Who can call whom through which number, of the last sessions opened. */
let callers: { readonly phone: string; readonly dial: string }[] = [];

interface State {
  readonly pool: string;
  readonly numbers: number;
  /** Half of them are ours, half are pgbench's. 0: new people all the time. */
  readonly parties: number;
  readonly seen: number;
}
const states: readonly State[] = [
  { pool: 'fresh', numbers: 200, parties: 0, seen: 0 },
  { pool: 'wide', numbers: 5_000, parties: 20_000, seen: 50 },
  { pool: 'deep', numbers: 5_000, parties: 200, seen: 5_000 },
];

// Said now rather than after a minute of filling.
execFileSync('pgbench', ['--version']);

const directory = mkdtempSync(join(tmpdir(), 'samar-bench-'));
try {
  const database = await openDatabase({ dataDir: directory, maxConnections: 32 });
  try {
    await run(database);
  } finally {
    await database.close();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function run(database: OpenDatabase): Promise<void> {
  const doors = nodeDoors();
  const vault = await createVault({ database, masterKey: undefined, dataDir: directory });
  const masking = createMasking({ database, vault, doors });
  const keys = await vault.unlock('default');
  const host = { kind: 'sip', host: '192.0.2.1', transport: 'udp' } as const;
  const carrier = await masking.createCarrier('default', { name: 'bench', ...host });
  console.log(
    `PostgreSQL ${database.embedded?.version}, fsync on, ${seconds} s a round, sessions of two people`,
  );
  console.log('state   clients   heart/s   p50 ms   p99 ms   pgbench/s   heart ÷ pgbench');
  for (const [index, state] of states.entries()) {
    await fill(database, masking, keys, state, index, carrier.id);
    callers = [];
    for (const clients of clientCounts) {
      // Alternating twice, so that a slow moment of the machine doesn't fall on one of the two; the better counts.
      const ours = [await heart(masking, state, index, clients)];
      const theirs = [await pgbench(database, state, clients)];
      ours.push(await heart(masking, state, index, clients));
      theirs.push(await pgbench(database, state, clients));
      const [best] = ours.sort((a, b) => b.rate - a.rate);
      const peer = Math.max(...theirs);
      if (best === undefined) continue;
      const columns = [best.rate, best.p50, best.p99, peer].map((value, column) =>
        value.toFixed(column === 1 || column === 2 ? 2 : 0).padStart(column === 3 ? 12 : 9),
      );
      console.log(
        `${state.pool.padEnd(8)}${String(clients).padStart(7)} ${columns.join('')}${(best.rate / peer).toFixed(2).padStart(18)}`,
      );
    }
    await decide(masking, carrier.id);
  }
}

function phoneOf(state: number, party: number): string {
  return `+62811${10_000_000 + state * 10_000_000 + party}`;
}

async function fill(
  database: OpenDatabase,
  masking: Masking,
  keys: TenantVault,
  state: State,
  index: number,
  carrier: string,
): Promise<void> {
  const numbers = Array.from(
    { length: state.numbers },
    (_, number) => `+6221${5_000_000 + index * 10_000 + number}`,
  );
  await masking.addNumbers('default', { numbers, pool: state.pool, carrier, capabilities: ['voice'] });
  if (state.parties === 0) return;
  const half = state.parties / 2;
  const ours = Array.from({ length: half }, (_, party) => {
    const id = `pty_${state.pool}_ours_${party}`;
    const { wrapped, cipher } = keys.newPartyKey(id);
    const e164 = phoneOf(index, party);
    const field = { tenant: 'default', table: 'parties', column: 'phone', row: id };
    return { id, fingerprint: keys.fingerprint(e164), phone: cipher.encrypt(e164, field), ...wrapped };
  });
  await database.query(
    '',
    `with p as (
        insert into parties (tenant, party, fingerprint, phone, phone_key, country)
          select 'default', x.party, x.fingerprint, x.phone, x.key, 'ID'
            from unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[]) x(party, fingerprint, phone, key)
      )
      insert into party_keys (tenant, party, party_key, wrapped, tenant_key_version)
        select 'default', x.party, x.key, x.wrapped, 1 from unnest($1::text[], $4::text[], $5::bytea[]) x(party, key, wrapped)`,
    [
      ours.map((one) => one.id),
      ours.map((one) => one.fingerprint),
      ours.map((one) => one.phone),
      ours.map((one) => one.partyKey),
      ours.map((one) => one.wrapped),
    ],
  );
  await database.query(
    '',
    `insert into parties (tenant, party, fingerprint, phone, phone_key, country)
      select 'default', 'pty_' || $1 || '_theirs_' || i, sha256(($1 || i)::bytea), sha256('phone'), 'pky', 'ID'
        from generate_series(0, $2::integer - 1) i`,
    [state.pool, half],
  );
  // Every party has seen the first numbers of the pool, each at another time, and all of them are free again.
  for (const owner of ['ours', 'theirs']) {
    // As many rows a statement as it has time for.
    const step = Math.max(1, Math.floor(25_000 / state.seen));
    for (let from = 0; from < half; from += step) {
      await database.query(
        '',
        `insert into bindings (tenant, party, number, session, participant, bound_at, released_at, free_at)
          select 'default', 'pty_' || $1 || '_' || $2 || '_' || i, n.number, 'ses_past', 'par_past', t.at, t.at, t.at
            from generate_series($3::integer, $4::integer - 1) i
            cross join lateral (select number, ordinal from numbers where tenant = 'default' and pool = $1
              order by ordinal limit $5) n
            cross join lateral (select now() - interval '1 second' * (1 + (n.ordinal * 7919 + i * 104729) % 1000003) as at) t`,
        [state.pool, owner, from, Math.min(half, from + step), state.seen],
      );
    }
  }
  await database.query('', 'analyze', []);
}

/** Paced by the clock, whatever the answers take. */
async function decide(masking: CallMasking, carrier: string): Promise<void> {
  const times: number[] = [];
  const waiting: Promise<void>[] = [];
  let connected = 0;
  const start = performance.now();
  // The first second is not counted: each connection plans the statements once.
  const warmUp = callsASecond;
  for (let call = 0; call < warmUp + callsASecond * seconds; call++) {
    const due = start + (call * 1_000) / callsASecond;
    while (performance.now() < due) await sleep(Math.max(0, due - performance.now()));
    const { phone, dial } = callers[call % callers.length] ?? { phone: '', dial: '' };
    const asked = performance.now();
    const inbound = {
      kind: 'call',
      carriers: [{ tenant: 'default', carrier }],
      called: dial,
      caller: phone,
    } as const;
    const answer = masking.decide({ ...inbound, call: newId(nodeDoors(), 'call') }).then((decision) => {
      if (call < warmUp) return;
      times.push(performance.now() - asked);
      if (decision.kind === 'run') connected++;
    });
    waiting.push(answer);
  }
  await Promise.all(waiting);
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  console.log(
    `        decide at ${callsASecond}/s: ${connected} of ${times.length} connected, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
}

interface Figures {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

async function heart(masking: Masking, state: State, index: number, clients: number): Promise<Figures> {
  const half = state.parties / 2;
  const times: number[] = [];
  const person = (
    role: string,
    other?: number,
  ): { role: string; phones: readonly [string]; party: number } => {
    let party = half === 0 ? newcomer++ : Math.floor(Math.random() * half);
    if (party === other) party = (party + 1) % half;
    return { role, phones: [phoneOf(index, party)], party };
  };
  async function client(until: number): Promise<void> {
    while (performance.now() < until) {
      const start = performance.now();
      const agent = person('agent');
      const customer = person('customer', agent.party);
      const session = await masking.createSession('default', {
        pool: state.pool,
        participants: [
          { role: agent.role, phones: agent.phones },
          { role: customer.role, phones: customer.phones },
        ],
        ttlSeconds: 86_400,
      });
      times.push(performance.now() - start);
      if (callers.length < 2_000)
        callers.push({ phone: agent.phones[0], dial: session.participants[0]?.dial ?? '' });
    }
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, () => client(start + seconds * 1_000)));
  const elapsed = (performance.now() - start) / 1_000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  return { rate: times.length / elapsed, p50: at(0.5), p99: at(0.99) };
}

/** Transactions a second of the same function, with values made by the server. */
async function pgbench(database: OpenDatabase, state: State, clients: number): Promise<number> {
  const { host, port, user } = database.embedded?.connection() ?? { host: '', port: 0, user: '' };
  const script = join(directory, `${state.pool}.sql`);
  const half = state.parties / 2;
  const draw =
    half === 0
      ? '\\set a random(1, 1000000000000)\n\\set b random(1, 1000000000000)\n'
      : `\\set a random(0, ${half - 1})\n\\set c random(1, ${half - 1})\n\\set b (:a + :c) % ${half}\n`;
  const [a, b] = [':a', ':b'].map((party) => `sha256(('${state.pool}' || ${party}::text)::bytea)`);
  const prints = `least(${a}, ${b}), greatest(${a}, ${b})`;
  const two = (text: string) => `array[${text}, ${text}]`;
  const sealed = two(`'\\x${'5a'.repeat(44)}'::bytea`);
  const partyKeys = half === 0 ? two("new_id('pky_')") : 'array[null, null]::text[]';
  writeFileSync(
    script,
    `${draw}select * from create_session('default', new_id('ses_'), 'api',
      '{"pool": "${state.pool}", "recording": "off", "shared": false, "metadata": {}, "sticky": false, "pin": false, "ttlSeconds": 86400}',
      ${two("new_id('par_')")}, array['agent', 'customer'], array[null, null]::text[], array[null, null]::bytea[],
      array[null, null]::integer[], array[sha256(new_id('')::bytea), sha256(new_id('')::bytea)], array[null, null]::jsonb[],
      null, array[1, 2], array[1, 1],
      array[${prints}], array[sha256(new_id('')::bytea), sha256(new_id('')::bytea)], ${two("new_id('pty_')")},
      array['ID', 'ID'], ${partyKeys}, ${sealed}, array[1, 1], ${half === 0 ? sealed : 'array[null, null]::bytea[]'},
      null, null);\n`.replace(/\n\s+/g, ' '),
  );
  const options = [
    '-n',
    '-M',
    'prepared',
    '-c',
    String(clients),
    '-j',
    '2',
    '-T',
    String(seconds),
    '-f',
    script,
  ];
  const child = spawn('pgbench', [...options, '-h', host, '-p', String(port), '-U', user, 'samar']);
  let output = '';
  child.stdout.on('data', (data) => {
    output += String(data);
  });
  child.stderr.on('data', (data) => {
    output += String(data);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  const rate = /tps = ([\d.]+)/.exec(output)?.[1];
  if (code !== 0 || rate === undefined) throw new Error(`pgbench failed: ${output}`);
  return Number(rate);
}
