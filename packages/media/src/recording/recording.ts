import { type RecordedDigit, type RecordedPacket, Recorder, type Side, type SideCounts } from './recorder.ts';
import { createFile, FrameWriter, type RecordingFailure, type WriterResult } from './writer.ts';

export interface CallRecordingOptions {
  /** Must not exist; made with mode 0600. */
  readonly file: string;
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes of `random.bytes`, new for each file. */
  readonly salt: Uint8Array;
  /** Monotonic milliseconds of the first sample. */
  readonly startedAt: number;
  /** Samples of the first frame, 1 to 4,000: give `1 + random.integer(4000)`, so that calls don't write in step. */
  readonly lead: number;
  /** The recording is over, the call goes on. Called at most once; `stop` still closes the file. */
  readonly onFailed: (failure: RecordingFailure) => void;
}

export interface CallRecordingResult extends WriterResult {
  readonly counts: Readonly<Record<Side, SideCounts>>;
}

/** One call being recorded: the time line and the file behind it. */
export interface CallRecording {
  packet(packet: RecordedPacket): void;
  digit(digit: RecordedDigit): void;
  /** To be called with the monotonic time at least every 100 ms, packets or not. */
  advance(now: number): void;
  /**
   * Writes all up to `now` and the last frame, syncs, closes. Never rejects; the same promise for every call. Takes
   * as long as the disk does.
   */
  stop(now: number): Promise<CallRecordingResult>;
  readonly counts: Readonly<Record<Side, SideCounts>>;
}

/** Rejects with the system's error when the file can't be made (`EEXIST`, `ENOSPC`, …). */
export async function startCallRecording(options: CallRecordingOptions): Promise<CallRecording> {
  let writer: FrameWriter | undefined;
  // Made first, so that an impossible `lead` leaves no file behind.
  const recorder = new Recorder({
    startedAt: options.startedAt,
    lead: options.lead,
    emit: (frame, last) => writer?.append(frame, last),
  });
  const started = await FrameWriter.start(() => createFile(options.file), options);
  writer = started;
  let stopped: Promise<CallRecordingResult> | undefined;
  return {
    packet: (packet) => recorder.packet(packet),
    digit: (digit) => recorder.digit(digit),
    advance: (now) => recorder.advance(now),
    stop(now) {
      if (stopped === undefined) {
        recorder.finish(now);
        stopped = started.end().then((result) => ({ ...result, counts: recorder.counts }));
      }
      return stopped;
    },
    get counts() {
      return recorder.counts;
    },
  };
}
