/** Servers of every temper for tests, and every way to spell a place where nobody may be asked. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dns, nodeDoors, simulatedDoors } from '@samar/doors';
import { type Answer, type AskerOptions, createAsker, type Question } from './ask.ts';
import { nodeTransport } from './transport.ts';
import { webhookRules } from './webhook-url.ts';

/** Each leads to this machine, to a network that isn't the public one, or to nothing: none may be asked. */
export const forbiddenHosts: readonly string[] = [
  // Loopback, in every way that a URL can say it.
  ...['127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '0x7f.1', '0x7f000001', '0x7f.0x0.0x0.0x1'],
  ...['0177.1', '0177.0.0.1', '017700000001', '2130706433', '127.0.0.1.', '127.000.000.001', '0x7F.0.0.1'],
  ...[
    '127。0。0。1',
    '127．0．0．1',
    '127｡0｡0｡1',
    '１２７.0.0.1',
    '①②⑦.⓪.⓪.①',
    '%31%32%37.0.0.1',
    '127%2e0%2e0%2e1',
  ],
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::0:1]', '[0::1]'],
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:0001]', '[::FFFF:127.0.0.1]'],
  ...['[::127.0.0.1]', '[::7f00:1]', '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]'],
  ...['[2002:7f00:1::]', '[2002:7f00:1::1]', '[2001:0:7f00:1::]', '[2001:0::1]', '[fe80::5efe:7f00:1]'],
  ...['[2a00:1450::5efe:127.0.0.1]', '[2a00:1450::200:5efe:10.0.0.1]'],
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'a.localhost.',
    'ｌｏｃａｌｈｏｓｔ',
    'localhost.localdomain.local',
  ],
  // Everything and nobody.
  ...['0.0.0.0', '0', '0x0', '00', '0.1.2.3', '[::]', '[0::0]', '[::ffff:0.0.0.0]', '255.255.255.255'],
  // Private networks, carriers' ones, link-local ones and what clouds keep there.
  ...['10.0.0.1', '10.1', '0xa000001', '167772161', '012.0.0.1', '10.255.255.255', '[::ffff:10.0.0.1]'],
  ...[
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '192.168.1',
    '0xc0a80001',
    '3232235521',
    '[::ffff:c0a8:1]',
  ],
  ...['100.64.0.1', '100.127.255.254', '169.254.0.1', '169.254.169.254', '0xa9fea9fe', '2852039166'],
  ...[
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::]',
    '169.254.43518',
  ],
  ...['[fd00::1]', '[fc00::1]', '[fd00:ec2::254]', '[fe80::1]', '[febf::1]', '[fec0::1]', '[fe80::1%25eth0]'],
  // Documentation, tests, multicast, the future.
  ...['192.0.0.1', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '198.19.255.255', '192.88.99.1'],
  ...[
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '[ff02::1]',
    '[ff0e::1]',
    '[2001:db8::1]',
    '[100::1]',
    '[3fff::1]',
  ],
  ...['[5f00::1]', '[4000::1]', '[8000::1]', '[2001:2::1]', '[2001:10::1]', '[1::1]', '[ffff::1]'],
  // Names that no public server answers for.
  ...[
    'intranet',
    'decisions',
    'printer.local',
    'metadata.google.internal',
    'a.test',
    'a.invalid',
    'x.onion',
    '1.0.0.127.in-addr.arpa',
  ],
];

export interface TestServer {
  readonly port: number;
  /** Connections that were made. */
  readonly connections: number;
  /** Those that are open now. */
  readonly open: number;
  close(): Promise<void>;
}

export type TestHandler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
) => void;

export function httpServer(handler: TestHandler, address = '127.0.0.1', port = 0): Promise<TestServer> {
  return listening(http.createServer(whole(handler)), address, port);
}

export function httpsServer(identity: Identity, handler: TestHandler): Promise<TestServer> {
  return listening(https.createServer(identity, whole(handler)), '127.0.0.1', 0);
}

/** `talk` gets the bare connection. */
export function tcpServer(talk: (socket: net.Socket) => void): Promise<TestServer> {
  return listening(net.createServer(talk), '127.0.0.1', 0);
}

function whole(handler: TestHandler): http.RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handler(request, response, Buffer.concat(chunks).toString('utf8')));
  };
}

async function listening(server: net.Server, address: string, port: number): Promise<TestServer> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export interface Identity {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** A certificate that only itself vouches for. */
export function selfSigned(name: string): Identity {
  const directory = mkdtempSync(join(tmpdir(), 'samar-ask-'));
  try {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const made = spawnSync('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', cert],
    ]);
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const question: Omit<Question, 'url'> = {
  tenant: 'default',
  secret,
  body: { call: 'call_1' },
  timeoutMilliseconds: 5_000,
};
const local = webhookRules(['127.0.0.0/8']);

type Names = Readonly<Record<string, readonly string[]>>;

export function namesOf(names: Names): Dns {
  const never = simulatedDoors(1).network.dns;
  return {
    ...never,
    a: async (name) => names[name]?.filter((one) => one.includes('.')) ?? never.a(name),
    aaaa: async (name) => names[name]?.filter((one) => one.includes(':')) ?? never.aaaa(name),
  };
}

/** Asks for real, but names are what the test says, and this machine may be asked. */
export function asker(options: Partial<AskerOptions> & { readonly names?: Names; readonly dns?: Dns } = {}) {
  const { names = {}, dns = namesOf(names), ...rest } = options;
  const doors = { ...nodeDoors(), network: { dns } };
  return createAsker({ doors, transport: nodeTransport(), rules: local, ...rest });
}

/** A server's URL, and its place among those that are closed after the test. */
export function keepIn(servers: TestServer[]) {
  return (server: TestServer, scheme = 'http', host = '127.0.0.1') => {
    servers.push(server);
    return Object.assign(server, { url: `${scheme}://${host}:${server.port}/decide` });
  };
}

export const failed = (reason: Extract<Answer, { ok: false }>['reason']) => ({ ok: false, reason });
