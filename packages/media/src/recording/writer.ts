import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RecordingSummary } from '../types.ts';
import { composeHeader, FrameCipher, HEADER_BYTES, MAX_FRAMES } from './format.ts';

/** Why a recording ended before its call did. What was written until then stays readable. */
export type RecordingFailure = 'disk-full' | 'write-failed' | 'queue-overflow' | 'too-long';

/** What is needed of a file. */
export interface RecordingFile {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  /** Makes content and name last through a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
  /** Closes and removes. */
  discard(): Promise<void>;
}

export interface WriterOptions {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 16 unpredictable bytes, never used twice with one key. */
  readonly salt: Uint8Array;
  /** Samples of the first frame. */
  readonly lead: number;
  /** Called at most once, never from within `append`. */
  readonly onFailed: (failure: RecordingFailure) => void;
}

export interface WriterResult extends RecordingSummary {
  /** Undefined when the file has its last frame: then it is complete. */
  readonly failure: RecordingFailure | undefined;
}

/**
 * Frames waiting for the disk: 16 s of speech, 256 KB. A disk that stands still for longer ends the recording, not
 * the call.
 */
const QUEUE_FRAMES = 32;

interface QueuedFrame {
  readonly bytes: Buffer;
  readonly samples: number;
}

function failureOf(error: unknown): RecordingFailure {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'write-failed';
}

/**
 * Seals frames and writes them in order, one write at a time, never making the caller wait.
 *
 * Frames are not synced one by one: they are in the system's page cache at once, which `kill -9` doesn't touch,
 * while a sync for each would cost three times all the rest of a recording's work (bench/recording.ts: 175 µs of CPU
 * a frame against 58) and hold a thread of Node's small pool for as long as the disk takes. File and name are synced
 * before `end` resolves; until then a power cut may take what the system had not written back by itself (on Linux
 * usually the last 30 s).
 */
export class FrameWriter {
  readonly #file: RecordingFile;
  readonly #cipher: FrameCipher;
  readonly #hash = createHash('sha256');
  readonly #onFailed: WriterOptions['onFailed'];
  readonly #queue: QueuedFrame[] = [];
  #frames = 0;
  /** End of the last whole frame (or the header) on disk. */
  #kept = HEADER_BYTES;
  #samples = 0;
  #failure: RecordingFailure | undefined;
  #drained: Promise<void> = Promise.resolve();
  #writing = false;

  private constructor(file: RecordingFile, options: WriterOptions, header: Buffer, cipher: FrameCipher) {
    this.#file = file;
    this.#cipher = cipher;
    this.#onFailed = options.onFailed;
    this.#hash.update(header);
  }

  /**
   * Makes the file and writes its header. Rejects with the system's error, or a RangeError for a key or salt of
   * the wrong length; the file is closed and removed then.
   */
  static async start(make: () => Promise<RecordingFile>, options: WriterOptions): Promise<FrameWriter> {
    const header = composeHeader(options.id, options.salt, options.lead).bytes;
    const cipher = new FrameCipher(options.key, header);
    const file = await make();
    try {
      await writeFully(file, header, 0, () => {});
    } catch (error) {
      await file.discard().catch(() => {});
      throw error;
    }
    return new FrameWriter(file, options, header, cipher);
  }

  /** Queues one frame. After a failure nothing more is taken. `speech` isn't kept. */
  append(speech: Uint8Array, last: boolean): void {
    if (this.#failure !== undefined) return;
    if (this.#queue.length >= QUEUE_FRAMES || this.#frames >= MAX_FRAMES) {
      this.#fail(this.#frames >= MAX_FRAMES ? 'too-long' : 'queue-overflow');
      return;
    }
    const bytes = this.#cipher.seal(this.#frames++, speech, last);
    this.#queue.push({ bytes, samples: speech.length >> 1 });
    if (this.#writing) return;
    this.#writing = true;
    this.#drained = this.#drain();
  }

  /** Waits for the disk however long it takes, syncs, closes. Never rejects. */
  async end(): Promise<WriterResult> {
    await this.#drained;
    try {
      // What is beyond the last whole frame can't be read: the file ends where its SHA-256 does.
      if (this.#failure !== undefined) await this.#file.truncate(this.#kept);
      await this.#file.sync();
    } catch (error) {
      this.#fail(failureOf(error));
    }
    await this.#file.close().catch((error: unknown) => this.#fail(failureOf(error)));
    return {
      milliseconds: this.#samples / 8,
      bytes: this.#kept,
      sha256: this.#hash.digest('hex'),
      failure: this.#failure,
    };
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const frames = this.#queue.splice(0);
      let end = this.#kept;
      try {
        await writeFully(this.#file, Buffer.concat(frames.map((frame) => frame.bytes)), end, (count) => {
          end += count;
        });
      } catch (error) {
        this.#fail(failureOf(error));
        this.#queue.length = 0;
      }
      this.#keep(frames, end);
    }
    this.#writing = false;
  }

  #keep(frames: readonly QueuedFrame[], end: number): void {
    for (const { bytes, samples } of frames) {
      if (this.#kept + bytes.length > end) return;
      this.#kept += bytes.length;
      this.#samples += samples;
      this.#hash.update(bytes);
    }
  }

  #fail(failure: RecordingFailure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    queueMicrotask(() => this.#onFailed(failure));
  }
}

/** @param progress told each number of bytes that were written */
async function writeFully(
  file: RecordingFile,
  bytes: Uint8Array,
  position: number,
  progress: (count: number) => void,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    if (bytesWritten === 0) throw new Error('recording: nothing written');
    written += bytesWritten;
    progress(bytesWritten);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a file with mode 0600 that must not exist. Rejects with the system's error. */
export async function createFile(path: string): Promise<RecordingFile> {
  const file = await open(path, 'wx', 0o600);
  return {
    write: (bytes, offset, length, position) => file.write(bytes, offset, length, position),
    truncate: (length) => file.truncate(length),
    async sync() {
      await file.datasync();
      await syncFolder(dirname(path));
    },
    close: () => file.close(),
    async discard() {
      await file.close();
      await unlink(path);
    },
  };
}
