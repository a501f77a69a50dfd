/** A call and its legs as the main thread's users hold them. They only speak to the worker that has the call. */
import { isIP } from 'node:net';
import type { Endpoint } from '@samar/doors';
import { SAMPLE_RATE } from './codec/index.ts';
import type {
  Digit,
  LegQuality,
  MediaCall,
  MediaLeg,
  Playable,
  RecordingOptions,
  RecordingSummary,
  RemoteLeg,
} from './types.ts';
import { NOTHING_MEASURED } from './worker/core.ts';
import type { Host } from './worker/host.ts';
import type { Answer, Report } from './worker/protocol.ts';

/** Prompts in one `play`, and how often a whole can be repeated: a call doesn't last for ever. */
export const MOST_PROMPTS = 64;
const MOST_REPEATS = 1000;
/** Five minutes. */
const MOST_SAMPLES = 300 * SAMPLE_RATE;
/** What a worker may hold to be played, bytes: 55 messages of five minutes at once, or 800 of 20 seconds. */
const MOST_SAMPLE_BYTES = 2 ** 28;
/** Networks of one carrier. */
const MOST_NETWORKS = 256;
/** Legs of one call, closed ones counted: a group of ten with five phones each may be rung one after another. */
const MOST_LEGS = 64;

export interface CallHandle {
  readonly call: MediaCall;
  hear(report: Report): void;
  /** The worker crashed: everything of this call is over. */
  lost(): void;
}

export interface CallContext {
  readonly address: string;
  readonly host: Host;
  readonly knownPrompts: ReadonlyMap<string, unknown>;
  readonly calls: Map<number, CallHandle>;
  readonly legs: Map<number, CallHandle>;
  /** Bytes of samples that were given to the worker and are still being played. */
  readonly samples: { bytes: number };
  nextId(): number;
  busy(reason: 'ports' | 'samples'): Error;
}

interface LegState {
  readonly id: number;
  readonly port: number;
  readonly plays: Map<number, (how: 'finished' | 'stopped' | 'closed') => void>;
  digit: (digit: Digit, milliseconds: number) => void;
  silent: () => void;
  /** Set once it is being closed. */
  closing: Promise<LegQuality> | undefined;
}

export function createCallHandle(context: CallContext): MediaCall {
  const { host } = context;
  const id = context.nextId();
  const states = new Map<MediaLeg, LegState>();
  const byId = new Map<number, LegState>();
  const order: LegState[] = [];
  let opening = 0;
  let failed: (reason: string) => void = () => {};
  let released: Promise<readonly LegQuality[]> | undefined;

  function stateOf(leg: MediaLeg): LegState {
    const state = states.get(leg);
    if (state === undefined) throw new TypeError('media: the leg belongs to another call');
    return state;
  }

  async function openLeg(): Promise<MediaLeg> {
    if (released !== undefined || !host.alive) throw context.busy('ports');
    if (order.length + opening >= MOST_LEGS) throw new RangeError('media: too many legs in one call');
    const taken = host.ports.take();
    opening++;
    const port = typeof taken === 'object' ? await taken : taken;
    opening--;
    if (port === undefined) throw context.busy('ports');
    if (released !== undefined) {
      host.ports.give(port);
      throw context.busy('ports');
    }
    const state: LegState = {
      id: context.nextId(),
      port,
      plays: new Map(),
      digit: () => {},
      silent: () => {},
      closing: undefined,
    };
    host.tell({ kind: 'open', call: id, leg: state.id, port });
    const leg = createLegHandle(context, state, () => closeLeg(state));
    states.set(leg, state);
    byId.set(state.id, state);
    order.push(state);
    context.legs.set(state.id, handle);
    return leg;
  }

  /** The port is free for others when the worker reports the leg as `freed`. */
  function closeLeg(state: LegState): Promise<LegQuality> {
    state.closing ??= finish(
      state,
      host.ask({ kind: 'close-leg', leg: state.id }).then(qualityOf, () => NOTHING_MEASURED),
    );
    return state.closing;
  }

  async function finish(state: LegState, asked: Promise<LegQuality>): Promise<LegQuality> {
    const quality = await asked;
    endPlays(state);
    return quality;
  }

  async function release(): Promise<readonly LegQuality[]> {
    const open = order.filter((state) => state.closing === undefined);
    const asked =
      order.length === 0
        ? Promise.resolve([])
        : host.ask({ kind: 'release', call: id }).then(
            (answer) => (Array.isArray(answer) ? (answer as readonly LegQuality[]) : []),
            () => [],
          );
    for (const state of open) {
      const place = order.indexOf(state);
      state.closing = finish(
        state,
        asked.then((qualities) => qualities[place] ?? NOTHING_MEASURED),
      );
    }
    const qualities = await Promise.all(order.map((state) => state.closing ?? NOTHING_MEASURED));
    context.calls.delete(id);
    return qualities;
  }

  const call: MediaCall = {
    openLeg,
    bridge(one, other) {
      const [first, second] = [stateOf(one), stateOf(other)];
      if (first === second) throw new TypeError('media: a leg cannot be bridged to itself');
      host.tell({ kind: 'bridge', call: id, one: first.id, other: second.id });
    },
    unbridge() {
      host.tell({ kind: 'unbridge', call: id });
    },
    async startRecording({ file, id: name, key, left, right }: RecordingOptions) {
      const sides = { left: stateOf(left).id, right: right && stateOf(right).id };
      if (sides.left === sides.right) throw new TypeError('media: a leg is one side of a recording');
      await host.ask({ kind: 'record', call: id, ...sides, file, id: name, key });
    },
    async stopRecording() {
      return host.ask({ kind: 'stop-recording', call: id }).then(
        (answer) => answer as RecordingSummary | undefined,
        () => undefined,
      );
    },
    onRecordingFailed(handler) {
      failed = handler;
    },
    release() {
      released ??= release();
      return released;
    },
  };

  const handle: CallHandle = {
    call,
    hear(report) {
      if (report.kind === 'recording-failed') {
        failed(report.reason);
        return;
      }
      if (!('leg' in report)) return;
      const state = byId.get(report.leg);
      if (state === undefined) return;
      if (report.kind === 'freed') {
        context.legs.delete(state.id);
        host.ports.give(state.port);
      } else if (report.kind === 'digit') state.digit(report.digit, report.milliseconds);
      else if (report.kind === 'silent') state.silent();
      else {
        state.plays.get(report.play)?.(report.how);
        state.plays.delete(report.play);
      }
    },
    lost() {
      context.calls.delete(id);
      failed('the media worker is gone');
      for (const state of order) {
        context.legs.delete(state.id);
        endPlays(state);
        // Nothing will ever be heard of this leg: to its user it is a peer that fell silent.
        if (state.closing === undefined) state.silent();
      }
    },
  };
  context.calls.set(id, handle);
  return call;
}

