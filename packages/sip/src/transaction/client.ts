/** What both kinds of client transaction are given and give back. */
import type { Flow } from '../transport/transport.ts';
import type { SipResponse } from '../types.ts';
import type { Timing } from './timing.ts';
import type { Wheel } from './wheel.ts';

/** Who started the transaction. */
export interface ClientUser {
  /** Every response but absorbed repetitions. 2xx to INVITE may come again, also with other To tags. */
  onResponse(response: SipResponse, flow: Flow): void;
  /** No final response came, or the request could not be sent. Called once, and never after a final response. */
  onFailure(kind: 'timeout' | 'unreachable'): void;
}

/** The outside world, bound to one hop. */
export interface ClientDoors {
  readonly wheel: Wheel;
  readonly timing: Timing;
  send(bytes: Buffer, failed: () => void): void;
  ended(key: string): void;
  onEvent(event: string): void;
}
