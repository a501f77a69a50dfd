/** Records a call in real time until it is killed; says on standard output what it has been given. For crash.test.ts. */
import { writeSync } from 'node:fs';
import { nodeDoors } from '@samar/doors';
import { startCallRecording } from './recording.ts';
import { ID, KEY, SALT } from './scratch.ts';

const { clock, timers } = nodeDoors();
const startedAt = clock.monotonic();
const recording = await startCallRecording({
  file: process.argv[2] as string,
  id: ID,
  key: KEY,
  salt: SALT,
  startedAt,
  lead: 4_000,
  onFailed: () => process.exit(1),
});
// A pending timer of the doors doesn't keep the process alive; reading standard input does.
process.stdin.resume();
let nth = 0;
function tick(): void {
  const arrival = clock.monotonic();
  for (; startedAt + nth * 20 <= arrival; nth++) {
    const payload = new Uint8Array(160).fill(0x42);
    recording.packet({
      side: 'left',
      ssrc: 1,
      sequence: nth & 0xffff,
      timestamp: nth * 160,
      arrival,
      codec: 'PCMU',
      payload,
    });
  }
  writeSync(1, `${nth * 20}\n`);
  timers.after(20, tick);
}
tick();
