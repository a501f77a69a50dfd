import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestApi, testApi } from './testing.ts';

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Record<string, { readonly description: string; readonly content?: Json }>;
  readonly security?: readonly unknown[];
}

let api: TestApi;
let document: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Json; securitySchemes: Json };
};
beforeAll(async () => {
  api = await testApi();
  document = (await api.call('GET', '/openapi.json', { key: null })).body;
});
afterAll(() => api.close());

function operations(): readonly (readonly [string, string, Operation])[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [path, method, operation] as const),
  );
}

test('names every route of the first version', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(
    operations()
      .map(([path, method]) => `${method.toUpperCase()} ${path}`)
      .sort(),
  ).toEqual(
    [
      ...['POST /v1/carriers', 'GET /v1/carriers'],
      ...['GET /v1/carriers/{id}', 'PATCH /v1/carriers/{id}', 'DELETE /v1/carriers/{id}'],
      ...['POST /v1/numbers', 'GET /v1/numbers', 'POST /v1/numbers/{id}/replace'],
      ...['GET /v1/numbers/{id}', 'PATCH /v1/numbers/{id}', 'DELETE /v1/numbers/{id}'],
      ...['GET /v1/pools', 'PATCH /v1/pools/{name}', 'GET /v1/pools/{name}/forecast'],
      ...['POST /v1/sessions', 'GET /v1/sessions', 'POST /v1/sessions/search', 'POST /v1/sessions/bulk'],
      ...['GET /v1/plan', 'POST /v1/plan'],
      ...['GET /v1/sessions/{id}', 'PATCH /v1/sessions/{id}', 'POST /v1/sessions/{id}/close'],
      ...['POST /v1/sessions/{id}/reopen', 'POST /v1/sessions/{id}/calls'],
      'POST /v1/sessions/{id}/participants/{participant}/reveal',
      'POST /v1/sessions/{id}/participants/{participant}/claims',
      'POST /v1/sessions/{id}/participants/{participant}/transparency',
      'DELETE /v1/sessions/{id}/participants/{participant}/transparency',
      ...['POST /v1/disputes', 'GET /v1/disputes', 'GET /v1/disputes/{id}', 'PATCH /v1/disputes/{id}'],
      ...['POST /v1/disputes/{id}/notes', 'POST /v1/disputes/{id}/verdict'],
      ...['GET /v1/calls', 'GET /v1/calls/summary', 'GET /v1/calls/{id}', 'GET /v1/calls/{id}/recording'],
      ...['GET /v1/calls/{id}/explanation', 'POST /v1/calls/{id}/hangup'],
      ...['POST /v1/programs', 'GET /v1/programs', 'GET /v1/programs/{id}', 'PUT /v1/programs/{id}'],
      ...['PATCH /v1/programs/{id}', 'DELETE /v1/programs/{id}'],
      ...['POST /v1/programs/{id}/test', 'POST /v1/programs/test'],
      ...['GET /v1/destinations', 'GET /v1/destinations/{name}'],
      ...['PUT /v1/destinations/{name}', 'DELETE /v1/destinations/{name}'],
      ...['GET /v1/settings', 'PATCH /v1/settings', 'GET /v1/settings/decision-secret'],
      ...['POST /v1/blocks', 'GET /v1/blocks', 'DELETE /v1/blocks/{id}', 'GET /v1/events'],
      ...['GET /v1/ledger', 'POST /v1/ledger/search', 'POST /v1/ledger/verify'],
      ...['GET /v1/ledger/roots', 'GET /v1/ledger/public-key', 'GET /v1/ledger/{id}'],
      ...['POST /v1/calls/{id}/recording/downloads', 'DELETE /v1/calls/{id}/recording', 'GET /v1/downloads'],
      ...['POST /v1/downloads/{id}/approve', 'POST /v1/downloads/{id}/refuse', 'GET /v1/downloads/{id}/file'],
      ...['GET /v1/calls/{id}/marks', 'POST /v1/calls/{id}/marks', 'DELETE /v1/calls/{id}/marks/{mark}'],
      ...['POST /v1/holds', 'GET /v1/holds', 'POST /v1/holds/{id}/release'],
      ...['POST /v1/webhooks', 'GET /v1/webhooks', 'GET /v1/webhooks/{id}', 'PATCH /v1/webhooks/{id}'],
      ...['DELETE /v1/webhooks/{id}', 'GET /v1/webhooks/{id}/secret', 'POST /v1/webhooks/{id}/secret'],
      ...['POST /v1/webhooks/{id}/test', 'GET /v1/webhooks/{id}/deliveries', 'POST /v1/webhooks/{id}/replay'],
      'GET /v1/live',
      ...['POST /v1/users', 'GET /v1/users', 'GET /v1/users/{id}', 'PATCH /v1/users/{id}'],
      'POST /v1/users/{id}/invitation',
      ...['POST /v1/auth/login', 'POST /v1/auth/second-factor', 'POST /v1/auth/passkey/options'],
      ...['POST /v1/auth/passkey', 'GET /v1/auth/invitation', 'POST /v1/auth/invitation'],
      ...['GET /v1/auth/me', 'PATCH /v1/auth/me', 'POST /v1/auth/logout', 'POST /v1/auth/password'],
      ...['POST /v1/auth/totp', 'POST /v1/auth/totp/confirm', 'DELETE /v1/auth/totp'],
      ...['POST /v1/auth/passkeys/options', 'POST /v1/auth/passkeys', 'DELETE /v1/auth/passkeys/{id}'],
      ...['POST /v1/keys', 'GET /v1/keys', 'DELETE /v1/keys/{id}'],
      ...['POST /v1/privacy/export', 'POST /v1/privacy/erase', 'POST /v1/privacy/restrict'],
      ...[
        'GET /v1/privacy/requests',
        'GET /v1/privacy/requests/{id}',
        'GET /v1/privacy/requests/{id}/export',
      ],
      ...['POST /v1/privacy/requests/{id}/decide', 'POST /v1/privacy/requests/{id}/lift'],
      'POST /v1/privacy/breach-report',
      ...['GET /healthz', 'GET /readyz', 'GET /metrics'],
    ].sort(),
  );
});

