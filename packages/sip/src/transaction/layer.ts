/**
 * All transactions of a stack: matches messages to them (RFC 3261 sections 17.1.3 and 17.2.3), makes new ones,
 * answers what needs no user, and keeps their number bounded.
 *
 * Server transactions are found by branch, sent-by and method. Requests without the RFC 3261 cookie in their
 * branch are refused with 400: matching of RFC 2543 peers is not offered.
 */
import { callId, cseqOf, failureStatus, fromTag, topVia, toTag, type Via } from '../message/index.ts';
import type { Hop } from '../transport/hop.ts';
import { replyAddress } from '../transport/reply.ts';
import type { Flow, Transport } from '../transport/transport.ts';
import type { ParseFailure, SipRequest, SipResponse } from '../types.ts';
import type { ClientDoors, ClientUser } from './client.ts';
import { InviteClient } from './client-invite.ts';
import { PlainClient } from './client-plain.ts';
import { composeResponse, frameOf, type ResponseParts } from './compose.ts';
import { BRANCH_COOKIE } from './identifiers.ts';
import type { Retain } from './retain.ts';
import { ServerTransaction } from './server-transaction.ts';
import type { Timing } from './timing.ts';
import type { Wheel } from './wheel.ts';

/** Seconds; long enough to let a burst pass, short enough that a trunk comes back. */
const RETRY_AFTER = 'Retry-After: 5\r\n';
/**
 * Finished transactions that still absorb repetitions, per unfinished one allowed. They need little, but 32 s of
 * them at full rate are many; past this the oldest go first, and their late repetitions count as new requests.
 */
const LINGERING = 8;

export interface LayerUser {
  /** A request that no transaction knows. It must be answered through `transaction`. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that belongs to a 2xx. */
  onAck(request: SipRequest, flow: Flow): void;
  /** CANCEL for an INVITE that has no final response yet; it has been answered 200. */
  onCancel(invite: ServerTransaction): void;
  /** Whether new requests outside dialogs are refused with 503. */
  refusing(): boolean;
}

export interface Layer {
  readonly count: number;
  receiveRequest(request: SipRequest, flow: Flow): void;
  receiveResponse(response: SipResponse, flow: Flow): void;
  receiveMalformed(failure: ParseFailure, flow: Flow): void;
  /** `branch` must be fresh. */
  invite(
    hop: Hop,
    branch: string,
    request: Buffer,
    composeAck: (response: SipResponse) => Buffer,
    user: ClientUser,
  ): InviteClient;
  /** Any other request but ACK. */
  plain(hop: Hop, branch: string, method: string, request: Buffer, user: ClientUser): PlainClient;
  close(): void;
}

export interface LayerOptions {
  readonly transport: Transport;
  readonly wheel: Wheel;
  readonly timing: Timing;
  /** `Server: …` line. */
  readonly serverLine: string;
  readonly retain: Retain;
  readonly tag: () => string;
  readonly limit: number;
  readonly onEvent: (event: string) => void;
}

