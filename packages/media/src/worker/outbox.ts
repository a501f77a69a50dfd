/** Collects what is said in one go and hands it over as one batch: crossing threads costs per message, not per word. */
export interface OutboxOptions {
  /** When the batch goes; default: when the code that speaks now has ended. */
  readonly soon?: (flush: () => void) => void;
}

export function createOutbox<T>(
  send: (batch: readonly T[]) => void,
  { soon = queueMicrotask }: OutboxOptions = {},
): (item: T) => void {
  let waiting: T[] = [];
  function flush(): void {
    const batch = waiting;
    waiting = [];
    send(batch);
  }
  return (item) => {
    if (waiting.push(item) === 1) soon(flush);
  };
}

/**
 * Between threads: when the event loop has handled all that it had read. Where many calls move at once, all they say
 * crosses in one message.
 */
export const afterReading: OutboxOptions = { soon: (flush) => void setImmediate(flush) };
