import type { Dns } from '@samar/doors';
import { afterEach, describe, expect, it } from 'vitest';
import {
  asker,
  failed,
  forbiddenHosts,
  httpServer,
  httpsServer,
  keepIn,
  namesOf,
  question,
  selfSigned,
  type TestHandler,
  type TestServer,
} from './testing.ts';
import { type AskRequest, nodeTransport } from './transport.ts';
import { webhookRules } from './webhook-url.ts';

const servers: TestServer[] = [];
const running = keepIn(servers);
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('where a question goes', () => {
  const public1 = '93.184.215.14';
  function recording() {
    const requests: AskRequest[] = [];
    const transport = async (request: AskRequest) => {
      requests.push(request);
      return { status: 200, body: Buffer.from('{}') };
    };
    return { requests, transport };
  }

  it('is never this machine or a network behind it, however the URL spells that', async () => {
    const { requests, transport } = recording();
    const ask = asker({ rules: webhookRules(), transport });
    for (const host of forbiddenHosts) {
      for (const url of [`https://${host}/`, `https://${host}:8443/`, `http://${host}/`]) {
        expect([url, await ask({ ...question, url })]).toEqual([url, failed('refused-address')]);
      }
    }
    expect(requests).toEqual([]);
  });

  it('is never this machine when a public name turns out to be', async () => {
    const { requests, transport } = recording();
    const inward = [
      ...['127.0.0.1', '10.0.0.1', '192.168.0.1', '172.16.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
      ...[
        '::1',
        '::',
        'fd00::1',
        'fe80::1',
        '::ffff:127.0.0.1',
        '::ffff:a9fe:a9fe',
        '64:ff9b::7f00:1',
        '::7f00:1',
      ],
      ...['2002:7f00:1::', '198.18.0.1', '224.0.0.1', '255.255.255.255', 'fec0::1', '2001:db8::1'],
    ];
    for (const address of inward) {
      for (const addresses of [
        [address],
        [public1, address],
        [address, public1],
        ['2a00:1450::1', address],
      ]) {
        const ask = asker({ rules: webhookRules(), transport, names: { 'rebound.example.com': addresses } });
        expect([addresses, await ask({ ...question, url: 'https://rebound.example.com/' })]).toEqual([
          addresses,
          failed('refused-address'),
        ]);
      }
    }
    expect(requests).toEqual([]);
  });

  it('is where the checked addresses are, whatever the name says a moment later', async () => {
    const { requests, transport } = recording();
    let asked = 0;
    const dns: Dns = {
      ...namesOf({}),
      a: async () => (asked++ === 0 ? [public1] : ['127.0.0.1']),
      aaaa: async () => [],
    };
    const ask = asker({ rules: webhookRules(), transport, dns });
    const url = 'https://rebound.example.com/';
    expect(await ask({ ...question, url })).toEqual({ ok: true, answer: {} });
    expect(requests.map((one) => one.addresses)).toEqual([[public1]]);
    expect(await ask({ ...question, url })).toEqual(failed('refused-address'));
    expect(asked).toBe(2);
    expect(requests).toHaveLength(1);
  });

  it('is the given address, not what the system resolves', async () => {
    const right = running(await httpServer((_request, response) => response.end('{}'), '127.0.0.2'));
    const wrong = running(
      await httpServer((_request, response) => response.end('{}'), '127.0.0.1', right.port),
    );
    const ask = asker({ names: { localhost: ['127.0.0.2'] } });
    const url = `http://localhost:${right.port}/`;
    expect(await ask({ ...question, url })).toEqual({ ok: true, answer: {} });
    expect([right.connections, wrong.connections]).toEqual([1, 0]);
  });

  it('may be a network that the operator has named, and by https and its ports anywhere public', async () => {
    const { requests, transport } = recording();
    const names = {
      'in.example.com': ['10.0.0.5'],
      'mixed.example.com': ['10.0.0.5', public1],
      'out.example.com': [public1],
    };
    const ask = asker({ rules: webhookRules(['10.0.0.0/24']), transport, names });
    const outcomes = await Promise.all(
      [
        ...[
          'http://in.example.com:9000/',
          'https://in.example.com/',
          'https://mixed.example.com/',
          'https://out.example.com/',
        ],
        ...[
          'http://mixed.example.com/',
          'http://out.example.com/',
          'https://out.example.com:9000/',
          'http://127.0.0.1/',
        ],
      ].map((url) => ask({ ...question, url })),
    );
    expect(outcomes.map((one) => (one.ok ? 'asked' : one.reason))).toEqual([
      ...['asked', 'asked', 'asked', 'asked'],
      ...['refused-address', 'refused-address', 'refused-address', 'refused-address'],
    ]);
    expect(requests).toHaveLength(4);
  });
});

describe('trust in the other side', () => {
  const identity = selfSigned('decisions.example.com');
  const names = { 'decisions.example.com': ['127.0.0.1'], 'other.example.com': ['127.0.0.1'] };

  it('is asked of the well-known authorities; nothing of the environment turns that off', async () => {
    let asked = 0;
    const handler: TestHandler = (_request, response) => {
      asked += 1;
      response.end('{}');
    };
    const server = running(await httpsServer(identity, handler), 'https', 'decisions.example.com');
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    try {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      expect(await asker({ names })({ ...question, url: server.url })).toEqual(failed('unreachable'));
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
    expect(await asker({ names })({ ...question, url: server.url })).toEqual(failed('unreachable'));
    expect([server.connections > 0, asked]).toEqual([true, 0]);

    const trusting = asker({ names, transport: nodeTransport({ certificateAuthority: identity.cert }) });
    expect(await trusting({ ...question, url: server.url })).toEqual({ ok: true, answer: {} });
    expect(await trusting({ ...question, url: server.url })).toEqual({ ok: true, answer: {} });
    const misnamed = server.url.replace('decisions', 'other');
    expect(await trusting({ ...question, url: misnamed })).toEqual(failed('unreachable'));
    const bare = server.url.replace('decisions.example.com', '127.0.0.1');
    expect(await trusting({ ...question, url: bare })).toEqual(failed('unreachable'));
    expect(asked).toBe(2);
  });

  it('takes no plain text for TLS, and no TLS for plain text', async () => {
    const plain = running(await httpServer((_request, response) => response.end('{}')), 'https');
    const secure = running(await httpsServer(identity, (_request, response) => response.end('{}')), 'http');
    expect(await asker()({ ...question, url: plain.url })).toEqual(failed('unreachable'));
    expect(await asker()({ ...question, url: secure.url })).toEqual(failed('unreachable'));
  });
});
