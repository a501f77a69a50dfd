import { createRecorder, type RecordedPacket, type Recorder, type Side } from './recorder.ts';

/** A recorder whose frames are put together, for tests. */
export interface Timeline {
  readonly recorder: Recorder;
  /** Speech packets of 20 ms, all of one byte: `at` is the arrival, `nth` numbers sequence and timestamp. */
  send(nth: number, at: number, byte: number, change?: Partial<RecordedPacket>): void;
  /** Sample numbers per frame emitted so far. */
  readonly frames: readonly number[];
  /** Finishes at `now` and gives one side. */
  finish(now: number): void;
  channel(side: Side): Uint8Array;
}

export const SILENT = 0xff;

export function timeline(lead?: number): Timeline {
  const parts: Uint8Array[] = [];
  const recorder = createRecorder({
    startedAt: 0,
    ...(lead === undefined ? {} : { lead }),
    emit: (frame) => parts.push(frame.slice()),
  });
  return {
    recorder,
    send(nth, at, byte, change = {}) {
      recorder.packet({
        side: 'left',
        ssrc: 7,
        sequence: nth & 0xffff,
        timestamp: (nth * 160) >>> 0,
        arrival: at,
        codec: 'PCMU',
        payload: new Uint8Array(160).fill(byte),
        ...change,
      });
    },
    get frames() {
      return parts.map((part) => part.length / 2);
    },
    finish: (now) => recorder.finish(now),
    channel(side) {
      const all = Buffer.concat(parts);
      const first = side === 'left' ? 0 : 1;
      return Uint8Array.from({ length: all.length / 2 }, (_, i) => all[2 * i + first] as number);
    },
  };
}

/** Runs of equal bytes as [byte, samples], to look at a channel in one line. */
export function runs(channel: Uint8Array): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const byte of channel) {
    const last = found.at(-1);
    if (last !== undefined && last[0] === byte) last[1]++;
    else found.push([byte, 1]);
  }
  return found;
}
