import { copyFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadPrompt, tone } from '@samar/media';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Spoken } from '../masking/types.ts';
import { loadPrompts, type PromptBook, PromptsError, promptNames } from './prompts.ts';

const builtIn = join(import.meta.dirname, '../../../../prompts');
let own: string;
beforeEach(async () => {
  own = await mkdtemp(join(tmpdir(), 'samar-own-prompts-'));
});
afterEach(() => rm(own, { recursive: true, force: true }));

interface Wav {
  readonly tag?: number;
  readonly bits?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly data: Buffer;
}

function wavOf({ tag = 1, bits = 16, channels = 1, rate = 8000, data }: Wav): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(tag, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

function speech(milliseconds: number): Buffer {
  return Buffer.from(tone(500, milliseconds).buffer);
}

/** Puts a file into the folder of own prompts. */
async function put(file: string, content: Uint8Array = wavOf({ data: speech(300) })): Promise<void> {
  await mkdir(dirname(join(own, file)), { recursive: true });
  await writeFile(join(own, file), content);
}

async function refusal(): Promise<string> {
  const error = await loadPrompts(builtIn, own).catch((reason: unknown) => reason);
  if (!(error instanceof PromptsError)) throw new Error('own prompts were taken');
  return error.message;
}

describe('built-in prompts', () => {
  let book: PromptBook;
  beforeAll(async () => {
    book = await loadPrompts(builtIn);
  });

  test('every name is there in every language', () => {
    expect(book.names).toEqual(new Set(promptNames));
    for (const language of ['en', 'id', 'hi']) {
      for (const name of promptNames)
        expect(book.audio.get(`${language}/${name}`)?.length).toBeGreaterThan(0);
    }
    expect(book.audio.size).toBe(3 * promptNames.length);
  });

  test.each([
    ['id', 'id/ended'],
    ['id-ID', 'id/ended'],
    ['HI-in', 'hi/ended'],
    ['th', 'en/ended'],
    ['', 'en/ended'],
  ])('%j hears %s', (locale, key) => {
    expect(book.find(locale, 'ended')).toBe(key);
    expect(book.language(locale)).toBe(key.split('/')[0]);
  });

  test('an unknown name is said as unavailable, in the listener’s language', () => {
    expect(book.find('id-ID', 'no-such-name')).toBe('id/unavailable');
    expect(book.find('id', '__proto__')).toBe('id/unavailable');
  });

  test('what is spoken becomes keys: prompts by name, characters one by one', () => {
    const words: Spoken = [
      { kind: 'prompt', name: 'for-reference' },
      { kind: 'characters', text: 'Ab-1 2/é٣*#' },
      { kind: 'prompt', name: 'press' },
      { kind: 'characters', text: '1' },
    ];
    expect(book.keys('hi-IN', words)).toEqual(
      ['for-reference', 'char-a', 'char-b', 'char-1', 'char-2', 'char-e', 'char-star', 'char-hash']
        .concat(['press', 'char-1'])
        .map((name) => `hi/${name}`),
    );
    expect(book.keys('en', [])).toEqual([]);
  });

  test('twenty characters of a text are spelled, and no more keys come out than one play takes', () => {
    const long = (text: string) => book.keys('en', [{ kind: 'characters', text }]);
    expect(long('7'.repeat(21))).toHaveLength(20);
    expect(long('-'.repeat(150) + '7'.repeat(10))).toHaveLength(10);
    expect(long(`${'7'.repeat(19)}--ab`).slice(-2)).toEqual(['en/char-7', 'en/char-a']);
    expect(long('\u{1f600}'.repeat(100_000))).toEqual([]);
    const many: Spoken = Array.from({ length: 10 }, () => ({ kind: 'characters', text: '0123456789' }));
    expect(book.keys('en', many)).toHaveLength(64);
  });

  test('without complete English nothing starts', async () => {
    await mkdir(join(own, 'en'));
    await copyFile(join(builtIn, 'en', 'ended.wav'), join(own, 'en', 'ended.wav'));
    await expect(loadPrompts(own)).rejects.toThrow('en/not-connected.wav is missing');
  });
});

describe('own prompts', () => {
  test('go before built-in ones of the same language and name, and leave the others', async () => {
    const content = wavOf({ data: speech(300) });
    await put('id/ended.wav', content);
    const before = await loadPrompts(builtIn);
    const book = await loadPrompts(builtIn, own);
    expect(book.audio.get('id/ended')).toEqual(loadPrompt(content));
    expect(book.audio.get('en/ended')).toEqual(before.audio.get('en/ended'));
    expect(book.audio.size).toBe(before.audio.size);
    expect(book.names).toEqual(before.names);
  });

  test('a region’s own words go before its language’s', async () => {
    await put('pt-BR/ended.wav');
    await put('pt/ended.wav');
    const book = await loadPrompts(builtIn, own);
    expect(book.find('pt-br', 'ended')).toBe('pt-br/ended');
    expect(book.find('pt-PT', 'ended')).toBe('pt/ended');
    expect(book.find('pt-BR', 'closed')).toBe('en/closed');
    expect(book.language('pt-BR')).toBe('pt-br');
    expect(book.language('pt-BR', 'closed')).toBe('en');
  });

  test('new names can be spoken; English serves other languages, else the one language that has it', async () => {
    await put('en/welcome.wav');
    await put('id/welcome.wav');
    await put('hi/diwali-offer.wav');
    await put('id/diwali-offer.wav');
    const book = await loadPrompts(builtIn, own);
    expect(book.names.has('welcome') && book.names.has('diwali-offer')).toBe(true);
    expect(book.find('id', 'welcome')).toBe('id/welcome');
    expect(book.find('hi', 'welcome')).toBe('en/welcome');
    expect(book.find('id', 'diwali-offer')).toBe('id/diwali-offer');
    expect(book.find('en', 'diwali-offer')).toBe('hi/diwali-offer');
    expect(book.keys('th', [{ kind: 'prompt', name: 'diwali-offer' }])).toEqual(['hi/diwali-offer']);
  });

  test('µ-law and A-law are read; what is no WAV file or hidden is left alone; links are followed', async () => {
    await put('en/mu.wav', wavOf({ tag: 7, bits: 8, data: Buffer.alloc(800, 0x80) }));
    await put('en/a.wav', wavOf({ tag: 6, bits: 8, data: Buffer.alloc(800, 0x80) }));
    await put('en/README.txt', Buffer.from('about'));
    await put('en/._mu.wav', Buffer.from('of a file manager'));
    await put('.git/config.wav', Buffer.from('x'));
    await put('notes.md', Buffer.from('x'));
    await put('..data/linked.wav');
    await symlink(join('..data'), join(own, 'hi'));
    const book = await loadPrompts(builtIn, own);
    const added = [...book.audio.keys()].filter(
      (key) => !promptNames.some((name) => key.endsWith(`/${name}`)),
    );
    expect(added.sort()).toEqual(['en/a', 'en/mu', 'hi/linked']);
  });

  test.each([
    ['has 44100 samples a second instead of 8000', { rate: 44_100 }],
    ['has 2 channels instead of 1', { channels: 2 }],
    ['is encoded as PCM of 24 bits instead of PCM of 16, µ-law or A-law', { bits: 24 }],
    ['is encoded as floating point of 32 bits', { tag: 3, bits: 32 }],
    ['holds no audio', { data: Buffer.alloc(0) }],
    ['lasts 61 seconds instead of 60 at most', { data: Buffer.alloc(16_000 * 60 + 2) }],
  ])('a file that %s is refused by its name', async (words, wav) => {
    await put('en/closed.wav', wavOf({ data: speech(100), ...wav }));
    expect(await refusal()).toContain(`own prompt en/closed.wav ${words}`);
  });

  test('a minute is taken, an unreadable or a huge file is not', async () => {
    await put('en/long.wav', wavOf({ data: Buffer.alloc(16_000 * 60) }));
    expect((await loadPrompts(builtIn, own)).audio.get('en/long')).toHaveLength(480_000);
    await put('en/long.wav', Buffer.alloc(2 ** 25 + 1));
    expect(await refusal()).toContain('own prompt en/long.wav is too large for 60 seconds');
    await rm(join(own, 'en', 'long.wav'));
    await symlink('nowhere', join(own, 'en', 'gone.wav'));
    expect(await refusal()).toContain('own prompt en/gone.wav can not be read (ENOENT)');
    await rm(join(own, 'en', 'gone.wav'));
    await mkdir(join(own, 'en', 'folder.wav'));
    expect(await refusal()).toContain('own prompt en/folder.wav can not be read (EISDIR)');
  });

  test.each(['Welcome.wav', 'two words.wav', '-dash.wav', 'welcome.WAV', `${'a'.repeat(64)}.wav`])(
    'a name such as %s is refused',
    async (file) => {
      await put(`en/${file}`);
      expect(await refusal()).toContain(`own prompt en/${file} must be named with a-z, 0-9 and dashes`);
    },
  );

  test('a file outside of a language, in a folder that is none, or there twice is refused', async () => {
    await put('welcome.wav');
    expect(await refusal()).toContain('own prompt welcome.wav must stand in a folder named by its language');
    await rm(join(own, 'welcome.wav'));
    await put('English voices/welcome.wav');
    expect(await refusal()).toContain('its folder must be named by a language');
    await rename(join(own, 'English voices'), join(own, 'EN'));
    await put('en/welcome.wav');
    expect(await refusal()).toContain('en/welcome.wav is there twice');
    await rm(own, { recursive: true });
    expect(await refusal()).toContain('SAMAR_PROMPTS_DIR can not be read as a folder (ENOENT)');
  });

  test('200 files are taken and no more', async () => {
    const content = wavOf({ data: speech(20) });
    for (let index = 0; index < 200; index++) await put(`en/own-${index}.wav`, content);
    expect((await loadPrompts(builtIn, own)).names.size).toBe(promptNames.length + 200);
    await put('id/own-200.wav', content);
    expect(await refusal()).toContain('more than 200 WAV files');
  });
});
