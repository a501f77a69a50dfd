/**
 * Everything as an outsider has it: a platform that is driven by HTTP alone, a phone network, and people with phones.
 * Whatever any of them gets is kept, and at the end it is searched for the real numbers that it must not hold.
 */
import { readFileSync } from 'node:fs';
import {
  createDevCarrier,
  createPhone,
  type DevCarrier,
  likeness,
  type Phone,
  type PhoneCall,
  type PhoneOptions,
} from '@samar/devcarrier';
import { type Doors, type Endpoint, nodeDoors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { expect } from 'vitest';
import type { Config } from '../../packages/server/src/config.ts';
import { type Canary, describeHits, findCanaries, findPlain } from './canaries.ts';
import {
  type ApiAnswer,
  type ApiCall,
  connectTrunk,
  type Platform,
  pause,
  settledCalls,
  startPlatform,
} from './platform.ts';
import { sweep } from './sound.ts';

export interface Scene {
  readonly platform: Platform;
  /** The API; its answers are kept for `leaks`. */
  readonly call: ApiCall;
  /** A phone whose number nobody else has. */
  phone(options?: Partial<PhoneOptions>): Promise<Phone>;
  /** Opens a session and tells who has which number; throws unless it is 201. */
  open(participants: readonly object[], more?: object): Promise<OpenSession>;
  /** Bytes that came from the platform by another way (webhooks). */
  keep(what: string, bytes: Buffer): void;
  /** Everything that is kept, searched; and, as a control, that the search finds what the phones sent themselves. */
  leaks(): Promise<{
    readonly hits: readonly string[];
    readonly planted: number;
    readonly searched: Readonly<Record<string, number>>;
  }>;
  stop(): Promise<void>;
}

export interface OpenSession {
  readonly id: string;
  readonly body: ApiAnswer['body'];
  /** By place in the session. */
  readonly dials: readonly string[];
  readonly ids: readonly string[];
}

/** Of the files in `prompts/`. */
export function prompt(name: string): Int16Array {
  return loadPrompt(readFileSync(new URL(`../../prompts/${name}.wav`, import.meta.url)));
}

/** What people say: no two of them sound alike. */
export const voices = {
  caller: sweep(400, 1_500, 800),
  callee: sweep(2_600, 1_200, 800),
} as const;

/** Samples that are looked at in one go. */
const piece = 4_000;

/**
 * How surely this is heard, from now until it is, or for so long: what a phone hears first is looked at once only.
 * `from`: samples that the phone had heard before.
 */
export async function hears(
  call: PhoneCall,
  said: Int16Array,
  milliseconds = 12_000,
  from = 0,
): Promise<number> {
  const until = performance.now() + milliseconds;
  const overlap = Math.min(4_000, said.length) - 1;
  let best = 0;
  for (let at = from; ; ) {
    const late = performance.now() > until;
    const heard = call.heard();
    // In pieces: the platform lives in this process, and refuses calls when it can't keep up.
    for (; at + overlap < heard.length; at += piece) {
      best = Math.max(best, likeness(heard.subarray(at, at + piece + overlap), said));
      if (best > 0.85) return best;
      await new Promise(setImmediate);
    }
    if (late) return best;
    at = Math.max(from, heard.length - overlap);
    await pause(150);
  }
}

/** Both say something, and both are understood: they are joined. */
export async function expectTalk(caller: PhoneCall, callee: PhoneCall): Promise<void> {
  expect(await caller.answered).toEqual({ ok: true });
  // Between the callee's answer and the bridge lies the gate: a question to the database.
  await pause(200);
  const from = [caller.heard().length, callee.heard().length] as const;
  await Promise.all([caller.say(voices.caller), callee.say(voices.callee)]);
  expect(await hears(callee, voices.caller, 1_500, Math.max(0, from[1] - 400))).toBeGreaterThan(0.85);
  expect(await hears(caller, voices.callee, 1_500, Math.max(0, from[0] - 400))).toBeGreaterThan(0.85);
}

/** Resolves with the milliseconds that it took; rejects when it takes longer. */
export async function within<T>(milliseconds: number, what: string, event: Promise<T>): Promise<number> {
  const began = performance.now();
  const late = pause(milliseconds).then(() => {
    throw new Error(`${what}: not within ${milliseconds} ms`);
  });
  await Promise.race([event, late]);
  return performance.now() - began;
}

export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  milliseconds = 5_000,
): Promise<void> {
  const until = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`${what}: not within ${milliseconds} ms`);
    await pause(50);
  }
}

