import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode, tone } from '../codec/index.ts';
import { type CallRecordingResult, startCallRecording } from './recording.ts';

/** A folder of its own, gone after the test: `using folder = scratch()`. */
export function scratch(): Disposable & { readonly path: string; file(name: string): string } {
  const path = mkdtempSync(join(tmpdir(), 'samar-recording-'));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export const KEY = new Uint8Array(32).fill(3);
export const SALT = new Uint8Array(16).fill(4);
export const ID = 'rec_0000000000000000';

const LEFT = encode(tone(440, 1_000), 'PCMU');
const RIGHT = encode(tone(1_000, 1_000), 'PCMA');

export interface Written {
  readonly file: string;
  readonly milliseconds: number;
  readonly lead?: number;
  readonly id?: string;
  readonly key?: Uint8Array;
  readonly salt?: Uint8Array;
}

/** Records a call of two tones: 440 Hz on the left, 1,000 Hz on the right. */
export async function record(written: Written): Promise<CallRecordingResult> {
  const recording = await startCallRecording({
    id: ID,
    key: KEY,
    salt: SALT,
    lead: 1_000,
    ...written,
    startedAt: 0,
    onFailed: (failure) => {
      throw new Error(failure);
    },
  });
  for (let nth = 0; nth * 20 < written.milliseconds; nth++) {
    const at = (nth * 160) % 8_000;
    const common = { sequence: nth & 0xffff, timestamp: nth * 160, arrival: nth * 20 };
    const left = LEFT.subarray(at, at + 160);
    const right = RIGHT.subarray(at, at + 160);
    recording.packet({ side: 'left', ssrc: 1, codec: 'PCMU', payload: left, ...common });
    recording.packet({ side: 'right', ssrc: 2, codec: 'PCMA', payload: right, ...common });
  }
  return recording.stop(written.milliseconds);
}
