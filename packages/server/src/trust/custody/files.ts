/**
 * Where recordings' files are. They are written to this node's disk while people talk; with a store of objects each is
 * then put there, read back, and only when it is the same, byte by byte, does it leave the disk. Whoever listens gets it
 * by way of a bounded cache. A pass over the disk (`tend`) finds what is to be done: nothing is remembered that a
 * restart could lose.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { MaskingError } from '../../masking/service.ts';
import * as queries from '../../store/queries/custody.ts';
import type { TrustContext } from '../context.ts';
import type { Located } from '../service.ts';
import { createFileCache, WrongHash } from './cache.ts';
import { ObjectStoreError } from './object-store.ts';

export interface RecordingFiles {
  locate(recording: Located): Promise<string>;
  /** Of shredded recordings; whether all are gone. What can't be removed now is later; reported, never thrown. */
  remove(tenant: string, rows: readonly queries.ShreddedRow[]): Promise<boolean>;
  /** One pass over the disk. False: the store of objects was not to be reached. */
  tend(): Promise<boolean>;
  /** Removes what deleted recordings have left behind: copies in the cache, and objects. */
  sweep(): Promise<void>;
}

/** The store of objects can't be reached now: nothing is lost, try again. */
export class RecordingsAway extends Error {
  override readonly name = 'RecordingsAway';
  constructor() {
    super('the store of recordings can not be reached');
  }
}

const fileName = /^rec_[0-9a-f]{32}\.rec$/;
const batch = 500;
/** Looked at in one pass. */
const mostFiles = 50_000;
const uploadsAtOnce = 4;
const fetchesAtOnce = 16;
/** A file without an end may still be written to by a node that only seemed dead. Milliseconds. */
const quiet = 60_000;
/** Files whose content is not what the ledger says; they stay where they are. */
const mostDamaged = 1_000;

export function createRecordingFiles(context: TrustContext): RecordingFiles {
  const { database, doors, objects, report, recordings: directory } = context;
  const cacheBytes = context.cacheBytes ?? 2 ** 30;
  const cache =
    objects &&
    createFileCache(join(directory, 'cache'), cacheBytes, () => doors.random.bytes(6).toString('hex'));
  const fetching = new Map<string, Promise<string>>();
  const damaged = new Set<string>();

  /** Names are made from ids; anything else would be a way out of the directory. */
  function pathOf(file: string): string {
    if (!fileName.test(file)) throw unreadable('The file is not where it must be.');
    return join(directory, file);
  }

  async function fetched({ file, sha256 }: Located): Promise<string> {
    const local = pathOf(file);
    if (objects === undefined || cache === undefined) return local;
    const known = await cache.find(file);
    if (known !== undefined) return known;
    try {
      const content = await objects.get(file);
      // In neither place: whoever opens it finds out that it is missing.
      return content === undefined ? local : await cache.keep(file, content, sha256);
    } catch (error) {
      if (error instanceof WrongHash) throw unreadable('The file is not what was recorded.');
      report('recordings', error);
      throw new RecordingsAway();
    }
  }

  async function upload(row: queries.FileRow): Promise<void> {
    if (objects === undefined) return;
    const path = pathOf(row.file);
    const there = await stat(path).catch(() => undefined);
    if (there === undefined || (row.status !== 'complete' && doors.clock.now() - there.mtimeMs < quiet))
      return;
    const sha256 = await hashOf(createReadStream(path));
    if (row.sha256 !== null && row.sha256 !== '' && row.sha256 !== sha256) {
      if (damaged.size < mostDamaged) damaged.add(row.recording);
      report('recordings', new WrongHash());
      return;
    }
    await objects.put(row.file, { path, bytes: there.size, sha256 });
    const back = await objects.get(row.file);
    const same = back !== undefined && (await hashOf(back).catch(() => '')) === sha256;
    if (!same) throw new ObjectStoreError(0);
    const { tenant, recording } = row;
    const kept = await queries.fileStored(database, { tenant, recording, sha256, bytes: there.size });
    // Deleted meanwhile by somebody who couldn't know of the object.
    if (!kept) await objects.remove(row.file);
    await rm(path, { force: true });
  }

  async function tendOne(row: queries.FileRow): Promise<void> {
    if (row.status === 'deleted' || row.store === 's3') await rm(pathOf(row.file), { force: true });
    else if (row.status !== 'recording' && !damaged.has(row.recording)) await upload(row);
  }

  /** True: the store of objects could be reached. */
  async function tendBatch(names: readonly string[]): Promise<boolean> {
    const rows = await queries.readFiles(
      database,
      names.map((name) => name.slice(0, -'.rec'.length)),
    );
    let away = false;
    await inParallel(rows, uploadsAtOnce, async (row) => {
      if (away) return;
      await tendOne(row).catch((error: unknown) => {
        report('recordings', error);
        away ||= error instanceof ObjectStoreError;
      });
    });
    return !away;
  }

  async function removeObject(tenant: string, recording: string, file: string): Promise<void> {
    if (objects === undefined) return;
    await objects.remove(file);
    await queries.objectDeleted(database, tenant, recording);
  }

  return {
    async locate(recording) {
      const local = pathOf(recording.file);
      if (await stat(local).catch(() => undefined)) return local;
      const { file } = recording;
      const running = fetching.get(file);
      if (running !== undefined) return running;
      if (fetching.size >= fetchesAtOnce) throw new RecordingsAway();
      const work = fetched(recording).finally(() => fetching.delete(file));
      fetching.set(file, work);
      return work;
    },

    async remove(tenant, rows) {
      let all = true;
      await inParallel(rows, uploadsAtOnce, async ({ recording, file, store }) => {
        try {
          await rm(pathOf(file), { force: true });
          if (store === 's3') await removeObject(tenant, recording, file);
          await cache?.remove(file);
        } catch (error) {
          all = false;
          report('recordings', error);
        }
      });
      return all;
    },

    async tend() {
      let names: string[] = [];
      let seen = 0;
      const folder = await opendir(directory).catch(() => undefined);
      if (folder === undefined) return true;
      for await (const { name } of folder) {
        if (!fileName.test(name)) continue;
        names.push(name);
        seen += 1;
        if (names.length === batch) {
          if (!(await tendBatch(names))) return false;
          names = [];
        }
        if (seen >= mostFiles) break;
      }
      return names.length === 0 || tendBatch(names);
    },

    async sweep() {
      if (objects === undefined || cache === undefined) return;
      const cached = await cache.names();
      for (let at = 0; at < cached.length; at += batch) {
        const ids = cached.slice(at, at + batch).map((name) => name.slice(0, -'.rec'.length));
        for (const row of await queries.readFiles(database, ids)) {
          if (row.status === 'deleted') await cache.remove(row.file);
        }
      }
      await inParallel(
        await queries.staleObjects(database, batch),
        uploadsAtOnce,
        ({ tenant, recording, file }) =>
          removeObject(tenant, recording, file).catch((error: unknown) => report('recordings', error)),
      );
    },
  };
}

function unreadable(message: string): MaskingError {
  return new MaskingError('recording-unreadable', message);
}

async function hashOf(content: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** So many at once; `work` must not reject. */
async function inParallel<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
