/** The non-INVITE client transaction (RFC 3261 section 17.1.2). */
import type { Flow } from '../transport/transport.ts';
import type { SipResponse } from '../types.ts';
import type { ClientDoors, ClientUser } from './client.ts';
import { sixtyFourT1 } from './timing.ts';
import type { TimerOwner, WheelTimer } from './wheel.ts';

type Input =
  | { readonly kind: 'response'; readonly response: SipResponse; readonly flow: Flow }
  | { readonly kind: 'timer'; readonly name: string }
  | { readonly kind: 'unsent' };
type State = (transaction: PlainClient, input: Input) => State;

export class PlainClient implements TimerOwner {
  readonly key: string;
  readonly doors: ClientDoors;
  readonly user: ClientUser;
  readonly reliable: boolean;
  request: Buffer | undefined;
  interval: number;
  retransmission: WheelTimer | undefined;
  limit: WheelTimer | undefined;
  #state: State = trying;

  constructor(key: string, request: Buffer, reliable: boolean, doors: ClientDoors, user: ClientUser) {
    this.key = key;
    this.request = request;
    this.reliable = reliable;
    this.doors = doors;
    this.user = user;
    this.interval = doors.timing.t1;
  }

  start(): void {
    const { wheel, timing } = this.doors;
    if (!this.reliable) this.retransmission = wheel.after(this.interval, this, 'E');
    this.limit = wheel.after(sixtyFourT1(timing), this, 'F');
    this.send();
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

  get finished(): boolean {
    return this.#state === completed || this.#state === terminated;
  }

  send(): void {
    if (this.request) this.doors.send(this.request, () => this.#enter({ kind: 'unsent' }));
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
    if (this.#state === terminated) return;
    this.#state = next;
    if (next === terminated) {
      this.stop();
      this.doors.ended(this.key);
    }
  }
}

const trying: State = (transaction, input) => {
  switch (input.kind) {
    case 'timer':
      if (input.name === 'F') return fail(transaction, 'timeout');
      again(transaction, Math.min(2 * transaction.interval, transaction.doors.timing.t2));
      return trying;
    case 'unsent':
      return fail(transaction, 'unreachable');
    case 'response':
      return respond(transaction, input.response, input.flow);
  }
};

const proceeding: State = (transaction, input) => {
  switch (input.kind) {
    case 'timer':
      if (input.name === 'F') return fail(transaction, 'timeout');
      again(transaction, transaction.doors.timing.t2);
      return proceeding;
    case 'unsent':
      return fail(transaction, 'unreachable');
    case 'response':
      return respond(transaction, input.response, input.flow);
  }
};

const completed: State = (transaction, input) => {
  if (input.kind === 'timer') return terminated;
  if (input.kind === 'response') transaction.doors.onEvent('retransmission');
  return completed;
};

const terminated: State = () => terminated;

function again(transaction: PlainClient, interval: number): void {
  transaction.interval = interval;
  transaction.retransmission = transaction.doors.wheel.after(interval, transaction, 'E');
  transaction.doors.onEvent('retransmission-sent');
  transaction.send();
}

function respond(transaction: PlainClient, response: SipResponse, flow: Flow): State {
  if (response.status < 200) {
    transaction.user.onResponse(response, flow);
    return proceeding;
  }
  transaction.stop();
  const { wheel, timing } = transaction.doors;
  if (!transaction.reliable) transaction.limit = wheel.after(timing.t4, transaction, 'K');
  transaction.user.onResponse(response, flow);
  return transaction.reliable ? terminated : completed;
}

function fail(transaction: PlainClient, kind: 'timeout' | 'unreachable'): State {
  transaction.stop();
  transaction.user.onFailure(kind);
  return terminated;
}
