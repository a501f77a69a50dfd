/**
 * How long a caller waits for a decision, at a steady 500 calls a second: each found, decrypted and recorded. Two ways
 * in one run, alternating: as it is (the record reaches the disk with the next commit that waits for it, at the latest
 * the gate's when the call is answered), and with every decision waiting for the disk itself. See decision 0023.
 *
 *   npx node bench/decide.ts [seconds a round, default 5] [calls a second, default 500]
 *
 * A cluster of its own is made in the temporary directory and removed at the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeDoors } from '@samar/doors';
import { newId } from '../packages/server/src/masking/ids.ts';
import { createMasking } from '../packages/server/src/masking/index.ts';
import type { CallMasking } from '../packages/server/src/masking/types.ts';
import { type OpenDatabase, openDatabase } from '../packages/server/src/store/index.ts';
import { createVault } from '../packages/server/src/vault/index.ts';

const seconds = Number(process.argv[2] ?? 5);
const callsASecond = Number(process.argv[3] ?? 500);
const sessions = 500;
const rounds = 3;
const relaxed = `perform set_config('synchronous_commit', 'off', true);`;

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
  const vault = await createVault({ database, masterKey: undefined, dataDir: directory });
  const masking = createMasking({ database, vault, doors: nodeDoors() });
  const carrier = await masking.createCarrier('default', {
    name: 'bench',
    kind: 'sip',
    host: '192.0.2.1',
    transport: 'udp',
  });
  const numbers = Array.from({ length: 100 }, (_, index) => `+622150${String(index).padStart(5, '0')}`);
  await masking.addNumbers('default', {
    numbers,
    pool: 'default',
    carrier: carrier.id,
    capabilities: ['voice'],
  });
  const callers: Caller[] = [];
  for (let index = 0; index < sessions; index++) {
    const phone = `+62812${String(30_000_000 + 2 * index)}`;
    const { participants } = await masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [phone] },
        { role: 'customer', phones: [`+62812${String(30_000_001 + 2 * index)}`] },
      ],
    });
    callers.push({ phone, dial: participants[0]?.dial ?? '' });
  }
  await database.query('', 'analyze', []);
  const source = await functionSource(database);
  if (!source.includes(relaxed)) throw new Error('decide_calls is not what this compares');
  console.log(
    `PostgreSQL ${database.embedded?.version}, fsync on, ${callsASecond} calls/s, ${seconds} s a round`,
  );
  console.log('the disk              p50 ms   p90 ms   p99 ms   connected');
  await round(masking, carrier.id, callers);
  const times: Record<string, number[][]> = {};
  for (let turn = 0; turn < rounds; turn++) {
    for (const [name, text] of [
      ['not waited for', source],
      ['waited for', source.replace(relaxed, '')],
    ] as const) {
      await database.query('', text, []);
      await round(masking, carrier.id, callers.slice(0, 50));
      const result = await round(masking, carrier.id, callers);
      times[name] = [...(times[name] ?? []), result.times];
      const columns = [0.5, 0.9, 0.99].map((share) => at(result.times, share).toFixed(2).padStart(9));
      console.log(`${name.padEnd(18)} ${columns.join('')}   ${result.connected} of ${result.times.length}`);
    }
  }
  await database.query('', source, []);
  for (const [name, all] of Object.entries(times)) {
    const medians = [0.5, 0.99].map((share) => {
      const sorted = all.map((one) => at(one, share)).sort((a, b) => a - b);
      return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(2);
    });
    console.log(`${name}: median of ${rounds} rounds p50 ${medians[0]} ms, p99 ${medians[1]} ms`);
  }
  await masking.stop();
}

interface Caller {
  readonly phone: string;
  readonly dial: string;
}

async function functionSource(database: OpenDatabase): Promise<string> {
  const rows = await database.query<{ readonly source: string }>(
    '',
    `select pg_get_functiondef('decide_calls'::regproc) as source`,
    [],
  );
  return rows[0]?.source ?? '';
}

/** Paced by the clock, whatever the answers take. */
async function round(
  masking: CallMasking,
  carrier: string,
  callers: readonly Caller[],
): Promise<{ readonly times: number[]; readonly connected: number }> {
  const times: number[] = [];
  const waiting: Promise<void>[] = [];
  let connected = 0;
  const doors = nodeDoors();
  const start = performance.now();
  for (let call = 0; call < callsASecond * seconds; call++) {
    const due = start + (call * 1_000) / callsASecond;
    while (performance.now() < due) await sleep(Math.max(0, due - performance.now()));
    const { phone, dial } = callers[call % callers.length] ?? { phone: '', dial: '' };
    const asked = performance.now();
    const decided = masking.decide({
      kind: 'call',
      carriers: [{ tenant: 'default', carrier }],
      called: dial,
      caller: phone,
      call: newId(doors, 'call'),
    });
    waiting.push(
      decided.then((decision) => {
        times.push(performance.now() - asked);
        if (decision.kind === 'run') connected++;
      }),
    );
  }
  await Promise.all(waiting);
  times.sort((a, b) => a - b);
  return { times, connected };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}