/** The only call of a session, or its last, once it is over: its record and its explanation. */
export async function lastCall(
  scene: Scene,
  session: string,
): Promise<{ readonly record: ApiAnswer['body']; readonly why: ApiAnswer['body'] }> {
  const record = (await settledCalls(scene.call, session)).at(-1);
  const why = await scene.call('GET', `/v1/calls/${record.id}/explanation`);
  expect(why.status, why.text).toBe(200);
  return { record, why: why.body };
}

/** Kinds of a session's events, oldest first, without those that every talk has. */
export async function eventKinds(scene: Scene, session: string): Promise<readonly string[]> {
  return (await eventsOf(scene, session)).map(({ kind }) => kind).filter((kind) => !talks.has(kind));
}

/** What every talk has: left out where it's the session's life that is told. */
const talks: ReadonlySet<string> = new Set(['call.answered', 'call.ended']);

export async function eventsOf(
  scene: Scene,
  session: string,
): Promise<
  readonly { readonly kind: string; readonly subject?: string; readonly data: ApiAnswer['body'] }[]
> {
  const { status, text, body } = await scene.call('GET', `/v1/events?session=${session}&limit=200`);
  expect(status, text).toBe(200);
  return body.items.sort((a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1));
}

export async function startScene(settings: Partial<Config> = {}, numbers = 40): Promise<Scene> {
  const platform = await startPlatform({ rtpTimeout: 30, ...settings });
  const answers: string[] = [];
  const others: { readonly what: string; readonly bytes: Buffer }[] = [];
  const trunk = tapped();
  const network: DevCarrier = await createDevCarrier({
    doors: trunk.doors,
    address: '127.0.0.1',
    port: 0,
    trunk: { host: '127.0.0.1', port: platform.sipPort, transport: 'udp' },
  });
  let people = 0;
  const phones: { readonly phone: Phone; readonly tap: Tap }[] = [];
  const call: ApiCall = async (method, path, body, headers) => {
    const answer: ApiAnswer = await platform.call(method, path, body, headers);
    // Revealing is what this one is for.
    if (!path.includes('/reveal') && !path.includes('/recording')) {
      answers.push(`${method} ${path} ${JSON.stringify([...answer.headers])} ${answer.text}`);
    }
    return answer;
  };
  await connectTrunk(
    call,
    network.local.port,
    Array.from({ length: numbers }, (_, index) => `+62215001${String(index).padStart(4, '0')}`),
  );

  const scene: Scene = {
    platform,
    call,
    async phone(options = {}) {
      const tap = tapped();
      // Spread over all digits, so that no two share most of theirs.
      people += 1;
      const digits = String((people * 7_368_787 + 31_234_567) % 100_000_007).padStart(8, '0');
      const phone = await createPhone({
        doors: tap.doors,
        number: `+62812${digits}`,
        carrier: network.local,
        ringMilliseconds: 100,
        ...options,
      });
      phones.push({ phone, tap });
      return phone;
    },
    async open(participants, more = {}) {
      const { status, text, body } = await call('POST', '/v1/sessions', { participants, ...more });
      if (status !== 201) throw new Error(`session: ${text}`);
      return {
        id: body.id,
        body,
        dials: body.participants.map((one: { dial: string }) => one.dial),
        ids: body.participants.map((one: { id: string }) => one.id),
      };
    },
    keep: (what, bytes) => void others.push({ what, bytes }),
    async leaks() {
      await call('GET', '/metrics');
      for (const path of [
        '/v1/sessions?limit=200',
        '/v1/calls?limit=200',
        '/v1/events?limit=200',
        '/v1/numbers',
        '/v1/blocks',
      ]) {
        expect((await call('GET', path)).status).toBe(200);
      }
      const hits: string[] = [];
      const canaries = phones.map(
        ({ phone }, index): Canary => ({ where: `phone ${index}`, kind: 'number', value: phone.number }),
      );
      const search = (what: string, bytes: Buffer, among: readonly Canary[] = canaries) => {
        // Six bytes and more: shorter forms are found in any random text of this size.
        for (const hit of describeHits(findCanaries(bytes, among, 6))) hits.push(`${what}: ${hit}`);
      };
      search('log', Buffer.from(platform.log.join('\n')));
      search('API', Buffer.from(answers.join('\n')));
      for (const { what, bytes } of others) search(what, bytes);
      for (const [index, { tap, phone }] of phones.entries()) {
        const strangers = canaries.filter(({ value }) => value !== phone.number);
        search(`SIP at phone ${index}`, joined(tap.received.filter(isSip)), strangers);
        const media = findPlain(joined(tap.received.filter((one) => !isSip(one))), strangers);
        hits.push(...describeHits(media).map((hit) => `RTP at phone ${index}: ${hit}`));
      }
      // On the trunk, a leg's own number is its address; anybody else's is a leak.
      for (const message of trunk.received.filter((_, index) => trunk.ports[index] === platform.sipPort)) {
        const own = legOwner(message);
        search(
          'trunk',
          message,
          canaries.filter(({ value }) => !own.includes(value.slice(1))),
        );
      }
      const sent = joined(phones.flatMap(({ tap }) => tap.sent.filter(isSip)));
      return {
        hits,
        planted: new Set(findCanaries(sent, canaries, 6).map(({ canary }) => canary.value)).size,
        searched: {
          phones: phones.length,
          log: platform.log.length,
          answers: answers.length,
          others: others.length,
          trunk: trunk.received.length,
          datagrams: phones.reduce((sum, { tap }) => sum + tap.received.length, 0),
        },
      };
    },
    async stop() {
      for (const { phone } of phones) await phone.close();
      await network.close();
      await platform.stop();
    },
  };
  return scene;
}

