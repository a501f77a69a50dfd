import { decode } from './g711.ts';
import { SAMPLE_RATE } from './tones.ts';

export type PromptProblem = 'not-wav' | 'truncated' | 'not-8000-hertz' | 'not-mono' | 'format' | 'too-long';

/** The message is for the person who made the file: what it is, and what it should be. */
export class PromptError extends Error {
  readonly problem: PromptProblem;
  constructor(problem: PromptProblem, words: string) {
    super(words);
    this.name = 'PromptError';
    this.problem = problem;
  }
}

/** Ten minutes: longer is a mistake, and every worker holds every prompt. */
const LONGEST_SAMPLES = 600 * SAMPLE_RATE;
const CHUNKS = 64;

const PCM = 1;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;

interface WavFormat {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

function readFormat(chunk: Buffer): WavFormat {
  if (chunk.length < 16) throw new PromptError('truncated', 'is cut off in its header');
  const tag = chunk.readUInt16LE(0);
  return {
    // The real tag of an extensible format is the first two bytes of its sub-format.
    tag: tag === EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag,
    channels: chunk.readUInt16LE(2),
    rate: chunk.readUInt32LE(4),
    bits: chunk.readUInt16LE(14),
  };
}

function samplesOf(data: Buffer, format: WavFormat): Int16Array {
  if (format.channels !== 1)
    throw new PromptError('not-mono', `has ${format.channels} channels instead of 1`);
  if (format.rate !== SAMPLE_RATE) {
    throw new PromptError('not-8000-hertz', `has ${format.rate} samples a second instead of 8000`);
  }
  const bytes = format.bits >> 3;
  if (bytes > 0 && data.length / bytes > LONGEST_SAMPLES) {
    throw new PromptError('too-long', 'is longer than ten minutes');
  }
  if (format.tag === MU_LAW && format.bits === 8) return decode(data, 'PCMU');
  if (format.tag === A_LAW && format.bits === 8) return decode(data, 'PCMA');
  if (format.tag !== PCM || format.bits !== 16) throw new PromptError('format', encodingWords(format));
  const samples = new Int16Array(data.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(2 * i);
  return samples;
}

/** Registered format tags that people meet (RFC 2361). */
const ENCODINGS: Readonly<Record<number, string>> = {
  1: 'PCM',
  2: 'ADPCM',
  3: 'floating point',
  6: 'A-law',
  7: 'µ-law',
  17: 'IMA ADPCM',
  49: 'GSM',
  85: 'MP3',
};

function encodingWords({ tag, bits }: WavFormat): string {
  const name = ENCODINGS[tag] ?? `format ${tag}`;
  return `is encoded as ${name} of ${bits} bits instead of PCM of 16, µ-law or A-law`;
}

/**
 * Reads a prompt: a WAV file of one channel at 8,000 Hz in PCM 16, µ-law or A-law, at most ten minutes.
 * Throws `PromptError`. A `data` chunk that says more than there is (a streamed file) is read as far as it goes.
 */
export function loadPrompt(file: Uint8Array): Int16Array {
  const wav = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (
    wav.length < 12 ||
    wav.toString('latin1', 0, 4) !== 'RIFF' ||
    wav.toString('latin1', 8, 12) !== 'WAVE'
  ) {
    throw new PromptError('not-wav', 'is not a WAV file');
  }
  let format: WavFormat | undefined;
  let at = 12;
  for (let chunk = 0; chunk < CHUNKS && at + 8 <= wav.length; chunk++) {
    const name = wav.toString('latin1', at, at + 4);
    const size = wav.readUInt32LE(at + 4);
    const body = wav.subarray(at + 8, Math.min(wav.length, at + 8 + size));
    if (name === 'fmt ') format = readFormat(body);
    if (name === 'data') {
      if (format === undefined) throw new PromptError('format', 'does not say how it is encoded');
      return samplesOf(body, format);
    }
    at += 8 + size + (size & 1);
  }
  throw new PromptError('truncated', 'holds no audio');
}
