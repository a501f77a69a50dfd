/** The systems that are measured, each in processes of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Usage, usageOf } from './cpu.ts';
import { calleePort } from './sipp.ts';

export interface System {
  readonly name: string;
  readonly port: number;
  usage(): Usage;
  /** Counters of its own that say why calls failed. */
  notes(): Promise<string>;
  /** Waits until no call of the step before is left; at most 40 s, a SIP transaction's life. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export interface PlatformOptions {
  /** Everything it writes goes here. */
  readonly directory: string;
  readonly databaseUrl: string | undefined;
  /** CPU profiles of all threads are written here when it ends. */
  readonly profile: string | undefined;
}

const sipPort = 7_060;
const httpPort = 7_080;
const key = 'bench-key-0123456789abcdef';
const startMilliseconds = 60_000;
/** Clients that open sessions side by side. */
const clients = 12;

/** `samar serve` as it is deployed, with room for the load: descriptors, RTP ports, calls. */
export async function startPlatform(options: PlatformOptions): Promise<System> {
  const main = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));
  const profiling = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`];
  const child = spawn(
    'sh',
    ['-c', 'ulimit -n 65536 2>/dev/null; exec "$0" "$@"', process.execPath, ...profiling, main, 'serve'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        SAMAR_SIP_HOST: '127.0.0.1',
        SAMAR_SIP_PORT: String(sipPort),
        SAMAR_HTTP_HOST: '127.0.0.1',
        SAMAR_HTTP_PORT: String(httpPort),
        SAMAR_RTP_PORTS: '10000-32767',
        SAMAR_MAX_CALLS: '20000',
        SAMAR_CALLS_PER_WORKER: '10000',
        SAMAR_RATE_LIMIT: '1000000',
        SAMAR_DRAIN_SECONDS: '0',
        SAMAR_DATA_DIR: join(options.directory, 'data'),
        SAMAR_ADMIN_KEY: key,
        ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      },
    },
  );
  const troubles = new Map<string, number>();
  await ready(child, 'Samar', (line) => {
    const { level, msg, error, details } = parsed(line);
    if (level === 'warn' || level === 'error') {
      const trouble = [msg, error, details].filter((word) => word !== undefined).join(': ');
      troubles.set(trouble, (troubles.get(trouble) ?? 0) + 1);
    }
    return msg === 'ready';
  });
  const counters = countersAt();
  return {
    name: 'Samar',
    port: sipPort,
    usage: () => usageOf(child.pid ?? 0),
    async notes() {
      const logged = [...troubles].map(([trouble, times]) => `${trouble} ×${times}`);
      troubles.clear();
      return [...(await counters()), ...logged].join(', ');
    },
    async settle() {
      for (let tries = 0; tries < 80; tries++) {
        if (/^samar_calls 0$/m.test(await metrics())) return;
        await sleep(500);
      }
    },
    stop: () => end(child),
  };
}

/** Kamailio as the reference: a proxy that only passes calls on. Undefined when it is not installed. */
export async function startKamailio(): Promise<System | undefined> {
  const port = sipPort + 10;
  const config = fileURLToPath(new URL('./kamailio.cfg', import.meta.url));
  const path = `${process.env['PATH']}:/usr/sbin:/usr/local/sbin`;
  const child = spawn(
    'kamailio',
    [
      '-f',
      config,
      '-DD',
      '-E',
      '-m',
      '256',
      '-A',
      `LISTEN=udp:127.0.0.1:${port}`,
      '-A',
      `CALLEE=127.0.0.1:${calleePort}`,
    ],
    { stdio: 'ignore', env: { PATH: path } },
  );
  const missing = await Promise.race([
    new Promise<boolean>((resolve) => child.once('error', () => resolve(true))),
    sleep(1_500).then(() => false),
  ]);
  if (missing) return undefined;
  if (child.exitCode !== null) throw new Error(`kamailio ended with ${child.exitCode}`);
  return {
    name: 'Kamailio',
    port,
    usage: () => usageOf(child.pid ?? 0),
    notes: async () => '',
    settle: () => sleep(1_000),
    stop: () => end(child),
  };
}

/** Carrier, numbers and sessions through the API; an injection file of callers and what they dial. */
export async function fillPlatform(directory: string, sessions: number): Promise<string> {
  await post('/v1/carriers', {
    name: 'sipp',
    kind: 'sip',
    host: '127.0.0.1',
    port: calleePort,
    transport: 'udp',
  });
  const numbers = Array.from({ length: 60 }, (_, index) => `+6221500${String(10_000 + index)}`);
  await post('/v1/numbers', { numbers, pool: 'default', carrier: 'sipp', capabilities: ['voice'] });
  const lines: string[] = [];
  let next = 0;
  async function client(): Promise<void> {
    for (let index = next++; index < sessions; index = next++) {
      // Each agent has ten jobs at once.
      const agent = `+62811${String(1_000_000 + Math.floor(index / 10))}`;
      const customer = `+62812${String(1_000_000 + index)}`;
      const participants = [
        { role: 'agent', phone: agent },
        { role: 'customer', phone: customer },
      ];
      const session = await post('/v1/sessions', { participants, ttlSeconds: 86_400 });
      const [dial, back] = (session as { participants: { dial: string }[] }).participants.map(
        (one) => one.dial,
      );
      lines.push(`${agent};${dial}`, `${customer};${back}`);
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  return writeNumbers(directory, lines);
}

async function writeNumbers(directory: string, lines: readonly string[]): Promise<string> {
  const file = join(directory, 'numbers.csv');
  await mkdir(directory, { recursive: true });
  await writeFile(file, `SEQUENTIAL\n${lines.join('\n')}\n`);
  return file;
}

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** What counted up since the last time, of counters that tell about failures. */
function countersAt(): () => Promise<string[]> {
  const before = new Map<string, number>();
  return async () => {
    const text = await metrics();
    const found: string[] = [];
    for (const [, event = '', value] of text.matchAll(
      /^samar_switch_events_total\{.*?="([^"]+)".*?\} (\d+)$/gm,
    )) {
      const more = Number(value) - (before.get(event) ?? 0);
      before.set(event, Number(value));
      if (more > 0) found.push(`${event} ${more}`);
    }
    return found;
  };
}

async function metrics(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return response.text();
}

function parsed(line: string): Readonly<Record<string, string | undefined>> {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

/** Resolves at the line that says so; keeps reading for as long as the process runs. */
function ready(child: ChildProcess, name: string, isReady: (line: string) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} was not ready within a minute`));
    }, startMilliseconds);
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (!isReady(line)) continue;
        clearTimeout(late);
        resolve();
      }
    });
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`${name} ended with ${code}`));
    });
  });
}

/** SIGTERM, and SIGKILL when that takes longer than ten seconds. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const cut = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(cut);
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
