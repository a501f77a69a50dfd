/** Reliable provisional responses as their sender (RFC 3262 section 3): one at a time, repeated until PRACK. */
import { cseqOf } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { sixtyFourT1 } from '../transaction/timing.ts';
import type { TimerOwner, WheelTimer } from '../transaction/wheel.ts';
import type { SipRequest } from '../types.ts';
import type { Context } from './context.ts';

/** Responses that wait for an earlier one's PRACK; more are an error of the user's and are dropped. */
const WAITING = 8;

type Send = (headers: string) => Buffer;

export class ReliableSender implements TimerOwner {
  readonly #context: Context;
  readonly #transaction: ServerTransaction;
  readonly #onUnacknowledged: () => void;
  readonly #waiting: { readonly send: Send; readonly hasBody: boolean }[] = [];
  #sequence: number;
  #current: { readonly bytes: Buffer; readonly hasBody: boolean } | undefined;
  #interval = 0;
  #again: WheelTimer | undefined;
  #limit: WheelTimer | undefined;
  #held: (() => void) | undefined;

  /** `onUnacknowledged`: no PRACK within 64 × T1. */
  constructor(context: Context, transaction: ServerTransaction, onUnacknowledged: () => void) {
    this.#context = context;
    this.#transaction = transaction;
    this.#onUnacknowledged = onUnacknowledged;
    this.#sequence = context.identifiers.sequence();
  }

  /** `send` composes the response with these headers, sends it and returns its bytes. */
  send(send: Send, hasBody: boolean): void {
    if (!this.#current) this.#start(send, hasBody);
    else if (this.#waiting.length < WAITING) this.#waiting.push({ send, hasBody });
    else this.#context.onEvent('provisional-dropped');
  }

  /** True when this PRACK was awaited. */
  acknowledged(request: SipRequest): boolean {
    const match = /^(\d{1,10})\s+(\d{1,10})\s+INVITE$/.exec(request.headers.get('RAck') ?? '');
    const invite = cseqOf(this.#transaction.request).number;
    if (!match || !this.#current) return false;
    if (Number(match[1]) !== this.#sequence || Number(match[2]) !== invite) return false;
    this.#quiet();
    // The PRACK is answered before whatever follows from it is sent.
    queueMicrotask(() => this.#context.guard(() => this.#next()));
    return true;
  }

  /** Runs the final answer now, or when the response that carries SDP has its PRACK (section 3). */
  whenAcknowledged(answer: () => void): void {
    this.#waiting.length = 0;
    if (this.#current?.hasBody) this.#held = answer;
    else {
      this.stop();
      answer();
    }
  }

  stop(): void {
    this.#quiet();
    this.#waiting.length = 0;
    this.#held = undefined;
  }

  onTimer(name: string): void {
    if (!this.#current) return;
    if (name === 'limit') {
      this.stop();
      this.#onUnacknowledged();
      return;
    }
    this.#interval *= 2;
    this.#again = this.#context.wheel.after(this.#interval, this, 'again');
    this.#transaction.resend(this.#current.bytes);
  }

  #start(send: Send, hasBody: boolean): void {
    this.#sequence++;
    this.#interval = this.#context.timing.t1;
    const bytes = send(`Require: 100rel\r\nRSeq: ${this.#sequence}\r\n`);
    this.#current = { bytes, hasBody };
    this.#again = this.#context.wheel.after(this.#interval, this, 'again');
    this.#limit = this.#context.wheel.after(sixtyFourT1(this.#context.timing), this, 'limit');
  }

  #quiet(): void {
    this.#again?.cancel();
    this.#limit?.cancel();
    this.#current = undefined;
  }

  #next(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held) {
      held();
      return;
    }
    const next = this.#waiting.shift();
    if (next && !this.#transaction.finished) this.#start(next.send, next.hasBody);
  }
}
