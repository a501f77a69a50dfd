import { readFile } from 'node:fs/promises';
import { createDevCarrier, createPhone, likeness, type Phone } from '@samar/devcarrier';
import { nodeDoors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { expect, test } from 'vitest';
import { type ChildPlatform, childPlatform } from './support/child-platform.ts';
import { connectTrunk, openSession, pause } from './support/platform.ts';
import { freePort } from './support/sipp.ts';

/** How a platform ends when it is asked to, and how it refuses to start. */
const doors = nodeDoors();
const agent = '+6281139475502';
const customer = '+6281264819377';

/** A platform with two phones, and a call between them that runs. */
async function withCall(
  environment: Readonly<Record<string, string>>,
  work: (parts: {
    readonly platform: ChildPlatform;
    readonly near: Phone;
    readonly session: string;
    readonly dial: string;
    readonly call: ReturnType<Phone['dial']>;
    readonly other: Awaited<ReturnType<Phone['nextCall']>>;
  }) => Promise<void>,
): Promise<void> {
  const platform = await childPlatform(environment);
  const closing: { close(): Promise<void> }[] = [];
  try {
    await platform.start();
    const network = await createDevCarrier({
      doors,
      address: '127.0.0.1',
      port: 0,
      trunk: { host: '127.0.0.1', port: platform.sipPort, transport: 'udp' },
    });
    closing.push(network);
    const phone = async (number: string) => {
      const made = await createPhone({ doors, number, carrier: network.local, ringMilliseconds: 0 });
      closing.unshift(made);
      return made;
    };
    const [near, far] = [await phone(agent), await phone(customer)];
    await connectTrunk(platform.call, network.local.port, ['+622150070001', '+622150070002']);
    const { id, dials } = await openSession(platform.call, [agent, customer]);
    const incoming = far.nextCall();
    const call = near.dial(dials[0]);
    expect(await call.answered).toEqual({ ok: true });
    await work({ platform, near, session: id, dial: dials[0], call, other: await incoming });
  } finally {
    for (const one of closing) await one.close();
    await platform.remove();
  }
}

async function until(platform: ChildPlatform, words: string): Promise<void> {
  for (let attempt = 0; !platform.log.some((line) => line.includes(words)); attempt++) {
    if (attempt > 500) throw new Error(`the platform never said ${words}`);
    await pause(20);
  }
}

const records = async (platform: ChildPlatform, session: string) =>
  (await platform.call('GET', `/v1/calls?session=${session}`)).body.items;

test('SIGTERM: no new calls, the running one is finished, exit code 0, nothing is left to repair', async () => {
  await withCall({}, async ({ platform, near, session, dial, call, other }) => {
    platform.signal('SIGTERM');
    await until(platform, '"msg":"stopping"');
    expect(await near.dial(dial).answered).toEqual({ ok: false, status: 503 });
    const words = loadPrompt(
      await readFile(new URL('../packages/devcarrier/speech/driver.wav', import.meta.url)),
    );
    await call.say(words);
    await pause(200);
    expect(likeness(other.heard(), words)).toBeGreaterThan(0.9);
    call.hangUp();
    await other.ended;
    expect(await platform.exited).toMatchObject({ code: 0, said: '' });
    expect(platform.log.some((line) => line.includes('did not stop cleanly'))).toBe(false);
    await platform.start();
    expect(platform.log.some((line) => line.includes('interrupted by the last stop'))).toBe(false);
    expect(await records(platform, session)).toMatchObject([{ outcome: 'connected', hangupBy: 'caller' }]);
  });
});

test('SIGTERM: a call that goes on longer than it may is hung up, and its record says so', async () => {
  await withCall({ SAMAR_DRAIN_SECONDS: '1' }, async ({ platform, session, call, other }) => {
    platform.signal('SIGTERM');
    await Promise.all([call.ended, other.ended]);
    expect(await platform.exited).toMatchObject({ code: 0 });
    await platform.start();
    expect(await records(platform, session)).toMatchObject([
      { outcome: 'connected', hangupBy: 'platform', hangupCause: 'shutdown' },
    ]);
  });
});

test('a second SIGTERM ends it at once; the next start repairs what was left', async () => {
  await withCall({}, async ({ platform, near, session, dial }) => {
    platform.signal('SIGTERM');
    await until(platform, '"msg":"stopping"');
    const began = performance.now();
    platform.signal('SIGTERM');
    expect((await platform.exited).code).toBe(1);
    // The call would have had five minutes.
    expect(performance.now() - began).toBeLessThan(30_000);
    await platform.start();
    expect(await records(platform, session)).toMatchObject([{ status: 'ended', outcome: 'interrupted' }]);
    const again = near.dial(dial);
    expect(await again.answered).toEqual({ ok: true });
    again.hangUp();
  });
});

/** What it says before it gives up. */
async function refusal(platform: ChildPlatform) {
  await expect(platform.start()).rejects.toThrow('the platform ended with');
  return platform.exited;
}

test('a database that is not there: it says so, and ends', async () => {
  const port = await freePort('127.0.0.1');
  const platform = await childPlatform({
    DATABASE_URL: `postgresql://samar:fragile-word@127.0.0.1:${port}/samar`,
  });
  try {
    const { code, said } = await refusal(platform);
    expect(code).toBe(1);
    expect(said).toBe('samar: no connection to the database in time (ECONNREFUSED)\n');
  } finally {
    await platform.remove();
  }
});

test('a data directory that another platform uses: it says so, and ends; the other goes on', async () => {
  const platform = await childPlatform();
  const second = await childPlatform({ SAMAR_DATA_DIR: platform.dataDir });
  try {
    await platform.start();
    const { code, said } = await refusal(second);
    expect(code).toBe(1);
    expect(said).toMatch(/^samar: the data directory .* is in use by another samar process/);
    expect((await platform.call('GET', '/readyz')).status).toBe(200);
  } finally {
    await second.remove();
    await platform.remove();
  }
});

test('a SIP port that is taken: it says so, ends, and leaves nothing running', async () => {
  const platform = await childPlatform();
  const second = await childPlatform({ SAMAR_SIP_PORT: String(platform.sipPort) });
  try {
    await platform.start();
    const { code, said } = await refusal(second);
    expect(code).toBe(1);
    expect(said).toMatch(
      new RegExp(`^samar: port ${platform.sipPort} is in use by another program; .*SAMAR_SIP_PORT`),
    );
    expect(() => second.databaseUrl()).toThrow('no database runs');
  } finally {
    await second.remove();
    await platform.remove();
  }
});
