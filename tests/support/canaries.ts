/**
 * Canaries: values that exist nowhere else, planted where the far party must never see them, and a search for them
 * in every form they could travel in. A search that finds nothing proves something only when the same search finds
 * the canaries where they were planted: every test of it does that, too.
 */

export interface Canary {
  /** Where it was planted: `P-Asserted-Identity of INVITE`. */
  readonly where: string;
  readonly kind: 'number' | 'text' | 'address' | 'uuid';
  /** Numbers: E.164 with `+`. Addresses: dotted. */
  readonly value: string;
}

export interface Hit {
  readonly canary: Canary;
  readonly form: string;
  readonly at: number;
  /** Some bytes of the place, for the report of a failed test. */
  readonly near: string;
}

/** What is planted in one field. */
export interface Planted {
  readonly number: string;
  readonly name: string;
  readonly address: string;
  readonly uuid: string;
}

export interface Aviary {
  /** New canaries for a field. */
  plant(where: string): Planted;
  /** A value that came from elsewhere (a phone's real number, a Call-ID that a peer made). */
  add(canary: Canary): void;
  readonly canaries: readonly Canary[];
}

/** RFC 5737. */
const documentation = ['192.0.2', '198.51.100', '203.0.113'] as const;

/**
 * Aviaries with different `index` (0 to 2) share no canary. No number of a test may begin like those of its aviaries:
 * +6277, +6276, +6275. Addresses repeat after 254 fields: there are not more of them.
 */
export function createAviary(index: 0 | 1 | 2 = 0): Aviary {
  const canaries: Canary[] = [];
  let count = 0;
  return {
    canaries,
    add: (canary) => void canaries.push(canary),
    plant(where) {
      count += 1;
      // Spread over all digits: neighbours must not share most of their digits.
      const digits = String((count * 7_368_787 + index * 333_333_331 + 1_234_567) % 1_000_000_007).padStart(
        10,
        '0',
      );
      const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
      const mixed = Math.imul(count * 3 + index, 0x9e3779b1) >>> 0;
      const planted: Planted = {
        number: `+62${77 - index}${digits}`,
        name: `Kanari${letters(mixed)}`,
        address: `${documentation[index]}.${1 + (count % 254)}`,
        uuid: `${hex(mixed, 8)}-4f3b-4${hex(count & 0xfff, 3)}-8a5d-${hex(Math.imul(mixed, 0x85ebca6b) >>> 0, 8)}c0de`,
      };
      canaries.push(
        { where, kind: 'number', value: planted.number },
        { where, kind: 'text', value: planted.name },
        { where, kind: 'address', value: planted.address },
        { where, kind: 'uuid', value: planted.uuid },
      );
      return planted;
    },
  };
}

/** Seven letters that spell the number. */
function letters(value: number): string {
  let word = '';
  for (let rest = value; word.length < 7; rest = Math.floor(rest / 26))
    word += String.fromCharCode(97 + (rest % 26));
  return word;
}

interface Needle {
  readonly bytes: Buffer;
  readonly form: string;
  readonly canary: Canary;
}

/**
 * Every form of each canary is looked for in the bytes as they are, and in the same bytes with percent-encoding
 * undone, with everything that may stand between digits taken out, and with runs of base64 and hexadecimal decoded.
 * `shortest`: forms of fewer bytes are left out; 4 (an address in binary) is too short for megabytes of random bytes.
 */
export function findCanaries(haystack: Buffer, canaries: readonly Canary[], shortest = 4): readonly Hit[] {
  return canarySearch(canaries, shortest)(haystack);
}

/** The same for many haystacks: the forms are made once. */
export function canarySearch(
  canaries: readonly Canary[],
  shortest = 4,
): (haystack: Buffer) => readonly Hit[] {
  const search = searcher(canaries.flatMap(formsOf).filter(({ bytes }) => bytes.length >= shortest));
  return (haystack) =>
    views(haystack).flatMap(({ name, bytes }) =>
      search(bytes).map(({ needle, at }) => ({
        canary: needle.canary,
        form: `${needle.form}${name}`,
        at,
        near: printable(bytes.subarray(Math.max(0, at - 40), at + needle.bytes.length + 40)),
      })),
    );
}

/** For many megabytes: only numbers and names, as they are. */
export function findPlain(haystack: Buffer, canaries: readonly Canary[]): readonly Hit[] {
  const needles = canaries
    .filter(({ kind }) => kind === 'number' || kind === 'text')
    .map((canary): Needle => {
      const text = canary.kind === 'number' ? canary.value.slice(3) : canary.value;
      return { canary, form: 'as it is', bytes: fold(Buffer.from(text)) };
    });
  return searcher(needles)(fold(haystack)).map(({ needle, at }) => ({
    canary: needle.canary,
    form: needle.form,
    at,
    near: printable(haystack.subarray(Math.max(0, at - 40), at + 60)),
  }));
}

/** One line a hit, each place and form once: what a failed expectation prints. */
export function describeHits(hits: readonly Hit[]): readonly string[] {
  const lines = new Set(
    hits.map(({ canary, form, near }) => `${canary.where} (${canary.kind}, ${form}): …${near}…`),
  );
  return [...lines].slice(0, 50);
}

function printable(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
}

// ---------------------------------------------------------------- forms

