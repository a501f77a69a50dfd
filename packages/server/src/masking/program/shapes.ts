/** Reading JSON that somebody wrote: each fault names its place by JSON pointer and says what would be right. */
import { MaskingError } from '../service.ts';

export function fault(pointer: string, words: string): never {
  throw new MaskingError('program-invalid', words, pointer);
}

/** A JSON pointer (RFC 6901) one level deeper. */
export function within(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Short, and without anything that might be a phone number. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return `\`${short.replaceAll(/\d(?:[\s().-]*\d){4,}/g, '…')}\``;
}

export function listed(names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return 'none';
  return all.length > 30 ? `${all.slice(0, 30).join(', ')}, …` : all.join(', ');
}

/** `what` begins the sentence: `A rule`. */
export function fields<Name extends string>(
  value: unknown,
  pointer: string,
  what: string,
  names: readonly Name[],
): { readonly [Key in Name]?: unknown } {
  const object = record(value, pointer, what);
  for (const key of Object.keys(object)) {
    if (!names.some((name) => name === key)) {
      fault(within(pointer, key), `${what} has no ${quoted(key)}; it has ${listed(names)}.`);
    }
  }
  return object as { readonly [Key in Name]?: unknown };
}

export function record(value: unknown, pointer: string, what: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) fault(pointer, `${what} is an object.`);
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function list(
  value: unknown,
  pointer: string,
  what: string,
  least: number,
  most: number,
): readonly unknown[] {
  if (!Array.isArray(value)) fault(pointer, `${what} are a list.`);
  if (value.length < least) fault(pointer, `${what} are at least ${least}.`);
  if (value.length > most) fault(pointer, `${what} are at most ${most}; here are ${value.length}.`);
  return value;
}

export function integer(value: unknown, pointer: string, what: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    fault(pointer, `${what} is a whole number from ${least} to ${most}.`);
  }
  return value;
}

export function optional(value: unknown, check: (value: unknown) => void): void {
  if (value !== undefined) check(value);
}

export function boolean(value: unknown, pointer: string, what: string): void {
  if (typeof value !== 'boolean') fault(pointer, `${what} is true or false.`);
}

/** What JSON can carry, as JSON carries it; at most so many bytes. */
export function plainJson(value: unknown, pointer: string, what: string, most: number): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // In a circle, too deep, or not of JSON's kinds.
  }
  if (text === undefined) fault(pointer, `${what} is JSON.`);
  if (Buffer.byteLength(text) > most) fault(pointer, `${what} has at most ${most / 1_024} KiB of JSON.`);
  // PostgreSQL's jsonb takes neither.
  if (/\\u(?:0000|d[89a-f])/.test(text)) {
    fault(pointer, `${what} has no NUL characters and no halves of characters.`);
  }
  return JSON.parse(text) as unknown;
}
