import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runningEmbeddedUrl } from '../../packages/server/src/store/embedded/running.ts';
import { type ApiCall, adminKey, apiAt, pause } from './platform.ts';
import { takeRtpPorts } from './ports.ts';
import { freePort } from './sipp.ts';

/** A whole platform as a process of its own, which can be killed and started again on the same data. */
export interface ChildPlatform {
  readonly call: ApiCall;
  readonly sipPort: number;
  readonly dataDir: string;
  /** Every log line of every life so far. */
  readonly log: readonly string[];
  /** Starts it; resolves when it says that it is ready, to the milliseconds that it took since it was spawned. */
  start(): Promise<number>;
  /** Of the present life; resolves when the process is gone. */
  readonly exited: Promise<Exit>;
  /** To the platform's process alone. */
  signal(name: NodeJS.Signals): void;
  /** `kill -9` to the embedded PostgreSQL's first process, whose others follow it by themselves. */
  killDatabase(): void;
  /** Of the embedded database, for questions beside the platform. */
  databaseUrl(): string;
  /** Ends what still runs, and removes the data. */
  remove(): Promise<void>;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Everything that stands on standard error. */
  readonly said: string;
}

const main = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));

/** `environment` goes before our own settings. `limit`: no file of the platform grows past this many KiB. */
export async function childPlatform(
  environment: Readonly<Record<string, string>> = {},
  limit?: { readonly fileKibibytes: number },
): Promise<ChildPlatform> {
  const directory = await mkdtemp(join(tmpdir(), 'samar-child-'));
  // PostgreSQL runs under another account than root's.
  chmodSync(directory, 0o755);
  const dataDir = join(directory, 'data');
  const httpPort = await freePort('127.0.0.1');
  const sipPort = await freePort('127.0.0.1');
  const { from, to } = takeRtpPorts(1_000);
  const log: string[] = [];
  let child: ChildProcess | undefined;
  let exited: Promise<Exit> = Promise.reject(new Error('not started'));
  exited.catch(() => {});

  function spawned(): ChildProcess {
    const words = [process.execPath, main, 'serve'];
    // `ulimit -f` counts in 512 bytes; Node ignores the signal, so that a write past it fails with EFBIG.
    const [program = '', ...args] =
      limit === undefined
        ? words
        : ['/bin/sh', '-c', `ulimit -f ${limit.fileKibibytes * 2} && exec "$@"`, 'sh', ...words];
    return spawn(program, args, {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        TMPDIR: tmpdir(),
        SAMAR_HTTP_HOST: '127.0.0.1',
        SAMAR_HTTP_PORT: String(httpPort),
        SAMAR_SIP_HOST: '127.0.0.1',
        SAMAR_SIP_PORT: String(sipPort),
        SAMAR_RTP_PORTS: `${from}-${to}`,
        SAMAR_DATA_DIR: dataDir,
        SAMAR_ADMIN_KEY: adminKey,
        SAMAR_RATE_LIMIT: '100000',
        ...environment,
      },
    });
  }

  async function start(): Promise<number> {
    const began = performance.now();
    const process = spawned();
    child = process;
    let said = '';
    process.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const gone = new Promise<Exit>((resolve, reject) => {
      process.once('error', reject);
      process.once('close', (code, signal) => resolve({ code, signal, said }));
    });
    exited = gone;
    await new Promise<void>((resolve, reject) => {
      let rest = '';
      process.stdout?.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        log.push(...lines);
        if (lines.some((line) => line.includes('"msg":"ready"'))) resolve();
      });
      gone.then(({ code }) => reject(new Error(`the platform ended with ${code}: ${said}`)), reject);
    });
    return performance.now() - began;
  }

  function databasePid(): number | undefined {
    try {
      const [pid] = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
      return Number(pid) || undefined;
    } catch {
      return undefined;
    }
  }

  /** Only while the process is really that PostgreSQL: its lock file outlives it. */
  function killDatabase(): void {
    const pid = databasePid();
    if (pid !== undefined && runningEmbeddedUrl(dataDir) !== undefined) process.kill(pid, 'SIGKILL');
  }

  return {
    call: apiAt(`http://127.0.0.1:${httpPort}`),
    sipPort,
    dataDir,
    log,
    start,
    get exited() {
      return exited;
    },
    signal: (name) => void child?.kill(name),
    killDatabase,
    databaseUrl() {
      const url = runningEmbeddedUrl(dataDir);
      if (url === undefined) throw new Error('no database runs');
      return url;
    },
    async remove() {
      if (child && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await exited.catch(() => {});
      }
      killDatabase();
      // Its other processes need a moment to notice; until then they hold the directory.
      await pause(300);
      await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
