import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderedConfiguration } from './render-configuration.ts';

test('docs/configuration.md has every setting as it is: if not, npm run configuration', () => {
  const page = readFileSync('docs/configuration.md', 'utf8');
  expect(page).toContain('| `SAMAR_HTTP_PORT` |');
  expect(page).toBe(renderedConfiguration(page));
});
