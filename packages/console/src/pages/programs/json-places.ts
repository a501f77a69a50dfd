/** Where each value stands in a JSON text, by its JSON pointer (RFC 6901): so that a fault is shown where it is. */

export interface Place {
  readonly from: number;
  readonly to: number;
}
export interface JsonPlaces {
  readonly places: ReadonlyMap<string, Place>;
  /** Where the text stops being JSON; what was read before it is in `places`. */
  readonly fault?: { readonly at: number; readonly expected: string };
}

/** Deeper is refused by the API too. */
const maxDepth = 64;

class NotJson extends Error {
  readonly at: number;
  readonly expected: string;
  constructor(at: number, expected: string) {
    super(expected);
    this.at = at;
    this.expected = expected;
  }
}

export function jsonPlaces(text: string): JsonPlaces {
  const places = new Map<string, Place>();
  try {
    const end = skip(text, readValue(text, skip(text, 0), '', places, 0));
    if (end < text.length) throw new NotJson(end, 'end');
    return { places };
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    return { places, fault: { at: error.at, expected: error.expected } };
  }
}

/** The place of the pointer, or of the nearest thing around it that is there. */
export function placeOf({ places }: JsonPlaces, pointer: string): Place | undefined {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const place = places.get(at);
    if (place || at === '') return place;
  }
}

export function lineOf(text: string, at: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index !== -1 && index < at; index = text.indexOf('\n', index + 1))
    line += 1;
  return line;
}

function skip(text: string, at: number): number {
  let end = at;
  while (end < text.length && ' \n\r\t'.includes(text[end] ?? '')) end += 1;
  return end;
}

const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 section 7 forbids exactly these within strings
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** The end of the value that begins at `at`. */
function readValue(
  text: string,
  at: number,
  pointer: string,
  places: Map<string, Place>,
  depth: number,
): number {
  if (depth > maxDepth) throw new NotJson(at, 'depth');
  const sign = text[at];
  const end =
    sign === '{'
      ? readObject(text, at, pointer, places, depth)
      : sign === '['
        ? readArray(text, at, pointer, places, depth)
        : match(sign === '"' ? string : scalar, text, at);
  if (end === undefined) throw new NotJson(at, 'value');
  places.set(pointer, { from: at, to: end });
  return end;
}

function readObject(
  text: string,
  at: number,
  pointer: string,
  places: Map<string, Place>,
  depth: number,
): number {
  let next = skip(text, at + 1);
  if (text[next] === '}') return next + 1;
  while (true) {
    const keyEnd = match(string, text, next);
    if (keyEnd === undefined) throw new NotJson(next, 'key');
    const key = String(JSON.parse(text.slice(next, keyEnd)));
    next = skip(text, keyEnd);
    if (text[next] !== ':') throw new NotJson(next, ':');
    const inner = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    next = skip(text, readValue(text, skip(text, next + 1), inner, places, depth + 1));
    if (text[next] === '}') return next + 1;
    if (text[next] !== ',') throw new NotJson(next, ', }');
    next = skip(text, next + 1);
  }
}

function readArray(
  text: string,
  at: number,
  pointer: string,
  places: Map<string, Place>,
  depth: number,
): number {
  let next = skip(text, at + 1);
  if (text[next] === ']') return next + 1;
  for (let index = 0; ; index++) {
    next = skip(text, readValue(text, next, `${pointer}/${index}`, places, depth + 1));
    if (text[next] === ']') return next + 1;
    if (text[next] !== ',') throw new NotJson(next, ', ]');
    next = skip(text, next + 1);
  }
}
