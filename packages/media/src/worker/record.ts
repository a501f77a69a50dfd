/** A call's recorder: what its legs hear while they are bridged, or one of them alone, and the clock that makes it write. */
import type { Doors } from '@samar/doors';
import { type CallRecording, type Side, startCallRecording } from '../recording/index.ts';
import type { Tap } from '../rtp/leg.ts';
import type { RecordingSummary } from '../types.ts';
import type { Question } from './protocol.ts';

const ADVANCE_MILLISECONDS = 100;
const SALT_BYTES = 16;
const FRAME_SAMPLES = 4000;

export interface Recorded {
  readonly left: Tap;
  readonly right: Tap;
  /** Rejects when the file is not whole. */
  stop(): Promise<RecordingSummary>;
}

/** Rejects with the system's error when the file can't be made. `failed` is called at most once. */
export async function startRecording(
  doors: Doors,
  options: Question & { kind: 'record' },
  failed: (reason: string) => void,
): Promise<Recorded> {
  const recording = await startCallRecording({
    file: options.file,
    id: options.id,
    key: options.key,
    salt: doors.random.bytes(SALT_BYTES),
    startedAt: doors.clock.monotonic(),
    // Calls that start together don't write together.
    lead: 1 + doors.random.integer(FRAME_SAMPLES),
    onFailed: (failure) => failed(failure),
  });
  let stopped = false;
  function advance(): void {
    if (stopped) return;
    recording.advance(doors.clock.monotonic());
    doors.timers.after(ADVANCE_MILLISECONDS, advance);
  }
  doors.timers.after(ADVANCE_MILLISECONDS, advance);
  return {
    left: tapOf(recording, 'left'),
    right: tapOf(recording, 'right'),
    async stop() {
      stopped = true;
      const { milliseconds, bytes, sha256 } = await recording.stop(doors.clock.monotonic());
      return { milliseconds, bytes, sha256 };
    },
  };
}

function tapOf(recording: CallRecording, side: Side): Tap {
  return {
    audio(data, packet, codec, arrival) {
      const { ssrc, sequence, timestamp } = packet;
      const payload = data.subarray(packet.start, packet.end);
      recording.packet({ side, ssrc, sequence, timestamp, arrival, codec, payload });
    },
    digit(packet, duration, arrival) {
      const { ssrc, sequence, timestamp } = packet;
      recording.digit({ side, ssrc, sequence, timestamp, duration, arrival });
    },
  };
}
