import { readFile } from 'node:fs/promises';
import { createDevCarrier, createPhone, type DevCarrier, likeness, type Phone } from '@samar/devcarrier';
import { nodeDoors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connectTrunk,
  openSession,
  type Platform,
  pause,
  settledCalls,
  startPlatform,
} from './support/platform.ts';

/** The switch's every way for a call, with real SIP and real voices. */
const doors = nodeDoors();
const driverNumber = '+6281139475502';
const customerNumber = '+6281264819377';

let platform: Platform;
let network: DevCarrier;
let driver: Phone;
let customer: Phone;

const speech = async (name: string) =>
  loadPrompt(await readFile(new URL(`../packages/devcarrier/speech/${name}.wav`, import.meta.url)));
const prompt = async (name: string) =>
  loadPrompt(await readFile(new URL(`../prompts/${name}.wav`, import.meta.url)));

beforeAll(async () => {
  platform = await startPlatform({ rtpTimeout: 5 });
  network = await createDevCarrier({
    doors,
    address: '127.0.0.1',
    port: 0,
    trunk: { host: '127.0.0.1', port: platform.sipPort, transport: 'udp' },
  });
  driver = await createPhone({ doors, number: driverNumber, carrier: network.local, ringMilliseconds: 100 });
  customer = await createPhone({
    doors,
    number: customerNumber,
    carrier: network.local,
    ringMilliseconds: 100,
  });
  const numbers = Array.from({ length: 60 }, (_, index) => `+62215001${String(index).padStart(4, '0')}`);
  await connectTrunk(platform.call, network.local.port, numbers);
});

afterAll(async () => {
  await driver?.close();
  await customer?.close();
  await network?.close();
  await platform?.stop();
});

async function session(more: Readonly<Record<string, unknown>> = {}) {
  return openSession(platform.call, [driverNumber, customerNumber], more);
}

