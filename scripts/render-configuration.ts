/**
 * `npm run configuration`: writes the table of settings into docs/configuration.md from `packages/server/src/config.ts`,
 * which is the truth. A test fails when the two differ.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from '../packages/server/src/config.ts';

const file = join(import.meta.dirname, '..', 'docs', 'configuration.md');
const between = /(<!-- settings -->\n)[\s\S]*?(<!-- end of settings -->)/;

/** The page as it should be. */
export function renderedConfiguration(page = readFileSync(file, 'utf8')): string {
  const rows = Object.values(settings).map(
    ({ variable, about, default: fallback }) => `| \`${variable}\` | ${cell(about)} | ${cell(fallback)} |`,
  );
  const table = ['| variable | what | default |', '|---|---|---|', ...rows, ''].join('\n');
  return page.replace(between, (_all, begin: string, end: string) => `${begin}${table}${end}`);
}

/** A placeholder in angle brackets would vanish as HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/<(\w+)>/g, '`$1`');
}

if (process.argv[1] === import.meta.filename) writeFileSync(file, renderedConfiguration());