test('every operation has a unique id, words, and its path parameters', () => {
  const ids = operations().map(([, , operation]) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [path, method, operation] of operations()) {
    const where = `${method} ${path}`;
    expect(operation.operationId, where).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operation.summary, where).toBeTruthy();
    expect(operation.tags, where).toHaveLength(1);
    const inPath = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
    expect(inPath.sort(), where).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort());
  }
});

test('every keyed operation tells of its problems, and every POST of the idempotency key', () => {
  const keyed = operations().filter(([path]) => path.startsWith('/v1/') && !path.startsWith('/v1/auth/'));
  for (const [path, method, operation] of keyed) {
    const where = `${method} ${path}`;
    for (const status of ['401', '403', '429', '503']) {
      expect(operation.responses[status]?.content, where).toHaveProperty(['application/problem+json']);
    }
    expect(operation.description, where).toMatch(/Needs the scope `[a-z:]+`/);
    if (operation.requestBody) expect(Object.keys(operation.responses), where).toContain('422');
    if (method === 'post') {
      expect(
        (operation.parameters ?? []).map((one) => one.name),
        where,
      ).toContain('Idempotency-Key');
      // Only what needs no words of the client has no body.
      const bodiless =
        /\/(hangup|claims|transparency|ledger\/verify|approve|refuse|release|webhooks\/\{id\}\/(secret|test))$/.test(
          path,
        );
      expect(operation.requestBody === undefined, where).toBe(bodiless);
      if (bodiless) continue;
      expect(Object.values(operation.requestBody?.content ?? {})[0], where).toHaveProperty('example');
    }
  }
});

test('every operation of the log-in says who may, and what goes wrong', () => {
  const login = operations().filter(([path]) => path.startsWith('/v1/auth/'));
  expect(login.length).toBeGreaterThan(10);
  for (const [path, method, operation] of login) {
    const where = `${method} ${path}`;
    expect(operation.tags, where).toEqual(['Log-in']);
    const open = operation.security?.length === 0;
    expect(/Needs a log-in/.test(operation.description), where).toBe(!open);
    if (!open) expect(operation.security, where).toEqual([{ console: [] }]);
    for (const status of open ? ['403', '429', '503'] : ['401', '403', '429', '503']) {
      expect(operation.responses[status]?.content, where).toHaveProperty(['application/problem+json']);
    }
    if (!operation.requestBody) continue;
    expect(Object.keys(operation.responses), where).toContain('422');
    expect(Object.values(operation.requestBody.content)[0], where).toHaveProperty('example');
  }
});

