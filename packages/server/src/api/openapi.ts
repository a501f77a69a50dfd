/**
 * The OpenAPI 3.1 document, made from the routes' own schemas. What every route has (problems, the idempotency
 * header) is added here once; schemas with a title become named ones, so that generated clients have good types.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import { problemMediaType } from './problem.ts';
import { type ProblemCode, problemKinds } from './problem-kinds.ts';
import { problemSchema } from './schemas/common.ts';
import { programLanguage } from './schemas/programs.ts';
import { bulkItemSchemas } from './schemas/sessions.ts';

const description = `Two people reach each other through virtual numbers for exactly as long as the job lasts.

Real phone numbers go in and never come out: answers show them masked. Errors are problem documents (RFC 9457) whose
\`type\` can be opened. Every POST takes an \`Idempotency-Key\` (1 to 255 visible ASCII characters), kept for 24 hours:
the same key and request give the same answer, with \`Idempotent-Replayed: true\`; another request is 409. Refusals are
not kept. Lists give \`next\` while there is more: send it as \`after\`. Times are RFC 3339, UTC.`;

type Json = Record<string, unknown>;

/** Schemas that no route holds in full: recursive ones, and items that are checked one by one. */
const knownSchemas: Readonly<Record<string, unknown>> = {
  ...programLanguage,
  BulkItem: {
    anyOf: Object.values(bulkItemSchemas),
    description: 'One of these, by `action`. Each is done on its own.',
  },
};

export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Samar',
        version,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This installation' }],
      tags: tags.map(([name, words]) => ({ name, description: words })),
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key. Each operation names its scope.',
          },
          console: {
            type: 'apiKey',
            in: 'cookie',
            name: '__Host-samar',
            description:
              'Who is logged in (`samar` without TLS). All but GET and HEAD need the header `X-CSRF-Token` too, which `GET /v1/auth/me` gives. What a user may do is by role.',
          },
        },
      },
      security: [{ apiKey: [] }, { console: [] }],
    },
    transform: ({ schema, url, route }) => ({ schema: completed(schema, route), url }),
    transformObject: (document) => {
      if (!('openapiObject' in document)) throw new Error('expected an OpenAPI document');
      const named = withNamedSchemas(document.openapiObject as unknown as Json, knownSchemas);
      return named as typeof document.openapiObject;
    },
  });
  app.get('/openapi.json', { schema: { hide: true } as FastifySchema }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(app.swagger()),
  );
}

const tags = [
  ['Sessions', 'The link between participants for one job.'],
  ['Calls', 'What was carried, why, and its recordings.'],
  ['Programs', 'Who is reached by whom, when: rules, tried out without a call.'],
  ['Destinations', 'Your own numbers that programs may forward to.'],
  ['Numbers', 'The virtual numbers that we own.'],
  ['Pools', 'Named sets of virtual numbers.'],
  ['Carriers', 'Who carries our calls.'],
  ['Blocks', 'Who may not reach whom any more, across all sessions.'],
  ['Events', 'What happened, for your own systems.'],
  ['Settings', 'What holds where no session or program says otherwise.'],
  ['Ledger', "Every use of a person's data, chained and signed."],
  ['Custody', 'Recordings: who takes them out, how long they are kept, and holds.'],
  ['Disputes', 'Complaints under investigation, from the first word to the verdict.'],
  ['Privacy', 'What a person can ask for: export, erasure, restriction; and the breach report.'],
  ['Webhooks', 'Endpoints of your own that hear of events, signed and retried.'],
  ['Users', 'The people of the business who use the console.'],
  ['Log-in', 'How they prove who they are.'],
  ['API keys', 'Who may use this API, and for what.'],
  ['Operations', 'Health and metrics.'],
] as const;

const everywhere: readonly ProblemCode[] = ['malformed-request', 'unavailable', 'internal'];
const keyed: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'rate-limited', 'database-unavailable'];
const open: readonly ProblemCode[] = ['forbidden', 'rate-limited', 'database-unavailable'];
const withBody: readonly ProblemCode[] = ['malformed-json', 'invalid', 'unsupported-media-type', 'too-large'];
const withKey: readonly ProblemCode[] = ['idempotency-mismatch', 'idempotency-in-progress'];

