import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decode, measureTone } from '../codec/index.ts';
import { FRAME_SAMPLES, frameBytes, frameOffset, HEADER_BYTES, RecordingError } from './format.ts';
import { type OpenOptions, openRecording } from './reader.ts';
import { ID, KEY, record, scratch } from './scratch.ts';

interface Heard {
  readonly speech: Buffer;
  readonly complete: boolean;
}

async function hear(options: OpenOptions): Promise<Heard> {
  const recording = await openRecording(options);
  try {
    return { speech: await recording.read({ from: 0, to: recording.samples }), complete: recording.complete };
  } finally {
    await recording.close();
  }
}

async function problemOf(options: OpenOptions): Promise<string> {
  try {
    const { complete } = await hear(options);
    return complete ? 'none' : 'interrupted';
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    return error.frame === undefined ? error.problem : `${error.problem} ${error.frame}`;
  }
}

describe('a recording file', () => {
  it('gives back what was recorded, left and right, and is what its summary says', async () => {
    using folder = scratch();
    const file = folder.file('a');
    const result = await record({ file, milliseconds: 3_210 });
    const bytes = readFileSync(file);
    expect(result).toMatchObject({
      milliseconds: 3_210,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      failure: undefined,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const recording = await openRecording({ file, id: ID, key: KEY });
    expect(recording).toMatchObject({ milliseconds: 3_210, samples: 25_680, complete: true });
    const speech = await recording.read({ from: 0, to: recording.samples });
    const [left, right] = [0, 1].map((channel) =>
      decode(
        Uint8Array.from({ length: speech.length / 2 }, (_, i) => speech[2 * i + channel] as number),
        'PCMU',
      ),
    );
    expect(measureTone(left as Int16Array, 440).share).toBeGreaterThan(0.9);
    expect(measureTone(right as Int16Array, 1_000).share).toBeGreaterThan(0.9);
    await recording.close();
    await recording.close();
    await expect(recording.read({ from: 0, to: 1 })).rejects.toMatchObject({ problem: 'closed' });
  });

  it.each([0, 1, 124, 125, 126, 625, 1_125])(
    'of %i ms, frames and lead ending there or not',
    async (milliseconds) => {
      using folder = scratch();
      const file = folder.file('a');
      await record({ file, milliseconds });
      const { speech, complete } = await hear({ file, id: ID, key: KEY });
      expect({ samples: speech.length / 2, complete }).toEqual({ samples: milliseconds * 8, complete: true });
    },
  );

  it('is never written over', async () => {
    using folder = scratch();
    const file = folder.file('a');
    writeFileSync(file, 'precious');
    await expect(record({ file, milliseconds: 100 })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(file, 'utf8')).toBe('precious');
    await expect(record({ file: folder.file('none/a'), milliseconds: 100 })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('is refused, and not made, with a key or salt of the wrong length', async () => {
    using folder = scratch();
    const file = folder.file('a');
    await expect(record({ file, milliseconds: 1, key: new Uint8Array(16) })).rejects.toThrow(RangeError);
    await expect(record({ file, milliseconds: 1, salt: new Uint8Array(8) })).rejects.toThrow(RangeError);
    await expect(record({ file, milliseconds: 1, lead: 0 })).rejects.toThrow(RangeError);
    expect(existsSync(file)).toBe(false);
  });

  it('holds nothing in the clear, nor the same bytes twice under one key', async () => {
    using folder = scratch();
    await record({ file: folder.file('a'), milliseconds: 1_000 });
    await record({ file: folder.file('b'), milliseconds: 1_000, salt: new Uint8Array(16).fill(5) });
    const [a, b] = ['a', 'b'].map((name) => readFileSync(folder.file(name))) as [Buffer, Buffer];
    expect(a.includes(ID)).toBe(false);
    let equal = 0;
    for (let at = frameOffset(1, 1_000) + 4; at < a.length; at++) if (a[at] === b[at]) equal++;
    expect(equal / a.length).toBeLessThan(0.02);
  });

  it('can be read while it is being written', async () => {
    using folder = scratch();
    const file = folder.file('a');
    await record({ file, milliseconds: 2_000 });
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, frameOffset(2, 1_000)));
    const recording = await openRecording({ file, id: ID, key: KEY });
    writeFileSync(file, whole);
    expect(recording).toMatchObject({ samples: 5_000, complete: false });
    expect(await recording.read({ from: 0, to: 99_999 })).toHaveLength(10_000);
    await recording.close();
  });
});

describe('a file that a crash cut short', () => {
  it('is read up to the last whole frame, wherever the cut is', async () => {
    using folder = scratch();
    const file = folder.file('a');
    const lead = 100;
    await record({ file, milliseconds: 1_100, lead });
    const options = { file, id: ID, key: KEY };
    const { speech: whole } = await hear(options);
    const size = statSync(file).size;
    const cuts = new Set<number>();
    const borders = [0, 8, 16, 32, HEADER_BYTES, ...[1, 2, 3].map((frame) => frameOffset(frame, lead)), size];
    for (const border of borders) {
      for (const around of [-17, -16, -15, -3, -2, -1, 0, 1, 2, 3, 4, 5, 19, 20, 21, 4_000])
        cuts.add(border + around);
    }
    // From the longest down, so that one file will do.
    for (const cut of [...cuts].filter((at) => at >= 0 && at < size).sort((one, other) => other - one)) {
      truncateSync(file, cut);
      if (cut < HEADER_BYTES) {
        expect(await problemOf(options), `cut at ${cut}`).toBe('not-a-recording');
        continue;
      }
      const frames = [0, 1, 2, 3].filter((frame) => frameOffset(frame + 1, lead) <= cut).length;
      const samples = frames === 0 ? 0 : lead + (frames - 1) * FRAME_SAMPLES;
      const { speech, complete } = await hear(options);
      expect({ cut, complete, samples: speech.length / 2 }).toEqual({ cut, complete: false, samples });
      expect(speech.equals(whole.subarray(0, 2 * samples))).toBe(true);
    }
  });
});

describe('a file that was changed', () => {
  it('is found out, bit by bit, with the frame where it was', async () => {
    using folder = scratch();
    const file = folder.file('a');
    const lead = 60;
    await record({ file, milliseconds: 540, lead });
    const options = { file, id: ID, key: KEY };
    const bytes = readFileSync(file);
    const starts = [0, 1, 2].map((frame) => frameOffset(frame, lead));
    expect(await problemOf(options)).toBe('none');
    for (let at = 0; at < bytes.length; at++) {
      const inFrame = starts.findLastIndex((start) => at >= start);
      const into = at - (starts[inFrame] ?? 0);
      // Every byte of heads, tags and short frames, a sample of the long ciphertext.
      if (inFrame === 1 && into > 8 && into < frameBytes(FRAME_SAMPLES) - 20 && at % 211 !== 0) continue;
      const changed = Buffer.from(bytes);
      changed.writeUInt8((bytes[at] as number) ^ (1 << (at % 8)), at);
      writeFileSync(file, changed);
      const problem = await problemOf(options);
      if (at >= HEADER_BYTES) expect(problem, `byte ${at}`).toBe(`tampered ${inFrame}`);
      else if (at < 16 || at >= 32)
        expect(problem, `byte ${at}`).toMatch(/^(not-a-recording|unknown-version|wrong-id|tampered \d)$/);
      else expect(problem, `byte ${at}`).toBe('tampered 2');
    }
  });

  it('is found out when frames are swapped, repeated, taken from elsewhere, or added', async () => {
    using folder = scratch();
    const file = folder.file('a');
    const lead = FRAME_SAMPLES;
    await record({ file, milliseconds: 1_600, lead });
    await record({ file: folder.file('b'), milliseconds: 1_600, lead, salt: new Uint8Array(16).fill(9) });
    const bytes = readFileSync(file);
    const frame = (index: number, of = bytes) =>
      of.subarray(frameOffset(index, lead), frameOffset(index + 1, lead));
    const head = bytes.subarray(0, HEADER_BYTES);
    const other = readFileSync(folder.file('b'));
    for (const [name, parts, expected] of [
      ['swapped', [frame(1), frame(0), frame(2), frame(3)], 'tampered 0'],
      ['repeated', [frame(0), frame(0), frame(2), frame(3)], 'tampered 1'],
      ['left out', [frame(0), frame(2), frame(3)], 'tampered 2'],
      ['of another', [frame(0), frame(1, other), frame(2), frame(3)], 'tampered 1'],
      ['added', [frame(0), frame(1), frame(2), frame(3), Buffer.from('more')], 'tampered 3'],
      ['cut', [frame(0), frame(1)], 'interrupted'],
    ] as const) {
      writeFileSync(file, Buffer.concat([head, ...parts]));
      expect(await problemOf({ file, id: ID, key: KEY }), name).toBe(expected);
    }
  });

  it('or is another’s is refused by name', async () => {
    using folder = scratch();
    const file = folder.file('a');
    await record({ file, milliseconds: 100 });
    expect(await problemOf({ file, id: 'rec_other', key: KEY })).toBe('wrong-id');
    expect(await problemOf({ file, id: ID, key: new Uint8Array(32) })).toBe('tampered 0');
    expect(await problemOf({ file: folder.file('b'), id: ID, key: KEY })).toBe('missing');
    writeFileSync(file, 'RIFF'.padEnd(100));
    expect(await problemOf({ file, id: ID, key: KEY })).toBe('not-a-recording');
  });
});
