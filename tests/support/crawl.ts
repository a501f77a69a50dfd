/**
 * A crawler of the API: asks every GET of the OpenAPI document with every id that any answer named, until nothing new
 * comes, and keeps what it was told. `searcherOf` then says which of it holds what it must not.
 */
import { createHash } from 'node:crypto';
import type { Canary } from './canaries.ts';
import { canarySearch, describeHits } from './canaries.ts';
import type { Asker } from './crowd.ts';
import type { ApiCall } from './platform.ts';

/** One answer, or anything else that came out of the platform. */
export interface Told {
  /** `GET /v1/sessions/{id}`, or another name of a place. */
  readonly route: string;
  readonly who: string;
  readonly url: string;
  readonly status: number;
  readonly bytes: Buffer;
}
interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: { readonly enum?: readonly string[]; readonly type?: string };
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly example?: unknown }>>;
  };
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Whose ids stand at which place of a path. */
const places: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/sessions\/\{id\}/, 'ses'],
  [/^\/v1\/calls\/\{id\}/, 'call'],
  [/^\/v1\/programs\/\{id\}/, 'prg'],
  [/^\/v1\/numbers\/\{id\}/, 'num'],
  [/^\/v1\/carriers\/\{id\}/, 'car'],
  [/^\/v1\/downloads\/\{id\}/, 'dwn'],
  [/^\/v1\/disputes\/\{id\}/, 'dsp'],
  [/^\/v1\/holds\/\{id\}/, 'hld'],
  [/^\/v1\/privacy\/requests\/\{id\}/, 'prv'],
  [/^\/v1\/webhooks\/\{id\}/, 'whk'],
  [/^\/v1\/users\/\{id\}/, 'usr'],
];
/** Of each kind so many are asked about: more of the same shape tell nothing new. */
const mostOfAKind = 12;
const mostPages = 10;

/** Required query parameters, and headers that a GET needs. */
const needed: Readonly<Record<string, string>> = {
  '/v1/plan':
    '?sessionsPerHour=10&durationSeconds=600&agents=20&customers=100&busiestAgentPerDay=10&busiestCustomerPerDay=2',
};
/** Opens a stream that never ends; listened to elsewhere. */
const streams = new Set(['/v1/live']);

export async function crawl(call: ApiCall, document: Document, asker: Asker): Promise<readonly Told[]> {
  const told: Told[] = [];
  const ids = new Map<string, Set<string>>();
  const asked = new Set<string>();
  const learn = (text: string) => {
    for (const [found, prefix = ''] of text.matchAll(/\b([a-z]{3,4})_[0-9a-f]{32}\b/g)) {
      const known = ids.get(prefix) ?? new Set();
      ids.set(prefix, known);
      if (known.size < mostOfAKind) known.add(found);
    }
    for (const [, name = ''] of text.matchAll(/"(?:pool|name)":"([A-Za-z][A-Za-z0-9_-]{0,62})"/g)) {
      ids.set('name', (ids.get('name') ?? new Set()).add(name));
    }
  };
  const ask = async (path: string, url: string): Promise<string | undefined> => {
    if (asked.has(url)) return undefined;
    asked.add(url);
    const headers = { ...asker.headers, 'x-access-reason': 'a look around' };
    const answer = await call('GET', url, undefined, headers);
    const bytes = Buffer.concat([Buffer.from(`${JSON.stringify([...answer.headers])}\r\n`), answer.bytes]);
    told.push({ route: `GET ${path}`, who: asker.who, url, status: answer.status, bytes });
    if (answer.body !== undefined) learn(answer.text);
    return answer.body?.next;
  };
  const gets = Object.entries(document.paths).flatMap(([path, methods]) => {
    const { get } = methods;
    return get && !streams.has(path) ? [[path, get] as const] : [];
  });
  for (let before = -1; before !== asked.size; ) {
    before = asked.size;
    for (const [path, operation] of gets) {
      for (const url of urlsOf(path, ids)) {
        for (const query of queriesOf(path, operation)) {
          let next = await ask(path, `${url}${query}`);
          for (let page = 1; next !== undefined && page < mostPages; page++) {
            next = await ask(path, `${url}${query}${query ? '&' : '?'}after=${encodeURIComponent(next)}`);
          }
        }
      }
    }
  }
  return told;
}

