import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * The rules of biome.json that keep the house in one direction, tried against a tree of nothing but violations:
 * each of these imports must be reported, and each of the others must not.
 */
const forbidden: readonly (readonly [file: string, code: string])[] = [
  ['packages/doors/src/a.ts', `import '@samar/sip';`],
  ['packages/sip/src/a.ts', `import '@samar/media';`],
  ['packages/sip/src/b.ts', `import type { Vault } from '../../server/src/vault/types.ts';`],
  ['packages/sip/src/c.test.ts', `import '@samar/server';`],
  ['packages/media/src/a.ts', `import '@samar/sip';`],
  ['packages/media/src/b.ts', `export type { Vault } from '../../server/src/vault/types.ts';`],
  ['packages/devcarrier/src/a.ts', `import '@samar/server';`],
  ['packages/server/src/store/a.ts', `import '../vault/types.ts';`],
  ['packages/server/src/vault/a.ts', `import '../masking/types.ts';`],
  ['packages/server/src/plan/a.ts', `import '../masking/types.ts';`],
  ['packages/server/src/plan/b.ts', `import type { Queries } from '../store/types.ts';`],
  ['packages/server/src/plan/c.ts', `import '@samar/doors';`],
  ['packages/server/src/plan/d.test.ts', `import '../api/index.ts';`],
  ['packages/server/src/plan/e.ts', `import '../config.ts';`],
  ['packages/server/src/masking/a.ts', `import '../switch/index.ts';`],
  ['packages/server/src/masking/b.ts', `import '../api/index.ts';`],
  ['packages/server/src/masking/c.ts', `import type { Dialog } from '@samar/sip';`],
  ['packages/server/src/masking/d.ts', `import '@samar/media';`],
  ['packages/server/src/masking/e.ts', `import 'fastify';`],
  ['packages/server/src/masking/f.ts', `await import('../trust/index.ts');`],
  ['packages/server/src/masking/rooms/g.ts', `import '../../events/index.ts';`],
  ['packages/server/src/trust/a.ts', `import '../switch/index.ts';`],
  ['packages/server/src/trust/rights/b.ts', `import '../../api/index.ts';`],
  ['packages/server/src/users/a.ts', `import '../api/index.ts';`],
  ['packages/server/src/users/b.ts', `import '../pages/index.ts';`],
  ['packages/server/src/pages/a.ts', `import '../api/index.ts';`],
  ['packages/server/src/pages/b.ts', `import '../switch/index.ts';`],
  ['packages/server/src/events/a.ts', `import '../api/index.ts';`],
  ['packages/server/src/messages/a.ts', `import '../cli/index.ts';`],
  ['packages/server/src/carriers/a.ts', `import '../switch/index.ts';`],
  ['packages/server/src/switch/a.ts', `import '../api/index.ts';`],
  ['packages/server/src/switch/b.ts', `import '../cli/index.ts';`],
  ['packages/server/src/api/a.ts', `import '../switch/index.ts';`],
  ['packages/server/src/api/b.ts', `import '../cli/index.ts';`],
  ['packages/server/src/api/c.ts', `import '../main.ts';`],
];
const allowed: readonly (readonly [file: string, code: string])[] = [
  ['packages/sip/src/fine.ts', `import '@samar/doors';`],
  ['packages/sip/src/fine.test.ts', `import { createSocket } from 'node:dgram';\ncreateSocket('udp4');`],
  ['packages/devcarrier/src/fine.ts', `import '@samar/sip';\nimport '@samar/media';`],
  ['packages/server/src/vault/fine.ts', `import '../store/types.ts';`],
  ['packages/server/src/masking/fine.ts', `import '../vault/types.ts';\nimport '../store/types.ts';`],
  ['packages/server/src/switch/fine.ts', `import '@samar/sip';\nimport '../masking/types.ts';`],
  ['packages/server/src/plan/fine.ts', `import 'csv-parse';\nimport 'node:worker_threads';`],
  [
    'packages/server/src/api/fine.ts',
    `import 'fastify';\nimport '../masking/types.ts';\nimport '../plan/index.ts';`,
  ],
  ['packages/server/src/pages/fine.ts', `import 'fastify';\nimport '../trust/index.ts';`],
  ['packages/server/src/cli/fine.ts', `import '../switch/index.ts';\nimport '../api/index.ts';`],
];
const hiddenWorld: readonly (readonly [file: string, code: string])[] = [
  ['packages/sip/src/clock.ts', 'export const now = () => Date.now();'],
  ['packages/media/src/date.ts', 'export const now = () => new Date();'],
  ['packages/server/src/plan/random.ts', 'export const random = () => Math.random();'],
  ['packages/server/src/masking/random.ts', 'export const random = () => Math.random();'],
  [
    'packages/server/src/switch/timer.ts',
    'export const timer = (action: () => void) => setTimeout(action, 1);',
  ],
  ['packages/sip/src/socket.ts', `import { createSocket } from 'node:dgram';\ncreateSocket('udp4');`],
];
const circle: readonly (readonly [file: string, code: string])[] = [
  ['packages/server/src/api/one.ts', `import type { Two } from './two.ts';\nexport type One = Two;`],
  ['packages/server/src/api/two.ts', `import type { One } from './one.ts';\nexport type Two = One | 2;`],
];

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string | { readonly file: string } };
}

const root = mkdtempSync(join(tmpdir(), 'samar-directions-'));
let reported: ReadonlyMap<string, readonly string[]>;

beforeAll(() => {
  for (const [file, code] of [...forbidden, ...allowed, ...hiddenWorld, ...circle]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), `${code}\n`);
  }
  mkdirSync(join(root, 'scripts'));
  copyFileSync('biome.json', join(root, 'biome.json'));
  copyFileSync('scripts/doors.grit', join(root, 'scripts/doors.grit'));
  execFileSync('git', ['init', '--quiet', root]);
  const run = spawnSync(
    process.execPath,
    [
      join(process.cwd(), 'node_modules/@biomejs/biome/bin/biome'),
      'lint',
      '--reporter=json',
      '--max-diagnostics=none',
    ],
    { cwd: root, encoding: 'utf8' },
  );
  const report = JSON.parse(run.stdout) as { readonly diagnostics: readonly Diagnostic[] };
  const found = new Map<string, string[]>();
  for (const { category, location } of report.diagnostics) {
    const file = typeof location.path === 'string' ? location.path : location.path.file;
    const name = file.startsWith(root) ? file.slice(root.length + 1) : file;
    found.set(name, [...(found.get(name) ?? []), category]);
  }
  reported = found;
}, 60_000);

afterAll(() => rmSync(root, { recursive: true, force: true }));

const direction = 'lint/style/noRestrictedImports';

describe('imports go one way', () => {
  test.each(forbidden)('%s: %s is refused', (file) => {
    expect(reported.get(file)).toContain(direction);
  });
  test.each(allowed)('%s is accepted', (file) => {
    const found = reported.get(file) ?? [];
    expect(found.filter((category) => category === direction || category === 'plugin')).toEqual([]);
  });
  test.each(circle)('%s: a circle is refused, also one of types only', (file) => {
    expect(reported.get(file)).toContain('lint/suspicious/noImportCycles');
  });
});

test.each(hiddenWorld)('%s: time, chance and sockets come through the doors', (file) => {
  const found = reported.get(file) ?? [];
  expect(
    found.some((category) => category === 'plugin' || category === 'lint/style/noRestrictedGlobals'),
  ).toBe(true);
});
