import { readdir, readFile, stat } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createDevCarrier, createPhone, type DevCarrier, likeness, type Phone } from '@samar/devcarrier';
import { nodeDoors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../packages/server/src/store/testing.ts';
import { type ChildPlatform, childPlatform } from './support/child-platform.ts';
import {
  type ApiCall,
  connectTrunk,
  openSession,
  type Platform,
  pause,
  settledCalls,
  startPlatform,
} from './support/platform.ts';

/** Calls outlive their database: what runs goes on, what is new waits for it a while, and no record is lost. */
const doors = nodeDoors();
const agent = '+6281139475502';
const customer = '+6281264819377';
const speech = async (name: string) =>
  loadPrompt(await readFile(new URL(`../packages/devcarrier/speech/${name}.wav`, import.meta.url)));

interface Desk {
  readonly network: DevCarrier;
  readonly near: Phone;
  readonly far: Phone;
  close(): Promise<void>;
}

async function desk(call: ApiCall, sipPort: number): Promise<Desk> {
  const network = await createDevCarrier({
    doors,
    address: '127.0.0.1',
    port: 0,
    trunk: { host: '127.0.0.1', port: sipPort, transport: 'udp' },
  });
  const phone = (number: string) =>
    createPhone({ doors, number, carrier: network.local, ringMilliseconds: 0 });
  const [near, far] = [await phone(agent), await phone(customer)];
  const numbers = Array.from({ length: 20 }, (_, index) => `+62215004${String(index).padStart(4, '0')}`);
  await connectTrunk(call, network.local.port, numbers);
  return {
    network,
    near,
    far,
    async close() {
      await near.close();
      await far.close();
      await network.close();
    },
  };
}

/** A running call of a session. */
async function talk({ near, far }: Desk, dial: string) {
  const incoming = far.nextCall();
  const call = near.dial(dial);
  expect(await call.answered).toEqual({ ok: true });
  return { call, other: await incoming };
}

async function expectHeard(
  { call, other }: Awaited<ReturnType<typeof talk>>,
  words: Int16Array,
): Promise<void> {
  const before = other.heard().length;
  await call.say(words);
  await pause(200);
  expect(likeness(other.heard().subarray(before), words)).toBeGreaterThan(0.9);
}

describe('a database that cannot be reached for a while', () => {
  let database: TestDatabase;
  let line: Line;
  let platform: Platform;
  let people: Desk;

  beforeAll(async () => {
    database = await testDatabase();
    line = await lineTo(database.url);
    platform = await startPlatform({ databaseUrl: line.url });
    people = await desk(platform.call, platform.sipPort);
  });
  afterAll(async () => {
    await people?.close();
    await platform?.stop();
    await line?.close();
    await database?.drop();
  });

  test('a running call goes on and its end is written later; new calls and the API say 503, and work again', async () => {
    const { id, dials } = await openSession(platform.call, [agent, customer]);
    const running = await talk(people, dials[0]);
    line.cut();
    await expectHeard(running, await speech('driver'));

    const began = performance.now();
    const [refused, created, closed, ready] = await Promise.all([
      people.near.dial(dials[0]).answered,
      platform.call('POST', '/v1/sessions', {
        participants: [
          { role: 'agent', phone: agent },
          { role: 'customer', phone: customer },
        ],
      }),
      platform.call('POST', `/v1/sessions/${id}/close`, { reason: 'resolved' }),
      platform.call('GET', '/readyz'),
    ]);
    expect(refused).toEqual({ ok: false, status: 503 });
    for (const { status, headers } of [created, closed]) {
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect(ready.status).toBe(503);
    expect((await platform.call('GET', '/healthz')).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(30_000);
    running.call.hangUp();
    await running.other.ended;

    line.restore();
    const calls = await settled(platform.call, id);
    // The refused call was never decided: there is nobody to record it for.
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ outcome: 'connected', hangupBy: 'caller', hangupCause: 'bye' });
    expect(calls[0].legs).toHaveLength(2);
    const again = await talk(people, dials[0]);
    again.call.hangUp();
    await again.other.ended;
    expect((await platform.call('GET', '/readyz')).status).toBe(200);
    // What was not acknowledged did not happen.
    expect((await platform.call('GET', `/v1/sessions/${id}`)).body.status).toBe('open');
  });

  test('gone while it rings: nobody is joined, both are told, the record comes later', async () => {
    const { id, dials } = await openSession(platform.call, [agent, customer]);
    people.far.setOnRing('ignore');
    const unanswered = people.near.dial(dials[0]);
    while (!unanswered.ringing) await pause(20);
    line.cut();
    unanswered.hangUp();
    expect((await unanswered.answered).ok).toBe(false);
    line.restore();
    await settled(platform.call, id);

    people.far.setOnRing('answer');
    const slow = await createPhone({
      doors,
      number: '+6281255500011',
      carrier: people.network.local,
      ringMilliseconds: 700,
    });
    const other = await openSession(platform.call, [agent, '+6281255500011']);
    const incoming = slow.nextCall();
    const call = people.near.dial(other.dials[0]);
    while (!call.ringing) await pause(20);
    line.cut();
    const answered = await incoming;
    expect(await call.answered).toEqual({ ok: false, status: 503 });
    await answered.ended;
    line.restore();
    expect(await settled(platform.call, id)).toMatchObject([{ outcome: 'cancelled', hangupBy: 'caller' }]);
    expect(await settled(platform.call, other.id)).toMatchObject([
      { outcome: 'failed', hangupBy: 'platform', hangupCause: 'decision-failed' },
    ]);
    await slow.close();
  });

  test('gone when a recorded call ends: the recording is complete, and can be played', async () => {
    const { id, dials } = await openSession(platform.call, [agent, customer], { recording: 'announce' });
    const running = await talk(people, dials[0]);
    const announcement = loadPrompt(await readFile(new URL('../prompts/en/recording.wav', import.meta.url)));
    await pause(announcement.length / 8 + 800);
    line.cut();
    const words = await speech('driver');
    await expectHeard(running, words);
    running.call.hangUp();
    await running.other.ended;
    // Longer than a statement waits for a connection.
    await pause(6_000);
    line.restore();
    const [record] = await settled(platform.call, id);
    expect(record).toMatchObject({ outcome: 'connected', recording: { status: 'complete' } });
    const wav = await platform.call('GET', `/v1/calls/${record.id}/recording`, undefined, {
      'x-access-reason': 'the end of it',
    });
    expect(wav.status).toBe(200);
    expect(record.recording.milliseconds).toBeGreaterThan(words.length / 8);
  });
});

describe('PostgreSQL killed with -9 beside the platform', () => {
  let platform: ChildPlatform;
  let people: Desk;
  beforeAll(async () => {
    platform = await childPlatform();
    await platform.start();
    people = await desk(platform.call, platform.sipPort);
  });
  afterAll(async () => {
    await people?.close();
    await platform?.remove();
  });

  test('is started again by itself: the call never noticed, nothing that was acknowledged is lost', async () => {
    const { id, dials } = await openSession(platform.call, [agent, customer]);
    const running = await talk(people, dials[0]);
    const words = await speech('customer');
    for (let kill = 0; kill < 2; kill++) {
      platform.killDatabase();
      // A session opened meanwhile is refused, or kept: never anything else.
      const opening = openSession(platform.call, [agent, `+628125550002${kill}`]).catch(() => undefined);
      await expectHeard(running, words);
      const opened = await opening;
      if (opened) expect((await platform.call('GET', `/v1/sessions/${opened.id}`)).status).toBe(200);
    }
    const second = people.far.dial(dials[1]);
    expect(await second.answered).toEqual({ ok: true });
    second.hangUp();
    running.call.hangUp();
    await running.other.ended;
    expect(await settled(platform.call, id)).toMatchObject([
      { outcome: 'connected', hangupBy: 'caller' },
      { outcome: 'connected', hangupBy: 'caller' },
    ]);
    expect(platform.log.filter((line) => line.includes('"event":"died"'))).toHaveLength(2);
  });
});

describe('a recording that the disk has no room for', () => {
  let database: TestDatabase;
  let platform: ChildPlatform;
  let people: Desk;
  beforeAll(async () => {
    database = await testDatabase();
    // Three seconds of a call.
    platform = await childPlatform({ DATABASE_URL: database.url }, { fileKibibytes: 48 });
    await platform.start();
    people = await desk(platform.call, platform.sipPort);
  });
  afterAll(async () => {
    await people?.close();
    await platform?.remove();
    await database?.drop();
  });

  test('fails, is counted, and never harms the call', async () => {
    const { id, dials } = await openSession(platform.call, [agent, customer], { recording: 'announce' });
    const running = await talk(people, dials[0]);
    await pause(10_000);
    await expectHeard(running, await speech('driver'));
    running.call.hangUp();
    await running.other.ended;
    const [record] = await settled(platform.call, id);
    expect(record).toMatchObject({
      outcome: 'connected',
      hangupBy: 'caller',
      recording: { status: 'failed' },
    });
    const metrics = (await platform.call('GET', '/metrics')).text;
    expect(metrics).toMatch(/^samar_switch_events_total\{event="recording-failed"\} 1$/m);
    const directory = join(platform.dataDir, 'recordings');
    const [file = ''] = await readdir(directory);
    expect((await stat(join(directory, file))).size).toBeLessThanOrEqual(48 * 1_024);
    // What there was room for can still be listened to.
    const wav = await platform.call('GET', `/v1/calls/${record.id}/recording`, undefined, {
      'x-access-reason': 'what there is',
    });
    expect(wav.status).toBe(200);
    expect(wav.bytes.length).toBeGreaterThan(16_000);
  });
});

/** Records are written again and again while the database is away, with pauses: patience beyond `settledCalls`. */
async function settled(call: ApiCall, session: string) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await settledCalls(call, session);
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

interface Line {
  readonly url: string;
  /** Every connection breaks, new ones are refused. */
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

/** A wire of our own to a database, which can be cut. */
async function lineTo(databaseUrl: string): Promise<Line> {
  const { pathname, hostname, port, searchParams, username, password } = new URL(databaseUrl);
  const socketDirectory = searchParams.get('host');
  const open = () =>
    socketDirectory === null
      ? connect({ host: hostname, port: Number(port || 5432) })
      : connect(join(socketDirectory, `.s.PGSQL.${searchParams.get('port') ?? '5432'}`));
  let whole = true;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = open();
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const own = typeof address === 'object' && address ? address.port : 0;
  const who = password === '' ? username : `${username}:${password}`;
  return {
    url: `postgresql://${who}@127.0.0.1:${own}${pathname}`,
    cut() {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    restore() {
      whole = true;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
