/**
 * Who talks when, by level alone: a channel talks where it is clearly louder than its own quiet. Good enough to jump
 * over silence and ringing pauses; not a judgement on what is said.
 */
import type { Wav } from './wav.ts';

export interface Talk {
  /** Seconds. */
  readonly from: number;
  readonly to: number;
  readonly channel: number;
}
export interface Shape {
  readonly talks: readonly Talk[];
  /** One per channel, values from 0 to 1. */
  readonly peaks: readonly Float32Array[];
}

const frameSeconds = 0.02;
/** -46 dBFS: nobody talks below, whatever the line's quiet is. */
const quietest = 0.005;
/** Pauses shorter than this are within one talk; what is shorter than `leastTalk` is a click. */
const pauseSeconds = 0.5;
const leastTalkSeconds = 0.15;
const maxPeaks = 4_000;

export function shapeOf(wav: Wav): Shape {
  const channels = Array.from({ length: wav.channels }, (_, channel) => channel);
  const talks = channels
    .flatMap((channel) => talksOf(levels(wav, channel)).map((talk) => ({ ...talk, channel })))
    .sort((one, other) => one.from - other.from);
  return { talks, peaks: channels.map((channel) => peaks(wav, channel)) };
}

/** Root mean square of each frame, 0 to 1. */
function levels({ samples, channels, rate }: Wav, channel: number): Float32Array {
  const frame = Math.max(1, Math.round(rate * frameSeconds));
  const count = Math.floor(samples.length / channels / frame);
  const found = new Float32Array(count);
  for (let index = 0; index < count; index += 1) {
    let sum = 0;
    const start = index * frame * channels + channel;
    for (let at = 0; at < frame; at += 1) {
      const sample = (samples[start + at * channels] ?? 0) / 32_768;
      sum += sample * sample;
    }
    found[index] = Math.sqrt(sum / frame);
  }
  return found;
}

function talksOf(found: Float32Array): readonly { readonly from: number; readonly to: number }[] {
  const threshold = thresholdOf(found);
  const talks: { from: number; to: number }[] = [];
  for (const [index, level] of found.entries()) {
    if (level < threshold) continue;
    const from = index * frameSeconds;
    const last = talks.at(-1);
    if (last && from - last.to < pauseSeconds) last.to = from + frameSeconds;
    else talks.push({ from, to: from + frameSeconds });
  }
  return talks.filter(({ from, to }) => to - from >= leastTalkSeconds);
}

/** Three times the line's own quiet (its lower tenth), less where somebody talks almost all the time. */
function thresholdOf(found: Float32Array): number {
  const sorted = found.toSorted();
  const quiet = sorted[Math.floor(sorted.length / 10)] ?? 0;
  const loud = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  return Math.max(quietest, quiet * 1.5, Math.min(quiet * 3, loud / 2));
}

function peaks({ samples, channels }: Wav, channel: number): Float32Array {
  const frames = samples.length / channels;
  const count = Math.max(1, Math.min(maxPeaks, Math.floor(frames)));
  const found = new Float32Array(count);
  for (let index = 0; index < count; index += 1) {
    const end = Math.floor(((index + 1) * frames) / count);
    let loudest = 0;
    for (let at = Math.floor((index * frames) / count); at < end; at += 1) {
      loudest = Math.max(loudest, Math.abs(samples[at * channels + channel] ?? 0));
    }
    found[index] = loudest / 32_768;
  }
  return found;
}

/** Where the next talk begins; undefined when nobody talks any more. Being within one counts it as heard. */
export function nextTalk(talks: readonly Talk[], at: number): number | undefined {
  return talks.find(({ from }) => from > at + 0.05)?.from;
}

export function talkSeconds(talks: readonly Talk[], channel: number): number {
  return talks.filter((talk) => talk.channel === channel).reduce((sum, { from, to }) => sum + to - from, 0);
}
