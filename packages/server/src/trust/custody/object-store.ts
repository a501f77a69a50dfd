/**
 * Any store that speaks Amazon's S3 protocol: objects by name below one URL (`https://host/bucket/folder`, path style).
 * Signed by aws4fetch (Signature Version 4); sent by `node:https`, since objects are streamed in both directions with
 * their length told beforehand, which `fetch` can't. Nothing of a request or an answer is repeated in an error.
 */
import { createReadStream } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import type { Clock } from '@samar/doors';
import { AwsV4Signer } from 'aws4fetch';

export interface ObjectStore {
  /** Rejects with `ObjectStoreError` unless all of it has arrived. The store checks the hash. */
  put(
    name: string,
    file: { readonly path: string; readonly bytes: number; readonly sha256: string },
  ): Promise<void>;
  /** Undefined: there is no such object. */
  get(name: string): Promise<Readable | undefined>;
  /** Also when it isn't there. */
  remove(name: string): Promise<void>;
  close(): void;
}

export interface ObjectStoreOptions {
  readonly url: string;
  readonly region: string;
  readonly keyId: string;
  readonly secret: string;
  readonly clock: Clock;
}

/** It can't be reached, or doesn't want to. `status`: 0 when there was no answer. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly status: number;
  constructor(status: number) {
    super(status === 0 ? 'the store of objects gave no answer' : `the store of objects answered ${status}`);
    this.status = status;
  }
}

/** A store that sends or takes nothing for so long is away. Milliseconds. */
const idle = 20_000;
const mostSockets = 16;
/** SHA-256 of nothing. */
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const base = options.url.replace(/\/+$/, '');
  const encrypted = base.startsWith('https:');
  const agent = encrypted
    ? new https.Agent({ keepAlive: true, maxSockets: mostSockets, minVersion: 'TLSv1.2' })
    : new http.Agent({ keepAlive: true, maxSockets: mostSockets });
  const signingKeys = new Map<string, ArrayBuffer>();

  async function send(
    method: 'PUT' | 'GET' | 'DELETE',
    name: string,
    file?: Parameters<ObjectStore['put']>[1],
  ): Promise<http.IncomingMessage> {
    // One key a day; yesterday's is of no use.
    if (signingKeys.size > 2) signingKeys.clear();
    const signed = await new AwsV4Signer({
      method,
      url: `${base}/${name}`,
      headers: { 'x-amz-content-sha256': file?.sha256 ?? emptyHash },
      accessKeyId: options.keyId,
      secretAccessKey: options.secret,
      service: 's3',
      region: options.region,
      cache: signingKeys,
      datetime: new Date(options.clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    }).sign();
    const headers = Object.fromEntries(signed.headers.entries());
    return exchange(signed.url, {
      method,
      agent,
      headers: { ...headers, host: signed.url.host, 'content-length': String(file?.bytes ?? 0) },
      file: file?.path,
    });
  }

  return {
    async put(name, file) {
      await finished(await send('PUT', name, file), [200, 201, 204]);
    },
    async get(name) {
      const answer = await send('GET', name);
      if (answer.statusCode === 200) return answer;
      await finished(answer, [404]);
      return undefined;
    },
    async remove(name) {
      await finished(await send('DELETE', name), [200, 202, 204, 404]);
    },
    close: () => agent.destroy(),
  };
}

function exchange(
  url: URL,
  request: {
    readonly method: string;
    readonly agent: http.Agent;
    readonly headers: Readonly<Record<string, string>>;
    readonly file: string | undefined;
  },
): Promise<http.IncomingMessage> {
  const { method, agent, headers, file } = request;
  return new Promise((resolve, reject) => {
    const fail = () => reject(new ObjectStoreError(0));
    const outgoing = (url.protocol === 'https:' ? https : http).request(url, { method, agent, headers });
    outgoing.setTimeout(idle, () => outgoing.destroy(new ObjectStoreError(0)));
    outgoing.on('error', fail);
    outgoing.on('close', fail);
    outgoing.on('response', resolve);
    if (file === undefined) {
      outgoing.end();
      return;
    }
    const body = createReadStream(file);
    body.on('error', () => outgoing.destroy(new ObjectStoreError(0)));
    outgoing.on('close', () => body.destroy());
    body.pipe(outgoing);
  });
}

/** Reads the rest, so that the connection can be used again; rejects unless the status is one of these. */
function finished(answer: http.IncomingMessage, good: readonly number[]): Promise<void> {
  const { statusCode: status = 0 } = answer;
  return new Promise((resolve, reject) => {
    answer.on('error', () => reject(new ObjectStoreError(0)));
    answer.on('end', () => (good.includes(status) ? resolve() : reject(new ObjectStoreError(status))));
    answer.resume();
  });
}
