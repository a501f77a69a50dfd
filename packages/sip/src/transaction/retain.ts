/**
 * Messages that are kept to be repeated: 32 s of them at full rate. A small buffer that is just kept holds all of
 * Node's 8 KiB pool it was cut from; copied into slabs of their own they cost their size, and whole slabs die
 * together, since all are kept about equally long.
 */
const SLAB = 65_536;

export type Retain = (bytes: Buffer) => Buffer;

export function createRetain(): Retain {
  let slab = Buffer.allocUnsafeSlow(SLAB);
  let used = 0;
  return (bytes) => {
    if (bytes.length > SLAB / 4) return bytes;
    if (used + bytes.length > SLAB) {
      slab = Buffer.allocUnsafeSlow(SLAB);
      used = 0;
    }
    const kept = slab.subarray(used, used + bytes.length);
    bytes.copy(kept);
    used += bytes.length;
    return kept;
  };
}
