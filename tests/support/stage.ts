import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevCarrier, createPhone, type DevCarrier, type Phone } from '@samar/devcarrier';
import { nodeDoors } from '@samar/doors';
import { createMediaEngine, type MediaEngine } from '@samar/media';
import type { Trunk } from '../../packages/server/src/masking/service.ts';
import type { DecisionTarget, Run, Step } from '../../packages/server/src/masking/types.ts';
import { createSwitch } from '../../packages/server/src/switch/switch.ts';
import type { Switch, SwitchLimits, SwitchOptions } from '../../packages/server/src/switch/types.ts';
import { takeRtpPorts } from './ports.ts';
import { type ScriptedMasking, scriptedMasking } from './scripted-masking.ts';
import { tonePrompts } from './tones.ts';

/** A switch with real SIP, real media and real phones on loopback; only the heart is scripted. */
export interface Stage {
  readonly masking: ScriptedMasking;
  readonly gate: Switch;
  readonly media: MediaEngine;
  readonly recordings: string;
  /** Every event that the switch counted. */
  readonly counted: readonly string[];
  readonly log: readonly string[];
  /** A phone that answers after 300 ms. Numbered from 1. */
  phone(index: number): Promise<Phone>;
  close(): Promise<void>;
}

export const tenant = 'default';
export const session = 'ses_1';
/** What everybody dials here. */
export const dialled = '+6221500001';

/** `silence`: milliseconds without RTP after which a leg counts as silent. */
export async function startStage(
  limits: Partial<SwitchLimits> = {},
  silence = 30_000,
  more: Pick<SwitchOptions, 'reportCall'> = {},
): Promise<Stage> {
  const doors = nodeDoors();
  const recordings = await mkdtemp(join(tmpdir(), 'samar-stage-'));
  const masking = scriptedMasking();
  const counted: string[] = [];
  const log: string[] = [];
  const media = await createMediaEngine({
    doors,
    address: '127.0.0.1',
    ports: takeRtpPorts(200),
    prompts: tonePrompts.audio,
    workers: 1,
    silence,
  });
  let trunks: readonly Trunk[] = [];
  const gate = await createSwitch({
    doors,
    masking,
    media,
    prompts: tonePrompts,
    trunks: async () => trunks,
    listen: [{ transport: 'udp', address: '127.0.0.1', port: 0 }],
    publicHost: '127.0.0.1',
    mediaAddress: '127.0.0.1',
    recordings,
    ...more,
    limits: { consent: 700, ...limits },
    events: {
      count: (event) => void counted.push(event),
      log: (level, message, details) => void log.push(JSON.stringify({ level, message, ...details })),
    },
  });
  const network: DevCarrier = await createDevCarrier({
    doors,
    address: '127.0.0.1',
    port: 0,
    trunk: { host: '127.0.0.1', port: gate.bound[0]?.port ?? 0, transport: 'udp' },
  });
  trunks = [trunkTo(network.local.port)];
  await gate.refreshTrunks();
  const phones = new Map<number, Phone>();
  return {
    masking,
    gate,
    media,
    recordings,
    counted,
    log,
    async phone(index) {
      const number = numberOf(index);
      const phone =
        phones.get(index) ??
        (await createPhone({ doors, number, carrier: network.local, ringMilliseconds: 300 }));
      phones.set(index, phone);
      return phone;
    },
    async close() {
      await gate.close();
      for (const phone of phones.values()) await phone.close();
      await network.close();
      await media.close();
      await rm(recordings, { recursive: true, force: true });
    },
  };
}

function trunkTo(port: number): Trunk {
  return {
    id: 'car_1',
    tenant,
    name: 'test',
    kind: 'sip',
    host: '127.0.0.1',
    port,
    transport: 'udp',
    allowedSources: [],
    hasAuth: false,
    callerTrust: 'trusted',
    enabled: true,
    createdAt: new Date(0),
  };
}

function numberOf(index: number): string {
  return `+628110000000${index}`;
}

/** The participant who has this phone; each is shown a virtual number of its own. */
export function target(index: number): DecisionTarget {
  return {
    participant: `par_${index}`,
    party: `party_${index}`,
    locale: 'en',
    phone: numberOf(index),
    callerId: `+622150001${index}`,
    number: `num_${index}`,
    carrier: 'car_1',
  };
}

/** What the heart decides for a call of participant 1. */
export function run(steps: readonly Step[], more: Partial<Run> = {}): Run {
  return {
    kind: 'run',
    tenant,
    session,
    caller: { participant: 'par_1', party: 'party_1', locale: 'en' },
    steps,
    recording: 'off',
    maxSeconds: 600,
    warnSeconds: 0,
    survey: undefined,
    reportAfterCall: false,
    trace: {
      program: { source: 'default' },
      at: '2026-01-01T00:00:00Z',
      timeZone: 'UTC',
      open: true,
      rules: [],
      forbidden: [],
      steps: [],
    },
    ...more,
  };
}

type ConnectMore = Partial<Extract<Step, { readonly kind: 'connect' }>>;

export function connect(indexes: readonly number[], more: ConnectMore = {}): Step {
  return {
    kind: 'connect',
    place: '/connect',
    targets: indexes.map(target),
    mode: 'hunt',
    ringSeconds: 60,
    accept: false,
    whisper: undefined,
    ...more,
  };
}

export const prompt = (name: string) => [{ kind: 'prompt', name }] as const;

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until it is so; fails after a generous time. */
export async function until(what: () => boolean, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!what()) {
    if (performance.now() > end) throw new Error(`it never came to be: ${what}`);
    await pause(20);
  }
}
