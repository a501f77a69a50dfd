import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { likeness } from '@samar/devcarrier';
import { loadPrompt } from '@samar/media';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Platform, pause, startPlatform } from './support/platform.ts';

/** The page at /try as a browser has it: two WebSockets, frames of sound, and real masked calls between them. */
let platform: Platform;
let origin: string;
const driverNumber = '+6281100000001';
const customerNumber = '+6281200000002';

beforeAll(async () => {
  platform = await startPlatform({ pretendNetwork: true });
  origin = `http://127.0.0.1:${platform.server.http.port}`;
});
afterAll(() => platform?.stop());

interface Browser {
  readonly messages: Record<string, unknown>[];
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number }>;
  send(message: object): void;
  /** The newest message of this kind, which may still have to come. */
  until(matches: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  say(pcm: Int16Array): Promise<void>;
  heard(): Int16Array;
  close(): Promise<void>;
}

async function open(phone: string, from: string | null = origin): Promise<Browser> {
  const headers = from === null ? {} : { origin: from };
  // Node's own takes headers, unlike a browser's.
  const Socket = WebSocket as unknown as new (url: string, options: object) => WebSocket;
  const socket = new Socket(`${origin.replace('http', 'ws')}/try/phones/${phone}`, { headers });
  socket.binaryType = 'arraybuffer';
  const messages: Record<string, unknown>[] = [];
  const frames: Int16Array[] = [];
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') messages.push(JSON.parse(data));
    else frames.push(new Int16Array(data));
  });
  const closed = new Promise<{ code: number }>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve({ code })),
  );
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error('refused')));
  });
  return {
    messages,
    socket,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    async until(matches) {
      await expect.poll(() => messages.some(matches), { timeout: 15_000 }).toBe(true);
      return messages.findLast(matches) ?? {};
    },
    async say(pcm) {
      const began = performance.now();
      for (let at = 0; at < pcm.length; at += 160) {
        const frame = new Int16Array(160);
        frame.set(pcm.subarray(at, at + 160));
        socket.send(frame);
        await pause(Math.max(0, began + (at / 160 + 1) * 20 - performance.now()));
      }
    },
    heard() {
      const all = new Int16Array(frames.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const frame of frames) {
        all.set(frame, at);
        at += frame.length;
      }
      return all;
    },
    async close() {
      socket.close();
      await closed;
    },
  };
}

const state = (name: string) => (message: Record<string, unknown>) =>
  message['type'] === 'state' && message['state'] === name;
const ended = (message: Record<string, unknown>) => message['type'] === 'ended';

async function wav(path: string): Promise<Int16Array> {
  return loadPrompt(await readFile(new URL(`../${path}.wav`, import.meta.url)));
}
const speech = (name: string) => wav(`packages/devcarrier/speech/${name}`);

async function newSession(from: string | null = origin) {
  return platform.call('POST', '/try/session', { language: 'en' }, from === null ? {} : { origin: from });
}

test('a masked call with oneself, from the session to the late call', async () => {
  const [driver, customer] = [await open('driver'), await open('customer')];
  const session = await newSession();
  expect(session.status).toBe(201);
  expect(session.text).not.toMatch(/62811|62812/);
  const [agent, other] = session.body.participants;
  expect([agent.phone, other.phone]).toEqual(['driver', 'customer']);
  expect(agent.transparency).toMatch(/^\/t\/[\w.-]{20,}$/);

  driver.send({ type: 'dial', number: agent.dial });
  await driver.until(state('dialling'));
  // What the customer sees is the number on which they reach the driver, and nothing of the driver's own.
  expect((await customer.until(state('ringing')))['number']).toBe(other.dial);
  customer.send({ type: 'answer' });
  await driver.until(state('talking'));
  const announcement = await wav('prompts/en/recording');
  await expect.poll(() => likeness(customer.heard(), announcement), { timeout: 15_000 }).toBeGreaterThan(0.8);
  await pause(1_000);

  const words = await speech('driver');
  await driver.say(words);
  await expect.poll(() => likeness(customer.heard(), words), { timeout: 5_000 }).toBeGreaterThan(0.8);
  customer.send({ type: 'say', sentence: 'customer' });
  await customer.until(({ type }) => type === 'said');
  const answer = await speech('customer');
  await expect.poll(() => likeness(driver.heard(), answer), { timeout: 5_000 }).toBeGreaterThan(0.8);
  expect(likeness(driver.heard(), words)).toBeLessThan(0.6);
  customer.send({ type: 'digit', digit: '5' });
  driver.send({ type: 'hangup' });
  expect((await customer.until(ended))['reason']).toBe('hung-up');
  await driver.until(ended);

  const closed = await platform.call('POST', '/try/session/close', {}, { origin });
  expect(closed.body).toEqual({ status: 'closed' });
  const rings = customer.messages.filter(state('ringing')).length;
  driver.messages.length = 0;
  driver.send({ type: 'dial', number: agent.dial });
  expect((await driver.until(ended))['reason']).toBe('ended');
  expect(likeness(driver.heard(), await wav('prompts/en/ended'))).toBeGreaterThan(0.8);
  expect(customer.messages.filter(state('ringing')).length).toBe(rings);

  for (const browser of [driver, customer]) {
    const said = JSON.stringify(browser.messages);
    expect(said).not.toContain(driverNumber.slice(1));
    expect(said).not.toContain(customerNumber.slice(1));
    await browser.close();
  }
});

