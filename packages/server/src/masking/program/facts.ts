/** What expressions see, in CEL's own kinds of values, each with its size: the bound on an expression's work needs it. */
import type { NowFacts, ProgramFacts } from './types.ts';

/** Values within a value (itself included), and characters of all its texts together. */
export interface Size {
  readonly items: number;
  readonly chars: number;
}

export interface Prepared {
  readonly context: Readonly<Record<string, unknown>>;
  /** By keys from the variable on: `session`, `metadata`, `priority`. What is not there has no size. */
  sizeOf(path: readonly string[]): Size;
  /** Nothing is larger than sessions may have it: see `ceiling`. */
  readonly ordinary: boolean;
}

/** The largest metadata (16 KiB of JSON), and more than any other text has. */
export const ceiling = {
  metadata: { items: 8_192, chars: 16_384 },
  roles: { items: 16, chars: 512 },
  text: { items: 1, chars: 512 },
};

/** The types of the variables: unknown fields are refused when a program is saved. */
export const schemas = {
  call: { kind: 'string', number: 'string', country: 'string', pool: 'string' },
  caller: { role: 'string', participant: 'string', locale: 'string', country: 'string', trusted: 'bool' },
  session: {
    id: 'string',
    reference: 'string',
    metadata: 'map<string, dyn>',
    age: 'int',
    remaining: 'int',
    recording: 'string',
    roles: 'list<string>',
    closed: 'bool',
  },
  attempt: {
    calls: 'int',
    answered: 'int',
    connected: 'int',
    minutes: 'int',
    sinceLast: 'int',
    recent: 'int',
  },
  now: {
    year: 'int',
    month: 'int',
    day: 'int',
    hour: 'int',
    minute: 'int',
    weekday: 'string',
    date: 'string',
    time: 'string',
    timeZone: 'string',
    epoch: 'int',
  },
} as const;

/**
 * Levels of metadata that expressions see, itself the first; below that there is null. The library keeps every type that it has met
 * (`list<map<string, list<…>>>`) for good: deeper values would let tenants fill its memory.
 */
const deepest = 8;
const nothing: Size = { items: 1, chars: 0 };

export function prepareFacts(facts: ProgramFacts, now: NowFacts): Prepared {
  const sizes = new Map<unknown, Size>();
  const { session } = facts;
  const made = toCel(session.metadata, deepest, sizes);
  const context: Record<string, unknown> = {
    call: facts.call,
    caller: facts.caller,
    attempt: integers(facts.attempt),
    now: { ...integers(now), weekday: now.weekday, date: now.date, time: now.time, timeZone: now.timeZone },
    session: {
      id: session.id,
      reference: session.reference,
      recording: session.recording,
      closed: session.closed,
      age: whole(session.age),
      remaining: whole(session.remaining),
      roles: toCel(session.roles, deepest, sizes),
      metadata: made,
    },
  };
  const metadata = sizeOfValue(made, sizes);
  return {
    context,
    ordinary:
      metadata.items <= ceiling.metadata.items &&
      metadata.chars <= ceiling.metadata.chars &&
      session.reference.length <= ceiling.text.chars &&
      session.roles.length < ceiling.roles.items,
    sizeOf(path) {
      const value = path.reduce<unknown>((from, key) => {
        if (from instanceof Map) return from.get(key);
        return typeof from === 'object' && from !== null && Object.hasOwn(from, key)
          ? Reflect.get(from, key)
          : undefined;
      }, context);
      return sizeOfValue(value, sizes);
    },
  };
}

/** Maps instead of objects, so that no key means anything but itself (`constructor`, `__proto__`). */
function toCel(value: unknown, levels: number, sizes: Map<unknown, Size>): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null || levels === 0) return null;
  let items = 1;
  let chars = 0;
  const within = (one: unknown): unknown => {
    const made = toCel(one, levels - 1, sizes);
    const size = sizeOfValue(made, sizes);
    items += size.items;
    chars += size.chars;
    return made;
  };
  const made = Array.isArray(value)
    ? value.map(within)
    : new Map(
        Object.entries(value).map(([key, one]) => {
          chars += key.length;
          return [key, within(one)];
        }),
      );
  sizes.set(made, { items, chars });
  return made;
}

function sizeOfValue(value: unknown, sizes: ReadonlyMap<unknown, Size>): Size {
  if (typeof value === 'string') return { items: 1, chars: value.length };
  return sizes.get(value) ?? nothing;
}

function integers(facts: object): Record<string, bigint> {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, whole(value)] as const] : [],
    ),
  );
}

function whole(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.floor(value)) : 0n;
}
