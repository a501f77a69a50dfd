/** What every page here has around it: language, title, style, landmarks; and the pages that show nobody's data. */
import { type Html, html } from './html.ts';
import { type Language, languages } from './languages.ts';
import { style } from './style.ts';
import type { Words } from './words.ts';

export interface Place {
  readonly language: Language;
  /** Path of the participant's page; undefined where no link is shown back to it. */
  readonly path: string | undefined;
}

/** The address of this page, or of one below it, in the language that is read now. */
export function addressOf({ language, path = '' }: Place, below = '', more = ''): string {
  return `${path}${below}?lang=${language}${more}`;
}

export function frame(place: Place, title: string, main: Html, below = ''): string {
  const words = languages[place.language];
  const head = html`<!doctype html>
<html lang="${words.tag}"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex,nofollow,noarchive">
<meta name="referrer" content="no-referrer"><meta name="format-detection" content="telephone=no"><meta name="color-scheme" content="light dark">
<style>${{ markup: style }}</style></head>
<body><a class="skip" href="#main">${words.skip}</a>
${main}
<footer><nav aria-label="${words.languages}">${languageLinks(place, below)}</nav></footer></body></html>`;
  return head.markup;
}

function languageLinks(place: Place, below: string): readonly Html[] {
  return Object.entries(languages).map(([language, { tag, languageName }]) => {
    const address = addressOf({ ...place, language: language as Language }, below);
    return language === place.language
      ? html`<a href="${address}" lang="${tag}" hreflang="${tag}" aria-current="true">${languageName}</a>`
      : html`<a href="${address}" lang="${tag}" hreflang="${tag}">${languageName}</a>`;
  });
}

/** A page without anybody's data: the same for every link that leads nowhere. */
export function problemPage(language: Language, kind: keyof Words['problem'], path?: string): string {
  const words = languages[language];
  const { title, text } = words.problem[kind];
  const place = { language, path };
  const back =
    path !== undefined && html`<p><a class="button" href="${addressOf(place)}">${words.choices.back}</a></p>`;
  return frame(place, title, html`<main id="main"><h1>${title}</h1><p>${text}</p>${back}</main>`);
}