function endPlays(state: LegState): void {
  for (const resolve of state.plays.values()) resolve('closed');
  state.plays.clear();
}

function createLegHandle(
  { host, address, knownPrompts, samples, nextId, busy }: CallContext,
  state: LegState,
  close: () => Promise<LegQuality>,
): MediaLeg {
  const local: Endpoint = { address, port: state.port };
  return {
    local,
    setRemote(remote: RemoteLeg) {
      checkRemote(remote);
      host.tell({ kind: 'remote', leg: state.id, remote });
    },
    async play(what: Playable) {
      checkPlayable(what, knownPrompts);
      if (state.closing !== undefined || !host.alive) return 'closed';
      const bytes = what.kind === 'samples' ? what.samples.byteLength : 0;
      if (samples.bytes + bytes > MOST_SAMPLE_BYTES) throw busy('samples');
      const play = nextId();
      const ended = new Promise<'finished' | 'stopped' | 'closed'>((resolve) =>
        state.plays.set(play, resolve),
      );
      host.tell({ kind: 'play', leg: state.id, play, what: takenOver(what) });
      if (bytes > 0) {
        samples.bytes += bytes;
        void ended.then(() => {
          samples.bytes -= bytes;
        });
      }
      return ended;
    },
    stopPlaying() {
      host.tell({ kind: 'stop', leg: state.id });
    },
    onDigit(handler) {
      state.digit = handler;
    },
    onSilent(handler) {
      state.silent = handler;
    },
    async quality() {
      if (state.closing !== undefined) return state.closing;
      return host.ask({ kind: 'quality', leg: state.id }).then(qualityOf, () => NOTHING_MEASURED);
    },
    close,
  };
}

function qualityOf(answer: Answer): LegQuality {
  return answer !== undefined && 'jitter' in answer ? answer : NOTHING_MEASURED;
}

/** What the worker would trip over is refused here. Throws a RangeError that names no address. */
function checkRemote(remote: RemoteLeg): void {
  const ports = [remote.port, remote.rtcpPort];
  const types = [remote.payloadType, remote.telephoneEvent ?? 0];
  const sound =
    isIP(remote.address) !== 0 &&
    ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536) &&
    types.every((type) => Number.isInteger(type) && type >= 0 && type < 128) &&
    remote.allowedSources.length <= MOST_NETWORKS &&
    remote.allowedSources.every(isNetwork);
  if (!sound) throw new RangeError('media: not a usable remote address, port, payload type or network');
}

function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

function checkPlayable(what: Playable, known: ReadonlyMap<string, unknown>): void {
  switch (what.kind) {
    case 'prompts': {
      const missing = what.names.find((name) => !known.has(name));
      if (missing !== undefined) throw new RangeError(`media: there is no prompt "${missing}"`);
      const repeat = what.repeat ?? 1;
      if (
        !Number.isInteger(repeat) ||
        repeat < 1 ||
        repeat > MOST_REPEATS ||
        what.names.length > MOST_PROMPTS
      ) {
        throw new RangeError('media: too many prompts or repetitions');
      }
      return;
    }
    case 'tone':
      if (!(what.hertz > 0 && what.hertz < 4000 && what.milliseconds > 0 && what.milliseconds <= 60_000)) {
        throw new RangeError('media: a tone has 1 to 3,999 Hz and lasts up to a minute');
      }
      return;
    case 'samples':
      if (!(what.samples instanceof Int16Array)) throw new TypeError('media: samples are an Int16Array');
      if (what.samples.length > MOST_SAMPLES) throw new RangeError('media: samples last 300 s at most');
      return;
    case 'ringback':
  }
}

/** Samples in memory of their own, which can move to another thread: the giver's array is empty from now on. */
function takenOver(what: Playable): Playable {
  if (what.kind !== 'samples') return what;
  const { buffer, byteLength } = what.samples;
  // A part of something larger must not take the rest with it.
  const whole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  return {
    kind: 'samples',
    samples: whole ? new Int16Array(buffer.transferToFixedLength()) : new Int16Array(what.samples),
  };
}
