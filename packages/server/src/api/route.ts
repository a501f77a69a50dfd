/** What all routes share: the typed instance, the document's words, pages, and the check of ids. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import { MaskingError, type MaskingErrorCode, type Page, type PageRequest } from '../masking/service.ts';
import { invalid, invalidParameter, maskName } from './input.ts';
import { Problem } from './problem.ts';
import type { ProblemCode } from './problem-kinds.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Problems of this route besides those that every route has; for the OpenAPI document. */
    readonly problems?: readonly ProblemCode[];
  }
}

export type Tag =
  | 'Sessions'
  | 'Calls'
  | 'Programs'
  | 'Destinations'
  | 'Numbers'
  | 'Pools'
  | 'Carriers'
  | 'Blocks'
  | 'Events'
  | 'Settings'
  | 'Ledger'
  | 'Custody'
  | 'Disputes'
  | 'Privacy'
  | 'Webhooks'
  | 'Users'
  | 'Log-in'
  | 'API keys'
  | 'Operations';

export function words(tag: Tag, operationId: string, summary: string, description?: string) {
  return { tags: [tag], operationId, summary, ...(description === undefined ? {} : { description }) };
}

const defaultLimit = 50;

/** For a POST that takes nothing: what stands in a body would have no effect, so it is refused. */
export function refuseBody(body: unknown): void {
  if (body === undefined || body === null) return;
  if (typeof body !== 'object' || Array.isArray(body))
    throw invalid([{ pointer: '', detail: 'must be empty' }]);
  const extra = Object.keys(body).slice(0, maxExtra);
  if (extra.length > 0) {
    throw invalid(extra.map((name) => ({ pointer: `/${maskName(name)}`, detail: 'unknown field' })));
  }
}
const maxExtra = 20;

/** Reads `limit` and `after`; a cursor of another kind is refused instead of starting somewhere. */
export function pageOfQuery(
  query: { readonly limit?: number; readonly after?: string },
  prefix: string,
  inBody = false,
): PageRequest {
  const { limit = defaultLimit, after } = query;
  if (after === undefined) return { limit };
  if (!isId(prefix, after)) {
    const detail = 'must be the `next` of the page before';
    throw inBody ? invalid([{ pointer: '/after', detail }]) : invalidParameter('after', detail);
  }
  return { limit, after };
}

export function renderPage<Item, Rendered>(page: Page<Item>, render: (item: Item) => Rendered) {
  return { items: page.items.map(render), ...(page.next === undefined ? {} : { next: page.next }) };
}

/** Whatever cannot be an id of this kind is unknown: said here, before it reaches the database. */
export function checkId(prefix: string, id: string): string {
  if (!isId(prefix, id)) throw notFound();
  return id;
}

export function notFound(): Problem {
  return new Problem('not-found', 'There is nothing of this id.');
}

/** The query parameter is an id of this kind. */
export function checkIdParameter(name: string, prefix: string, id: string | undefined, what: string): void {
  if (id !== undefined && !isId(prefix, id)) throw invalidParameter(name, `must be the id of ${what}`);
}

/** What is named by an id or by a name of its own: whatever cannot be either is unknown. */
export function checkName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) throw notFound();
  return name;
}

export function isId(prefix: string, id: string): boolean {
  return id.startsWith(`${prefix}_`) && /^[a-z]+_[0-9a-f]{32}$/.test(id);
}

/** What the path names and the heart does not know is not found; in a body it would be the input that is wrong. */
export function asNotFound(code: MaskingErrorCode): (error: unknown) => never {
  return (error) => {
    throw error instanceof MaskingError && error.code === code ? notFound() : error;
  };
}

/** A time in the request; the schema has checked its form, the calendar is checked here. */
export function readTime(text: string, pointer: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw invalid([{ pointer, detail: 'is no time of the calendar' }]);
  return date;
}

/** Copies only the fields that are there: optional fields are absent, never undefined. */
export function present<Fields extends Readonly<Record<string, unknown>>>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
}
