/**
 * The INVITE client transaction (RFC 3261 section 17.1.1 with the Accepted state of RFC 6026).
 * One function per state: it takes an input and returns the next state.
 */
import type { Flow } from '../transport/transport.ts';
import type { SipResponse } from '../types.ts';
import type { ClientDoors, ClientUser } from './client.ts';
import { sixtyFourT1, timerD } from './timing.ts';
import type { TimerOwner, WheelTimer } from './wheel.ts';

type Input =
  | { readonly kind: 'response'; readonly response: SipResponse; readonly flow: Flow }
  | { readonly kind: 'timer'; readonly name: string }
  | { readonly kind: 'unsent' };
type State = (transaction: InviteClient, input: Input) => State;

export class InviteClient implements TimerOwner {
  readonly key: string;
  readonly doors: ClientDoors;
  /** Replaced by the user when only late answers are of interest any more. */
  user: ClientUser;
  readonly reliable: boolean;
  /** Composes the ACK for a final response that is no 2xx (section 17.1.1.3). */
  composeAck: ((response: SipResponse) => Buffer) | undefined;
  request: Buffer | undefined;
  ack: Buffer | undefined;
  interval: number;
  retransmission: WheelTimer | undefined;
  limit: WheelTimer | undefined;
  #state: State = calling;

  constructor(
    key: string,
    request: Buffer,
    composeAck: (response: SipResponse) => Buffer,
    reliable: boolean,
    doors: ClientDoors,
    user: ClientUser,
  ) {
    this.key = key;
    this.request = request;
    this.composeAck = composeAck;
    this.reliable = reliable;
    this.doors = doors;
    this.user = user;
    this.interval = doors.timing.t1;
  }

  start(): void {
    const { wheel, timing } = this.doors;
    if (!this.reliable) this.retransmission = wheel.after(this.interval, this, 'A');
    this.limit = wheel.after(sixtyFourT1(timing), this, 'B');
    this.send(this.request);
  }

  receive(response: SipResponse, flow: Flow): void {
    this.#enter({ kind: 'response', response, flow });
  }

  onTimer(name: string): void {
    this.#enter({ kind: 'timer', name });
  }

  /** Forgets everything at once; no more is reported. */
  terminate(): void {
    if (this.#state === terminated) return;
    this.#state = terminated;
    this.stop();
    this.doors.ended(this.key);
  }

  /** Whether a final response or a failure was reported. */
  get finished(): boolean {
    return this.#state !== calling && this.#state !== proceeding;
  }

  send(bytes: Buffer | undefined): void {
    if (bytes) this.doors.send(bytes, () => this.#enter({ kind: 'unsent' }));
  }

  stop(): void {
    this.retransmission?.cancel();
    this.limit?.cancel();
    this.request = undefined;
  }

  #enter(input: Input): void {
    const before = this.#state;
    if (before === terminated) return;
    const next = before(this, input);
    // A handler that ran inside may have terminated us.
    if (this.#state === terminated) return;
    this.#state = next;
    if (next === terminated) {
      this.stop();
      this.doors.ended(this.key);
    }
  }
}

const calling: State = (transaction, input) => {
  switch (input.kind) {
    case 'timer':
      if (input.name === 'B') return fail(transaction, 'timeout');
      transaction.interval *= 2;
      transaction.retransmission = transaction.doors.wheel.after(transaction.interval, transaction, 'A');
      transaction.doors.onEvent('retransmission-sent');
      transaction.send(transaction.request);
      return calling;
    case 'unsent':
      return fail(transaction, 'unreachable');
    case 'response':
      return proceeding(transaction, input);
  }
};

const proceeding: State = (transaction, input) => {
  switch (input.kind) {
    case 'timer':
    case 'unsent':
      return proceeding;
    case 'response': {
      const { response, flow } = input;
      transaction.stop();
      if (response.status < 200) {
        transaction.user.onResponse(response, flow);
        return proceeding;
      }
      return response.status < 300
        ? accept(transaction, response, flow)
        : complete(transaction, response, flow);
    }
  }
};

const completed: State = (transaction, input) => {
  switch (input.kind) {
    case 'timer':
      return terminated;
    case 'unsent':
      return terminated;
    case 'response':
      if (input.response.status >= 300) {
        transaction.doors.onEvent('retransmission');
        transaction.send(transaction.ack);
      }
      return completed;
  }
};

/** RFC 6026 section 7.2: 2xx of every fork and every repetition go to the user until timer M. */
const accepted: State = (transaction, input) => {
  switch (input.kind) {
    case 'timer':
      return terminated;
    case 'unsent':
      return accepted;
    case 'response':
      if (input.response.status >= 200 && input.response.status < 300) {
        transaction.user.onResponse(input.response, input.flow);
      }
      return accepted;
  }
};

const terminated: State = () => terminated;

function accept(transaction: InviteClient, response: SipResponse, flow: Flow): State {
  const { wheel, timing } = transaction.doors;
  transaction.composeAck = undefined;
  transaction.limit = wheel.after(sixtyFourT1(timing), transaction, 'M');
  transaction.user.onResponse(response, flow);
  return accepted;
}

function complete(transaction: InviteClient, response: SipResponse, flow: Flow): State {
  transaction.ack = transaction.composeAck?.(response);
  transaction.send(transaction.ack);
  const { wheel, timing } = transaction.doors;
  if (!transaction.reliable) transaction.limit = wheel.after(timerD(timing), transaction, 'D');
  transaction.user.onResponse(response, flow);
  return transaction.reliable ? terminated : completed;
}

function fail(transaction: InviteClient, kind: 'timeout' | 'unreachable'): State {
  transaction.stop();
  transaction.user.onFailure(kind);
  return terminated;
}
