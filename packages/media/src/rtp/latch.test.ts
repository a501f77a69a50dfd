import { expect, test } from 'vitest';
import { Latch } from './latch.ts';
import { emptyPacket } from './packet.ts';

const HERE = '198.51.100.7';

function packet(sequence: number, ssrc = 1) {
  return { ...emptyPacket(), sequence, ssrc, start: 12, end: 172 };
}

function opened(networks: readonly string[] = []) {
  const latch = new Latch();
  latch.open(HERE, 4000, networks);
  return latch;
}

test('nothing is taken before the peer has described itself', () => {
  expect(new Latch().admit(HERE, 4000, packet(1))).toBe('unlatched');
});

test('the very address and port of the description is taken at once', () => {
  expect(opened().admit(HERE, 4000, packet(1))).toBe('pass');
});

test('another port of the same address is taken after three packets in a row', () => {
  const latch = opened();
  expect([1, 2, 3, 4].map((sequence) => latch.admit(HERE, 61_234, packet(sequence)))).toEqual([
    'unlatched',
    'unlatched',
    'pass',
    'pass',
  ]);
  expect([latch.address, latch.port]).toEqual([HERE, 61_234]);
});

test('packets out of a row or of changing streams prove nothing', () => {
  const latch = opened();
  const random = [5, 900, 17, 40_000, 3, 2, 1];
  for (const sequence of random) expect(latch.admit(HERE, 61_234, packet(sequence))).toBe('unlatched');
  for (let index = 0; index < 9; index++) {
    expect(latch.admit(HERE, 61_234, packet(100 + index, index))).toBe('unlatched');
  }
  expect(latch.locked).toBe(false);
});

test('a row may wrap around', () => {
  const latch = opened();
  expect([65_534, 65_535, 0].map((sequence) => latch.admit(HERE, 9, packet(sequence)))).toContain('pass');
});

test('an address that is neither described nor allowed is a stranger, however long it tries', () => {
  const latch = opened(['203.0.113.0/24']);
  for (let sequence = 0; sequence < 50; sequence++) {
    expect(latch.admit('198.51.100.8', 4000, packet(sequence))).toBe('stranger');
  }
  expect([latch.address, latch.port]).toEqual([HERE, 4000]);
});

test('an address of an allowed network is taken, by IPv4 and IPv6', () => {
  const latch = opened(['203.0.113.0/24', '2001:db8::/32']);
  for (const sequence of [1, 2]) latch.admit('203.0.113.9', 5, packet(sequence));
  expect(latch.admit('203.0.113.9', 5, packet(3))).toBe('pass');
  latch.open('2001:DB8:0:0::1', 4000, []);
  expect(latch.admit('2001:db8::1', 4000, packet(1))).toBe('pass');
  expect(latch.admit('2001:db9::1', 4000, packet(2))).toBe('stranger');
});

test('once locked, nobody takes over: not from the described port, not with a proof, until a new description', () => {
  const latch = opened(['203.0.113.0/24']);
  for (const sequence of [1, 2, 3]) latch.admit('203.0.113.9', 5, packet(sequence));
  for (let sequence = 0; sequence < 20; sequence++) {
    expect(latch.admit(HERE, 4000, packet(sequence))).toBe('stranger');
    expect(latch.admit('203.0.113.9', 6, packet(sequence))).toBe('stranger');
  }
  expect(latch.admit('203.0.113.9', 5, packet(4))).toBe('pass');
  latch.open(HERE, 4000, []);
  expect(latch.admit(HERE, 4000, packet(1))).toBe('pass');
  expect(latch.admit('203.0.113.9', 5, packet(5))).toBe('stranger');
});

test('a second stream from the locked source waits until the first is gone', () => {
  const latch = opened();
  latch.admit(HERE, 4000, packet(1));
  const before = latch.generation;
  for (let index = 0; index < 20; index++) {
    expect(latch.admit(HERE, 4000, packet(500 + index, 2))).toBe('wrong-ssrc');
    expect(latch.admit(HERE, 4000, packet(2 + index))).toBe('pass');
  }
  const verdicts = [600, 601, 602, 603, 604].map((sequence) => latch.admit(HERE, 4000, packet(sequence, 2)));
  expect(verdicts).toEqual(['wrong-ssrc', 'wrong-ssrc', 'wrong-ssrc', 'wrong-ssrc', 'pass']);
  expect(latch.generation).toBe(before + 1);
});
