import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compose } from '../fixture.ts';
import { emptyPacket, LONGEST_DATAGRAM, readRtp } from './packet.ts';

test('any bytes are read or refused, and a payload always lies within them', () => {
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, version) => {
      if (version && bytes.length > 0) bytes[0] = 0x80 | ((bytes[0] as number) & 0x3f);
      const packet = emptyPacket();
      if (!readRtp(bytes, packet)) return;
      expect(packet.start).toBeGreaterThanOrEqual(12);
      expect(packet.end).toBeGreaterThan(packet.start);
      expect(packet.end).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 2000 },
  );
});

test('CSRC list, header extension and padding are stepped over', () => {
  void fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(fc.nat(), { maxLength: 15 }),
      fc.option(fc.nat({ max: 10 }), { nil: undefined }),
      fc.nat({ max: 255 }),
      (payload, csrc, words, padding) => {
        const extension = words === undefined ? {} : { extension: new Uint8Array(words * 4).fill(0xee) };
        const bytes = compose(payload, {
          csrc,
          ...extension,
          padding,
          sequence: 65_535,
          timestamp: 2 ** 32 - 1,
        });
        const packet = emptyPacket();
        expect(readRtp(bytes, packet)).toBe(true);
        expect(bytes.subarray(packet.start, packet.end)).toEqual(Buffer.from(payload));
        expect([packet.sequence, packet.timestamp]).toEqual([65_535, 2 ** 32 - 1]);
      },
    ),
  );
});

test.each([
  ['version 1', Buffer.concat([Buffer.from([0x40]), Buffer.alloc(171)])],
  ['a header alone', compose(new Uint8Array(0), {})],
  ['an RTCP sender report', Buffer.concat([Buffer.from([0x80, 200]), Buffer.alloc(30)])],
  ['padding longer than the packet', Buffer.concat([Buffer.from([0xa0, 0]), Buffer.alloc(20, 0xff)])],
  ['an extension longer than the packet', Buffer.concat([Buffer.from([0x90, 0]), Buffer.alloc(20, 0xff)])],
  ['more than a datagram of audio', compose(new Uint8Array(LONGEST_DATAGRAM), {})],
])('%s is refused', (_what, bytes) => {
  expect(readRtp(bytes, emptyPacket())).toBe(false);
});
