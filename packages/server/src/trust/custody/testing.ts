/** A real S3-compatible server (s3rver) with one bucket, for tests; it can go away and come back on the same port. */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { createObjectStore, type ObjectStore } from './object-store.ts';

interface S3Server {
  run(): Promise<unknown>;
  close(): Promise<void>;
}
const S3rver: new (options: object) => S3Server = createRequire(import.meta.url)('s3rver');

export interface TestBucket {
  readonly url: string;
  readonly objects: ObjectStore;
  /** s3rver's own pair. */
  readonly keyId: string;
  readonly secret: string;
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

export async function testBucket(): Promise<TestBucket> {
  const directory = await mkdtemp(join(tmpdir(), 'samar-bucket-'));
  const port = await freePort();
  let server: S3Server | undefined;
  async function back(): Promise<void> {
    server = new S3rver({
      ...{ port, address: '127.0.0.1', silent: true, directory },
      configureBuckets: [{ name: 'recordings' }],
    });
    await server.run();
  }
  async function away(): Promise<void> {
    await server?.close();
    server = undefined;
  }
  await back();
  const [keyId, secret] = ['S3RVER', 'S3RVER'];
  const url = `http://127.0.0.1:${port}/recordings/samar`;
  const objects = createObjectStore({ url, keyId, secret, region: 'us-east-1', clock: nodeDoors().clock });
  return {
    ...{ url, objects, keyId, secret, away, back },
    async close() {
      objects.close();
      await away();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
