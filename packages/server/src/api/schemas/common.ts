/** Pieces that the schemas of several resources share. A schema with a `title` becomes a named one in OpenAPI. */
import { type Static, type TSchema, Type } from 'typebox';

/** What a pattern means, for people: the error answer says this instead of the expression. */
export const patternWords = new Map<string, string>();

interface TextOptions {
  readonly description: string;
  readonly examples?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Text by a pattern; `words` completes "this field …". */
export function patterned(pattern: string, words: string, options: TextOptions) {
  patternWords.set(pattern, words);
  return Type.String({ pattern, ...mutable(options) });
}

/** One of several words. */
export function oneOf<const Word extends string>(words: readonly Word[], description: string) {
  return Type.Unsafe<Word>({ type: 'string', enum: words, description });
}

/** What a choice between several forms wants, for people; by the title of its schema. */
export const choiceWords = new Map<string, string>();

/** One of several forms; `words` completes "this field …". A choice with a title becomes a named schema in OpenAPI. */
export function choice<Form extends TSchema[]>(
  title: string,
  words: string,
  forms: [...Form],
  description = '',
) {
  choiceWords.set(title, words);
  return Type.Union(forms, { title, ...(description === '' ? {} : { description }) });
}

/** Null takes the field's value away. What is wrong with another value is said as without the null. */
export function nullable<Value extends TSchema>(value: Value) {
  return Type.Union([value, Type.Null()]);
}

function mutable(options: TextOptions) {
  const { examples, ...rest } = options;
  return { ...rest, ...(examples ? { examples: [...examples] } : {}) };
}

export const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-01-31T09:30:00.000Z'] });

export const id = (prefix: string, description: string) =>
  Type.String({ description, examples: [`${prefix}_019b3c5e7a1048f2c6d0a4b8e1f35927`] });

export const idParams = (prefix: string, what: string) =>
  Type.Object({ id: id(prefix, `The ${what}'s id.`) });

export const phoneIn = Type.String({
  minLength: 1,
  maxLength: 40,
  description:
    'A real phone number in E.164 with the leading plus. It goes in and never comes out: answers show it masked.',
  examples: ['+6281100000001'],
});

export const virtualNumberIn = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'A virtual number of ours, E.164.',
  examples: ['+622150000001'],
});

export const poolName = patterned(
  '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$',
  'must be 1 to 63 letters, digits, hyphens or underscores that begin with a letter or digit',
  { description: 'A pool, by name.', examples: ['default'] },
);

const rolePattern = '[a-z][a-z0-9_-]{0,31}';
export const role = patterned(
  `^${rolePattern}$`,
  'must be a lower-case word of 1 to 32 letters, digits, hyphens or underscores that begins with a letter',
  { description: '`agent`, `customer`, or any word.', examples: ['agent'] },
);

/** One who takes part in a session: by id, or by a role that only one has. */
export const participantOrRole = patterned(
  `^(?:par_[0-9a-f]{32}|${rolePattern})$`,
  'must be the id or the role of a participant',
  { description: 'A participant: an id, or a role that only one has.', examples: ['agent'] },
);

export const timeZone = patterned(
  '^[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}$',
  'must be the name of an IANA time zone such as Asia/Jakarta',
  { description: 'IANA time zone.', examples: ['Asia/Jakarta'] },
);

/** Why a session ended, a number is sick: short words for lists and events. */
export const shortReason = patterned(
  '^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$',
  'must be 1 to 64 letters, digits, spaces, dots, hyphens or underscores that begin with a letter or digit',
  { description: '`resolved`, `cancelled`, or words of your own.', examples: ['resolved'] },
);

/** Free JSON of the integrator, given back as it came. */
export const metadata = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  maxProperties: 50,
  description:
    'Free JSON of yours, at most 50 fields and 16 kB. Put no personal data here: it is not encrypted.',
  examples: [{ order: 'A-1009' }],
});
export const maxMetadataBytes = 16_384;

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 200,
      description: 'Items in a page; 50 when absent.',
      examples: [50],
    }),
  ),
  after: Type.Optional(Type.String({ maxLength: 100, description: 'The `next` of the page before.' })),
};

export function pageOf<Item extends TSchema>(item: Item, title: string) {
  return Type.Object(
    {
      items: Type.Array(item),
      next: Type.Optional(Type.String({ description: 'Give it as `after`; absent on the last page.' })),
    },
    { title },
  );
}

export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'Stable relative URI of the kind of problem; it can be opened.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What to change, in words. Never repeats what was sent.' }),
    instance: Type.String({ description: 'The id of this request; the log has it too.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.Optional(Type.String({ description: 'JSON pointer (RFC 6901) into the body.' })),
          parameter: Type.Optional(Type.String({ description: 'Name of a query parameter or header.' })),
          detail: Type.String(),
        }),
      ),
    ),
  },
  {
    title: 'Problem',
    description: 'RFC 9457.',
    examples: [
      {
        type: '/problems/invalid-number',
        title: 'A phone number is not valid',
        status: 422,
        detail: 'This is not a phone number that can exist.',
        instance: 'req_5UzZ0cT1p0mXW8m6bqT2dA',
        errors: [{ pointer: '/participants/0/phone', detail: 'This is not a phone number that can exist.' }],
      },
    ],
  },
);

export type Json<Schema extends TSchema> = Static<Schema>;
