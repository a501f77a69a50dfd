/**
 * Traces through the heart and PostgreSQL: sessions are opened and closed by `createSession` and `closeSession`, late
 * callers are decided by `decide`; only the clock is simulated, by `samar.now` on the one connection (migration 0005).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { newId } from '../../packages/server/src/masking/ids.ts';
import { createMasking } from '../../packages/server/src/masking/index.ts';
import { MaskingError } from '../../packages/server/src/masking/service.ts';
import { planJobs } from '../../packages/server/src/plan/index.ts';
import { openDatabase } from '../../packages/server/src/store/index.ts';
import { createVault } from '../../packages/server/src/vault/index.ts';
import { type Chance, chanceFrom } from './chance.ts';
import { jobsOfTrace } from './jobs-of-trace.ts';
import type { Cooldowns } from './policies.ts';
import { printTable } from './table.ts';
import type { Trace } from './traces.ts';

const BEGINNING = Date.UTC(2026, 0, 5);
/** Sessions end by being closed, never by their time: the longest of a trace is two weeks. */
const TTL_SECONDS = 40 * 86_400;
const CALLS_AT_ONCE = 100;

interface Replay {
  readonly opened: number;
  readonly refused: number;
  readonly distinct: number;
  readonly lateCalls: number;
  readonly connected: number;
  readonly seconds: number;
}

