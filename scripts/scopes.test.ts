import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { namedScopes, scopes } from '../packages/server/src/masking/service.ts';

const guide = readFileSync(new URL('../docs/api.md', import.meta.url), 'utf8');
const [, section = ''] = /\n## Scopes\n([\s\S]*?)\n## /.exec(guide) ?? [];

test('the guide tells what every scope is for, and which ones admin lacks', () => {
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const told = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([a-z:]+)`/g)].map(([, name]) => name),
  );
  expect(told.toSorted()).toEqual([...scopes].toSorted());
  const admin = rows.findIndex((row) => row.startsWith('| `admin`'));
  const after = rows.slice(admin + 1).join('\n');
  expect([...scopes].filter((scope) => after.includes(`\`${scope}\``)).toSorted()).toEqual(
    [...namedScopes].toSorted(),
  );
});
