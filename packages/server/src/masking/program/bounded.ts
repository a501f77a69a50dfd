/** A map that holds the `most` entries used last: what was computed once need not be again, and memory stays bounded. */
export function createBounded<Value>(most: number): (key: string, make: (key: string) => Value) => Value {
  const entries = new Map<string, Value>();
  return (key, make) => {
    const known = entries.get(key);
    if (known !== undefined) {
      // A Map keeps the order of insertion: the first one is the one used longest ago.
      entries.delete(key);
      entries.set(key, known);
      return known;
    }
    const value = make(key);
    entries.set(key, value);
    for (const oldest of entries.keys()) {
      if (entries.size <= most) break;
      entries.delete(oldest);
    }
    return value;
  };
}
