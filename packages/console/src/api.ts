/**
 * The way to the API: one cookie, one CSRF token, problem documents (RFC 9457) as typed errors. Nothing is kept but the
 * token, in memory. A 401 on anything but a log-in means that the log-in ended: whoever listens is told.
 */
import type { ListOf } from './types.ts';

export interface ProblemPlace {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

/** What the API refused, or what kept it from answering. `detail` never repeats what was sent. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  /** Last part of the problem's type: `dispute-changed`; `network` when nothing answered. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly ProblemPlace[];
  /** Id of the request, which the log has too. */
  readonly instance: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: {
    readonly code: string;
    readonly status: number;
    readonly title: string;
    readonly detail: string;
    readonly errors?: readonly ProblemPlace[];
    readonly instance?: string | undefined;
    readonly retryAfterSeconds?: number | undefined;
  }) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.instance = problem.instance;
    this.retryAfterSeconds = problem.retryAfterSeconds;
  }

  /** What is wrong with one field of the body, by its JSON pointer: `/statement`. */
  at(pointer: string): string | undefined {
    return this.errors.find((place) => place.pointer === pointer)?.detail;
  }
}

export function isProblem(error: unknown, ...codes: readonly string[]): error is ProblemError {
  return error instanceof ProblemError && (codes.length === 0 || codes.includes(error.code));
}

let csrf = '';
/** From `GET /v1/auth/me` or an answered log-in. */
export function setCsrf(token: string): void {
  csrf = token;
}

let onLoggedOut: () => void = () => undefined;
export function whenLoggedOut(listener: () => void): void {
  onLoggedOut = listener;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** A 401 is an answer to read, not the end of the log-in. */
  readonly anonymous?: boolean;
  /** A body that is no JSON; name its type in `headers`. */
  readonly raw?: string;
}

/** Path with its parts encoded: at`/v1/sessions/${id}`. */
export function at(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((path, part, index) => path + part + encodeURIComponent(values[index] ?? ''), '');
}

/** The raw answer, once it is known to be a good one: for audio and files. */
export async function request(
  method: string,
  path: string,
  body: unknown,
  { headers = {}, signal, anonymous = false, raw }: RequestOptions = {},
): Promise<Response> {
  const answer = await send(path, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: {
      accept: 'application/json, application/problem+json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'GET' ? {} : { 'x-csrf-token': csrf }),
      ...headers,
    },
    ...(raw === undefined ? {} : { body: raw }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  if (answer.ok) return answer;
  const problem = await readProblem(answer);
  // A password that was asked for once more and did not fit is not the end of the log-in.
  if (answer.status === 401 && !anonymous && problem.code !== 'wrong-credentials') onLoggedOut();
  throw problem;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ProblemError({ code: 'network', status: 0, title: 'network', detail: 'network' });
  }
}

async function readProblem(answer: Response): Promise<ProblemError> {
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  const type = answer.headers.get('content-type') ?? '';
  const body: unknown = type.includes('json') ? await answer.json().catch(() => undefined) : undefined;
  if (!isProblemDocument(body)) {
    const title = answer.statusText || String(answer.status);
    return new ProblemError({
      ...{ code: 'unreadable', status: answer.status, title, detail: title, retryAfterSeconds },
    });
  }
  return new ProblemError({
    code: body.type.split('/').at(-1) ?? 'unreadable',
    status: answer.status,
    title: body.title,
    detail: body.detail,
    errors: body.errors ?? [],
    instance: body.instance,
    retryAfterSeconds,
  });
}

interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly instance?: string;
  readonly errors?: readonly ProblemPlace[];
}
function isProblemDocument(body: unknown): body is ProblemDocument {
  if (typeof body !== 'object' || body === null) return false;
  return (
    'type' in body &&
    typeof body.type === 'string' &&
    'title' in body &&
    typeof body.title === 'string' &&
    'detail' in body &&
    typeof body.detail === 'string'
  );
}

async function json<T>(method: string, path: string, body: unknown, options?: RequestOptions): Promise<T> {
  const answer = await request(method, path, body, options);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** `undefined` values are left out. */
export function withQuery(path: string, query: Query): string {
  const entries = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return entries.length === 0 ? path : `${path}?${new URLSearchParams(entries)}`;
}

export const api = {
  get: <T>(path: string, query: Query = {}, options?: RequestOptions) =>
    json<T>('GET', withQuery(path, query), undefined, options),
  post: <T = void>(path: string, body?: unknown, options?: RequestOptions) =>
    json<T>('POST', path, body, options),
  patch: <T>(path: string, body: unknown, options?: RequestOptions) => json<T>('PATCH', path, body, options),
  put: <T>(path: string, body: unknown, options?: RequestOptions) => json<T>('PUT', path, body, options),
  /** DELETE. */
  remove: <T = void>(path: string, options?: RequestOptions & { readonly body?: unknown }) =>
    json<T>('DELETE', path, options?.body, options),
};

/** Items of pages in order, each once: what moved from one page to another between two requests is not shown twice. */
export function mergePages<T>(pages: readonly ListOf<T>[], idOf: (item: T) => string): readonly T[] {
  const seen = new Set<string>();
  return pages.flatMap(({ items }) =>
    items.filter((item) => {
      const id = idOf(item);
      if (seen.has(id)) return false;
      seen.add(id);
      return true;
    }),
  );
}

/** Saves an answer as a file, by the name that the server gave it. */
export async function saveAs(answer: Response, fallbackName: string): Promise<void> {
  const disposition = answer.headers.get('content-disposition') ?? '';
  const name = /filename="([^"]+)"/.exec(disposition)?.[1] ?? fallbackName;
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
