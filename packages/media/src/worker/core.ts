/**
 * A worker's calls: takes commands, drives legs, reports. Knows no thread: it runs wherever it is given doors and
 * somebody to report to, in a test under simulated ones.
 */
import type { Doors } from '@samar/doors';
import { createCounters } from '../rtp/counters.ts';
import { Leg } from '../rtp/leg.ts';
import type { LegQuality, Playable } from '../types.ts';
import { createTapeMaker, createWheel, type PlayEnd, type Playing } from './player.ts';
import type { Answer, Command, Question, Report, WorkerSettings, WorkerStatistics } from './protocol.ts';
import { type Recorded, startRecording } from './record.ts';
import { createSockets, type Pair } from './sockets.ts';

/** How often legs are looked after: reports that fall due, silence. */
const TEND_MILLISECONDS = 200;

export interface Core {
  handle(command: Command): void;
}

interface LegHere {
  readonly id: number;
  readonly leg: Leg;
  readonly pair: Pair;
  readonly call: CallHere;
  partner: LegHere | undefined;
  playing: { readonly id: number; readonly turn: Playing } | undefined;
}

interface CallHere {
  readonly id: number;
  readonly legs: LegHere[];
  /** Of legs that were closed before the call; each leg's place is that of its opening. */
  readonly closed: Map<number, LegQuality>;
  readonly order: number[];
  recording: Recorded | undefined;
}

export const NOTHING_MEASURED: LegQuality = {
  packetsSent: 0,
  packetsReceived: 0,
  packetsLost: 0,
  jitter: 0,
  remotePacketsLost: undefined,
  remoteJitter: undefined,
  roundTrip: undefined,
};