describe('a call within a session', () => {
  test('connects both ways, shows virtual numbers only, and frees every port', async () => {
    const { id, dials } = await session();
    for (const [caller, callee, dial, shown] of [
      [driver, customer, dials[0], dials[1]],
      [customer, driver, dials[1], dials[0]],
    ] as const) {
      const incoming = callee.nextCall();
      const call = caller.dial(dial);
      expect(await call.answered).toEqual({ ok: true });
      const other = await incoming;
      expect(callee.displayed.at(-1)).toBe(shown);
      const [there, back] = [await speech('driver'), await speech('customer')];
      await Promise.all([call.say(there), other.say(back)]);
      await pause(200);
      expect(likeness(other.heard(), there)).toBeGreaterThan(0.9);
      expect(likeness(call.heard(), back)).toBeGreaterThan(0.9);
      call.hangUp();
      await other.ended;
    }
    const calls = await settledCalls(platform.call, id);
    expect(calls.map((call) => [call.outcome, call.hangupBy, call.hangupCause])).toEqual([
      ['connected', 'caller', 'bye'],
      ['connected', 'caller', 'bye'],
    ]);
    for (const call of calls) {
      expect(call.legs).toHaveLength(2);
      expect(call.legs[0].quality.packetsReceived).toBeGreaterThan(100);
      expect(call.legs[1].quality.packetsLost).toBe(0);
    }
  });

  test('each leg has its own codec, and both are understood', async () => {
    const alaw = await createPhone({
      doors,
      number: '+6281399110022',
      carrier: network.local,
      codecs: ['PCMA'],
    });
    const { dials } = await openSession(platform.call, [alaw.number, customerNumber]);
    const incoming = customer.nextCall();
    const call = alaw.dial(dials[0]);
    expect(await call.answered).toEqual({ ok: true });
    const other = await incoming;
    const [there, back] = [await speech('driver'), await speech('customer')];
    await Promise.all([call.say(there), other.say(back)]);
    await pause(200);
    expect(likeness(other.heard(), there)).toBeGreaterThan(0.9);
    expect(likeness(call.heard(), back)).toBeGreaterThan(0.9);
    call.hangUp();
    await other.ended;
    await alaw.close();
  });

  test('the callee hangs up', async () => {
    const { id, dials } = await session();
    const incoming = customer.nextCall();
    const call = driver.dial(dials[0]);
    await call.answered;
    (await incoming).hangUp();
    await call.ended;
    expect((await settledCalls(platform.call, id))[0]).toMatchObject({
      outcome: 'connected',
      hangupBy: 'callee',
    });
  });

  test('busy: the caller gets a busy tone', async () => {
    const { id, dials } = await session();
    customer.setOnRing('busy');
    expect(await driver.dial(dials[0]).answered).toEqual({ ok: false, status: 486 });
    customer.setOnRing('answer');
    expect((await settledCalls(platform.call, id))[0]).toMatchObject({ outcome: 'busy' });
  });

  test('unreachable: the caller hears that the other side is not available', async () => {
    const { id, dials } = await session();
    customer.setOnRing('unavailable');
    const call = driver.dial(dials[0]);
    expect(await call.answered).toEqual({ ok: false, status: 480 });
    expect(likeness(call.heard(), await prompt('en/unavailable'))).toBeGreaterThan(0.8);
    customer.setOnRing('answer');
    expect((await settledCalls(platform.call, id))[0]).toMatchObject({ outcome: 'unavailable' });
  });

  test('the caller gives up while it rings', async () => {
    const { id, dials } = await session();
    customer.setOnRing('ignore');
    const call = driver.dial(dials[0]);
    await pause(500);
    expect(call.ringing).toBe(true);
    call.hangUp();
    expect((await call.answered).ok).toBe(false);
    customer.setOnRing('answer');
    expect((await settledCalls(platform.call, id))[0]).toMatchObject({
      outcome: 'cancelled',
      hangupBy: 'caller',
    });
  });

  test('hold and back again by re-INVITE', async () => {
    const { dials } = await session();
    const incoming = customer.nextCall();
    const call = driver.dial(dials[0]);
    await call.answered;
    const other = await incoming;
    expect(await call.hold(true)).toBe(true);
    expect(await call.hold(false)).toBe(true);
    const words = await speech('customer');
    await other.say(words);
    await pause(200);
    expect(likeness(call.heard(), words)).toBeGreaterThan(0.9);
    call.hangUp();
    await other.ended;
  });

  test('a peer that vanishes is noticed by its silence', async () => {
    const { id, dials } = await session();
    const incoming = customer.nextCall();
    const lost = await createPhone({ doors, number: '+6281100000009', carrier: network.local });
    await lost.close();
    const call = driver.dial(dials[0]);
    await call.answered;
    const other = await incoming;
    other.vanish();
    await call.ended;
    expect((await settledCalls(platform.call, id))[0]).toMatchObject({
      hangupBy: 'platform',
      hangupCause: 'media-silence',
    });
  }, 30_000);
});

describe('the end of a session', () => {
  test('both are refused with the words that it has ended', async () => {
    const { id, dials } = await session();
    expect((await platform.call('POST', `/v1/sessions/${id}/close`, { reason: 'resolved' })).status).toBe(
      200,
    );
    for (const [caller, dial] of [
      [driver, dials[0]],
      [customer, dials[1]],
    ] as const) {
      const call = caller.dial(dial);
      expect(await call.answered).toEqual({ ok: false, status: 410 });
      expect(likeness(call.heard(), await prompt('en/ended'))).toBeGreaterThan(0.8);
    }
  });

  test.each([
    ['hangup', true],
    ['finish', false],
  ] as const)('a running call with the policy %s', async (ongoingCalls, cut) => {
    const { id, dials } = await session();
    const incoming = customer.nextCall();
    const call = driver.dial(dials[0]);
    await call.answered;
    const other = await incoming;
    await platform.call('POST', `/v1/sessions/${id}/close`, { reason: 'resolved', ongoingCalls });
    const ended = await Promise.race([call.ended.then(() => true), pause(1_500).then(() => false)]);
    expect(ended).toBe(cut);
    call.hangUp();
    await other.ended;
  });

  test('a call that still rings is not connected any more, whatever the policy', async () => {
    const { id, dials } = await session();
    customer.setOnRing('ignore');
    const call = driver.dial(dials[0]);
    await pause(500);
    await platform.call('POST', `/v1/sessions/${id}/close`, { reason: 'cancelled', ongoingCalls: 'finish' });
    expect(await call.answered).toEqual({ ok: false, status: 410 });
    customer.setOnRing('answer');
  });

  test('expiry ends it like a close', async () => {
    const { dials } = await session({ ttlSeconds: 2 });
    await pause(2_100);
    expect(await driver.dial(dials[0]).answered).toEqual({ ok: false, status: 410 });
  });
});

