/**
 * The door for everything a client sends. No type is coerced in a body, unknown fields are refused, and what is said
 * about a wrong input names its place and the rule, never the value.
 */
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Problem, type ProblemPlace } from './problem.ts';
import { choiceWords, patternWords } from './schemas/common.ts';

/** 1 MB: 10,000 virtual numbers take 170 kB. */
export const bodyLimitBytes = 1_048_576;
/** Deeper JSON is refused: programs of several menus in a bulk need half of it, and recursion further down stays bounded. */
const maxDepth = 64;
/** At most this many places are named in one answer. */
const maxPlaces = 20;

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const refusalOf = checker(schema, httpPart === 'body');
  const integers = httpPart === 'querystring' ? integerProperties(schema) : [];
  return (value: unknown) => {
    const input = integers.length > 0 ? readIntegers(value, integers) : value;
    // Bodies went through it when they were parsed; what stands in a path is checked as an id.
    if (httpPart === 'querystring') refuseUnstorable(input, true);
    const error = refusalOf(input);
    return error ? { error } : { value: input };
  };
};

/** What is wrong with a value by the schema, in the words of the answer; undefined when nothing is. */
export function checker(schema: TSchema, body = true): (value: unknown) => Problem | undefined {
  const check = Compile(schema);
  return (value) => {
    if (check.Check(value)) return undefined;
    return refusal(check.Errors(value) as readonly SchemaError[], value, body, schema);
  };
}

/** Only `application/json` is read. */
export function registerJsonBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') {
      // Clients that always send the header on requests without a body (DELETE, POST …/close) are not wrong.
      done(null, undefined);
      return;
    }
    void parse(request, text as string, (error, body) => {
      if (error) {
        done(new Problem('malformed-json', 'The body could not be parsed as JSON.'));
        return;
      }
      try {
        refuseUnstorable(body, false);
        done(null, body);
      } catch (problem) {
        done(problem as Error);
      }
    });
  });
}

/**
 * Text that no database column or JSON document can hold (U+0000, lone surrogates) and JSON that is too deep are
 * refused here, once, instead of failing somewhere behind.
 */
function refuseUnstorable(value: unknown, parameters: boolean): void {
  const waiting: { value: unknown; path: readonly string[] }[] = [{ value, path: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: item, path } = next;
    if (typeof item === 'string') {
      if (!storable(item)) throw unstorable(path, parameters);
    } else if (typeof item === 'object' && item !== null) {
      if (path.length >= maxDepth) {
        throw invalid([
          {
            pointer: pointerOf(path.slice(0, 3)),
            detail: `must not be nested deeper than ${maxDepth} levels`,
          },
        ]);
      }
      const list = Array.isArray(item);
      for (const [key, inner] of Object.entries(item)) {
        if (!list && !storable(key)) throw unstorable(path, parameters);
        if (typeof inner === 'string' ? !storable(inner) : typeof inner === 'object' && inner !== null) {
          waiting.push({ value: inner, path: [...path, list ? key : maskName(key)] });
        }
      }
    }
  }
}

function storable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

function unstorable(path: readonly string[], parameters: boolean): Problem {
  const detail = 'must be valid Unicode text without U+0000';
  if (parameters) return invalid([{ parameter: path[0] ?? '', detail }]);
  return invalid([{ pointer: pointerOf(path), detail }]);
}

export function invalid(errors: readonly ProblemPlace[]): Problem {
  const first = errors[0];
  const place = first?.pointer ?? first?.parameter;
  const where = place === undefined || place === '' ? 'The body' : place;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new Problem('invalid', first ? `${where}: ${first.detail}${more}.` : 'The request is not valid.', {
    errors,
  });
}

/** The same for a value that stands deeper in what was sent. */
export function inside(prefix: string, problem: Problem): Problem {
  const { errors = [] } = problem.options;
  const moved = errors.map(({ pointer = '', detail }) => ({ pointer: `${prefix}${pointer}`, detail }));
  if (problem.code === 'invalid' && moved.length > 0) return invalid(moved);
  return new Problem(problem.code, problem.message, { ...problem.options, errors: moved });
}

/** A parameter (query or header) that is wrong. */
export function invalidParameter(parameter: string, detail: string): Problem {
  return invalid([{ parameter, detail }]);
}

function refusal(all: readonly SchemaError[], input: unknown, body: boolean, schema: TSchema): Problem {
  const places = new Map<string, ProblemPlace>();
  for (const error of all) {
    for (const place of placesOf(error, all, input, body, schema)) {
      const key = `${place.pointer ?? place.parameter} ${place.detail}`;
      if (places.size < maxPlaces) places.set(key, place);
    }
  }
  return invalid([...places.values()]);
}

function placesOf(
  error: SchemaError,
  all: readonly SchemaError[],
  input: unknown,
  body: boolean,
  schema: TSchema,
): readonly ProblemPlace[] {
  const path = splitPointer(error.instancePath, input);
  const at = (more: readonly string[], detail: string): ProblemPlace =>
    body
      ? { pointer: pointerOf([...path, ...more]), detail }
      : { parameter: [...path, ...more].join('.'), detail };
  if (isInsideChoice(error, all)) return [];
  switch (error.keyword) {
    case 'additionalProperties':
      return extraNames(error).map((name) => at([maskName(name)], unknownField(name, body)));
    case 'required':
      return names(error, 'requiredProperties').map((name) => at([name], 'is missing'));
    case 'boolean':
      // Typebox reports each unknown field twice; `additionalProperties` has the better words.
      return all.some((other) => other.keyword === 'additionalProperties') ? [] : [at([], 'is not allowed')];
    case 'anyOf':
      return isNullable(error.schemaPath, error.instancePath, all)
        ? []
        : [at([], wordsOfChoice(schema, error.schemaPath))];
    default:
      return [at([], ruleOf(error))];
  }
}

