import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { middleOfNtp, readReport, writeReport } from './rtcp.ts';

const BLOCK = {
  ssrc: 42,
  fraction: 12,
  lost: 345,
  highest: 70_000,
  jitter: 81,
  lastSenderReport: 0xdeadbeef,
  delaySinceLast: 65_536,
};
const SENT = { wallMilliseconds: Date.UTC(2026, 0, 1, 0, 0, 0, 500), timestamp: 5, packets: 6, octets: 7 };

test('a written report reads back', () => {
  const bytes = writeReport({ ssrc: 1, name: 'sixteen-chars-ab', sent: SENT, received: BLOCK, bye: true });
  expect(bytes.length % 4).toBe(0);
  expect(readReport(bytes, 42)).toEqual({
    ssrc: 1,
    senderReport: middleOfNtp(SENT.wallMilliseconds),
    aboutUs: BLOCK,
    bye: true,
  });
});

test('NTP time of a sender report is that of RFC 3550 section 4', () => {
  const bytes = writeReport({ ssrc: 1, name: 'x', sent: SENT, received: undefined, bye: false });
  expect(bytes.readUInt32BE(8) - 2_208_988_800).toBe(Date.UTC(2026, 0, 1) / 1000);
  expect(bytes.readUInt32BE(12)).toBe(0x80000000);
});

test('a report about others says nothing about us, and more loss than 24 bits is cut', () => {
  const bytes = writeReport({
    ssrc: 1,
    name: 'x',
    sent: undefined,
    received: { ...BLOCK, lost: 2 ** 30 },
    bye: false,
  });
  expect(readReport(bytes, 43)).toEqual({ ssrc: 1, senderReport: undefined, aboutUs: undefined, bye: false });
  expect(readReport(bytes, 42)?.aboutUs?.lost).toBe(0x7fffff);
});

test('any bytes are read or refused, never thrown at', () => {
  const valid = writeReport({ ssrc: 1, name: 'sixteen-chars-ab', sent: SENT, received: BLOCK, bye: true });
  void fc.assert(
    fc.property(
      fc.nat({ max: valid.length - 1 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: 100 }),
      (at, byte, cut) => {
        const bytes = Buffer.from(valid.subarray(0, Math.max(0, valid.length - cut)));
        if (at < bytes.length) bytes[at] = byte;
        const report = readReport(bytes, 42);
        if (report !== undefined) expect(bytes.length).toBeGreaterThanOrEqual(8);
      },
    ),
    { numRuns: 2000 },
  );
});
