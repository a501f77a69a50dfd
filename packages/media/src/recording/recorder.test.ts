import { describe, expect, it } from 'vitest';
import { runs, SILENT, timeline } from './timeline.ts';

const A = 0x10;
const B = 0x20;

describe('frames', () => {
  it('come out each half second, 200 ms after their end, the first one short by choice', () => {
    const line = timeline(1_000);
    line.recorder.advance(324);
    expect(line.frames).toEqual([]);
    line.recorder.advance(325);
    expect(line.frames).toEqual([1_000]);
    line.recorder.advance(1_400);
    expect(line.frames).toEqual([1_000, 4_000, 4_000]);
    line.finish(1_400);
    expect(line.frames).toEqual([1_000, 4_000, 4_000, 2_200]);
    expect(line.channel('right').every((byte) => byte === SILENT)).toBe(true);
  });

  it('end with an empty one when nothing is left, and nothing comes after', () => {
    const line = timeline();
    line.finish(1_000);
    expect(line.frames).toEqual([4_000, 4_000, 0]);
    line.send(0, 1_000, A);
    line.recorder.advance(5_000);
    line.finish(9_000);
    expect(line.frames).toEqual([4_000, 4_000, 0]);
  });

  it('are also written when the end lies before the beginning', () => {
    const line = timeline(500);
    line.finish(-20);
    expect(line.frames).toEqual([0]);
  });

  it('refuses an impossible first length', () => {
    for (const lead of [0, 4_001, 1.5, -1]) expect(() => timeline(lead)).toThrow(RangeError);
  });
});

describe('places', () => {
  it('follow timestamps, not arrivals', () => {
    const line = timeline();
    line.send(0, 100, A);
    line.send(2, 190, B);
    line.send(1, 195, A);
    line.finish(400);
    expect(runs(line.channel('left'))).toEqual([
      [SILENT, 800],
      [A, 320],
      [B, 160],
      [SILENT, 1_920],
    ]);
  });

  it('are found within 200 ms after a frame’s end, and given up then', () => {
    const line = timeline();
    for (const nth of [0, 1]) line.send(nth, nth * 20, A);
    line.send(24, 690, B);
    line.send(23, 710, B);
    line.finish(1_000);
    expect(runs(line.channel('left'))).toEqual([
      [A, 320],
      [SILENT, 24 * 160 - 320],
      [B, 160],
      [SILENT, 4_000],
    ]);
    expect(line.recorder.counts.left).toMatchObject({ received: 4, late: 1, lost: 21 });
  });

  it('of a packet that begins in a written frame keep its rest', () => {
    const line = timeline();
    line.send(0, 10, A);
    line.recorder.advance(705);
    line.send(24, 705, B);
    line.finish(1_000);
    expect(runs(line.channel('left')).at(-2)).toEqual([B, 80]);
    expect(line.frames[0]).toBe(4_000);
    expect(line.recorder.counts.left.late).toBe(0);
  });

  it('hold through a pause of the speaker', () => {
    const line = timeline();
    line.send(0, 0, A);
    line.send(1_000, 20_010, B);
    line.finish(21_000);
    expect(runs(line.channel('left'))).toEqual([
      [A, 160],
      [SILENT, 159_840],
      [B, 160],
      [SILENT, 7_840],
    ]);
    expect(line.recorder.counts.left.jumps).toBe(0);
  });

  it('are anchored anew at a new SSRC, while a straggler of the old one still finds its own', () => {
    const line = timeline();
    line.send(0, 0, A);
    line.send(5_000, 60, B, { ssrc: 8 });
    line.send(1, 70, A);
    line.send(5_001, 80, B, { ssrc: 8 });
    line.finish(200);
    expect(runs(line.channel('left'))).toEqual([
      [A, 320],
      [SILENT, 160],
      [B, 320],
      [SILENT, 800],
    ]);
    expect(line.recorder.counts.left).toMatchObject({ received: 4, lost: 0, jumps: 1 });
  });

  it('are anchored anew when timestamps jump, and one wild packet moves nobody', () => {
    const line = timeline();
    line.send(0, 3, A);
    line.send(1, 40, B, { timestamp: 3_000_000_000 });
    line.send(2, 45, A);
    line.send(3, 70, A);
    line.finish(200);
    const channel = line.channel('left');
    // The wild one stands at its arrival, under the one that has its place there by right.
    expect(channel.subarray(24 + 320, 24 + 640).every((byte) => byte === A)).toBe(true);
    expect(line.recorder.counts.left.jumps).toBe(1);
  });

  it('stay where they were when an unused part of the other side’s time is written', () => {
    const line = timeline();
    line.send(0, 0, A);
    line.send(0, 0, B, { side: 'right', ssrc: 9 });
    line.finish(100);
    expect(runs(line.channel('left'))[0]).toEqual([A, 160]);
    expect(runs(line.channel('right'))[0]).toEqual([B, 160]);
  });

  it('ignore duplicates', () => {
    const line = timeline();
    line.send(0, 0, A);
    line.send(0, 5, B);
    line.finish(40);
    expect(runs(line.channel('left'))).toEqual([
      [A, 160],
      [SILENT, 160],
    ]);
    expect(line.recorder.counts.left).toMatchObject({ received: 1, duplicates: 1, lost: 0 });
  });

  it('bear a flood of new SSRCs and impossible payloads', () => {
    const line = timeline();
    for (let i = 0; i < 2_000; i++) {
      line.send(i * 7, i, A, { ssrc: i, timestamp: (i * 2_654_435_761) >>> 0 });
    }
    line.send(0, 2_000, A, { payload: new Uint8Array(0) });
    line.send(0, 2_000, B, { payload: new Uint8Array(65_000).fill(B), ssrc: 5_000 });
    line.finish(2_100);
    expect(line.channel('left')).toHaveLength(16_800);
    expect(line.recorder.counts.left).toMatchObject({ received: 2_002, lost: 0 });
  });
});

describe('drift of the sender’s clock', () => {
  it.each([
    ['slow', 1.000_5],
    ['fast', 0.999_5],
  ])('of a %s clock is put right before it parts the two sides by 200 ms', (_, pace) => {
    const line = timeline();
    let worst = 0;
    // 20 minutes at five times the worst usual clock.
    const packets = 20 * 60 * 50;
    for (let nth = 0; nth < packets; nth++) line.send(nth, nth * 20 * pace, nth % 50 === 0 ? A : 0xfe);
    line.finish(packets * 20 * pace);
    const channel = line.channel('left');
    for (let nth = 0; nth < packets; nth += 50) {
      const due = Math.round(nth * 160 * pace);
      let off = 0;
      while (off < 4_000 && channel[due + off] !== A && channel[due - off] !== A) off++;
      worst = Math.max(worst, off);
    }
    expect(worst).toBeLessThan(200 * 8);
    const { shifts, late, jumps } = line.recorder.counts.left;
    expect(shifts).toBeGreaterThanOrEqual(4);
    expect({ late, jumps }).toEqual({ late: 0, jumps: 0 });
  });
});