test('ten sessions one after another find numbers, and only the last is open', async () => {
  for (let turn = 0; turn < 10; turn++) expect((await newSession()).status).toBe(201);
  const { body } = await platform.call('GET', '/v1/sessions?reference=try&status=open');
  expect(body.items).toHaveLength(1);
});

test('a second browser takes the phone over, the first is told', async () => {
  const first = await open('driver');
  const second = await open('driver');
  expect((await first.closed).code).toBe(1_000);
  expect(first.messages.at(-1)).toEqual({ type: 'taken-over' });
  await second.until(state('idle'));
  await second.close();
});

test('a browser that leaves hangs up', async () => {
  const [driver, customer] = [await open('driver'), await open('customer')];
  const { participants } = (await newSession()).body;
  driver.send({ type: 'dial', number: participants[0].dial });
  await customer.until(state('ringing'));
  await driver.close();
  await customer.until(ended);
  await customer.close();
});

describe('nobody else may', () => {
  test.each([
    ['another site', 'https://evil.example'],
    ['a name pointed at us', 'http://evil.example'],
    ['none', null],
  ])('origin: %s', async (_name, from) => {
    await expect(open('driver', from)).rejects.toThrow('refused');
    expect((await newSession(from)).status).toBe(403);
    const close = await platform.call(
      'POST',
      '/try/session/close',
      {},
      from === null ? {} : { origin: from },
    );
    expect(close.status).toBe(403);
  });

  test('a name of their own that leads here', async () => {
    const port = platform.server.http.port;
    const answer = await new Promise<number>((resolve, reject) => {
      const asked = request({
        ...{ port, host: '127.0.0.1', method: 'POST', path: '/try/session' },
        headers: { host: `evil.example:${port}`, origin: `http://evil.example:${port}` },
      });
      asked.on('response', (response) => resolve(response.resume().statusCode ?? 0)).on('error', reject);
      asked.end();
    });
    expect(answer).toBe(403);
  });
});

describe('a flood', () => {
  test('of sound and nonsense is thrown away, and its sender sent away', async () => {
    const driver = await open('driver');
    const before = process.memoryUsage().rss;
    for (let count = 0; count < 3_000; count++) driver.socket.send(new Int16Array(160));
    expect((await driver.closed).code).toBe(1_008);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  test('a message that is too large ends the connection', async () => {
    const driver = await open('driver');
    driver.socket.send(new Uint8Array(100_000));
    expect((await driver.closed).code).toBe(1_009);
  });

  test.each(['', 'x', 'null', '[]', '{"type":"no"}', '{"type":"dial","number":{"a":1}}', '{"type":"digit"}'])(
    'nonsense is answered or ignored: %s',
    async (text) => {
      const driver = await open('driver');
      driver.socket.send(text);
      driver.send({ type: 'dial', number: 'abc' });
      expect((await driver.until(({ type }) => type === 'refused'))['reason']).toMatch(/message|number/);
      expect(driver.socket.readyState).toBe(WebSocket.OPEN);
      await driver.close();
    },
  );
});

describe('the page', () => {
  test('is allowed its own scripts and sockets, nothing inline, nothing from elsewhere', async () => {
    const page = await platform.call('GET', '/try');
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self' ws: wss:");
    expect(page.text).not.toMatch(/<script(?![^>]*src=)|\son\w+=|style=/);
    for (const [, path = ''] of page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      expect((await platform.call('GET', path)).status).toBe(200);
    }
    for (const file of ['phone.js', 'sound.js', 'worklet.js', 'resample.js', 'words.js']) {
      const answer = await platform.call('GET', `/try/${file}`);
      expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    }
  });

  test('speaks Indonesian wherever it speaks English', async () => {
    const { text } = await platform.call('GET', '/try/words.js');
    const [english = '', indonesian = ''] = text.split('const id = ');
    const keys = (part: string) => [...part.matchAll(/^ {2,4}'?([\w-]+)'?:/gm)].map(([, key]) => key).sort();
    expect(keys(indonesian)).toEqual(keys(english));
    const page = await platform.call('GET', '/try');
    for (const [, key = ''] of page.text.matchAll(/data-word="(\w+)"/g)) expect(keys(english)).toContain(key);
  });
});

test('a client that offers another protocol is answered as any other', async () => {
  const answer = await platform.call('GET', '/healthz', undefined, {});
  expect(answer.status).toBe(200);
  const status = await new Promise<number>((resolve, reject) => {
    const asked = request(`${origin}/v1/sessions`, {
      method: 'POST',
      headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'content-type': 'application/json' },
    });
    asked.on('response', (response) => resolve(response.resume().statusCode ?? 0)).on('error', reject);
    asked.end('{}');
  });
  expect(status).toBe(401);
});
