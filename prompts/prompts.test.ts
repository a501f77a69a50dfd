import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPrompt } from '../packages/media/src/index.ts';

interface Entry {
  readonly text: string;
  readonly textSha256: string;
  readonly audioSha256: string;
  readonly milliseconds: number;
}

const directory = import.meta.dirname;
const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, Entry>>>
>;
const languages = readdirSync(directory, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const names = namesIn('en', '.txt');

function namesIn(language: string, ending: string): readonly string[] {
  return readdirSync(join(directory, language))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort();
}

function sha256(of: string | Buffer): string {
  return createHash('sha256').update(of).digest('hex');
}

/** dBm0 of the 20 ms frames that hold speech; a full-scale sine is +3.17 dBm0. */
function level(samples: Int16Array): number {
  const powers: number[] = [];
  for (let at = 0; at + 160 <= samples.length; at += 160) {
    const frame = samples.subarray(at, at + 160);
    powers.push(frame.reduce((sum, sample) => sum + (sample / 0x8000) ** 2, 0) / 160);
  }
  const loudest = Math.max(...powers);
  const spoken = powers.filter((power) => power > loudest / 1000);
  const power = spoken.reduce((sum, value) => sum + value, 0) / spoken.length;
  return 10 * Math.log10(power) + 3.01 + 3.17;
}

test('English, Indonesian and Hindi are there', () => {
  expect(languages).toEqual(expect.arrayContaining(['en', 'id', 'hi']));
  expect(Object.keys(manifest).sort()).toEqual([...languages].sort());
});

describe.each(languages)('prompts in %s', (language) => {
  test('every text has its audio and its entry', () => {
    expect(namesIn(language, '.txt')).toEqual(names);
    expect(namesIn(language, '.wav')).toEqual(names);
    expect(Object.keys(manifest[language] ?? {}).sort()).toEqual(names);
  });

  test.each(names)('%s was made from its text', (name) => {
    const entry = manifest[language]?.[name];
    const text = readFileSync(join(directory, language, `${name}.txt`), 'utf8').trim();
    expect(entry?.text, 'run npm run prompts').toBe(text);
    expect(entry?.textSha256).toBe(sha256(text));
    expect(entry?.audioSha256).toBe(sha256(readFileSync(join(directory, language, `${name}.wav`))));
  });

  test.each(names)('%s is fit for a telephone', (name) => {
    const samples = loadPrompt(readFileSync(join(directory, language, `${name}.wav`)));
    const seconds = samples.length / 8000;
    expect(Math.round(seconds * 1000)).toBe(manifest[language]?.[name]?.milliseconds);
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(15);
    expect(level(samples)).toBeGreaterThan(-18);
    expect(level(samples)).toBeLessThan(-14);
    const magnitudes = samples.map(Math.abs);
    expect(magnitudes.reduce((most, sample) => Math.max(most, sample), 0)).toBeLessThan(31_000);
    expect(magnitudes.subarray(0, 760).reduce((sum, sample) => sum + sample, 0) / 760).toBeLessThan(30);
  });
});
