/**
 * One TCP or TLS connection: framing, keep-alives, and the limits that keep a peer from holding it for nothing.
 */
import type { Endpoint, StreamConnection } from '@samar/doors';
import { StreamFramer } from '../message/index.ts';
import type { TimerOwner, Wheel, WheelTimer } from '../transaction/wheel.ts';
import type { ParseFailure, SipMessage, StackLimits, TransportName } from '../types.ts';

/** Bytes that may wait for a peer who does not read; past it the connection is closed. */
const WRITE_QUEUE = 1_048_576;
const CRLF = Buffer.from('\r\n');

export interface ChannelUser {
  onMessage(message: SipMessage, channel: Channel): void;
  onMalformed(failure: ParseFailure, channel: Channel): void;
  onClosed(channel: Channel): void;
  onEvent(event: string): void;
}

export class Channel implements TimerOwner {
  readonly transport: TransportName;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** We opened it; the peer was chosen by us and not by `admit`. */
  readonly outgoing: boolean;
  open = true;
  readonly #connection: StreamConnection;
  readonly #user: ChannelUser;
  readonly #wheel: Wheel;
  readonly #limits: StackLimits;
  readonly #framer: StreamFramer;
  #idle: WheelTimer;
  #active = false;
  #partial: WheelTimer | undefined;

  constructor(
    connection: StreamConnection,
    transport: TransportName,
    outgoing: boolean,
    user: ChannelUser,
    wheel: Wheel,
    limits: StackLimits,
  ) {
    this.#connection = connection;
    this.transport = transport;
    this.outgoing = outgoing;
    this.remote = connection.remote;
    this.local = connection.local;
    this.#user = user;
    this.#wheel = wheel;
    this.#limits = limits;
    this.#framer = new StreamFramer(limits);
    this.#idle = wheel.after(limits.idleConnection, this, 'idle');
    connection.onClose(() => this.#closed());
    connection.onData((data) => this.#receive(data));
  }

  /** False: the connection is closed or its peer does not read; the bytes are not sent. */
  write(bytes: Uint8Array): boolean {
    if (!this.open) return false;
    if (this.#connection.pendingBytes + bytes.length > WRITE_QUEUE) {
      this.#user.onEvent('write-overflow');
      this.destroy();
      return false;
    }
    this.#active = true;
    this.#connection.write(bytes);
    return true;
  }

  destroy(): void {
    if (!this.open) return;
    this.#closed();
    this.#connection.destroy();
  }

  onTimer(name: string): void {
    if (name === 'partial') {
      this.#user.onEvent('slow-connection');
      this.destroy();
    } else if (this.#active) {
      // Lazily extended: cheaper than moving the timer with each message.
      this.#active = false;
      this.#idle = this.#wheel.after(this.#limits.idleConnection, this, 'idle');
    } else {
      this.#user.onEvent('idle-connection');
      this.destroy();
    }
  }

  #receive(data: Buffer): void {
    if (!this.open) return;
    this.#active = true;
    let whole = false;
    for (const item of this.#framer.push(data)) {
      if (!this.open) return;
      whole = true;
      switch (item.kind) {
        case 'keep-alive':
          // RFC 5626 section 3.5.1: a double CRLF is answered by a single one.
          this.write(CRLF);
          break;
        case 'failure':
          this.#user.onMalformed(item, this);
          break;
        default:
          this.#user.onMessage(item, this);
      }
    }
    this.#watchPartial(whole);
  }

  /** The clock of a message runs from its first byte, so that one byte at a time gains nothing. */
  #watchPartial(whole: boolean): void {
    if (!this.open) return;
    if (this.#framer.broken) {
      // Past a framing error nobody knows where the next message starts.
      this.destroy();
      return;
    }
    if (whole || !this.#framer.partial) {
      this.#partial?.cancel();
      this.#partial = undefined;
    }
    if (this.#framer.partial && !this.#partial) {
      this.#partial = this.#wheel.after(this.#limits.partialMessage, this, 'partial');
    }
  }

  #closed(): void {
    if (!this.open) return;
    this.open = false;
    this.#idle.cancel();
    this.#partial?.cancel();
    this.#user.onClosed(this);
  }
}
