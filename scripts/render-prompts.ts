/**
 * `npm run prompts`: speaks the texts in prompts/<language>/<name>.txt with espeak-ng, shapes the speech for the
 * telephone with sox, writes prompts/<language>/<name>.wav, and keeps prompts/manifest.json.
 *
 * Renders what is missing and what has a new text. `--all` renders everything that a machine spoke; `--adopt` takes
 * WAV files that were replaced by hand (a human's recording) into the manifest, and they are never rendered over.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Entry {
  /** Grows with every new text: a consent can say which wording was heard. */
  readonly version: number;
  readonly text: string;
  readonly textSha256: string;
  readonly audioSha256: string;
  readonly milliseconds: number;
  readonly voice: 'machine' | 'human';
}
type Manifest = Record<string, Record<string, Entry>>;

const directory = join(import.meta.dirname, '..', 'prompts');
const manifestFile = join(directory, 'manifest.json');
/** espeak-ng's voice of each language, and words a minute: slower than its default, for a telephone. */
const voices: Readonly<Record<string, readonly [voice: string, wordsPerMinute: number]>> = {
  en: ['en-us', 155],
  id: ['id', 160],
  hi: ['hi', 155],
};
const RATE = 8000;
/** Mean power of the spoken parts. A full-scale sine is +3.17 dBm0 in µ-law and has an RMS of -3.01 dB. */
const LEVEL_DBM0 = -16;
const TARGET_RMS = 10 ** ((LEVEL_DBM0 - 3.17 - 3.01) / 20);
/** The loudest sample that is still let through, so that no codec clips. */
const PEAK = 0.89;
interface Shape {
  /** Silence before and after the speech, milliseconds. */
  readonly leadIn: number;
  readonly tail: number;
  /** How much faster than `voices` says. */
  readonly speed: number;
  /** sox effects between the first level and the telephone's band. */
  readonly effects: readonly string[];
}
const sentence: Shape = { leadIn: 100, tail: 150, speed: 1, effects: [] };
/**
 * Characters follow one another: ten of them are spelled in some five seconds. What tells S from F lies mostly above
 * the telephone's band, so the little of it that is within is lifted from 30 dB below the vowel to about 15.
 */
const character: Shape = {
  leadIn: 20,
  tail: 80,
  speed: 1.14,
  effects: [
    ...['gain', '-6', 'equalizer', '3200', '1.5q', '12', 'sinc', '200-3700'],
    ...['compand', '0.002,0.03', '3:-90,-90,-52,-52,-46,-40,-42,-33,-25,-24,0,-4'],
  ],
};
const FRAME = RATE / 50;
/** sox's words for 16-bit PCM without a header. */
const RAW = ['-t', 'raw', '-e', 'signed', '-b', '16', '-r', String(RATE), '-c', '1'];

main(process.argv.slice(2));

function main(args: readonly string[]): void {
  const before: Manifest = existsSync(manifestFile)
    ? (JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest)
    : {};
  const after: Manifest = {};
  for (const language of Object.keys(voices)) {
    const entries: Record<string, Entry> = {};
    for (const file of readdirSync(join(directory, language)).sort()) {
      if (!file.endsWith('.txt')) continue;
      const name = file.slice(0, -'.txt'.length);
      entries[name] = prompt(language, name, before[language]?.[name], args);
    }
    after[language] = entries;
  }
  writeFileSync(manifestFile, `${JSON.stringify(after, undefined, 2)}\n`);
}

function prompt(language: string, name: string, known: Entry | undefined, args: readonly string[]): Entry {
  const text = readFileSync(join(directory, language, `${name}.txt`), 'utf8').trim();
  const wav = join(directory, language, `${name}.wav`);
  const textSha256 = sha256(text);
  const sameText = known?.textSha256 === textSha256;
  const version = known === undefined ? 1 : sameText ? known.version : known.version + 1;
  const found = existsSync(wav) ? readFileSync(wav) : undefined;
  if (found && args.includes('--adopt') && sha256(found) !== known?.audioSha256) {
    console.log(`${language}/${name}: adopted`);
    return entry(version, text, found, 'human');
  }
  if (known?.voice === 'human' && !sameText) {
    throw new Error(
      `${language}/${name} has a new text, but a human's recording: record it again, then --adopt.`,
    );
  }
  if (found && known && sameText && !(args.includes('--all') && known.voice === 'machine')) return known;
  render(language, text, wav, name.startsWith('char-') ? character : sentence);
  const made = entry(version, text, readFileSync(wav), 'machine');
  console.log(`${language}/${name}: ${made.milliseconds} ms`);
  return made;
}

function entry(version: number, text: string, audio: Buffer, voice: Entry['voice']): Entry {
  const raw = execFileSync('sox', ['-t', 'wav', '-', '-t', 'raw', '-e', 'signed', '-b', '16', '-'], {
    input: audio,
  });
  return {
    version,
    text,
    textSha256: sha256(text),
    audioSha256: sha256(audio),
    milliseconds: Math.round((raw.length / 2 / RATE) * 1000),
    voice,
  };
}

function render(language: string, text: string, wav: string, shape: Shape): void {
  const [voice, speed] = voices[language] ?? ['en-us', 145];
  const words = String(Math.round(speed * shape.speed));
  const spoken = execFileSync('espeak-ng', ['-v', voice, '-s', words, '--stdout'], {
    input: text,
    maxBuffer: 1 << 26,
  });
  // The telephone's band, and no silence at either end; a last S is quiet there, and no silence.
  const trim = ['silence', '1', '0.01', '0.1%', 'reverse'];
  const raw = execFileSync(
    'sox',
    [
      ...['-D', '-t', 'wav', '--ignore-length', '-'],
      ...[...RAW, '-', 'gain', '-6', ...shape.effects, 'sinc', '200-3700', ...trim, ...trim],
    ],
    { input: spoken, maxBuffer: 1 << 26, stdio: ['pipe', 'pipe', 'ignore'] },
  );
  const level = Buffer.concat([silence(shape.leadIn), atLevel(raw), silence(shape.tail)]);
  execFileSync('sox', ['-D', ...RAW, '-', '-e', 'mu-law', '-b', '8', wav], { input: level });
}

function atLevel(raw: Buffer): Buffer {
  const samples = Float64Array.from(
    { length: raw.length >> 1 },
    (_, index) => raw.readInt16LE(2 * index) / 0x8000,
  );
  const gain = TARGET_RMS / spokenRms(samples);
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) * gain;
  // Few peaks stand far out: a soft knee keeps them below PEAK without turning everything down.
  const out = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, index) => {
    const wanted = sample * gain;
    out.writeInt16LE(
      Math.round((loudest > PEAK ? Math.tanh(wanted / PEAK) * PEAK : wanted) * 0x7fff),
      2 * index,
    );
  });
  return out;
}

/** RMS of the 20 ms frames that are within 30 dB of the loudest one: pauses do not count. */
function spokenRms(samples: Float64Array): number {
  const powers: number[] = [];
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    const frame = samples.subarray(at, at + FRAME);
    powers.push(frame.reduce((sum, sample) => sum + sample * sample, 0) / FRAME);
  }
  const loudest = Math.max(...powers);
  const spoken = powers.filter((power) => power > loudest / 1000);
  return Math.sqrt(spoken.reduce((sum, power) => sum + power, 0) / spoken.length);
}

function silence(milliseconds: number): Buffer {
  return Buffer.alloc(((RATE * milliseconds) / 1000) * 2);
}

function sha256(of: string | Buffer): string {
  return createHash('sha256').update(of).digest('hex');
}