interface Tap {
  readonly doors: Doors;
  readonly received: Buffer[];
  /** The sender's port of each. */
  readonly ports: number[];
  readonly sent: Buffer[];
}

/** Doors whose datagrams are kept. */
function tapped(): Tap {
  const doors = nodeDoors();
  const received: Buffer[] = [];
  const ports: number[] = [];
  const sent: Buffer[] = [];
  return {
    received,
    ports,
    sent,
    doors: {
      ...doors,
      network: {
        ...doors.network,
        async udp(options) {
          const socket = await doors.network.udp(options);
          return {
            get local(): Endpoint {
              return socket.local;
            },
            send(data, port, address) {
              if (isSip(data)) sent.push(Buffer.from(data));
              socket.send(data, port, address);
            },
            onDatagram(handler) {
              socket.onDatagram((data, address, port) => {
                received.push(Buffer.from(data));
                ports.push(port);
                handler(data, address, port);
              });
            },
            onError: (handler) => socket.onError(handler),
            close: () => socket.close(),
          };
        },
      },
    },
  };
}

/** RTP and RTCP begin with version 2 in the first two bits; SIP with a letter. */
function isSip(datagram: Uint8Array): boolean {
  return (datagram[0] ?? 0) < 0x80;
}

function joined(datagrams: readonly Buffer[]): Buffer {
  return Buffer.concat(datagrams.flatMap((one) => [one, Buffer.from('\r\n\0\r\n')]));
}

/** Whose leg a message of the platform belongs to: it asks `To`, and it answers `From`. */
function legOwner(message: Buffer): string {
  const text = message.toString('latin1');
  const field = text.startsWith('SIP/2.0') ? 'From' : 'To';
  return new RegExp(`^${field}:.*$`, 'im').exec(text)?.[0] ?? '';
}
