/**
 * Problem documents (RFC 9457). Each kind has a stable relative URI (`/problems/pool-exhausted`) behind which stands a
 * page that says what it means and what to change. Nothing that a client sent is ever repeated in one.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MaskingError } from '../masking/service.ts';
import { type ProblemCode, problemKinds } from './problem-kinds.ts';

/** `pointer` (RFC 6901) into the body, or `parameter`: the name of a query parameter or header. */
export interface ProblemPlace {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

export interface ProblemOptions {
  readonly errors?: readonly ProblemPlace[];
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown anywhere in a route; the error handler turns it into the answer. `detail` must not repeat input. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly options: ProblemOptions;
  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.code = code;
    this.options = options;
  }
}

export const problemMediaType = 'application/problem+json';

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const document = problemDocument(problem, request.id);
  const { retryAfterSeconds, headers } = problem.options;
  reply.code(document.status).type(problemMediaType).header('cache-control', 'no-store');
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  if (headers) reply.headers(headers);
  return reply.send(JSON.stringify(document));
}

/** `instance` is the id of the request. */
export function problemDocument(problem: Problem, instance: string) {
  const { status, title } = problemKinds[problem.code];
  const { errors = [] } = problem.options;
  return {
    ...{ type: `/problems/${problem.code}`, title, status, detail: problem.message, instance },
    ...(errors.length > 0 ? { errors: errors.map((place) => ({ ...place })) } : {}),
  };
}

/** What the heart refused, as a problem. `renamePointer` maps its view of the input to what the client wrote. */
export function fromMasking(
  error: MaskingError,
  renamePointer: (pointer: string) => string = (pointer) => pointer,
): Problem {
  const detail = error.code === 'program-invalid' ? withoutNumbers(error.message) : error.message;
  const errors =
    error.pointer === undefined ? [] : [{ pointer: safePointer(renamePointer(error.pointer)), detail }];
  const { retryAfterSeconds } = error;
  return new Problem(error.code, detail, {
    errors,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** What is said about a program repeats its words; seven digits or more, of any script, may be a phone number. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/\p{N}(?:[\s().-]*\p{N}){6,}/gu, '…');
}

/**
 * A step of a pointer may be a name that the client chose (a block of a program), and that may be a phone number or a
 * person's name: more digits than an index or a key has are masked, and what does not look like a name is not shown.
 */
function safePointer(pointer: string): string {
  return pointer
    .split('/')
    .map((step) => {
      const digits = step.match(/\p{N}/gu)?.length ?? 0;
      const masked = digits > 4 ? step.replace(/\p{N}/gu, '•') : step;
      return /^[\w•.*#~$-]{0,64}$/u.test(masked) ? masked : '•';
    })
    .join('/');
}

/** Any failure, as a problem. The detail of an unknown one is never shown: it may hold anything. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof MaskingError) return fromMasking(error);
  const code = textProperty(error, 'code');
  const name = textProperty(error, 'name');
  if (name === 'DatabaseUnavailable') {
    return new Problem('database-unavailable', 'The database cannot be reached at the moment.', {
      retryAfterSeconds: 1,
    });
  }
  if (name === 'TelephoneUnavailable') {
    return new Problem('unavailable', 'No calls are made at the moment.', { retryAfterSeconds: 5 });
  }
  if (name === 'LoginBusy') {
    return new Problem('unavailable', 'Too many people log in at once.', { retryAfterSeconds: 2 });
  }
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem(
        'unsupported-media-type',
        'The body must be JSON: send Content-Type: application/json.',
      );
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('too-large', 'The body is larger than 1 MB.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('malformed-request', 'The body is not as long as Content-Length says.');
    case 'FST_ERR_BAD_URL':
      return new Problem('malformed-request', 'The path is not validly percent-encoded.');
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return new Problem('malformed-request', 'The request cannot be routed.');
    default:
      return new Problem('internal', 'The request could not be completed.');
  }
}

function textProperty(value: unknown, name: 'code' | 'name'): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = (value as Record<string, unknown>)[name];
  return typeof found === 'string' ? found : undefined;
}
