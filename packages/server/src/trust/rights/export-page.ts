/** The export as a page that a person can read: no script, nothing loaded from anywhere, every word escaped. */
import type { SubjectExport } from './export.ts';

const titles: readonly (readonly [name: string, title: string])[] = [
  ['sessions', 'Conversations that you could take part in'],
  ['calls', 'Your calls'],
  ['recordings', 'Recordings in which you are heard'],
  ['voicemails', 'Messages for you'],
  ['virtualNumbers', 'Numbers that stood for others'],
  ['blocks', 'Blocks'],
  ['disputes', 'Complaints'],
  ['openClaims', 'Codes for further phones'],
  ['uses', 'Who used your data, when and why'],
  ['requests', 'What was asked for you before'],
];

/** A page longer than this is read by nobody; the JSON has everything. */
const mostRows = 5_000;

export function exportPage(exported: SubjectExport): string {
  const cut = Array.isArray(exported['cut']) ? exported['cut'] : [];
  const body = [
    `<h1>What ${escaped(exported['controller'])} holds on you</h1>`,
    `<p>As of ${escaped(exported['createdAt'])}. Times are UTC.</p>`,
    section('You', [exported['person']]),
    ...titles.map(([name, title]) => section(title, listOf(exported[name]), cut.includes(name))),
    section('How long it is kept', [exported['retention']]),
    `<p>${escaped(exported['recordingsAreGivenOut'])}</p>`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Your data</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0 1rem; border-top: 1px solid; padding: .5rem 0; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
${body.join('\n')}
</main>
</body>
</html>
`;
}

function section(title: string, rows: readonly unknown[], cut = false): string {
  const shown = rows.slice(0, mostRows);
  const more = cut || rows.length > shown.length ? `<p>Only the newest are shown; ask for the rest.</p>` : '';
  const text = shown.length === 0 ? '<p>Nothing.</p>' : shown.map(facts).join('\n');
  return `<section>\n<h2>${escaped(title)}</h2>\n${text}\n${more}</section>`;
}

function facts(row: unknown): string {
  if (typeof row !== 'object' || row === null) return `<p>${escaped(row)}</p>`;
  const lines = Object.entries(row).map(
    ([name, value]) => `<dt>${escaped(words(name))}</dt><dd>${shownValue(value)}</dd>`,
  );
  return lines.length === 0 ? '<p>Nothing.</p>' : `<dl>${lines.join('')}</dl>`;
}

function shownValue(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => shownValue(one)).join('<br>');
  if (typeof value === 'object' && value !== null) {
    return escaped(
      Object.entries(value)
        .map(
          ([name, one]) => `${words(name)}: ${typeof one === 'object' ? JSON.stringify(one) : String(one)}`,
        )
        .join(', '),
    );
  }
  return escaped(value);
}

/** `answeredAt` → `answered at`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function escaped(value: unknown): string {
  return String(value ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
