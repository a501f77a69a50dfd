// biome-ignore-all lint/suspicious/noThenProperty: the language's own word; nothing here is ever awaited
/**
 * Programs. The heart reads a definition itself, so that what is wrong in it is told with its place in the program;
 * here the language is only described, for the OpenAPI document and the clients made from it.
 */
import { type TSchema, Type } from 'typebox';
import { choice, id, oneOf, pageOf, patterned, time } from './common.ts';

export const programName = patterned(
  '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$',
  'must be 1 to 63 letters, digits, hyphens or underscores that begin with a letter or digit',
  { description: 'Unique among your programs.', examples: ['deliveries'] },
);

const promptName = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'A prompt, by name.',
  examples: ['closed'],
});

/** Words to speak. The only part of the language that sessions use outside of programs. */
export const spoken = choice(
  'Spoken',
  'must be the name of a prompt, or a list of prompts and { "characters": … }',
  [
    promptName,
    Type.Array(
      Type.Union([
        promptName,
        Type.Object({ prompt: promptName }, { additionalProperties: false }),
        Type.Object(
          {
            characters: Type.String({
              minLength: 1,
              maxLength: 64,
              description: 'Letters and digits, read out one by one.',
            }),
          },
          { additionalProperties: false },
        ),
      ]),
      { minItems: 1, maxItems: 10 },
    ),
  ],
  'The name of a prompt, or several parts one after another; `characters` are read out one by one.',
);

/** A definition as it comes, and as it is given back. */
export const programDefinition = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  title: 'ProgramDefinition',
  additionalProperties: true,
});

/** Which program a session has: read in `routes/session-input.ts`, where what is wrong can be told better. */
export const sessionProgram = Type.Unsafe<unknown>({ title: 'SessionProgram' });

const strict = { additionalProperties: false } as const;
const steps = Type.Ref('ProgramSteps');
const targets = Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: 10 })]);
const ring = Type.Integer({ minimum: 5, maximum: 120 });

