/** A jump forward of more than this is a new count, not loss (RFC 3550 appendix A.1). */
const MAX_DROPOUT = 3_000;
/** How far back a packet is told from its duplicate: 5 s of 20 ms packets. */
const MEMORY = 256;

/** Counts one stream's packets by their 16-bit sequence numbers, unwrapped (RFC 3550 appendix A.3). */
export class Sequences {
  #first: number;
  #highest: number;
  #received = 0;
  /** Expected before the count began anew. */
  #expectedBefore = 0;
  readonly #seen = new Float64Array(MEMORY).fill(-1);

  /** @param sequence of the first packet, which must then be given to `accept` too */
  constructor(sequence: number) {
    // One turn above zero, so that packets from before the first have positive numbers too.
    this.#first = 0x10000 + sequence;
    this.#highest = this.#first;
  }

  /** False for a duplicate. */
  accept(sequence: number): boolean {
    const step = ((sequence - this.#highest) << 16) >> 16;
    if (step > MAX_DROPOUT || step <= -MEMORY) this.#restart(sequence);
    else if (step > 0) this.#highest += step;
    const number = step > MAX_DROPOUT || step <= -MEMORY ? this.#highest : this.#highest + Math.min(step, 0);
    const slot = number % MEMORY;
    if (this.#seen[slot] === number) return false;
    this.#seen[slot] = number;
    if (number < this.#first) this.#first = number;
    this.#received++;
    return true;
  }

  #restart(sequence: number): void {
    this.#expectedBefore += this.#highest - this.#first + 1;
    this.#first = (Math.floor(this.#highest / 0x10000) + 2) * 0x10000 + sequence;
    this.#highest = this.#first;
    this.#seen.fill(-1);
  }

  get lost(): number {
    return this.#expectedBefore + this.#highest - this.#first + 1 - this.#received;
  }
}
