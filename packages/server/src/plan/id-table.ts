/**
 * Gives ids numbers from 1 on, in the order in which they come. Of an id only 64 bits of hash are kept: it may be a
 * phone number, and a million of them must fit. Two of five million ids share a hash with a chance of 1 in a million.
 */
export interface IdTable {
  readonly count: number;
  numberOf(id: string): number;
}

const FEWEST = 1024;

export function idTable(): IdTable {
  let capacity = FEWEST;
  let high = new Uint32Array(capacity);
  let low = new Uint32Array(capacity);
  let numbers = new Uint32Array(capacity);
  let count = 0;

  function slotOf(one: number, other: number): number {
    const mask = capacity - 1;
    let slot = one & mask;
    while (numbers[slot] !== 0 && (high[slot] !== one || low[slot] !== other)) slot = (slot + 1) & mask;
    return slot;
  }

  function grow(): void {
    const old = { high, low, numbers };
    capacity *= 2;
    high = new Uint32Array(capacity);
    low = new Uint32Array(capacity);
    numbers = new Uint32Array(capacity);
    for (let index = 0; index < old.numbers.length; index++) {
      const number = old.numbers[index] ?? 0;
      if (number === 0) continue;
      const one = old.high[index] ?? 0;
      const other = old.low[index] ?? 0;
      const slot = slotOf(one, other);
      high[slot] = one;
      low[slot] = other;
      numbers[slot] = number;
    }
  }

  return {
    get count() {
      return count;
    },
    numberOf(id) {
      let one = 0x811c9dc5;
      let other = 0x9747b28c;
      for (let index = 0; index < id.length; index++) {
        const code = id.charCodeAt(index);
        one = Math.imul(one ^ code, 0x01000193);
        other = Math.imul(other ^ code, 0x5bd1e995);
        other ^= other >>> 15;
      }
      one = mixed(one ^ id.length);
      other = mixed(other);
      const slot = slotOf(one, other);
      const known = numbers[slot] ?? 0;
      if (known !== 0) return known;
      high[slot] = one;
      low[slot] = other;
      numbers[slot] = ++count;
      if (count * 2 > capacity) grow();
      return count;
    },
  };
}

/** MurmurHash3's last step: every bit of the input turns about half of the output's. */
function mixed(hash: number): number {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
