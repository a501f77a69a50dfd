/** Collects what is said in one go and hands it over as one batch: crossing threads costs per message, not per word. */
export function createOutbox<T>(send: (batch: readonly T[]) => void): (item: T) => void {
  let waiting: T[] = [];
  function flush(): void {
    const batch = waiting;
    waiting = [];
    send(batch);
  }
  return (item) => {
    if (waiting.push(item) === 1) queueMicrotask(flush);
  };
}