/** By name; `$ref`s are names of this record and are written as references into the document. */
export const programLanguage: Readonly<Record<string, TSchema>> = {
  ProgramDefinition: Type.Object(
    {
      rules: Type.Array(Type.Ref('ProgramRule'), {
        minItems: 1,
        description: 'Tried in order; the first whose `when` holds says what happens.',
      }),
      closed: Type.Optional(steps),
      blocks: Type.Optional(named(steps, 'Steps with a name, for `use` in several places.')),
      timeZone: Type.Optional(
        Type.String({
          description:
            'IANA time zone of `now`. Absent: the schedule’s, else the one of your settings, else UTC.',
        }),
      ),
    },
    {
      ...strict,
      description:
        'Who is reached by whom, when: ordered rules. `closed` stands for calls outside of the schedule and before a session opens. A program is checked when it is saved: a bad expression, an unknown name or a circle of blocks is refused with its place.',
      examples: [
        {
          rules: [
            { name: 'evening', when: 'now.hour >= 20', then: { forward: 'support' } },
            { when: "caller.role == 'customer'", then: [{ connect: 'agent' }, { voicemail: true }] },
            { then: { connect: {} } },
          ],
        },
      ],
    },
  ),
  ProgramRule: Type.Object(
    {
      name: Type.Optional(Type.String({ description: 'Shown in explanations.' })),
      when: Type.Optional(
        Type.String({
          description:
            'A CEL expression over `call`, `caller`, `session`, `now` and `attempt`. Absent: always.',
          examples: ["caller.role == 'customer' && now.hour < 20"],
        }),
      ),
      then: steps,
    },
    strict,
  ),
  ProgramSteps: Type.Union([Type.Ref('ProgramStep'), Type.Array(Type.Ref('ProgramStep'), { minItems: 1 })], {
    description: 'One step, or several: each is taken when the one before it did not end the call.',
  }),
  ProgramStep: Type.Union(
    [
      verb('connect', Type.Union([Type.String(), Type.Ref('ProgramConnect')])),
      verb('announce', Type.Union([Type.Ref('Spoken'), Type.Object({ prompt: Type.Ref('Spoken') }, strict)])),
      verb('menu', Type.Ref('ProgramMenu')),
      verb('forward', Type.Union([Type.String(), Type.Ref('ProgramForward')])),
      verb(
        'refuse',
        Type.Union([Type.Ref('Spoken'), Type.Object({ prompt: Type.Optional(Type.Ref('Spoken')) }, strict)]),
      ),
      verb('ask', Type.Ref('ProgramAsk')),
      verb('voicemail', Type.Union([Type.Literal(true), Type.Ref('ProgramVoicemail')])),
      verb('use', Type.String({ description: 'The name of a block.' })),
    ],
    { description: 'Exactly one verb.' },
  ),
  ProgramConnect: Type.Object(
    {
      to: Type.Optional(targets),
      mode: Type.Optional(
        oneOf(['hunt', 'all'], 'One by one (default), or all at once: whoever answers first talks.'),
      ),
      ringSeconds: Type.Optional(ring),
      accept: Type.Optional(
        Type.Boolean({ description: 'Whoever answers presses 1 before anything is joined.' }),
      ),
      whisper: Type.Optional(Type.Ref('Spoken')),
    },
    {
      ...strict,
      description:
        'Rings participants, by role or id; without `to` everybody but the caller. `ringSeconds` is of each one in `hunt`, of all together in `all`.',
    },
  ),
  ProgramForward: Type.Object(
    { to: Type.String(), ringSeconds: Type.Optional(ring) },
    {
      ...strict,
      description: 'To one of your destinations (`PUT /v1/destinations/{name}`), by name.',
    },
  ),
  ProgramMenu: Type.Object(
    {
      prompt: Type.Ref('Spoken'),
      choices: Type.Unsafe<Record<string, unknown>>({
        type: 'object',
        propertyNames: { pattern: '^[0-9*#]$' },
        additionalProperties: steps,
        minProperties: 1,
        description: 'By key: 0 to 9, `*`, `#`.',
      }),
      timeoutSeconds: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 30, description: 'Silence after the words; 6 when absent.' }),
      ),
      attempts: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 3, description: 'How often it is asked; 2 when absent.' }),
      ),
      otherwise: Type.Optional(steps),
    },
    strict,
  ),
  ProgramAsk: Type.Object(
    {
      url: Type.String({ description: 'Yours, https. Gets a signed POST with ids and facts.' }),
      timeoutMilliseconds: Type.Optional(
        Type.Integer({ minimum: 100, maximum: 5000, description: '2,000 when absent.' }),
      ),
      fallback: steps,
    },
    {
      ...strict,
      description:
        'Asks your system, which answers `{"then": …}`. `fallback` is taken when no usable answer comes in time; it connects only if you write so. The signature is checked with `GET /v1/settings/decision-secret`.',
    },
  ),
  ProgramVoicemail: Type.Object(
    {
      for: Type.Optional(targets),
      maxSeconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 300, description: '120 when absent.' })),
      greeting: Type.Optional(Type.Ref('Spoken')),
    },
    strict,
  ),
  Spoken: spoken,
  Whisper: Type.Union([Type.Literal(true), Type.Ref('Spoken')], {
    description: 'Spoken to whoever answers, before both are joined; `true` reads out the reference.',
  }),
  SessionProgram: Type.Union(
    [
      Type.String({ description: 'A saved program, by id or name; its newest version.' }),
      Type.Object(
        { name: Type.String(), version: Type.Integer({ minimum: 1 }) },
        { ...strict, description: 'One version of a saved program, whatever is saved later.' },
      ),
      Type.Ref('ProgramDefinition'),
    ],
    {
      description:
        'A saved program, one version of it, or a program of this session alone. Absent: your default program, else everybody else is connected.',
    },
  ),
};

function verb(name: string, value: TSchema) {
  return Type.Object({ [name]: value }, strict);
}

function named(value: TSchema, description: string) {
  return Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: value,
    description,
  });
}

const program = {
  name: programName,
  definition: programDefinition,
  default: Type.Boolean({ description: 'Used by sessions that name none. Only one program is.' }),
};
export const exampleProgram = {
  name: 'deliveries',
  definition: {
    rules: [
      { name: 'late', when: 'now.hour >= 22', then: { refuse: 'closed' } },
      { then: [{ connect: { ringSeconds: 25 } }, { voicemail: true }] },
    ],
  },
  default: true,
};

export const newProgramSchema = Type.Object(
  { ...program, default: Type.Optional(program.default) },
  { additionalProperties: false, title: 'NewProgram', examples: [exampleProgram] },
);
export const programChangeSchema = Type.Object(
  {
    name: Type.Optional(program.name),
    definition: Type.Optional(program.definition),
    default: Type.Optional(program.default),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'ProgramChange',
    examples: [{ definition: exampleProgram.definition }],
  },
);
export const programSchema = Type.Object(
  {
    id: id('prg', 'The program.'),
    name: Type.String(),
    version: Type.Integer({ description: 'Each change of the definition is a new version.' }),
    default: program.default,
    definition: program.definition,
    createdAt: time('When it was first saved.'),
    updatedAt: time('When this version was saved.'),
  },
  { title: 'Program' },
);
export const programPage = pageOf(programSchema, 'ProgramPage');
export const programParams = Type.Object({
  id: Type.String({ description: 'The program’s id or name.', examples: ['deliveries'] }),
});
export const programQuery = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 999_999_999,
        description: 'An older version; the newest when absent.',
      }),
    ),
  },
  { additionalProperties: false },
);
