import { describe, expect, it } from 'vitest';
import { runs, SILENT, timeline } from './timeline.ts';

const A = 0x10;

/** Speech of `total` packets with a key pressed at packet `from`, its tone in the speech too. */
function press(from: number, lengthPackets: number, total: number, options: { before?: number } = {}) {
  const line = timeline();
  const first = 1_000_000;
  let sequence = 0;
  for (let nth = 0; nth < total; nth++) {
    line.send(nth, nth * 20, A, { sequence: sequence++, timestamp: first + nth * 160 });
    const within = nth - from;
    if (within < (options.before ?? 0) || within >= lengthPackets) continue;
    line.recorder.digit({
      side: 'left',
      ssrc: 7,
      sequence: sequence++,
      timestamp: first + from * 160,
      duration: (within + 1) * 160,
      arrival: nth * 20 + 1,
    });
  }
  line.finish(total * 20);
  return line;
}

describe('a key press', () => {
  it('is silent from 60 ms before it until 60 ms after it, and counts as no loss', () => {
    const line = press(20, 10, 60);
    expect(runs(line.channel('left'))).toEqual([
      [A, 17 * 160],
      [SILENT, 16 * 160],
      [A, 27 * 160],
    ]);
    expect(line.recorder.counts.left).toMatchObject({ received: 70, lost: 0, jumps: 0 });
  });

  it('is silent from its beginning when its first packets are lost', () => {
    const line = press(20, 10, 60, { before: 8 });
    expect(runs(line.channel('left'))[0]).toEqual([A, 17 * 160]);
  });

  it('stays silent over a frame’s border and for packets that come later', () => {
    const line = timeline();
    line.send(0, 0, A);
    line.recorder.digit({
      side: 'left',
      ssrc: 7,
      sequence: 40,
      timestamp: 20 * 160,
      duration: 10 * 160,
      arrival: 590,
    });
    for (let nth = 17; nth < 40; nth++) line.send(nth, 600, A);
    line.finish(800);
    expect(runs(line.channel('left'))).toEqual([
      [A, 160],
      [SILENT, 32 * 160],
      [A, 7 * 160],
    ]);
  });

  it('mutes the side that pressed, not the other', () => {
    const line = timeline();
    for (let nth = 0; nth < 20; nth++) line.send(nth, nth * 20, A, { side: 'right', ssrc: 3 });
    line.recorder.digit({ side: 'left', ssrc: 7, sequence: 0, timestamp: 0, duration: 800, arrival: 200 });
    line.finish(400);
    expect(runs(line.channel('right'))).toEqual([[A, 3_200]]);
  });

  it('held for a minute neither jumps nor fills anything', () => {
    const line = press(50, 3_000, 3_200);
    expect(runs(line.channel('left'))).toEqual([
      [A, 47 * 160],
      [SILENT, 3_006 * 160],
      [A, 147 * 160],
    ]);
    expect(line.recorder.counts.left.jumps).toBe(0);
  });

  it('in more pieces than are remembered mutes rather too much than too little', () => {
    const line = timeline();
    line.send(0, 0, A);
    for (let press = 15; press > 0; press--) {
      const digit = { ssrc: 7, sequence: 100 - press, timestamp: press * 1_000, duration: 1, arrival: 10 };
      line.recorder.digit({ side: 'left', ...digit });
    }
    for (let nth = 1; nth < 110; nth++) line.send(nth, 300, A, { sequence: 100 + nth });
    line.finish(2_200);
    const channel = line.channel('left');
    for (let press = 1; press <= 15; press++) {
      const muted = channel.subarray(press * 1_000 - 480, press * 1_000 + 480);
      expect(muted.every((byte) => byte === SILENT)).toBe(true);
    }
    // The newest stay apart.
    expect(channel.subarray(14_482, 14_520).every((byte) => byte === A)).toBe(true);
    expect(channel.subarray(15_482).every((byte) => byte === A)).toBe(true);
    expect(channel.subarray(1_482, 1_520).every((byte) => byte === SILENT)).toBe(true);
  });
});
