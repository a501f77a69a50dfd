/** The non-INVITE server transaction (RFC 3261 section 17.2.2). */
import type { ServerDoors } from './server.ts';
import { sixtyFourT1 } from './timing.ts';
import type { TimerOwner, WheelTimer } from './wheel.ts';

type Input =
  | { readonly kind: 'respond'; readonly status: number; readonly bytes: Buffer }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'timer' };
type State = (machine: PlainServer, input: Input) => State;

const repeatedInput: Input = { kind: 'repeated' };
const timerInput: Input = { kind: 'timer' };

export class PlainServer implements TimerOwner {
  readonly doors: ServerDoors;
  readonly reliable: boolean;
  last: Buffer | undefined;
  limit: WheelTimer | undefined;
  #state: State = trying;

  constructor(reliable: boolean, doors: ServerDoors) {
    this.reliable = reliable;
    this.doors = doors;
  }

  respond(status: number, bytes: Buffer): void {
    this.#enter({ kind: 'respond', status, bytes });
  }

  repeated(): void {
    this.#enter(repeatedInput);
  }

  onTimer(): void {
    this.#enter(timerInput);
  }

  get finished(): boolean {
    return this.#state === completed || this.#state === terminated;
  }

  terminate(): void {
    if (this.#state === terminated) return;
    this.#state = terminated;
    this.stop();
    this.doors.ended();
  }

  stop(): void {
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

/** Trying and Proceeding differ only in whether there is a response to repeat. */
const trying: State = (machine, input) => {
  switch (input.kind) {
    case 'respond':
      machine.doors.send(input.bytes);
      return respond(machine, input.status, input.bytes);
    case 'repeated':
      machine.doors.onEvent('retransmission');
      if (machine.last) machine.doors.send(machine.last);
      return trying;
    case 'timer':
      return trying;
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
    case 'timer':
      return terminated;
  }
};

const terminated: State = () => terminated;

function respond(machine: PlainServer, status: number, bytes: Buffer): State {
  if (status < 200) {
    machine.last = bytes;
    return trying;
  }
  machine.doors.finishedOnce();
  if (machine.reliable) return terminated;
  machine.last = machine.doors.retain(bytes);
  const { wheel, timing } = machine.doors;
  machine.limit = wheel.after(sixtyFourT1(timing), machine, 'J');
  return completed;
}
