import { measureLevel, measureTone } from '@samar/media';

/** A tone that glides from one pitch to another: each moment of it sounds like no other. 8,000 Hz. */
export function sweep(fromHertz: number, toHertz: number, milliseconds: number): Int16Array {
  const samples = milliseconds * 8;
  let phase = 0;
  return Int16Array.from({ length: samples }, (_, index) => {
    phase += (2 * Math.PI * (fromHertz + ((toHertz - fromHertz) * index) / samples)) / 8_000;
    return Math.round(8_000 * Math.sin(phase));
  });
}

/** One channel of a stereo WAV of 16 bits; throws when the file is not as long as its header says. */
export function channel(wav: Buffer, index: 0 | 1): Int16Array {
  const at = wav.indexOf('data', 12, 'latin1') + 8;
  const length = wav.readUInt32LE(at - 4);
  if (wav.readUInt32LE(4) !== wav.length - 8 || length !== wav.length - at) {
    throw new Error('the WAV is not as long as it says');
  }
  return Int16Array.from({ length: length / 4 }, (_, sample) => wav.readInt16LE(at + sample * 4 + index * 2));
}

/** A mono WAV of 16 bits. */
export function wavOf(pcm: Int16Array): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + pcm.length * 2, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8_000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(pcm.length * 2, 40);
  const samples = Buffer.alloc(pcm.length * 2);
  for (const [index, sample] of pcm.entries()) samples.writeInt16LE(sample, index * 2);
  return Buffer.concat([header, samples]);
}

/** Whether a tenth of a second of it is this tone alone. */
export function hasTone(heard: Int16Array, hertz: number): boolean {
  for (let at = 0; at + 800 <= heard.length; at += 400) {
    const window = heard.subarray(at, at + 800);
    if (measureLevel(window) > -35 && measureTone(window, hertz).share > 0.9) return true;
  }
  return false;
}
