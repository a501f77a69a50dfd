/** What both kinds of server transaction are given. */
import type { Timing } from './timing.ts';
import type { Wheel } from './wheel.ts';

/** The outside world, bound to the way one request came. */
export interface ServerDoors {
  readonly wheel: Wheel;
  readonly timing: Timing;
  send(bytes: Buffer): void;
  /** The bytes as they can be kept for long. */
  retain(bytes: Buffer): Buffer;
  /** A final response was sent: what follows only answers repetitions. */
  finishedOnce(): void;
  ended(): void;
  onEvent(event: string): void;
}