export async function replayTraces(
  traces: readonly Trace[],
  cooldowns: Cooldowns,
  lateCallsEach: number,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'samar-bench-'));
  try {
    const rows: (readonly (string | number)[])[] = [];
    const database = await openDatabase({ dataDir: directory, maxConnections: 1 });
    try {
      for (const [index, trace] of traces.entries()) {
        const bound = planJobs(jobsOfTrace(trace)).lowerBound;
        const { run, close } = await heart(database, directory, `bench${index}`, bound, cooldowns);
        const exact = await run(trace, lateCallsEach, chanceFrom(11));
        await close();
        // One fewer must not do: the bound is a bound.
        const fewer = await heart(database, directory, `fewer${index}`, bound - 1, cooldowns);
        const short = bound > 1 ? await fewer.run(trace, 0, chanceFrom(11), true) : undefined;
        await fewer.close();
        rows.push([
          trace.name,
          exact.opened,
          bound,
          exact.distinct,
          (exact.distinct / bound).toFixed(2),
          exact.refused,
          short === undefined ? '' : short.refused,
          exact.lateCalls,
          exact.connected,
          exact.seconds.toFixed(0),
        ]);
        console.log(
          `${trace.name}: ${exact.opened} sessions, ${exact.refused} refused, ${exact.connected} late calls connected`,
        );
      }
    } finally {
      await database.close();
    }
    const heads = ['', 'sessions', 'plan: bound', 'used', '÷ bound', 'refused', 'refused with one fewer'];
    printTable([...heads, 'late calls', 'connected', 'seconds'], rows);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

type Database = Awaited<ReturnType<typeof openDatabase>>;

async function heart(
  database: Database,
  dataDir: string,
  tenant: string,
  numbers: number,
  cooldowns: Cooldowns,
) {
  const doors = nodeDoors();
  const vault = await createVault({ database, masterKey: '07'.repeat(32), dataDir });
  const masking = createMasking({ database, vault, doors });
  // The bench's cluster is thrown away: what a power cut would lose doesn't matter here.
  await database.query('', "select set_config('synchronous_commit', 'off', false)", []);
  await setClock(database, 0);
  await masking.createTenant({ tenant, name: tenant });
  const host = { kind: 'sip', host: '192.0.2.1', transport: 'udp' } as const;
  const carrier = await masking.createCarrier(tenant, { name: 'bench', ...host });
  if (numbers > 0) {
    const block = Number(/\d+$/.exec(tenant)?.[0] ?? 0) * 2 + (tenant.startsWith('fewer') ? 1 : 0);
    const e164 = Array.from({ length: numbers }, (_, index) => `+6221${5_000_0000 + block * 10_000 + index}`);
    await masking.addNumbers(tenant, {
      numbers: e164,
      pool: 'default',
      carrier: carrier.id,
      capabilities: ['voice'],
    });
    await masking.updatePool(tenant, 'default', {
      cooldown: { agent: cooldowns.agent, '*': cooldowns.customer },
    });
  }

  async function run(trace: Trace, lateCalls: number, chance: Chance, untilRefused = false): Promise<Replay> {
    const started = performance.now();
    const sessions: (Opened | undefined)[] = [];
    const used = new Set<string>();
    const recent: Late[] = [];
    let opened = 0;
    let refused = 0;
    let called = 0;
    let connected = 0;
    let closings = 0;
    const total = trace.sessions;
    for (const { at, session, kind } of eventsOf(trace)) {
      if (numbers === 0 || (untilRefused && refused > 0)) break;
      await setClock(database, at);
      const agent = agentPhone(trace.agent[session] ?? 0);
      const customer = customerPhone(trace.customer[session] ?? 0);
      if (kind === 'open') {
        const made = await open(agent, customer);
        if (made === undefined) refused++;
        else {
          opened++;
          sessions[session] = made;
          used.add(made.agentDial).add(made.customerDial);
        }
        continue;
      }
      const ended = sessions[session];
      if (ended === undefined) continue;
      delete sessions[session];
      await masking.closeSession(tenant, ended.id, { reason: 'resolved' });
      remember(
        recent,
        [
          { caller: agent, called: ended.agentDial, until: at + cooldowns.agent },
          { caller: customer, called: ended.customerDial, until: at + cooldowns.customer },
        ],
        chance,
      );
      // Spread over the trace, after each closing as many as come to the number asked for in the end.
      const due = Math.min(lateCalls - called, (1.2 * lateCalls * ++closings) / total - called);
      for (let batch = 0; batch < Math.floor(due / CALLS_AT_ONCE); batch++) {
        const outcome = await callAtOnce(
          recent.filter((one) => one.until > at),
          chance,
        );
        called += outcome.calls;
        connected += outcome.connected;
      }
    }
    const seconds = (performance.now() - started) / 1_000;
    return { opened, refused, distinct: used.size, lateCalls: called, connected, seconds };
  }

  async function open(agent: string, customer: string): Promise<Opened | undefined> {
    try {
      const session = await masking.createSession(tenant, {
        participants: [
          { role: 'agent', phones: [agent] },
          { role: 'customer', phones: [customer] },
        ],
        ttlSeconds: TTL_SECONDS,
      });
      const [one, other] = session.participants;
      return { id: session.id, agentDial: one?.dial ?? '', customerDial: other?.dial ?? '' };
    } catch (error) {
      if (error instanceof MaskingError && error.code === 'pool-exhausted') return undefined;
      throw error;
    }
  }

  async function callAtOnce(late: readonly Late[], chance: Chance) {
    const calls = Array.from({ length: CALLS_AT_ONCE }, () => late[chance.below(late.length)]).filter(
      (one) => one !== undefined,
    );
    const decisions = await Promise.all(
      calls.map(({ caller, called }) =>
        masking.decide({
          ...{ kind: 'call', caller, called, call: newId(doors, 'call') },
          carriers: [{ tenant, carrier: carrier.id }],
        }),
      ),
    );
    // Their sessions are closed: whoever is put through to anybody is put through to a stranger.
    return { calls: calls.length, connected: decisions.filter(({ kind }) => kind !== 'refuse').length };
  }

  return { run, close: () => masking.stop() };
}

interface Opened {
  readonly id: string;
  readonly agentDial: string;
  readonly customerDial: string;
}
interface Late {
  readonly caller: string;
  readonly called: string;
  readonly until: number;
}

/** Callers of the past, at most so many: each newcomer takes the place of one by chance. */
const MOST_REMEMBERED = 5_000;
function remember(recent: Late[], late: readonly Late[], chance: Chance): void {
  for (const one of late) {
    if (recent.length < MOST_REMEMBERED) recent.push(one);
    else recent[chance.below(MOST_REMEMBERED)] = one;
  }
}

function* eventsOf(trace: Trace) {
  const closings = Array.from({ length: trace.sessions }, (_, session) => session).sort(
    (one, other) => (trace.closed[one] ?? 0) - (trace.closed[other] ?? 0),
  );
  let closing = 0;
  for (let session = 0; session < trace.sessions; session++) {
    const at = trace.opened[session] ?? 0;
    for (; (trace.closed[closings[closing] ?? -1] ?? Number.POSITIVE_INFINITY) <= at; closing++) {
      const ended = closings[closing] ?? 0;
      yield { at: trace.closed[ended] ?? 0, session: ended, kind: 'close' as const };
    }
    yield { at, session, kind: 'open' as const };
  }
}

async function setClock(database: Database, seconds: number): Promise<void> {
  const now = new Date(BEGINNING + Math.round(seconds * 1e3)).toISOString();
  await database.query('bench_clock', "select set_config('samar.now', $1, false)", [now]);
}

function agentPhone(agent: number): string {
  return `+62811${10_000_000 + agent}`;
}
function customerPhone(customer: number): string {
  return `+62812${10_000_000 + customer}`;
}
