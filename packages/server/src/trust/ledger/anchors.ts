/**
 * Roots outside the database: one file a tenant, one JSON line a root, only ever appended to. Whoever can write to the
 * database can't reach them. Every node that has the directory keeps its own copy.
 */
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Root } from '../service.ts';

export interface Anchors {
  /** Oldest first; lines that can't be read (a power cut while one was written) are left out. */
  read(tenant: string): Promise<readonly Root[]>;
  append(tenant: string, roots: readonly Root[]): Promise<void>;
  /** Tenants that have a file. */
  tenants(): Promise<readonly string[]>;
}

const suffix = '.jsonl';

/** `directory` undefined: nowhere, for a process that has none. */
export function createAnchors(directory: string | undefined): Anchors {
  if (directory === undefined)
    return { read: async () => [], append: async () => {}, tenants: async () => [] };
  const fileOf = (tenant: string): string => join(directory, `${tenant}${suffix}`);
  return {
    async read(tenant) {
      return readAnchors((await readText(fileOf(tenant))) ?? '');
    },
    async append(tenant, roots) {
      if (roots.length === 0) return;
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = fileOf(tenant);
      const before = (await readText(file)) ?? '';
      const handle = await open(file, 'a', 0o600);
      try {
        const torn = before !== '' && !before.endsWith('\n');
        const lines = roots.map((root) => `${JSON.stringify({ tenant, ...root })}\n`);
        await handle.appendFile(`${torn ? '\n' : ''}${lines.join('')}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    async tenants() {
      const files = await readdir(directory).catch(unlessMissing);
      return (files ?? [])
        .filter((file) => file.endsWith(suffix))
        .map((file) => file.slice(0, -suffix.length));
    },
  };
}

/** Of such a file, or of a copy of one. */
export function readAnchors(text: string): readonly Root[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return isRoot(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}

function isRoot(value: unknown): value is Root {
  if (typeof value !== 'object' || value === null) return false;
  const { day, sequence, entries, digest, signature, keyId } = value as Readonly<Record<string, unknown>>;
  return (
    typeof day === 'string' &&
    Number.isSafeInteger(sequence) &&
    Number.isSafeInteger(entries) &&
    typeof digest === 'string' &&
    typeof signature === 'string' &&
    typeof keyId === 'string'
  );
}

async function readText(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(unlessMissing);
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