export function createCore(doors: Doors, settings: WorkerSettings, report: (report: Report) => void): Core {
  const counters = createCounters();
  const sockets = createSockets(doors.network, settings.address, counters);
  const wheel = createWheel(doors);
  const tapes = createTapeMaker(settings.prompts);
  const calls = new Map<number, CallHere>();
  const legs = new Map<number, LegHere>();
  let tending = false;

  function tend(): void {
    const now = doors.clock.monotonic();
    for (const { leg } of legs.values()) leg.tend(now);
    tending = legs.size > 0;
    if (tending) doors.timers.after(TEND_MILLISECONDS, tend);
  }

  function open(callId: number, legId: number, port: number): void {
    const pair = sockets.pair(port);
    if (pair === undefined || pair.leg !== undefined)
      throw new Error('a leg was opened on a port that is not free');
    let call = calls.get(callId);
    if (call === undefined) {
      call = { id: callId, legs: [], closed: new Map(), order: [], recording: undefined };
      calls.set(callId, call);
    }
    const leg = new Leg(doors, pair, counters, settings.silence, {
      digit: (digit, milliseconds) => report({ kind: 'digit', leg: legId, digit, milliseconds }),
      silent: () => report({ kind: 'silent', leg: legId }),
    });
    const here: LegHere = { id: legId, leg, pair, call, partner: undefined, playing: undefined };
    pair.leg = leg;
    legs.set(legId, here);
    call.legs.push(here);
    call.order.push(legId);
    if (!tending) {
      tending = true;
      doors.timers.after(TEND_MILLISECONDS, tend);
    }
  }

  function part(here: LegHere): void {
    here.partner?.leg.feed(undefined);
    if (here.partner !== undefined) here.partner.partner = undefined;
    here.leg.feed(undefined);
    here.partner = undefined;
  }

  function bridge(one: LegHere, other: LegHere): void {
    if (one.partner === other) return;
    part(one);
    part(other);
    one.partner = other;
    other.partner = one;
    one.leg.feed(other.leg);
    other.leg.feed(one.leg);
  }

  function endPlay(here: LegHere, how: PlayEnd): void {
    const playing = here.playing;
    if (playing === undefined) return;
    playing.turn.stop();
    here.playing = undefined;
    here.leg.hold(false);
    report({ kind: 'played', leg: here.id, play: playing.id, how });
  }

  function play(here: LegHere, id: number, what: Playable): void {
    endPlay(here, 'stopped');
    const tape = tapes.make(what);
    // The engine refuses unknown names; a tape is missing only if the two disagree.
    if (tape === undefined) {
      report({ kind: 'played', leg: here.id, play: id, how: 'stopped' });
      return;
    }
    here.leg.hold(true);
    here.playing = { id, turn: wheel.start(here.leg, tape, () => endPlay(here, 'finished')) };
  }

  function closeLeg(here: LegHere): LegQuality {
    endPlay(here, 'closed');
    part(here);
    here.leg.tap(undefined);
    const quality = here.leg.quality();
    here.leg.close();
    here.pair.leg = undefined;
    legs.delete(here.id);
    here.call.legs.splice(here.call.legs.indexOf(here), 1);
    here.call.closed.set(here.id, quality);
    report({ kind: 'freed', leg: here.id });
    return quality;
  }

  async function stopRecording(call: CallHere) {
    const recording = call.recording;
    call.recording = undefined;
    for (const { leg } of call.legs) leg.tap(undefined);
    return recording?.stop();
  }

  async function release(id: number): Promise<readonly LegQuality[]> {
    const call = calls.get(id);
    if (call === undefined) return [];
    calls.delete(id);
    for (const here of [...call.legs]) closeLeg(here);
    await stopRecording(call);
    return call.order.map((leg) => call.closed.get(leg) ?? NOTHING_MEASURED);
  }

  async function record(question: Question & { kind: 'record' }): Promise<undefined> {
    const call = calls.get(question.call);
    const left = legs.get(question.left);
    const right = question.right === undefined ? undefined : legs.get(question.right);
    const alone = question.right === undefined;
    if (call === undefined || left?.call !== call || !(alone || right?.call === call))
      throw new Error('the call is over');
    if (call.recording !== undefined) throw new Error('the call is being recorded already');
    const recording = await startRecording(doors, question, (reason) => {
      // What was written stays to be asked for: `stopRecording` tells its length and hash.
      for (const { leg } of call.legs) leg.tap(undefined);
      report({ kind: 'recording-failed', call: call.id, reason });
    });
    if (!calls.has(call.id) || call.recording !== undefined) {
      await recording.stop();
      throw new Error('the call is over');
    }
    call.recording = recording;
    left.leg.tap(recording.left, alone);
    right?.leg.tap(recording.right);
    return undefined;
  }

  function statistics(): WorkerStatistics {
    return {
      packetsIn: counters.packetsIn,
      packetsOut: counters.relayed + counters.played,
      dropped: { ...counters.dropped },
      portsBound: sockets.bound,
    };
  }

  async function answer(question: Question): Promise<Answer> {
    switch (question.kind) {
      case 'quality':
        return legs.get(question.leg)?.leg.quality() ?? NOTHING_MEASURED;
      case 'close-leg': {
        const here = legs.get(question.leg);
        return here === undefined ? NOTHING_MEASURED : closeLeg(here);
      }
      case 'release':
        return release(question.call);
      case 'record':
        return record(question);
      case 'stop-recording': {
        const call = calls.get(question.call);
        return call === undefined ? undefined : stopRecording(call);
      }
      case 'statistics':
        return statistics();
      case 'shut':
        await Promise.all([...calls.keys()].map(release));
        await sockets.close();
        return undefined;
    }
  }

  async function reply(question: Question): Promise<void> {
    try {
      report({ kind: 'answer', question: question.question, answer: await answer(question) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      report({ kind: 'refusal', question: question.question, reason });
    }
  }

  return {
    handle(command) {
      switch (command.kind) {
        case 'bind':
          void sockets.bind(command.ports).then((bound) => report({ kind: 'bound', ...bound }));
          return;
        case 'open':
          open(command.call, command.leg, command.port);
          return;
        case 'remote':
          legs.get(command.leg)?.leg.setRemote(command.remote);
          return;
        case 'bridge': {
          const one = legs.get(command.one);
          const other = legs.get(command.other);
          if (one !== undefined && other !== undefined) bridge(one, other);
          return;
        }
        case 'unbridge':
          for (const here of calls.get(command.call)?.legs ?? []) part(here);
          return;
        case 'play': {
          const here = legs.get(command.leg);
          if (here !== undefined) play(here, command.play, command.what);
          else report({ kind: 'played', leg: command.leg, play: command.play, how: 'closed' });
          return;
        }
        case 'stop': {
          const here = legs.get(command.leg);
          if (here !== undefined) endPlay(here, 'stopped');
          return;
        }
        default:
          void reply(command);
      }
    },
  };
}
