import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What PostgreSQL writes into `postmaster.pid` of its data directory. */
export interface PostmasterFile {
  readonly pid: number;
  readonly socketDirectory: string;
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | undefined;
}

/** Undefined when there is none, or it is empty (a power cut leaves that). */
export function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number.parseInt(lines[0] ?? '', 10);
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    return {
      pid,
      socketDirectory: lines[4]?.trim() ?? '',
      status: lines[7]?.trim() as PostmasterFile['status'],
    };
  } catch {
    return undefined;
  }
}

/** True only for a live process that is PostgreSQL at work in this directory: process ids are used again. */
export function isPostmaster(pid: number, cluster: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') {
    const command = spawnSync('ps', ['-o', 'stat=,command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
    return /postgres/.test(command) && !command.trimStart().startsWith('Z');
  }
  try {
    // The third field, after the name in parentheses, is the state. A zombie's directory cannot be read either.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'Z') return false;
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster);
  } catch {
    return false;
  }
}

/**
 * Stops a server: first `fast` (sessions are cut, everything is written), then `immediate` (it recovers at the next
 * start), and at last by force; each step is given its time. Resolves when the process is gone.
 */
export async function stopPostmaster(
  pid: number,
  cluster: string,
  patience: { readonly fastMilliseconds: number; readonly immediateMilliseconds: number },
): Promise<void> {
  const steps = [
    ['SIGINT', patience.fastMilliseconds],
    ['SIGQUIT', patience.immediateMilliseconds],
    ['SIGKILL', 5000],
  ] as const;
  for (const [signal, milliseconds] of steps) {
    if (!isPostmaster(pid, cluster)) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    if (await gone(pid, cluster, milliseconds)) return;
  }
}

async function gone(pid: number, cluster: string, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    if (!isPostmaster(pid, cluster)) return true;
    await sleep(10);
  }
  return !isPostmaster(pid, cluster);
}
