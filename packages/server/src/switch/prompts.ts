/**
 * What callers hear: the prompts that come with Samar, and a business's own, which go before them and may have names
 * that Samar doesn't know. Both are read once, at start.
 *
 * `<folder>/<language>/<name>.wav` → `audio` by `<language>/<name>` → the media engine, which is told keys of it.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPrompt, MOST_PROMPTS, PromptError } from '@samar/media';
import { promptNames } from '../masking/prompt-names.ts';
import type { Spoken } from '../masking/types.ts';

export { promptNames };

export type PromptName = (typeof promptNames)[number];

/** Spelled out of one text; more is no help to a listener. */
const MOST_CHARACTERS = 20;
/** Looked at for characters that can be spelled. */
const LONGEST_TEXT = 200;
/** Own prompts: each is held in memory in three encodings, and played by a call that somebody waits in. */
const MOST_FILES = 200;
const LONGEST_SECONDS = 60;
const SAMPLES_PER_SECOND = 8_000;
/** A minute at any rate that a recorder knows; what is larger isn't read to find out. */
const LARGEST_BYTES = 2 ** 25;
const MOST_LANGUAGES = 64;
const ownName = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** BCP 47 in the parts that matter here: language, script, region, variants. */
const languageTag = /^[a-z]{2,8}(-[a-z0-9]{1,8}){0,4}$/;

/** Prompts of every language that is installed. */
export interface PromptBook {
  /** By `<language>/<name>`, the language in lower case. */
  readonly audio: ReadonlyMap<string, Int16Array>;
  /** Every name that can be spoken in some language: the built-in ones, and own ones. */
  readonly names: ReadonlySet<string>;
  /**
   * The key in `audio` for a person's language: exact, then without region, then English; for an own prompt that
   * English doesn't have, the first language that does. Unknown names give `unavailable`.
   */
  find(locale: string, name: string): string;
  /**
   * The keys of what is spoken, in order: letters and digits, `*` and `#` one by one, at most 20 of each text, other
   * characters left out. No more than one `play` takes.
   */
  keys(locale: string, words: Spoken): readonly string[];
  /** The language that `find` would choose for `name` (default: the most common words). */
  language(locale: string, name?: string): string;
  /** First 16 hexadecimal digits of the SHA-256 of the samples that `find` would choose (16-bit, little endian). */
  wording(locale: string, name: string): string;
}

/** An own prompt that can't be used, or a folder without English. The message names the file and says what to do. */
export class PromptsError extends Error {
  override readonly name = 'PromptsError';
}

/**
 * Reads `<directory>/<language>/<name>.wav`, and own prompts from `<own>/<language>/<name>.wav`. Rejects with
 * `PromptsError` when English is incomplete in `directory` (there must be a last resort) or a file of `own` can't be
 * used: a business must not find out from its callers.
 */
export async function loadPrompts(directory: string, own?: string): Promise<PromptBook> {
  const audio = await builtIn(directory);
  const names = new Set<string>(promptNames);
  if (own !== undefined) {
    for (const [key, samples] of await ownPrompts(own)) {
      audio.set(key, samples);
      names.add(key.slice(key.indexOf('/') + 1));
    }
  }
  return promptBook(audio, names);
}

async function builtIn(directory: string): Promise<Map<string, Int16Array>> {
  const audio = new Map<string, Int16Array>();
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const name of promptNames) {
      const wav = await readFile(join(directory, entry.name, `${name}.wav`)).catch(() => undefined);
      if (wav) audio.set(`${entry.name.toLowerCase()}/${name}`, loadPrompt(wav));
    }
  }
  const missing = promptNames.find((name) => !audio.has(`en/${name}`));
  if (missing !== undefined) throw new PromptsError(`the prompt en/${missing}.wav is missing`);
  return audio;
}

/** A business's own, by `<language>/<name>`. Rejects as `loadPrompts` does. */
export async function ownPrompts(directory: string): Promise<ReadonlyMap<string, Int16Array>> {
  const audio = new Map<string, Int16Array>();
  const languages: string[] = [];
  for (const name of await visible(directory, 'SAMAR_PROMPTS_DIR')) {
    const folder = await stat(join(directory, name)).catch(() => undefined);
    if (folder?.isDirectory()) languages.push(name);
    else if (isWav(name)) {
      throw new PromptsError(`own prompt ${name} must stand in a folder named by its language, such as en/`);
    }
  }
  if (languages.length > MOST_LANGUAGES) {
    throw new PromptsError(`SAMAR_PROMPTS_DIR has more than ${MOST_LANGUAGES} folders`);
  }
  for (const language of languages) {
    for (const file of (await visible(join(directory, language), language)).filter(isWav)) {
      const key = keyOf(language, file);
      if (audio.has(key)) throw new PromptsError(`own prompt ${language}/${file} is there twice`);
      if (audio.size >= MOST_FILES) {
        throw new PromptsError(`SAMAR_PROMPTS_DIR holds more than ${MOST_FILES} WAV files`);
      }
      audio.set(key, await ownPrompt(join(directory, language, file), `${language}/${file}`));
    }
  }
  return audio;
}

