// biome-ignore-all lint/suspicious/noThenProperty: the language of programs' own word; nothing here is ever awaited
/** The API over the real heart and a real database, for tests; requests go through Fastify's `inject`. */
import { tmpdir } from 'node:os';
import { nodeDoors } from '@samar/doors';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { Registry } from 'prom-client';
import { createLiveEvents, createWebhooks, nodeTransport, webhookRules } from '../events/index.ts';
import { createMasking } from '../masking/index.ts';
import type { Scope } from '../masking/service.ts';
import { type TestDatabase, testDatabase } from '../store/testing.ts';
import { createTrust } from '../trust/index.ts';
import { createUsers } from '../users/index.ts';
import { createVault } from '../vault/index.ts';
import { createApi } from './api.ts';
import type { ApiOptions } from './options.ts';

type TrustOptions = Parameters<typeof createTrust>[0];

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** Undefined when the answer is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and fail when they are wrong
  readonly body: any;
}

export interface TestApi {
  readonly app: FastifyInstance;
  readonly masking: Awaited<ReturnType<typeof createMasking>>;
  readonly rooms: Pick<ApiOptions, 'trust' | 'users' | 'webhooks' | 'live'>;
  readonly database: TestDatabase;
  readonly adminKey: string;
  readonly lines: Record<string, unknown>[];
  /** With the administrator's key unless another (or `null`: none) is given. `body` is sent as JSON. */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT' | 'HEAD',
    url: string,
    options?: {
      readonly body?: unknown;
      readonly key?: string | null;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<Answer>;
  key(scopes: readonly Scope[], tenant?: string): Promise<string>;
  /** A trunk and `count` virtual numbers in a pool. */
  stock(count: number, pool?: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Every installation has it from its first migration on. */
export const tenant = 'default';

export async function testApi(
  options: Partial<ApiOptions> & Partial<Pick<TrustOptions, 'recordings' | 'objects' | 'report'>> = {},
): Promise<TestApi> {
  const database = await testDatabase();
  const vault = await createVault({
    database: database.database,
    masterKey: '07'.repeat(32),
    dataDir: tmpdir(),
  });
  const doors = nodeDoors();
  const context = { database: database.database, vault, doors };
  const masking = await createMasking(context);
  const { recordings = '/nonexistent', objects, report = () => {}, ...apiOptions } = options;
  const trust = await createTrust({
    ...{ ...context, masking, recordings, report },
    ...(objects && { objects }),
  });
  const users = createUsers(context, { publicUrl: () => 'https://masking.example' });
  const webhooks = createWebhooks({ ...context, transport: nodeTransport(), rules: webhookRules() });
  const live = createLiveEvents(context);
  const { secret: adminKey } = await masking.createApiKey(tenant, { name: 'admin', scopes: ['admin'] });
  const lines: Record<string, unknown>[] = [];
  const log = (message: string, details: object) => void lines.push({ message, ...details });
  const app = createApi({
    masking,
    trust,
    users,
    webhooks,
    live,
    checks: {},
    registry: new Registry(),
    publicUrl: 'https://masking.example',
    log: { info: log, error: log },
    rateLimit: 100_000,
    wrongKeysPerMinute: 100_000,
    ...apiOptions,
  });
  await app.ready();
  let stocked = 0;

  const api: TestApi = {
    app,
    masking,
    rooms: { trust, users, webhooks, live },
    database,
    adminKey,
    lines,
    async call(method, url, { body, key = adminKey, headers = {} } = {}) {
      const request: InjectOptions = {
        method,
        url,
        headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
      };
      if (typeof body === 'string') request.payload = body;
      else if (body !== undefined) request.payload = body as object;
      if (body !== undefined && headers['content-type'] === undefined) {
        request.headers = { ...request.headers, 'content-type': 'application/json' };
      }
      const answer = await app.inject(request);
      const json = /json/.test(String(answer.headers['content-type'])) && answer.body !== '';
      return {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string | undefined>,
        text: answer.body,
        body: json ? answer.json() : undefined,
      };
    },
    async key(scopes, of = tenant) {
      return (await masking.createApiKey(of, { name: 'test', scopes })).secret;
    },
    async stock(count, pool = 'default') {
      if (stocked === 0) {
        await api.call('POST', '/v1/carriers', {
          body: { name: 'trunk', kind: 'sip', host: '203.0.113.7', transport: 'udp' },
        });
      }
      const numbers = Array.from({ length: count }, () => `+62215${String(stocked++).padStart(7, '0')}`);
      const answer = await api.call('POST', '/v1/numbers', {
        body: { numbers, pool, carrier: 'trunk', capabilities: ['voice'] },
      });
      if (answer.status !== 201) throw new Error(`stock: ${answer.text}`);
      return numbers;
    },
    async close() {
      await app.close();
      await masking.stop();
      await database.drop();
    },
  };
  return api;
}

/** Two people who have never met, as a body for POST /v1/sessions. */
export function twoPeople(seed: number, more: Readonly<Record<string, unknown>> = {}) {
  return {
    participants: [
      { role: 'agent', phone: phone(2 * seed) },
      { role: 'customer', phone: phone(2 * seed + 1) },
    ],
    ...more,
  };
}

/** Opens it for two people who have never met, and gives the answer's body. */
// biome-ignore lint/suspicious/noExplicitAny: as `Answer.body`
export async function openSession(api: TestApi, seed: number, more = {}): Promise<any> {
  const answer = await api.call('POST', '/v1/sessions', { body: twoPeople(seed, more) });
  if (answer.status !== 201) throw new Error(`open: ${answer.text}`);
  return answer.body;
}

export function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

/** Every term that a session can declare and lose again. */
export const allTerms = {
  schedule: {
    timeZone: 'Asia/Jakarta',
    windows: [{ days: ['mon', 'tue'], from: '08:00', to: '20:00' }],
    exceptions: [
      { date: '2026-12-25', closed: true },
      { date: '2026-12-31', windows: [{ from: '08:00', to: '12:00' }] },
    ],
  },
  limits: {
    callSeconds: 600,
    calls: 20,
    minutes: 60,
    attempts: { calls: 5, perMinutes: 10 },
    quietHours: { from: '22:00', to: '07:00' },
  },
  ongoingCalls: 'warn',
  afterClose: { seconds: 86_400, allow: [{ from: 'customer', to: 'agent' }], reasons: ['resolved'] },
  whisper: true,
  accept: true,
  survey: { of: 'customer', prompt: 'survey', keys: '12345' },
  program: { rules: [{ when: "caller.role == 'agent'", then: { connect: 'customer' } }] },
};

/** The n-th mobile number in Indonesia. */
export function phone(n: number): string {
  return `+62812${String(34_000_000 + n).padStart(8, '0')}`;
}

/**
 * Whether a text shows a number in any form: E.164, national, grouped by whatever, percent-encoded, masked too little.
 * All but digits is dropped, so the grouping doesn't matter; the request's random id is left out.
 */
export function shows(text: string, e164: string): boolean {
  const plain = text.normalize('NFKC').replaceAll(/req_[\w-]{22}/g, '');
  const significant = e164.normalize('NFKC').replaceAll(/\D/g, '').slice(2);
  const forms = [plain, safelyDecoded(plain), plain.replaceAll(/%[0-9A-Fa-f]{2}/g, '')];
  return forms.some((form) => form.replaceAll(/\D/g, '').includes(significant));
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
