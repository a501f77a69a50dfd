/**
 * Encrypted files that were fetched from the store of objects to be listened to. Bounded by size: what nobody has
 * listened to for longest goes first. A file that is being read when it goes stays readable to its reader.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface FileCache {
  /** The path of a file that is there; undefined: it isn't. */
  find(name: string): Promise<string | undefined>;
  /** Writes it and gives its path. Rejects with `WrongHash` when it isn't what it should be, and keeps nothing then. */
  keep(name: string, content: Readable, sha256: string | undefined): Promise<string>;
  remove(name: string): Promise<void>;
  /** Names of all that is there. */
  names(): Promise<readonly string[]>;
}

export class WrongHash extends Error {
  override readonly name = 'WrongHash';
  constructor() {
    super('the file is not what was written');
  }
}

/** `suffix`: for files that are being written; never the same twice at once. */
export function createFileCache(directory: string, mostBytes: number, suffix: () => string): FileCache {
  /** Bytes by name, the least recently used first. */
  const sizes = new Map<string, number>();
  let total = 0;
  let loaded: Promise<void> | undefined;

  /** What an earlier run has left: half a file is of no use, whole ones are, the oldest first. */
  async function load(): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const found: { readonly name: string; readonly bytes: number; readonly at: number }[] = [];
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (name.endsWith('.part')) await rm(path, { force: true });
      else {
        const { size, atimeMs } = await stat(path);
        found.push({ name, bytes: size, at: atimeMs });
      }
    }
    for (const { name, bytes } of found.sort((a, b) => a.at - b.at)) use(name, bytes);
  }

  function ready(): Promise<void> {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  }

  function use(name: string, bytes: number): void {
    forget(name);
    sizes.set(name, bytes);
    total += bytes;
  }

  function forget(name: string): void {
    total -= sizes.get(name) ?? 0;
    sizes.delete(name);
  }

  async function makeRoom(keep: string): Promise<void> {
    for (const name of sizes.keys()) {
      if (total <= mostBytes) return;
      if (name === keep) continue;
      forget(name);
      await rm(join(directory, name), { force: true });
    }
  }

  return {
    async find(name) {
      await ready();
      const path = join(directory, name);
      const there = await stat(path).catch(() => undefined);
      if (there === undefined) {
        forget(name);
        return undefined;
      }
      use(name, there.size);
      return path;
    },
    async keep(name, content, sha256) {
      await ready();
      const path = join(directory, name);
      const part = `${path}.${suffix()}.part`;
      const hash = createHash('sha256');
      let bytes = 0;
      const measure = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          bytes += chunk.length;
          done(null, chunk);
        },
      });
      try {
        await pipeline(content, measure, createWriteStream(part, { mode: 0o600, flags: 'wx' }));
        if (sha256 !== undefined && hash.digest('hex') !== sha256) throw new WrongHash();
        await rename(part, path);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
      use(name, bytes);
      await makeRoom(name);
      return path;
    },
    async remove(name) {
      await ready();
      forget(name);
      await rm(join(directory, name), { force: true });
    },
    async names() {
      await ready();
      return [...sizes.keys()];
    },
  };
}
