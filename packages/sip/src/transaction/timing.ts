/** RFC 3261 table 4: every timer of a transaction, in milliseconds. */
export interface Timing {
  /** Round-trip estimate; default 500. */
  readonly t1: number;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses; default 4,000. */
  readonly t2: number;
  /** Longest time a message stays in the network; default 5,000. */
  readonly t4: number;
}

/** Timers B, F, H, J, L (RFC 6026) and M (RFC 6026), and how long a 2xx is repeated. */
export const sixtyFourT1 = (timing: Timing): number => 64 * timing.t1;

/** Timer D: at least 32 s over UDP (RFC 3261 section 17.1.1.2), and never less than the peer's timer H. */
export const timerD = (timing: Timing): number => Math.max(32_000, 64 * timing.t1);
