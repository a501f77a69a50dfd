/** Which language a page is in, and the words that we have for roles. */
import type { Words } from './words.ts';
import { english } from './words-en.ts';
import { hindi } from './words-hi.ts';
import { indonesian } from './words-id.ts';

export const languages = { en: english, id: indonesian, hi: hindi } as const satisfies Record<string, Words>;
export type Language = keyof typeof languages;

/** The first of these tags that we speak; `id-ID` is `id`, and so is the old `in`. */
export function chooseLanguage(...tags: readonly (string | undefined)[]): Language {
  for (const tag of tags) {
    const primary = tag?.toLowerCase().split(/[-_]/, 1)[0];
    const known = primary === 'in' ? 'id' : primary;
    if (known === 'en' || known === 'id' || known === 'hi') return known;
  }
  return 'en';
}

/** The tags of an Accept-Language header, the dearest first. */
export function acceptedLanguages(header: string | undefined): readonly string[] {
  return (header ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...rest] = part.trim().split(';');
      const quality = /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(rest.join(';'))?.[1];
      return { tag: tag.trim(), quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ tag, quality }) => tag !== '' && quality > 0)
    .sort((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag);
}

/** A role's word where we have one; else as the business named it. */
export function roleWord(words: Words, role: string): string {
  return words.roles[role] ?? role.replaceAll(/[_-]+/g, ' ');
}
