/**
 * How surely `said` was heard: the best normalised correlation of its loudest half second with any place of `heard`,
 * 0 (not at all) to 1 (to the letter). Robust against delay, level and G.711, not against other words.
 */
export function likeness(heard: Int16Array, said: Int16Array): number {
  const length = Math.min(4_000, said.length);
  const start = loudest(said, length);
  const sample = said.subarray(start, start + length);
  const sampleEnergy = energy(sample);
  if (sampleEnergy === 0 || heard.length < length) return 0;
  let windowEnergy = energy(heard.subarray(0, length));
  let best = 0;
  for (let at = 0; at + length <= heard.length; at++) {
    // A window with less than a hundredth of the energy can't be it: most of a call is skipped so.
    if (windowEnergy > sampleEnergy / 100) {
      let product = 0;
      for (let index = 0; index < length; index++) product += (heard[at + index] ?? 0) * (sample[index] ?? 0);
      best = Math.max(best, product / Math.sqrt(windowEnergy * sampleEnergy));
    }
    windowEnergy += (heard[at + length] ?? 0) ** 2 - (heard[at] ?? 0) ** 2;
  }
  return best;
}

/** Root mean square of the loudest fifth of a second, 0 to 32,768: speech is above some hundreds, silence below ten. */
export function loudness(heard: Int16Array): number {
  const length = Math.min(1_600, heard.length);
  if (length === 0) return 0;
  const start = loudest(heard, length);
  return Math.sqrt(energy(heard.subarray(start, start + length)) / length);
}

function energy(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return sum;
}

function loudest(pcm: Int16Array, length: number): number {
  let current = energy(pcm.subarray(0, length));
  let best = current;
  let at = 0;
  for (let start = 1; start + length <= pcm.length; start++) {
    current += (pcm[start + length - 1] ?? 0) ** 2 - (pcm[start - 1] ?? 0) ** 2;
    if (current > best) {
      best = current;
      at = start;
    }
  }
  return at;
}
