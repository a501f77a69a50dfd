/** Reads what the platform sends for listening: WAV of 16-bit samples, one or two channels. */
export interface Wav {
  readonly rate: number;
  readonly channels: number;
  /** Interleaved. */
  readonly samples: Int16Array;
  readonly seconds: number;
}

/** Undefined for anything else. */
export function readWav(buffer: ArrayBuffer): Wav | undefined {
  const view = new DataView(buffer);
  const word = (at: number) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (buffer.byteLength < 44 || word(0) !== 'RIFF' || word(8) !== 'WAVE') return undefined;
  let format: { readonly rate: number; readonly channels: number } | undefined;
  for (let at = 12; at + 8 <= buffer.byteLength; ) {
    const name = word(at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (name === 'fmt ' && body + 16 <= buffer.byteLength) {
      if (view.getUint16(body, true) !== 1 || view.getUint16(body + 14, true) !== 16) return undefined;
      format = { channels: view.getUint16(body + 2, true), rate: view.getUint32(body + 4, true) };
    } else if (name === 'data') {
      if (!format || format.channels < 1 || format.channels > 2 || format.rate === 0) return undefined;
      const bytes = Math.min(size, buffer.byteLength - body);
      const frames = Math.floor(bytes / (2 * format.channels));
      // A copy only where the samples don't begin at an even place.
      const samples =
        body % 2 === 0
          ? new Int16Array(buffer, body, frames * format.channels)
          : new Int16Array(buffer.slice(body, body + frames * format.channels * 2));
      return { ...format, samples, seconds: frames / format.rate };
    }
    at = body + size + (size % 2);
  }
  return undefined;
}
