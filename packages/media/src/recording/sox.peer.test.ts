import { spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { measureTone } from '../codec/index.ts';
import { openRecording } from './reader.ts';
import { ID, KEY, record, scratch } from './scratch.ts';
import { wavStream } from './wav.ts';

const SOX = 'sox';
const withoutSox = spawnSync(SOX, ['--version']).error !== undefined;

function run(program: string, args: readonly string[]): Buffer {
  const { stdout, stderr } = spawnSync(program, args);
  expect(stderr.toString()).toBe('');
  return stdout;
}

describe.skipIf(withoutSox)('a recording played by sox', () => {
  it.each([
    ['mu-law', '8-bit u-law'],
    ['pcm', '16-bit Signed Integer PCM'],
  ] as const)('%s: two channels, each with its party’s tone', async (encoding, name) => {
    using folder = scratch();
    await record({ file: folder.file('a'), milliseconds: 3_000 });
    const recording = await openRecording({ file: folder.file('a'), id: ID, key: KEY });
    const wav = folder.file('a.wav');
    await pipeline(wavStream(recording, undefined, encoding), createWriteStream(wav));
    await recording.close();
    const about = run('soxi', [wav]).toString();
    expect(about).toMatch(/Channels *: 2\n/);
    expect(about).toMatch(/= 24000 samples/);
    expect(about).toContain(`Sample Encoding: ${name}`);
    for (const [channel, hertz] of [
      ['1', 440],
      ['2', 1_000],
    ] as const) {
      const raw = run(SOX, [
        '-D',
        wav,
        '-t',
        'raw',
        '-e',
        'signed-integer',
        '-b',
        '16',
        '-L',
        '-',
        'remix',
        channel,
      ]);
      const samples = Int16Array.from({ length: raw.length / 2 }, (_, i) => raw.readInt16LE(2 * i));
      expect(samples).toHaveLength(24_000);
      expect(measureTone(samples, hertz).share).toBeGreaterThan(0.9);
    }
  });
});
