/**
 * The recording file, version 1. All numbers are big endian.
 *
 *   header, 64 bytes:  "SAMARREC" · version u8 = 1 · format u8 = 7 (µ-law) · channels u8 = 2 · 0 ·
 *                      samples a second u16 = 8000 · samples in the first frame u16 · salt 16 · SHA-256 of the id 32
 *   frame:             samples n u16 · flags u8 (1: last) · check u8 · ciphertext 2 n · tag 16
 *
 * Every frame but the first and the last has 4,000 samples, so a place in time is a place in the file. Frames are
 * sealed by AES-256-GCM with a key of this file alone (HKDF-SHA-256 of the recording's key and the salt), their
 * index as nonce, and header, index and last flag as additional data: a frame can't be changed, moved, taken from
 * another recording, or cut off at the end of a finished file without being noticed. The check byte is no
 * protection, it only tells a damaged frame head from a file cut short.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

export const HEADER_BYTES = 64;
export const SALT_BYTES = 16;
export const KEY_BYTES = 32;
/** Half a second: with the reorder window of 200 ms a crash loses less than a second. */
export const FRAME_SAMPLES = 4_000;
export const FRAME_HEAD_BYTES = 4;
const TAG_BYTES = 16;
/** 24 hours. */
export const MAX_FRAMES = 172_800;

const MAGIC = Buffer.from('SAMARREC', 'latin1');
const VERSION = 1;
const LAST = 1;

export type RecordingProblem =
  | 'missing'
  | 'not-a-recording'
  | 'unknown-version'
  | 'wrong-id'
  /** A frame's bytes aren't what was written under this key (a wrong key shows like this, too). */
  | 'tampered'
  | 'closed';

export class RecordingError extends Error {
  readonly problem: RecordingProblem;
  /** Which frame, from 0; undefined when it isn't about one. */
  readonly frame: number | undefined;
  constructor(problem: RecordingProblem, frame?: number) {
    super(frame === undefined ? `recording: ${problem}` : `recording: ${problem}, frame ${frame}`);
    this.name = 'RecordingError';
    this.problem = problem;
    this.frame = frame;
  }
}

export interface Header {
  readonly lead: number;
  readonly bytes: Buffer;
}

export function composeHeader(id: string, salt: Uint8Array, lead: number): Header {
  if (salt.length !== SALT_BYTES) throw new RangeError('recording: salt');
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.set([VERSION, 7, 2, 0], 8);
  bytes.writeUInt16BE(8_000, 12);
  bytes.writeUInt16BE(lead, 14);
  bytes.set(salt, 16);
  bytes.set(createHash('sha256').update(id).digest(), 32);
  return { lead, bytes };
}

/** Checks all but the id's secrecy: throws `RecordingError` for what isn't a recording of this version and id. */
export function parseHeader(bytes: Buffer, id: string): Header {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) {
    throw new RecordingError('not-a-recording');
  }
  if (bytes[8] !== VERSION) throw new RecordingError('unknown-version');
  const lead = bytes.readUInt16BE(14);
  const expected = composeHeader(id, bytes.subarray(16, 32), lead);
  if (!bytes.subarray(32).equals(expected.bytes.subarray(32))) throw new RecordingError('wrong-id');
  if (!bytes.equals(expected.bytes) || lead < 1 || lead > FRAME_SAMPLES) {
    throw new RecordingError('not-a-recording');
  }
  return { lead, bytes };
}

export function frameBytes(samples: number): number {
  return FRAME_HEAD_BYTES + 2 * samples + TAG_BYTES;
}

/** Where frame `index` begins in the file. */
export function frameOffset(index: number, lead: number): number {
  return index === 0
    ? HEADER_BYTES
    : HEADER_BYTES + frameBytes(lead) + (index - 1) * frameBytes(FRAME_SAMPLES);
}

export interface FrameHead {
  readonly samples: number;
  readonly last: boolean;
}

function checkByte(samples: number, flags: number): number {
  return (samples ^ (samples >> 8) ^ flags ^ 0xa5) & 0xff;
}

/** Undefined when the head is damaged. */
export function readFrameHead(bytes: Buffer): FrameHead | undefined {
  const samples = bytes.readUInt16BE(0);
  const flags = bytes.readUInt8(2);
  if (bytes.readUInt8(3) !== checkByte(samples, flags) || flags > LAST || samples > FRAME_SAMPLES)
    return undefined;
  return { samples, last: flags === LAST };
}

/** Seals and opens the frames of one file. */
export class FrameCipher {
  readonly #key: KeyObject;
  /** Header, index, last flag; the tail is written anew for each frame. */
  readonly #additional: Buffer;
  readonly #nonce = Buffer.alloc(12);

  constructor(key: Uint8Array, header: Buffer) {
    if (key.length !== KEY_BYTES) throw new RangeError('recording: key');
    const derived = hkdfSync('sha256', key, header.subarray(16, 32), 'samar recording 1', KEY_BYTES);
    this.#key = createSecretKey(new Uint8Array(derived));
    this.#additional = Buffer.alloc(HEADER_BYTES + 5);
    header.copy(this.#additional);
  }

  #prepare(index: number, last: boolean): void {
    this.#nonce.writeUInt32BE(index, 8);
    this.#additional.writeUInt32BE(index, HEADER_BYTES);
    this.#additional.writeUInt8(last ? LAST : 0, HEADER_BYTES + 4);
  }

  /** The frame as it stands in the file. Each index must be sealed once only. */
  seal(index: number, speech: Uint8Array, last: boolean): Buffer {
    this.#prepare(index, last);
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#additional);
    const samples = speech.length >> 1;
    const frame = Buffer.allocUnsafe(frameBytes(samples));
    frame.writeUInt16BE(samples, 0);
    frame.writeUInt8(last ? LAST : 0, 2);
    frame.writeUInt8(checkByte(samples, last ? LAST : 0), 3);
    cipher.update(speech).copy(frame, FRAME_HEAD_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(frame, FRAME_HEAD_BYTES + 2 * samples);
    return frame;
  }

  /** The speech of a whole frame; throws `RecordingError` when a bit of it isn't as it was sealed. */
  open(index: number, frame: Buffer): Buffer {
    const head = readFrameHead(frame);
    if (head === undefined || frame.length !== frameBytes(head.samples))
      throw new RecordingError('tampered', index);
    this.#prepare(index, head.last);
    const cipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#additional);
    cipher.setAuthTag(frame.subarray(-TAG_BYTES));
    const speech = cipher.update(frame.subarray(FRAME_HEAD_BYTES, -TAG_BYTES));
    try {
      cipher.final();
    } catch {
      throw new RecordingError('tampered', index);
    }
    return speech;
  }
}
