import { type FileHandle, open } from 'node:fs/promises';
import {
  FRAME_HEAD_BYTES,
  FRAME_SAMPLES,
  FrameCipher,
  frameBytes,
  frameOffset,
  HEADER_BYTES,
  type Header,
  parseHeader,
  RecordingError,
  readFrameHead,
} from './format.ts';

export interface OpenOptions {
  readonly file: string;
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** Sample numbers; `to` isn't included. */
export interface SampleRange {
  readonly from: number;
  readonly to: number;
}

export interface StoredRecording {
  readonly samples: number;
  readonly milliseconds: number;
  /** False: interrupted (a crash, a full disk, or still being written); it ends with its last whole frame. */
  readonly complete: boolean;
  /**
   * Interleaved µ-law, left first, 2 bytes a sample. The range is cut to what there is. At most 60 s at once
   * (RangeError). Rejects with `RecordingError` 'tampered' that names the frame.
   */
  read(range: SampleRange): Promise<Buffer>;
  /** Idempotent. */
  close(): Promise<void>;
}

const LONGEST_READ = 60 * 8_000;

interface Extent {
  readonly frames: number;
  readonly samples: number;
  readonly complete: boolean;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}

function samplesBefore(frame: number, lead: number): number {
  return frame === 0 ? 0 : lead + (frame - 1) * FRAME_SAMPLES;
}

/** Which frames are there, by the file's size and the head of what isn't a full frame. */
async function measure(file: FileHandle, size: number, lead: number): Promise<Extent> {
  const fits = (frames: number) => frameOffset(frames, lead) <= size;
  let frames = 0;
  if (fits(1)) frames = 1 + Math.floor((size - frameOffset(1, lead)) / frameBytes(FRAME_SAMPLES));
  const end = frameOffset(frames, lead);
  const tail = size - end;
  const samples = samplesBefore(frames, lead);
  if (tail === 0) {
    if (frames === 0) return { frames, samples, complete: false };
    const head = readFrameHead(await readAt(file, frameOffset(frames - 1, lead), FRAME_HEAD_BYTES));
    return { frames, samples, complete: head?.last === true };
  }
  if (tail < FRAME_HEAD_BYTES) return { frames, samples, complete: false };
  const head = readFrameHead(await readAt(file, end, FRAME_HEAD_BYTES));
  const full = frames === 0 ? lead : FRAME_SAMPLES;
  if (
    head === undefined ||
    (head.last ? head.samples > full || tail > frameBytes(head.samples) : head.samples !== full)
  ) {
    throw new RecordingError('tampered', frames);
  }
  // A last frame that is whole, or a frame that the crash cut off.
  if (!head.last || tail < frameBytes(head.samples)) return { frames, samples, complete: false };
  return { frames: frames + 1, samples: samples + head.samples, complete: true };
}

class Reader implements StoredRecording {
  readonly samples: number;
  readonly milliseconds: number;
  readonly complete: boolean;
  readonly #file: FileHandle;
  readonly #header: Header;
  readonly #cipher: FrameCipher;
  readonly #frames: number;
  #closed: Promise<void> | undefined;

  constructor(file: FileHandle, header: Header, key: Uint8Array, extent: Extent) {
    this.#file = file;
    this.#header = header;
    this.#cipher = new FrameCipher(key, header.bytes);
    this.#frames = extent.frames;
    this.samples = extent.samples;
    this.milliseconds = extent.samples / 8;
    this.complete = extent.complete;
  }

  async read(range: SampleRange): Promise<Buffer> {
    if (this.#closed !== undefined) throw new RecordingError('closed');
    const from = Math.max(0, Math.min(range.from, this.samples));
    const to = Math.max(from, Math.min(range.to, this.samples));
    if (to - from > LONGEST_READ) throw new RangeError('recording: range too long');
    if (to === from) return Buffer.alloc(0);
    const first = this.#frameAt(from);
    const speech = await this.#openFrames(first, this.#frameAt(to - 1) + 1);
    const start = samplesBefore(first, this.#header.lead);
    return speech.subarray(2 * (from - start), 2 * (to - start));
  }

  /** Opens the last frame, which proves the key and whether the end is the end. */
  async verifyEnd(): Promise<void> {
    if (this.#frames > 0) await this.#openFrames(this.#frames - 1, this.#frames);
  }

  close(): Promise<void> {
    this.#closed ??= this.#file.close();
    return this.#closed;
  }

  #frameAt(sample: number): number {
    const { lead } = this.#header;
    return sample < lead ? 0 : 1 + Math.floor((sample - lead) / FRAME_SAMPLES);
  }

  /** Samples that the reader expects in a frame: anything else in its head is damage. */
  #expected(frame: number): number {
    const next = frame === this.#frames - 1 ? this.samples : samplesBefore(frame + 1, this.#header.lead);
    return next - samplesBefore(frame, this.#header.lead);
  }

  async #openFrames(from: number, to: number): Promise<Buffer> {
    const { lead } = this.#header;
    const start = frameOffset(from, lead);
    const end = frameOffset(to - 1, lead) + frameBytes(this.#expected(to - 1));
    const bytes = await readAt(this.#file, start, end - start);
    const speech: Buffer[] = [];
    for (let frame = from; frame < to; frame++) {
      const at = frameOffset(frame, lead) - start;
      speech.push(this.#cipher.open(frame, bytes.subarray(at, at + frameBytes(this.#expected(frame)))));
    }
    return speech.length === 1 ? (speech[0] as Buffer) : Buffer.concat(speech);
  }
}

/** Rejects with `RecordingError`; 'tampered' at once if the file's last frame is, or the key is another's. */
export async function openRecording(options: OpenOptions): Promise<StoredRecording> {
  const file = await open(options.file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new RecordingError('missing') : error;
  });
  try {
    const header = parseHeader(await readAt(file, 0, HEADER_BYTES), options.id);
    const extent = await measure(file, (await file.stat()).size, header.lead);
    const reader = new Reader(file, header, options.key, extent);
    await reader.verifyEnd();
    return reader;
  } catch (error) {
    await file.close();
    throw error;
  }
}
