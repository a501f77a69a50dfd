import { simulatedDoors } from '@samar/doors';
import { expect, test } from 'vitest';
import { eventPayload } from '../fixture.ts';
import { DigitReceiver } from './digits.ts';

function receiver(seed = 1) {
  const world = simulatedDoors(seed);
  const told: string[] = [];
  const digits = new DigitReceiver(world, (digit, milliseconds) => told.push(`${digit} ${milliseconds}`));
  const event = (key: number, timestamp: number, duration: number, end = false, ssrc = 9) =>
    digits.receive(eventPayload(key, duration, end), 0, 4, ssrc, timestamp);
  return { world, told, digits, event };
}

/** Packets of one press as RFC 4733 sends them: each 50 ms, the end three times. */
function press(send: ReturnType<typeof receiver>['event'], key: number, timestamp: number, ends = 3): void {
  for (const duration of [160, 560, 960]) send(key, timestamp, duration);
  for (let index = 0; index < ends; index++) send(key, timestamp, 1200, true);
}

test('a press is told once, at its end, with its length', () => {
  const { told, event } = receiver();
  press(event, 5, 1000);
  expect(told).toEqual(['5 150']);
});

test('the same key twice is two presses', () => {
  const { told, event } = receiver();
  press(event, 5, 1000);
  press(event, 5, 3000);
  press(event, 11, 5000);
  expect(told).toEqual(['5 150', '5 150', '# 150']);
});

test('without any end packet it is told 200 ms after the last one', async () => {
  const { world, told, event } = receiver();
  press(event, 15, 1000, 0);
  await world.advance(199);
  expect(told).toEqual([]);
  await world.advance(220);
  expect(told).toEqual(['D 120']);
});

test('a press that goes on is not told early', async () => {
  const { world, told, event } = receiver();
  for (let index = 1; index <= 40; index++) {
    event(1, 1000, 400 * index);
    await world.advance(50);
  }
  expect(told).toEqual([]);
  event(1, 1000, 16_400, true);
  expect(told).toEqual(['1 2050']);
});

test('with every end lost the next key ends the one before', () => {
  const { told, event } = receiver();
  press(event, 1, 1000, 0);
  press(event, 2, 2500);
  expect(told).toEqual(['1 120', '2 150']);
});

test('ends that come late or again tell nothing', async () => {
  const { world, told, event } = receiver();
  press(event, 1, 1000);
  press(event, 2, 2500);
  for (let index = 0; index < 10; index++) {
    event(1, 1000, 1200, true);
    event(2, 2500, 1200, true);
  }
  await world.advance(1000);
  expect(told).toEqual(['1 150', '2 150']);
});

test('timestamps may wrap between presses', () => {
  const { told, event } = receiver();
  press(event, 1, 2 ** 32 - 100);
  press(event, 2, 1100);
  expect(told).toEqual(['1 150', '2 150']);
});

test('a press longer than one segment is one press', () => {
  const { told, event } = receiver();
  event(7, 1000, 30_000);
  event(7, 1000, 65_535);
  event(7, 66_535, 400);
  event(7, 66_535, 8000, true);
  expect(told).toEqual([`7 ${Math.round((65_535 + 8000) / 8)}`]);
});

test('events that are no keys, and payloads that are too short, tell nothing', async () => {
  const { world, told, digits, event } = receiver();
  press(event, 16, 1000);
  press(event, 255, 3000);
  expect(digits.receive(Buffer.from([1, 0x80, 0]), 0, 3, 9, 5000)).toBe(false);
  await world.advance(1000);
  expect(told).toEqual([]);
});

test('a flood of events is cut to 20 a second', async () => {
  const { world, told, event } = receiver();
  for (let index = 0; index < 5000; index++) {
    event(index % 10, 1000 * index, 100, true);
    await (index % 50 === 0 ? world.advance(10) : undefined);
  }
  expect(told.length).toBeLessThanOrEqual(40 + 21);
  expect(told.length).toBeGreaterThan(20);
});

test('closing forgets the press and its timer', async () => {
  const { world, told, digits, event } = receiver();
  event(1, 1000, 160);
  digits.close();
  await world.advance(1000);
  expect(told).toEqual([]);
  expect(world.pending).toBe(0);
});