/** Sorted. What begins with a dot isn't ours: file managers and mounted volumes put it there. */
async function visible(directory: string, what: string): Promise<readonly string[]> {
  const entries = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new PromptsError(`${what} can not be read as a folder (${error.code ?? 'unknown'})`);
  });
  return entries.filter((name) => !name.startsWith('.')).sort();
}

function isWav(file: string): boolean {
  return /\.wav$/i.test(file);
}

function keyOf(folder: string, file: string): string {
  const language = folder.toLowerCase();
  if (!languageTag.test(language)) {
    throw new PromptsError(
      `own prompt ${folder}/${file}: its folder must be named by a language (en, pt-BR)`,
    );
  }
  const name = file.slice(0, -'.wav'.length);
  if (!ownName.test(name) || !file.endsWith('.wav')) {
    throw new PromptsError(
      `own prompt ${folder}/${file} must be named with a-z, 0-9 and dashes, at most 63, and .wav`,
    );
  }
  return `${language}/${name}`;
}

async function ownPrompt(path: string, file: string): Promise<Int16Array> {
  const wrong = (words: string) => new PromptsError(`own prompt ${file} ${words}`);
  let samples: Int16Array;
  try {
    if ((await stat(path)).size > LARGEST_BYTES) {
      throw new PromptError('too-long', `is too large for ${LONGEST_SECONDS} seconds`);
    }
    samples = loadPrompt(await readFile(path));
  } catch (error) {
    if (!(error instanceof PromptError)) {
      throw wrong(`can not be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    }
    throw wrong(`${error.message} (sox in.wav -r 8000 -c 1 -b 16 out.wav converts it)`);
  }
  if (samples.length === 0) throw wrong('holds no audio');
  const seconds = samples.length / SAMPLES_PER_SECOND;
  if (seconds > LONGEST_SECONDS) {
    throw wrong(`lasts ${Math.ceil(seconds)} seconds instead of ${LONGEST_SECONDS} at most`);
  }
  return samples;
}

function promptBook(audio: ReadonlyMap<string, Int16Array>, names: ReadonlySet<string>): PromptBook {
  /** Of names that English doesn't have: the first language that does. */
  const elsewhere = new Map<string, string>();
  for (const key of [...audio.keys()].sort()) {
    const name = key.slice(key.indexOf('/') + 1);
    if (!audio.has(`en/${name}`) && !elsewhere.has(name)) elsewhere.set(name, key);
  }

  function find(locale: string, name: string): string {
    if (!names.has(name)) return find(locale, 'unavailable');
    const wanted = locale.toLowerCase();
    for (const candidate of [wanted, wanted.split('-', 1)[0], 'en']) {
      const key = `${candidate}/${name}`;
      if (audio.has(key)) return key;
    }
    // Every name is there in some language.
    return elsewhere.get(name) ?? 'en/unavailable';
  }

  /** Two prompts a language are asked for. */
  const wordings = new Map<string, string>();
  function wording(locale: string, name: string): string {
    const key = find(locale, name);
    const known = wordings.get(key);
    if (known !== undefined) return known;
    const samples = audio.get(key) ?? new Int16Array();
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    const made = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    wordings.set(key, made);
    return made;
  }

  return {
    audio,
    names,
    find,
    wording,
    keys: (locale, words) =>
      words
        .flatMap((part) =>
          part.kind === 'prompt'
            ? [find(locale, part.name)]
            : spelled(part.text).map((name) => find(locale, name)),
        )
        .slice(0, MOST_PROMPTS),
    language: (locale, name = 'ended') => find(locale, name).split('/', 1)[0] ?? 'en',
  };
}

/** `A-1#` → `char-a`, `char-1`, `char-hash`. Accents are taken off, as nobody spells them. */
function spelled(text: string): PromptName[] {
  const names: PromptName[] = [];
  for (const character of text.slice(0, LONGEST_TEXT).normalize('NFKD').toLowerCase()) {
    const word = character === '*' ? 'star' : character === '#' ? 'hash' : character;
    const known = promptNames.find((name) => name === `char-${word}`);
    if (known !== undefined && names.push(known) === MOST_CHARACTERS) break;
  }
  return names;
}
