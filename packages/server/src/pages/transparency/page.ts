/** The page itself, and the ones that ask once more before something is done. */
import type { TransparencyView } from '../../trust/service.ts';
import { addressOf, frame, type Place } from './frame.ts';
import { type Html, html } from './html.ts';
import { languages, roleWord } from './languages.ts';
import { type Action, actions, categories, type Words } from './words.ts';

export const callsAPage = 25;
/** Calls that a report can name: the newest. */
const callsToName = 50;
const shownDays = 90;

type Call = TransparencyView['calls'][number];

/** `done`: what was asked for just now; said only where it is so. */
export function mainPage(
  place: Place,
  view: TransparencyView,
  at: { readonly done?: Action | undefined; readonly page: number },
): string {
  const words = languages[place.language];
  const main = html`<header><p class="soft"><bdi>${view.tenantName}</bdi></p><h1>${words.title}</h1></header>
<main id="main">${resultBox(words, view, at.done)}
<p>${words.intro(view.tenantName)}</p><p><strong>${words.keepLink}</strong></p>
${[
  statusSection(words, view),
  reachSection(words, view),
  sharedSection(words, view),
  recordingSection(words, view),
  callsSection(place, words, view, at.page),
  usesSection(words, view),
  choicesSection(place, words, view),
]}
<section aria-labelledby="complain"><h2 id="complain">${words.complain.title}</h2><p>${words.complain.how(view.tenantName)}</p></section>
</main>`;
  return frame(place, words.title, main);
}

/** Whether it is so already: then the button is gone, and asking again changes nothing. */
export function isDone(view: TransparencyView, action: Action): boolean {
  switch (action) {
    case 'end':
      return view.status === 'closed' || view.status === 'expired';
    case 'block':
      return view.blocked;
    case 'report':
      return view.reported;
    case 'erase':
      return view.erasureAsked;
    default:
      action satisfies never;
      return false;
  }
}

function resultBox(words: Words, view: TransparencyView, done: Action | undefined): Html | false {
  if (done === undefined || !isDone(view, done)) return false;
  return html`<p class="box good" role="status">✓ ${words.action[done].done}</p>`;
}

function statusSection(words: Words, view: TransparencyView): Html {
  const { status, until, endedAt, reference } = view;
  const rows: readonly (readonly [string, Html | undefined])[] = [
    [words.youAre, html`${roleWord(words, view.role)}`],
    [words.reference, reference === undefined ? undefined : html`<bdi>${reference}</bdi>`],
    [words.since, time(words, view, view.openedAt)],
    [words.until, until && time(words, view, until)],
    [words.ended, endedAt && time(words, view, endedAt)],
  ];
  const over = status === 'closed' || status === 'expired';
  return html`<section aria-label="${words.status[status]}"><p class="box"><strong>${words.status[status]}</strong></p>
<dl>${rows.flatMap(([name, value]) => (value === undefined ? [] : [html`<div><dt>${name}</dt><dd>${value}</dd></div>`]))}</dl>
${over && html`<p class="soft">${words.shownUntil(shownDays)}</p>`}</section>`;
}

function reachSection(words: Words, view: TransparencyView): Html {
  const { reach } = words;
  const lines = view.reachableBy.map(({ role, call, text }) => {
    const who = roleWord(words, role);
    return html`<li>${!call ? reach.notCall(who) : text ? reach.callAndText(who) : reach.call(who)}</li>`;
  });
  const { afterClose } = view;
  const roles = afterClose?.roles.map((role) => roleWord(words, role)).join(', ') ?? '';
  return html`<section aria-labelledby="reach"><h2 id="reach">${reach.title}</h2>
${lines.length === 0 ? html`<p>${reach.nobody}</p>` : html`<ul>${lines}</ul>`}
${view.blocked && html`<p>${reach.blocked}</p>`}
${view.narrowed && lines.length > 0 && html`<p class="soft">${reach.narrowed}</p>`}
${afterClose && !view.blocked && html`<p>${reach.afterClose(roles, words.seconds(afterClose.seconds))}</p>`}</section>`;
}

function sharedSection(words: Words, view: TransparencyView): Html {
  const { shared } = words;
  return html`<section aria-labelledby="shared"><h2 id="shared">${shared.title}</h2><dl>
<div><dt>${shared.number}</dt><dd><span class="number" dir="ltr">${view.number}</span><br>${shared.numberWhy}</dd></div>
<div><dt>${shared.phone}</dt><dd>${shared.phoneWhy(view.tenantName)}</dd></div>
<div><dt>${shared.name}</dt><dd>${shared.nameWhy}</dd></div></dl></section>`;
}

function recordingSection(words: Words, view: TransparencyView): Html {
  const { recording } = words;
  const kept = view.recordingsKeptDays;
  const any = view.recording !== 'off' || view.calls.some((call) => call.recorded);
  return html`<section aria-labelledby="recording"><h2 id="recording">${recording.title}</h2>
<p>${recording.mode[view.recording]}</p>${any && kept !== undefined && html`<p>${recording.kept(kept)}</p>`}</section>`;
}

function callsSection(place: Place, words: Words, view: TransparencyView, page: number): Html {
  const shown = view.calls.slice((page - 1) * callsAPage, page * callsAPage);
  const link = (to: number, text: string) =>
    html`<a class="button" href="${addressOf(place, '', `&page=${to}#calls`)}">${text}</a>`;
  return html`<section aria-labelledby="calls"><h2 id="calls">${words.calls.title}</h2>
${shown.length === 0 ? html`<p>${words.calls.none}</p>` : html`<ol>${shown.map((call) => callItem(words, view, call))}</ol>`}
${page > 1 && link(page - 1, words.calls.later)}${view.calls.length > page * callsAPage && link(page + 1, words.calls.earlier)}</section>`;
}