function urlsOf(path: string, ids: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  if (!path.includes('{')) return [path];
  const kind = places.find(([place]) => place.test(path))?.[1] ?? 'name';
  return [...(ids.get(kind) ?? [])].map((id) => path.replace(/\{\w+\}/, id));
}

/** None, and each value of each choice; lists in small pages, too, so that `next` is followed. */
function queriesOf(path: string, { parameters = [] }: Operation): readonly string[] {
  const always = needed[path] ?? '';
  const queries = [always];
  for (const { in: where, name, schema } of parameters) {
    if (where !== 'query') continue;
    for (const value of schema.enum ?? []) queries.push(`?${name}=${value}`);
    if (name === 'limit') queries.push('?limit=7');
  }
  return queries;
}

/** POSTs that only read; each asked as everybody. */
export async function ask(
  call: ApiCall,
  asker: Asker,
  route: string,
  url: string,
  body?: unknown,
): Promise<Told> {
  const method = route.split(' ')[0] ?? 'GET';
  const { status, headers, bytes } = await call(method, url, body, asker.headers);
  const all = Buffer.concat([Buffer.from(`${JSON.stringify([...headers])}\r\n`), bytes]);
  return { route, who: asker.who, url, status, bytes: all };
}

/** Every request of the document with `wrong` in the place of one of its values or names. */
export function wrongRequests(
  document: Document,
  wrong: string,
  known: (path: string) => string,
): readonly { readonly route: string; readonly at: string; readonly url: string; readonly body: unknown }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const route = `${method.toUpperCase()} ${path}`;
      const example = operation.requestBody?.content['application/json']?.example;
      const bodies = example === undefined ? [] : [...replaced(example, wrong), ['', wrong] as const];
      const query = (operation.parameters ?? []).filter((one) => one.in === 'query');
      return [
        ...bodies.map(([at, body]) => ({ route, at, url: known(path), body })),
        ...query.map(({ name }) => {
          const url = `${known(path)}?${name}=${encodeURIComponent(wrong)}`;
          return { route, at: `?${name}`, url, body: example };
        }),
        ...(path.includes('{')
          ? [{ route, at: path, url: path.replace(/\{\w+\}/g, encodeURIComponent(wrong)), body: example }]
          : []),
      ];
    }),
  );
}

/** With each leaf replaced, and each object with a field of that name. */
function replaced(value: unknown, wrong: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [['', wrong]];
  const copies = Object.entries(value).flatMap(([name, inner]) =>
    replaced(inner, wrong).map(([at, changed]) => {
      const copy = structuredClone(value) as Record<string, unknown>;
      copy[name] = changed;
      return [`/${name}${at}`, copy] as const;
    }),
  );
  return Array.isArray(value) ? copies : [...copies, ['/+', { ...value, [wrong]: wrong }]];
}

/** Where a canary may stand: the route, and which ones. */
export interface Allowed {
  readonly where: RegExp;
  readonly what: readonly string[];
}

export function searcherOf(canaries: readonly Canary[], allowed: readonly Allowed[]) {
  const search = canarySearch(canaries, 6);
  const seen = new Set<string>();
  /** How often each was found where it may stand: the control. */
  const expected = new Map<string, number>();
  return {
    expected,
    search({ route, who, url, status, bytes }: Told): readonly string[] {
      const digest = createHash('sha256').update(route).update(bytes).digest('hex');
      if (seen.has(digest)) return [];
      seen.add(digest);
      const leaks = search(bytes).filter(({ canary }) => {
        const may = allowed.some(({ where, what }) => where.test(route) && what.includes(canary.value));
        if (may) expected.set(canary.value, (expected.get(canary.value) ?? 0) + 1);
        return !may;
      });
      return describeHits(leaks).map((hit) => `${who}: ${route} ${status} (${url}): ${hit}`);
    },
  };
}
