/**
 * The INVITE server transaction (RFC 3261 section 17.2.1 with the Accepted state of RFC 6026).
 * One function per state: it takes an input and returns the next state.
 */
import type { ServerDoors } from './server.ts';
import { sixtyFourT1 } from './timing.ts';
import type { TimerOwner, WheelTimer } from './wheel.ts';

type Input =
  | { readonly kind: 'respond'; readonly status: number; readonly bytes: Buffer }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'timer'; readonly name: string };
type State = (machine: InviteServer, input: Input) => State;

const repeatedInput: Input = { kind: 'repeated' };
const ackInput: Input = { kind: 'ack' };

export class InviteServer implements TimerOwner {
  readonly doors: ServerDoors;
  readonly reliable: boolean;
  last: Buffer | undefined;
  interval: number;
  retransmission: WheelTimer | undefined;
  limit: WheelTimer | undefined;
  #state: State = proceeding;

  constructor(reliable: boolean, doors: ServerDoors) {
    this.reliable = reliable;
    this.doors = doors;
    this.interval = doors.timing.t1;
  }

  respond(status: number, bytes: Buffer): void {
    this.#enter({ kind: 'respond', status, bytes });
  }

  /** The INVITE came again. */
  repeated(): void {
    this.#enter(repeatedInput);
  }

  /** True when the ACK belonged to this transaction; false when it is for the 2xx and so for the dialog. */
  ack(): boolean {
    if (this.#state === accepted || this.#state === proceeding) return false;
    this.#enter(ackInput);
    return true;
  }

  onTimer(name: string): void {
    this.#enter({ kind: 'timer', name });
  }

  get finished(): boolean {
    return this.#state !== proceeding;
  }

  terminate(): void {
    if (this.#state === terminated) return;
    this.#state = terminated;
    this.stop();
    this.doors.ended();
  }

  stop(): void {
    this.retransmission?.cancel();
    this.limit?.cancel();
    this.last = undefined;
  }

  #enter(input: Input): void {
    const before = this.#state;
    if (before === terminated) return;
    const next = before(this, input);
    if (next === before || this.#state === terminated) return;
    this.#state = next;
    if (next === terminated) {
      this.stop();
      this.doors.ended();
    }
  }
}

const proceeding: State = (machine, input) => {
  switch (input.kind) {
    case 'respond':
      machine.doors.send(input.bytes);
      if (input.status < 200) {
        machine.last = input.bytes;
        return proceeding;
      }
      machine.doors.finishedOnce();
      return input.status < 300 ? accept(machine) : complete(machine, input.bytes);
    case 'repeated':
      machine.doors.onEvent('retransmission');
      if (machine.last) machine.doors.send(machine.last);
      return proceeding;
    case 'ack':
    case 'timer':
      return proceeding;
  }
};

/** RFC 6026 section 7.1: repetitions of the INVITE are absorbed; the 2xx is repeated by the dialog. */
const accepted: State = (machine, input) => {
  switch (input.kind) {
    case 'respond':
      if (input.status >= 200 && input.status < 300) machine.doors.send(input.bytes);
      return accepted;
    case 'repeated':
      machine.doors.onEvent('retransmission');
      return accepted;
    case 'ack':
      return accepted;
    case 'timer':
      return terminated;
  }
};

const completed: State = (machine, input) => {
  switch (input.kind) {
    case 'respond':
      return completed;
    case 'repeated':
      machine.doors.onEvent('retransmission');
      if (machine.last) machine.doors.send(machine.last);
      return completed;
    case 'ack':
      return confirm(machine);
    case 'timer':
      if (input.name === 'H') return terminated;
      machine.interval = Math.min(2 * machine.interval, machine.doors.timing.t2);
      machine.retransmission = machine.doors.wheel.after(machine.interval, machine, 'G');
      machine.doors.onEvent('retransmission-sent');
      if (machine.last) machine.doors.send(machine.last);
      return completed;
  }
};

/** Absorbs what is still on its way of the ACKs and INVITEs. */
const confirmed: State = (_machine, input) => (input.kind === 'timer' ? terminated : confirmed);

const terminated: State = () => terminated;

function accept(machine: InviteServer): State {
  const { wheel, timing } = machine.doors;
  machine.last = undefined;
  machine.limit = wheel.after(sixtyFourT1(timing), machine, 'L');
  return accepted;
}

function complete(machine: InviteServer, bytes: Buffer): State {
  const { wheel, timing } = machine.doors;
  machine.last = machine.doors.retain(bytes);
  if (!machine.reliable) machine.retransmission = wheel.after(machine.interval, machine, 'G');
  machine.limit = wheel.after(sixtyFourT1(timing), machine, 'H');
  return completed;
}

function confirm(machine: InviteServer): State {
  machine.stop();
  if (machine.reliable) return terminated;
  machine.limit = machine.doors.wheel.after(machine.doors.timing.t4, machine, 'I');
  return confirmed;
}
