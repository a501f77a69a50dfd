import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { createLog, type Logger } from '../../packages/server/src/cli/log.ts';
import { type Server, startServer } from '../../packages/server/src/cli/server.ts';
import { type Config, loadConfig } from '../../packages/server/src/config.ts';
import { takeRtpPorts } from './ports.ts';

/** A whole platform in this process, on loopback, with data that is thrown away. */
export interface Platform {
  readonly server: Server;
  readonly sipPort: number;
  readonly directory: string;
  /** Every log line so far. */
  readonly log: readonly string[];
  readonly call: ApiCall;
  stop(): Promise<void>;
}

export type ApiCall = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<ApiAnswer>;

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what the contract promises, and fail where it doesn't hold
  readonly body: any;
  readonly text: string;
  readonly bytes: Buffer;
}

export const adminKey = 'test-admin-key-0123456789';

export async function startPlatform(settings: Partial<Config> = {}): Promise<Platform> {
  const directory = await mkdtemp(join(tmpdir(), 'samar-test-'));
  const log: string[] = [];
  const server = await startServer({
    doors: nodeDoors(),
    log: process.env['SAMAR_TEST_LOG'] ? createLog('debug') : memoryLog(log),
    config: {
      ...loadConfig({
        SAMAR_SIP_HOST: '127.0.0.1',
        SAMAR_HTTP_HOST: '127.0.0.1',
        SAMAR_ADMIN_KEY: adminKey,
        SAMAR_DATA_DIR: join(directory, 'data'),
      }),
      httpPort: 0,
      sipPort: 0,
      rtpPorts: takeRtpPorts(200),
      ...settings,
    },
  });
  return {
    server,
    sipPort: server.sip[0]?.port ?? 0,
    directory,
    log,
    call: apiAt(`http://127.0.0.1:${server.http.port}`),
    async stop() {
      await server.stop(0);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function apiAt(base: string): ApiCall {
  return async (method, path, body, headers) => {
    const all: Readonly<Record<string, string>> = {
      authorization: `Bearer ${adminKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    const response = await fetch(`${base}${path}`, {
      method,
      // An empty one takes the key away: whoever has a cookie comes without.
      headers: Object.entries(all).filter(([, value]) => value !== ''),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const json = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: json ? JSON.parse(bytes.toString()) : undefined,
      text: bytes.toString(),
      bytes,
    };
  };
}

function memoryLog(lines: string[]): Logger {
  const write = (level: string) => (message: string, details?: object) => {
    if (lines.length < 100_000) lines.push(JSON.stringify({ level, msg: message, ...details }));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Carrier, numbers, and what every call test needs first. */
export async function connectTrunk(
  api: ApiCall,
  port: number,
  numbers: readonly string[],
  transport: 'udp' | 'tcp' = 'udp',
): Promise<void> {
  const carrier = await api('POST', '/v1/carriers', {
    name: 'test',
    kind: 'sip',
    host: '127.0.0.1',
    port,
    transport,
  });
  if (carrier.status !== 201) throw new Error(`carrier: ${carrier.text}`);
  const added = await api('POST', '/v1/numbers', {
    numbers,
    pool: 'default',
    carrier: 'test',
    capabilities: ['voice'],
  });
  if (added.status !== 201) throw new Error(`numbers: ${added.text}`);
}

export async function openSession(
  api: ApiCall,
  phones: readonly [string, string],
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly id: string; readonly dials: readonly [string, string] }> {
  const session = await api('POST', '/v1/sessions', {
    participants: [
      { role: 'agent', phone: phones[0], name: 'Budi Canary', locale: 'en' },
      { role: 'customer', phone: phones[1], name: 'Sari Canary', locale: 'en' },
    ],
    ...more,
  });
  if (session.status !== 201) throw new Error(`session: ${session.text}`);
  return {
    id: session.body.id,
    dials: [session.body.participants[0].dial, session.body.participants[1].dial],
  };
}

/** Calls of a session, oldest first, once none of them is running any more. */
// biome-ignore lint/suspicious/noExplicitAny: see ApiAnswer
export async function settledCalls(api: ApiCall, session: string): Promise<any[]> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const { body } = await api('GET', `/v1/calls?session=${session}`);
    // biome-ignore lint/suspicious/noExplicitAny: see ApiAnswer
    const items = body.items as any[];
    if (items.every((call) => call.status === 'ended')) return items.sort((a, b) => (a.id < b.id ? -1 : 1));
    await pause(100);
  }
  throw new Error('calls are still running after five seconds');
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
