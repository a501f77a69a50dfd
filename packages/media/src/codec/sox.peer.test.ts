import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { decode, encode } from './g711.ts';
import { loadPrompt } from './prompt.ts';
import { measureTone } from './tones.ts';

const RAW = ['-t', 'raw', '-r', '8000', '-c', '1'];
const LINEAR = [...RAW, '-e', 'signed-integer', '-b', '16', '-L', '-'];

const SOX = 'sox';
const withoutSox = spawnSync(SOX, ['--version']).error !== undefined;

function sox(input: Uint8Array, from: readonly string[], to: readonly string[]): Buffer {
  const run = spawnSync(SOX, ['-D', ...from, ...to], { input });
  if (run.error) throw run.error;
  expect(run.stderr.toString()).toBe('');
  return run.stdout;
}

describe.skipIf(withoutSox)('G.711 beside sox', () => {
  it.each([
    ['PCMU', 'u-law'],
    ['PCMA', 'a-law'],
  ] as const)('%s: all 256 codes mean the same', (codec, name) => {
    const codes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const linear = sox(codes, [...RAW, '-e', name, '-b', '8', '-'], LINEAR);
    const ours = decode(codes, codec);
    expect(linear.length).toBe(512);
    for (let i = 0; i < 256; i++) expect(ours[i], `code ${i}`).toBe(linear.readInt16LE(2 * i));
  });

  it.each([
    ['PCMU', 'u-law'],
    ['PCMA', 'a-law'],
  ] as const)('%s: sox hears what we encode', (codec, name) => {
    const samples = Int16Array.from({ length: 8_000 }, (_, i) => Math.round(20_000 * Math.sin(i / 7)));
    const linear = sox(encode(samples, codec), [...RAW, '-e', name, '-b', '8', '-'], LINEAR);
    // The widest step of either law is 1,024: half of it is the largest error.
    for (let i = 0; i < samples.length; i++) {
      expect(Math.abs(linear.readInt16LE(2 * i) - (samples[i] as number))).toBeLessThanOrEqual(512);
    }
  });
});

describe.skipIf(withoutSox)('prompts made by sox', () => {
  it.each([
    ['PCM 16', ['-b', '16']],
    ['µ-law', ['-e', 'u-law']],
    ['A-law', ['-e', 'a-law']],
  ])('are read from %s files', (_, encoding) => {
    const run = spawnSync(SOX, [
      ...['-D', '-n', '-r', '8000', '-c', '1', ...encoding, '-t', 'wav', '-'],
      ...['synth', '1', 'sine', '700'],
    ]);
    // sox writes an unknown length into a pipe's header: reading stops where the file does.
    const samples = loadPrompt(run.stdout);
    expect(samples).toHaveLength(8_000);
    expect(measureTone(samples, 700).share).toBeGreaterThan(0.95);
  });
});
