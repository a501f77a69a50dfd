import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPrompt } from '@samar/media';

export const promptNames = [
  'not-connected',
  'ended',
  'unavailable',
  'closed',
  'recording',
  'consent',
  'try-again',
] as const;
export type PromptName = (typeof promptNames)[number];

/** Prompts of every language that is installed, by `<language>/<name>`. */
export interface PromptBook {
  readonly audio: ReadonlyMap<string, Int16Array>;
  /** The key in `audio` for a person's language: exact, then without region, then English. */
  find(locale: string, name: PromptName): string;
  /** The language that `find` would choose. */
  language(locale: string): string;
}

/** Reads `<directory>/<language>/<name>.wav`. Throws when English is incomplete: there must be a last resort. */
export async function loadPrompts(directory: string): Promise<PromptBook> {
  const audio = new Map<string, Int16Array>();
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const name of promptNames) {
      const wav = await readFile(join(directory, entry.name, `${name}.wav`)).catch(() => undefined);
      if (wav) audio.set(`${entry.name}/${name}`, loadPrompt(wav));
    }
  }
  return promptBook(audio);
}

function promptBook(audio: ReadonlyMap<string, Int16Array>): PromptBook {
  for (const name of promptNames) {
    if (!audio.has(`en/${name}`)) throw new Error(`the prompt en/${name}.wav is missing`);
  }
  function find(locale: string, name: PromptName): string {
    const wanted = locale.toLowerCase();
    const language = wanted.split('-', 1)[0];
    for (const candidate of [wanted, language]) {
      if (audio.has(`${candidate}/${name}`)) return `${candidate}/${name}`;
    }
    return `en/${name}`;
  }
  return { audio, find, language: (locale) => find(locale, 'ended').split('/', 1)[0] ?? 'en' };
}
