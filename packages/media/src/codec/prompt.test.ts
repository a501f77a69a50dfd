import { describe, expect, it } from 'vitest';
import { loadPrompt, PromptError } from './prompt.ts';

interface Wav {
  readonly tag: number;
  readonly bits: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly data: Buffer;
  readonly before?: Buffer;
}

function chunk(name: string, body: Buffer, size = body.length): Buffer {
  const head = Buffer.alloc(8, name, 'latin1');
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length & 1)]);
}

function wav({ tag, bits, channels = 1, rate = 8_000, data, before = Buffer.alloc(0) }: Wav): Buffer {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt16LE(bits, 14);
  return chunk(
    'RIFF',
    Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), before, chunk('data', data)]),
  );
}

function problemOf(file: Uint8Array): string {
  try {
    loadPrompt(file);
    return 'none';
  } catch (error) {
    if (error instanceof PromptError) return error.problem;
    throw error;
  }
}

const SPEECH = Buffer.from([0x01, 0x00, 0xff, 0xff, 0x00, 0x80, 0xff, 0x7f]);

describe('prompts', () => {
  it('are read from PCM 16 files, odd chunks skipped', () => {
    const file = wav({ tag: 1, bits: 16, data: SPEECH, before: chunk('LIST', Buffer.from('odd')) });
    expect(loadPrompt(file)).toEqual(Int16Array.of(1, -1, -32_768, 32_767));
    // From the middle of a larger buffer, as file readers give them.
    const pooled = Buffer.concat([Buffer.from('x'), file, Buffer.from('y')]).subarray(1, -1);
    expect(loadPrompt(pooled)).toHaveLength(4);
  });

  it('are read from files in either law', () => {
    expect(loadPrompt(wav({ tag: 7, bits: 8, data: Buffer.of(0xff, 0x80, 0x00) }))).toEqual(
      Int16Array.of(0, 32_124, -32_124),
    );
    expect(loadPrompt(wav({ tag: 6, bits: 8, data: Buffer.of(0xd5, 0x55) }))).toEqual(Int16Array.of(8, -8));
  });

  it('are read as far as they go when the header claims more', () => {
    const file = wav({ tag: 1, bits: 16, data: SPEECH });
    file.writeUInt32LE(0x7fff_ffff, file.length - SPEECH.length - 4);
    expect(loadPrompt(file)).toHaveLength(4);
  });

  it.each([
    ['not-mono', wav({ tag: 1, bits: 16, channels: 2, data: SPEECH })],
    ['not-8000-hertz', wav({ tag: 1, bits: 16, rate: 16_000, data: SPEECH })],
    ['format', wav({ tag: 1, bits: 24, data: SPEECH })],
    ['format', wav({ tag: 3, bits: 32, data: SPEECH })],
    ['format', chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), chunk('data', SPEECH)]))],
    ['too-long', wav({ tag: 7, bits: 8, data: Buffer.alloc(4_800_001) })],
    ['not-wav', Buffer.from('ID3 something else')],
    ['not-wav', Buffer.alloc(0)],
  ])('refuses with %s', (problem, file) => {
    expect(problemOf(file)).toBe(problem);
  });

  it.each([
    ['has 2 channels instead of 1', wav({ tag: 1, bits: 16, channels: 2, data: SPEECH })],
    ['has 44100 samples a second instead of 8000', wav({ tag: 1, bits: 16, rate: 44_100, data: SPEECH })],
    ['is encoded as PCM of 24 bits instead of PCM of 16', wav({ tag: 1, bits: 24, data: SPEECH })],
    ['is encoded as MP3 of 0 bits', wav({ tag: 85, bits: 0, data: SPEECH })],
    ['is not a WAV file', Buffer.from('ID3 something else')],
  ])('says that a file %s', (words, file) => {
    expect(() => loadPrompt(file)).toThrow(words);
  });

  it('neither hangs nor throws anything else on a file cut anywhere or with any byte changed', () => {
    const file = wav({ tag: 1, bits: 16, data: SPEECH, before: chunk('LIST', Buffer.from('odd')) });
    for (let length = 0; length < file.length; length++) problemOf(file.subarray(0, length));
    for (let at = 0; at < file.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const changed = Buffer.from(file);
        changed[at] = value;
        problemOf(changed);
      }
    }
    expect(problemOf(file.subarray(0, 30))).toBe('truncated');
  });
});
