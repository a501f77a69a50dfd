import { describe, expect, it } from 'vitest';
import { nextTalk, shapeOf, talkSeconds } from './talk.ts';
import { readWav } from './wav.ts';

const rate = 8000;
type Span = readonly [from: number, to: number];

/** A WAV with a hum on the line and a tone where somebody talks. */
function recording(seconds: number, left: readonly Span[], right: readonly Span[], hum = 20): ArrayBuffer {
  const frames = seconds * rate;
  const buffer = new ArrayBuffer(44 + frames * 4);
  const view = new DataView(buffer);
  const text = (at: number, words: string) =>
    [...words].forEach((letter, index) => {
      view.setUint8(at + index, letter.charCodeAt(0));
    });
  text(0, 'RIFF');
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, rate, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, frames * 4, true);
  const sample = (spans: readonly Span[], at: number) => {
    const second = at / rate;
    const talking = spans.some(([from, to]) => second >= from && second < to);
    return Math.sin(at / 3) * (talking ? 9000 : hum);
  };
  for (let at = 0; at < frames; at += 1) {
    view.setInt16(44 + at * 4, sample(left, at), true);
    view.setInt16(46 + at * 4, sample(right, at), true);
  }
  return buffer;
}
function shape(...given: Parameters<typeof recording>) {
  const wav = readWav(recording(...given));
  if (!wav) throw new Error('not read');
  return shapeOf(wav);
}

describe('talk', () => {
  it('is found by channel, in the order of time', () => {
    const { talks } = shape(
      20,
      [[1, 4]],
      [
        [5, 7],
        [15, 16],
      ],
    );
    expect(talks.map(({ channel }) => channel)).toEqual([0, 1, 1]);
    expect(talks.map(({ from }) => Math.round(from))).toEqual([1, 5, 15]);
    expect(talkSeconds(talks, 1)).toBeCloseTo(3, 1);
  });
  it('joins short pauses and leaves out clicks', () => {
    const { talks } = shape(
      10,
      [
        [1, 2],
        [2.3, 3],
        [6, 6.05],
      ],
      [],
    );
    expect(talks).toHaveLength(1);
    expect(talks[0]?.to).toBeCloseTo(3, 1);
  });
  it('is not found in a line that only hums, nor in nothing', () => {
    expect(shape(5, [], [], 40).talks).toEqual([]);
    expect(shape(0, [], []).talks).toEqual([]);
  });
  it('is found above a loud hum', () => {
    const { talks } = shape(20, [[8, 9]], [], 600);
    expect(talks.map(({ from, channel }) => [channel, Math.round(from)])).toEqual([[0, 8]]);
  });
  it('can be jumped to', () => {
    const { talks } = shape(20, [[1, 4]], [[10, 12]]);
    expect(nextTalk(talks, 0)).toBeCloseTo(1, 1);
    expect(nextTalk(talks, 2)).toBeCloseTo(10, 1);
    expect(nextTalk(talks, 11)).toBeUndefined();
  });
});

describe('a WAV', () => {
  it('has its seconds, rate and channels', () => {
    expect(readWav(recording(3, [], []))).toMatchObject({ seconds: 3, rate, channels: 2 });
  });
  it('that is cut off gives what is there', () => {
    expect(readWav(recording(3, [], []).slice(0, 44 + rate * 4))?.seconds).toBe(1);
  });
  it('that is none is refused', () => {
    expect(readWav(new ArrayBuffer(100))).toBeUndefined();
    expect(readWav(new ArrayBuffer(3))).toBeUndefined();
    const compressed = recording(1, [], []);
    new DataView(compressed).setUint16(20, 7, true);
    expect(readWav(compressed)).toBeUndefined();
  });
});