/**
 * Inside of a choice only the choice itself is reported: its branches contradict one another. A value that may also be
 * null is no such choice.
 */
function isInsideChoice(error: SchemaError, all: readonly SchemaError[]): boolean {
  for (const { index, 0: branch } of error.schemaPath.matchAll(/\/anyOf\/\d+(?=\/|$)/g)) {
    const before = error.schemaPath.slice(0, index);
    if (branch !== '/anyOf/0' || !isNullable(before, error.instancePath, all)) return true;
  }
  return false;
}

function isNullable(schemaPath: string, instancePath: string, all: readonly SchemaError[]): boolean {
  return all.some(
    (other) =>
      other.schemaPath === `${schemaPath}/anyOf/1` &&
      other.params['type'] === 'null' &&
      (instancePath === other.instancePath || instancePath.startsWith(`${other.instancePath}/`)),
  );
}

function wordsOfChoice(schema: TSchema, schemaPath: string): string {
  let at: unknown = schema;
  for (const step of schemaPath.split('/').slice(1)) at = (at as Record<string, unknown> | undefined)?.[step];
  const title = (at as { title?: unknown } | undefined)?.title;
  return choiceWords.get(String(title)) ?? 'is not as the reference describes it';
}

function unknownField(name: string, body: boolean): string {
  if (!body && name === 'phone') {
    return 'real numbers are never put in a URL: use POST /v1/sessions/search';
  }
  return body ? 'unknown field' : 'unknown parameter';
}

function ruleOf(error: SchemaError): string {
  const { params } = error;
  switch (error.keyword) {
    case 'type':
      return `must be ${article(String(params['type']))}`;
    case 'enum':
      return `must be one of ${(params['allowedValues'] as readonly unknown[]).map(String).join(', ')}`;
    case 'const':
      return `must be ${String(params['allowedValue'])}`;
    case 'minimum':
    case 'exclusiveMinimum':
      return `must be at least ${String(params['limit'])}`;
    case 'maximum':
    case 'exclusiveMaximum':
      return `must be at most ${String(params['limit'])}`;
    case 'minLength':
      return `must have at least ${String(params['limit'])} characters`;
    case 'maxLength':
      return `must have at most ${String(params['limit'])} characters`;
    case 'minItems':
      return `must have at least ${String(params['limit'])} items`;
    case 'maxItems':
      return `must have at most ${String(params['limit'])} items`;
    case 'minProperties':
      return `must have at least ${String(params['limit'])} fields`;
    case 'maxProperties':
      return `must have at most ${String(params['limit'])} fields`;
    case 'uniqueItems':
      return 'must not have the same item twice';
    case 'format':
      return params['format'] === 'date-time'
        ? 'must be a time by RFC 3339, such as 2026-01-31T09:30:00Z'
        : `must be a valid ${String(params['format'])}`;
    case 'pattern':
      return patternWords.get(String(params['pattern'])) ?? 'is not written as the reference describes it';
    default:
      return 'is not as the reference describes it';
  }
}

function article(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : type === 'null' ? 'null' : `a ${type}`;
}

function extraNames(error: SchemaError): readonly string[] {
  return names(error, 'additionalProperties');
}

function names(error: SchemaError, parameter: string): readonly string[] {
  const found = error.params[parameter];
  return Array.isArray(found) ? found.map(String) : [];
}

/**
 * A field's name can be a phone number or a person's name typed in the wrong place: digits (of any script) are
 * masked, and anything that does not look like a field's name is not shown at all.
 */
export function maskName(name: string): string {
  const masked = name.replace(/\p{N}/gu, '•');
  return /^[A-Za-z_•][A-Za-z_•.$-]{0,63}$/u.test(masked) ? masked : '•';
}

function pointerOf(path: readonly string[]): string {
  return path.map((name) => `/${name}`).join('');
}

/** The steps of a pointer, names masked; digits stand only where the input really has a list. */
function splitPointer(pointer: string, input: unknown): readonly string[] {
  if (pointer === '') return [];
  let value = input;
  return pointer
    .slice(1)
    .split('/')
    .map((step) => {
      const list = Array.isArray(value);
      value =
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
      return list ? step : maskName(step);
    });
}

function integerProperties(schema: TSchema): readonly string[] {
  const properties = (schema as { properties?: Record<string, { type?: unknown }> }).properties ?? {};
  return Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
}

/** A URL knows text only: plain decimal digits are read as an integer where one is expected, and nothing else is. */
function readIntegers(value: unknown, integers: readonly string[]): unknown {
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  for (const name of integers) {
    const text = copy[name];
    if (typeof text === 'string' && /^\d{1,9}$/.test(text)) copy[name] = Number(text);
  }
  return copy;
}
