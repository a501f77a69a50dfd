import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { nodeDoors } from '@samar/doors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFileCache } from './cache.ts';
import { createObjectStore } from './object-store.ts';
import { type TestBucket, testBucket } from './testing.ts';

let bucket: TestBucket;
let directory: string;
beforeAll(async () => {
  bucket = await testBucket();
  directory = await mkdtemp(join(tmpdir(), 'samar-objects-'));
});
afterAll(async () => {
  await bucket.close();
  await rm(directory, { recursive: true, force: true });
});

const hash = (content: Buffer) => createHash('sha256').update(content).digest('hex');

async function file(bytes: number) {
  const content = randomBytes(bytes);
  const path = join(directory, `${bytes}.rec`);
  await writeFile(path, content);
  return { path, content, bytes, sha256: hash(content) };
}

describe('a store of objects', () => {
  test.each([0, 1, 70_000, 5_000_000])('keeps %i bytes as they are', async (bytes) => {
    const made = await file(bytes);
    await bucket.objects.put(`rec_${bytes}.rec`, made);
    const back = await bucket.objects.get(`rec_${bytes}.rec`);
    expect(back && hash(await buffer(back))).toBe(made.sha256);
    await bucket.objects.remove(`rec_${bytes}.rec`);
    expect(await bucket.objects.get(`rec_${bytes}.rec`)).toBeUndefined();
    await bucket.objects.remove(`rec_${bytes}.rec`);
  });

  test('that doesn’t know the key is told as such, and nothing of it is said', async () => {
    const { url, secret } = bucket;
    const { clock } = nodeDoors();
    const store = createObjectStore({ url, keyId: 'canary-key', secret, region: 'us-east-1', clock });
    const error = await store.put('rec_1.rec', await file(10)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'ObjectStoreError', status: 403 });
    expect(String(error)).not.toMatch(/canary|rec_1|127\.0/);
    await expect(store.get('rec_1.rec')).rejects.toMatchObject({ status: 403 });
    store.close();
  });

  test('that is away is told as such', async () => {
    await bucket.away();
    const made = await file(10);
    await expect(bucket.objects.put('rec_2.rec', made)).rejects.toMatchObject({ status: 0 });
    await expect(bucket.objects.get('rec_2.rec')).rejects.toMatchObject({ status: 0 });
    await expect(bucket.objects.remove('rec_2.rec')).rejects.toMatchObject({ status: 0 });
    await bucket.back();
    await bucket.objects.put('rec_2.rec', made);
  });
});

/** Signature Version 4 as Amazon describes it, worked out anew: s3rver takes any. */
function signatureOf(request: IncomingMessage, secret: string): string {
  const { authorization = '' } = request.headers;
  const [, scope = '', signed = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=/.exec(authorization) ?? [];
  const headers = signed.split(';').map((name) => `${name}:${request.headers[name]}\n`);
  const content = request.headers['x-amz-content-sha256'];
  const canonical = [request.method, request.url, '', headers.join(''), signed, content].join('\n');
  const sign = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = scope.split('/').reduce<string | Buffer>(sign, `AWS4${secret}`);
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash(Buffer.from(canonical))];
  return sign(key, text.join('\n')).toString('hex');
}

test('every request is signed, with the hash and the length of what it brings', async () => {
  const seen: { readonly method: string; readonly signed: boolean; readonly whole: boolean }[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    seen.push({
      method: request.method ?? '',
      signed:
        request.headers.authorization?.endsWith(`Signature=${signatureOf(request, 'the secret')}`) === true,
      whole:
        request.headers['x-amz-content-sha256'] === hash(body) &&
        request.headers['content-length'] === String(body.length),
    });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/folder/`;
  const { clock } = nodeDoors();
  const store = createObjectStore({
    url,
    keyId: 'KEY',
    secret: 'the secret',
    region: 'ap-southeast-3',
    clock,
  });
  await store.put('rec_3.rec', await file(70_000));
  await buffer((await store.get('rec_3.rec')) ?? Readable.from([]));
  await store.remove('rec_3.rec');
  expect(seen).toEqual(['PUT', 'GET', 'DELETE'].map((method) => ({ method, signed: true, whole: true })));
  store.close();
  await new Promise((resolve) => server.close(resolve));
});

describe('the cache', () => {
  let made = 0;
  const suffix = () => String(++made);

  test('is bounded: what nobody has used for longest goes, and is known after a restart', async () => {
    const folder = join(directory, 'cache');
    const cache = createFileCache(folder, 3_000, suffix);
    const keep = (name: string) => cache.keep(name, Readable.from([randomBytes(1_000)]), undefined);
    for (const name of ['a', 'b', 'c']) await keep(name);
    await cache.find('a');
    await keep('d');
    expect(await cache.names()).toEqual(['c', 'a', 'd']);
    expect(await cache.find('b')).toBeUndefined();
    await writeFile(join(folder, 'e.x.part'), 'half of a file');
    const again = createFileCache(folder, 3_000, suffix);
    expect((await again.names()).toSorted()).toEqual(['a', 'c', 'd']);
    await again.remove('a');
    expect((await again.names()).toSorted()).toEqual(['c', 'd']);
  });

  test('keeps one that is larger than all of it while it is new, and nothing else', async () => {
    const cache = createFileCache(join(directory, 'small'), 100, suffix);
    await cache.keep('a', Readable.from([randomBytes(90)]), undefined);
    const path = await cache.keep('b', Readable.from([randomBytes(500)]), undefined);
    expect(await cache.find('b')).toBe(path);
    expect(await cache.names()).toEqual(['b']);
  });

  test('keeps nothing that isn’t what it should be', async () => {
    const cache = createFileCache(join(directory, 'strict'), 100, suffix);
    const wrong = cache.keep('a', Readable.from([Buffer.from('b')]), hash(Buffer.from('a')));
    await expect(wrong).rejects.toMatchObject({ name: 'WrongHash' });
    const broken = new Readable({
      read() {
        this.destroy(new Error('cut off'));
      },
    });
    await expect(cache.keep('a', broken, undefined)).rejects.toThrow('cut off');
    expect(await cache.names()).toEqual([]);
    expect(await cache.find('a')).toBeUndefined();
  });
});
