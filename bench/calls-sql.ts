/**
 * What a call costs the database: sessions opened, then calls decided, answered and ended through the heart, then what
 * comes afterwards in batches (the ledger sealed, events published). For each: CPU of PostgreSQL and of this process,
 * and what no neighbour can disturb: transactions, rows written, index entries and bytes of the write-ahead log.
 *
 *   npx node bench/calls-sql.ts [calls, default 2000] [rounds, default 3]
 *
 * Runs on older commits, too: copy it there. A cluster of its own is made in the temporary directory.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { newId } from '../packages/server/src/masking/ids.ts';
import { createMasking } from '../packages/server/src/masking/index.ts';
import { type OpenDatabase, openDatabase } from '../packages/server/src/store/index.ts';
import { sealLedger } from '../packages/server/src/store/queries/ledger.ts';
import { createVault } from '../packages/server/src/vault/index.ts';
import { usageOf } from './support/cpu.ts';

const tenant = 'default';
const calls = Number(process.argv[2] ?? 2_000);
const rounds = Number(process.argv[3] ?? 3);
const abreast = 32;

interface Caller {
  readonly phone: string;
  readonly dial: string;
  readonly participant: string;
  readonly callee: string;
}
interface Reading {
  /** Milliseconds of CPU: PostgreSQL's, and this process's. */
  readonly cpu: number;
  readonly own: number;
  /** Of the write-ahead log. */
  readonly place: string;
}

const directory = mkdtempSync(join(tmpdir(), 'samar-bench-'));
const database = await openDatabase({ dataDir: directory, maxConnections: 16 });
try {
  await run(database);
} finally {
  await database.close();
  rmSync(directory, { recursive: true, force: true });
}

async function run(database: OpenDatabase): Promise<void> {
  const doors = nodeDoors();
  const vault = await createVault({ database, masterKey: undefined, dataDir: directory });
  const masking = createMasking({ database, vault, doors });
  const host = { kind: 'sip', host: '192.0.2.1', transport: 'udp' } as const;
  const { id: carrier } = await masking.createCarrier(tenant, { name: 'bench', ...host });
  const numbers = Array.from({ length: 200 }, (_, index) => `+62215${String(index).padStart(6, '0')}`);
  await masking.addNumbers(tenant, { numbers, pool: 'default', carrier, capabilities: ['voice'] });
  let people = 0;
  const callers: Caller[] = [];

  const open = async () => {
    const phones = [0, 1].map(() => `+62812${String(10_000_000 + people++)}`);
    const session = await masking.createSession(tenant, {
      participants: phones.map((phone, index) => ({
        role: index === 0 ? 'agent' : 'customer',
        phones: [phone],
      })),
    });
    const [agent, customer] = session.participants;
    if (agent?.dial === undefined || customer === undefined) throw new Error('the session has no numbers');
    callers.push({
      phone: phones[0] ?? '',
      dial: agent.dial,
      participant: agent.id,
      callee: customer.id,
    });
  };
  let next = 0;
  const call = async () => {
    const one = callers[next++ % callers.length];
    if (one === undefined) throw new Error('nobody can call');
    const { phone: caller, dial: called, participant, callee } = one;
    const number = called;
    const id = newId(doors, 'call');
    const carriers = [{ tenant, carrier }];
    const decision = await masking.decide({ kind: 'call', carriers, called, caller, call: id });
    if (decision.kind !== 'run') throw new Error(`not connected: ${JSON.stringify(decision)}`);
    const { session } = decision;
    if (!(await masking.answered({ tenant, call: id, session, participant: callee }))) {
      throw new Error('the gate was closed');
    }
    const now = Date.now();
    const leg = (direction: 'in' | 'out') => ({
      ...{ participant: direction === 'in' ? participant : callee, number, carrier },
      ...{ direction, sipStatus: 200, startedAt: now - 9_000, answeredAt: now - 8_000, endedAt: now },
      quality: { loss: 0 },
    });
    await masking.ended({
      ...{ tenant, call: id, outcome: 'connected', hangupBy: 'caller', hangupCause: 'normal', endedAt: now },
      legs: [leg('in'), leg('out')],
    } as never);
  };
  const afterwards = async () => {
    while ((await sealLedger(database)) > 0);
    const known = await database.query('', `select from pg_proc where proname = 'publish_events'`, []);
    if (known.length === 0) return;
    for (let count = 1; count > 0; ) {
      const [row] = await database.query<{ count: number }>('', 'select publish_events(500) as count', []);
      count = row?.count ?? 0;
    }
  };

  // Code is compiled, and the planner has seen what there is.
  await many(200, open);
  await many(500, call);
  await afterwards();
  await database.query('', 'vacuum analyze', []);
  await database.query('', 'create extension if not exists pg_walinspect', []);
  console.log(
    'what                     postgres ms   node ms   transactions   rows   index entries   WAL bytes',
  );
  for (let round = 0; round < rounds; round++) {
    await print('a session opened', calls / 4, database, () => many(calls / 4, open));
    await print('  afterwards', calls / 4, database, afterwards);
    await print('a call', calls, database, () => many(calls, call));
    await print('  afterwards', calls, database, afterwards);
  }
  await masking.stop();
}

async function many(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: abreast }, async () => {
      while (left-- > 0) await work();
    }),
  );
}

async function print(
  what: string,
  count: number,
  database: OpenDatabase,
  work: () => Promise<void>,
): Promise<void> {
  const before = await read(database);
  await work();
  const after = await read(database);
  const log = await readLog(database, before.place, after.place);
  const each = (value: number, digits: number, width: number) =>
    (value / count).toFixed(digits).padStart(width);
  console.log(
    what.padEnd(22) +
      each(after.cpu - before.cpu, 3, 14) +
      each(after.own - before.own, 3, 10) +
      each(log.transactions, 2, 15) +
      each(log.rows, 1, 7) +
      each(log.entries, 1, 16) +
      each(log.bytes, 0, 12),
  );
}

async function read(database: OpenDatabase): Promise<Reading> {
  const [row] = await database.query<{ readonly place: string }>(
    '',
    'select pg_current_wal_insert_lsn()::text as place',
    [],
  );
  const { user, system } = process.cpuUsage();
  return {
    cpu: usageOf(database.embedded?.pid() ?? 0)['postgres'] ?? 0,
    own: (user + system) / 1_000,
    place: row?.place ?? '',
  };
}

/** What stands in the log between two places, without images of whole pages. */
async function readLog(
  database: OpenDatabase,
  from: string,
  until: string,
): Promise<Readonly<Record<'transactions' | 'rows' | 'entries' | 'bytes', number>>> {
  // What was committed without waiting for the disk gets there.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const [row] = await database.query<Readonly<Record<'transactions' | 'rows' | 'entries' | 'bytes', number>>>(
    '',
    `select coalesce(sum(s.count) filter (where s.kind like 'Transaction/COMMIT%'), 0)::float8 as transactions,
        coalesce(sum(s.count) filter (where s.kind ~ '^Heap2?/(INSERT|UPDATE|HOT_UPDATE|DELETE|MULTI_INSERT)'), 0)::float8 as rows,
        coalesce(sum(s.count) filter (where s.kind like 'Btree/INSERT%'), 0)::float8 as entries,
        coalesce(sum(s.record_size), 0)::float8 as bytes
      from (
        select x."resource_manager/record_type" as kind, x.count, x.record_size from pg_get_wal_stats($1, $2, true) x
      ) s`,
    [from, until],
  );
  return row ?? { transactions: 0, rows: 0, entries: 0, bytes: 0 };
}