function callItem(words: Words, view: TransparencyView, call: Call): Html {
  const { calls } = words;
  const recorded = call.deleted ? calls.deleted : call.recorded ? calls.recorded : calls.notRecorded;
  const listens = call.listens.map(({ at, by, reason }) =>
    usedLine(words, view, at, `${calls.listened}: ${calls.by[by]}`, reason),
  );
  return html`<li><strong>${calls.direction[call.direction]}</strong>, ${time(words, view, call.at)}<br>
${outcomeOf(words, call)}<br>${recorded}${call.recorded && listens.length === 0 && html` ${calls.nobodyListened}`}
${listens.length > 0 && html`<ul>${listens}</ul>`}</li>`;
}

function outcomeOf(words: Words, { outcome, seconds }: Call): string {
  const { calls } = words;
  const word = calls.outcome[outcome] ?? calls.outcome.other;
  return seconds === undefined ? word : `${word}, ${calls.length(seconds)}`;
}

function usedLine(
  words: Words,
  view: TransparencyView,
  at: Date,
  what: string,
  reason: string | undefined,
): Html {
  const why =
    reason !== undefined && reason !== '' && html`<br>${words.calls.reason}: <q dir="auto">${reason}</q>`;
  return html`<li>${what}, ${time(words, view, at)}${why}</li>`;
}

function usesSection(words: Words, view: TransparencyView): Html {
  const lines = view.uses
    .slice(0, callsAPage)
    .map(({ at, kind, by, reason }) =>
      usedLine(words, view, at, `${words.uses.kind[kind]} (${words.calls.by[by]})`, reason),
    );
  return html`<section aria-labelledby="uses"><h2 id="uses">${words.uses.title}</h2>
${lines.length === 0 ? html`<p>${words.uses.none}</p>` : html`<ul>${lines}</ul>`}</section>`;
}

function choicesSection(place: Place, words: Words, view: TransparencyView): Html {
  const choices = actions.map((action) => {
    const { title, done } = words.action[action];
    // More can be told of a report at any time; the others are done once.
    const link = html`<a class="button" href="${addressOf(place, `/${action}`)}">${title}</a>`;
    if (!isDone(view, action)) return link;
    const said = html`<p class="box good">✓ ${done}</p>`;
    return action === 'report' ? html`${said}${link}` : said;
  });
  return html`<section aria-labelledby="choices"><h2 id="choices">${words.choices.title}</h2>${choices}</section>`;
}

export interface Draft {
  readonly category: string;
  readonly call: string;
  readonly statement: string;
  /** It could not be taken. */
  readonly wrong: boolean;
}

/** Asks once more; nothing is done by looking at it. `form` proves that the form came from this page. */
export function actionPage(
  place: Place,
  view: TransparencyView,
  action: Action,
  form: string,
  most: number,
  draft?: Draft,
): string {
  const words = languages[place.language];
  const { title, explains, button, done } = words.action[action];
  const below = `/${action}`;
  const back = html`<p><a class="button" href="${addressOf(place)}">${words.choices.back}</a></p>`;
  const ask = html`${explains.map((sentence) => html`<p>${sentence}</p>`)}
<form method="post" action="${addressOf(place, below)}"><input type="hidden" name="form" value="${form}">
${action === 'report' && reportFields(words, view, most, draft)}
<button${action === 'report' ? html`` : html` class="bad"`}>${button}</button></form>`;
  const already = html`<p class="box good" role="status">✓ ${done}</p>`;
  const main = html`<header><p class="soft"><bdi>${view.tenantName}</bdi></p><h1>${title}</h1></header>
<main id="main">${action !== 'report' && isDone(view, action) ? already : ask}${back}</main>`;
  return frame(place, title, main, below);
}

function reportFields(words: Words, view: TransparencyView, most: number, draft: Draft | undefined): Html {
  const { report } = words;
  const option = (value: string, text: string, chosen: string | undefined) =>
    value === chosen
      ? html`<option value="${value}" selected>${text}</option>`
      : html`<option value="${value}">${text}</option>`;
  const named = view.calls.slice(0, callsToName).map((call) => {
    const when = formatTime(words, view.timeZone, call.at);
    return option(call.id, `${when}: ${words.calls.direction[call.direction]}`, draft?.call);
  });
  return html`${draft?.wrong === true && html`<p class="box warn" role="alert">${report.wrong(most)}</p>`}
${view.reported && html`<p class="box">${report.standing}</p>`}
<label for="category">${report.category}</label><select id="category" name="category" required>${[option('', '—', draft?.category), ...categories.map((one) => option(one, report.categories[one], draft?.category))]}</select>
${named.length > 0 && html`<label for="call">${report.call}</label><select id="call" name="call">${[option('', report.noCall, draft?.call), ...named]}</select>`}
<label for="statement">${report.statement}</label><p class="soft" id="hint">${report.hint(most)}</p>
<textarea id="statement" name="statement" required maxlength="${most}" aria-describedby="hint" dir="auto">
${draft?.statement ?? ''}</textarea>`;
}

function time(words: Words, { timeZone }: TransparencyView, at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${formatTime(words, timeZone, at)}</time>`;
}

function formatTime({ tag }: Words, timeZone: string, at: Date): string {
  const dates = tag === 'en' ? 'en-GB' : tag;
  const fields = {
    ...({ day: 'numeric', month: 'short', year: 'numeric' } as const),
    ...({ hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const),
  };
  try {
    return new Intl.DateTimeFormat(dates, { ...fields, timeZone }).format(at);
  } catch {
    // A zone that this machine doesn't know.
    return new Intl.DateTimeFormat(dates, { ...fields, timeZone: 'UTC' }).format(at);
  }
}
