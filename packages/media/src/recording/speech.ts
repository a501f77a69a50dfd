import { decodingTable } from '../codec/index.ts';
import type { StoredRecording } from './reader.ts';
import type { Side } from './recorder.ts';

/** As much as one `play` takes, samples. */
const LONGEST = 300 * 8_000;
/** Read at once: a message isn't held three times over. */
const PART = 30 * 8_000;

/**
 * What one party says in a recording, 16-bit linear, 8,000 Hz: as `MediaLeg.play` takes it. A voicemail is `left`.
 * Cut after 300 s. Rejects as `StoredRecording.read` does.
 */
export async function readSpeech(recording: StoredRecording, side: Side): Promise<Int16Array> {
  const table = decodingTable('PCMU');
  const speech = new Int16Array(Math.min(recording.samples, LONGEST));
  for (let from = 0; from < speech.length; from += PART) {
    const bytes = await recording.read({ from, to: Math.min(from + PART, speech.length) });
    const channel = side === 'left' ? 0 : 1;
    for (let at = channel; at < bytes.length; at += 2) {
      speech[from + (at >> 1)] = table[bytes[at] as number] as number;
    }
  }
  return speech;
}