test('a stranger hears that nobody is connected to the number', async () => {
  const { dials } = await session();
  const stranger = await createPhone({ doors, number: '+6281300000003', carrier: network.local });
  const call = stranger.dial(dials[0]);
  expect(await call.answered).toEqual({ ok: false, status: 404 });
  expect(likeness(call.heard(), await prompt('en/not-connected'))).toBeGreaterThan(0.8);
  await stranger.close();
});

test("refusals are spoken in the caller's language", async () => {
  for (const locale of ['id', 'hi-IN']) {
    const opened = await platform.call('POST', '/v1/sessions', {
      participants: [
        { role: 'agent', phone: driverNumber, locale },
        { role: 'customer', phone: customerNumber },
      ],
    });
    await platform.call('POST', `/v1/sessions/${opened.body.id}/close`, { reason: 'resolved' });
    const call = driver.dial(opened.body.participants[0].dial);
    expect((await call.answered).ok).toBe(false);
    expect(likeness(call.heard(), await prompt(`${locale.slice(0, 2)}/ended`))).toBeGreaterThan(0.8);
  }
});

test('a recorded call: both hear it first, digits are silence, the WAV has the caller left and the callee right', async () => {
  const { id, dials } = await session({ recording: 'announce' });
  const incoming = customer.nextCall();
  const call = driver.dial(dials[0]);
  await call.answered;
  const other = await incoming;
  const announcement = await prompt('en/recording');
  await pause(announcement.length / 8 + 800);
  expect(likeness(call.heard(), announcement)).toBeGreaterThan(0.8);
  expect(likeness(other.heard(), announcement)).toBeGreaterThan(0.8);
  const [there, back] = [await speech('driver'), await speech('customer')];
  await call.say(there);
  await call.press('7');
  await other.say(back);
  await pause(300);
  call.hangUp();
  await other.ended;
  const [record] = await settledCalls(platform.call, id);
  expect(record.recording).toMatchObject({ status: 'complete' });
  const path = `/v1/calls/${record.id}/recording`;
  expect((await platform.call('GET', path)).status).toBe(422);
  const wav = await platform.call('GET', `${path}?format=pcm`, undefined, {
    'x-access-reason': 'dispute 4711',
  });
  expect(wav.status).toBe(200);
  const data = wav.bytes.subarray(wav.bytes.indexOf('data', 12, 'latin1') + 8);
  const channel = (offset: number) =>
    Int16Array.from({ length: Math.floor(data.length / 4) }, (_, index) =>
      data.readInt16LE(index * 4 + offset),
    );
  expect(likeness(channel(0), there)).toBeGreaterThan(0.9);
  expect(likeness(channel(2), back)).toBeGreaterThan(0.9);
  expect(likeness(channel(0), announcement)).toBeLessThan(0.7);
});

test.each([
  ['both press 1', ['1', '1'], true],
  ['one presses 2', ['1', '2'], false],
] as const)('consent to a recording: %s', async (_, keys, recorded) => {
  const { id, dials } = await session({ recording: 'consent' });
  const incoming = customer.nextCall();
  const call = driver.dial(dials[0]);
  await call.answered;
  const other = await incoming;
  await pause(1_000);
  await Promise.all([call.press(keys[0]), other.press(keys[1])]);
  await pause(300);
  const words = await speech('driver');
  await call.say(words);
  await pause(200);
  expect(likeness(other.heard(), words)).toBeGreaterThan(0.9);
  call.hangUp();
  await other.ended;
  const [record] = await settledCalls(platform.call, id);
  expect(record.outcome).toBe('connected');
  expect(record.recording?.status).toBe(recorded ? 'complete' : undefined);
});

test('no call leaves a port, a call or a number in a log line behind', async () => {
  await pause(500);
  const metrics = (await platform.call('GET', '/metrics')).text;
  expect(metrics).toMatch(/^samar_calls 0$/m);
  expect(metrics).toMatch(/^samar_media_legs 0$/m);
  const lines = platform.log.join('\n') + metrics;
  for (const number of [driverNumber, customerNumber]) {
    expect(lines).not.toContain(number.slice(1));
    expect(lines).not.toContain(number.slice(-8));
  }
  expect(lines).not.toContain('Canary');
});
