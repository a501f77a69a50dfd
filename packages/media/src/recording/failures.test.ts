import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FRAME_SAMPLES, frameBytes, HEADER_BYTES } from './format.ts';
import { openRecording } from './reader.ts';
import { ID, KEY, SALT, scratch } from './scratch.ts';
import { createFile, FrameWriter, type RecordingFailure, type RecordingFile } from './writer.ts';

const FRAME = new Uint8Array(2 * FRAME_SAMPLES).fill(0x42);
const OPTIONS = { id: ID, key: KEY, salt: SALT, lead: FRAME_SAMPLES };

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A real file on a disk that has `capacity` bytes, and writes no more than `piece` at once. */
async function smallDisk(
  path: string,
  capacity: number,
  piece = Number.POSITIVE_INFINITY,
): Promise<RecordingFile> {
  const file = await createFile(path);
  return {
    ...file,
    write(bytes, offset, length, position) {
      const room = Math.min(length, capacity - position, piece);
      return room <= 0 ? Promise.reject(systemError('ENOSPC')) : file.write(bytes, offset, room, position);
    },
  };
}

async function started(file: RecordingFile) {
  const failures: RecordingFailure[] = [];
  const writer = await FrameWriter.start(() => Promise.resolve(file), {
    ...OPTIONS,
    onFailed: (failure) => failures.push(failure),
  });
  return { writer, failures };
}

async function framesIn(file: string): Promise<{ readonly frames: number; readonly complete: boolean }> {
  const recording = await openRecording({ file, id: ID, key: KEY });
  const speech = await recording.read({ from: 0, to: recording.samples });
  expect(speech.every((byte) => byte === 0x42)).toBe(true);
  await recording.close();
  return { frames: recording.samples / FRAME_SAMPLES, complete: recording.complete };
}

describe('a disk that is full', () => {
  it.each([
    ['within a frame', 3 * frameBytes(FRAME_SAMPLES) + 500, 3],
    ['between two frames', 2 * frameBytes(FRAME_SAMPLES), 2],
    ['after the header', 0, 0],
  ])('%s ends the recording once, and keeps whole frames', async (_, room, frames) => {
    using folder = scratch();
    const path = folder.file('a');
    const { writer, failures } = await started(await smallDisk(path, HEADER_BYTES + room, 1_000));
    for (let frame = 0; frame < 6; frame++) {
      writer.append(FRAME, false);
      await setImmediate();
    }
    writer.append(FRAME.subarray(0, 100), true);
    const result = await writer.end();
    expect(failures).toEqual(['disk-full']);
    const bytes = readFileSync(path);
    expect(result).toEqual({
      milliseconds: frames * 500,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      failure: 'disk-full',
    });
    expect(await framesIn(path)).toEqual({ frames, complete: false });
  });

  it('from the start refuses to begin, and leaves no file', async () => {
    using folder = scratch();
    const path = folder.file('a');
    const disk = await smallDisk(path, 10);
    await expect(started(disk)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(existsSync(path)).toBe(false);
  });

  it('by the system’s own word is known as such', async () => {
    using folder = scratch();
    // /dev/full answers ENOSPC to every write.
    const full = await open('/dev/full', 'w');
    const disk = await smallDisk(folder.file('a'), 1e9);
    const { writer, failures } = await started({
      ...disk,
      write: (bytes, offset, length, position) =>
        position === 0 ? disk.write(bytes, offset, length, position) : full.write(bytes, offset, length),
    });
    writer.append(FRAME, true);
    const result = await writer.end();
    await full.close();
    expect(result).toMatchObject({ milliseconds: 0, bytes: HEADER_BYTES, failure: 'disk-full' });
    expect(failures).toEqual(['disk-full']);
    expect(await framesIn(folder.file('a'))).toEqual({ frames: 0, complete: false });
  });

  it('at the last moment, when all is synced, is told too', async () => {
    using folder = scratch();
    const disk = await smallDisk(folder.file('a'), 1e9);
    const { writer, failures } = await started({
      ...disk,
      sync: () => Promise.reject(systemError('EIO')),
    });
    writer.append(FRAME, true);
    const result = await writer.end();
    expect(result.failure).toBe('write-failed');
    expect(failures).toEqual(['write-failed']);
  });
});

describe('a disk that stands still', () => {
  it('is waited for until the queue is full; then the recording ends, and what was queued is kept', async () => {
    using folder = scratch();
    const path = folder.file('a');
    const disk = await smallDisk(path, 1e9);
    const gate = Promise.withResolvers<void>();
    let standing = false;
    const { writer, failures } = await started({
      ...disk,
      async write(bytes, offset, length, position) {
        if (standing) await gate.promise;
        return disk.write(bytes, offset, length, position);
      },
    });
    standing = true;
    // One is being written, 32 wait, and the next is one too many.
    for (let frame = 0; frame < 33; frame++) writer.append(FRAME, false);
    await setImmediate();
    expect(failures).toEqual([]);
    for (let frame = 0; frame < 1_000; frame++) writer.append(FRAME, false);
    await setImmediate();
    expect(failures).toEqual(['queue-overflow']);
    gate.resolve();
    const result = await writer.end();
    expect(result).toMatchObject({ milliseconds: 33 * 500, failure: 'queue-overflow' });
    expect(await framesIn(path)).toEqual({ frames: 33, complete: false });
  });
});