function formsOf(canary: Canary): readonly Needle[] {
  const needles: Needle[] = [];
  const add = (form: string, bytes: Buffer) => {
    if (bytes.length >= 4) needles.push({ form, canary, bytes: fold(bytes) });
  };
  for (const [form, text] of textsOf(canary)) {
    add(form, Buffer.from(text));
    add(`${form}, reversed`, Buffer.from([...text].reverse().join('')));
    add(`${form}, UTF-16`, Buffer.from(text, 'utf16le'));
    add(`${form}, hexadecimal`, Buffer.from(Buffer.from(text).toString('hex')));
    for (const [place, part] of base64Of(Buffer.from(text))) add(`${form}, base64 at ${place}`, part);
  }
  for (const [form, bytes] of binariesOf(canary)) add(form, bytes);
  return needles;
}

/** The texts that hold it. Longer ones hold these: `+62812…`, `0062812…` and `0812…` all end in the national number. */
function textsOf({ kind, value }: Canary): readonly (readonly [string, string])[] {
  switch (kind) {
    case 'number':
      return [
        ['national digits', value.slice(3)],
        // In base64 and hexadecimal the neighbours matter: the whole number has forms of its own.
        ['digits', value.slice(1)],
        ['E.164', value],
        ['words', words(value.slice(3), ' ')],
        ['words', words(value.slice(3), '')],
      ];
    case 'uuid':
      return [
        ['UUID', value],
        ['UUID without dashes', value.replaceAll('-', '')],
      ];
    case 'address':
      return [
        ['address', value],
        ['address with dashes', value.replaceAll('.', '-')],
        ['address for the resolver', value.split('.').reverse().join('.')],
      ];
    case 'text':
      return [['text', value]];
  }
}

const digitWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

function words(digits: string, between: string): string {
  return [...digits].map((digit) => digitWords[Number(digit)]).join(between);
}

function binariesOf({ kind, value }: Canary): readonly (readonly [string, Buffer])[] {
  switch (kind) {
    case 'number':
      return [value.slice(1), value.slice(3), `0${value.slice(3)}`].flatMap((digits) => [
        ['BCD', packed(digits)] as const,
        // Semi-octets as SS7, SMS and ISUP have them.
        ['BCD, nibbles swapped', swapped(packed(digits))] as const,
      ]);
    case 'uuid':
      return [['UUID in binary', Buffer.from(value.replaceAll('-', ''), 'hex')]];
    case 'address':
      return [['address in binary', Buffer.from(value.split('.').map(Number))]];
    case 'text':
      return [];
  }
}

/** Whole bytes only: the last odd digit shares its byte with a filler that differs from coding to coding. */
function packed(digits: string): Buffer {
  return Buffer.from(digits.slice(0, digits.length & ~1), 'hex');
}

function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => ((byte & 15) << 4) | (byte >> 4)));
}

/** What of the base64 doesn't depend on the neighbours, for each of the three places a text can start at. */
function base64Of(bytes: Buffer): readonly (readonly [number, Buffer])[] {
  return [0, 1, 2].map((place) => {
    const whole = Buffer.concat([Buffer.alloc(place), bytes]).toString('base64url');
    const bits = (place + bytes.length) * 8;
    return [place, Buffer.from(whole.slice(Math.ceil((place * 8) / 6), Math.floor(bits / 6)))] as const;
  });
}

// ---------------------------------------------------------------- the search

/** ASCII letters in lower case: headers, hexadecimal and host names come in either. */
function fold(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte)));
}

function views(haystack: Buffer): readonly { readonly name: string; readonly bytes: Buffer }[] {
  // latin1: one character a byte, so that nothing is lost on the way.
  const text = haystack.toString('latin1');
  const plain = text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const joined = withoutSeparators(plain);
  const decoded = Buffer.concat(
    [
      ...(text.match(/[A-Za-z0-9+/_-]{12,}={0,2}/g) ?? []).map((run) => Buffer.from(run, 'base64')),
      ...(text.match(/(?:[0-9a-f]{2}){6,}/gi) ?? []).map((run) => Buffer.from(run, 'hex')),
    ].flatMap((part) => [part, Buffer.from('\0\0')]),
  );
  const latin1 = (view: string) => Buffer.from(view, 'latin1');
  return [
    { name: '', bytes: haystack },
    ...(plain === text ? [] : [{ name: ', percent-encoded', bytes: latin1(plain) }]),
    ...(joined === plain ? [] : [{ name: ', with separators', bytes: latin1(joined) }]),
    { name: ', in encoded text', bytes: decoded },
    {
      name: ', with separators in encoded text',
      bytes: latin1(withoutSeparators(decoded.toString('latin1'))),
    },
  ].map(({ name, bytes }) => ({ name, bytes: fold(bytes) }));
}

function withoutSeparators(text: string): string {
  return text.replace(/(?<=\d)(?:[-.()/ _]|\xa0){1,3}(?=\d)/g, '');
}

/** One pass over the bytes for all needles: by their first four bytes. */
function searcher(needles: readonly Needle[]) {
  const byStart = new Map<number, Needle[]>();
  /** Tells most places apart without asking the map. */
  const possible = new Uint8Array(65_536);
  for (const needle of needles) {
    const start = needle.bytes.readUInt32LE(0);
    const others = byStart.get(start);
    if (others) others.push(needle);
    else byStart.set(start, [needle]);
    possible[start & 0xffff] = 1;
  }
  return (bytes: Buffer): readonly { readonly needle: Needle; readonly at: number }[] => {
    const found: { needle: Needle; at: number }[] = [];
    for (let at = 0; at + 4 <= bytes.length; at++) {
      if (!possible[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)]) continue;
      for (const needle of byStart.get(bytes.readUInt32LE(at)) ?? []) {
        const end = at + needle.bytes.length;
        if (end <= bytes.length && bytes.compare(needle.bytes, 0, needle.bytes.length, at, end) === 0) {
          found.push({ needle, at });
        }
      }
    }
    return found;
  };
}