export function createLayer(options: LayerOptions, user: LayerUser): Layer {
  const { transport, wheel, timing, onEvent } = options;
  const clients = new Map<string, InviteClient | PlainClient>();
  const servers = new Map<string, ServerTransaction>();
  /** Requests outside dialogs by what stays the same on every path they take (section 8.2.2.2). */
  const merges = new Map<string, ServerTransaction>();
  let unfinished = 0;

  const shared = {
    retain: options.retain,
    transport,
    wheel,
    timing,
    onEvent,
    serverLine: options.serverLine,
    finished() {
      unfinished--;
    },
    ended(transaction: ServerTransaction) {
      servers.delete(transaction.key);
      if (transaction.mergeKey && merges.get(transaction.mergeKey) === transaction) {
        merges.delete(transaction.mergeKey);
      }
    },
  };

  /** A class, for one is made per request: an object of closures would weigh several times as much. */
  class Path implements ClientDoors {
    readonly hop: Hop;

    constructor(hop: Hop) {
      this.hop = hop;
    }

    get wheel(): Wheel {
      return wheel;
    }

    get timing(): Timing {
      return timing;
    }

    send(bytes: Buffer, failed: () => void): void {
      transport.send(this.hop, bytes, failed);
    }

    ended(key: string): void {
      clients.delete(key);
    }

    onEvent(event: string): void {
      onEvent(event);
    }
  }

  /** A stateless answer: the same tag for every repetition of the request (section 8.2.7). */
  function answer(
    request: SipRequest,
    flow: Flow,
    via: Via,
    status: number,
    parts: ResponseParts = {},
  ): void {
    if (request.method === 'ACK') return;
    const tag = statelessTag(`${via.branch}|${callId(request)}`);
    const extra = (parts.extra ?? '') + options.serverLine;
    const bytes = composeResponse(frameOf(request, flow.source), status, tag, { ...parts, extra });
    transport.reply(flow, replyAddress(via, flow.source, flow.transport), bytes);
  }

  function receiveCancel(request: SipRequest, flow: Flow, via: Via, place: string): void {
    const invite = servers.get(`INVITE${place}`);
    const transaction = open(request, flow, via, `CANCEL${place}`, undefined);
    if (!invite) {
      transaction.respond(481);
      return;
    }
    // The same To tag as in the responses to the INVITE (section 9.2).
    transaction.respond(200, { tag: invite.tag });
    if (!invite.finished) user.onCancel(invite);
  }

  function open(
    request: SipRequest,
    flow: Flow,
    via: Via,
    key: string,
    mergeKey: string | undefined,
  ): ServerTransaction {
    const transaction = new ServerTransaction(request, flow, via, key, mergeKey, options.tag(), shared);
    servers.set(key, transaction);
    unfinished++;
    if (mergeKey) merges.set(mergeKey, transaction);
    if (servers.size - unfinished > options.limit * LINGERING) forgetOldest();
    return transaction;
  }

  function forgetOldest(): void {
    for (const transaction of servers.values()) {
      if (!transaction.finished) continue;
      onEvent('forgotten-transaction');
      transaction.terminate();
      return;
    }
  }

  return {
    get count() {
      return servers.size + clients.size;
    },
    receiveRequest(request, flow) {
      const via = topVia(request);
      if (!via.branch.startsWith(BRANCH_COOKIE)) {
        onEvent('malformed');
        answer(request, flow, via, 400);
        return;
      }
      const place = `|${via.branch}|${via.host}:${via.port ?? ''}`;
      const { method } = request;
      if (method === 'ACK') {
        if (!servers.get(`INVITE${place}`)?.ack()) user.onAck(request, flow);
        return;
      }
      const key = method + place;
      const known = servers.get(key);
      if (known) {
        known.repeated();
        return;
      }
      const outside = toTag(request) === '';
      if (unfinished >= options.limit || (outside && method !== 'CANCEL' && user.refusing())) {
        onEvent('overload');
        answer(request, flow, via, 503, { extra: RETRY_AFTER });
        return;
      }
      if (method === 'CANCEL') {
        receiveCancel(request, flow, via, place);
        return;
      }
      const mergeKey = outside ? mergeKeyOf(request) : undefined;
      const merged = mergeKey !== undefined && merges.has(mergeKey);
      const transaction = open(request, flow, via, key, merged ? undefined : mergeKey);
      if (merged) {
        onEvent('merged');
        transaction.respond(482);
      } else if (request.headers.get('Max-Forwards') === '0') {
        transaction.respond(483);
      } else {
        user.onRequest(transaction);
      }
    },
    receiveResponse(response, flow) {
      const client = clients.get(`${cseqOf(response).method}|${topVia(response).branch}`);
      if (client) client.receive(response, flow);
      else onEvent('stray-response');
    },
    receiveMalformed(failure, flow) {
      onEvent('malformed');
      const request = failure.answerable;
      if (request) answer(request, flow, topVia(request), failureStatus(failure.code));
    },
    invite(hop, branch, request, composeAck, clientUser) {
      const key = `INVITE|${branch}`;
      const reliable = hop.transport !== 'udp';
      const client = new InviteClient(key, request, composeAck, reliable, new Path(hop), clientUser);
      clients.set(key, client);
      client.start();
      return client;
    },
    plain(hop, branch, method, request, clientUser) {
      const key = `${method}|${branch}`;
      const client = new PlainClient(key, request, hop.transport !== 'udp', new Path(hop), clientUser);
      clients.set(key, client);
      client.start();
      return client;
    },
    close() {
      for (const transaction of [...servers.values()]) transaction.terminate();
      for (const client of [...clients.values()]) client.terminate();
    },
  };
}

function mergeKeyOf(request: SipRequest): string {
  const { number, method } = cseqOf(request);
  return `${fromTag(request)}|${callId(request)}|${number} ${method}`;
}

/** FNV-1a, 32 bits: it only has to be stable, not secret. */
function statelessTag(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return `s${(hash >>> 0).toString(16)}`;
}
