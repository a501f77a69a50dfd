/**
 * Keeps the values used last, as many as weigh `most` together: what was computed once need not be again, and memory
 * stays bounded. What `make` throws is not kept.
 */
export function createBounded<Value>(
  most: number,
  weigh: (value: Value) => number = () => 1,
): (key: string, make: (key: string) => Value) => Value {
  const entries = new Map<string, Value>();
  let weight = 0;
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
    weight += weigh(value);
    for (const [oldest, old] of entries) {
      if (weight <= most || oldest === key) break;
      entries.delete(oldest);
      weight -= weigh(old);
    }
    return value;
  };
}
