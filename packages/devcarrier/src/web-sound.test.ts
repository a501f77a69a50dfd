import { expect, test } from 'vitest';
import { createJitterBuffer, createTap, readFrame, writeFrame } from './web-sound.ts';

test('a frame is 320 bytes, little-endian, and nothing else', () => {
  const pcm = Int16Array.from({ length: 160 }, (_, index) => index * 200 - 16_000);
  const bytes = writeFrame(pcm);
  expect(bytes.slice(0, 2)).toEqual(Uint8Array.of(0x80, 0xc1));
  expect(readFrame(bytes)).toEqual(pcm);
  for (const length of [0, 1, 319, 321, 640]) expect(readFrame(new Uint8Array(length))).toBeUndefined();
});

test('the jitter buffer waits for three, keeps ten, and gives the newest when too many came', () => {
  const buffer = createJitterBuffer();
  const frame = (value: number) => Int16Array.of(value);
  buffer.put(frame(1));
  buffer.put(frame(2));
  expect(buffer.take()).toBeUndefined();
  buffer.put(frame(3));
  expect([buffer.take(), buffer.take(), buffer.take(), buffer.take()]).toEqual([
    frame(1),
    frame(2),
    frame(3),
    undefined,
  ]);
  buffer.put(frame(4));
  expect(buffer.take()).toBeUndefined();
  for (let value = 5; value < 1_000; value++) buffer.put(frame(value));
  expect(buffer.dropped).toBe(986);
  expect(buffer.take()).toEqual(frame(990));
  buffer.clear();
  expect(buffer.take()).toBeUndefined();
});

test('a tap lets a burst through, and then its rate', () => {
  let now = 0;
  const tap = createTap(() => now, 10, 5);
  const count = (times: number) => Array.from({ length: times }, tap).filter(Boolean).length;
  expect(count(100)).toBe(5);
  now += 300;
  expect(count(100)).toBe(3);
  now += 60_000;
  expect(count(100)).toBe(5);
});
