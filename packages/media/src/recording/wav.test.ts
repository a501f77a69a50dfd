import { readFileSync, writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { decodingTable } from '../codec/index.ts';
import { frameOffset } from './format.ts';
import { openRecording } from './reader.ts';
import { ID, KEY, record, scratch } from './scratch.ts';
import { seeded } from './seeded.ts';
import { wavLength, wavStream } from './wav.ts';

describe('a recording as WAV', () => {
  it('has the header of µ-law in stereo, or of PCM', async () => {
    using folder = scratch();
    const file = folder.file('a');
    await record({ file, milliseconds: 2_000 });
    const recording = await openRecording({ file, id: ID, key: KEY });
    const speech = await recording.read({ from: 0, to: recording.samples });
    const mu = await buffer(wavStream(recording));
    expect(mu).toHaveLength(58 + 32_000);
    expect(mu.subarray(58).equals(speech)).toBe(true);
    expect([mu.toString('latin1', 0, 4), mu.readUInt32LE(4), mu.toString('latin1', 8, 16)]).toEqual([
      'RIFF',
      mu.length - 8,
      'WAVEfmt ',
    ]);
    // fmt: size, format, channels, rate, bytes a second, bytes a block, bits, no extension
    expect([mu.readUInt32LE(16), mu.readUInt16LE(20), mu.readUInt16LE(22), mu.readUInt32LE(24)]).toEqual([
      18, 7, 2, 8_000,
    ]);
    expect([mu.readUInt32LE(28), mu.readUInt16LE(32), mu.readUInt16LE(34), mu.readUInt16LE(36)]).toEqual([
      16_000, 2, 8, 0,
    ]);
    expect([mu.toString('latin1', 38, 42), mu.readUInt32LE(46)]).toEqual(['fact', 16_000]);
    expect([mu.toString('latin1', 50, 54), mu.readUInt32LE(54)]).toEqual(['data', 32_000]);
    const pcm = await buffer(wavStream(recording, undefined, 'pcm'));
    expect(pcm).toHaveLength(44 + 64_000);
    expect([pcm.readUInt16LE(20), pcm.readUInt16LE(32), pcm.readUInt16LE(34), pcm.readUInt32LE(40)]).toEqual([
      1, 4, 16, 64_000,
    ]);
    for (let i = 0; i < speech.length; i += 97) {
      expect(pcm.readInt16LE(44 + 2 * i)).toBe(decodingTable('PCMU')[speech[i] as number]);
    }
    await recording.close();
  });

  it.each(['mu-law', 'pcm'] as const)('%s: any range is that slice of the whole', async (encoding) => {
    using folder = scratch();
    const file = folder.file('a');
    await record({ file, milliseconds: 10_300, lead: 777 });
    const recording = await openRecording({ file, id: ID, key: KEY });
    const length = wavLength(recording, encoding);
    const whole = await buffer(wavStream(recording, undefined, encoding));
    expect(whole).toHaveLength(length);
    const random = seeded(5);
    const ranges = Array.from({ length: 60 }, () => {
      const start = Math.floor(random() * length);
      return { start, end: Math.min(length - 1, start + Math.floor(random() ** 3 * length)) };
    });
    ranges.push(
      { start: 0, end: 0 },
      { start: 0, end: 43 },
      { start: 10, end: 100 },
      { start: length - 1, end: length - 1 },
    );
    for (const range of ranges) {
      const part = await buffer(wavStream(recording, range, encoding));
      expect(part.equals(whole.subarray(range.start, range.end + 1)), JSON.stringify(range)).toBe(true);
    }
    for (const [start, end] of [
      [-1, 5],
      [5, 4],
      [0, length],
      [0.5, 3],
      [Number.NaN, 3],
    ] as const) {
      expect(() => wavStream(recording, { start, end }, encoding)).toThrow(RangeError);
    }
    await recording.close();
  });

  it('of no length is a header', async () => {
    using folder = scratch();
    await record({ file: folder.file('a'), milliseconds: 0 });
    const recording = await openRecording({ file: folder.file('a'), id: ID, key: KEY });
    expect(await buffer(wavStream(recording))).toHaveLength(58);
    await recording.close();
  });

  it('opens only the frames that are asked for, and stops at a damaged one', async () => {
    using folder = scratch();
    const file = folder.file('a');
    const lead = 4_000;
    await record({ file, milliseconds: 10_000, lead });
    const bytes = readFileSync(file);
    const at = frameOffset(5, lead) + 100;
    bytes.writeUInt8((bytes[at] as number) ^ 1, at);
    writeFileSync(file, bytes);
    const recording = await openRecording({ file, id: ID, key: KEY });
    await expect(buffer(wavStream(recording))).rejects.toMatchObject({ problem: 'tampered', frame: 5 });
    const before = { start: 0, end: 58 + 5 * 8_000 - 1 };
    expect(await buffer(wavStream(recording, before))).toHaveLength(before.end + 1);
    const after = { start: 58 + 6 * 8_000, end: wavLength(recording) - 1 };
    expect(await buffer(wavStream(recording, after))).toHaveLength(after.end + 1 - after.start);
    await recording.close();
  });
});
