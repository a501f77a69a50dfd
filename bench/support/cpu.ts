/** CPU time of processes and of the machine, from /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds a clock tick: USER_HZ is 100 on every Linux that Node runs on. */
const TICK = 10;

interface Stat {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  /** Milliseconds, user and system. */
  readonly used: number;
  /** Of children that have ended and were waited for. */
  readonly children: number;
}

/** Milliseconds of CPU by name of part: `main`, `media`, … for the threads of a Node process; `postgres` for a database. */
export type Usage = Readonly<Record<string, number>>;

function readStat(path: string): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return undefined; // It ended meanwhile.
  }
  const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number) => Number(fields[index]) * TICK;
  return {
    pid: Number(text.slice(0, text.indexOf(' '))),
    name,
    parent: Number(fields[1]),
    used: ticks(11) + ticks(12),
    children: ticks(13) + ticks(14),
  };
}

/** A process and everything below it, by name; threads of `node` are told apart. */
export function usageOf(root: number): Usage {
  const all = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => readStat(`/proc/${entry}/stat`))
    .filter((stat) => stat !== undefined);
  const usage: Record<string, number> = {};
  const add = (name: string, used: number) => {
    usage[name] = (usage[name] ?? 0) + used;
  };
  const below = new Set([root]);
  for (let before = 0; before < below.size; ) {
    before = below.size;
    for (const stat of all) if (below.has(stat.parent)) below.add(stat.pid);
  }
  for (const stat of all) {
    if (!below.has(stat.pid)) continue;
    if (stat.pid === root && /^(node|MainThread)/.test(stat.name)) {
      for (const [name, used] of threadsOf(root)) add(name, used);
    } else {
      add(stat.name, stat.used + (stat.name === 'postgres' ? stat.children : 0));
    }
  }
  return usage;
}

function threadsOf(pid: number): readonly (readonly [string, number])[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readStat(`/proc/${pid}/task/${thread}/stat`);
    const name =
      stat?.pid === pid ? 'main' : /^(media|.*[Ww]orker: )/.test(stat?.name ?? '') ? 'media' : 'helpers';
    return [name, stat?.used ?? 0] as const;
  });
}

export function usedBetween(before: Usage, after: Usage): Usage {
  return Object.fromEntries(Object.entries(after).map(([name, used]) => [name, used - (before[name] ?? 0)]));
}

export function totalOf(usage: Usage): number {
  return Object.values(usage).reduce((sum, used) => sum + used, 0);
}

/** Milliseconds that the machine's cores were busy, and that passed on all of them, since it started. */
export function machineUsage(): { readonly busy: number; readonly all: number } {
  const [first = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = first
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) * TICK);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, all: busy + idle + wait };
}
