import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openRecording } from './reader.ts';
import { ID, KEY, scratch } from './scratch.ts';

describe('kill -9 of a recording process', () => {
  it('loses less than the last second', async () => {
    using folder = scratch();
    const file = folder.file('a');
    const child = spawn(process.execPath, [fileURLToPath(new URL('./victim.ts', import.meta.url)), file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let told = 0;
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      told = Number(lines.at(-1) ?? told);
      if (told >= 2_300) child.kill('SIGKILL');
    });
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect(told).toBeGreaterThanOrEqual(2_300);
    const recording = await openRecording({ file, id: ID, key: KEY });
    expect(recording.complete).toBe(false);
    expect(told - recording.milliseconds).toBeLessThan(1_000);
    const speech = await recording.read({ from: 0, to: recording.samples });
    const heard = speech.filter((byte, i) => i % 2 === 0 && byte === 0x42).length;
    expect(heard).toBeGreaterThan(0.95 * recording.samples);
    await recording.close();
  });
});
