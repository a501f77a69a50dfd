import type { MediaEngine } from '@samar/media';
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import { readBacklog } from '../store/queries/backlog.ts';
import type { Database } from '../store/types.ts';
import type { Switch, SwitchEvents } from '../switch/index.ts';

/** What `GET /metrics` shows of calls and media. Labels are words of our own: never an address, a number or an id. */
export interface PlatformMetrics {
  readonly switchEvents: Omit<SwitchEvents, 'log'>;
  watchSwitch(gate: Switch): void;
}

/** Background work that failed (it is tried again by itself), by its name. */
export function failureMetrics(registry: Registry): (task: string) => void {
  const failures = new Counter({
    name: 'samar_background_failures_total',
    help: 'Background work that failed and is tried again.',
    labelNames: ['task'],
    registers: [registry],
  });
  return (task) => failures.inc({ task });
}

/** What waits in the database, of all nodes. A database that is away leaves the last figures out. */
export function backlogMetrics(registry: Registry, database: Database): void {
  new Gauge({
    name: 'samar_backlog',
    help: 'What waits for background work, of all nodes; counted to 10,000.',
    labelNames: ['of'],
    registers: [registry],
    async collect() {
      this.reset();
      const backlog = await readBacklog(database).catch(() => undefined);
      for (const [of, count] of Object.entries(backlog ?? {})) this.set({ of }, count);
    },
  });
}

export function platformMetrics(registry: Registry, parts: { readonly media: MediaEngine }): PlatformMetrics {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const started = new Counter({ name: 'samar_calls_started_total', help: 'Inbound calls taken.', registers });
  const ended = new Counter({
    name: 'samar_calls_ended_total',
    help: 'Calls by what became of them.',
    labelNames: ['outcome', 'refusal'],
    registers,
  });
  const seconds = new Histogram({
    name: 'samar_call_seconds',
    help: 'From INVITE to the end.',
    labelNames: ['outcome'],
    buckets: [0.1, 1, 5, 15, 30, 60, 120, 300, 900, 3_600],
    registers,
  });
  const events = new Counter({
    name: 'samar_switch_events_total',
    help: 'What the switch and the SIP stack count: refusals, drops, failures.',
    labelNames: ['event'],
    registers,
  });
  let gate: Switch | undefined;
  new Gauge({
    name: 'samar_calls',
    help: 'Calls alive now.',
    registers,
    collect() {
      this.set(gate?.counts.calls ?? 0);
    },
  });
  new Gauge({
    name: 'samar_media_legs',
    help: 'Legs that hold an RTP port now.',
    registers,
    collect() {
      this.set(parts.media.counts.legs);
    },
  });
  new Gauge({
    name: 'samar_media_ports_free',
    help: 'RTP ports that no call uses.',
    registers,
    collect() {
      this.set(parts.media.counts.portsFree);
    },
  });
  new Gauge({
    name: 'samar_media_packets',
    help: 'RTP packets since start.',
    labelNames: ['what'],
    registers,
    async collect() {
      const { packetsIn, packetsOut, dropped, lag } = await parts.media.statistics();
      this.set({ what: 'in' }, packetsIn);
      this.set({ what: 'out' }, packetsOut);
      this.set({ what: 'lag_milliseconds' }, lag);
      for (const [reason, count] of Object.entries(dropped)) this.set({ what: `dropped_${reason}` }, count);
    },
  });
  return {
    switchEvents: {
      callStarted: () => started.inc(),
      callEnded(end) {
        ended.inc({ outcome: end.outcome, refusal: end.refusal ?? '' });
        seconds.observe({ outcome: end.outcome }, end.seconds);
      },
      count: (event) => events.inc({ event }),
    },
    watchSwitch(watched) {
      gate = watched;
    },
  };
}
