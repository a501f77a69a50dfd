import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import type { Answer } from './ask.ts';
import {
  asker,
  failed,
  httpServer,
  keepIn,
  namesOf,
  question,
  secret,
  type TestHandler,
  type TestServer,
  tcpServer,
} from './testing.ts';
import type { AskRequest } from './transport.ts';

const servers: TestServer[] = [];
const running = keepIn(servers);
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
async function serve(handler: TestHandler) {
  return running(await httpServer(handler));
}

describe('a question to the tenant', () => {
  it('is a signed POST that the official library verifies, and comes back with the answer', async () => {
    const answer = '{"then":{"connect":"agent"}}';
    const seen: { readonly headers: Record<string, string>; readonly body: string; readonly line: string }[] =
      [];
    const server = await serve((request, response, body) => {
      seen.push({
        headers: request.headers as Record<string, string>,
        body,
        line: `${request.method} ${request.url}`,
      });
      response.setHeader('content-type', 'application/json');
      response.end(answer);
    });
    const ask = asker();
    const body = { call: 'call_1', keys: '1', reference: 'Pesanan № 7 — тест' };
    const answers = [
      await ask({ ...question, url: `${server.url}?a=b`, body }),
      await ask({ ...question, url: server.url, body }),
    ];
    expect(answers).toEqual(answers.map(() => ({ ok: true, answer: JSON.parse(answer) })));
    expect(seen.map((one) => one.line)).toEqual(['POST /decide?a=b', 'POST /decide']);
    const official = new Webhook(secret);
    for (const { headers, body: sent } of seen) {
      expect(official.verify(sent, headers)).toEqual(body);
      expect(headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Samar' });
      expect(headers['webhook-id']).toMatch(/^ask_[0-9a-f]{32}$/);
      expect(() => official.verify(`${sent} `, headers)).toThrow();
      expect(() => new Webhook(secret.replace('Bw', 'Bx')).verify(sent, headers)).toThrow();
    }
    expect(new Set(seen.map((one) => one.headers['webhook-id'])).size).toBe(2);
  });

  it('takes any 2xx and any JSON as an answer', async () => {
    let status = 200;
    let text = '';
    const server = await serve((_request, response) => response.writeHead(status).end(text));
    const ask = asker();
    for (const [code, answer] of [
      [200, '{}'],
      [201, '[]'],
      [299, '"x"'],
      [200, 'null'],
      [200, ' 1 '],
      [200, `"${'x'.repeat(65_534)}"`],
      [200, '['.repeat(32) + ']'.repeat(32)],
    ] as const) {
      status = code;
      text = answer;
      expect(await ask({ ...question, url: server.url })).toEqual({ ok: true, answer: JSON.parse(answer) });
    }
  });

  const bad: Readonly<
    Record<string, readonly [reason: Extract<Answer, { ok: false }>['reason'], TestHandler]>
  > = {
    'a redirect': [
      'status',
      (_request, response) => response.writeHead(307, { location: '/elsewhere' }).end(),
    ],
    'an error': [
      'status',
      (_request, response) => response.writeHead(500).end('{"then":{"connect":"agent"}}'),
    ],
    'not found': ['status', (_request, response) => response.writeHead(404).end('{}')],
    'an endless error': ['status', (_request, response) => void endless(response.writeHead(500))],
    nothing: ['not-json', (_request, response) => response.writeHead(204).end()],
    'an empty body': ['not-json', (_request, response) => response.end()],
    'a page': ['not-json', (_request, response) => response.end('<html></html>')],
    'half of JSON': ['not-json', (_request, response) => response.end('{"then":')],
    'JSON twice': ['not-json', (_request, response) => response.end('{}{}')],
    'broken UTF-8': ['not-json', (_request, response) => response.end(Buffer.from([0x22, 0xff, 0x22]))],
    'JSON without end': [
      'not-json',
      (_request, response) => response.end(`${'['.repeat(33)}${']'.repeat(33)}`),
    ],
    'a deep pit': ['not-json', (_request, response) => response.end('['.repeat(60_000) + ']'.repeat(4_000))],
    'an unclosed string': ['not-json', (_request, response) => response.end('"\\'.repeat(30_000))],
    'compressed JSON': [
      'not-json',
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.from([0x1f, 0x8b, 8])),
    ],
    'too much, announced': ['too-large', (_request, response) => response.end(`"${'x'.repeat(65_535)}"`)],
    'too much, without end': ['too-large', (_request, response) => void endless(response)],
    'no answer': ['unreachable', (request) => request.socket.destroy()],
    'half of an answer': [
      'unreachable',
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{', () => request.socket.destroy());
      },
    ],
    'headers without end': [
      'unreachable',
      (_request, response) => response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end('{}'),
    ],
    'another protocol': [
      'unreachable',
      (request) =>
        request.socket.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    garbage: ['unreachable', (request) => request.socket.write('SIP/2.0 200 OK\r\n\r\n')],
  };
  it.each(Object.entries(bad))('survives %s', async (_name, [reason, handler]) => {
    const paths: (string | undefined)[] = [];
    const server = await serve((request, response, body) => {
      paths.push(request.url);
      handler(request, response, body);
    });
    expect(await asker()({ ...question, url: server.url })).toEqual(failed(reason));
    expect(paths).toEqual(['/decide']);
    await expect.poll(() => server.open, { timeout: 5_000 }).toBe(0);
  });

  it('survives nobody there', async () => {
    const server = await serve(() => {});
    await server.close();
    expect(await asker()({ ...question, url: server.url })).toEqual(failed('unreachable'));
    expect(await asker()({ ...question, url: 'https://nobody.example.com/' })).toEqual(failed('unreachable'));
  });

  it('never rejects, whatever it is given', async () => {
    const server = await serve((_request, response) => response.end('{}'));
    const circle: Record<string, unknown> = {};
    circle['circle'] = circle;
    for (const wrong of [{ secret: '' }, { secret: 'whsec_' }, { body: circle }, { body: { number: 1n } }]) {
      expect(await asker()({ ...question, url: server.url, ...wrong })).toEqual(failed('unreachable'));
    }
    const throwing = asker({
      transport: () => {
        throw new Error('a mistake');
      },
    });
    expect(await throwing({ ...question, url: server.url })).toEqual(failed('unreachable'));
    expect(server.connections).toBe(0);
  });
});

function endless(response: {
  write(data: string, then: () => void): unknown;
  readonly destroyed: boolean;
}): void {
  if (!response.destroyed) response.write('x'.repeat(1_000), () => endless(response));
}

describe('the time of a question', () => {
  const slow: Readonly<Record<string, () => Promise<TestServer>>> = {
    'a server that says nothing': () => httpServer(() => {}),
    'headers one byte at a time': () => tcpServer((socket) => drip(socket, 'HTTP/1.1 200 OK\r\nx: ')),
    'a body one byte at a time': () =>
      tcpServer((socket) => drip(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n')),
    'interim answers without end': () =>
      tcpServer((socket) => drip(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n')),
  };
  it.each(Object.entries(slow))('ends: %s', async (_name, start) => {
    const server = running(await start());
    expect(await asker()({ ...question, url: server.url, timeoutMilliseconds: 200 })).toEqual(
      failed('timeout'),
    );
    expect(server.connections).toBe(1);
    await expect.poll(() => server.open, { timeout: 5_000 }).toBe(0);
  });

  it('ends in the middle of a handshake', async () => {
    const server = running(await tcpServer((socket) => socket.resume()), 'https');
    expect(await asker()({ ...question, url: server.url, timeoutMilliseconds: 200 })).toEqual(
      failed('timeout'),
    );
    await expect.poll(() => server.open, { timeout: 5_000 }).toBe(0);
  });

  it('ends while the name is looked up, and does not connect any more when it is found', async () => {
    let found: (addresses: readonly string[]) => void = () => {};
    const late = new Promise<readonly string[]>((resolve) => {
      found = resolve;
    });
    const asked: AskRequest[] = [];
    const ask = asker({
      dns: { ...namesOf({}), a: () => late, aaaa: async () => [] },
      transport: async (request) => {
        asked.push(request);
        return { status: 200, body: Buffer.from('{}') };
      },
    });
    const url = 'https://slow.example.com/';
    expect(await ask({ ...question, url, timeoutMilliseconds: 50 })).toEqual(failed('timeout'));
    found(['127.0.0.1']);
    await late;
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual([]);
    expect(await ask({ ...question, url })).toEqual({ ok: true, answer: {} });
  });

  it('is not spent on one family of addresses when the other is there', async () => {
    const server = await serve((_request, response) => response.end('{}'));
    const ask = asker({
      dns: { ...namesOf({}), a: async () => ['127.0.0.1'], aaaa: () => new Promise(() => {}) },
    });
    const url = server.url.replace('127.0.0.1', 'decisions');
    expect(await ask({ ...question, url })).toEqual({ ok: true, answer: {} });
  });

  it('looks up a bounded number of names at once, a tenant and together', async () => {
    let silent = true;
    const answer = () => (silent ? new Promise<readonly string[]>(() => {}) : Promise.resolve(['127.0.0.1']));
    const ask = asker({
      dns: { ...namesOf({}), a: answer, aaaa: answer },
      transport: async () => ({ status: 200, body: Buffer.from('{}') }),
      concurrency: { tenant: 4, all: 10 },
    });
    const of = (tenant: string, name: string) =>
      ask({ ...question, tenant, url: `https://${name}.example.com/`, timeoutMilliseconds: 20 });
    const dead = (tenant: string, count: number) =>
      Promise.all(Array.from({ length: count }, (_, index) => of(tenant, `${tenant}${index}`)));
    expect(await dead('a', 4)).toEqual([1, 2, 3, 4].map(() => failed('timeout')));
    expect(await of('a', 'fifth')).toEqual(failed('busy'));
    // One that is being asked for is waited for, not asked for again.
    expect(await of('a', 'a1')).toEqual(failed('timeout'));
    silent = false;
    expect(await of('b', 'other')).toEqual({ ok: true, answer: {} });
    silent = true;
    await Promise.all([dead('b', 4), dead('c', 2)]);
    silent = false;
    expect(await of('d', 'other')).toEqual(failed('busy'));
  });
});

function drip(socket: import('node:net').Socket, first: string, then = 'x'): void {
  socket.write(first);
  const again = setInterval(() => socket.write(then), 10);
  socket.on('close', () => clearInterval(again));
}

describe('questions at once', () => {
  it('are bounded a tenant and together; the slow hold up nobody else', async () => {
    const held: (() => void)[] = [];
    const server = await serve((request, response) => {
      if (request.url === '/slow') held.push(() => response.end('"slow"'));
      else response.end('"fast"');
    });
    const slow = server.url.replace('/decide', '/slow');
    const ask = asker({ concurrency: { tenant: 4, all: 10 } });
    const of = (tenant: string, url: string) => ask({ ...question, tenant, url });
    const four = [of('a', slow), of('a', slow), of('a', slow), of('a', slow)];
    expect(await of('a', server.url)).toEqual(failed('busy'));
    expect(await of('b', server.url)).toEqual({ ok: true, answer: 'fast' });
    const more = [of('b', slow), of('b', slow), of('c', slow), of('c', slow), of('d', slow), of('d', slow)];
    expect(await of('e', server.url)).toEqual(failed('busy'));
    await expect.poll(() => held.length, { timeout: 5_000 }).toBe(10);
    for (const release of held) release();
    expect(new Set((await Promise.all([...four, ...more])).map((one) => one.ok))).toEqual(new Set([true]));
    const again = await Promise.all([
      of('a', server.url),
      of('a', server.url),
      of('a', server.url),
      of('e', server.url),
    ]);
    expect(again).toEqual(again.map(() => ({ ok: true, answer: 'fast' })));
  });

  it('are 64 of a tenant and 256 together when nobody says otherwise, and dead ones free their places', async () => {
    const ask = asker({ transport: () => new Promise(() => {}) });
    const of = (tenant: string) =>
      ask({ ...question, tenant, url: 'https://127.0.0.1/', timeoutMilliseconds: 300 });
    const count = async (tenant: string, times: number) => {
      const all = await Promise.all(Array.from({ length: times }, () => of(tenant)));
      return [
        all.filter((one) => !one.ok && one.reason === 'timeout').length,
        all.filter((one) => !one.ok && one.reason === 'busy').length,
      ];
    };
    expect(await count('a', 70)).toEqual([64, 6]);
    expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map((tenant) => count(tenant, 60)))).toEqual([
      [60, 0],
      [60, 0],
      [60, 0],
      [60, 0],
      [16, 44],
    ]);
  });
});
