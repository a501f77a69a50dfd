/** Repeats a 2xx to INVITE until its ACK comes (RFC 3261 section 13.3.1.4). */
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { sixtyFourT1 } from '../transaction/timing.ts';
import type { TimerOwner, WheelTimer } from '../transaction/wheel.ts';
import type { Context } from './context.ts';

export class AnswerRepeater implements TimerOwner {
  readonly sequence: number;
  readonly #context: Context;
  readonly #transaction: ServerTransaction;
  readonly #bytes: Buffer;
  readonly #onNoAck: () => void;
  readonly #limit: WheelTimer;
  #interval: number;
  #again: WheelTimer;

  constructor(
    context: Context,
    transaction: ServerTransaction,
    bytes: Buffer,
    sequence: number,
    onNoAck: () => void,
  ) {
    this.#context = context;
    this.#transaction = transaction;
    this.#bytes = bytes;
    this.sequence = sequence;
    this.#onNoAck = onNoAck;
    this.#interval = context.timing.t1;
    this.#again = context.wheel.after(this.#interval, this, 'again');
    this.#limit = context.wheel.after(sixtyFourT1(context.timing), this, 'limit');
  }

  stop(): void {
    this.#again.cancel();
    this.#limit.cancel();
  }

  onTimer(name: string): void {
    if (name === 'limit') {
      this.stop();
      this.#onNoAck();
      return;
    }
    this.#interval = Math.min(2 * this.#interval, this.#context.timing.t2);
    this.#again = this.#context.wheel.after(this.#interval, this, 'again');
    this.#transaction.resend(this.#bytes);
  }
}
