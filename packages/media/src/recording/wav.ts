import { Readable } from 'node:stream';
import { decodingTable } from '../codec/index.ts';
import type { StoredRecording } from './reader.ts';

/** µ-law as recorded (WAV format 7), or linear 16 bits at twice the size, for players that don't know µ-law. */
export type WavEncoding = 'mu-law' | 'pcm';

/** Byte positions, both included, as in HTTP's Range (RFC 9110 section 14.1.2). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const RATE = 8_000;
const CHANNELS = 2;
/** Samples opened at once: 4 s, so a seek costs little and a slow listener holds little. */
const CHUNK_SAMPLES = 32_000;

function bytesPerSample(encoding: WavEncoding): number {
  return encoding === 'pcm' ? 4 : 2;
}

function header(samples: number, encoding: WavEncoding): Buffer {
  const block = bytesPerSample(encoding);
  const format = Buffer.alloc(encoding === 'pcm' ? 16 : 18);
  format.writeUInt16LE(encoding === 'pcm' ? 1 : 7, 0);
  format.writeUInt16LE(CHANNELS, 2);
  format.writeUInt32LE(RATE, 4);
  format.writeUInt32LE(RATE * block, 8);
  format.writeUInt16LE(block, 12);
  format.writeUInt16LE((8 * block) / CHANNELS, 14);
  const fact = Buffer.alloc(4);
  fact.writeUInt32LE(samples);
  const chunks = [chunk('fmt ', format.length, format)];
  // Every format but PCM must say how many samples there are.
  if (encoding !== 'pcm') chunks.push(chunk('fact', 4, fact));
  chunks.push(chunk('data', samples * block));
  const rest = Buffer.concat([Buffer.from('WAVE', 'latin1'), ...chunks]);
  return chunk('RIFF', rest.length + samples * block, rest);
}

function chunk(name: string, size: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8, name, 'latin1');
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, body]);
}

const LINEAR = decodingTable('PCMU');
const LOW = Uint8Array.from(LINEAR, (value) => value & 0xff);
const HIGH = Uint8Array.from(LINEAR, (value) => (value >> 8) & 0xff);

function toLinear(speech: Buffer): Buffer {
  const output = Buffer.allocUnsafe(2 * speech.length);
  for (let i = 0; i < speech.length; i++) {
    const code = speech[i] as number;
    output[2 * i] = LOW[code] as number;
    output[2 * i + 1] = HIGH[code] as number;
  }
  return output;
}

/** Bytes of the whole WAV file. */
export function wavLength(recording: StoredRecording, encoding: WavEncoding = 'mu-law'): number {
  return header(recording.samples, encoding).length + recording.samples * bytesPerSample(encoding);
}

async function* wavBytes(
  recording: StoredRecording,
  encoding: WavEncoding,
  { start, end }: ByteRange,
): AsyncGenerator<Buffer, void, undefined> {
  const head = header(recording.samples, encoding);
  if (start < head.length) yield head.subarray(start, end + 1);
  const block = bytesPerSample(encoding);
  let at = Math.max(0, start - head.length);
  const stop = end + 1 - head.length;
  while (at < stop) {
    const from = Math.floor(at / block);
    const to = Math.min(from + CHUNK_SAMPLES, Math.ceil(stop / block));
    const speech = await recording.read({ from, to });
    const bytes = encoding === 'pcm' ? toLinear(speech) : speech;
    yield bytes.subarray(at - from * block, Math.min(bytes.length, stop - from * block));
    at = to * block;
  }
}

/**
 * The recording as a stereo WAV file, or a part of it; only the frames that are asked for are opened. A range
 * beyond the file is a RangeError. A damaged frame destroys the stream with a `RecordingError`. The recording is
 * not closed.
 */
export function wavStream(
  recording: StoredRecording,
  range?: ByteRange,
  encoding: WavEncoding = 'mu-law',
): Readable {
  const length = wavLength(recording, encoding);
  const { start, end } = range ?? { start: 0, end: length - 1 };
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end < length)) {
    throw new RangeError('recording: byte range');
  }
  return Readable.from(wavBytes(recording, encoding, { start, end }), { objectMode: false });
}
