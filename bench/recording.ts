/**
 * What recording costs: time line, sealing, writing, and a sync for comparison. Run: `npx node bench/recording.ts`.
 * Prints microseconds of CPU or time per packet and per frame (half a second of stereo), and what that is of one core.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  composeHeader,
  FRAME_SAMPLES,
  FrameCipher,
  frameBytes,
} from '../packages/media/src/recording/format.ts';
import {
  createRecorder,
  openRecording,
  startCallRecording,
  wavStream,
} from '../packages/media/src/recording/index.ts';

const CALLS = 300;
const SECONDS = 10;
const KEY = new Uint8Array(32).fill(1);
const SALT = new Uint8Array(16).fill(2);

const folder = mkdtempSync(join(process.env['SAMAR_BENCH_DIR'] ?? tmpdir(), 'samar-bench-'));
const PAYLOAD = new Uint8Array(160).map((_, i) => (i * 7) & 0x7f);

function line(name: string, value: number, unit: string, note = ''): void {
  console.log(`${name.padEnd(44)} ${value.toFixed(2).padStart(9)} ${unit}${note && `   ${note}`}`);
}

/** Microseconds of CPU time, all threads. */
async function cpu(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function packet(side: 'left' | 'right', nth: number, codec: 'PCMU' | 'PCMA' = 'PCMU') {
  return {
    side,
    ssrc: side === 'left' ? 1 : 2,
    sequence: nth & 0xffff,
    timestamp: nth * 160,
    arrival: nth * 20,
    codec,
    payload: PAYLOAD,
  };
}

async function timeLine(): Promise<void> {
  const packets = 400_000;
  for (const codec of ['PCMU', 'PCMA'] as const) {
    const recorder = createRecorder({ startedAt: 0, emit: () => {} });
    const took = await cpu(() => {
      for (let nth = 0; nth < packets; nth++) {
        recorder.packet(packet('left', nth, codec));
        recorder.packet(packet('right', nth, codec));
      }
    });
    line(`time line, ${codec}`, took / (2 * packets), 'µs a packet');
  }
}

async function sealing(): Promise<void> {
  const frames = 20_000;
  const cipher = new FrameCipher(KEY, composeHeader('rec_1', SALT, FRAME_SAMPLES).bytes);
  const speech = new Uint8Array(2 * FRAME_SAMPLES).fill(0x42);
  const took = await cpu(() => {
    for (let index = 0; index < frames; index++) cipher.seal(index, speech, false);
  });
  line('sealing', took / frames, 'µs a frame');
}

async function syncing(): Promise<void> {
  const file = await open(join(folder, 'sync'), 'wx');
  const bytes = Buffer.alloc(frameBytes(FRAME_SAMPLES), 1);
  const rounds = 200;
  let waited = 0;
  const took = await cpu(async () => {
    for (let round = 0; round < rounds; round++) {
      await file.write(bytes, 0, bytes.length, round * bytes.length);
      const start = process.hrtime.bigint();
      await file.datasync();
      waited += Number(process.hrtime.bigint() - start) / 1000;
    }
  });
  await file.close();
  line(
    'a frame written and synced (not done live)',
    took / rounds,
    'µs CPU',
    `and ${(waited / rounds / 1000).toFixed(2)} ms of waiting for the disk`,
  );
}

/** Many calls in one thread, packets in the order of time, as fast as it goes; the disk gets its turn each 20 ms. */
async function calls(): Promise<void> {
  const failures: string[] = [];
  const recordings = await Promise.all(
    Array.from({ length: CALLS }, (_, call) =>
      startCallRecording({
        file: join(folder, `call-${call}`),
        id: `rec_${call}`,
        key: KEY,
        salt: SALT,
        startedAt: 0,
        lead: 1 + ((call * 1_777) % FRAME_SAMPLES),
        onFailed: (failure) => failures.push(failure),
      }),
    ),
  );
  const took = await cpu(async () => {
    for (let nth = 0; nth < SECONDS * 50; nth++) {
      for (const recording of recordings) {
        recording.packet(packet('left', nth));
        recording.packet(packet('right', nth));
      }
      await new Promise(setImmediate);
    }
  });
  const closing = await cpu(async () => {
    await Promise.all(recordings.map((recording) => recording.stop(SECONDS * 1_000)));
  });
  const seconds = CALLS * SECONDS;
  line(`${CALLS} calls, all of it, per packet`, took / (seconds * 100), 'µs a packet');
  line(
    '… per frame',
    took / (seconds * 2),
    'µs a frame',
    `of this the time line’s 50 packets, sealing, SHA-256, write`,
  );
  line('… of one core', took / seconds / 10_000, '% a call');
  line('stop, with sync', closing / CALLS, 'µs CPU a call');
  if (failures.length > 0) console.log(`failed: ${failures.join(' ')}`);
}

async function reading(): Promise<void> {
  const recording = await openRecording({ file: join(folder, 'call-0'), id: 'rec_0', key: KEY });
  for (const encoding of ['mu-law', 'pcm'] as const) {
    const rounds = 50;
    const took = await cpu(async () => {
      for (let round = 0; round < rounds; round++) {
        for await (const chunk of wavStream(recording, undefined, encoding)) void chunk;
      }
    });
    line(`reading as WAV, ${encoding}`, took / (rounds * SECONDS), 'µs a second of speech');
  }
  await recording.close();
}

try {
  await timeLine();
  await sealing();
  await syncing();
  await calls();
  await reading();
} finally {
  rmSync(folder, { recursive: true });
}
