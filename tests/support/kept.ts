/** Everything that a platform keeps: every row of every table, every file of its data directory. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runningEmbeddedUrl } from '../../packages/server/src/store/embedded/running.ts';
import type { Platform } from './platform.ts';
import { rowsOf } from './sql.ts';

export interface KeptTable {
  readonly table: string;
  readonly rows: readonly string[];
}

/** Columns of bytes stand in the rows as hexadecimal, which the search reads. */
export async function tablesOf(platform: Platform): Promise<readonly KeptTable[]> {
  const url = runningEmbeddedUrl(join(platform.directory, 'data'));
  if (url === undefined) throw new Error('no database');
  const names = await rowsOf<{ readonly name: string }>(
    url,
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const tables: KeptTable[] = [];
  for (const { name } of names) {
    const rows = await rowsOf<{ readonly row: string }>(
      url,
      `select row_to_json(t)::text as row from ${name} t`,
    );
    tables.push({ table: name.split('.').at(-1) ?? '', rows: rows.map(({ row }) => row) });
  }
  return tables;
}

/** The database's own files and its write-ahead log with them. */
export async function filesOf(platform: Platform): Promise<readonly string[]> {
  const data = join(platform.directory, 'data');
  const files = await readdir(data, { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
}

/** Empty for one that has gone meanwhile. */
export function bytesOfFile(file: string): Promise<Buffer> {
  return readFile(file).catch(() => Buffer.alloc(0));
}
