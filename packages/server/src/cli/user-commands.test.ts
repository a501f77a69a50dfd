import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../store/testing.ts';
import { run } from './index.ts';

let database: TestDatabase;
const directory = mkdtempSync(join(tmpdir(), 'samar-users-'));
beforeAll(async () => {
  database = await testDatabase();
  vi.stubEnv('DATABASE_URL', database.url);
  vi.stubEnv('SAMAR_DATA_DIR', directory);
  vi.stubEnv('SAMAR_MASTER_KEY', '07'.repeat(32));
  vi.stubEnv('SAMAR_PUBLIC_URL', 'https://masking.example/');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await database.drop();
  rmSync(directory, { recursive: true });
});

async function samar(...words: string[]) {
  let out = '';
  let errors = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  try {
    return { code: await run(['users', ...words]), lines: out.trim().split('\n'), errors };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
    out = errors = '';
  }
}

test('the first user is made, listed, and gets another link', async () => {
  const added = await samar('add', '--email', 'Boss@Shop.Example', '--role', 'admin');
  expect(added.code).toBe(0);
  expect(added.lines).toEqual([
    expect.stringMatching(/^https:\/\/masking\.example\/console\/invitation#default\.[\w-]{43}$/),
  ]);
  const listed = await samar('list');
  expect(listed.lines[0]?.split('\t').slice(1)).toEqual([
    ...['boss@shop.example', 'admin', 'invited', 'password only'],
  ]);
  const reset = await samar('reset', '--email', 'boss@shop.example', '--second-factor');
  expect(reset.lines[0]).toMatch(/#default\./);
  expect(reset.lines[0]).not.toBe(added.lines[0]);
  const rows = await database.database.query<{ actor: string; details: object }>(
    '',
    `select actor, details from ledger where kind = 'user.invited' order by entry`,
    [],
  );
  expect(rows).toEqual([
    { actor: 'command-line', details: { role: 'admin' } },
    { actor: 'command-line', details: { again: true, secondFactor: true } },
  ]);
});

test('what is wrong is said in words', async () => {
  expect((await samar('add', '--email', 'boss@shop.example')).errors).toContain('already');
  expect((await samar('add', '--email', 'x@shop.example', '--role', 'owner')).code).toBe(2);
  expect((await samar('add')).code).toBe(2);
  expect((await samar('reset', '--email', 'nobody@shop.example')).code).toBe(1);
  expect((await samar('add', '--email', 'x@shop.example', '--tenant', 'nowhere')).code).toBe(1);
});
