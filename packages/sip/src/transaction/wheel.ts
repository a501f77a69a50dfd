/**
 * A timer wheel: any number of protocol timers on one timer of the door.
 *
 * Every SIP transaction starts three or four timers and cancels most of them, so both must cost almost nothing:
 * an entry is a node of a doubly linked list, hung into the slot of its deadline. Only the next non-empty slot is
 * armed at the door. Deadlines are rounded up to the tick; a timer never fires early.
 */
import type { Clock, Timer, Timers } from '@samar/doors';

/** Milliseconds. 10 ms is 2 % of T1, the shortest protocol timer: late by no more than that harms nothing. */
const TICK = 10;
/** 41 s: a little more than 64 × T1, so that all but session timers fire in their first revolution. */
const SLOTS = 4096;

/** Who is told that a timer fired; `name` says which one, so that no closure per timer is needed. */
export interface TimerOwner {
  onTimer(name: string): void;
}

export interface WheelTimer {
  /** Does nothing when the timer has fired or was cancelled before. */
  cancel(): void;
}

export interface Wheel {
  /** Calls `owner.onTimer(name)` once, at least `milliseconds` and at most 10 ms more from now. */
  after(milliseconds: number, owner: TimerOwner, name: string): WheelTimer;
  /** Timers that wait. */
  readonly size: number;
  /** Cancels everything; later `after` calls never fire. */
  close(): void;
}

class Entry implements WheelTimer {
  readonly wheel: TimerWheel;
  readonly owner: TimerOwner;
  readonly name: string;
  readonly tick: number;
  next: Entry | undefined;
  previous: Entry | undefined;
  waiting = false;

  constructor(wheel: TimerWheel, owner: TimerOwner, name: string, tick: number) {
    this.wheel = wheel;
    this.owner = owner;
    this.name = name;
    this.tick = tick;
  }

  cancel(): void {
    if (this.waiting) this.wheel.remove(this);
  }
}

class TimerWheel implements Wheel {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onFault: (error: unknown) => void;
  readonly #slots: (Entry | undefined)[] = new Array<Entry | undefined>(SLOTS).fill(undefined);
  readonly #origin: number;
  /** The last tick whose slot has been emptied. */
  #done: number;
  #size = 0;
  #closed = false;
  #firing = false;
  #armed: Timer | undefined;
  #armedTick = 0;

  constructor(clock: Clock, timers: Timers, onFault: (error: unknown) => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#onFault = onFault;
    this.#origin = clock.monotonic();
    this.#done = 0;
  }

  get size(): number {
    return this.#size;
  }

  after(milliseconds: number, owner: TimerOwner, name: string): WheelTimer {
    const due = this.#clock.monotonic() - this.#origin + Math.max(0, milliseconds);
    const entry = new Entry(this, owner, name, Math.max(this.#done + 1, Math.ceil(due / TICK)));
    if (this.#closed) return entry;
    const slot = entry.tick % SLOTS;
    const head = this.#slots[slot];
    entry.next = head;
    if (head) head.previous = entry;
    this.#slots[slot] = entry;
    entry.waiting = true;
    this.#size++;
    if (!this.#firing && (!this.#armed || entry.tick < this.#armedTick)) this.#arm(entry.tick);
    return entry;
  }

  remove(entry: Entry): void {
    this.#unlink(entry);
    if (this.#size === 0) this.#disarm();
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
    this.#slots.fill(undefined);
    this.#size = 0;
  }

  #unlink(entry: Entry): void {
    if (entry.previous) entry.previous.next = entry.next;
    else this.#slots[entry.tick % SLOTS] = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    entry.next = undefined;
    entry.previous = undefined;
    entry.waiting = false;
    this.#size--;
  }

  #arm(tick: number): void {
    this.#armed?.cancel();
    this.#armedTick = tick;
    const wait = tick * TICK + this.#origin - this.#clock.monotonic();
    this.#armed = this.#timers.after(Math.max(0, wait), () => this.#fire());
  }

  #disarm(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #fire(): void {
    this.#armed = undefined;
    // Half a millisecond of grace: the host's timers may come a fraction early.
    const now = Math.floor((this.#clock.monotonic() - this.#origin + 0.5) / TICK);
    const from = Math.max(this.#done + 1, now - SLOTS + 1);
    this.#done = Math.max(this.#done, now);
    this.#firing = true;
    for (let tick = from; tick <= now; tick++) this.#empty(tick % SLOTS, now);
    this.#firing = false;
    if (this.#size > 0 && !this.#closed) this.#armNext();
  }

  /** Runs what is due in a slot. An entry run may cancel its neighbours, so each step looks at the list anew. */
  #empty(slot: number, now: number): void {
    let due: Entry[] | undefined;
    for (let entry = this.#slots[slot]; entry; entry = entry.next) {
      if (entry.tick <= now) {
        due ??= [];
        due.push(entry);
      }
    }
    if (!due) return;
    // Newest hang in front; fire in the order they were set.
    for (let index = due.length - 1; index >= 0; index--) {
      const entry = due[index] as Entry;
      if (!entry.waiting || this.#closed) continue;
      this.#unlink(entry);
      try {
        entry.owner.onTimer(entry.name);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }

  #armNext(): void {
    for (let tick = this.#done + 1; tick <= this.#done + SLOTS; tick++) {
      if (this.#slots[tick % SLOTS]) {
        if (!this.#armed || tick < this.#armedTick) this.#arm(tick);
        return;
      }
    }
  }
}

/** `onFault` receives what an owner threw: one owner's fault must not keep the others' timers from firing. */
export function createWheel(clock: Clock, timers: Timers, onFault: (error: unknown) => void): Wheel {
  return new TimerWheel(clock, timers, onFault);
}
