/** One request of a peer: its machine, its way back, and the answers composed for it. */
import type { Endpoint } from '@samar/doors';
import type { Via } from '../message/index.ts';
import { replyAddress } from '../transport/reply.ts';
import type { Flow, Transport } from '../transport/transport.ts';
import type { SipRequest } from '../types.ts';
import { composeResponse, frameOf, type ResponseFrame, type ResponseParts } from './compose.ts';
import type { Retain } from './retain.ts';
import type { ServerDoors } from './server.ts';
import { InviteServer } from './server-invite.ts';
import { PlainServer } from './server-plain.ts';
import type { Timing } from './timing.ts';
import type { TimerOwner, Wheel, WheelTimer } from './wheel.ts';

/** RFC 3261 section 17.2.1: a 100 is due when nothing else is said within this many milliseconds. */
const TRYING = 200;

export interface ServerShared {
  readonly transport: Transport;
  readonly wheel: Wheel;
  readonly timing: Timing;
  readonly retain: Retain;
  readonly serverLine: string;
  finished(transaction: ServerTransaction): void;
  ended(transaction: ServerTransaction): void;
  onEvent(event: string): void;
}

export class ServerTransaction implements ServerDoors, TimerOwner {
  readonly key: string;
  readonly mergeKey: string | undefined;
  readonly flow: Flow;
  /** Our To tag: on every response but 100 when the request had none. */
  readonly tag: string;
  /** Who is told of a CANCEL. */
  cancelled: (() => void) | undefined;
  readonly #replyTo: Endpoint;
  readonly #shared: ServerShared;
  readonly #invite: InviteServer | undefined;
  readonly #plain: PlainServer | undefined;
  /** Given up with the final response: what lingers for 32 s must be small. */
  #request: SipRequest | undefined;
  #frame: ResponseFrame | undefined;
  /** The 100 that is due, until anything is said. */
  #trying: { readonly timer: WheelTimer; readonly extra: string } | undefined;
  #counted = true;

  constructor(
    request: SipRequest,
    flow: Flow,
    via: Via,
    key: string,
    mergeKey: string | undefined,
    tag: string,
    shared: ServerShared,
  ) {
    this.#request = request;
    this.flow = flow;
    this.key = key;
    this.mergeKey = mergeKey;
    this.tag = tag;
    this.#replyTo = replyAddress(via, flow.source, flow.transport);
    this.#shared = shared;
    const reliable = flow.transport !== 'udp';
    if (request.method === 'INVITE') this.#invite = new InviteServer(reliable, this);
    else this.#plain = new PlainServer(reliable, this);
  }

  /** Only until the final response. */
  get request(): SipRequest {
    if (!this.#request) throw new Error('the request of a finished transaction');
    return this.#request;
  }

  get wheel(): Wheel {
    return this.#shared.wheel;
  }

  get timing(): Timing {
    return this.#shared.timing;
  }

  get #machine(): InviteServer | PlainServer {
    return (this.#invite ?? this.#plain) as InviteServer | PlainServer;
  }

  /** A final response was given. */
  get finished(): boolean {
    return this.#machine.finished;
  }

  /** `tag` replaces our own To tag; empty for none. Returns the bytes, so that a 2xx can be repeated. */
  respond(status: number, parts: ResponseParts & { readonly tag?: string } = {}): Buffer {
    const request = this.#request;
    if (!request) return Buffer.alloc(0);
    this.#trying?.timer.cancel();
    this.#trying = undefined;
    this.#frame ??= frameOf(request, this.flow.source);
    const extra = (parts.extra ?? '') + this.#shared.serverLine;
    const tag = parts.tag ?? (status === 100 ? '' : this.tag);
    const bytes = composeResponse(this.#frame, status, tag, { ...parts, extra });
    this.#machine.respond(status, bytes);
    return bytes;
  }

  /** Says 100 if nothing else is said within 200 ms, or when the INVITE comes again before. */
  tryingSoon(extra: string): void {
    this.#trying = { timer: this.wheel.after(TRYING, this, 'trying'), extra };
  }

  onTimer(): void {
    if (this.#trying) this.respond(100, { extra: this.#trying.extra });
  }

  /** The same bytes again: reliable provisional responses and 2xx to INVITE, which their senders repeat. */
  resend(bytes: Buffer): void {
    this.#shared.onEvent('retransmission-sent');
    this.send(bytes);
  }

  repeated(): void {
    if (this.#trying) {
      this.onEvent('retransmission');
      this.onTimer();
    } else this.#machine.repeated();
  }

  /** See `InviteServer.ack`. */
  ack(): boolean {
    return this.#invite?.ack() ?? false;
  }

  terminate(): void {
    this.#machine.terminate();
  }

  // What the machine needs of the world.

  send(bytes: Buffer): void {
    this.#shared.transport.reply(this.flow, this.#replyTo, bytes);
  }

  retain(bytes: Buffer): Buffer {
    return this.#shared.retain(bytes);
  }

  finishedOnce(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.#request = undefined;
    this.#frame = undefined;
    this.cancelled = undefined;
    this.#shared.finished(this);
  }

  onEvent(event: string): void {
    this.#shared.onEvent(event);
  }

  ended(): void {
    this.#trying?.timer.cancel();
    this.finishedOnce();
    this.#shared.ended(this);
  }
}
