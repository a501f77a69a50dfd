/** What a worker counts. One object, plain numbers: an increment per packet is all it costs. */

/** Why something wasn't passed on. */
export interface Dropped {
  /** Not from the peer's address or an allowed network, or not from the latched source. */
  stranger: number;
  malformed: number;
  /** Before the peer's description is known, or while its source is being proven. */
  unlatched: number;
  'wrong-ssrc': number;
  'no-bridge': number;
  /** The recorder's queue was full; the audio itself was relayed. */
  'queue-full': number;
  'payload-type': number;
  oversize: number;
  'comfort-noise': number;
  /** Audio sent while a key is down: it may hold the key's tone. */
  digit: number;
  /** The peer's description says that it doesn't send. */
  'on-hold': number;
  /** Something is being played to the other leg. */
  held: number;
  /** The other leg has no address yet or may not be sent to. */
  'no-remote': number;
  'report-flood': number;
  /** Came to a port that no call holds. */
  'free-port': number;
}

export interface Counters {
  packetsIn: number;
  relayed: number;
  played: number;
  digitPackets: number;
  reportsIn: number;
  reportsOut: number;
  readonly dropped: Dropped;
}

export function createCounters(): Counters {
  return {
    packetsIn: 0,
    relayed: 0,
    played: 0,
    digitPackets: 0,
    reportsIn: 0,
    reportsOut: 0,
    dropped: {
      stranger: 0,
      malformed: 0,
      unlatched: 0,
      'wrong-ssrc': 0,
      'no-bridge': 0,
      'queue-full': 0,
      'payload-type': 0,
      oversize: 0,
      'comfort-noise': 0,
      digit: 0,
      'on-hold': 0,
      held: 0,
      'no-remote': 0,
      'report-flood': 0,
      'free-port': 0,
    },
  };
}
