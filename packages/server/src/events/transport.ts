/**
 * One POST over HTTP/1.1.
 *
 * `node:https` rather than `fetch`: the socket must go to an address that we have checked and to no other, and with
 * `fetch` the connection is out of reach unless undici becomes a dependency of its own (the one within Node can't be
 * imported). `node:https` takes the checked addresses as its `lookup`, follows no redirect, decodes nothing, knows no
 * cookies, and an agent of our own takes no proxy from the environment.
 *
 * Every question has a fresh connection: nothing of one tenant's answer can reach the next one's. TLS sessions are
 * resumed, which spares most of the handshake's work.
 */
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface AskRequest {
  readonly url: URL;
  /** Where to connect to, the first that answers; never empty. Nothing else is ever connected to. */
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends everything at once. */
  readonly signal: AbortSignal;
  /** Longest body, in bytes, that is read; none is read unless the status is 2xx. */
  readonly mostBytes: number;
  /** Told as soon as it is known: the rest of the answer may never come. */
  readonly onStatus?: (status: number) => void;
}
/** `body` is undefined when it is longer. */
export interface AskReply {
  readonly status: number;
  readonly body: Buffer | undefined;
  /** The header of this name, as it came. */
  readonly retryAfter?: string | undefined;
}
/** Rejects when there is no whole answer: refused, reset, not trusted, not HTTP, aborted. */
export type AskTransport = (request: AskRequest) => Promise<AskReply>;

/** 16 KiB of headers, Node's own default, said so that no flag raises it. */
const mostHeaderBytes = 16_384;

/** `certificateAuthority` (PEM): trusted in place of the well-known ones. */
export function nodeTransport(
  options: { readonly certificateAuthority?: string | Buffer } = {},
): AskTransport {
  const { certificateAuthority } = options;
  const plain = new http.Agent({ keepAlive: false });
  const secure = new https.Agent({
    keepAlive: false,
    maxCachedSessions: 200,
    minVersion: 'TLSv1.2',
    // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
    rejectUnauthorized: true,
    ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
  });
  return (request) =>
    new Promise((resolve, reject) => {
      const { url, addresses, headers, body, signal, mostBytes } = request;
      const encrypted = url.protocol === 'https:';
      const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
      const send = encrypted ? https.request : http.request;
      const outgoing = send({
        method: 'POST',
        agent: encrypted ? secure : plain,
        host,
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        path: `${url.pathname}${url.search}`,
        headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
        lookup: only(addresses),
        maxHeaderSize: mostHeaderBytes,
        signal,
      });
      outgoing.on('error', reject);
      // Whatever ended it without an answer and without an error: another protocol, for one.
      outgoing.on('close', () => reject(new Error('the connection ended without an answer')));
      outgoing.on('socket', (socket) => {
        socket.once('connect', () => {
          if (!addresses.map(canonical).includes(canonical(socket.remoteAddress ?? ''))) {
            outgoing.destroy(new Error('connected to an address that was not checked'));
          }
        });
      });
      outgoing.on('response', (incoming) => {
        incoming.on('error', reject);
        const { statusCode: status = 0 } = incoming;
        request.onStatus?.(status);
        const finish = (reply: AskReply) => {
          resolve(reply);
          outgoing.destroy();
        };
        if (status < 200 || status > 299) {
          return finish({ status, body: undefined, retryAfter: incoming.headers['retry-after'] });
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > mostBytes) finish({ status, body: undefined });
          else chunks.push(chunk);
        });
        incoming.on('end', () => finish({ status, body: Buffer.concat(chunks) }));
      });
      outgoing.end(body);
    });
}

/** Answers every look-up with these addresses. (Node asks none for a host that is an address.) */
function only(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, callback) => {
    if (options.all) return callback(null, found);
    const [first] = found;
    callback(null, first?.address ?? '', first?.family);
  };
}

function canonical(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