function completed(schema: FastifySchema | undefined, route: RouteOptions): FastifySchema {
  const config = (route.config ?? {}) as {
    scope?: string;
    login?: 'user' | 'open';
    problems?: readonly ProblemCode[];
  };
  const post = route.method === 'POST' && config.scope !== undefined;
  const codes = new Set<ProblemCode>([
    ...(config.problems ?? []),
    ...(config.scope === undefined && config.login !== 'user' ? [] : [...keyed, ...everywhere]),
    ...(config.login === 'open' ? [...open, ...everywhere] : []),
    ...(schema?.body === undefined ? [] : withBody),
    ...(post ? withKey : []),
  ]);
  const needs = config.login === 'user' ? 'Needs a log-in: the cookie of the console.' : '';
  const scope = config.scope === undefined ? needs : `Needs the scope \`${config.scope}\`.`;
  const security =
    config.login === undefined ? {} : { security: config.login === 'user' ? [{ console: [] }] : [] };
  const own = (schema as { description?: string } | undefined)?.description ?? '';
  return {
    ...schema,
    ...security,
    description: [own, scope].filter((text) => text !== '').join('\n\n'),
    ...(post ? { headers: idempotencyHeader(schema?.headers as Json | undefined) } : {}),
    response: { ...described((schema?.response ?? {}) as Json), ...problemResponses([...codes]) },
  } as FastifySchema;
}

/** Says what an answer is, by the title of its schema. */
function described(responses: Json): Json {
  const entries = Object.entries(responses).map(([status, response]) => {
    const { title, description: own, content } = response as Json;
    if (own !== undefined || content !== undefined) return [status, response];
    const words = String(title).replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
    return [status, { description: `${words}.`, content: { 'application/json': { schema: response } } }];
  });
  return Object.fromEntries(entries) as Json;
}

function idempotencyHeader(own: Json | undefined): Json {
  const properties = (own?.['properties'] ?? {}) as Json;
  return {
    type: 'object',
    properties: {
      ...properties,
      'Idempotency-Key': {
        type: 'string',
        pattern: '^[!-~]{1,255}$',
        description: 'The same key and request give the same answer for 24 hours.',
        examples: ['1b0a7b5e-open-order-1009'],
      },
    },
  };
}

function problemResponses(codes: readonly ProblemCode[]): Json {
  const byStatus = Map.groupBy(codes, (code) => problemKinds[code].status);
  const entries = [...byStatus].map(([status, same]) => [
    String(status),
    {
      description: same.map((code) => `\`${code}\`: ${problemKinds[code].title}`).join('; '),
      content: { [problemMediaType]: { schema: problemSchema } },
    },
  ]);
  return Object.fromEntries(entries) as Json;
}

/**
 * Moves every schema with a title to `components.schemas`, once, and refers to it. Schemas that are known by name
 * (the language of programs, which refers to itself) stand there as they are, whatever bears their title.
 */
function withNamedSchemas(document: Json, known: Readonly<Record<string, unknown>>): Json {
  const named: Json = {};
  const visit = (value: unknown, titled: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => visit(item, true));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([name, inner]) => [
      name,
      name === 'examples' || name === 'example' ? inner : visit(inner, true),
    ]);
    const copy = Object.fromEntries(entries) as Json;
    const { title, $ref } = copy;
    if (typeof $ref === 'string' && !$ref.startsWith('#')) return { $ref: reference($ref) };
    if (!titled || typeof title !== 'string') return copy;
    if (!(title in known)) {
      if (copy['type'] !== 'object') return copy;
      named[title] ??= copy;
    }
    return { $ref: reference(title) };
  };
  const paths = visit(document['paths'], true) as Json;
  for (const [name, schema] of Object.entries(known)) named[name] = visit(schema, false);
  const components = (document['components'] ?? {}) as Json;
  return { ...document, paths, components: { ...components, schemas: named } };
}

function reference(name: string): string {
  return `#/components/schemas/${name}`;
}
