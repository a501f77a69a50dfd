/** Frames between a browser and a phone: 20 ms of 16-bit PCM at 8,000 Hz, little-endian, in both directions. */

/** Samples, and bytes, of 20 ms. */
export const frameSamples = 160;
export const frameBytes = frameSamples * 2;

/** A browser's frames come in bunches: so many are waited for before the first is sent on. */
const begin = 3;
/** 200 ms. What comes on top pushes the oldest out: late sound is worth less than new sound. */
const most = 10;

export interface JitterBuffer {
  put(frame: Int16Array): void;
  /** The frame whose turn it is; undefined while there is none. */
  take(): Int16Array | undefined;
  clear(): void;
  /** Frames that were pushed out. */
  readonly dropped: number;
}

export function createJitterBuffer(): JitterBuffer {
  const frames: Int16Array[] = [];
  let flowing = false;
  let dropped = 0;
  return {
    put(frame) {
      frames.push(frame);
      if (frames.length >= begin) flowing = true;
      if (frames.length > most) {
        frames.shift();
        dropped += 1;
      }
    },
    take() {
      if (!flowing) return undefined;
      const frame = frames.shift();
      if (frame === undefined) flowing = false;
      return frame;
    },
    clear() {
      frames.length = 0;
      flowing = false;
    },
    get dropped() {
      return dropped;
    },
  };
}

/** Undefined for anything but one frame. */
export function readFrame(bytes: Uint8Array): Int16Array | undefined {
  if (bytes.length !== frameBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Int16Array.from({ length: frameSamples }, (_, index) => view.getInt16(index * 2, true));
}

export function writeFrame(pcm: Int16Array): Uint8Array {
  const bytes = new Uint8Array(pcm.length * 2);
  const view = new DataView(bytes.buffer);
  for (const [index, sample] of pcm.entries()) view.setInt16(index * 2, sample, true);
  return bytes;
}

/** Lets `perSecond` through on the long run, and `burst` at once. */
export function createTap(now: () => number, perSecond: number, burst: number): () => boolean {
  let tokens = burst;
  let at = now();
  return () => {
    const time = now();
    tokens = Math.min(burst, tokens + ((time - at) / 1_000) * perSecond);
    at = time;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
