import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const pages = globSync('**/*.md', { exclude: (name) => /^(node_modules|data|tmp|\.git)$/.test(name) });

test('there are pages to look at', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', join('docs', 'architecture.md')]));
});

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  test('its links lead somewhere', () => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) =>
      target.replace(/#.*$/, ''),
    );
    const dead = targets.filter(
      (target) => target !== '' && !/^[a-z]+:/.test(target) && !existsSync(join(dirname(page), target)),
    );
    expect(dead).toEqual([]);
  });

  test('the files that it names are there', () => {
    const named = [...text.matchAll(/`((?:packages|scripts|prompts|docs|bench|tests)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    );
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});
