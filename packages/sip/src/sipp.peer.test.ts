/** Against SIPp, which nobody here wrote: as caller and as callee, over UDP and TCP. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { answering, countEvents, loopbackStack, offer, place, until } from './testing.ts';
import type { Dialog, DialogEnd } from './types.ts';

/** `vitest.config.ts` has looked; a missing peer is a failure in CI, not a skip. */
const installed = (process.env['SAMAR_PEERS'] ?? '').split(',').includes('sipp');

const folder = mkdtempSync(join(tmpdir(), 'sipp-test-'));
const running: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sipp(...args: string[]): Promise<number | null> {
  const child = spawn('sipp', [...args, '-nostdin', '-i', '127.0.0.1'], { cwd: folder, stdio: 'ignore' });
  running.push(child);
  return new Promise((resolve) => child.once('exit', resolve));
}

/** A port that was free a moment ago. */
async function freePort(transport: 'udp' | 'tcp'): Promise<number> {
  const { network } = nodeDoors();
  const at = { address: '127.0.0.1', port: 0 };
  const socket = transport === 'udp' ? await network.udp(at) : await network.listenTcp(at, () => {});
  await socket.close();
  return socket.local.port;
}

const calls = 40;

describe.skipIf(!installed).each([
  ['udp', 'u1'],
  ['tcp', 't1'],
] as const)('SIPp over %s', (transport, mode) => {
  it('calls us', async () => {
    const events = countEvents();
    const dialogs: Dialog[] = [];
    const ends: DialogEnd[] = [];
    const stack = await loopbackStack(
      { onInvite: answering(dialogs, ends), onEvent: events.onEvent },
      transport,
    );
    const port = String(await freePort(transport));
    const rate = ['-r', '100', '-m', String(calls), '-timeout', '15', '-t', mode, '-p', port];
    const code = await sipp('-sn', 'uac', `127.0.0.1:${stack.bound[0]?.port}`, ...rate);
    expect(code).toBe(0);
    await until(() => ends.length === calls, 'every end');
    expect(new Set(ends)).toEqual(new Set(['remote-bye']));
    expect([
      stack.counts.dialogs,
      events.counts.get('malformed'),
      events.counts.get('internal-error'),
    ]).toEqual([0, undefined, undefined]);
    await stack.close();
  }, 20_000);

  it('is called by us', async () => {
    const port = await freePort(transport);
    const ended = sipp('-sn', 'uas', '-p', String(port), '-m', String(calls), '-timeout', '15', '-t', mode);
    const stack = await loopbackStack({}, transport);
    const target = { host: '127.0.0.1', port, transport };
    const start = () =>
      place(
        stack,
        {
          target,
          uri: `sip:service@127.0.0.1:${port}`,
          from: { uri: 'sip:caller@example.invalid' },
          to: { uri: 'sip:service@example.invalid' },
          body: offer,
        },
        (dialog) => dialog.bye(),
      ).outcome;
    // SIPp takes a moment to listen; a refused connection is tried again.
    let first = start();
    await until(() => {
      if (first.failure) first = start();
      return first.end !== undefined;
    }, 'the first call');
    const outcomes = [first];
    while (outcomes.length < calls) outcomes.push(start());
    await until(() => outcomes.every(({ end }) => end !== undefined), 'every call');
    expect(new Set(outcomes.map(({ end }) => end))).toEqual(new Set(['local-bye']));
    expect(outcomes[0]?.progress).toContain(180);
    expect(await ended).toBe(0);
    await stack.close();
  }, 20_000);
});