test('every response is described, and every reference leads somewhere', () => {
  for (const [path, method, operation] of operations()) {
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(response.description, `${method} ${path} ${status}`).not.toMatch(
        /^(|Default Response|undefined\.)$/,
      );
    }
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    (match) => match[1] ?? '',
  );
  expect(references.length).toBeGreaterThan(50);
  for (const reference of new Set(references)) {
    const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(reference) ?? [];
    expect(document.components.schemas, reference).toHaveProperty(name ?? '?');
  }
});

test('schemas are JSON Schema 2020-12: known keywords and right types only', () => {
  const wrong: string[] = [];
  const visit = (schema: unknown, where: string): void => {
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return void wrong.push(where);
    for (const [keyword, value] of Object.entries(schema)) {
      const check = keywords[keyword];
      if (!check?.(value)) wrong.push(`${where}: ${keyword}`);
    }
    const { properties, items, anyOf, additionalProperties } = schema as Record<string, unknown>;
    for (const [name, inner] of Object.entries(properties ?? {})) visit(inner, `${where}.${name}`);
    if (items !== undefined) visit(items, `${where}[]`);
    for (const [index, inner] of Object.entries((anyOf ?? []) as unknown[]))
      visit(inner, `${where}|${index}`);
    if (typeof additionalProperties === 'object') visit(additionalProperties, `${where}.*`);
  };
  for (const [name, schema] of Object.entries(document.components.schemas)) visit(schema, name);
  for (const [path, method, operation] of operations()) {
    for (const parameter of operation.parameters ?? []) {
      visit((parameter as { schema?: unknown }).schema, `${method} ${path} ${parameter.name}`);
    }
  }
  expect(wrong).toEqual([]);
});

const isText = (value: unknown) => typeof value === 'string';
const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isFlag = (value: unknown) => typeof value === 'boolean';
const types = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'];
const keywords: Record<string, (value: unknown) => boolean> = {
  $ref: isText,
  type: (value) => types.includes(String(value)),
  title: isText,
  description: isText,
  format: isText,
  pattern: (value) => new RegExp(String(value), 'u') instanceof RegExp,
  contentMediaType: isText,
  enum: Array.isArray,
  const: () => true,
  examples: Array.isArray,
  example: () => true,
  properties: isObject,
  required: (value) => Array.isArray(value) && value.every(isText),
  additionalProperties: (value) => isFlag(value) || isObject(value),
  items: isObject,
  anyOf: Array.isArray,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  propertyNames: isObject,
  minProperties: isCount,
  maxProperties: isCount,
  uniqueItems: isFlag,
  writeOnly: isFlag,
  minimum: (value) => typeof value === 'number',
  maximum: (value) => typeof value === 'number',
};

test('the language of programs is described, refers to itself and to nothing else', () => {
  const schemas = document.components.schemas as Record<string, { anyOf?: unknown[]; properties?: Json }>;
  expect(schemas['ProgramDefinition']?.properties).toHaveProperty('rules');
  const verbs = (schemas['ProgramStep']?.anyOf ?? []).map((step) =>
    Object.keys((step as { properties: Json }).properties),
  );
  expect(verbs.flat().sort()).toEqual(
    ['announce', 'ask', 'connect', 'forward', 'menu', 'refuse', 'use', 'voicemail'].sort(),
  );
  const program = { $ref: '#/components/schemas/SessionProgram' };
  for (const name of ['NewSession', 'SessionChange', 'Session']) {
    expect(schemas[name]?.properties?.['program'], name).toEqual(program);
  }
  for (const name of ['NewProgram', 'ProgramChange', 'Program', 'DefinitionTest']) {
    const definition = { $ref: '#/components/schemas/ProgramDefinition' };
    expect(schemas[name]?.properties?.['definition'], name).toEqual(definition);
  }
  expect(schemas['BulkItem']?.anyOf).toHaveLength(3);
});

test('the reference is served from here and may fetch from nowhere else', async () => {
  const page = await api.call('GET', '/reference/', { key: null });
  expect(page.status).toBe(200);
  expect(page.text).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i);
  const policy = page.headers['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|\*/);
  const script = /<script src="([^"]+)"/.exec(page.text)?.[1] ?? '';
  expect((await api.call('GET', `/reference/${script}`, { key: null })).status).toBe(200);
});
