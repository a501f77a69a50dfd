/** Random JSON at every route: always an answer of ours, never a failure, and never an echo. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { phone, type TestApi, testApi } from './testing.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await testApi();
  await api.stock(3);
  key = await api.key([
    'admin',
    'pii:reveal',
    'recordings:listen',
    'recordings:download',
    'recordings:approve',
  ]);
});
afterAll(() => api.close());

const id = '0'.repeat(32);
const posts = [
  ...['/v1/sessions', '/v1/sessions/search', '/v1/numbers', '/v1/carriers', '/v1/keys'],
  ...[`/v1/sessions/ses_${id}/close`, `/v1/sessions/ses_${id}/participants/par_${id}/reveal`],
  ...[`/v1/sessions/ses_${id}/reopen`, `/v1/sessions/ses_${id}/calls`, '/v1/sessions/bulk'],
  ...[`/v1/sessions/ses_${id}/participants/par_${id}/claims`, `/v1/calls/call_${id}/hangup`],
  ...['/v1/programs', '/v1/programs/test', `/v1/programs/prg_${id}/test`, '/v1/blocks'],
  `/v1/numbers/num_${id}/replace`,
  ...['/v1/disputes', `/v1/disputes/dsp_${id}/notes`, `/v1/disputes/dsp_${id}/verdict`],
  `/v1/sessions/ses_${id}/participants/par_${id}/transparency`,
  ...[`/v1/calls/call_${id}/recording/downloads`, `/v1/downloads/dwn_${id}/approve`, '/v1/holds'],
  ...[`/v1/calls/call_${id}/marks`, `/v1/holds/hld_${id}/release`],
  ...['/v1/webhooks', `/v1/webhooks/whk_${id}/test`, `/v1/webhooks/whk_${id}/replay`],
  `/v1/webhooks/whk_${id}/secret`,
  ...[`/v1/numbers/num_${id}/replace`, '/v1/users', `/v1/users/usr_${id}/invitation`],
  ...['/v1/auth/login', '/v1/auth/second-factor', '/v1/auth/passkey/options', '/v1/auth/passkey'],
  '/v1/auth/invitation',
];
const patches = [
  `/v1/sessions/ses_${id}`,
  `/v1/numbers/num_${id}`,
  `/v1/carriers/car_${id}`,
  '/v1/pools/default',
  `/v1/programs/prg_${id}`,
  '/v1/settings',
  `/v1/disputes/dsp_${id}`,
  `/v1/webhooks/whk_${id}`,
  `/v1/users/usr_${id}`,
];
const puts = ['/v1/destinations/support', `/v1/programs/prg_${id}`];
const route = fc.oneof(
  fc.constantFrom(...posts).map((url) => ['POST', url] as const),
  fc.constantFrom(...patches).map((url) => ['PATCH', url] as const),
  fc.constantFrom(...puts).map((url) => ['PUT', url] as const),
);

/** Real field names with wrong things in them reach further than noise does. */
const names = [
  ...[
    'participants',
    'role',
    'phone',
    'phones',
    'name',
    'locale',
    'reference',
    'pool',
    'ttlSeconds',
    'expiresAt',
  ],
  ...['idleSeconds', 'recording', 'sharedNumber', 'metadata', 'reason', 'ongoingCalls', 'numbers', 'carrier'],
  ...['capabilities', 'kind', 'host', 'port', 'transport', 'allowedSources', 'auth', 'username', 'password'],
  ...['program', 'schedule', 'limits', 'afterClose', 'whisper', 'accept', 'survey', 'opensAt', 'of', 'add'],
  ...['replace', 'remove', 'participant', 'with', 'items', 'action', 'session', 'change', 'close', 'id'],
  ...[
    'definition',
    'rules',
    'when',
    'then',
    'connect',
    'menu',
    'blocks',
    'timeZone',
    'windows',
    'from',
    'to',
  ],
  ...['caller', 'roles', 'reach', 'mayStart', 'open', 'pin', 'sticky', 'use', 'draining', 'area', 'match'],
  ...['category', 'statement', 'against', 'version', 'assignee', 'verdict', 'text', 'block', 'towards'],
  ...['scopes', 'enabled', 'cooldown', 'exhaustion', 'status', 'number', 'limit', 'after', '__proto__', ''],
  ...['email', 'token', 'ticket', 'totp', 'recoveryCode', 'response', 'secondFactor', 'disabled'],
];
const leaf = fc.oneof(
  fc.constantFrom(
    phone(1),
    'agent',
    'announce',
    'default',
    'trunk',
    'sip',
    '2030-01-01T00:00:00Z',
    'ses_',
    '0.0.0.0/0',
    'UTC',
    '08:00',
    "caller.role == 'agent'",
    'open',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 12 })), tie('json'), {
      maxKeys: 5,
    }),
  ),
}));
/** In a bulk each item is judged on its own: noise in one must not hide behind another. */
const bulk = fc
  .array(
    fc.record(
      {
        action: fc.constantFrom('open', 'change', 'close', 'x'),
        id: json,
        session: json,
        change: json,
        close: json,
      },
      { requiredKeys: ['action'] },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((items) => ({ items }));
/** Almost right: one field of a good request replaced. */
const almost = fc.tuple(fc.constantFrom(...names), json).map(([name, value]) => ({
  participants: [
    { role: 'agent', phone: phone(1) },
    { role: 'customer', phone: phone(2) },
  ],
  ...Object.fromEntries([[name, value]]),
}));

test('an answer of ours to whatever comes', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(route, fc.oneof(json, almost, bulk), async ([method, url], value) => {
      const answer = await api.call(method, url, { key, body: JSON.stringify(value) ?? 'null' });
      expect(answer.status, answer.text).toBeLessThan(500);
      if (answer.status >= 400) {
        expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
        expect(answer.body).toMatchObject({
          type: expect.stringMatching(/^\/problems\//),
          status: answer.status,
        });
        expect(answer.text).not.toContain(phone(1).slice(3));
      }
    }),
    { numRuns: 600 },
  );
});

test('any bytes as a body', async () => {
  await fc.assert(
    fc.asyncProperty(route, fc.string({ unit: 'binary' }), async ([method, url], text) => {
      const answer = await api.call(method, url, { key, body: text });
      expect(answer.status).toBeLessThan(500);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    }),
    { numRuns: 150 },
  );
});

test('any path and query', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((part) => part.isWellFormed());
  const base = fc.constantFrom(
    'sessions',
    'numbers',
    'calls',
    'carriers',
    'keys',
    'pools',
    'programs',
    'blocks',
    'events',
    'destinations',
    'disputes',
    'x',
  );
  await fc.assert(
    fc.asyncProperty(
      base,
      text,
      fc.constantFrom('limit', 'after', 'number', 'reference', 'x'),
      text,
      async (...parts) => {
        const [resource, path, name, value] = parts;
        const url = `/v1/${resource}/${encodeURIComponent(path)}?${name}=${encodeURIComponent(value)}`;
        for (const where of [url, `/v1/${resource}?${name}=${encodeURIComponent(value)}`]) {
          const answer = await api.call('GET', where, { key });
          expect(answer.status, where).toBeLessThan(500);
        }
      },
    ),
    { numRuns: 150 },
  );
});
