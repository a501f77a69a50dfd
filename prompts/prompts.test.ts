import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPrompt } from '../packages/media/src/index.ts';
import { promptNames } from '../packages/server/src/switch/prompts.ts';

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
/** Spelled out one after the other. */
const characters = [...'0123456789abcdefghijklmnopqrstuvwxyz', 'star', 'hash'].map((name) => `char-${name}`);
/** Parts of sentences that characters complete, and what is said in a word or two. */
const short = ['for-reference', 'press', 'thanks', 'goodbye', 'recording'];

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

/** The longest stretch of frames that are 40 dB below the loudest, between the first and the last that are not; seconds. */
function longestPause(samples: Int16Array): number {
  const powers: number[] = [];
  for (let at = 0; at + 160 <= samples.length; at += 160) {
    powers.push(samples.subarray(at, at + 160).reduce((sum, sample) => sum + sample ** 2, 0));
  }
  const loudest = Math.max(...powers);
  const spoken = powers.map((power) => power > loudest / 10_000);
  let longest = 0;
  let pause = 0;
  for (const heard of spoken.slice(spoken.indexOf(true), spoken.lastIndexOf(true))) {
    pause = heard ? 0 : pause + 1;
    longest = Math.max(longest, pause);
  }
  return longest / 50;
}

/** Seconds before the first and after the last sample that is heard. */
function ends(samples: Int16Array): readonly [before: number, after: number] {
  const heard = (sample: number) => Math.abs(sample) > 150;
  const last = samples.findLastIndex(heard);
  return [samples.findIndex(heard) / 8000, (samples.length - 1 - last) / 8000];
}

function lengthsOf(name: string): readonly [least: number, most: number] {
  if (characters.includes(name)) return [0.2, 0.7];
  return short.includes(name) ? [0.5, 3] : [1.3, 15];
}

test('English, Indonesian and Hindi are there', () => {
  expect(languages).toEqual(expect.arrayContaining(['en', 'id', 'hi']));
  expect(Object.keys(manifest).sort()).toEqual([...languages].sort());
});

test('what the server speaks is there, and what is there is in the table of README.md', () => {
  expect(names).toEqual([...promptNames].sort());
  expect(names).toEqual(expect.arrayContaining([...characters, ...short]));
  const table = readFileSync(join(directory, 'README.md'), 'utf8');
  for (const name of names) {
    if (!characters.includes(name)) expect(table).toContain(`| \`${name}\` `);
  }
});

test('all of them are a small download', () => {
  const bytes = languages.flatMap((language) =>
    namesIn(language, '.wav').map((name) => statSync(join(directory, language, `${name}.wav`)).size),
  );
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(6_000_000);
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
    const [least, most] = lengthsOf(name);
    expect(seconds).toBeGreaterThanOrEqual(least);
    expect(seconds).toBeLessThanOrEqual(most);
    expect(longestPause(samples)).toBeLessThan(0.8);
    const [before, after] = ends(samples);
    expect(before).toBeLessThan(characters.includes(name) ? 0.05 : 0.2);
    expect(after).toBeLessThan(characters.includes(name) ? 0.15 : 0.3);
    expect(level(samples)).toBeGreaterThan(-18);
    expect(level(samples)).toBeLessThan(-14);
    const magnitudes = samples.map(Math.abs);
    expect(magnitudes.reduce((most, sample) => Math.max(most, sample), 0)).toBeLessThan(31_000);
    // It begins with silence, so that a jitter buffer's start cuts no word.
    const leadIn = magnitudes.subarray(0, characters.includes(name) ? 152 : 760);
    expect(leadIn.reduce((sum, sample) => sum + sample, 0) / leadIn.length).toBeLessThan(30);
  });

  test('no two prompts sound the same', () => {
    const hashes = names.map((name) => manifest[language]?.[name]?.audioSha256);
    expect(new Set(hashes).size).toBe(names.length);
  });

  test('S is heard in the letters that end with it, and F is told from it', () => {
    const tail = (name: string) => {
      const samples = loadPrompt(readFileSync(join(directory, language, `${name}.wav`)));
      const [, after] = ends(samples);
      const end = samples.length - Math.round(after * 8000);
      const power = (part: Int16Array) => part.reduce((sum, sample) => sum + sample ** 2, 0) / part.length;
      return 10 * Math.log10(power(samples.subarray(end - 560, end)) / power(samples.subarray(0, 1600)));
    };
    expect(tail('char-s')).toBeGreaterThan(-20);
    expect(tail('char-x')).toBeGreaterThan(-20);
    expect(tail('char-s')).toBeGreaterThan(tail('char-f') + 1.5);
  });
});
