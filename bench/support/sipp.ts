/** SIPp as caller and callee, and its statistics. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Usage, usageOf } from './cpu.ts';

export const calleePort = 7_062;
const callerPort = 7_064;
/** SIPp sends no media; its ports only stand in SDP. It binds some all the same. */
const mediaPorts = { caller: '7100', callee: '7200' };

export interface LoadOptions {
  /** Existing and empty; the statistics are written here. */
  readonly directory: string;
  readonly port: number;
  /** SIPp injection file: caller; dialled number. */
  readonly numbers: string;
  /** Calls a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Milliseconds between ACK and BYE. */
  readonly hold: number;
}

export interface LoadResult {
  readonly offered: number;
  readonly succeeded: number;
  /** Answered 503, and acknowledged. */
  readonly refused: number;
  readonly failed: number;
  /** Both of SIPp's sides. */
  readonly retransmissions: number;
  /** From the first call to the last. */
  readonly seconds: number;
  /** INVITE to 200, milliseconds. */
  readonly setupP50: number;
  readonly setupP99: number;
  /** CPU milliseconds of SIPp itself. */
  readonly cpu: Usage;
}

const running = new Set<ChildProcess>();

/** One step of load; resolves when the last call is over. Bounded by `seconds` and half a minute. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { directory, rate, seconds } = options;
  const common = ['-i', '127.0.0.1', '-nostdin', '-buff_size', '4000000'];
  const statistics = (name: string) => ['-trace_stat', '-stf', `${name}.csv`, '-fd', '1'];
  const callee = sipp(directory, [
    ...['-sf', scenario('callee'), '-p', String(calleePort), '-mp', mediaPorts.callee],
    ...common,
    ...statistics('callee'),
  ]);
  await sleep(400);
  const calls = Math.round(rate * seconds);
  const started = performance.now();
  const caller = sipp(directory, [
    ...[
      '-sf',
      scenario('caller'),
      '-p',
      String(callerPort),
      '-mp',
      mediaPorts.caller,
      `127.0.0.1:${options.port}`,
    ],
    ...['-inf', options.numbers, '-r', String(rate), '-m', String(calls), '-l', '15000'],
    ...['-d', String(options.hold), '-recv_timeout', '10000', '-timeout', `${Math.ceil(seconds + 20)}s`],
    ...['-trace_rtt', '-rtt_freq', '200'],
    ...common,
    ...statistics('caller'),
  ]);
  const cpuOf = (child: ChildProcess) => (child.pid === undefined ? {} : usageOf(child.pid));
  let cpu: Usage = {};
  const watch = setInterval(() => {
    if (caller.exitCode === null) cpu = { caller: sum(cpuOf(caller)), callee: sum(cpuOf(callee)) };
  }, 250);
  const cut = setTimeout(() => caller.kill('SIGKILL'), (seconds + 30) * 1_000);
  await ended(caller);
  clearTimeout(cut);
  clearInterval(watch);
  const elapsed = (performance.now() - started) / 1_000;
  await sleep(1_200); // The callee writes its figures once a second.
  callee.kill('SIGKILL');
  await ended(callee);
  const near = await lastLine(join(directory, 'caller.csv'));
  const far = await lastLine(join(directory, 'callee.csv'));
  const setups = await setupTimes(directory);
  const refused = near('refused');
  const offered = near('OutgoingCall(C)');
  if (offered === 0) throw new Error('sipp made no call: try its command by hand');
  const succeeded = near('SuccessfulCall(C)') - refused;
  return {
    offered,
    succeeded,
    refused,
    // What was still under way when the time was over has failed, too.
    failed: offered - succeeded - refused,
    retransmissions: near('Retransmissions(C)') + far('Retransmissions(C)'),
    seconds: elapsed,
    setupP50: quantile(setups, 0.5),
    setupP99: quantile(setups, 0.99),
    cpu,
  };
}

/** Ends what a broken run left behind. */
export function killLoad(): void {
  for (const child of running) child.kill('SIGKILL');
}

function scenario(name: 'caller' | 'callee'): string {
  return fileURLToPath(new URL(`./${name}.xml`, import.meta.url));
}

function sipp(cwd: string, options: readonly string[]): ChildProcess {
  const child = spawn('sipp', options, { cwd, stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', () => reject(new Error('sipp did not start: install it (Debian: sip-tester)')));
  });
}

function sum(usage: Usage): number {
  return Object.values(usage).reduce((all, used) => all + used, 0);
}

/** The newest figures of a statistics file, by column. */
async function lastLine(file: string): Promise<(column: string) => number> {
  const lines = (await readFile(file, 'latin1')).trim().split('\n');
  const names = lines[0]?.split(';') ?? [];
  const values = lines.at(-1)?.split(';') ?? [];
  return (column) => {
    const at = names.findIndex((name) => name === column || name === `${column}(C)`);
    if (at < 0) throw new Error(`sipp's statistics have no column ${column}: ${names.join(' ')}`);
    return Number(values[at]);
  };
}

async function setupTimes(directory: string): Promise<number[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('_rtt.csv'));
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'latin1')));
  return texts
    .flatMap((text) => text.trim().split('\n').slice(1))
    .map((line) => line.split(';'))
    .filter(([, , name]) => name?.trim() === 'setup')
    .map(([, milliseconds]) => Number(milliseconds))
    .sort((one, other) => one - other);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
