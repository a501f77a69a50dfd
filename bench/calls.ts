/**
 * Calls a second, and CPU a call: the whole platform (decision from PostgreSQL, media ports opened, call record
 * written) between a SIPp caller and a SIPp callee, beside Kamailio as a plain proxy in the same run.
 *
 *   npx node bench/calls.ts [--rates 200,400,…] [--seconds 8] [--hold 1000] [--sessions 2000]
 *                           [--only samar|kamailio] [--no-overload] [--profile directory] [--database URL]
 *
 * Needs `sipp` (Debian: sip-tester) and, for the reference, `kamailio`. See bench/README.md.
 */
import { mkdir, mkdtemp } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { machineUsage, totalOf, type Usage, usedBetween } from './support/cpu.ts';
import { killLoad, type LoadResult, runLoad } from './support/sipp.ts';
import {
  fillPlatform,
  removeDirectory,
  type System,
  startKamailio,
  startPlatform,
} from './support/systems.ts';

const { values: options } = parseArgs({
  options: {
    rates: { type: 'string', default: '200,400,600,800,1000,1250,1500,2000' },
    seconds: { type: 'string', default: '8' },
    hold: { type: 'string', default: '1000' },
    sessions: { type: 'string', default: '2000' },
    only: { type: 'string' },
    'no-overload': { type: 'boolean', default: false },
    profile: { type: 'string' },
    database: { type: 'string' },
  },
});
const rates = options.rates.split(',').map(Number);
const seconds = Number(options.seconds);
const hold = Number(options.hold);

interface Step {
  readonly rate: number;
  readonly load: LoadResult;
  /** CPU milliseconds of the system under test. */
  readonly used: Usage;
  /** Share of the machine's cores, 0 to 1. */
  readonly busy: number;
  readonly others: number;
  readonly notes: string;
}

const scratch = await mkdtemp(join(tmpdir(), 'samar-bench-'));
const started: System[] = [];
let steps = 0;

async function measure(system: System, numbers: string, rate: number): Promise<Step> {
  const directory = join(scratch, `step-${steps++}`);
  await mkdir(directory);
  await system.settle();
  await system.notes();
  const [before, machine] = [system.usage(), machineUsage()];
  const load = await runLoad({ directory, port: system.port, numbers, rate, seconds, hold });
  const used = usedBetween(before, system.usage());
  const now = machineUsage();
  const [busy, all] = [now.busy - machine.busy, now.all - machine.all];
  return {
    rate,
    load,
    used,
    busy: busy / all,
    others: Math.max(0, busy - totalOf(used) - totalOf(load.cpu)) / all,
    notes: await system.notes(),
  };
}

/** Every call connected, no message sent twice. */
function isClean({ load }: Step): boolean {
  return load.failed === 0 && load.refused === 0 && load.retransmissions === 0;
}

/** Calls that succeeded a second; SIPp's own pauses (hold, and half a second after the BYE) are no part of it. */
function reached({ load }: Step): number {
  return load.succeeded / Math.max(seconds, load.seconds - hold / 1_000 - 0.5);
}

const columns = [
  'offered/s',
  'ok/s',
  'ok %',
  '503',
  'failed',
  'retrans',
  'p50 ms',
  'p99 ms',
  'CPU ms/call',
  'machine',
  'others',
];
const widths = columns.map((name) => Math.max(name.length, 7));

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('  ');
}

function describe(step: Step): string {
  const { load, used } = step;
  const calls = Math.max(1, load.succeeded);
  const parts = Object.entries(used)
    .filter(([, milliseconds]) => milliseconds >= 20)
    .map(([name, milliseconds]) => `${name} ${(milliseconds / calls).toFixed(3)}`);
  const cells = row([
    String(step.rate),
    reached(step).toFixed(0),
    ((100 * load.succeeded) / Math.max(1, load.offered)).toFixed(2),
    String(load.refused),
    String(load.failed),
    String(load.retransmissions),
    load.setupP50.toFixed(0),
    load.setupP99.toFixed(0),
    (totalOf(used) / calls).toFixed(3),
    `${(100 * step.busy).toFixed(0)} %`,
    `${(100 * step.others).toFixed(0)} %`,
  ]);
  return `${cells}   ${parts.join(', ')}${step.notes === '' ? '' : `; ${step.notes}`}`;
}

/** Rising rates until two steps in a row succeed for less than 90 %; then twice the best rate. */
async function rise(system: System, numbers: string): Promise<void> {
  console.log(`\n${system.name}\n${row(columns)}`);
  const warm = await measure(system, numbers, Math.min(500, rates[0] ?? 500));
  console.log(`${describe(warm)}  (warm-up)`);
  const taken: Step[] = [];
  let bad = 0;
  for (const rate of rates) {
    const step = await measure(system, numbers, rate);
    taken.push(step);
    console.log(describe(step));
    bad = step.load.succeeded < 0.9 * step.load.offered ? bad + 1 : 0;
    if (bad === 2) break;
  }
  const clean = taken.filter(isClean).at(-1);
  const best = taken.reduce((one, other) => (reached(other) > reached(one) ? other : one));
  console.log(
    `without a failure or retransmission up to ${clean?.rate ?? 0}/s; most that succeeded: ${reached(best).toFixed(0)}/s`,
  );
  if (options['no-overload']) return;
  const flood = await measure(system, numbers, Math.round(2 * reached(best)));
  console.log(`${describe(flood)}  (overload)`);
  console.log(
    `at twice its capacity ${((100 * reached(flood)) / reached(best)).toFixed(0)} % of its best rate succeed`,
  );
}

async function stopAll(): Promise<void> {
  killLoad();
  for (const system of started.splice(0)) await system.stop();
  await removeDirectory(scratch);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(1)));
}

try {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  console.log(
    `${availableParallelism()} × ${processor}, Node ${process.version}; INVITE to BYE on both legs, held ${hold} ms, ${seconds} s a step`,
  );
  const platform = await startPlatform({
    directory: scratch,
    databaseUrl: options.database,
    profile: options.profile === undefined ? undefined : resolve(options.profile),
  });
  started.push(platform);
  const numbers = await fillPlatform(scratch, Number(options.sessions));
  if (options.only !== 'kamailio') await rise(platform, numbers);
  await started.pop()?.stop();
  if (options.only !== 'samar') {
    const kamailio = await startKamailio();
    if (kamailio === undefined) console.log('\nKamailio is not installed: no reference.');
    else {
      started.push(kamailio);
      await rise(kamailio, numbers);
    }
  }
} finally {
  await stopAll();
}
